"""The guards of what a translation says again and again, and of names that it does not say."""

from __future__ import annotations

import pytest

from onmal.cleaning.guards import GUARDS, Names, Repetition, faults, to_say
from onmal.data.pair import Pair


@pytest.mark.parametrize("words", [1, 2, 7, 12, 20])
def test_a_phrase_said_four_times_is_found(words: int) -> None:
    phrase = " ".join(f"word{n}" for n in range(words))
    found = Repetition()(Pair("source", f"so {phrase} {phrase} {phrase} {phrase} end"))
    assert found == f"{phrase!r} again and again"


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("very very very very good", "sehr sehr sehr sehr gut", ""),
        ("very very very very good", "sehr sehr sehr sehr sehr gut", "sehr"),
        ("Soooooooo good, hahahahahaha", "Soooooooo gut, hahahahahaha", ""),
        ("Soooooooooooo good", "Sooooooooooooo gut", "o"),
        ("ㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋ", "hahahahahahahahahahahahahaha", ""),
        ("ㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋ", "hahahahahahahahahahahahahahahahaha", "ha"),
    ],
)
def test_what_the_source_says_again_and_again_is_said_no_more_often(
    source: str, target: str, said: str
) -> None:
    assert Repetition()(Pair(source, target)) == (f"{said!r} again and again" if said else None)


@pytest.mark.parametrize(
    ("source", "target", "direction", "lost"),
    [
        ("새 iPhone을 샀어요", "I bought a new phone", "ko-en", ["iPhone"]),
        ("새 iPhone을 샀어요", "Ich habe ein Handy gekauft", "ko-de", ["iPhone"]),
        ("Samsung과 Apple과 Samsung", "Apple and others", "ko-en", ["Samsung"]),
        ("Я купил iPhone", "I bought a phone", "ru-en", ["iPhone"]),
        ("새 iPhone을 샀어요", "I bought a new IPHONE", "ko-en", []),
        ("API를 배웠어요", "I learned about APIs", "ko-en", []),
        ("Canary를 쓴다", "uses canaries", "ko-en", []),
        ("WebSocket을 쓴다", "uses a web socket", "ko-en", []),
        ("IOC가 정했다", "the International Olympic Committee decided", "ko-en", []),
        ("TV를 봤어요", "I watched television", "ko-en", []),
        ("http와 css", "the web", "ko-en", []),
        ("새 iPhone을 샀어요", "新しい電話を買った", "ko-ja", []),
        ("I bought an iPhone", "Ich habe ein Handy", "en-de", []),
    ],
)
def test_a_name_in_latin_letters_is_not_lost(
    source: str, target: str, direction: str, lost: list[str]
) -> None:
    pair = Pair(source, target, "", 0, *direction.split("-"))
    assert Names().to_say(pair) == [(name,) for name in lost]
    assert Names()(pair) == (f"lost {', '.join(lost)}" if lost else None)


def test_where_a_language_is_not_known_no_name_is_lost() -> None:
    assert Names()(Pair("새 iPhone", "a new phone", "", 0, "", "en")) is None
    assert Names()(Pair("새 iPhone", "a new phone", "", 0, "ko", "x-own")) is None


def test_the_search_is_told_to_say_the_name() -> None:
    pair = Pair("새 iPhone을 샀어요", "I bought a new phone", "", 0, "ko", "en")
    assert faults(GUARDS, pair) == ["names: lost iPhone"]
    assert to_say(GUARDS, pair) == [("iPhone",)]
