"""Pages and documents: what they say is translated with everybody else's texts, the rest is done in a thread beside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import CancelledError, Future
from functools import partial
from typing import TypeVar

from onmal.documents import Translate, TranslatedDocument, translate_document, translate_html
from onmal.serving.clients import Client
from onmal.serving.service import Service
from onmal.translating.glossary import Glossary
from onmal.translating.translator import Translation

__all__ = ["Ask", "translate_file", "translate_pages"]

Ask = Callable[[Sequence[str]], Awaitable[list[Translation]]]
"""Has texts translated; called in the event loop."""
Result = TypeVar("Result")


async def translate_file(content: bytes, name: str, ask: Ask, *, to: str) -> TranslatedDocument:
    """`translate_document` for an event loop. Raises what it and `ask` raise."""
    return await _beside(lambda translate: translate_document(content, name, translate, to=to), ask)


async def translate_pages(
    service: Service,
    texts: Sequence[str],
    sources: Sequence[str],
    *,
    target: str,
    client: Client,
    glossary: Glossary | None = None,
    ignored: Collection[str] = (),
) -> list[str]:
    """Pieces of HTML (or XML), each from its own language, within the limits of text. What is in `ignored` elements stays.

    Raises TooLarge, and what the service raises.
    """
    service.check(texts, client)
    said = list(texts)
    for source in dict.fromkeys(sources):
        numbers = [number for number, its in enumerate(sources) if its == source]
        # As a document, whose passages are not counted as texts of the request.
        ask = partial(
            service.translate_document, source=source, target=target, client=client, glossary=glossary
        )
        pages = await _pages([texts[number] for number in numbers], ask, ignored)
        for number, page in zip(numbers, pages, strict=True):
            said[number] = page
    return said


async def _pages(texts: Sequence[str], ask: Ask, ignored: Collection[str]) -> list[str]:
    """What all of them say is asked for at once."""

    def work(translate: Translate) -> list[str]:
        wanted, known = dict[str, None](), dict[str, str]()

        def remember(said: Sequence[str]) -> Sequence[str]:
            wanted.update(dict.fromkeys(said))
            return said

        def answer(said: Sequence[str]) -> list[str]:
            unknown = [each for each in dict.fromkeys(said) if each not in known]
            if unknown:
                known.update(zip(unknown, map(_text, translate(unknown)), strict=True))
            return [known[each] for each in said]

        for text in texts:
            translate_html(text, remember, ignored=ignored)
        answer(list(wanted))
        return [translate_html(text, answer, ignored=ignored) for text in texts]

    return await _beside(work, ask)


def _text(translated: object) -> str:
    return translated if isinstance(translated, str) else str(getattr(translated, "text", ""))


async def _beside(work: Callable[[Translate], Result], ask: Ask) -> Result:
    """Does work in a thread that has texts translated in this loop. Where the client leaves, the thread ends at its next question."""
    loop, asked = asyncio.get_running_loop(), list[Future[list[Translation]]]()
    left = False

    async def answer(texts: Sequence[str]) -> list[Translation]:
        return await ask(texts)

    def translate(texts: Sequence[str]) -> list[Translation]:
        if left:
            raise CancelledError
        asked.append(asyncio.run_coroutine_threadsafe(answer(texts), loop))
        return asked[-1].result()

    try:
        return await asyncio.to_thread(work, translate)
    except asyncio.CancelledError:
        left = True
        for future in asked:
            future.cancel()
        raise
