"""prepare: the text that training sees is the corpus, in both directions where asked, with a tokenizer that fits it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from onmal.config import DataConfig
from onmal.data.pair import Pair
from onmal.data.prepare import encode_pairs, encode_side, learn_tokenizer
from onmal.errors import ConfigError, DataError, LanguageError
from onmal.text.normalize import normalize
from onmal.text.tokenizer import END, PAD, START, Tokenizer, VocabularySizeError

WHO = (
    ["친구는", "동생은", "언니는", "선생님은", "우리는"],
    ["friend", "brother", "sister", "teacher", "group"],
)
WHERE = (
    ["학교에", "시장에", "공원에", "은행에", "병원에", "도서관에"],
    ["school", "market", "park", "bank", "hospital", "library"],
)
PAIRS = [
    *(
        Pair(f"{who} {hour}시에 {where} 갔어요.", f"My {whom} went to the {place} at {hour} o'clock.")
        for who, whom in zip(*WHO, strict=True)
        for where, place in zip(*WHERE, strict=True)
        for hour in (3, 7, 11)
    ),
    Pair("  공백이   많은\t문장 ", "a ▁ mark"),
    Pair("이름은 Ａ①입니다.", "e\u0301 \ufeff ﬁ"),
    Pair("😀", "<2ko> </s>"),
]


def learned(pairs: list[Pair] = PAIRS, **values: Any) -> Tokenizer:
    config = DataConfig(
        **{"source_language": "ko", "target_language": "en", "vocabulary_size": 400, **values}
    )
    return learn_tokenizer(pairs, config)


def rows(
    tokenizer: Tokenizer, sizes: Sequence[int] = (), **values: Any
) -> dict[int, tuple[list[int], list[int]]]:
    """Pair -> its source and target row, without padding."""
    data = DataConfig(source_language="ko", target_language="en", **{"max_length": 500, **values})
    text = encode_pairs(tokenizer, PAIRS, data, sizes)
    epoch = text.pool(1, 0, 0, 256, start=START, end=END, pad=PAD)
    return {
        n: (source[: source.index(END) + 1], target[: length + 1])
        for batch in epoch
        for n, source, target, length in zip(
            batch.pairs.tolist(),
            batch.source.tolist(),
            batch.target.tolist(),
            batch.lengths.tolist(),
            strict=True,
        )
    }


@pytest.mark.parametrize("tokenizer", ["unigram", "bpe"])
@pytest.mark.parametrize("joint", [True, False])
def test_rows_are_what_the_tokenizer_says(tokenizer: str, joint: bool) -> None:
    subwords = learned(tokenizer=tokenizer, joint=joint, vocabulary_size=370)
    found = rows(subwords)
    assert len(found) == len(PAIRS)
    for n, pair in enumerate(PAIRS):
        assert found[n] == (
            subwords.encode_source(pair.source),
            [START, *subwords.encode_target(pair.target)],
        )


@pytest.mark.parametrize("sampling", [0.0, 0.3])
def test_both_directions_are_there_with_their_tags(sampling: float) -> None:
    subwords = learned(both_directions=True)
    to_korean, to_english = subwords.tag_id("ko"), subwords.tag_id("en")
    found = rows(subwords, both_directions=True, subword_sampling=sampling)
    assert len(found) == 2 * len(PAIRS)
    for n, pair in enumerate(PAIRS):
        for (source, target), tag, (read, written) in (
            (found[n], to_english, (pair.source, pair.target)),
            (found[len(PAIRS) + n], to_korean, (pair.target, pair.source)),
        ):
            assert source[0] == tag
            assert (target[0], source[-1], target[-1]) == (START, END, END)
            assert subwords.source.decode(source[1:]) == normalize(read)
            assert subwords.target.decode(target) == normalize(written)
            if not sampling:
                assert [*target[1:]] == subwords.encode_target(written)


def test_a_model_of_both_directions_can_be_read_in_one() -> None:
    subwords = learned(both_directions=True)
    found = rows(subwords)
    assert len(found) == len(PAIRS)
    assert {source[0] for source, _ in found.values()} == {subwords.tag_id("en")}


def test_a_model_without_tags_is_of_one_direction() -> None:
    with pytest.raises(LanguageError, match="cannot translate to 'ko'"):
        rows(learned(), both_directions=True)


MIX = [
    {"train": ["a.tsv"]},
    {"train": ["b.ko", "b.en"], "tag": "back"},
    {"corpus": "koen", "train": ["train"], "tag": "back"},
    {"train": ["c.tsv"], "tag": "law"},
]


@pytest.mark.parametrize("both", [False, True])
def test_texts_of_a_mix_have_their_tags(both: bool) -> None:
    values = {"both_directions": both, "mix": MIX}
    subwords = learned(**values)
    assert subwords.tags == (*(("<2ko>", "<2en>") if both else ()), "<back>", "<law>")
    sizes = [len(PAIRS) - 30, 10, 5, 15]
    found = rows(subwords, sizes, **values)
    assert len(found) == (1 + both) * len(PAIRS)
    tags = [tag for tag, size in zip(("", "back", "back", "law"), sizes, strict=True) for _ in range(size)]
    for n, (pair, tag) in enumerate(zip(PAIRS, tags, strict=True)):
        assert found[n] == (
            subwords.encode_source(pair.source, "en", tag),
            [START, *subwords.encode_target(pair.target)],
        )
        if both:
            assert found[len(PAIRS) + n][0] == subwords.encode_source(pair.target, "ko", tag)


def test_validation_text_is_without_the_tags_of_a_mix() -> None:
    subwords = learned(mix=MIX)
    assert rows(subwords, mix=MIX) == rows(subwords)


def test_a_mix_without_tags_has_the_tokenizer_of_its_pairs() -> None:
    mixed = learned(mix=[{"train": ["a.tsv"], "weight": 3.0}, {"train": ["b.tsv"]}])
    assert mixed.source.serialized == learned().source.serialized
    assert mixed.tags == ()


def test_a_text_of_a_mix_that_no_epoch_has_is_told() -> None:
    mix = [{"train": ["a.tsv"]}, {"train": ["b.tsv"], "weight": 1e-6}]
    with pytest.raises(
        ConfigError, match=r"text 2 of data\.mix gives none of the .* pairs .*raise its weight"
    ):
        rows(learned(), [len(PAIRS) - 1, 1], mix=mix)


def test_longer_pairs_are_left_out() -> None:
    subwords = learned()
    lengths = [
        max(len(subwords.encode_source(p.source)), len(subwords.encode_target(p.target))) for p in PAIRS
    ]
    limit = int(np.median(lengths))
    assert sorted(rows(subwords, max_length=limit)) == [
        n for n, length in enumerate(lengths) if length <= limit
    ]


def test_a_side_knows_each_word_once() -> None:
    side = encode_side(learned().source, ["a b a", "", "b  c"], 0.0)
    assert side.words.tolist() == [0, 1, 0, 1, 2]
    assert side.offsets.tolist() == [0, 3, 3, 5]
    assert len(side.table.first) == 3 + 1


def test_one_vocabulary_or_two() -> None:
    assert learned().joint
    apart = learned(joint=False, vocabulary_size=350)
    assert not apart.joint
    assert "학" in "".join(apart.source.written)
    assert "학" not in "".join(apart.target.written)


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
@pytest.mark.parametrize(
    "pairs",
    [
        [Pair("나는 학교에 간다.", "I go to school.")],
        [Pair("".join(map(chr, range(0xAC00 + n, 0xAC00 + n + 40))), "many characters") for n in range(0, 4000, 40)],
    ],
    ids=["of little text", "of many characters"],
)  # fmt: skip
def test_a_size_that_is_chosen_is_made_to_fit(kind: str, pairs: list[Pair]) -> None:
    for joint in (True, False):
        subwords = learned(pairs, tokenizer=kind, vocabulary_size=0, joint=joint)
        assert subwords.source.decode(subwords.encode_source(pairs[0].source)) == pairs[0].source


@pytest.mark.parametrize(("kind", "size"), [("bpe", 30_000), ("unigram", 100), ("bpe", 100)])
def test_a_size_that_is_asked_for_is_had_or_refused(kind: str, size: int) -> None:
    with pytest.raises(VocabularySizeError, match=f"vocabulary_size = {size} "):
        learned(tokenizer=kind, vocabulary_size=size)
    assert len(learned(tokenizer=kind, vocabulary_size=340).source) == 340


def test_both_directions_need_one_vocabulary() -> None:
    with pytest.raises(ConfigError, match=r"needs one vocabulary for both languages; set data\.joint = true"):
        learned(both_directions=True, joint=False)


def test_no_text_is_told() -> None:
    with pytest.raises(DataError, match="there is no text to learn a tokenizer from"):
        learned([Pair(" ", "\u200b")])
