"""A translation that is read while it is made: from the thread that types it to the event loop that sends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from threading import Event

from onmal.serving.kinds import Kind
from onmal.translating.translator import Translation

__all__ = ["type_out"]


async def type_out(kind: Kind, text: str, until: float) -> AsyncGenerator[str | Translation]:
    """The pieces of a text's translation as they come, then the whole; whoever stops listening stops the typing.

    Raises TimeoutError where it is not said by then (in the event loop's time).
    """
    loop, left = asyncio.get_running_loop(), Event()
    pieces: asyncio.Queue[str | Translation | Exception] = asyncio.Queue()

    def tell(what: str | Translation | Exception) -> None:
        loop.call_soon_threadsafe(pieces.put_nowait, what)

    def work() -> None:
        said = ""
        try:
            typing = kind.loaded.translator.type_out(
                text, to=kind.direction[1], search=kind.search, wishes=kind.wishes
            )
            while not left.is_set():
                piece = next(typing)
                said += piece
                if piece:
                    tell(piece)
        except StopIteration as end:
            tell(Translation(text, said, 0.0, warnings=end.value))
        except Exception as error:
            tell(error)

    call = kind.loaded.beside.submit(work)
    try:
        while True:
            async with asyncio.timeout_at(until):
                piece = await pieces.get()
            if isinstance(piece, Exception):
                raise piece
            yield piece
            if isinstance(piece, Translation):
                return
    finally:
        left.set()
        call.cancel()
