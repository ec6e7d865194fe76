"""shuffle: every number once, in an order that looks random and that count, seed and epoch decide; texts by their shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onmal.data.shuffle import Mix, shuffled

COUNTS = [*range(70), 99, 100, 101, 1023, 1024, 1025, 4095, 4096, 4097, 30_011]
SEEDS = st.integers(0, 2**63 - 1)


def order(count: int, seed: int = 1, epoch: int = 0) -> list[int]:
    return shuffled(count, seed, epoch, np.arange(count)).tolist()


@pytest.mark.parametrize("count", COUNTS)
def test_every_number_is_there_once(count: int) -> None:
    assert sorted(order(count)) == list(range(count))


@given(st.integers(0, 3000), SEEDS, st.integers(0, 10**6))
def test_every_number_is_there_once_whatever_the_seed(count: int, seed: int, epoch: int) -> None:
    assert sorted(order(count, seed, epoch)) == list(range(count))


@given(st.integers(1, 2**40), SEEDS, st.data())
def test_a_place_needs_no_other_place(count: int, seed: int, data: st.DataObject) -> None:
    places = np.array(data.draw(st.lists(st.integers(0, count - 1), max_size=20)), np.int64)
    together = shuffled(count, seed, 3, places)
    assert ((together >= 0) & (together < count)).all()
    assert len(set(together.tolist())) == len(set(places.tolist()))
    for index in range(len(places)):
        assert shuffled(count, seed, 3, places[index : index + 1]).tolist() == [together[index]]


def test_the_order_differs_by_seed_and_epoch() -> None:
    orders = {str(order(200, seed, epoch)) for seed in range(20) for epoch in range(20)}
    assert len(orders) == 400


@pytest.mark.parametrize("count", [12, 64])
def test_every_number_comes_to_every_place_as_often(count: int) -> None:
    """Chi-squared over the numbers at a place; places beside each other are as little alike as any two."""
    epochs = 1500
    orders = np.array([order(count, 5, epoch) for epoch in range(epochs)])
    expected = epochs / count
    for place in (0, 1, count // 2, count - 1):
        seen = np.bincount(orders[:, place], minlength=count)
        assert ((seen - expected) ** 2 / expected).sum() < (count - 1) + 5 * (2 * count) ** 0.5
    for place in range(count - 1):
        assert abs(np.corrcoef(orders[:, place], orders[:, place + 1])[0, 1] + 1 / (count - 1)) < 0.12


def test_neighbours_are_scattered() -> None:
    found = np.array(order(10_000))
    assert np.abs(np.diff(found)).mean() == pytest.approx(10_000 / 3, rel=0.05)
    halves = (found < 5_000).reshape(100, 100).mean(1)
    assert halves.std() == pytest.approx(0.05, abs=0.015)


def test_each_place_may_be_asked_for_in_its_own_epoch() -> None:
    places, epochs = np.arange(300) % 70, np.arange(300) // 50
    found = shuffled(70, 5, epochs, places)
    assert found.tolist() == [
        order(70, 5, epoch)[place] for epoch in range(6) for place in places[epochs == epoch]
    ]


# Several texts

TEXTS = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 90)), min_size=1, max_size=4)


@given(TEXTS, SEEDS, st.integers(1, 5))
def test_all_pairs_of_a_text_are_seen_equally_often(
    texts: list[tuple[int, int]], seed: int, epochs: int
) -> None:
    sizes, counts = zip(*texts, strict=True)
    mix = Mix(sizes, counts)
    seen = np.zeros(sum(sizes), np.int64)
    for epoch in range(epochs):
        seen += np.bincount(mix.drawn(np.arange(sum(counts)), seed, epoch), minlength=sum(sizes))
        for own, count in zip(np.split(seen, np.cumsum(sizes)[:-1]), counts, strict=True):
            assert own.sum() == count * (epoch + 1)
            assert own.max() - own.min() <= 1


@given(TEXTS, SEEDS, st.integers(0, 10**6))
def test_what_is_drawn_for_a_place_needs_no_other_place(
    texts: list[tuple[int, int]], seed: int, epoch: int
) -> None:
    sizes, counts = zip(*texts, strict=True)
    mix, places = Mix(sizes, counts), np.arange(sum(counts))
    together = mix.drawn(places, seed, epoch)
    assert mix.drawn(places[::-3], seed, epoch).tolist() == together[::-3].tolist()
    text = np.repeat(np.arange(len(sizes)), sizes)
    assert text[together].tolist() == np.repeat(np.arange(len(sizes)), counts).tolist()


def test_a_text_of_which_an_epoch_has_a_part_gives_another_part_each_time() -> None:
    mix = Mix((1000, 50), (250, 800))
    slices = [mix.drawn(np.arange(250), 3, epoch) for epoch in range(8)]
    assert sorted(np.concatenate(slices[:4]).tolist()) == list(range(1000))
    assert sorted(np.concatenate(slices[4:]).tolist()) == list(range(1000))
    assert all(set(one.tolist()) != set(slices[0].tolist()) for one in slices[1:])
    assert all(100 < np.sort(one).mean() - 250 < 400 for one in slices)  # from all over the text


def test_texts_of_one_size_have_orders_of_their_own() -> None:
    rows = Mix((100, 100), (200, 200)).drawn(np.arange(400), 1, 0).reshape(4, 100) % 100
    assert len({tuple(turn) for turn in rows.tolist()}) == 4
