"""`[data]` and `[[data.mix]]`: which parallel text, in which languages, and how it becomes tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import exp, log
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from onmal.settings import Settings, Text

__all__ = ["DataConfig", "DataMixConfig"]


class DataMixConfig(Settings):
    """One of several texts that training mixes: a `[[data.mix]]` of TOML."""

    corpus: Text = ""
    """Name of a public corpus; then `train` names its splits."""
    train: list[Text]
    """The text: split names of the corpus, or files."""
    weight: float = Field(default=1.0, gt=0)
    """How often each of its pairs is seen, beside those of the other texts."""
    share: float = Field(default=0.0, ge=0, lt=1)
    """Its share of an epoch, whatever its size; 0 goes by weight and size, as do all texts without a share among them."""
    tag: Text = ""
    """Its sources begin with <tag>, as <back> for text that was translated back (Caswell 2019)."""

    @model_validator(mode="after")
    def _tag_is_free(self) -> Self:
        # A letter first, as <2ko> asks for a language; <s>, <unk> and <pad> are every tokenizer's.
        if self.tag and (not re.fullmatch(r"[A-Za-z][\w-]*", self.tag) or self.tag in ("s", "unk", "pad")):
            raise ValueError(
                f"tag = {self.tag!r} cannot be told from the tokenizer's own symbols; "
                'take a word that begins with a letter, such as "back"'
            )
        return self


class DataConfig(Settings):
    """Which parallel text, in which languages, and how it becomes tokens."""

    source_language: Text = ""
    """BCP 47 code of the language to translate from."""
    target_language: Text = ""
    """BCP 47 code of the language to translate to."""
    both_directions: bool = False
    """Train one model for both directions, told apart by a tag of the target language."""
    corpus: Text = ""
    """Name of a public corpus (see `onmal corpus`); then train, valid and tests name its splits."""
    train: list[Text] = Field(default=["train"])
    """Training text: split names of the corpus, or files (two aligned, or one TSV, JSONL, TMX or PO)."""
    mix: list[DataMixConfig] = Field(default=[])
    """Several training texts instead of one. An epoch has as many pairs as all of them together: a text that gives more pairs
    than it has is gone through again, one that gives fewer gives others in the next epoch, all of them equally often."""
    temperature: float = Field(default=1.0, ge=1)
    """A text's share of an epoch is as (weight * size) ** (1 / temperature): a high one makes all alike (Arivazhagan 2019)."""
    valid: list[Text] = Field(default=["valid"])
    """Validation text, likewise; empty holds out `valid_size` pairs of the (first) training text."""
    tests: list[Text] = Field(default=[])
    """Splits of the corpus, or files, that `onmal evaluate` scores for a recipe."""
    valid_size: int = Field(default=500, ge=1)
    """Pairs that are scored at each validation."""
    clean: bool = True
    """Apply the default filters of `onmal doctor` to the training text."""
    max_pairs: int = Field(default=0, ge=0)
    """Read at most so many pairs of each training text; 0 reads all."""
    shards: Text = ""
    """Folder that `onmal prepare CONFIG.toml` wrote; training reads it instead of `train`."""
    tokenizer: Literal["unigram", "bpe"] = "unigram"
    """Kind of SentencePiece model."""
    joint: bool = True
    """One vocabulary for both languages; false learns one for each."""
    vocabulary_size: int = Field(default=0, ge=0)
    """Pieces per vocabulary; 0 chooses from the size of the corpus."""
    subword_sampling: float = Field(default=0.0, ge=0, le=1)
    """How freely words are segmented in training: 0 always the best way; about 0.1 to 0.5 samples (Kudo 2018)."""
    max_length: int = Field(default=128, gt=1)
    """Longest sentence in tokens that training uses; longer pairs are left out and counted."""

    @model_validator(mode="before")
    @classmethod
    def _one_or_several(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not values.get("mix"):
            return values
        if values.get("train"):
            raise ValueError("train and mix both say what to train on; leave one of them away")
        return {**values, "train": []}

    @model_validator(mode="after")
    def _shares_leave_something(self) -> Self:
        if self.mix and (sum(text.share for text in self.mix) >= 1 or all(text.share for text in self.mix)):
            raise ValueError(
                "the shares of mix leave nothing to a text without one; lower one, or leave it away"
            )
        return self

    @property
    def names(self) -> str:
        """The training text as a person knows it."""
        return " + ".join(" ".join(filter(None, (text.corpus, *text.train))) for text in self.texts)

    @property
    def texts(self) -> list[Self]:
        """Settings for each text that is mixed, with its own `corpus` and `train`; these ones where it is only one."""
        one = [{"mix": [], "corpus": text.corpus, "train": text.train} for text in self.mix]
        return [self.model_copy(update=changes) for changes in one] or [self]

    @property
    def directions(self) -> tuple[tuple[str, str], ...]:
        """(source, target) languages that are learned."""
        forward = (self.source_language, self.target_language)
        return (forward, forward[::-1]) if self.both_directions else (forward,)

    def drawn(self, sizes: Sequence[int]) -> list[int]:
        """How many pairs of each text of `mix` an epoch has, where they have so many: its share, rounded up or down."""
        shares = [text.share for text in self.mix]
        logs = [
            (log(text.weight) + log(n)) / self.temperature for text, n in zip(self.mix, sizes, strict=True)
        ]
        top = max(each for each, share in zip(logs, shares, strict=True) if not share)
        # Logs, as powers may overflow.
        parts = [0.0 if share else exp(each - top) for each, share in zip(logs, shares, strict=True)]
        whole = sum(parts) / (1 - sum(shares))
        bounds = list(accumulate(share * whole or part for share, part in zip(shares, parts, strict=True)))
        ends = [round(bound / bounds[-1] * sum(sizes)) for bound in bounds]
        return [end - begin for begin, end in pairwise([0, *ends])]
