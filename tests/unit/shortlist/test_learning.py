"""Which words stand for which is found out from text alone."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
import torch

from onmal.config import Vocabulary
from onmal.shortlist import learning
from onmal.shortlist.learning import learn_shortlist

FIRST, WORDS = 3, 30  # after padding, start and end
VOCABULARY = Vocabulary(source_size=FIRST + WORDS, target_size=FIRST + 2 * WORDS)


def said(word: int) -> list[int]:
    """Each word is said as one or two, in the other order of the sentence."""
    return [FIRST + 2 * (word - FIRST) + part for part in range(1 + word % 2)]


def text(count: int, seed: int = 0) -> tuple[list[list[int]], list[list[int]]]:
    chance = random.Random(seed)
    sources = [chance.choices(range(FIRST, FIRST + WORDS), k=chance.randint(1, 8)) for _ in range(count)]
    return sources, [[each for word in reversed(source) for each in said(word)] for source in sources]


def test_each_word_suggests_what_it_is_said_as() -> None:
    found = learn_shortlist(*text(600), VOCABULARY, per_word=2, common=0)
    for word in range(FIRST, FIRST + WORDS):
        assert {*said(word)} <= {*found.of(word).tolist()}
    assert max(end - start for start, end in pairwise(found.starts.tolist())) == 2
    assert found.common.tolist() == [0, 1, 2]


def test_what_is_frequent_written_alike_or_asked_for_is_there() -> None:
    sources, targets = text(600)
    targets = [[*target, 50, 50] for target in targets]
    found = learn_shortlist(
        sources, targets, VOCABULARY, per_word=2, common=1, alike=[(0, 62), (9, 61), (9, 61)], always=[60]
    )
    assert found.common.tolist() == [0, 1, 2, 50, 60]
    assert found.of(0).tolist() == [62]
    assert 61 in found.of(9).tolist()
    assert len(found.of(9)) == 3


def test_padding_suggests_nothing_and_unknown_words_what_is_common() -> None:
    found = learn_shortlist(*text(50), VOCABULARY, per_word=2, common=2, alike=[(0, 62)])
    table = found.allowed(torch.tensor([[FIRST, 0, 0], [1, 1, 1]]), VOCABULARY)
    assert table[0].nonzero().flatten().tolist() == sorted(
        {*found.of(FIRST).tolist(), *found.common.tolist()}
    )
    assert table[1].nonzero().flatten().tolist() == found.common.tolist()


def test_of_much_text_a_part_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    sources, targets = text(4000)
    monkeypatch.setattr(learning, "MOST_CELLS", 10_000)
    found = learn_shortlist(sources, targets, VOCABULARY, per_word=2, common=0)
    right = sum({*said(word)} <= {*found.of(word).tolist()} for word in range(FIRST, FIRST + WORDS))
    assert right >= WORDS - 2


@pytest.mark.parametrize("pairs", [([], []), ([[]], [[]]), ([[5]], [[]]), ([[]], [[5]])])
def test_no_text_suggests_nothing(pairs: tuple[list[list[int]], list[list[int]]]) -> None:
    found = learn_shortlist(*pairs, VOCABULARY)
    assert len(found.words) == 0
    assert {0, 1, 2} <= {*found.common.tolist()}
