"""The tokenizer of a MarianMT checkpoint as onmal's, and back.

Marian's two SentencePiece models only cut text into pieces; vocab.json numbers them. onmal numbers pieces by their place in the model.
So each model gets the pieces of vocab.json in its order: those that it does not know itself are there without being used.

`>>fra<<` before a source asks Marian for a language, as `<2fr>` asks onmal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from onmal.errors import LanguageError, MissingExtraError, ModelFolderError
from onmal.saved_model import read_json, write_json
from onmal.text.language import canonical, direction_tag
from onmal.text.tokenizer import SubwordModel, Tokenizer

__all__ = ["Names", "read_tokenizer", "tag_names", "write_tokenizer"]

Names = Mapping[str, str]
"""onmal's tag -> Marian's name of it: {"<2fr>": ">>fra<<"}."""

UNKNOWN, END, PAD = "<unk>", "</s>", "<pad>"
LANGUAGE = re.compile(r">>[^\s<>]+<<")
SURROGATE = re.compile("[\ud800-\udfff]")  # half a character, which no text has


def read_tokenizer(folder: Path, config: Mapping[str, Any]) -> tuple[Tokenizer, Names]:
    """The tokenizer of a checkpoint, and what its tags are called there. Raises ModelFolderError."""
    shared = not (folder / "target_vocab.json").exists()
    vocabulary_files = ["vocab.json"] * 2 if shared else ["vocab.json", "target_vocab.json"]
    sizes = config["vocab_size"], config["decoder_vocab_size"]
    names: Names = {}
    sides = []
    for side, file, size in zip(("source", "target"), vocabulary_files, sizes, strict=True):
        pieces = _numbered(folder / file, size)
        for key, name in (("eos_token_id", END), ("pad_token_id", PAD)):
            if pieces[config[key]] != name:
                what = f"has {pieces[config[key]]!r} and not {name} as number {config[key]}, which is config.json's {key}"
                raise ModelFolderError(what, "copy both again", path=folder / file)
        names = tag_names(pieces) if side == "source" else names  # sources ask by them
        tags = {name: tag for tag, name in names.items()}
        start = pieces[config["decoder_start_token_id"]]
        pieces = [tags.get(piece, piece) for piece in pieces]
        sides.append(_arranged(folder / f"{side}.spm", pieces, {start, END, PAD, *names}, start))
    try:
        source, target = (SubwordModel(serialized) for serialized in sides)
    except RuntimeError as error:
        what = f"has pieces that make no SentencePiece model ({error})"
        raise ModelFolderError(what, "copy it again", path=folder) from None
    return Tokenizer(source, source if sides[0] == sides[1] else target, tuple(names)), names


def write_tokenizer(
    tokenizer: Tokenizer, names: Names, directions: Sequence[tuple[str, str]], folder: Path
) -> None:
    """Write source.spm, target.spm, vocab.json, and target_vocab.json where each side has its own vocabulary.

    tokenizer_config.json says the language of a side that has but one.
    """
    sides = tokenizer.source, tokenizer.target
    languages = [tag for tag in tokenizer.tags if tag.startswith("<2")]
    names = {tag: f">>{tag[2:-1]}<<" for tag in languages} | dict(names)
    numbered = [
        {names.get(piece, piece): number for number, piece in enumerate(side.pieces(range(len(side))))}
        for side in sides
    ]
    separate = numbered[0] != numbered[1]
    for name, side in zip(("source.spm", "target.spm"), sides, strict=True):
        (folder / name).write_bytes(side.serialized)
    write_json(folder / "vocab.json", numbered[0])
    if separate:
        write_json(folder / "target_vocab.json", numbered[1])
    special = {"unk_token": UNKNOWN, "eos_token": END, "pad_token": PAD}
    settings: dict[str, Any] = {"tokenizer_class": "MarianTokenizer", "separate_vocabs": separate, **special}
    for number, which in enumerate(("source_lang", "target_lang")):
        spoken = {direction[number] for direction in directions}
        if len(spoken) == 1:
            settings[which] = spoken.pop()
    write_json(folder / "tokenizer_config.json", settings)


def tag_names(pieces: Iterable[str]) -> dict[str, str]:
    """onmal's tag of each of Marian's languages; of two that mean the same, as >>cmn<< and >>zho<<, the shorter name's."""
    names: dict[str, str] = {}
    for name in sorted(filter(LANGUAGE.fullmatch, pieces), key=lambda name: (len(name), name)):
        code = name[2:-2]
        for spelled in (code, "x-" + re.sub("[^a-z0-9]", "", code.lower())[:8]):
            try:
                names.setdefault(direction_tag(canonical(spelled)), name)
                break
            except LanguageError:
                continue
    return names


def _numbered(path: Path, size: int) -> list[str]:
    """The piece of each number; a number that none has gets a name that no text has."""
    values = read_json(path)
    pieces = [f"<unused {number}>" for number in range(size)]
    for piece, number in values.items():
        if not isinstance(number, int) or not piece or SURROGATE.search(piece):
            raise ModelFolderError(f"gives {piece!r} the number {number!r}", "copy it again", path=path)
        if not 0 <= number < size:
            what = f"has {piece!r} as number {number}, and the network only {size} words"
            raise ModelFolderError(what, "copy vocab.json and config.json again", path=path)
        if not pieces[number].startswith("<unused"):
            what = f"gives {pieces[number]!r} and {piece!r} the same number {number}"
            raise ModelFolderError(what, "copy it again", path=path)
        pieces[number] = piece
    if UNKNOWN not in values:
        raise ModelFolderError(f"has no {UNKNOWN}", "copy it again", path=path)
    return pieces


def _arranged(path: Path, pieces: Sequence[str], controls: set[str], start: str) -> bytes:
    """The SentencePiece model at `path` with these pieces in this order, cutting text as before.

    A piece of its own that is not among them goes: then the word is written with smaller ones, where Marian's would say <unk>.
    """
    try:
        from sentencepiece import sentencepiece_model_pb2
    except ImportError:
        raise MissingExtraError("protobuf", "interop", "a tokenizer of Marian") from None
    schema: Any = sentencepiece_model_pb2  # made when imported: its names are not known before
    ModelProto = schema.ModelProto
    model = ModelProto.FromString(SubwordModel.load(path).serialized)
    kinds = ModelProto.SentencePiece
    known = {piece.piece: (piece.score, piece.type) for piece in model.pieces}
    if model.trainer_spec.model_type == model.trainer_spec.BPE:
        own = {piece for piece, (_, kind) in known.items() if kind == kinds.NORMAL}
        parts = {
            piece[i:j]
            for piece in own & set(pieces)
            for i in range(len(piece))
            for j in range(i + 2, len(piece) + 1)
        }
        if lost := parts & own - set(pieces):
            what = f"has pieces that BPE makes longer ones of, and the vocabulary has not: {', '.join(sorted(lost)[:3])}"
            raise ModelFolderError(what, "give a checkpoint whose vocab.json has every piece", path=path)
    lowest = min(score for score, _ in known.values())
    bytes_ = {piece for piece, (_, kind) in known.items() if kind == kinds.BYTE}
    model.trainer_spec.byte_fallback = len(bytes_.intersection(pieces)) == 256
    del model.pieces[:]
    for piece in pieces:
        score, kind = known.get(piece, (lowest, kinds.UNUSED))
        if piece == UNKNOWN:
            kind = kinds.UNKNOWN
        elif piece in controls:
            kind = kinds.CONTROL
        elif kind == kinds.UNKNOWN or (kind == kinds.BYTE and not model.trainer_spec.byte_fallback):
            kind = kinds.UNUSED
        model.pieces.add(piece=piece, score=score, type=kind)
    special = model.trainer_spec
    special.vocab_size = len(pieces)
    special.unk_piece, special.eos_piece, special.pad_piece, special.bos_piece = UNKNOWN, END, PAD, start
    special.unk_id, special.eos_id, special.pad_id, special.bos_id = map(
        pieces.index, (UNKNOWN, END, PAD, start)
    )
    model.DiscardUnknownFields()
    return bytes(model.SerializeToString(deterministic=True))
