"""Pages and documents: what they say is translated with everybody else's texts, within the limits of whoever sent them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TypeVar

from onmal.documents import Translate, Translated, TranslatedDocument, translate_document, translate_html
from onmal.serving.clients import Client
from onmal.serving.service import Service
from onmal.translating.glossary import Glossary
from onmal.translating.translator import Translation

__all__ = ["Ask", "translate_file", "translate_pages"]

Ask = Callable[[Sequence[str]], Awaitable[list[Translation]]]
"""Has texts translated."""
Result = TypeVar("Result")


async def translate_file(
    content: bytes, name: str, ask: Ask, *, to: str, readers: Executor | None = None
) -> TranslatedDocument:
    """`translate_document` for an event loop; `readers` are the threads for it. Raises what it and `ask` raise."""
    return await _asking(lambda translate: translate_document(content, name, translate, to=to), ask, readers)


async def translate_pages(
    service: Service,
    texts: Sequence[str],
    sources: Sequence[str],
    *,
    target: str,
    client: Client,
    model: str = "",
    glossary: Glossary | None = None,
    translated: Callable[[str, Translate], str] = translate_html,
) -> list[str]:
    """Pieces of HTML, or of what `translated` reads, each from its own language, within the limits of text.

    Raises TooLarge, and what the service raises.
    """
    service.check(texts, client)
    said, characters = list(texts), sum(map(len, texts))
    # Their passages are not counted as texts of the request.
    document = service.document(
        target=target, client=client, model=model, glossary=glossary, characters=characters
    )
    async with document as ask:
        for source in dict.fromkeys(sources):
            numbers = [number for number, its in enumerate(sources) if its == source]

            def work(translate: Translate, numbers: Sequence[int] = numbers) -> list[str]:
                return [translated(texts[number], translate) for number in numbers]

            for number, page in zip(numbers, await _asking(work, partial(ask, source)), strict=True):
                said[number] = page
    return said


async def _asking(work: Callable[[Translate], Result], ask: Ask, readers: Executor | None = None) -> Result:
    """The result of work that has texts translated.

    It is done in a thread, again and again: at first every text stays as it is, and what was asked for is known the next time.
    Twice is enough, and a third time where markup was lost. So no thread waits for a translation, and none is kept from others.
    """
    known: dict[str, Translation] = {}
    while True:
        wanted: dict[str, None] = {}

        def translate(texts: Sequence[str], wanted: dict[str, None] = wanted) -> list[str | Translated]:
            wanted.update((text, None) for text in texts if text not in known)
            return [known.get(text, text) for text in texts]

        result = await asyncio.get_running_loop().run_in_executor(readers, work, translate)
        if not wanted:
            return result
        known.update(zip(wanted, await ask(list(wanted)), strict=True))
