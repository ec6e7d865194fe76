"""language: one spelling per code, helpful refusals, scripts counted, and no guess where there is no evidence."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onmal.errors import LanguageError
from onmal.text import language as languages
from onmal.text.language import (
    canonical,
    count_scripts,
    detect,
    direction_tag,
    known,
    name,
    primary,
    script_of,
    writes_spaces,
)

ISO_15924 = set(languages._SCRIPT_OF_NAME.values())


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("ko", "ko"),
        ("KOR", "ko"),
        (" ko_KR ", "ko-KR"),
        ("kor_Hang", "ko"),
        ("jpn_Jpan", "ja"),
        ("eng_Latn", "en"),
        ("zho_Hans", "zh-Hans"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("cmn", "zh"),
        ("zh-yue", "yue"),
        ("iw", "he"),
        ("pt_br", "pt-BR"),
        ("es-419", "es-419"),
        ("sr-latn", "sr-Latn"),
        ("de-CH-1996", "de-CH-1996"),
        ("X-Jeju", "x-jeju"),
        ("en-x-legal", "en-x-legal"),
    ],
)
def test_canonical(written: str, code: str) -> None:
    assert canonical(written) == code
    assert canonical(code) == code


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("kr", '"ko" (Korean)'),
        ("jp", '"ja" (Japanese)'),
        ("cn", '"zh" (Chinese)'),
        ("br", '"pt-BR" (Portuguese (BR))'),
        ("korean", '"ko" (Korean)'),
        ("한국어", '"ko" (Korean)'),
        ("Germann", '"de" (German)'),
        ("en--US", '"en" (English)'),
        ("jje", '"x-jje"'),
        ("", "BCP 47"),
        ("12", "BCP 47"),
        ("../../", "BCP 47"),
        ("x-../..", "a language of your own"),
    ],
)
def test_unknown_codes_are_refused_with_a_way_out(written: str, hint: str) -> None:
    with pytest.raises(LanguageError) as refusal:
        canonical(written)
    assert repr(written) in refusal.value.what
    assert hint in refusal.value.remedy


@given(st.text(max_size=12) | st.from_regex(r"[a-zA-Z]{1,4}([-_][a-zA-Z0-9]{1,8}){0,3}", fullmatch=True))
def test_canonical_is_stable_or_refuses(written: str) -> None:
    try:
        code = canonical(written)
    except LanguageError:
        return
    assert canonical(code) == code
    assert canonical(code.upper()) == code
    assert canonical(code.replace("-", "_")) == code
    assert canonical(primary(code)) == primary(code)


def test_the_table_is_sound() -> None:
    assert len(known()) >= 60
    assert known() == sorted(known())
    aliases = [alias for language in languages._LANGUAGES.values() for alias in language.aliases.split()]
    assert len(aliases) == len(set(aliases))
    assert not set(aliases) & set(known())
    assert (
        len({name(code) for code in known()}) == len({name(code, "ko") for code in known()}) == len(known())
    )
    for code in known():
        assert script_of(code) <= ISO_15924
        assert canonical(code) == primary(code) == code
        # German is written in Latin letters, in its English name; 독일어 in Hangul.
        for said, script in ((name(code), "Latn"), (name(code, "ko"), "Hang")):
            assert Counter(count_scripts(said)).most_common(1)[0][0] == script


def test_names() -> None:
    assert name("ko") == "Korean"
    assert name("ko", "ko") == "한국어"
    assert name("zh_hant", "ko") == "중국어(번체)"
    assert name("pt-BR") == "Portuguese (BR)"
    assert name("x-jeju") == "jeju"


def test_direction_tag() -> None:
    assert direction_tag("KOR") == "<2ko>"
    assert direction_tag("zh-hant") == "<2zh-Hant>"


def test_scripts_and_spaces() -> None:
    assert script_of("ko") == {"Hang"}
    assert script_of("ja") == {"Hani", "Hira", "Kana"}
    assert script_of("sr") == {"Cyrl", "Latn"}
    assert script_of("sr-Latn") == {"Latn"}
    assert script_of("zh-Hant") == {"Hani"}
    assert script_of("x-jeju") == frozenset()
    assert writes_spaces("ko")
    assert writes_spaces("x-jeju")
    assert not any(map(writes_spaces, ("ja", "zh-Hans", "th")))


def test_count_scripts() -> None:
    assert count_scripts("안녕 Hello, 東京に行くカー 123 ﾊﾝ Ａ!") == {
        "Hang": 2,
        "Latn": 6,
        "Hani": 3,
        "Hira": 2,
        "Kana": 4,
    }
    assert count_scripts("42 — €3.50 👍\u200d\ufe0f\n") == {}
    assert count_scripts("ᚠᚢ") == {"Zzzz": 2}
    assert count_scripts("e\u0301") == {"Latn": 1}


@given(st.text(), st.text())
def test_counts_add_up(first: str, second: str) -> None:
    assert Counter(count_scripts(first)) + Counter(count_scripts(second)) == Counter(
        count_scripts(first + second)
    )
    assert sum(count_scripts(first).values()) <= len(first)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("나는 학교에 갑니다.", "ko"),
        ("Python에서 TensorFlow를 설치합니다.", "ko"),
        ("I go to school.", "en"),
        ("I ate 김치 for lunch yesterday.", "en"),
        ("学校に行きます。", "ja"),
        ("我今天早上和朋友一起去学校学习了很久然后回家吃饭。", "zh"),
        ("Я иду в школу.", "ru"),
    ],
)
def test_detect_by_script(text: str, code: str) -> None:
    (best, confidence), *others = detect(text, ["en", "zh", "ja", "ko", "ru"])
    assert best == code
    assert 0 < confidence <= 1
    assert all(rest == 0 for _, rest in others)


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("Hallo", ["en", "de"]),
        ("123 !", ["ko", "en"]),
        ("", ["ko", "en"]),
        ("東京", ["ja", "zh"]),
        ("안녕", ["en", "ru"]),
    ],
)
def test_detect_does_not_guess(text: str, candidates: list[str]) -> None:
    assert detect(text, candidates) == [(code, 0.0) for code in candidates]


def test_detect_of_no_candidates_and_of_one() -> None:
    assert detect("안녕", []) == []
    assert detect("안녕", ["KOR"]) == [("ko", 1.0)]
