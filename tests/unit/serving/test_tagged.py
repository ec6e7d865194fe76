"""Elements that are not to be translated, and tags that divide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onmal.serving.tagged import cut_at, keep_elements, put_elements_back
from onmal.text.fragments import find_fragments


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('Press <x id="1">Enter</x> now', ['<x id="1">Enter</x>']),
        ('<x id="1"></x>Hi<x id="2"/>', ['<x id="1"></x>', '<x id="2"/>']),
        ("a <x>b <x>c</x> d</x> e", ["<x>b <x>c</x> d</x>"]),
        ("a <x>b <y>c</y></x> d", ["<x>b <y>c</y></x>"]),
        ("a <x>b\nc</x> d", ["<x>b\nc</x>"]),
        ("never closed <x>b", []),
        ("never opened b</x>", []),
        ("another <b>tag</b>", []),
    ],
)
def test_an_element_is_kept_whole(text: str, kept: list[str]) -> None:
    without, elements = keep_elements(text, {"x", "y"})
    assert list(elements.values()) == kept
    assert all(element not in without for element in kept)
    assert put_elements_back(without, elements) == text


def test_what_stands_for_an_element_is_something_that_no_network_touches() -> None:
    without, elements = keep_elements("A <x>b</x> c <keep-0/>", {"x"})
    assert len(elements) == 1
    assert [without[start:end] for _, start, end in find_fragments(without)] == [*elements, "<keep-0/>"]


MARKED = st.lists(
    st.sampled_from(["<x>", "</x>", "<y a='1'>", "</y>", "<p>", "</p>", "<x/>", "<keep-0/>", "word ", "\n"])
)


@given(MARKED.map("".join))
def test_every_text_can_be_put_together_again(text: str) -> None:
    assert put_elements_back(*keep_elements(text, {"x", "y"})) == text
    assert "".join(cut_at(text, {"p"})) == text


def test_a_text_is_cut_before_and_after_each_dividing_tag() -> None:
    assert cut_at("<d><p>One.</p><p>Two <b>bold</b>.</p></d>", {"p"}) == [
        "<d>", "<p>", "One.", "</p>", "<p>", "Two <b>bold</b>.", "</p>", "</d>",
    ]  # fmt: skip
    assert cut_at("plain", {"p"}) == ["plain"]
    assert cut_at("", {"p"}) == []
