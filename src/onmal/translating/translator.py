"""Text to Translation: cut, tokenise, search, detokenise, join. Decides little; keeps everything."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain, islice, repeat, takewhile
from pathlib import Path
from typing import Any, TypedDict, Unpack, cast, get_args, overload
from weakref import finalize

from onmal.allocator import give_freed_memory_back, keep_freed_memory
from onmal.cleaning.filters import Filter
from onmal.cleaning.guards import GUARDS, Forbidden, Fragments, Numbers
from onmal.config import SearchConfig
from onmal.decoding.ensemble import Ensemble
from onmal.decoding.search import Hypothesis
from onmal.errors import ConfigError, LanguageError, ModelFolderError
from onmal.fragments import put_back, take_out
from onmal.interop.ctranslate2 import inexpressible
from onmal.interop.ctranslate2_engine import CTranslate2Engine, installed
from onmal.saved_model import SavedModel, load_model
from onmal.text.language import canonical, detect, primary, writes_spaces
from onmal.threads import in_threads
from onmal.translating.draft import Candidate, Draft
from onmal.translating.engine import Auto, Constraints, Engine, Precision
from onmal.translating.glossary import Glossary
from onmal.translating.omissions import left_out
from onmal.translating.plan import Plan, Planner, Unit
from onmal.translating.torch_engine import ExactEngine, TorchEngine
from onmal.translating.wishes import NO_WISHES, Wishes, Wishing

__all__ = ["Alignment", "Options", "Translation", "Translator", "choose_engine", "load"]

CHUNK = 1024  # texts of an iterable that are searched together
# The same for an engine that searches several portions at once, and that has soon something to do.
PORTIONS = (128, 512)


@dataclass(frozen=True)
class Alignment:
    """How much each target token looked at each source token: the mean of cross-attention over layers and heads."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    weights: tuple[tuple[float, ...], ...]
    """[T][S]; rows sum to one."""


@dataclass(frozen=True)
class Translation:
    """A text in the other language."""

    source: str
    text: str
    score: float
    """Mean log-probability per token after the length penalty [nats]; 0 where nothing had to be translated."""
    tokens: tuple[str, ...] = ()
    """The target's subword pieces."""
    alignment: tuple[Alignment, ...] = ()
    """One per piece that was translated; empty unless asked for."""
    warnings: tuple[str, ...] = ()
    """What could not be kept, each by its name: "long_input: ...", "unfinished: ...", "numbers: ..." and other guards."""
    alternatives: tuple[Translation, ...] = ()
    """The n best, this one first; empty unless asked for."""

    def as_dict(self) -> dict[str, Any]:
        """The same as values that JSON knows."""
        return {
            "source": self.source,
            "text": self.text,
            "score": round(self.score, 4),
            "warnings": list(self.warnings),
            **({"alternatives": [a.as_dict() for a in self.alternatives]} if self.alternatives else {}),
        }


class Options(TypedDict, total=False):
    """What a translation can be asked for."""

    to: str
    """The target language (BCP 47); left away, it follows from the script of each text."""
    search: SearchConfig | None
    """How to search; as the model's recipe does if left away."""
    alignment: bool
    """Whether each translation tells how much its tokens looked at the source's."""
    omissions: bool
    """Whether warnings name the source words that a translation leaves out, which takes several times as long."""
    wishes: Wishes
    """What each translation begins with, says, or does not say."""


class Translator:
    """Translates text with a saved model.

    `guards` look at each translation: where one finds a fault, the best hypothesis without any is taken, or else a
    warning says what is wrong. The terms of a `glossary` are translated as it says.

    While it lives, the memory of its tensors stays with the process for the next ones; when it goes, that goes, too.
    """

    def __init__(
        self,
        saved: SavedModel,
        engine: Engine | None = None,
        *,
        tag: str = "",
        guards: Sequence[Filter] = GUARDS,
        glossary: Glossary | None = None,
    ) -> None:
        saved.tokenizer.prefix(saved.directions[0][1], tag)  # refuses one that the model does not know
        self.saved, self.tag, self.guards = saved, tag, guards
        self.engine = engine or choose_engine(saved)
        self.planner = Planner(saved, tag, glossary)
        keep_freed_memory()  # each word of a search makes the same large tensors
        finalize(self, give_freed_memory_back)

    @cached_property
    def directions(self) -> tuple[tuple[str, str], ...]:
        """(source, target) languages that the model knows."""
        return tuple((canonical(source), canonical(target)) for source, target in self.saved.directions)

    @overload
    def translate(self, text: str, **options: Unpack[Options]) -> Translation: ...  # type: ignore[overload-overlap]

    @overload
    def translate(self, text: Iterable[str], **options: Unpack[Options]) -> list[Translation]: ...

    def translate(
        self, text: str | Iterable[str], **options: Unpack[Options]
    ) -> Translation | list[Translation]:
        """Translate one text, or many together; the options are those of `Options`.

        Line structure is kept: blank in, blank out. Raises LanguageError for a language that the model does not know.
        """
        if isinstance(text, str):
            return next(self.stream([text], **options))
        return list(self.stream(text, **options))

    def stream(self, texts: Iterable[str], **options: Unpack[Options]) -> Iterator[Translation]:
        """Translate texts as they come, in constant memory and in their order.

        An engine that searches in threads of its own has several portions at once, so that it need not wait for Python.
        """
        wishes, remaining = options.get("wishes", NO_WISHES), iter(texts)
        at_once = self.engine.at_once(options.get("search") or self.saved.search, self.asked(wishes))
        sizes = chain(PORTIONS, repeat(PORTIONS[-1])) if at_once > 1 else repeat(CHUNK)
        read = (list(islice(remaining, size)) for size in sizes)
        portions = takewhile(bool, chain([first := next(read)], read))
        translate = partial(self._translate, options=options)
        if at_once > 1 and len(first) == PORTIONS[0]:
            in_turn = in_threads(lambda portion: list(translate(portion)), portions, at_once, at_once)
            yield from chain.from_iterable(in_turn)
        else:
            yield from chain.from_iterable(map(translate, portions))

    def _translate(self, texts: Sequence[str], options: Options) -> Iterator[Translation]:
        search, units = options.get("search") or self.saved.search, list[Unit]()
        plans = [
            self.planner.plan(text, self.target_language(text, options.get("to", "")), units)
            for text in texts
        ]
        wider = search.replace(n_best=search.beam_size) if self.guards else search
        draft = Draft(self._wishing(plans, units, options), self.planner, self._watching(options), wider)
        found = [candidates[: search.n_best] for candidates in draft.mended()]
        for plan in plans:
            best = self._join(plan, found, 0)
            if options.get("alignment"):
                aligned = tuple(self._align(found[n][0]) for n in plan.units)
                best = replace(best, alignment=aligned)
            if options.get("omissions"):
                omitted = [word for n in plan.units for word in self._left_out(found[n][0])]
                told = (f"omitted: {', '.join(omitted)}",) if omitted else ()
                best = replace(best, warnings=best.warnings + told)
            if search.n_best > 1 and plan.units:
                ranks = range(max(len(found[n]) for n in plan.units))
                best = replace(best, alternatives=tuple(self._join(plan, found, rank) for rank in ranks))
            yield best

    async def translate_async(self, text: str, **options: Unpack[Options]) -> Translation:
        """The same as `translate`, in a thread of its own, so that an event loop goes on meanwhile."""
        return await asyncio.to_thread(lambda: self.translate(text, **options))

    def type_out(self, text: str, **options: Unpack[Options]) -> Generator[str, None, tuple[str, ...]]:
        """One text's translation in pieces, each as soon as the network has said it: greedily, or by chance where asked.

        Joined they are the translation. Guards look at what is said already: the generator returns their warnings. `must` and a
        glossary need a whole sentence.
        """
        search = (options.get("search") or self.saved.search).replace(n_best=1, beam_size=1)
        units: list[Unit] = []
        plan = self.planner.plan(text, self.target_language(text, options.get("to", "")), units)
        wishing, guards = self._wishing([plan], units, options), self._watching(options)
        told, search = wishing.constraints, wishing.room(search)
        for part in plan.parts:
            if isinstance(part, str):
                yield part
                continue
            unit, tokens, said = units[part], list[int](), ""
            own = replace(told, prefixes=told.prefixes[part:][:1], never=told.never[part:][:1])
            for token in self.torch_engine.word_by_word(unit.ids, search, own):
                tokens.append(token)
                if unit.without.taken:  # fragments wait for the words that they stand beside
                    continue
                so_far = self._written(self._candidate(unit, tokens, guards)).removesuffix(unit.ending)
                if so_far.startswith(said) and not so_far.endswith("\ufffd"):  # half a character, in bytes
                    yield so_far[len(said) :]
                    said = so_far
            candidate = self._candidate(unit, tokens, guards)
            yield self._written(candidate)[len(said) :]
            plan.warnings += candidate.faults
        return tuple(plan.warnings)

    def describe(self, search: SearchConfig, wishes: Wishes = NO_WISHES) -> str:
        """Which engine translates so, and why no faster one; what must be said may take another search, in torch."""
        return self.engine.describe(search, self.asked(wishes))

    @staticmethod
    def asked(wishes: Wishes) -> Constraints:
        """What the engine is told of wishes, whatever the words."""
        return Constraints(prefixes=[(0,)] * bool(wishes.prefix), never=[((0,),)] * bool(wishes.never))

    @cached_property
    def torch_engine(self) -> TorchEngine:
        """The engine that everything works with."""
        own, saved = self.engine, self.saved
        return own if isinstance(own, TorchEngine) else TorchEngine(saved.model, shortlist=saved.shortlist)

    def target_language(self, text: str, to: str = "") -> str:
        """The language that a text is translated to: the one asked for, or the one its script suggests."""
        targets = [target for _, target in self.directions]
        if to:
            wanted = canonical(to)
            alike = [t for t in targets if primary(t) == primary(wanted)]
            exact = [t for t in alike if t == wanted] or alike
            if not exact:
                raise LanguageError(
                    f"this model cannot translate to {to!r}", f"choose one of: {', '.join(targets)}"
                )
            return exact[0]
        if len(targets) == 1:
            return targets[0]
        source = detect(text, [source for source, _ in self.directions])[0][0]
        return next(target for origin, target in self.directions if origin == source)

    def _wishing(self, plans: Sequence[Plan], units: list[Unit], options: Options) -> Wishing:
        wishes = options.get("wishes", NO_WISHES)
        return Wishing(self.engine, self.torch_engine, self.saved.tokenizer.target, plans, units, wishes)

    def _watching(self, options: Options) -> Sequence[Filter]:
        """The guards, and one for what must not be said; what was asked for is not invented."""
        wishes = options.get("wishes", NO_WISHES)
        if not self.guards or not (wishes.prefix or wishes.must or wishes.never):
            return self.guards
        said = (wishes.prefix, *wishes.must)
        guards = [
            replace(each, asked=said) if isinstance(each, Fragments | Numbers) else each
            for each in self.guards
        ]
        return [*guards, Forbidden(wishes.never)] if wishes.never else guards

    def _candidate(self, unit: Unit, tokens: Sequence[int], guards: Sequence[Filter]) -> Candidate:
        ended = tokens[-1:] == [self.saved.model.vocabulary.end]
        hypothesis = Hypothesis(tuple(tokens[: len(tokens) - ended]), 0.0, 0.0, ended)
        return Candidate(unit, hypothesis, self.saved.tokenizer.target, guards)

    def _join(self, plan: Plan, found: Sequence[Sequence[Candidate]], rank: int) -> Translation:
        """Put a text together from its parts, each unit in its rank-th best translation (or its last)."""
        decoder = self.saved.tokenizer.target
        text, tokens = list[str](), list[str]()
        warnings = list(plan.warnings)
        scores, lengths = [], []
        for part in plan.parts:
            if isinstance(part, str):
                text.append(part)
                continue
            candidate = found[part][min(rank, len(found[part]) - 1)]
            hypothesis = candidate.hypothesis
            warnings += candidate.faults
            text.append(self._written(candidate))
            tokens += decoder.pieces(hypothesis.tokens)
            lengths.append(len(hypothesis.tokens) + hypothesis.ended)
            scores.append(hypothesis.score * lengths[-1] if lengths[-1] else 0.0)  # of nothing it is -inf
        score = sum(scores) / max(1, sum(lengths))
        return Translation(plan.source, "".join(text), score, tuple(tokens), (), tuple(warnings))

    def _written(self, candidate: Candidate) -> str:
        """The translation of a unit as it was asked to begin, its fragments where the words are that they stood beside."""
        tokenizer, unit, tokens = self.saved.tokenizer, candidate.unit, candidate.hypothesis.tokens
        if not (unit.without.taken or unit.begun):
            return candidate.text
        first = len(tokenizer.prefix(unit.target_language, self.tag))
        given = len(candidate.first(len(tokenizer.target.encode(take_out(unit.begun).text))))
        spans = tokenizer.source.spans(unit.read)
        looks = self.engine.align(unit.ids, tokens) if tokens and unit.without.taken else []

        def aligned(word: tuple[int, int]) -> int:
            pieces = [n for n, span in enumerate(spans, first) if span.start < word[1] and span.end > word[0]]
            looked = max(range(len(tokens)), key=lambda token: sum(looks[token][n] for n in pieces))
            return max(0, len(candidate.first(looked + 1)) - 1)

        spaces = writes_spaces(unit.target_language)
        return put_back(unit.without, candidate.text, aligned, spaces=spaces, begun=unit.begun, given=given)

    def _left_out(self, candidate: Candidate) -> list[str]:
        unit = candidate.unit
        first = len(self.saved.tokenizer.prefix(unit.target_language, self.tag))
        spaces = writes_spaces(self.planner.likely_language(unit.read, unit.target_language))
        return left_out(self.saved, unit.ids, first, candidate.hypothesis, spaces=spaces)

    def _align(self, candidate: Candidate) -> Alignment:
        tokenizer, source, hypothesis = self.saved.tokenizer, candidate.unit.ids, candidate.hypothesis
        target = [*hypothesis.tokens, *[self.saved.model.vocabulary.end] * hypothesis.ended]
        return Alignment(
            tuple(tokenizer.source.pieces(source)),
            tuple(tokenizer.target.pieces(target)),
            tuple(map(tuple, self.engine.align(source, target))),
        )


def load(
    folder: str | Path,
    device: str = "cpu",
    *,
    tag: str = "",
    engine: str = "auto",
    precision: str = "float32",
    glossary: str | Path | None = None,
    together_with: Sequence[str | Path] = (),
) -> Translator:
    """A translator from a model folder; raises ModelFolderError where the folder is missing or damaged.

    `tag` translates as the text that had it in training does (see `data.mix`); ConfigError for one that the model lacks.
    `engine` and `precision` are those of `choose_engine`; `glossary` is a file that `Glossary.read` reads. The models
    `together_with` which it translates have the same tokenizer and directions; their probabilities are averaged.
    """
    saved = load_model(folder, device)
    if together_with:
        others = [load_model(other, device) for other in together_with]
        saved = _together([saved, *others], [folder, *together_with])
    terms = Glossary.read(glossary) if glossary else None
    return Translator(saved, choose_engine(saved, engine, precision), tag=tag, glossary=terms)


def _together(models: Sequence[SavedModel], folders: Sequence[str | Path]) -> SavedModel:
    """An ensemble; its card is the first model's, but for the lengths that all have seen."""

    def speaks(model: SavedModel) -> tuple[Any, ...]:
        tokenizer = model.tokenizer
        return tokenizer.source.serialized, tokenizer.target.serialized, tokenizer.tags, model.directions

    for model, folder in zip(models, folders, strict=True):
        if speaks(model) != speaks(models[0]):
            raise ModelFolderError(
                f"has another tokenizer or other directions than {folders[0]}",
                "train both on the same text, with different seeds or networks",
                path=folder,
            )
    lengths = map(min, zip(*(model.trained_lengths for model in models), strict=True))
    card = {**models[0].card, "trained_lengths": dict(zip(("source", "target"), lengths, strict=True))}
    together = Ensemble([each.model for each in models]).eval()
    return replace(models[0], model=together, card=card, shortlist=None)


def choose_engine(saved: SavedModel, wanted: str = "auto", precision: str = "float32") -> Engine:
    """Torch, exact, ctranslate2 or, with "auto", the fastest that can do what each search asks for.

    `precision` is float32, bfloat16 or int8. "exact" gives a text the same translation to the bit, whatever it is
    translated with.

    Raises ConfigError where the one asked for is not installed or cannot run this model.
    """
    if precision not in (known := get_args(Precision)):
        raise ConfigError(f"there is no precision {precision!r}", f"choose one of: {', '.join(known)}")
    precision = cast(Precision, precision)
    if in_torch := {"torch": TorchEngine, "exact": ExactEngine}.get(wanted):
        return in_torch(saved.model, precision=precision, shortlist=saved.shortlist)
    if wanted not in ("auto", "ctranslate2"):
        raise ConfigError(f"there is no engine {wanted!r}", "choose auto, torch, exact or ctranslate2")
    if wanted == "ctranslate2" or precision == "int8":  # which torch has not
        return CTranslate2Engine(saved, precision=precision)
    last = TorchEngine(saved.model, precision=precision, shortlist=saved.shortlist)
    if last.device.type != "cpu":
        return last
    if what := inexpressible(saved):
        return Auto((last,), f"no faster engine knows {what}")
    if not installed():
        return Auto((last,), "pip install 'onmal[fast]' brings a faster engine")
    return Auto((CTranslate2Engine(saved, precision=precision), last))
