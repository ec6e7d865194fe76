"""From parallel text to a folder of shards: one process reads and writes, the others clean, split and segment.

Each sentence becomes a row of word numbers; the tokenizer, learned from a sample of the text, sees each distinct word once.
What comes out depends neither on how many processes there are nor on where one was killed: the same command goes on.

In memory are a few chunks of text, the distinct words, and 8 bytes for each pair, by which one that comes again is known.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onmal.cleaning.filters import Duplicate
from onmal.config import DataConfig
from onmal.data.pair import Pair
from onmal.data.prepare import learn_from_words, tags_of
from onmal.data.shards import HELD_OUT, LATER, SIDES, column, stored_text, tokenizer_sha256
from onmal.data.shuffle import shuffled
from onmal.errors import ConfigError, DataError
from onmal.preparing.chunks import Chunk, Seen, fingerprint, read_chunk
from onmal.preparing.processes import Work, in_processes
from onmal.preparing.store import Store, open_store
from onmal.processor import cores
from onmal.text.subword_sampling import WordTable
from onmal.text.tokenizer import SubwordModel, Tokenizer
from onmal.writing import open_whole

__all__ = ["prepare_shards"]

CHUNK = 1 << 15
"""Pairs that a process is given at a time; part of the result, as the fingerprint is taken chunk by chunk."""
BLOCK = 1 << 10
"""Distinct words that a process segments at a time."""
COMMIT_EVERY = 16
"""Chunks or blocks after which what is written counts."""
SAMPLE = 200_000
"""Pairs that the tokenizer is learned from, at most."""
SEED = 0
"""Of that sample, and of what is held out."""

Numbers = NDArray[np.int64]


def prepare_shards(
    texts: Sequence[Iterable[Pair]],
    data: DataConfig,
    folder: str | Path,
    *,
    processes: int = 0,
    note: Callable[[str], None] = lambda text: None,
    progress: Callable[[int], None] = lambda done: None,
) -> dict[str, Any]:
    """Write the training text of `data`, the pairs of one text or more, to a folder, or go on where this was cut off.

    Returns the manifest.

    `processes` 0 takes all cores; `progress` is told how many pairs have been read. DataError for a folder that holds
    something else, or that another process prepares; ConfigError for one that was begun with other text or settings.
    """
    tags_of(data)  # refuses settings that contradict each other before the long work begins
    folder = Path(folder)
    settings = {"data": data.model_dump(exclude=LATER), "sources": _sources(data)}
    try:
        with open_store(folder, settings) as store, in_processes(processes or cores()) as work:
            words = _store_text(store, texts, data, work, progress)
            tokenizer = _store_tokenizer(store, data, words, note)
            for side, model, distinct in zip(SIDES, (tokenizer.source, tokenizer.target), words, strict=True):
                note(f"segmenting {len(distinct):,} distinct words of the {side} side ...")
                _store_table(store, side, distinct, model, data.subword_sampling, work)
            state = store.state
            lengths = stored_text(folder, data, tokenizer, state, None).lengths
            facts = {name: importlib.metadata.version(name) for name in ("onmal", "sentencepiece", "numpy")}
            facts |= {name: state[name] for name in FACTS}
            return store.finish({**facts, "lengths": lengths._asdict(), **settings}, ".".join(DIGESTS))
    except OSError as error:
        what = f"cannot be written ({error.strerror or error})"
        raise DataError(what, f"free some space; {GO_ON}", path=folder) from None
    except BrokenProcessPool:
        raise DataError(
            "a process was ended from outside", f"free some memory; {GO_ON}", path=folder
        ) from None


GO_ON = "the same command goes on where this one stopped"
FACTS = ("read", "pairs", "rows", "removed", "held_out", "sha256", "tokenizer_sha256")
DIGESTS = ("pairs", "digests")


def _sources(data: DataConfig) -> list[dict[str, Any]]:
    sources: list[dict[str, Any]] = []
    for text in data.texts:
        for name in text.train:
            size = {"bytes": Path(name).stat().st_size} if Path(name).is_file() and not text.corpus else {}
            sources.append({"name": f"{text.corpus} {name}".strip(), **size})
    return sources


# Text -> word numbers


def _store_text(
    store: Store,
    texts: Sequence[Iterable[Pair]],
    data: DataConfig,
    work: Work,
    progress: Callable[[int], None],
) -> list[list[str]]:
    """Write the words of all pairs and their numbers; returns the distinct words of each side."""
    state = store.state
    if "read" not in state:
        for side in SIDES:
            store.append(side, "offsets", np.zeros(1))
        state |= {"read": 0, "pairs": 0, "removed": {}, "sha256": "", "complete": False}
        state["texts"] = [{"read": 0, "pairs": 0, "text": ""} for _ in texts]
    numbers = [
        dict(zip(words, range(len(words)), strict=True)) for words in map(partial(_vocabulary, store), SIDES)
    ]
    if not state["complete"]:
        ends = [store.length(side, "words") for side in SIDES]
        read = partial(read_chunk, (data.source_language, data.target_language), data.clean)
        for number, (pairs, text) in enumerate(zip(texts, state["texts"], strict=True)):
            seen = Seen() if data.clean else None  # of this text: another may well have the same pairs
            if seen and text["pairs"]:
                first = sum(before["pairs"] for before in state["texts"][:number])
                seen.add(column(store.folder, *DIGESTS)[first : first + text["pairs"]])
            pairs = islice(pairs, data.max_pairs or None)
            _pass_over(pairs, text, store.folder)
            for done, chunk in enumerate(work(read, _chunks(pairs)), 1):
                _store_chunk(store, chunk, text, seen, numbers, ends)
                if done % COMMIT_EVERY == 0:
                    store.commit()
                progress(state["read"])
        state["complete"] = True
        store.commit()
    return [list(known) for known in numbers]


def _pass_over(pairs: Iterator[Pair], text: Mapping[str, Any], folder: Path) -> None:
    """Read again what is stored already: standard input, too, begins anew. ConfigError if it is other text."""
    found = ""
    for chunk in _chunks(islice(pairs, text["read"])):
        found = _chained(found, fingerprint(chunk))
    if found != text["text"]:
        remedy = "give the same text from its beginning; or choose another --out, or remove it"
        raise ConfigError("was begun with other text", remedy, path=folder)


def _chained(before: str, digest: str) -> str:
    return hashlib.blake2b((before + digest).encode(), digest_size=16).hexdigest()


def _vocabulary(store: Store, side: str) -> list[str]:
    path = store.folder / f"{side}.vocabulary"
    return path.read_bytes().decode().split("\n")[:-1] if path.name in store.sizes else []


def _chunks(pairs: Iterator[Pair]) -> Iterator[tuple[list[str], list[str]]]:
    while chunk := list(islice(pairs, CHUNK)):
        yield [pair.source for pair in chunk], [pair.target for pair in chunk]


def _store_chunk(
    store: Store,
    chunk: Chunk,
    text: dict[str, Any],
    seen: Seen | None,
    numbers: list[dict[str, int]],
    ends: list[int],
) -> None:
    state, removed = store.state, dict(chunk.removed)
    fresh = np.ones(len(chunk.sides[0][2]), bool)
    if seen:
        fresh = seen.add(chunk.digests)
        removed[Duplicate.name] = int((~fresh).sum())
        store.append(*DIGESTS, chunk.digests[fresh])
    digest = hashlib.sha256(state["sha256"].encode())
    for index, (words, found, counts) in enumerate(chunk.sides):
        known, before = numbers[index], len(numbers[index])
        mapping = np.array([known.setdefault(word, len(known)) for word in words], np.int32)
        # A pair that came before has no new words.
        new = "".join(
            f"{word}\n" for word, number in zip(words, mapping.tolist(), strict=True) if number >= before
        )
        rows = mapping[found[np.repeat(fresh, counts)]]
        offsets = ends[index] + np.cumsum(counts[fresh])
        ends[index] += len(rows)
        for name, content in (("vocabulary", new.encode()), ("words", rows), ("offsets", offsets)):
            store.append(SIDES[index], name, content)
        digest.update(b"".join((new.encode(), rows.astype("<i4").tobytes(), offsets.astype("<i8").tobytes())))
    state["sha256"] = digest.hexdigest()
    text["text"] = _chained(text["text"], chunk.fingerprint)
    for tally in (state, text):
        tally["read"] += chunk.read
        tally["pairs"] += int(fresh.sum())
    state["removed"] = {name: state["removed"].get(name, 0) + count for name, count in removed.items()}


# Words -> segmentations


def _store_tokenizer(
    store: Store, data: DataConfig, words: list[list[str]], note: Callable[[str], None]
) -> Tokenizer:
    """Learn the tokenizer from a sample of the text, and hold out validation text if `data` names none."""
    state = store.state
    if "tokenizer_sha256" in state:
        return Tokenizer.load(store.folder, tags_of(data))
    total, sizes = state["pairs"], [text["pairs"] for text in state["texts"]]
    held = 0 if data.valid else min(data.valid_size, sizes[0] // 10)
    held_out = np.sort(shuffled(sizes[0], SEED, 0, np.arange(held)))
    sample = np.setdiff1d(shuffled(total, SEED, 0, np.arange(min(total, held + SAMPLE))), held_out)
    if not len(sample) or not (held or data.valid):
        taken = ", ".join(f"{name} {count:,}" for name, count in state["removed"].items() if count)
        what = f"{total:,} sentence pairs are too few" + (f" (removed before: {taken})" if taken else "")
        raise DataError(what, "look at the text with: onmal doctor")
    for text, size in zip(data.texts, sizes, strict=True):
        if not size:
            raise DataError(
                f"no sentence pair of {text.names} is left", "look at the text with: onmal doctor"
            )
    note(f"learning the tokenizer from {len(sample):,} pairs ...")
    source, target = (_count(store, side, words[n], sample) for n, side in enumerate(SIDES))
    tokenizer = learn_from_words(source, target, data, pairs=total - held)
    tokenizer.save(store.folder)
    if held:
        with open_whole(store.folder / HELD_OUT) as file:
            file.writelines(f"{pair.source}\t{pair.target}\n" for pair in _pairs(store, words, held_out))
    state |= {"held_out": held_out.tolist(), "rows": [sizes[0] - held, *sizes[1:]]}
    state["tokenizer_sha256"] = tokenizer_sha256(tokenizer)
    models = ["tokenizer.model"] if tokenizer.joint else ["source.model", "target.model"]
    store.commit(*models, *([HELD_OUT] if held else []))
    return tokenizer


def _pairs(store: Store, words: list[list[str]], rows: Numbers) -> list[Pair]:
    """Rows of the text as normalised sentences."""
    sides = []
    for side, distinct in zip(SIDES, words, strict=True):
        numbers, offsets = (column(store.folder, side, name) for name in ("words", "offsets"))
        spans = zip(offsets[rows].tolist(), offsets[rows + 1].tolist(), strict=True)
        sides.append([" ".join(map(distinct.__getitem__, numbers[a:b].tolist())) for a, b in spans])
    return list(map(Pair, *sides))


def _count(store: Store, side: str, words: Sequence[str], rows: Numbers) -> Counter[str]:
    """How often each word is in some rows of a side."""
    numbers, offsets = (column(store.folder, side, name) for name in ("words", "offsets"))
    counts = np.zeros(len(words), np.int64)
    for first in range(0, len(rows), CHUNK):
        some = rows[first : first + CHUNK]
        spans = zip(offsets[some].tolist(), offsets[some + 1].tolist(), strict=True)
        counts += np.bincount(np.concatenate([numbers[a:b] for a, b in spans]), minlength=len(words))
    return Counter({word: count for word, count in zip(words, counts.tolist(), strict=True) if count})


def _store_table(
    store: Store, side: str, words: Sequence[str], model: SubwordModel, strength: float, work: Work
) -> None:
    """Write the table of a side's distinct words, or the rest of it."""
    if not store.length(side, "first"):
        for name in ("starts", "first"):
            store.append(side, name, np.zeros(1))
        store.commit()
    done, candidates, pieces = (store.length(side, name) for name in ("first", "shares", "pieces"))
    blocks = (words[start : start + BLOCK] for start in range(done - 1, len(words), BLOCK))
    for number, table in enumerate(work(partial(_segment, model.serialized, strength), blocks), 1):
        store.append(side, "pieces", table.pieces)
        store.append(side, "starts", pieces + table.starts[1:])
        store.append(side, "first", candidates + table.first[1:])
        store.append(side, "shares", table.shares)
        candidates, pieces = candidates + len(table.shares), pieces + len(table.pieces)
        if number % COMMIT_EVERY == 0:
            store.commit()
    store.commit()


def _segment(serialized: bytes, strength: float, words: Sequence[str]) -> WordTable:
    return WordTable.build(_model(serialized), words, strength)


@cache
def _model(serialized: bytes) -> SubwordModel:
    return SubwordModel(serialized)
