"""What /v1 is asked and what it answers: the source of its OpenAPI description."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from onmal.serving.models import ModelFacts
from onmal.translating.plan import SURROGATE
from onmal.translating.translator import Alignment, Translation
from onmal.translating.wishes import Wishes

__all__ = [
    "AlignmentAnswer",
    "DetectRequest",
    "DetectedLanguage",
    "Direction",
    "ErrorAnswer",
    "Health",
    "LanguagesAnswer",
    "Limits",
    "ModelAnswer",
    "Problem",
    "Sentence",
    "StreamRequest",
    "TranslateRequest",
    "TranslationAnswer",
    "TranslationsAnswer",
]

Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Written = Annotated[str, AfterValidator(lambda text: SURROGATE.sub("\ufffd", text))]
"""Text, with the sign for what is no character in place of half a character, which JSON can spell and UTF-8 cannot."""
Code = Annotated[str, StringConstraints(max_length=64)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)


class _Answered(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class SearchOptions(_Asked):
    """How to search; what is left away is as in the model's recipe."""

    beam_size: int | None = Field(default=None, ge=1, le=256)
    """Hypotheses kept per sentence; 1 is greedy. The server may allow fewer."""
    length_penalty: float | None = Field(default=None, ge=0, le=10)
    """Scores are divided by length ** this."""
    max_length_ratio: float | None = Field(default=None, gt=0, le=3)
    """A translation ends at this many times the source's tokens, plus `max_length_extra`."""
    max_length_extra: int | None = Field(default=None, ge=1, le=64)
    min_length_ratio: float | None = Field(default=None, ge=0, le=2)
    """A translation has at least this many times the source's tokens."""
    coverage_penalty: float | None = Field(default=None, ge=0, le=100)
    """Scores fall with every source token that the translation hardly looked at."""
    diversity: float | None = Field(default=None, ge=0, le=100)
    """How much [nats] a hypothesis' second continuation is set back behind its first."""
    no_repeat_ngram: int | None = Field(default=None, ge=0, le=100)
    """No run of this many tokens comes twice in a translation; 0 allows it."""
    shortlist: bool | None = None
    """Look only among the words that the source suggests, where the model has a list of them."""
    sample: bool | None = None
    """Draw the words by chance instead; the settings below go with it."""
    temperature: float | None = Field(default=None, ge=0.05, le=10)
    """Below 1 the likely words are drawn more often than the network says."""
    top_k: int | None = Field(default=None, ge=0, le=1_000_000)
    """Draw among the k likeliest words only; 0 among all."""
    top_p: float | None = Field(default=None, ge=0.01, le=1)
    """Draw among the likeliest words that have this probability together."""
    seed: int | None = Field(default=None, ge=0, lt=2**63)


class _Wanted(_Asked):
    source: Code = "auto"
    """BCP 47 code of the language that the text is in; "auto" detects it."""
    target: Code
    """BCP 47 code of the language to translate to."""
    model: Code = ""
    """Name of the model, as GET /v1/models gives it; left away, the first one that knows the direction."""
    prefix: str = Field(default="", max_length=2000)
    """How each translation begins; the network goes on from here."""
    never: list[Phrase] = Field(default=[], max_length=50)
    """What no translation says."""
    search: SearchOptions | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """What is to be searched in another way than usual."""
        return self.search.model_dump(exclude_none=True) if self.search else {}


class TranslateRequest(_Wanted):
    """One text, or a list of them."""

    text: Written | list[Written]
    n_best: int = Field(default=1, ge=1, le=256)
    """How many translations of each text, best first. The server may allow fewer."""
    must: list[Phrase] = Field(default=[], max_length=16)
    """What each translation says, wherever it fits; its characters count for each text."""
    sentences: bool = False
    """Translate sentence by sentence, and tell them apart in the answer."""
    alignment: bool = False
    """Tell how much each token of the translation looked at each token of the source."""
    omissions: bool = False
    """Warn of source words that a translation leaves out, which takes several times as long."""

    @property
    def wishes(self) -> Wishes:
        """Beginning, words that must be said, and words that must not."""
        return Wishes(self.prefix, tuple(self.must), tuple(self.never))


class StreamRequest(_Wanted):
    """One text, whose translation is typed out: greedily, or by chance with search.sample."""

    text: Written

    @property
    def wishes(self) -> Wishes:
        """Beginning, and words that must not be said."""
        return Wishes(self.prefix, (), tuple(self.never))


class AlignmentAnswer(_Answered):
    """How much each target token looked at each source token: the mean of cross-attention over layers and heads."""

    source: list[str]
    target: list[str]
    weights: list[list[float]]
    """A row for each target token; rows sum to one."""

    @classmethod
    def of(cls, alignment: Alignment) -> AlignmentAnswer:
        """The same, as JSON can have it."""
        weights = [[round(weight, 4) for weight in row] for row in alignment.weights]
        return cls(source=list(alignment.source), target=list(alignment.target), weights=weights)


class Sentence(_Answered):
    """A part of a text and its translation, each with the white space that follows it."""

    source: str
    text: str
    warnings: list[str] = []


class Alternative(_Answered):
    """One of the n best translations."""

    text: str
    score: float
    warnings: list[str]


class TranslationAnswer(_Answered):
    """A text in the other language."""

    text: str
    source: str
    """The language that the text is in."""
    target: str
    score: float
    """Mean log-probability per token after the length penalty [nats]; 0 where nothing had to be translated."""
    warnings: list[str]
    """What could not be kept, each by its name: "numbers: ...", "long_input: ...", "unfinished: ..."."""
    alternatives: list[Alternative] = []
    """The n best, this one first, if more than one was asked for."""
    sentences: list[Sentence] = []
    """If asked for; joined, they are the text."""
    alignment: list[AlignmentAnswer] = []
    """If asked for; one for each piece that was translated."""

    @classmethod
    def of(cls, translation: Translation, source: str, target: str) -> TranslationAnswer:
        """The same, as JSON can have it."""
        return cls(
            text=translation.text,
            source=source,
            target=target,
            score=round(translation.score, 4),
            warnings=list(translation.warnings),
            alternatives=[
                Alternative(text=each.text, score=round(each.score, 4), warnings=list(each.warnings))
                for each in translation.alternatives
            ],
            alignment=list(map(AlignmentAnswer.of, translation.alignment)),
        )


class TranslationsAnswer(_Answered):
    """The translations of a list of texts, in their order."""

    translations: list[TranslationAnswer]


class DetectRequest(_Asked):
    """A text in some language."""

    text: str


class DetectedLanguage(_Answered):
    """A language that a text may be in."""

    language: str
    confidence: float
    """From 0 (no idea) to 1 (certain)."""


class Direction(_Answered):
    """What can be translated to what, and by which model if none is named."""

    source: str
    target: str
    model: str


class Limits(_Answered):
    """What a request may have at most."""

    characters: int
    texts: int
    beam_size: int


class LanguagesAnswer(_Answered):
    """What this server translates."""

    directions: list[Direction]
    names: dict[str, dict[str, str]]
    """Of each language, in English (en) and Korean (ko)."""
    limits: Limits


class ModelAnswer(_Answered):
    """What a model is."""

    name: str
    directions: list[tuple[str, str]]
    loaded: bool
    """Whether it translates at once; else it is loaded when it is needed first."""
    network: dict[str, Any]
    search: dict[str, Any]
    """How it searches if nothing else is asked."""
    card: dict[str, Any]
    """How large its training text was, the longest sentences in it, and how well the model does."""

    @classmethod
    def of(cls, facts: ModelFacts, loaded: bool) -> ModelAnswer:
        """What may be told of a model: neither where it is, nor which files it was trained on."""
        told = ("training_pairs", "trained_lengths", "validation")
        return cls(
            name=facts.name,
            directions=list(facts.directions),
            loaded=loaded,
            network=facts.description["model"],
            search=facts.search.model_dump(),
            card={key: facts.card[key] for key in told if key in facts.card},
        )


class Health(_Answered):
    """That the server answers."""

    status: str = "ok"


class Problem(_Answered):
    """Why a request is not answered: a code for programs, a sentence for people."""

    code: str
    message: str


class ErrorAnswer(_Answered):
    """What every error looks like."""

    error: Problem


def joined(sentences: Sequence[Sentence], score: float, source: str, target: str) -> TranslationAnswer:
    """A text's translation from those of its sentences."""
    return TranslationAnswer(
        text="".join(each.text for each in sentences),
        source=source,
        target=target,
        score=round(score, 4),
        warnings=[warning for each in sentences for warning in each.warnings],
        sentences=list(sentences),
    )
