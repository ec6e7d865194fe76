"""numerals: numbers that are written out, as what they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onmal.cleaning.numerals import english_numbers, korean_numbers
from onmal.phrasebook.english import cardinal
from onmal.phrasebook.numbers import sino


@given(st.integers(11, 10**12))
def test_every_number_in_korean_is_that_number(number: int) -> None:
    assert number in korean_numbers(f"모두 {sino(number)} 원이에요")
    assert number in korean_numbers(f"{sino(number)}원")


@given(st.integers(100, 999_999))
def test_every_number_in_english_is_that_number(number: int) -> None:
    assert english_numbers(f"I paid {cardinal(number)} won, twice.") == {number}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("four thousand won", {4000}),
        ("A hundred and five apples", {105}),
        ("in nineteen ninety-nine and two thousand and fifteen", {1999, 2015}),
        ("fifteen hundred", {1500}),
        ("3 thousand or 2.5 million", {3000, 2_500_000}),
        ("three thousand, four hundred and fifty-six", {3456}),
        ("two, three hundred", {300}),
        ("five six, twenty-five", set()),
        ("hundreds of thousands", set()),
        ("", set()),
    ],
)
def test_english(text: str, numbers: set[int]) -> None:
    assert english_numbers(text) == numbers


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("사천 원", {4000}),
        ("3만 5천 원과 3만 5,000원", {35_000}),
        ("2만5천", {25_000}),
        ("만 원, 백 개, 천 명", {10_000, 100, 1000}),
        ("구만 말을", {90_000}),
        ("삼월 삼십만 원", {3, 300_000}),
        ("이만 오백 그리고 삼만 칠 원", {20_500, 30_007}),
        ("사십오 분", {45}),
        ("이십일일에", {21}),
        ("육일", {6}),
        ("십일", {10, 11}),
        ("십이에요", {10, 12}),
        ("십오일일이에요", set()),  # digits side by side
        ("열 오일", set()),
        ("이 사람이 이사했어요", set()),
        ("백이에요", {100, 102}),
        ("천백십만천", {11_101_000}),
    ],
)
def test_korean(text: str, numbers: set[int]) -> None:
    assert korean_numbers(text) == numbers


def test_a_day_is_one_only_where_days_may_be_meant() -> None:
    assert korean_numbers("십일이에요", days=False) == {11}
    assert korean_numbers("육일이에요", days=False) == set()
