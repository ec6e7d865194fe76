"""Sentences to ids and back, by SentencePiece models that are learned from the corpus (Kudo & Richardson 2018).

In models learned here nothing is ever unknown: characters that have no piece are spelled in bytes. Digits stand alone. The text is normalised by
`onmal.text.normalize` (NFC, nothing lossy) and not by SentencePiece. What a person types is never read as a control
symbol: "<2ko>" is five characters.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

import sentencepiece

from onmal.config import Vocabulary
from onmal.errors import ConfigError, DataError, LanguageError, ModelFolderError
from onmal.text.language import count_scripts, direction_tag
from onmal.text.normalize import normalize, normalize_with_spans

__all__ = [
    "Kind",
    "Span",
    "SubwordModel",
    "Tokenizer",
    "VocabularySizeError",
    "choose_vocabulary_size",
    "count_words",
    "hide_mark",
]

Kind = Literal["unigram", "bpe"]
PAD, START, END, UNKNOWN = 0, 1, 2, 3
FAR = 3.0  # nats: twenty times as likely
MARK = "\u2581"  # SentencePiece's space
HIDDEN_MARK = "\ufdd0"
UNSPOKEN = "\ufdd1"  # has no piece, nor a part in one
MOST_WORDS = 2_000_000  # different ones that a model is learned from: those that come most often
RESERVED = "\u2585"  # SentencePiece learns nothing from a sentence with it, but encodes it like any other


class Span(NamedTuple):
    """A token and the characters of the original text that it stands for."""

    piece: str
    start: int
    end: int


class VocabularySizeError(ConfigError):
    """So many pieces cannot be learned from this text; `possible` is the nearest number that can."""

    def __init__(self, what: str, remedy: str, possible: int) -> None:
        super().__init__(what, remedy)
        self.possible = possible


def hide_mark(text: str) -> str:
    """Normalised text as SentencePiece is given it: a typed ▁, which it takes for a space, as U+FDD0.

    Unicode will never make a character of that code: it is kept for such inner use. One that is in a text all the same
    becomes U+FFFD.
    """
    return text.replace(HIDDEN_MARK, "\ufffd").replace(MARK, HIDDEN_MARK)


def count_words(sentences: Iterable[str]) -> Counter[str]:
    """How often each word is in normalised sentences: what stands between spaces."""
    return Counter(word for sentence in sentences for word in sentence.split(" ") if word)


class SubwordModel:
    """One SentencePiece model; RuntimeError if the bytes are none."""

    def __init__(self, serialized: bytes) -> None:
        if not serialized:
            raise RuntimeError("no bytes")
        self.serialized = serialized
        self.processor = sentencepiece.SentencePieceProcessor(model_proto=serialized)
        self.unknown: int = self.processor.unk_id()

    def __len__(self) -> int:
        return int(self.processor.get_piece_size())

    @classmethod
    def learn(
        cls, words: Mapping[str, int], *, kind: Kind, size: int, control_symbols: Sequence[str] = ()
    ) -> SubwordModel:
        """Learn `size` pieces from words and how often each is there.

        The size is exact for BPE, and the most for unigram. VocabularySizeError if it cannot be, DataError without text.
        """
        written = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=(
                    f"{hide_mark(word).replace(RESERVED, ' ')}\t{count}"
                    for word, count in Counter(words).most_common(MOST_WORDS)
                ),
                input_format="tsv",
                model_writer=written,
                model_type=kind,
                vocab_size=max(size, UNKNOWN + 1),  # of less, SentencePiece says nothing that helps
                hard_vocab_limit=kind == "bpe",
                character_coverage=0.9995,
                byte_fallback=True,
                split_digits=True,
                normalization_rule_name="identity",
                control_symbols=list(control_symbols),
                max_sentence_length=1 << 20,
                input_sentence_size=0,
                shuffle_input_sentence=False,
                num_threads=4,  # part of the result: its sums are added in this order
                pad_id=PAD,
                bos_id=START,
                eos_id=END,
                unk_id=UNKNOWN,
                minloglevel=2,
            )
        except RuntimeError as error:
            raise _explain(error, size) from None
        return cls(written.getvalue())

    @classmethod
    def load(cls, path: Path) -> SubwordModel:
        """Read a model file; a missing or damaged one is a ModelFolderError."""
        try:
            return cls(path.read_bytes())
        except (OSError, RuntimeError) as error:
            why = error.strerror if isinstance(error, OSError) else ""
            what = f"cannot be read ({why})" if why else "is not a SentencePiece model"
            raise ModelFolderError(what, "copy the folder again", path=path) from None

    @cached_property
    def kind(self) -> Kind:
        """Which algorithm segments words."""
        try:
            self.processor.nbest_encode("a", nbest_size=2)
        except RuntimeError:  # only unigram models can list their n best
            return "bpe"
        return "unigram"

    @cached_property
    def written(self) -> dict[str, int]:
        """Piece -> id of all that text is written with: neither control symbols nor bytes."""
        processor, ids = self.processor, range(len(self))
        unwritten = (processor.is_control, processor.is_unknown, processor.is_byte)
        return {processor.id_to_piece(i): i for i in ids if not any(kind(i) for kind in unwritten)}

    def encode(self, text: str) -> list[int]:
        """Ids of a text, without end token."""
        ids: list[int] = self.processor.encode(hide_mark(normalize(text)))
        return ids

    def encode_within(self, text: str) -> list[int]:
        """Ids of a text within a word, or within a sentence of a language without spaces: no space comes before it."""
        before: list[int] = self.processor.encode(UNSPOKEN)
        ids: list[int] = self.processor.encode(UNSPOKEN + hide_mark(normalize(text)))
        return ids[len(before) :]

    def knows_better(self, word: str, other: str) -> bool:
        """Whether a word is a piece of its own, and another is none or, by a unigram model, far less likely."""
        ids, others = self.encode(word), self.encode(other)
        if len(others) > 1 or len(ids) > 1:
            return len(ids) == 1
        likelihoods = [self.processor.get_score(*each) for each in (ids, others)]
        return self.kind == "unigram" and likelihoods[0] > likelihoods[1] + FAR

    @cached_property
    def unwritten(self) -> frozenset[int]:
        """The ids of what has no piece: unknown, or the bytes that spell it."""
        is_byte = self.processor.is_byte
        return frozenset(number for number in range(len(self)) if number == self.unknown or is_byte(number))

    @cached_property
    def scripts(self) -> frozenset[str]:
        """The scripts that any piece is written in."""
        return frozenset(count_scripts("".join(self.written)))

    def unread(self, text: str, ids: Sequence[int]) -> list[str]:
        """What of a text (and its ids) is unknown, or spelled in bytes and of a script that no piece is written in."""
        if self.unwritten.isdisjoint(ids):
            return []
        number = self.processor.piece_to_id
        parts = [(number(piece), text[start:end]) for piece, start, end in self.spans(text)]
        spelled = {part for id, part in parts if id in self.unwritten and id != self.unknown}
        strange = {part for part in spelled if not self.scripts.issuperset(count_scripts(part))}
        letters = "".join(strange | {part for id, part in parts if id == self.unknown})
        return list(dict.fromkeys(re.findall(f"[{re.escape(letters)}]+", text))) if letters else []

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids; special ids are silent, and bytes that make no character become U+FFFD."""
        text: str = self.processor.decode([i for i in ids if i != self.unknown])
        return text.replace(HIDDEN_MARK, MARK)

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """The written form of each id, as SentencePiece shows it (a leading ▁ is a space)."""
        pieces: list[str] = self.processor.id_to_piece(list(ids))
        return pieces

    def spans(self, text: str) -> list[Span]:
        """Each token with the characters of `text`, as it was given, that it stands for."""
        normalized, origin = normalize_with_spans(text)
        found = self.processor.encode(hide_mark(normalized), return_type="offset_mapping")
        spans = []
        for piece, (begin, end) in zip(found["pieces"], found["offsets"], strict=True):
            covered = origin[begin:end]
            if covered:
                spans.append(Span(piece, covered[0][0], covered[-1][1]))
            else:  # a space that was not typed, or the bytes of a character before its last
                at = origin[begin][0] if begin < len(origin) else len(text)
                spans.append(Span(piece, at, at))
        return spans


@dataclass(frozen=True)
class Tokenizer:
    """The subword models of source and target (one and the same if joint) and the tags of a model of several directions."""

    source: SubwordModel
    target: SubwordModel
    tags: tuple[str, ...] = ()
    """Control symbols: <2ko> before the source where one model serves several directions, <back> for a text of a mix."""

    @property
    def joint(self) -> bool:
        """Whether source and target share one vocabulary."""
        return self.source is self.target

    @property
    def vocabulary(self) -> Vocabulary:
        """Sizes and special ids, all that a network knows."""
        special = self.target.processor
        return Vocabulary(
            source_size=len(self.source), target_size=len(self.target),
            pad=special.pad_id(), start=special.bos_id(), end=special.eos_id(),
        )  # fmt: skip

    def tag_id(self, target_language: str) -> int:
        """Id of the tag that asks for a language; a LanguageError where the model does not have it."""
        tag = direction_tag(target_language)
        if tag not in self.tags:
            known = ", ".join(t[2:-1] for t in self.tags if t.startswith("<2"))
            raise LanguageError(f"this model cannot translate to {target_language!r}", f"it knows: {known}")
        return self.source.processor.piece_to_id(tag)

    def prefix(self, target_language: str = "", tag: str = "") -> list[int]:
        """What begins a source: the tag of a language, only where the model has several directions, then that of a text.

        LanguageError for a language and ConfigError for a text that the model has no tag of.
        """
        texts = [known[1:-1] for known in self.tags if not known.startswith("<2")]
        if tag and tag not in texts:
            raise ConfigError(f"this model has no tag {tag!r}", f"it knows: {', '.join(texts) or 'none'}")
        direction = [self.tag_id(target_language)] if len(texts) < len(self.tags) else []
        return direction + [self.source.processor.piece_to_id(f"<{tag}>")] * bool(tag)

    def encode_source(self, text: str, target_language: str = "", tag: str = "") -> list[int]:
        """[tags] words [end], with the tags of `prefix`."""
        return [*self.prefix(target_language, tag), *self.source.encode(text), self.source.processor.eos_id()]

    def encode_target(self, text: str) -> list[int]:
        """Words [end]."""
        return [*self.target.encode(text), self.target.processor.eos_id()]

    def save(self, folder: Path) -> None:
        """Write tokenizer.model, or source.model and target.model."""
        sides = {"tokenizer": self.source} if self.joint else {"source": self.source, "target": self.target}
        for name, side in sides.items():
            (folder / f"{name}.model").write_bytes(side.serialized)

    @classmethod
    def load(cls, folder: Path, tags: Sequence[str] = ()) -> Tokenizer:
        """Read what `save` wrote; missing or damaged files and tags that they do not know are a ModelFolderError."""
        if (folder / "source.model").exists():
            source, target = (SubwordModel.load(folder / f"{side}.model") for side in ("source", "target"))
        else:
            source = target = SubwordModel.load(folder / "tokenizer.model")
        if strange := [tag for tag in tags if source.processor.piece_to_id(tag) == source.unknown]:
            what = f"its tokenizer has no tag {strange[0]}"
            raise ModelFolderError(what, "copy the folder again", path=folder)
        return cls(source, target, tuple(tags))


def choose_vocabulary_size(pairs: int, distinct_words: int) -> int:
    """Pieces for a corpus: 40 times the root of its pairs, no more than its distinct words, within 1,000 to 32,000.

    Gives 6,800 for 29 thousand pairs, 20,000 for 250 thousand, 32,000 from 640 thousand on.
    """
    wanted = min(round(40 * pairs**0.5), distinct_words)
    return max(1000, min(32_000, wanted // 8 * 8))


def _explain(error: RuntimeError, size: int) -> Exception:
    message = str(error)
    for pattern, what, change in (
        (r"value <= (\d+)", "is more pieces than this text can give", "less"),
        (r"required_chars\. \d+ vs (\d+)", "does not hold this text's characters", "more"),
    ):
        if found := re.search(pattern, message):
            what, remedy = f"data.vocabulary_size = {size} {what}", f"set it to {found[1]} or {change}"
            return VocabularySizeError(what, remedy, int(found[1]))
    if "sentences_.empty()" in message:
        return DataError("there is no text to learn a tokenizer from", "check the files")
    return ConfigError(
        f"the tokenizer could not be learned: {message}", "check data.vocabulary_size and the text"
    )
