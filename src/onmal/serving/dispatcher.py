"""The queue: texts that different requests want translated in the same way are translated together.

Nothing ever waits for company. A text that finds the engine free starts at once; what comes while all of the engine's calls are
under way is merged into the next one. So one client waits for nothing, and with many clients the calls are as large as they should
be, without a delay to tune.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass

from onmal.config import SearchConfig
from onmal.serving.clients import Client
from onmal.serving.models import Loaded
from onmal.serving.refusals import QueueFull
from onmal.translating.glossary import Glossary
from onmal.translating.translator import Options, Translation
from onmal.translating.wishes import NO_WISHES, Wishes

__all__ = ["Dispatcher", "Kind", "Observer"]

MOST_TEXTS = 64  # of a call: larger ones are hardly faster, and who comes next would wait for them
MOST_SLOW_TEXTS = 8  # of a call that takes several times as long
MOST_CHARACTERS = 16_384  # of a call
# What of a search takes the longer, the larger it is.
COSTLY = (
    "beam_size",
    "min_length_ratio",
    "max_length_ratio",
    "max_length_extra",
    "coverage_penalty",
    "diversity",
    "no_repeat_ngram",
    "sample",
)


@dataclass(frozen=True)
class Kind:
    """What texts must have in common to be translated together."""

    loaded: Loaded
    direction: tuple[str, str]
    """(source, target), as the model calls them."""
    search: SearchConfig
    wishes: Wishes = NO_WISHES
    glossary: Glossary | None = None
    alignment: bool = False
    omissions: bool = False

    @property
    def at_once(self) -> int:
        """How many calls of this kind may be under way: as many as its engine likes, which may not be the model's usual one."""
        translator = self.loaded.translator
        return min(self.loaded.calls, translator.engine.at_once(self.search, translator.asked(self.wishes)))

    @property
    def most_texts(self) -> int:
        """How many of them one call may have."""
        usual = self.loaded.translator.saved.search
        heavier = any(getattr(self.search, each) > getattr(usual, each) for each in COSTLY)
        return MOST_SLOW_TEXTS if heavier or self.omissions or self.wishes.must else MOST_TEXTS

    def translate(self, texts: Sequence[str]) -> list[Translation | Exception]:
        """Translate together; where that fails, one by one, so that nobody's text fails for another's."""
        options: Options = {
            "to": self.direction[1],
            "search": self.search,
            "wishes": self.wishes,
            "alignment": self.alignment,
            "omissions": self.omissions,
        }
        translator = self.loaded.with_glossary(self.glossary)
        try:
            return list(translator.translate(list(texts), **options))
        except Exception as error:
            return [error] if len(texts) == 1 else [self.translate([text])[0] for text in texts]


class Observer:
    """Is told what the queue does; this one takes no notice."""

    def called(self, kind: Kind, texts: Sequence[str], seconds: float) -> None:
        """Texts were translated together; it took so long."""


class _Request:
    """The texts of one request, how many of them have begun, and what came of them."""

    def __init__(self, texts: Sequence[str], client: Client) -> None:
        self.texts, self.client = texts, client.identity
        self.begun = 0
        self.found: list[Translation | None] = [None] * len(texts)
        self.left = len(texts)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def waiting(self) -> int:
        return len(self.texts) - self.begun


class Dispatcher:
    """Translates in the threads of each model; all its methods belong to one event loop.

    At most `most_waiting` texts wait, and of one client half as many as the others leave room for: nobody fills it alone.
    """

    def __init__(self, most_waiting: int) -> None:
        self.most_waiting = most_waiting
        self.observer = Observer()
        self.waiting = 0
        self._waiting_of: Counter[tuple[bool, str]] = Counter()
        self._queues: dict[Kind, deque[_Request]] = {}  # whose turn it is, first
        self._running: Counter[Kind | Loaded] = Counter()
        self._starting = False
        self._seconds_per_text = 0.1  # a guess, until it is known

    async def translate(
        self, kind: Kind, texts: Sequence[str], client: Client, *, accepted: bool = False
    ) -> list[Translation]:
        """Translations in the order of the texts. Cancelled, it drops what has not begun.

        Raises QueueFull at once, unless the texts go on with what was `accepted` before.
        """
        if not accepted and not self._has_room(len(texts), client):
            raise QueueFull(self.retry_after)
        request = _Request(texts, client)
        if not texts:
            return []
        self._count(request, len(texts))
        self._queues.setdefault(kind, deque()).append(request)
        if not self._starting:  # after those that arrived in the same moment
            self._starting = True
            asyncio.get_running_loop().call_soon(self._start)
        try:
            await request.done
        finally:
            if request.waiting:  # its client left, or one of its texts failed
                self._drop(kind, request)
        return [translation for translation in request.found if translation is not None]

    @property
    def retry_after(self) -> int:
        """In how many seconds half of what waits now will have begun [s]."""
        return max(1, min(60, math.ceil(self.waiting / 2 * self._seconds_per_text)))

    def _has_room(self, texts: int, client: Client) -> bool:
        """Whether so many texts of a client may wait: more than its share only where none of its own do."""
        own = self._waiting_of[client.identity]
        others = self.waiting - own
        full = self.waiting and self.waiting + texts > self.most_waiting
        return not full and (not own or own + texts <= (self.most_waiting - others) // 2)

    def _count(self, request: _Request, texts: int) -> None:
        """So many texts of a request more wait, or fewer."""
        self.waiting += texts
        self._waiting_of[request.client] += texts
        if not self._waiting_of[request.client]:
            del self._waiting_of[request.client]  # or everybody who ever came would be kept for ever

    def _drop(self, kind: Kind, request: _Request) -> None:
        """What of a request has not begun will not begin."""
        queue = self._queues[kind]
        queue.remove(request)
        if not queue:
            del self._queues[kind]
        self._count(request, -request.waiting)
        request.begun = len(request.texts)

    def _start(self) -> None:
        """Begin as many calls as may be under way, of each kind in turn."""
        self._starting = False
        began = True
        while began:
            began = False
            for kind in list(self._queues):
                running = self._running
                if running[kind] >= kind.at_once or running[kind.loaded] >= kind.loaded.calls:
                    continue
                queue = self._queues.pop(kind)
                batch = self._take(queue, kind.most_texts)
                if queue:
                    self._queues[kind] = queue  # at the end: the others come first now
                self._call(kind, batch)
                began = True

    def _take(self, queue: deque[_Request], most: int) -> list[tuple[_Request, int]]:
        """The next texts of a queue, one of each request in turn: who has a single one does not wait for another's hundreds."""
        batch: list[tuple[_Request, int]] = []
        characters = 0
        while queue and len(batch) < most and characters < MOST_CHARACTERS:
            request = queue.popleft()
            batch.append((request, request.begun))
            characters += len(request.texts[request.begun])
            request.begun += 1
            self._count(request, -1)
            if request.waiting:
                queue.append(request)
        return batch

    def _call(self, kind: Kind, batch: list[tuple[_Request, int]]) -> None:
        self._running.update([kind, kind.loaded])
        loop, began = asyncio.get_running_loop(), time.perf_counter()
        call = kind.loaded.pool.submit(kind.translate, [request.texts[number] for request, number in batch])

        def ended(call: Future[list[Translation | Exception]]) -> None:
            with suppress(RuntimeError):  # the server was stopped by force: nobody waits any more
                loop.call_soon_threadsafe(self._ended, kind, batch, call, began)

        call.add_done_callback(ended)

    def _ended(
        self,
        kind: Kind,
        batch: list[tuple[_Request, int]],
        call: Future[list[Translation | Exception]],
        began: float,
    ) -> None:
        for each in (kind, kind.loaded):
            self._running[each] -= 1
            if not self._running[each]:
                del self._running[each]  # or an old model would be kept for ever
        seconds = time.perf_counter() - began
        self.observer.called(kind, [request.texts[number] for request, number in batch], seconds)
        self._seconds_per_text += (seconds / len(batch) / kind.at_once - self._seconds_per_text) / 8
        for (request, number), result in zip(batch, call.result(), strict=True):
            if request.done.done():
                continue
            if isinstance(result, Exception):
                request.done.set_exception(result)
                continue
            request.found[number] = result
            request.left -= 1
            if not request.left:
                request.done.set_result(None)
        self._start()
