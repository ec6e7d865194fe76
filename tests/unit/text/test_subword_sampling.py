"""subword_sampling: words of a sentence are segmented as the sentence is; what is drawn depends on its arguments alone."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_text import sentences

from onmal.text.normalize import normalize
from onmal.text.subword_sampling import LONGEST, MOST, WordTable, uniform
from onmal.text.tokenizer import Kind, SubwordModel, count_words

KINDS: tuple[Kind, ...] = ("unigram", "bpe")
SENTENCES = sentences()
MARKUP = ["<s1> <s2> <s3> and </s1> </s2> </s3> 4 > 5 < 6"] * 20
VOCABULARY = sorted({word for sentence in SENTENCES for word in sentence.split(" ")})
ODD = [
    "<s>",
    "</s>",
    "<2ko>",
    "<0x41>",
    "▁",
    "a▁b",
    "\ufdd0",
    "2024",
    "😀",
    "각",
    "ﬁ",
    "x",
    "\u0301",
    "ㅋㅋㅋㅋ",
    "<strong>",
]
WORDS = [*VOCABULARY[::7], *ODD]


@pytest.fixture(scope="module", params=KINDS)
def model(request: pytest.FixtureRequest) -> SubwordModel:
    return SubwordModel.learn(
        count_words([*SENTENCES, *MARKUP]), kind=request.param, size=700, control_symbols=("<2ko>", "<2en>")
    )


def candidates(table: WordTable, word: int) -> list[list[int]]:
    """All segmentations of a word, the best first."""
    numbers = np.arange(table.first[word], table.first[word + 1])
    ids, lengths = table.gather(numbers)
    return [part.tolist() for part in np.split(ids, np.cumsum(lengths)[:-1])]


def probabilities(table: WordTable, word: int) -> list[float]:
    return np.diff(table.shares[table.first[word] : table.first[word + 1]], prepend=0.0).tolist()


def draw(table: WordTable, words: Sequence[int], chances: Sequence[float]) -> list[int]:
    """Which candidate of its word each chance falls on, counted from 0."""
    numbers = np.array(words)
    return (table.choose(numbers, np.array(chances)) - table.first[numbers]).tolist()


@pytest.mark.parametrize("strength", [0.0, 0.1, 1.0])
def test_the_best_is_what_the_tokenizer_says(model: SubwordModel, strength: float) -> None:
    table = WordTable.build(model, WORDS, strength)
    for number, word in enumerate(WORDS):
        assert candidates(table, number)[0] == model.encode(word)


LETTERS = st.text(st.sampled_from("학교친구는가요scholtea2024.,<>▁😀é"), min_size=1, max_size=8)
WORD = st.sampled_from(WORDS) | LETTERS.map(normalize)


@settings(max_examples=200)
@given(st.lists(WORD, max_size=8))
@example(["▁", "a▁", "▁▁b"])
def test_a_sentence_is_segmented_word_by_word(model: SubwordModel, words: list[str]) -> None:
    table = WordTable.build(model, words, 0.0)
    ids, lengths = table.gather(table.choose(np.arange(len(words)), None))
    assert ids.tolist() == model.encode(" ".join(words))
    assert lengths.tolist() == [len(model.encode(word)) for word in words]


def test_real_sentences_are_segmented_word_by_word(model: SubwordModel) -> None:
    numbers = {word: number for number, word in enumerate(VOCABULARY)}
    table = WordTable.build(model, VOCABULARY, 0.0)
    for sentence in SENTENCES:
        words = np.array([numbers[word] for word in sentence.split(" ")])
        assert table.gather(table.choose(words, None))[0].tolist() == model.encode(sentence)


@pytest.mark.parametrize("strength", [0.0, 0.1, 0.4, 1.0])
def test_every_candidate_is_its_word_and_probabilities_sum_to_one(
    model: SubwordModel, strength: float
) -> None:
    table = WordTable.build(model, WORDS, strength)
    assert len(table.first) == len(WORDS) + 1
    several = 0
    for number, word in enumerate(WORDS):
        found, shares = candidates(table, number), probabilities(table, number)
        several += len(found) > 1
        assert 1 <= len(found) <= MOST + 1
        assert len(set(map(tuple, found))) == len(found)
        assert all(model.decode(ids) == word.replace("\ufdd0", "\ufffd") for ids in found)
        assert not any(
            model.processor.is_control(i) or model.processor.is_unknown(i) for ids in found for i in ids
        )
        assert all(share >= 0 for share in shares)
        assert sum(shares) == pytest.approx(1.0)
    assert (several > 0) == (strength > 0)


def test_strength_zero_never_draws_anything_else(model: SubwordModel) -> None:
    table = WordTable.build(model, WORDS, 0.0)
    words = np.arange(len(WORDS))
    for epoch in range(3):
        chosen = table.choose(words, uniform(1, epoch, words, words))
        assert chosen.tolist() == table.choose(words, None).tolist() == words.tolist()


def test_unigram_probabilities_are_the_models_at_a_tenth() -> None:
    model = SubwordModel.learn(count_words(SENTENCES), kind="unigram", size=650)
    at_tenth, flatter = WordTable.build(model, VOCABULARY, 0.1), WordTable.build(model, VOCABULARY, 0.5)
    many = [number for number in range(len(VOCABULARY)) if len(candidates(at_tenth, number)) > 3]
    assert len(many) > 5
    for number in many:
        scores = [sum(map(model.processor.get_score, ids)) for ids in candidates(at_tenth, number)]
        assert scores[0] == pytest.approx(max(scores))
        for table, power in ((at_tenth, 1.0), (flatter, 0.2)):
            weights = np.exp(power * np.array(scores))
            assert probabilities(table, number) == pytest.approx((weights / weights.sum()).tolist())


def test_bpe_without_merges_is_characters() -> None:
    model = SubwordModel.learn(count_words(SENTENCES), kind="bpe", size=700)
    words = ["학교에서", "school", "친구"]
    table = WordTable.build(model, words, 1.0)
    for number, word in enumerate(words):
        likely = int(np.argmax(probabilities(table, number)))
        assert probabilities(table, number)[likely] > 1 - 1e-6
        assert model.pieces(candidates(table, number)[likely]) == list("▁" + word)


def test_bpe_drop_out_makes_longer_segmentations_the_stronger_it_is() -> None:
    model = SubwordModel.learn(count_words(SENTENCES), kind="bpe", size=700)
    lengths = []
    for strength in (1e-9, 0.1, 0.4, 1.0):
        table = WordTable.build(model, VOCABULARY[::5], strength)
        lengths.append(
            sum(
                share * len(ids)
                for number in range(len(VOCABULARY[::5]))
                for ids, share in zip(candidates(table, number), probabilities(table, number), strict=True)
            )
        )
    assert lengths == sorted(lengths)
    best = sum(len(model.encode(word)) for word in VOCABULARY[::5])
    assert lengths[0] == pytest.approx(best)
    assert lengths[1] > 1.02 * best


def test_a_line_without_spaces_is_no_word_to_sample(model: SubwordModel) -> None:
    line = "가나다라school" * LONGEST
    table = WordTable.build(model, [line, "친구"], 0.3)
    assert candidates(table, 0)[0] == model.encode(line)
    assert all(model.decode(ids) == line for ids in candidates(table, 0))
    if model.kind == "bpe":
        assert len(candidates(table, 0)) == 1


def test_what_is_listed_for_a_word_does_not_depend_on_the_others(model: SubwordModel) -> None:
    table, backwards = WordTable.build(model, WORDS, 0.2), WordTable.build(model, WORDS[::-1], 0.2)
    for number in range(len(WORDS)):
        other = len(WORDS) - 1 - number
        assert candidates(table, number) == candidates(backwards, other)
        assert probabilities(table, number) == pytest.approx(probabilities(backwards, other))


def test_how_often_each_is_drawn_is_its_probability(model: SubwordModel) -> None:
    """The sum over candidates of (seen - expected)^2 / expected is about as large as there are candidates."""
    table = WordTable.build(model, WORDS, 0.3)
    word = max(range(len(WORDS)), key=lambda number: -max(probabilities(table, number)))
    draws = 20_000
    words = np.full(draws, word)
    chances = uniform(7, 3, np.arange(draws), np.zeros(draws, np.int64))
    seen = Counter(draw(table, words.tolist(), chances.tolist()))
    expected = np.array(probabilities(table, word)) * draws
    assert (expected > 50).sum() > 3
    likely = expected > 5
    distance = sum((seen[k] - expected[k]) ** 2 / expected[k] for k in np.flatnonzero(likely))
    freedom = int(likely.sum())
    assert distance < freedom + 4 * (2 * freedom) ** 0.5
    assert sum(seen[k] for k in np.flatnonzero(~likely)) < 5 * (~likely).sum() + 5


@given(st.data())
def test_a_chance_falls_within_its_word(data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=9))
    first = np.concatenate(([0], np.cumsum(counts)))
    shares = np.concatenate([np.arange(1, count + 1) / count for count in counts])
    total = int(first[-1])
    table = WordTable(np.zeros(total, np.int32), np.arange(total + 1), first, shares)
    words = data.draw(st.lists(st.integers(0, len(counts) - 1), min_size=1, max_size=20))
    chance = st.floats(0, 1, exclude_max=True) | st.sampled_from([0.0, np.nextafter(1.0, 0.0)])
    chances = data.draw(st.lists(chance, min_size=len(words), max_size=len(words)))
    for word, drawn, at in zip(words, draw(table, words, chances), chances, strict=True):
        assert 0 <= drawn < counts[word]
        assert drawn / counts[word] - 1e-9 <= at <= (drawn + 1) / counts[word] + 1e-9


NUMBERS = st.integers(0, 2**40)


@given(st.integers(0, 2**64 - 1), st.integers(0, 10**6), st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1))
def test_chances_depend_on_their_arguments_alone(
    seed: int, epoch: int, places: list[tuple[int, int]]
) -> None:
    pairs, words = (np.array(side, np.int64) for side in zip(*places, strict=True))
    together = uniform(seed, epoch, pairs, words)
    assert ((together >= 0) & (together < 1)).all()
    order = np.random.default_rng(0).permutation(len(places))
    assert (uniform(seed, epoch, pairs[order], words[order]) == together[order]).all()
    for number in range(len(places)):
        alone = uniform(seed, epoch, pairs[number : number + 1], words[number : number + 1])
        assert alone.tolist() == [together[number]]


def test_chances_differ_wherever_one_argument_does() -> None:
    places = random.Random(0).sample(
        [(s, e, p, w) for s in range(9) for e in range(9) for p in range(9) for w in range(9)], 2000
    )
    found = {uniform(s, e, np.array([p]), np.array([w])).item() for s, e, p, w in places}
    assert len(found) == len(places)


def test_chances_are_spread_evenly() -> None:
    for chances in (
        uniform(1, 0, np.arange(40_000), np.zeros(40_000, np.int64)),
        uniform(1, 0, np.zeros(40_000, np.int64), np.arange(40_000)),
    ):
        counts, _ = np.histogram(chances, 40, (0, 1))
        assert ((counts - 1000) ** 2 / 1000).sum() < 39 + 4 * (2 * 39) ** 0.5
        assert abs(np.corrcoef(chances[1:], chances[:-1])[0, 1]) < 0.02
