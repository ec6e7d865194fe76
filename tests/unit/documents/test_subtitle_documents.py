"""Subtitles: timings, numbers and settings stay; sentences are whole, and laid out over lines and cues again."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from translators import Noting, backwards, same, turned

from onmal.documents import translate_document
from onmal.errors import DataError

SRT = """\
1
00:00:01,000 --> 00:00:02,500
{\\an8}<i>I went to the market</i>
<i>with my old friend</i>

2
00:00:02,600 --> 00:00:04,000 X1:0
because it was
raining.

3
00:00:05,000 --> 00:00:06,000
- Hello there, Mr.
Smith.
- <b>Hi!</b> How are you?

4
00:00:07,000 --> 00:00:08,000
no full stop

5
00:00:08,000 --> 00:00:09,000
and none here

6
00:00:09,000 --> 00:00:10,000
♪ 2024 ♪
"""
VTT = """\
WEBVTT - a title

NOTE a note
of two lines

STYLE
::cue { color: red }

intro
00:01.000 --> 00:02.500 align:start
<v Fred Jones>Hi, my &amp; your

00:00:02.500 --> 00:00:04.000
<v Fred Jones>name is <c.yellow>Fred</c>.
<v Bob>Mine is <00:00:03.000>not.
"""


def translated(text: str, translate: object = turned, suffix: str = ".srt") -> str:
    return translate_document(text.encode(), suffix, translate).content.decode()  # type: ignore[arg-type]


def test_what_is_handed_over() -> None:
    noting = Noting(same)
    assert translated(SRT, noting) == SRT
    assert translated(VTT, noting, ".vtt") == VTT
    assert noting.asked == [
        "<x1>I went to the market with my old friend</x1> because it was raining.",
        "- Hello there, Mr. Smith.",
        "- <x1>Hi!</x1> How are you?",
        "no full stop",
        "and none here",
        "Hi, my & your name is <x1>Fred</x1>.",
        "Mine is <x1/>not.",
    ]


def test_subtitles_in_another_language() -> None:
    expected = SRT
    for old, new in [
        ("I went to the market", "i WENT TO THE MARKET"),
        ("with my old friend", "WITH MY OLD FRIEND"),
        ("because it was\nraining.", "BECAUSE IT\nWAS RAINING."),
        ("- Hello there, Mr.\nSmith.", "- hELLO THERE,\nmR. sMITH."),
        ("Hi!</b> How are you?", "hI!</b> hOW ARE YOU?"),
        ("no full stop", "NO FULL STOP"),
        ("and none here", "AND NONE HERE"),
    ]:
        assert old in expected
        expected = expected.replace(old, new)
    assert translated(SRT) == expected
    assert translated(VTT, suffix=".vtt") == (
        VTT.replace("Hi, my &amp; your", "hI, MY &amp; YOUR")
        .replace("name is <c.yellow>Fred</c>.", "NAME IS <c.yellow>fRED</c>.")
        .replace("Mine is <00:00:03.000>not.", "mINE IS <00:00:03.000>NOT.")
    )


def cues(*texts: str) -> str:
    return "\r\n\r\n".join(
        f"{n}\r\n00:00:0{n},0 --> 00:00:0{n},9\r\n{text}" for n, text in enumerate(texts, 1)
    )


@pytest.mark.parametrize(
    ("source", "answer", "expected"),
    [
        (["I went to the\r\nmarket."], "갔다.", ["갔다."]),
        (["나는 간다\r\n시장에."], "I am going to the market now.", ["I am going to\r\nthe market now."]),
        (["one two", "three."], "하나", ["하나", "하나"]),
        (["one two", "three."], "하나 둘 셋", ["하나", "둘 셋"]),
        (["今日は天気が", "いいですね。"], "It is fine, today.", ["It is fine,", "today."]),
        (["It is", "fine today."], "今日は天気がいい。", ["今日は", "天気がいい。"]),
        (["<i>a b", "c.</i>"], "하나 둘 셋", ["<i>하나", "둘 셋</i>"]),
        (["<i>a b</i>", "<i>c.</i>"], "하나 둘 셋", ["<i>하나</i>", "<i>둘 셋</i>"]),
        (["<i>a b</i>", "<i>c d</i> e."], "<x1>하나 둘 셋 넷</x1> 다섯", ["<i>하나</i>", "<i>둘 셋 넷</i> 다섯"]),
        (["<i>a b</i>", "<i>c d</i> e."], "다섯 <x1>하나 둘 셋 넷</x1>", ["다섯", "<i>하나 둘 셋 넷</i>"]),
        (["a --> b"], "가 --> 나", ["가 → 나"]),
        (["one"], "하나\n\n둘", ["하나 둘"]),
    ],
)  # fmt: skip
def test_how_a_translation_is_laid_out(source: list[str], answer: str, expected: list[str]) -> None:
    text = cues(*source)
    assert translated(text, lambda texts: [answer for _ in texts]) == cues(*expected)


def test_blank_lines_in_a_cue_and_none_between_cues() -> None:
    text = "1\n00:00:01,0 --> 00:00:02,0\none\n\ntwo\n2\n00:00:02,0 --> 00:00:03,0\nthree\n\n\n3\n00:00:05,0 --> 00:00:06,0\n\nfour"
    noting = Noting()
    assert translated(text, noting) == re.sub("one|two|three|four", lambda word: word[0].upper(), text)
    assert noting.asked == ["one two", "three", "four"]


@pytest.mark.parametrize(
    ("text", "suffix"), [("1\nno timing\n", ".srt"), ("1\n00:01.0 --> 00:02.0\na", ".vtt")]
)
def test_what_is_no_subtitle_is_refused(text: str, suffix: str) -> None:
    with pytest.raises(DataError):
        translated(text, same, suffix)


LINES = st.lists(
    st.sampled_from(
        [
            "one two three",
            "넷 다섯",
            "<i>six</i>",
            "seven.",
            "- eight",
            "<b>nine</b> ten.",
            "{\\an8}x",
            "12",
            "♪ la ♪",
        ]
    ),
    min_size=1,
    max_size=3,
).map("\r\n".join)
SUBTITLES = st.lists(LINES, min_size=1, max_size=6).map(lambda texts: cues(*texts))
TIMING = re.compile(r"(?m)^\d+\r\n[\d:,]+ --> [\d:,]+$")


@given(SUBTITLES)
def test_timings_stay_whatever_is_said(text: str) -> None:
    assert translated(text, same) == text
    moved = translated(text, backwards)
    assert TIMING.findall(moved) == TIMING.findall(text)
    words = re.compile(r"[^\W\d]\w+")
    assert set(words.findall(moved)) == set(words.findall(text))
    assert all(moved.count(f"<{tag}>") == moved.count(f"</{tag}>") for tag in "ib")


PARTS = [*"<>{}\\-:,.\n ", "\r\n", "\n\n", "a", "가", "1\n", "00:00:01,000 --> 00:00:02,000\n", "<i>", "</i>", "{\\an8}", "WEBVTT", "NOTE\n", "<v A>", "&amp;"]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS)).map("".join))
def test_any_subtitles_come_back_as_they_were(text: str) -> None:
    for start, suffix in (("WEBVTT\n\n", ".vtt"), ("00:00:01,000 --> 00:00:02,000\n", ".srt")):
        assert translated(start + text, same, suffix) == start + text


@pytest.mark.parametrize("part", ["a ", "<i>", "<i>a\n", "a\n", "00:01.0 --> 00:02.0\na\n", "{\\", "\n"])
def test_long_subtitles_take_no_time(part: str) -> None:
    text = "00:01.0 --> 00:02.0\n" + part * (40_000 // len(part)) + "end"
    assert translated(text, same) == text
