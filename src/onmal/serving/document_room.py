"""Where the documents of every API are read, wait for their turn, and wait to be fetched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import PurePath
from weakref import WeakValueDictionary

from onmal.errors import DataError
from onmal.serving.clients import Client
from onmal.serving.kept_files import KeptFiles
from onmal.serving.refusals import TooLarge

__all__ = ["DocumentRoom", "check_size"]

AT_ONCE = 4  # documents that are translated at the same time: more would only keep texts waiting
READERS = 2  # threads that read them: each keeps the event loop from the interpreter now and then
BYTES_OF_CHARACTER = 4  # that UTF-8 needs at most


def check_size(content: bytes, name: str, most_characters: int) -> None:
    """Raises TooLarge for a document that no text of so many characters can be; nothing is done with it before.

    A .docx has pictures, and limits of its own for its text.
    """
    most = BYTES_OF_CHARACTER * most_characters
    if PurePath(name).suffix.lower() != ".docx" and len(content) > most:
        raise TooLarge("body", len(content), most)


class DocumentRoom:
    """Turns, threads and room for documents: one of each client is translated at a time, and AT_ONCE of all."""

    def __init__(self) -> None:
        self.files = KeptFiles()
        # Of their own: whoever loads a model never waits for a long document.
        self.readers = ThreadPoolExecutor(READERS, thread_name_prefix="onmal-document")
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._turns_of: WeakValueDictionary[Client, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, client: Client) -> AsyncGenerator[None]:
        """It is the turn of a document of this client; whoever has many keeps nobody waiting but themselves."""
        its_turn = self._turns_of.setdefault(client, asyncio.Lock())
        async with its_turn, self._turns:
            yield

    async def keep(
        self, content: bytes, title: str = "", *, owner: Hashable, lifetime: float | None = None
    ) -> str:
        """Keeps a file without keeping the event loop; if whoever asks is cancelled meanwhile, nothing of it stays. Raises Full."""
        work = asyncio.to_thread(self.files.keep, content, title, owner=owner, lifetime=lifetime)
        keeping = asyncio.ensure_future(work)
        try:
            return await asyncio.shield(keeping)
        except asyncio.CancelledError:
            keeping.add_done_callback(self._undo)
            raise

    def _undo(self, kept: asyncio.Task[str]) -> None:
        if not kept.cancelled() and not kept.exception():
            self.files.remove(kept.result())

    async def read(self, name: str) -> bytes:
        """The content of a file that is kept here. Raises DataError where it is not there."""
        content = await asyncio.to_thread(self.files.read, name)
        if content is None:
            raise DataError("the document is here no longer", "send it again")
        return content

    def close(self) -> None:
        """Everything that was kept here is removed."""
        self.readers.shutdown(wait=False, cancel_futures=True)
        self.files.close()
