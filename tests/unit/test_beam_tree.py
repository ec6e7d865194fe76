"""The tree of a beam search is the very search's: it changes nothing, and its branches are what was kept and dropped."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_model import random_model, sources, tokenizer

from onmal.config import SearchConfig
from onmal.decoding.rules import Prefix, Rule
from onmal.decoding.search import Hypothesis, beam_search
from onmal.inspection.beam_tree import BeamTree
from onmal.models.contract import Seq2Seq


@pytest.fixture(scope="module")
def networks() -> list[Seq2Seq]:
    subwords = tokenizer(joint=True)
    return [random_model(subwords, seed=seed).model for seed in range(3)]


@pytest.fixture(scope="module")
def source() -> list[list[int]]:
    return sources(random_model(tokenizer(joint=True)), 8)


def grown(
    network: Seq2Seq, source: list[int], search: SearchConfig, *rules: Rule
) -> tuple[BeamTree, list[Hypothesis]]:
    tree = BeamTree(search, network.vocabulary.end)
    found = beam_search(network, torch.tensor([source]), search, [*rules, tree])[0]
    tree.take(found)
    return tree, found


@st.composite
def searches(draw: st.DrawFn) -> SearchConfig:
    beams = draw(st.integers(1, 6))
    return SearchConfig(
        beam_size=beams,
        n_best=beams,
        length_penalty=draw(st.sampled_from([0.0, 0.6, 1.0])),
        max_length_ratio=draw(st.sampled_from([0.3, 1.0])),
        max_length_extra=draw(st.integers(1, 6)),
        diversity=draw(st.sampled_from([0.0, 0.0, 1.0])),
        coverage_penalty=draw(st.sampled_from([0.0, 0.0, 0.3])),
        min_length_ratio=draw(st.sampled_from([0.0, 0.5])),
    )


def path_tokens(tree: BeamTree, path: list[int]) -> list[int]:
    """The tokens of a path, whose nodes follow one another from the root."""
    assert [tree.nodes[number].parent for number in path] == [None, *path[:-1]]
    return [tree.nodes[number].token for number in path]


@settings(max_examples=40)
@given(search=searches(), which=st.integers(0, 2), row=st.integers(0, 7))
def test_every_hypothesis_is_a_path_of_kept_nodes(
    networks: list[Seq2Seq], source: list[list[int]], search: SearchConfig, which: int, row: int
) -> None:
    network, end = networks[which], networks[which].vocabulary.end
    tree, found = grown(network, source[row], search)
    assert found == beam_search(network, torch.tensor([source[row]]), search)[0]  # watching changes nothing
    for hypothesis in found:
        path = tree.path(hypothesis)
        nodes = [tree.nodes[number] for number in path]
        assert path_tokens(tree, path) == [*hypothesis.tokens, *[end] * hypothesis.ended]
        assert sum(node.log_probability for node in nodes) == pytest.approx(
            hypothesis.log_probability, abs=1e-4
        )
        assert nodes[-1].score == hypothesis.score
        assert nodes[-1].finished == hypothesis.ended
        assert all(node.kept for node in nodes)


@settings(max_examples=20)
@given(search=searches(), which=st.integers(0, 2), row=st.integers(0, 7))
def test_at_each_step_as_many_are_looked_at_and_kept_as_the_search_does(
    networks: list[Seq2Seq], source: list[list[int]], search: SearchConfig, which: int, row: int
) -> None:
    tree, found = grown(networks[which], source[row], search)
    depths: list[int] = []
    for node in tree.nodes:
        depths.append(0 if node.parent is None else depths[node.parent] + 1)
        if node.parent is not None:
            assert tree.nodes[node.parent].kept
            assert not tree.nodes[node.parent].finished
    looked_at = Counter(depths)
    going = Counter(d for d, node in zip(depths, tree.nodes, strict=True) if node.kept and not node.finished)
    assert set(looked_at) == set(range(tree.steps))
    assert all(count <= 2 * search.beam_size for count in looked_at.values())
    assert all(0 < going[depth] <= search.beam_size for depth in range(tree.steps - 1))
    assert sum(node.finished for node in tree.nodes) >= sum(each.ended for each in found)


@settings(max_examples=20)
@given(beams=st.integers(1, 5), length=st.integers(1, 4), row=st.integers(0, 7), seed=st.integers(0, 99))
def test_a_given_beginning_is_a_single_branch(
    networks: list[Seq2Seq], source: list[list[int]], beams: int, length: int, row: int, seed: int
) -> None:
    prefix = random.Random(seed).choices(range(4, 300), k=length)
    search = SearchConfig(beam_size=beams, n_best=beams, max_length_extra=8)
    tree, found = grown(networks[0], source[row], search, Prefix([prefix], torch.device("cpu")))
    assert path_tokens(tree, list(range(length))) == prefix
    assert all(node.parent is not None and node.parent >= length - 1 for node in tree.nodes[length:])
    for hypothesis in found:
        assert list(hypothesis.tokens[:length]) == prefix
        assert tree.path(hypothesis)[:length] == list(range(length))
