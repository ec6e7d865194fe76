"""normalize: one spelling for what is the same, nothing lost that means something, every character traceable."""

import re
import sys
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onmal.text.normalize import _unclean, normalize, normalize_with_spans

# Arbitrary text seldom has what is hard: syllables in pieces, marks out of order, odd spaces, surrogates.
HARD = (
    "aq e\u0301\u0323\u0344 \u1100\u1161\u11a8가\u11a8 \u0f73\u0f71 \u09c7\u09be \u0bc6\u0bbe \u0958 ﬁ²Ａ👍🏽"
    "\u200b\u200d\ufeff\u00ad\u3000\u00a0\t\n\u2000\x00\x1c\x85\ud800\udc00"
)
texts = st.text() | st.text(st.sampled_from(HARD), max_size=20) | st.text(st.characters(), max_size=20)


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        ("", ""),
        ("   ", ""),
        ("\u200b\ufeff", ""),
        ("밥을 먹었어요.", "밥을 먹었어요."),
        (unicodedata.normalize("NFD", "밥을 먹었어요."), "밥을 먹었어요."),
        ("cafe\u0301", "café"),
        ("\ufeffhello\u00a0 \t\u3000world\r\n", "hello world"),
        ("soft\u00adware zero\u200bwidth", "software zerowidth"),
        ("e\u200b\u0301", "é"),
        ("bell\x07 null\x00", "bell null"),
        ("a\x85b\u2028c", "a b c"),
        ("high \ud83d low \ude00", "high \ufffd low \ufffd"),
        ("\u200eשלום\u200f", "שלום"),
    ],
)
def test_what_looks_the_same_becomes_the_same(typed: str, seen: str) -> None:
    assert normalize(typed) == seen


@pytest.mark.parametrize(
    "text", ["ﬁ ² Ａ １ ① ㎏ ㈜", "می\u200cخواهم", "👨\u200d👩\u200d👧 ❤\ufe0f", "ﾊﾝｶｸ", "x₁ ≠ x₂", "\ufffd"]
)
def test_what_differs_in_meaning_stays(text: str) -> None:
    assert normalize(text) == text


@given(texts)
def test_idempotent_composed_and_clean(text: str) -> None:
    result = normalize(text)
    assert normalize(result) == result
    assert unicodedata.is_normalized("NFC", result)
    assert not re.search(r"[^\S ]|  |^ | \Z|[\ud800-\udfff\u200b\ufeff\x00-\x1f]", result)


@given(texts)
def test_spans_agree_with_the_text_and_point_into_what_was_typed(text: str) -> None:
    result, spans = normalize_with_spans(text)
    assert result == normalize(text)
    assert len(spans) == len(result)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    for first, second in pairwise(spans):
        assert first == second or first[1] <= second[0]
    for character, (start, end) in zip(result, spans, strict=True):
        assert character == " " or character in normalize(text[start:end])


def test_spans_of_decomposed_hangul_cover_the_syllable() -> None:
    typed = unicodedata.normalize("NFD", "한 국")
    result, spans = normalize_with_spans(typed)
    assert result == "한 국"
    assert [unicodedata.normalize("NFC", typed[start:end]) for start, end in spans] == ["한", " ", "국"]


def test_spans_of_removed_and_collapsed_characters() -> None:
    assert normalize_with_spans("  a\u00ad \u3000 b e\u200b\u0301 ") == (
        "a b é",
        [(2, 3), (4, 7), (7, 8), (8, 9), (9, 12)],
    )


def test_clean_text_comes_back_as_the_same_object() -> None:
    for text in ("The quick brown fox.", "밥을 먹었어요."):
        assert normalize(text) is text


def test_long_runs_of_marks_are_composed_exactly() -> None:
    # Short enough for Python's own sort, which takes the square of the length.
    for run in ("\u0301\u0323" * 300, "\u0344\u0323\u05b0" * 200, "\u0f73" * 400):
        text = f"a{run}b"
        assert normalize(text) == unicodedata.normalize("NFC", text)
        assert normalize_with_spans(text)[0] == normalize(text)


def test_a_run_of_marks_made_to_do_harm_is_harmless() -> None:
    # Python's own normalisation takes two minutes over it.
    text = "a" + "\u0301\u0323" * 200_000
    assert len(normalize(text)) == len(text) - 1


def test_all_combining_marks_are_in_the_planes_that_are_searched() -> None:
    above = map(chr, range(0x20000, sys.maxunicode + 1))
    assert not any(map(unicodedata.combining, above))


def test_text_that_can_be_printed_holds_nothing_to_be_cleaned_but_spaces() -> None:
    """What lets most text by without the pattern."""
    assert not _unclean.search(
        "".join(c for c in map(chr, range(sys.maxunicode + 1)) if c.isprintable() and c != " ")
    )
    for text in (" a", "a ", "a  b"):
        assert normalize(text) == " ".join(text.split())
