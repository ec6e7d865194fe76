"""Languages are told by script where it suffices, by n-grams where it does not, and never more surely than is honest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onmal.serving.detecting import Detector

SEVERAL = Detector(["ko", "en", "de", "fr", "zh", "ja", "ru"])
TWO = Detector(["ko", "en"])


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("내일 학교에 가요.", "ko"),
        ("I met a friend at the market yesterday.", "en"),
        ("Ich gehe heute mit meinem Bruder in die Schule.", "de"),
        ("Bonjour tout le monde, je suis très content.", "fr"),
        ("我昨天在市场遇到了一个朋友。", "zh"),
        ("昨日、市場で友達に会いました。", "ja"),
        ("Вчера я встретил друга на рынке.", "ru"),
        ("나는 iPhone을 샀다.", "ko"),
    ],
)
def test_whole_sentences(text: str, language: str) -> None:
    best, second, *_ = SEVERAL(text)
    assert best.language == language
    assert best.confidence > 0.5 > second.confidence


def test_a_word_is_less_sure_than_a_sentence() -> None:
    word, sentence = TWO("Thanks")[0], TWO("Thank you very much for your help.")[0]
    assert word.language == sentence.language == "en"
    assert word.confidence < 0.8 < sentence.confidence


def test_another_language_of_the_script_is_not_taken_for_the_served_one() -> None:
    found = TWO("Bonjour tout le monde, je suis très content.")
    assert found[0].language == "en"  # nothing else here is in Latin letters
    assert found[0].confidence < 0.2


def test_korean_needs_no_second_opinion() -> None:
    assert [(each.language, each.confidence) for each in TWO("가")] == [("ko", 1.0), ("en", 0.0)]


@pytest.mark.parametrize("text", ["", "123", "😀", " \n", "\ud800"])
def test_no_letters_no_idea(text: str) -> None:
    assert [each.confidence for each in SEVERAL(text)] == [0.0] * 7


def test_variants_of_a_language_share_its_likelihood() -> None:
    found = {
        each.language: each.confidence
        for each in Detector(["zh", "zh-Hant", "ko"])("我昨天在市场遇到了朋友。")
    }
    assert found["zh"] == found["zh-Hant"] > 0.3


@given(st.text())
def test_any_text_has_every_language_once_and_confidences_that_are_shares(text: str) -> None:
    found = SEVERAL(text)
    assert sorted(each.language for each in found) == sorted(SEVERAL.languages)
    assert all(0 <= each.confidence <= 1 for each in found)
    assert sum(each.confidence for each in found) <= 1 + 1e-6
    assert found[0].confidence == max(each.confidence for each in found)
