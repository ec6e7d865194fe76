"""batching: each pair once an epoch, in an order that seed and epoch decide, within the budget, in rows as promised."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from onmal.data import batching
from onmal.data.batching import Batch, EncodedSide, Lengths, Pool, TrainingText, budget_cuts, pad_rows
from onmal.data.shuffle import Mix
from onmal.text.subword_sampling import WordTable

PAD, START, END, FIRST, WORDS = 0, 1, 2, 10, 30  # words have the ids from FIRST on
Rows = Sequence[tuple[Sequence[int], Sequence[int]]]


def encoded(sentences: Sequence[Sequence[int]], table: WordTable) -> EncodedSide:
    words = np.array([id - FIRST for sentence in sentences for id in sentence], np.int32)
    offsets = np.concatenate(([0], np.cumsum([len(sentence) for sentence in sentences]))).astype(np.int64)
    return EncodedSide(table, words, offsets)


ONE_PIECE_EACH = WordTable(
    np.arange(FIRST, FIRST + WORDS, dtype=np.int32),
    np.arange(WORDS + 1),
    np.arange(WORDS + 1),
    np.ones(WORDS),
)


def text_of(rows: Rows, *, tags: Sequence[Sequence[int]] = ((),), max_length: int = 1000) -> TrainingText:
    """Sentence pairs of which each word is one piece."""
    return TrainingText(
        encoded([source for source, _ in rows], ONE_PIECE_EACH),
        encoded([target for _, target in rows], ONE_PIECE_EACH),
        tags,
        sampled=False,
        max_length=max_length,
    )


def epoch_of(text: TrainingText, seed: int = 1, epoch: int = 0, batch_tokens: int = 64) -> Pool:
    return text.pool(seed, epoch, 0, batch_tokens, start=START, end=END, pad=PAD)


def random_rows(count: int, longest: int = 20) -> Rows:
    random = np.random.default_rng(count)
    return [
        tuple(random.integers(FIRST, FIRST + WORDS, random.integers(0, longest)).tolist() for _ in range(2))
        for _ in range(count)
    ]


def order_of(epoch: Pool) -> list[list[int]]:
    return [batch.pairs.tolist() for batch in epoch]


SENTENCE = st.lists(st.integers(FIRST, FIRST + WORDS - 1), max_size=12)
ROWS = st.lists(st.tuples(SENTENCE, SENTENCE), max_size=40)


@settings(max_examples=200)
@given(
    ROWS, st.integers(2, 14), st.integers(1, 60), st.sampled_from([[[]], [[3]], [[3], [4]]]),
    st.integers(0, 2**62), st.integers(0, 99),
)  # fmt: skip
def test_every_pair_that_fits_is_there_once_in_the_right_rows_within_the_budget(
    rows: Rows, max_length: int, budget: int, tags: list[list[int]], seed: int, number: int
) -> None:
    text = text_of(rows, tags=tags, max_length=max_length)
    both_ways = [*rows, *((target, source) for source, target in rows)][: len(tags) * len(rows)]
    sources = [[*tags[n // len(rows)], *source, END] for n, (source, _) in enumerate(both_ways)]
    targets = [[START, *target, END] for _, target in both_ways]
    assert len(text) == len(both_ways)
    fitting = [n for n in range(len(text)) if max(len(sources[n]), len(targets[n]) - 1) <= max_length]
    batches = list(epoch_of(text, seed, number, budget))
    assert sorted(n for batch in batches for n in batch.pairs.tolist()) == fitting
    for batch in batches:
        assert batch.source.tolist() == pad_rows([sources[n] for n in batch.pairs], PAD).tolist()
        assert batch.target.tolist() == pad_rows([targets[n] for n in batch.pairs], PAD).tolist()
        assert batch.lengths.tolist() == [len(targets[n]) - 1 for n in batch.pairs]
        assert batch.target_tokens == batch.lengths.sum()
        longest = max(batch.source.shape[1], batch.target.shape[1] - 1)
        assert longest * len(batch.pairs) <= budget or len(batch.pairs) == 1
    assert text.lengths.left_out == len(both_ways) - len(fitting)
    assert text.longest() == {
        "source": max((len(sources[n]) for n in fitting), default=0),
        "target": max((len(targets[n]) - 1 for n in fitting), default=0),
    }


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30))), st.integers(1, 100))
def test_a_batch_ends_only_where_the_next_sentence_would_break_the_budget(
    lengths: list[tuple[int, int]], budget: int
) -> None:
    longer = [max(pair) for pair in lengths]
    cuts = budget_cuts(np.array([s for s, _ in lengths]), np.array([t for _, t in lengths]), budget)
    assert cuts[0] == 0
    assert cuts[-1] == len(lengths)
    assert all(first < last for first, last in pairwise(cuts))
    for first, last in pairwise(cuts):
        assert max(longer[first:last]) * (last - first) <= budget or last - first == 1
        if last < len(lengths):
            assert max(longer[first : last + 1]) * (last + 1 - first) > budget


def test_sentences_of_like_length_are_together() -> None:
    text = text_of(random_rows(500))
    for batch in epoch_of(text, batch_tokens=200):
        assert batch.lengths.max() - batch.lengths.min() <= 2
    padded = sum(batch.target[:, 1:].numel() for batch in epoch_of(text, batch_tokens=200))
    assert sum(batch.target_tokens for batch in epoch_of(text, batch_tokens=200)) > 0.95 * padded


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    text = text_of(random_rows(300))
    found = {(seed, epoch): order_of(epoch_of(text, seed, epoch)) for seed in (1, 2) for epoch in (0, 1, 2)}
    np.random.seed(99)
    torch.manual_seed(99)
    again = text_of(random_rows(300))
    assert all(order_of(epoch_of(again, *key)) == order for key, order in found.items())
    assert len({str(order) for order in found.values()}) == len(found)
    assert len({str(sorted(map(sorted, order))) for order in found.values()}) == len(found)  # other mates too


@pytest.mark.parametrize(("count", "pools"), [(0, 1), (1, 1), (50, 1), (51, 2), (230, 5)])
@pytest.mark.parametrize("tags", [[[]], [[3], [4]]])
def test_the_pools_of_an_epoch_share_out_all_pairs(
    count: int, pools: int, tags: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "POOL", 50 * len(tags))
    text = text_of(random_rows(count), tags=tags)
    assert text.pools == pools
    epochs = []
    for epoch in (0, 1):
        parts = [text.pool(1, epoch, n, 64, start=START, end=END, pad=PAD) for n in range(pools)]
        pairs = [sorted(n for batch in part for n in batch.pairs.tolist()) for part in parts]
        assert sorted(n for part in pairs for n in part) == list(range(len(tags) * count))
        assert max(map(len, pairs)) - min(map(len, pairs)) <= 1
        epochs.append(pairs)
    assert pools == 1 or epochs[0] != epochs[1]


def test_rows_that_are_held_out_are_never_there() -> None:
    rows, held_out = random_rows(60), [0, 7, 8, 9, 31, 59]
    whole = text_of(rows, tags=[[3], [4]])
    text = replace(whole, held_out=np.array(held_out))
    rest = text_of([row for n, row in enumerate(rows) if n not in held_out], tags=[[3], [4]])
    assert len(text) == len(rest) == 2 * 54
    assert text.lengths == rest.lengths
    for found, expected in zip(epoch_of(text), epoch_of(rest), strict=True):
        assert torch.equal(found.source, expected.source)
        assert torch.equal(found.target, expected.target)


def test_long_and_short_batches_are_mixed() -> None:
    batches = list(epoch_of(text_of(random_rows(500)), batch_tokens=100))
    halves = [batches[: len(batches) // 2], batches[len(batches) // 2 :]]
    means = [np.mean([batch.lengths.max() for batch in half]) for half in halves]
    assert abs(means[0] - means[1]) < 4


def test_any_batch_can_be_made_without_those_before_it() -> None:
    epoch = epoch_of(text_of(random_rows(100)))
    in_order = list(epoch)
    assert len(in_order) == len(epoch) > 5
    for number in reversed(range(len(epoch))):
        assert torch.equal(epoch[number].source, in_order[number].source)
        assert torch.equal(epoch[number].target, in_order[number].target)


def test_longest_counts_what_training_sees() -> None:
    rows = [([10] * 3, [10] * 9), ([10] * 8, [10] * 2), ([10] * 20, [10]), ([10], [10] * 20)]
    assert text_of(rows, max_length=10).longest() == {"source": 9, "target": 10}
    assert text_of(rows, max_length=9).longest() == {"source": 9, "target": 3}
    assert text_of(rows, max_length=9, tags=[[3]]).longest() == {"source": 0, "target": 0}
    assert text_of(rows, max_length=10, tags=[[3]]).longest() == {"source": 10, "target": 10}
    assert text_of(rows, max_length=10).longest()["target"] == max(
        int(batch.lengths.max()) for batch in epoch_of(text_of(rows, max_length=10))
    )


def test_nothing_that_fits_makes_no_batch() -> None:
    for text in (text_of([]), text_of([([10] * 9, [10])], max_length=5)):
        assert list(epoch_of(text)) == []
        assert text.longest() == {"source": 0, "target": 0}


# Word w is one piece, 100 + w, or two, 200 + w and 300 + w, with equal chances.
TWO_WAYS = WordTable(
    np.array([[100 + w, 200 + w, 300 + w] for w in range(WORDS)], np.int32).flatten(),
    np.array([[3 * w, 3 * w + 1] for w in range(WORDS)] + [[3 * WORDS, 0]]).flatten()[:-1],
    np.arange(WORDS + 1) * 2,
    np.array([0.5, 1.0] * WORDS),
)


def sampled_text(rows: Rows, max_length: int = 1000) -> TrainingText:
    sides = (encoded([row[side] for row in rows], TWO_WAYS) for side in (0, 1))
    return TrainingText(*sides, [[]], sampled=True, max_length=max_length)


def words_of(pieces: Sequence[int]) -> list[int]:
    return [FIRST + piece % 100 for piece in pieces if piece < 300]


def rows_by_pair(epoch: Pool) -> dict[int, tuple[list[int], list[int]]]:
    found = {}
    for batch in epoch:
        for n, source, target, length in zip(
            batch.pairs.tolist(),
            batch.source.tolist(),
            batch.target.tolist(),
            batch.lengths.tolist(),
            strict=True,
        ):
            found[n] = source[: source.index(END)], target[1:length]
    return found


def test_words_are_segmented_anew_each_epoch_and_the_same_way_again() -> None:
    rows = random_rows(200)
    epochs = [rows_by_pair(epoch_of(sampled_text(rows), 1, number)) for number in (0, 1, 0)]
    assert epochs[0] == epochs[2]
    assert epochs[0] != epochs[1]
    for found in epochs:
        assert {n: tuple(map(words_of, row)) for n, row in found.items()} == dict(enumerate(rows))
    pieces = [piece for source, target in epochs[0].values() for piece in (*source, *target)]
    split = sum(200 <= piece < 300 for piece in pieces) / sum(piece < 300 for piece in pieces)
    assert split == pytest.approx(0.5, abs=0.03)


def test_what_a_pair_becomes_depends_on_no_other_pair() -> None:
    rows = random_rows(100)
    every = rows_by_pair(epoch_of(sampled_text(rows), 5, 2, batch_tokens=500))
    some = rows_by_pair(epoch_of(sampled_text(rows[:40]), 5, 2, batch_tokens=50))
    assert some == {n: row for n, row in every.items() if n < 40}


def test_source_and_target_are_sampled_apart() -> None:
    same = [([w] * 12, [w] * 12) for w in range(FIRST, FIRST + WORDS)]
    found = rows_by_pair(epoch_of(sampled_text(same)))
    assert all(source != target for source, target in found.values())


def test_a_sampled_sentence_that_grows_too_long_waits_for_another_epoch() -> None:
    rows = [([w] * 4, [w] * 4) for w in range(FIRST, FIRST + WORDS)]
    text = sampled_text(rows, max_length=7)
    seen = [set(rows_by_pair(epoch_of(text, 1, number))) for number in range(30)]
    assert all(0 < len(pairs) < WORDS for pairs in seen)
    assert set().union(*seen) == set(range(WORDS))
    assert text.longest() == {"source": 5, "target": 5}


@given(st.lists(st.lists(st.integers(1, 2**40), max_size=6), min_size=1, max_size=6), st.integers(-1, 3))
def test_padded_rows(rows: list[list[int]], pad: int) -> None:
    padded = pad_rows(rows, pad)
    assert padded.dtype == torch.long
    assert padded.shape == (len(rows), max(map(len, rows)))
    for row, ids in zip(padded.tolist(), rows, strict=True):
        assert row == ids + [pad] * (len(row) - len(ids))


def test_a_batch_moves_as_one() -> None:
    batch: Batch = epoch_of(text_of(random_rows(20)))[0].to(torch.device("meta"))
    assert {batch.source.device.type, batch.target.device.type, batch.lengths.device.type} == {"meta"}


# Several texts


def batches_of(text: TrainingText, epochs: int = 2, seed: int = 1) -> Iterator[Batch]:
    for epoch in range(epochs):
        for number in range(text.pools):
            yield from text.pool(seed, epoch, number, 64, start=START, end=END, pad=PAD)


def same_batches(one: TrainingText, other: TrainingText) -> bool:
    return all(
        torch.equal(left.source, right.source)
        and torch.equal(left.target, right.target)
        and left.pairs.tolist() == right.pairs.tolist()
        for left, right in zip(batches_of(one), batches_of(other), strict=True)
    )


@pytest.mark.parametrize("tags", [[[]], [[3], [4]]])
@pytest.mark.parametrize("sampled", [False, True])
def test_texts_that_are_mixed_as_they_are_make_the_batches_of_one(
    tags: list[list[int]], sampled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "POOL", 50)
    rows = random_rows(120)
    one = replace(sampled_text(rows) if sampled else text_of(rows), tags=tags)
    mixed = replace(one, mix=Mix((30, 50, 40), (30, 50, 40), (-1, -1, -1)))
    assert same_batches(mixed, one)
    assert mixed.lengths == one.lengths


@settings(max_examples=50)
@given(
    st.lists(st.tuples(SENTENCE, SENTENCE), min_size=2, max_size=30), st.data(),
    st.sampled_from([[[]], [[3], [4]]]), st.integers(0, 2**62), st.integers(0, 9),
)  # fmt: skip
def test_a_text_of_a_mix_has_its_tag_after_that_of_the_direction(
    rows: Rows, data: st.DataObject, tags: list[list[int]], seed: int, number: int
) -> None:
    first = data.draw(st.integers(1, len(rows) - 1))
    drawn = data.draw(st.integers(0, len(rows)))
    sizes, counts = (first, len(rows) - first), (drawn, len(rows) - drawn)
    text = replace(text_of(rows, tags=tags), mix=Mix(sizes, counts, (-1, 5)))
    tagged = 0
    for batch in epoch_of(text, seed, number):
        expected = []
        for way, row in (divmod(pair, len(rows)) for pair in batch.pairs.tolist()):
            source, target = rows[row][::-1] if way else rows[row]
            own = [5] if row >= first else []
            tagged += len(own)
            expected.append(([*tags[way], *own, *source, END], [START, *target, END]))
        assert batch.source.tolist() == pad_rows([source for source, _ in expected], PAD).tolist()
        assert batch.target.tolist() == pad_rows([target for _, target in expected], PAD).tolist()
    assert tagged == len(tags) * counts[1]


def test_a_tag_counts_to_the_length() -> None:
    text = replace(text_of([([10] * 8, [10])] * 5, max_length=9), mix=Mix((3, 2), (3, 2), (-1, 5)))
    assert text.lengths == Lengths(9, 2, 2)
    assert sorted(n for batch in epoch_of(text) for n in batch.pairs.tolist()) == [0, 1, 2]


@pytest.mark.parametrize("tags", [[[]], [[3], [4]]])
def test_over_the_epochs_all_pairs_of_a_text_come_equally_often(
    tags: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "POOL", 70)
    text = replace(text_of(random_rows(100), tags=tags), mix=Mix((80, 20), (45, 55), (-1, 5)))
    for epochs in (1, 2, 5):
        pairs = np.concatenate([batch.pairs for batch in batches_of(text, epochs)])
        for way in np.bincount(pairs, minlength=len(tags) * 100).reshape(len(tags), 100):
            assert (way[:80].sum(), way[80:].sum()) == (45 * epochs, 55 * epochs)
            assert max(np.ptp(way[:80]), np.ptp(way[80:])) <= 1


def test_any_pool_of_a_mix_can_be_made_without_those_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a run goes on in the middle of an epoch, and all its processes see the same batches."""
    monkeypatch.setattr(batching, "POOL", 40)
    mix = Mix((70, 50), (20, 100), (-1, 5))
    places = [(epoch, number) for epoch in range(3) for number in range(3)]

    def pools(order: Sequence[tuple[int, int]]) -> dict[tuple[int, int], list[list[int]]]:
        text = replace(sampled_text(random_rows(120)), mix=mix)
        return {
            place: [
                batch.source.flatten().tolist() for batch in text.pool(7, *place, 64, start=1, end=2, pad=0)
            ]
            for place in order
        }

    found = pools(places)
    assert pools(places[::-1]) == found
    assert len({str(sorted(pool)) for pool in found.values()}) == len(places)


def test_a_pair_that_comes_again_in_an_epoch_is_segmented_anew() -> None:
    text = replace(
        sampled_text([([w] * 12, [w] * 12) for w in range(FIRST, FIRST + 20)]),
        mix=Mix((2, 18), (19, 1), (-1, -1)),
    )
    seen = [
        tuple(row)
        for batch in epoch_of(text)
        for row in batch.source.tolist()
        if words_of(row[:1]) <= [FIRST + 1]
    ]
    assert len(seen) == 19
    assert len(set(seen)) == 19


@pytest.mark.parametrize(
    ("tags", "held_out", "digest"),
    [([[]], [], "d9a581743fa94434"), ([[3], [4]], [0, 7, 8, 119], "b9e5c00ce4cac59a")],
)
def test_batches_are_those_of_earlier_versions(
    tags: list[list[int]], held_out: list[int], digest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or no run that was begun with one could be resumed."""
    monkeypatch.setattr(batching, "POOL", 90)
    text = replace(sampled_text(random_rows(120)), tags=tags, held_out=np.array(held_out, np.int64))
    found = hashlib.sha256()
    for batch in batches_of(text):
        rows = (batch.source.tolist(), batch.target.tolist(), batch.lengths.tolist(), batch.pairs.tolist())
        found.update(str(rows).encode())
    assert found.hexdigest()[:16] == digest
