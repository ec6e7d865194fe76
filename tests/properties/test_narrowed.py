"""A search among the words of a shortlist is the search of a network that gives all others no probability."""

from __future__ import annotations

import copy
import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_search import Case
from torch import Tensor

from onmal import products
from onmal.config import SearchConfig
from onmal.decoding.search import Hypothesis, beam_search
from onmal.models import Seq2Seq
from onmal.shortlist.narrowed import Narrowed, narrowed_search
from onmal.shortlist.table import Shortlist


def random_shortlist(case: Case, chance: random.Random, share: float) -> Shortlist:
    """Each source word suggests some target words, in any order and some of them twice."""
    size, special = case.vocabulary.target_size, case.vocabulary
    each = [
        [*(word for word in range(size) if chance.random() < share), *chance.choices(range(size), k=1)]
        for _ in range(case.vocabulary.source_size)
    ]
    starts = torch.tensor([0, *(len(words) for words in each)]).cumsum(0)
    words = torch.tensor([word for words in each for word in chance.sample(words, len(words))])
    common = sorted({special.pad, special.start, special.end, *chance.choices(range(size), k=1)})
    return Shortlist(torch.tensor(common), words, starts)


def allowed(shortlist: Shortlist, source: list[int]) -> set[int]:
    """One word of a source after the other."""
    return {*shortlist.common.tolist(), *(word for each in source for word in shortlist.of(each).tolist())}


def without(model: Seq2Seq, words: set[int]) -> Seq2Seq:
    """The network that never says these words."""
    mute = copy.deepcopy(model)
    with torch.no_grad():
        mute.output.bias[sorted(words)] = -torch.inf
    return mute


def alike(found: list[Hypothesis], expected: list[Hypothesis]) -> bool:
    return [each.tokens for each in found] == [each.tokens for each in expected] and all(
        abs(one.score - other.score) < 1e-4 * max(1, abs(other.score)) and one.ended == other.ended
        for one, other in zip(found, expected, strict=True)
        if one.tokens or one.ended
    )


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.4, 1.0]))
def test_alone_it_is_the_search_without_the_other_words(seed: int, share: float) -> None:
    case, chance = Case(seed), random.Random(seed)
    shortlist = random_shortlist(case, chance, share)
    for source in case.sources:
        row = torch.tensor([source])
        [found] = narrowed_search(case.model, row, case.search, shortlist)
        others = {*range(case.vocabulary.target_size)} - allowed(shortlist, source)
        [expected] = beam_search(without(case.model, others), row, case.search)
        assert alike(found, expected)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_in_a_batch_each_finds_what_it_finds_alone(seed: int) -> None:
    case, chance = Case(seed), random.Random(seed)
    shortlist = random_shortlist(case, chance, 0.2)
    batch = case.batch()
    table = shortlist.allowed(batch, case.vocabulary)
    for source, row, found in zip(
        case.sources, table, narrowed_search(case.model, batch, case.search, shortlist), strict=True
    ):
        own = allowed(shortlist, source)
        assert {*row.nonzero().flatten().tolist()} == own
        assert all(own.issuperset(each.tokens) for each in found)
        [alone] = narrowed_search(case.model, torch.tensor([source]), case.search, shortlist)
        assert alike(found, alone)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_with_all_words_it_is_the_search(seed: int) -> None:
    case = Case(seed)
    shortlist = random_shortlist(case, random.Random(seed), 2.0)
    expected = beam_search(case.model, case.batch(), case.search)
    found = narrowed_search(case.model, case.batch(), case.search, shortlist)
    assert all(map(alike, found, expected))


def test_its_words_are_not_kept_for_other_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """What oneDNN's order costs of memory is given back with each batch, however many a call of the engine has."""
    if not torch.backends.mkldnn.is_available():
        pytest.skip("this torch has no oneDNN")
    monkeypatch.setattr(products, "mkl_holds_back", lambda: True)
    monkeypatch.setattr(products, "WORTH_IT", 0)
    case, kept = Case(3), products.LaidOut()
    shortlist = random_shortlist(case, random.Random(3), 0.4)
    with products.unchanging(kept):
        found = narrowed_search(case.model, case.batch(), case.search, shortlist)
        assert not kept
        beam_search(case.model, case.batch(), case.search)
        assert kept
    assert found


@pytest.mark.parametrize("seed", range(8))
def test_the_narrowed_network_keeps_the_contract(seed: int) -> None:
    """Its logits are those of the whole one, at the places of its words, with teacher forcing and step by step."""
    case = Case(seed)
    whole, special = case.model, case.vocabulary
    words = torch.tensor(sorted({special.pad, special.start, special.end, 3, 4}))
    narrowed = Narrowed(whole, words)
    source = case.batch()
    own = source.masked_fill(source == special.pad, narrowed.vocabulary.pad)
    said = torch.tensor([[narrowed.vocabulary.start, *narrowed_ids(narrowed, (3, 4))]] * len(source))
    expected = whole(source, torch.tensor([[special.start, 3, 4]] * len(source)))[..., narrowed.words]
    assert torch.allclose(narrowed(own, said), expected, atol=1e-5)
    state, steps = narrowed.start(narrowed.encode(own)), list[Tensor]()
    for token in said.T:
        states, state = narrowed.step(token, state)
        steps.append(narrowed.project(states))
    assert torch.allclose(torch.stack(steps, 1), expected, atol=1e-4)


def narrowed_ids(narrowed: Narrowed, words: tuple[int, ...]) -> list[int]:
    return [narrowed.words.tolist().index(word) for word in words]


def test_other_rules_hold_among_the_words_of_a_shortlist() -> None:
    case = Case(3)
    shortlist = random_shortlist(case, random.Random(3), 0.5)
    config = SearchConfig(beam_size=3, n_best=3, min_length_ratio=1.0, no_repeat_ngram=1, max_length_extra=4)
    for source, found in zip(
        case.sources, narrowed_search(case.model, case.batch(), config, shortlist), strict=True
    ):
        for each in found:
            assert len({*each.tokens}) == len(each.tokens)
            assert not each.ended or len(each.tokens) >= len(source) - 1
