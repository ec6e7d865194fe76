"""number words: what says a small number in words, and what does not."""

from __future__ import annotations

import pytest

from onmal.cleaning.number_words import in_words, spelled, spells


@pytest.mark.parametrize(
    ("text", "number", "language"),
    [
        ("I bought seven apples.", 7, "en"),
        ("on the Seventh day", 7, "en-GB"),
        ("in July", 7, "en"),
        ("World War II", 2, "en"),
        ("twenty-two years old", 22, "en"),
        ("사과 일곱 개", 7, "ko"),
        ("칠월에 만나요", 7, "ko"),
        ("네 시에", 4, "ko"),
        ("네시에", 4, "ko"),
        ("스물두 살", 22, "ko"),
        ("zum dritten Mal", 3, "de"),
        ("quinze jours", 15, "fr"),
        ("el segundo piso", 2, "es"),
        ("forty-five minutes", 45, "en"),
        ("forty-one", 41, "en"),
        ("fünfundvierzig Minuten", 45, "de"),
        ("cuarenta y cinco", 45, "es"),
        ("마흔다섯 살", 45, "ko"),
        ("사십오 분", 45, "ko"),
        ("Sixty", 60, "en"),
        ("sixtieth", 60, "en"),
        ("seventh", 7, "en"),
        ("achten", 8, "de"),
        ("half past seven", 30, "en"),
        ("일곱 시 반", 30, "ko"),
        ("마흔 살", 40, "ko"),
        ("오월 오일", 5, "ko"),
        ("이십일일에", 21, "ko"),
        ("두개", 2, "ko"),
        ("sixième", 6, "fr"),
        ("einen Apfel", 1, "de"),
        ("der elfte Mann", 11, "de"),
        ("ein elfjähriger Junge", 11, "de"),
    ],
)
def test_words_that_say_a_number(text: str, number: int, language: str) -> None:
    assert spells(text, number, language) is True


@pytest.mark.parametrize(
    ("text", "number", "language"),
    [
        ("I bought eight apples.", 7, "en"),
        ("an often listened story", 10, "en"),
        ("네가 왔다", 4, "ko"),
        ("한국은 크다", 1, "ko"),
        ("", 7, "de"),
        ("forty-two minutes", 45, "en"),
        ("forty-five", 44, "en"),
        ("forty-six", 49, "en"),
        ("forty apples", 41, "en"),
        ("forty-five", 40, "en"),
        ("마흔일곱 살", 41, "ko"),
        ("사십 개이다", 42, "ko"),
        ("seventy", 7, "en"),
        ("twenty-five", 5, "en"),
        ("seventeen", 7, "en"),
        ("achtzehn", 8, "de"),
        ("achtzig", 8, "de"),
        ("fifty-five", 45, "en"),
        ("열 오일이에요", 5, "ko"),
        ("서른 십삼 살", 13, "ko"),
        ("십오일일이에요", 15, "ko"),
        ("두부를 썰어요", 2, "ko"),
        ("사장님", 4, "ko"),
        ("Maria", 3, "en"),
        ("a tent", 10, "en"),
        ("twenty-five years old", 20, "en"),
        ("이십 분", 2, "ko"),
        ("구만 말을", 9, "ko"),
        ("시 반에", 10, "ko"),
        ("이 사람", 2, "ko"),
    ],
)
def test_words_that_do_not(text: str, number: int, language: str) -> None:
    assert spells(text, number, language) is False


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("We traveled for 6 hours.", False),
        ("6 days", True),
        ("May 6", True),
        ("16 hours", True),
        ("May 6 is free", True),
        ("6 newspapers", False),
        ("at half past 6.", False),
        ("on the 6 of May", True),
        ("6 June", True),
        ("on 6 and 7 June", True),
        ("on the 6th", True),
        ("", True),
    ],
)
def test_a_korean_day_does_not_say_how_many_of_something_else(source: str, says: bool) -> None:
    assert spells("육일이에요", 6, "ko", source) is says


@pytest.mark.parametrize(("number", "language"), [(100, "en"), (75, "fr"), (7, "hu"), (7, ""), (-1, "ko")])
def test_where_no_words_are_known_nothing_is_said(number: int, language: str) -> None:
    assert spells("seven", number, language) is None
    assert spelled(number, language) == []


def test_korean_has_two_usual_ways() -> None:
    assert spelled(7, "en") == ["seven"]
    assert spelled(7, "ko") == ["일곱", "칠"]
    assert spelled(31, "ko-KR") == ["서른한", "삼십일"]


def test_small_numbers_are_put_in_words() -> None:
    text = "45 apples, 3 pears, 3,000 won at 3:15, 2.5 and 100"
    assert in_words(text, "en") == ["forty-five apples, three pears, 3,000 won at 3:15, 2.5 and 100"]
    assert in_words("사과 7 개와 45 권", "ko") == ["사과 일곱 개와 마흔다섯 권", "사과 칠 개와 사십오 권"]
    assert in_words("77 Sachen", "de") == ["siebenundsiebzig Sachen"]
    assert in_words("40 Sachen", "de") == ["vierzig Sachen"]
    assert in_words("7 alma", "hu") == []
    assert in_words("7", "") == []
    assert in_words("no number, 1000", "en") == []


@pytest.mark.parametrize(
    ("text", "number", "said"),
    [
        ("톰은 스물다섯 살이에요.", 20, False),
        ("톰은 스물 살이 넘었어요.", 20, True),
        ("열다섯 명이 왔어요.", 10, False),
        ("열 명이 왔어요.", 10, True),
        ("열심히 일했어요.", 10, False),
    ],
)
def test_tens_are_no_part_of_another_number_or_word(text: str, number: int, said: bool) -> None:
    assert spells(text, number, "ko") is said
