"""Each filter finds its own fault and leaves sound text of many kinds alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onmal.cleaning.clean import default_filters
from onmal.cleaning.filters import (
    BrokenEncoding,
    Duplicate,
    Empty,
    Filter,
    Identical,
    LengthRatio,
    NumbersDiffer,
    SwappedSides,
    TooLong,
    UnrelatedNumbers,
    WrongScript,
)
from onmal.data.pair import Pair
from onmal.errors import LanguageError

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def finds(check: Filter, source: str, target: str) -> bool:
    return check(Pair(source, target)) is not None


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ("", "a", "the source is empty"),
        ("가", " \t\u3000", "the target is empty"),
        ("", "\u00a0", "both sides are empty"),
        ("가", "a", None),
    ],
)
def test_empty(source: str, target: str, reason: str | None) -> None:
    assert Empty()(Pair(source, target)) == reason


@given(st.lists(st.tuples(st.sampled_from("가나다 "), st.sampled_from("ab "))))
def test_duplicate_keeps_the_first_of_each_pair(rows: list[tuple[str, str]]) -> None:
    check = Duplicate()
    kept = [row for row in rows if not finds(check, *row) and any(map(str.strip, row))]
    assert kept == list(dict.fromkeys(row for row in rows if any(map(str.strip, row))))


def test_duplicate_tells_sides_apart_and_ignores_white_space_around_them() -> None:
    check = Duplicate()
    assert not finds(check, "ab", "c")
    assert not finds(check, "a", "bc")
    assert finds(check, " ab\t", "c ")


def test_identical_text_is_untranslated_but_numbers_and_signs_may_be_the_same() -> None:
    assert finds(Identical(), "Kubernetes", " Kubernetes")
    assert not finds(Identical(), "2,000 → 3,000", "2,000 → 3,000")
    assert not finds(Identical(), "Kubernetes", "kubernetes")


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("확인", "OK"),
        ("네.", "Yes, I will be there in a minute."),
        ("이 파일은 너무 커서 열 수 없습니다.", "This file is too large to open."),
        ("我们明天去北京。", "We are going to Beijing tomorrow."),
        ("Ja", "Yes, of course."),
    ],
)
def test_length_ratio_lets_translations_pass(source: str, target: str) -> None:
    assert not finds(LengthRatio(), source, target)
    assert not finds(LengthRatio(), target, source)


def test_length_ratio_finds_a_lost_sentence() -> None:
    long = "The talks will come a day before the deadline to submit the names of all competitors. " * 2
    assert LengthRatio()(Pair("회담이 열린다.", long)) == "the target is 7 times as long"
    assert finds(LengthRatio(), long, "회담이 열린다.")


def test_too_long_counts_characters_and_words() -> None:
    assert TooLong()(Pair("가" * 1201, "a")) == "the source has 1,201 characters"
    assert TooLong()(Pair("가", "a bc " * 201)) == "the target has 402 words"
    assert not finds(TooLong(), "가" * 1200, "word " * 200)


SOUND = [
    ("ko", "en", "안녕하세요", "Hello"),
    ("ko", "en", "Ctrl+Alt+Delete를 누르세요", "Press Ctrl+Alt+Delete"),
    ("ko", "en", "OK", "OK"),
    ("ko", "en", "123", "123"),
    ("ko", "en", "대한민국(大韓民國)", "Republic of Korea (大韓民國)"),
    ("en", "ko", "The Korean word for apple is “사과”.", "사과는 영어로 apple이다."),
    ("ja", "zh-Hans", "東京へ行きます。", "我要去东京。"),
    ("ja", "zh", "東京", "东京"),
    ("ru", "de", "Где вокзал?", "Wo ist der Bahnhof? Größe: 5 µm, 90°"),
    ("sr", "en", "Добар дан", "Good day"),
    ("sr-Latn", "en", "Dobar dan", "Good day"),
    ("el", "ar", "Καλημέρα κόσμε", "صباح الخير يا عالم"),
    ("x-own", "en", "ꦲꦏ꧀ꦱꦫ", "script"),
    ("vi", "th", "Tiếng Việt rất đẹp", "ภาษาไทยสวยมาก"),
]


@pytest.mark.parametrize(("source_language", "target_language", "source", "target"), SOUND)
def test_text_in_its_own_script_passes(
    source_language: str, target_language: str, source: str, target: str
) -> None:
    assert not finds(WrongScript.between(source_language, target_language), source, target)
    assert not finds(SwappedSides.between(source_language, target_language), source, target)


@pytest.mark.parametrize(
    ("source_language", "target_language", "source", "target", "side"),
    [
        ("ko", "en", "Not translated", "Not translated either", "source"),
        ("ko", "en", "안녕하세요", "안녕하세요 여러분", "target"),
        ("ko", "en", "안녕하세요", "Python은 좋은 언어입니다", "target"),
        ("ko", "en", "これは日本語です", "This is Japanese", "source"),
        ("ko", "zh", "안녕하세요", "これは日本語ですよ", "target"),
        ("sr-Latn", "en", "Добар дан", "Good day", "source"),
        ("de", "en", "Где вокзал?", "Where is the station?", "source"),
    ],
)
def test_a_side_in_another_script_is_found(
    source_language: str, target_language: str, source: str, target: str, side: str
) -> None:
    reason = WrongScript.between(source_language, target_language)(Pair(source, target))
    assert reason is not None
    assert f"the {side} is not in the script of" in reason
    assert not finds(SwappedSides.between(source_language, target_language), source, target)


def test_swapped_sides_are_their_own_fault() -> None:
    assert finds(SwappedSides.between("ko", "en"), "Good morning", "안녕하세요")
    assert not finds(WrongScript.between("ko", "en"), "Good morning", "안녕하세요")
    assert not finds(SwappedSides.between("en", "de"), "Guten Morgen", "Good morning")


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(LanguageError):
        WrongScript.between("korean!", "en")


KOREAN = "이 문서는 설치 방법을 설명합니다."


@pytest.mark.parametrize(
    "text",
    [
        KOREAN.encode().decode("cp1252", "ignore"),
        KOREAN.encode().decode("latin-1"),
        KOREAN.encode("cp949").decode("cp1252"),
        KOREAN.encode().decode("cp949", "replace"),
        KOREAN.encode().decode("shift_jis", "replace"),
        "Café Müller".encode().decode("cp1252"),
        "Café Müller".encode().decode("cp949", "ignore"),
        "It’s “here” …".encode().decode("cp1252", "ignore"),
        "Привет".encode().decode("cp1252", "ignore"),
        "日本語".encode().decode("cp1252", "ignore"),
        "\ufffd".encode().decode("cp949", "replace"),
        "占쏙옙 파일",
        "a\ud800b",
        "a\ue000b",
        "a\x00b",
        "a\x1bb",
        "\x93quoted\x94",
    ],
)
def test_broken_encoding_is_found_on_either_side(text: str) -> None:
    assert finds(BrokenEncoding(), text, "fine")
    assert finds(BrokenEncoding(), "fine", text)


@pytest.mark.parametrize(
    "text",
    [
        KOREAN,
        "여러 줄의\n글과\t탭",
        "»Wie groß!« – „ß“, Äpfel, Öl, Übermut, naïve Façade",
        "« Voilà ! »\u00a0: l’été déjà\u00a0»",
        "NÃO, MAÇÃS E PÃES; À LUZ",
        "Größe 5×3 m², 20 °C ± 2, ½ Þór Ðɑ",
        "¿Qué? ¡Olé!",
        "👩‍👩‍👧 ½ ™ © 2024 – € 5",
        "Ελληνικά, Русский, العربية, עברית, ไทย, 日本語, 中文, हिन्दी",
        "API체계와 A체형, B철도",
        "縺れる糸",
    ],
)
def test_sound_text_is_not_called_broken(text: str) -> None:
    assert not finds(BrokenEncoding(), text, text)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("1,000원과 2.5kg", "1.000 won and 2,5 kg"),
        ("1 000 000".replace(" ", "\u202f"), "1,000,000"),
        ("3만 원", "30,000 won"),
        ("1억 2천만 달러", "$120 million"),
        ("5월 3일", "May 3"),
        ("3개", "three"),
        ("20달러", "twenty dollars"),
        ("16진수", "hexadecimal"),
        ("2,00 Euro", "2 euros"),
        ("2012년 1월 2일", "2012-01-02"),
        ("٣٥ كتابا", "35 books"),
        ("숫자 없음", "No numbers"),
        ("1" * 10_000, "1" * 10_000),
    ],
)
def test_numbers_that_mean_the_same_are_not_doubted(source: str, target: str) -> None:
    for check in (NumbersDiffer(), UnrelatedNumbers()):
        assert not finds(check, source, target)
        assert not finds(check, target, source)


@pytest.mark.parametrize(
    ("source", "target", "unrelated"),
    [
        ("231달러입니다.", "It is $239.", True),
        ("2024년에 500명", "500 people", False),
        ("1999년에 만났지만 잊었다", "We met, but I forgot", False),  # 만 is no number here
        ("사과 5개", "6 apples", False),
        ("9" * 6000 + "3", "9" * 6000 + "4", False),
    ],
)
def test_numbers_that_differ(source: str, target: str, unrelated: bool) -> None:
    different = source[:1000] != target[:1000]  # only the first thousand digits of a number count
    assert finds(NumbersDiffer(), source, target) == different
    assert finds(UnrelatedNumbers(), source, target) == unrelated


@given(TEXT, TEXT)
def test_no_text_makes_a_filter_fail(source: str, target: str) -> None:
    for check in [*default_filters("ko", "en"), *default_filters("ja", "x-own"), NumbersDiffer()]:
        reason = check(Pair(source, target))
        assert reason is None or (reason and "\n" not in reason)
