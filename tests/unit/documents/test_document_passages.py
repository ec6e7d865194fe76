"""passages and messages: a sentence goes out whole with its markup, and what comes back is put where it belongs."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from translators import Noting, backwards, same

from onmal.documents.message import Mark, Message, Piece, Text, partners, trimmed
from onmal.documents.passages import CannotBeWritten, Passage, translate_passages

MARKS = {
    "<b>": ("open", "b"),
    "</b>": ("close", "b"),
    "<i>": ("open", "i"),
    "</i>": ("close", "i"),
    "<!>": ("alone", ""),
    "[code]": ("word", ""),
    "|": ("break", ""),
}


def pieces_of(*parts: str) -> list[Piece]:
    """Pieces of a source that is its parts, joined."""
    found: list[Piece] = []
    at = 0
    for part in parts:
        kind, name = MARKS.get(part, (None, ""))
        span = (at, at + len(part))
        found.append(Mark(kind, name, *span) if kind else Text(part, *span))  # type: ignore[arg-type]
        at += len(part)
    return found


def said(pieces: list[Piece], source: str) -> str:
    return "".join(each.said if isinstance(each, Text) else source[each.start : each.end] for each in pieces)


def passage(*parts: str) -> tuple[str, Passage]:
    source, pieces = "".join(parts), pieces_of(*parts)
    return source, Passage(
        0,
        len(source),
        pieces,
        lambda found, source_of: "".join(
            each.said if isinstance(each, Text) else source_of(each) for each in found
        ),
    )


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (["Click ", "<b>", "here", "</b>", " now."], "Click <x1>here</x1> now."),
        (["Run ", "[code]", " in ", "<b>", "a ", "<i>", "b", "</i>", "</b>"], "Run {x1} in <x2>a <x3>b</x3></x2>"),
        (["Oh ", "<b>", "dear ", "</b>", "me"], "Oh <x1>dear</x1> me"),
        (["one", "|", "two"], "one <x1/> two"),
        (["a", "<!>", "b", "<b>", "c"], "a<x1/>b<x2/>c"),
        (["<x1> is ", "<b>", "a tag", "</b>"], "<x1> is <y1>a tag</y1>"),
        (["{x1} and <y2> and {z3} ", "<b>", "c", "</b>"], "{x1} and <y2> and {z3} <x0-1>c</x0-1>"),
    ],
)  # fmt: skip
def test_what_is_handed_over(parts: list[str], text: str) -> None:
    assert Message(pieces_of(*parts)).text == text


@pytest.mark.parametrize(
    ("parts", "kept"),
    [
        ([" ", "<b>", "all", "</b>", " "], ["all"]),
        (["<b>", "<i>", "all", "</i>", "</b>"], ["all"]),
        (
            ["<b>", "one", "</b>", " ", "<b>", "two", "</b>"],
            ["<b>", "one", "</b>", " ", "<b>", "two", "</b>"],
        ),
        (["<!>", " ", "one", "<!>"], ["one"]),
        (["[code]", " works"], ["[code]", " works"]),
        (["<b>", "</b>", "one ", "<i>", "<!>", "</i>"], ["one "]),
        (["<b>", "unclosed"], ["unclosed"]),
        (["closed", "</b>"], ["closed"]),
        (["<b>", " ", "</b>"], []),
    ],
)
def test_what_is_around_a_sentence_is_no_part_of_it(parts: list[str], kept: list[str]) -> None:
    source = "".join(parts)
    assert [source[each.start : each.end] for each in trimmed(pieces_of(*parts))] == kept


@pytest.mark.parametrize(
    "translation",
    [
        "<x1>a b",  # one is missing
        "<x1>a</x1></x1> <x2>b</x2>",  # one is doubled
        "<x1>a <x2>b</x1></x2>",  # they cross
        "</x1>a<x1> <x2>b</x2>",  # one is turned round
        "<x1>a</x1> <x2>b</x2> <x3>c</x3>",  # one is invented
    ],
)
def test_marks_that_did_not_survive_are_noticed(translation: str) -> None:
    message = Message(pieces_of("<b>", "a", "</b>", " ", "<i>", "b", "</i>"))
    assert message.read(translation) is None
    assert message.read("<x2>b</x2> <x1>a</x1>") is not None


@given(st.lists(st.sampled_from([*MARKS, "one", " two", "three ", " "]), max_size=12))
def test_marks_are_found_again_wherever_they_went(parts: list[str]) -> None:
    pieces = pieces_of(*parts)
    message = Message(pieces)
    [answer] = backwards([message.text])
    back = message.read(answer)
    assert back is not None
    marks = [[each for each in some if isinstance(each, Mark)] for some in (pieces, back)]
    assert sorted(marks[0], key=lambda mark: mark.start) == sorted(marks[1], key=lambda mark: mark.start)
    assert len(partners(back)) >= len(partners(pieces))  # two that had no partner may be a pair now


def test_lost_markup_is_told_and_the_text_kept() -> None:
    source, found = passage("Click ", "<b>", "here", "</b>", " now")

    def forgetful(texts: list[str]) -> list[str]:
        return [text.replace("<x1>", "").upper() for text in texts]

    [(text, warnings)] = translate_passages([(source, [found])], forgetful)  # type: ignore[arg-type]
    assert text == "CLICK <b>HERE</b> NOW"
    assert [place for place, _ in warnings] == ["line 1"]
    assert warnings[0].warning.startswith("markup: ")


def test_a_pair_that_is_around_nothing_is_told() -> None:
    source, found = passage("a ", "<b>", "b", "</b>")
    [(text, warnings)] = translate_passages([(source, [found])], lambda texts: ["b <x1></x1>a"])
    assert text == "b <b></b>a"
    assert len(warnings) == 1


def test_each_text_is_translated_once_and_white_space_stays() -> None:
    sources = [("\n\n one ", "one"), ("one", "one"), ("two\n", "two")]
    passages = []
    for source, _ in sources:
        _, found = passage(source)
        passages.append((source, [found]))
    noting = Noting(lambda texts: [f"{text.upper()}\n" for text in texts])
    results = translate_passages(passages, noting)
    assert noting.asked == ["one", "two"]
    assert [text for text, _ in results] == ["\n\n ONE ", "ONE", "TWO\n"]


def test_nothing_is_asked_where_there_is_nothing_to_say() -> None:
    source, found = passage("12 ", "[code]", " — 3.5 %")
    [(text, warnings)] = translate_passages([(source, [found])], lambda texts: pytest.fail("asked"))
    assert (text, warnings) == (source, [])


def test_an_empty_translation_loses_no_text() -> None:
    source, found = passage("one")
    [(text, warnings)] = translate_passages([(source, [found])], lambda texts: [""])
    assert text == "one"
    assert warnings[0].warning.startswith("empty: ")


def test_a_passage_in_a_mark_of_another() -> None:
    source = "a <img alt=cat> b"
    inner = Passage(11, 14, [Text("cat", 11, 14)], lambda found, source_of: "CAT")
    pieces = [Text("a ", 0, 2), Mark("alone", "", 2, 15), Text(" b", 15, 17)]
    _, outer = passage(source)
    outer = Passage(0, 17, pieces, outer.write)
    [(text, _)] = translate_passages(
        [(source, [inner, outer])], lambda texts: [{"cat": "dog"}.get(each, "b <x1/> a") for each in texts]
    )
    assert text == "b <img alt=CAT> a"


def test_what_cannot_be_written_stays_and_is_told() -> None:
    def refuse(found: object, source_of: object) -> str:
        raise CannotBeWritten("there is no such letter")

    passage_ = Passage(0, 3, [Text("one", 0, 3)], refuse, "cell 3")
    [(text, warnings)] = translate_passages([("one", [passage_])], lambda texts: ["하나"])
    assert text == "one"
    assert warnings == [("cell 3", "not written: there is no such letter")]


def test_warnings_of_translations_are_told_with_their_places() -> None:
    @dataclass(frozen=True)
    class Translation:
        text: str
        warnings: tuple[str, ...]

    source, found = passage("one 7")
    answer = Translation("하나", ("numbers: lost 7",))
    [(text, warnings)] = translate_passages([(source, [found])], lambda texts: [answer])
    assert (text, warnings) == ("하나", [("line 1", "numbers: lost 7")])


def test_nothing_changes_where_the_translation_is_the_same() -> None:
    source, found = passage("a  <b", "<b>", " c ", "</b>")
    [(text, _)] = translate_passages([(source, [found])], same)
    assert text == source
