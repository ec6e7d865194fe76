"""korean: sentences without full stops come apart, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onmal.text import korean
from onmal.text.korean import split_korean
from onmal.text.segment import Segment

UNPUNCTUATED = "나는 학교에 갔어요 친구를 만났어요  재밌었어요 그런데 비가 왔어요"


def test_sentences_without_full_stops_come_apart() -> None:
    assert split_korean(UNPUNCTUATED) == [
        Segment("나는 학교에 갔어요", " "),
        Segment("친구를 만났어요", "  "),
        Segment("재밌었어요", " "),
        Segment("그런데 비가 왔어요", ""),
    ]


@settings(max_examples=50, deadline=None)
@given(
    st.text(st.sampled_from("가나다요. \n\t?!a1학교에갔어🙂\u200b"), min_size=1).map(str.strip).filter(bool)
)
def test_no_character_is_lost(text: str) -> None:
    assert "".join(piece.text + piece.gap for piece in split_korean(text)) == text


def test_other_languages_are_left_alone() -> None:
    text = "I went to school I met a friend"
    assert split_korean(text) == [Segment(text)]


def test_without_the_extra_the_text_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(korean, "_kiwi", lambda: None)
    assert split_korean(UNPUNCTUATED) == [Segment(UNPUNCTUATED)]
