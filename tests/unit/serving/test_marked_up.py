"""Pages and documents in an event loop: what the library says, asked for together, without a thread that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from served import service_of

from onmal.documents import translate_document
from onmal.serving.clients import Client, Limits
from onmal.serving.marked_up import translate_file, translate_pages
from onmal.serving.refusals import TimeOver
from onmal.translating.translator import Translation


def shouted(text: str) -> Translation:
    """A translation that loses the markup of what begins with "Lose"."""
    said = text.upper() if "<" not in text else text.replace("here", "HERE")
    return Translation(text, "lost" if text.startswith("Lose") else said, 0.0)


PAGE = b"<p>one</p><p>two <b>here</b></p><p>one</p><p>Lose <b>this</b> now</p><p>123</p>"


def test_a_document_is_what_the_library_makes_of_it_and_each_text_is_asked_for_once() -> None:
    asked: list[list[str]] = []

    async def ask(texts: Sequence[str]) -> list[Translation]:
        asked.append(list(texts))
        return list(map(shouted, texts))

    found = asyncio.run(translate_file(PAGE, "a.html", ask, to="en"))
    assert found == translate_document(PAGE, "a.html", lambda texts: list(map(shouted, texts)), to="en")
    assert len(asked) == 2  # and once more for what lost its markup
    every = [text for texts in asked for text in texts]
    assert len(every) == len(set(every))


def test_pages_are_one_request_whatever_languages_they_are_in(both_ways: Path) -> None:
    service = service_of(both_ways)
    hurried = Client("hurried", Limits(100, requests_per_minute=1))
    pages, sources = ["<p>혼자</p>", "<p>Alone</p>", "<p>혼자</p>"], ["ko", "en", "ko"]
    said = asyncio.run(translate_pages(service, pages, sources, target="en", client=hurried))
    assert said == [said[0], "<p>Alone</p>", said[0]]
    assert service.characters_used(hurried) == sum(map(len, pages))


def test_pages_take_no_longer_than_other_texts_may(both_ways: Path) -> None:
    service, client = service_of(both_ways, seconds=1e-6), Client("somebody", Limits(100))
    with pytest.raises(TimeOver) as over:
        asyncio.run(translate_pages(service, ["<p>혼자</p>"], ["ko"], target="en", client=client))
    assert over.value.seconds == 1e-6


def test_no_document_keeps_another_from_its_thread() -> None:
    async def together() -> list[bytes]:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        all_asked, waiting = asyncio.Event(), 0

        async def ask(texts: Sequence[str]) -> list[Translation]:
            nonlocal waiting
            waiting += 1
            if waiting == 8:
                all_asked.set()
            await all_asked.wait()  # as for a model that is loaded in a thread
            return list(map(shouted, texts))

        files = [translate_file(b"%d a" % number, "a.txt", ask, to="en") for number in range(8)]
        return [each.content for each in await asyncio.gather(*files)]

    assert asyncio.run(asyncio.wait_for(together(), 30)) == [b"%d A" % number for number in range(8)]
