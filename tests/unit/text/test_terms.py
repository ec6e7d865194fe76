"""terms: a term is found with what its language hangs on it, and not within another word."""

from __future__ import annotations

import pytest

from onmal.text.terms import says, without


@pytest.mark.parametrize(
    ("text", "term", "language"),
    [
        ("저는 학교에서 왔어요.", "학교", "ko"),
        ("학교는 커요.", "학교", "ko"),
        ("학교에서는 조용해요.", "학교", "ko"),
        ("친구들에게도 말했어요.", "친구", "ko"),
        ("여기가 학교입니다.", "학교", "ko"),
        ("여기가 학교예요", "학교", "ko"),
        ("'학교'라고 했어요.", "학교", "ko"),
        ("서울 역까지 가요.", "서울 역", "ko"),
        ("서울   역", "서울 역", "ko"),
        ("Two Dogs bark.", "dog", "en"),
        ("The dog's bowl", "dog", "en"),
        ("three boxes", "box", "en"),
        ("I use C++ daily", "C++", "en"),
        ("Er mag den Hund.", "Hund", "de"),
        ("我去学校。", "学校", "zh"),
        ("学校へ行く", "学校", "ja"),
    ],
)
def test_a_term_is_found(text: str, term: str, language: str) -> None:
    assert says(text, term, language)


@pytest.mark.parametrize(
    ("text", "term", "language"),
    [
        ("눈물이 나요.", "눈", "ko"),
        ("대학교에 가요.", "학교", "ko"),
        ("학교생활이 좋아요.", "학교", "ko"),
        ("A hotdog", "dog", "en"),
        ("dogma", "dog", "en"),
        ("Hunde", "Hund", "de"),
        ("", "dog", "en"),
        ("서울에 있는 역", "서울 역", "ko"),
    ],
)
def test_part_of_a_word_is_not_the_term(text: str, term: str, language: str) -> None:
    assert not says(text, term, language)


def test_a_term_is_taken_out_in_any_case() -> None:
    assert "earning" not in without("Machine Learning is fun", "machine learning", "en")
    assert without("learn it", "learning", "en") == "learn it"
