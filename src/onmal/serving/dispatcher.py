"""The queue: texts that different requests want translated in the same way are translated together.

Nothing ever waits for company. A text that finds the engine free starts at once; what comes while the engine is busy is merged into
the next call, which is made ready in advance as soon as it is as large as the others. So one client waits for nothing, and with many
clients the calls are as large as they should be, without a delay to tune.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress

from onmal.serving.clients import Client
from onmal.serving.kinds import Kind, Unwanted
from onmal.serving.models import Loaded
from onmal.serving.refusals import QueueFull
from onmal.serving.turns import Batch, Request, Waiting
from onmal.translating.translator import Translation

__all__ = ["Dispatcher", "Observer"]

FEW_TEXTS = 8  # of a call: sharing out fewer would cost more than it brings


class Observer:
    """Is told what the queue does; this one takes no notice."""

    def called(self, kind: Kind, texts: Sequence[str], seconds: float) -> None:
        """Texts were translated together; it took so long."""


class Dispatcher:
    """Translates in the threads of each model; all its methods belong to one event loop. At most `most_waiting` texts wait."""

    def __init__(self, most_waiting: int) -> None:
        self.observer = Observer()
        self._waiting = Waiting(most_waiting)
        self._running: Counter[Kind | Loaded] = Counter()
        self._under_way = 0  # texts
        self._starting = False
        self._seconds_per_text = 0.1  # a guess, until it is known

    async def translate(
        self, kind: Kind, texts: Sequence[str], client: Client, *, accepted: bool = False
    ) -> list[Translation]:
        """Translations in the order of the texts. Cancelled, it drops what has not begun, and ends what nobody else waits for.

        Raises QueueFull at once, unless the texts go on with what was `accepted` before: these wait until there is room for them.
        """
        if not texts:
            return []
        request = Request(kind, texts, client)
        if not self._waiting.enter(request, accepted=accepted):
            raise QueueFull(self.retry_after)
        self._start_soon()
        try:
            await request.done
        finally:
            if request.waiting:  # its client left, or one of its texts failed
                self._waiting.leave(request)
                self._start_soon()  # with what has room now
        return [translation for translation in request.found if translation is not None]

    @property
    def waiting(self) -> int:
        """How many texts wait."""
        return self._waiting.count

    @property
    def retry_after(self) -> int:
        """In how many seconds half of what waits now will have begun [s]."""
        return max(1, min(60, math.ceil(self.waiting / 2 * self._seconds_per_text)))

    def _start_soon(self) -> None:
        """After those that arrived in the same moment."""
        if not self._starting:
            self._starting = True
            asyncio.get_running_loop().call_soon(self._start)

    def _start(self) -> None:
        """Begin as many calls as may be under way."""
        self._starting = False
        while taken := self._waiting.take(self._may_begin, self._most_texts):
            self._call(*taken)

    def _most_texts(self, kind: Kind) -> int:
        """How many texts the next call may have: an even share, among the places, of all that are here.

        So there is something to go on with as soon as a call ends, whose clients have yet to read their answers and to ask again.
        """
        share = math.ceil((self.waiting + self._under_way) / kind.at_once)
        return min(kind.most_texts, max(FEW_TEXTS, share))

    def _may_begin(self, kind: Kind) -> bool:
        running, calls = self._running, kind.loaded.calls
        if running[kind.loaded] >= calls or running[kind] >= kind.at_once:
            return False
        in_advance = running[kind] == kind.at_once - 1 > 0  # all that the engine does at once is under way
        if in_advance and self.waiting < self._most_texts(kind):
            return False
        kinds = (each for each in running if isinstance(each, Kind) and each.loaded is kind.loaded)
        searching = sum(running[each] for each in kinds if each.searches)
        return not kind.searches or searching < max(1, calls - 1)  # one place is left to what is quick

    def _call(self, kind: Kind, batch: Batch) -> None:
        self._running.update([kind, kind.loaded])
        self._under_way += len(batch)
        loop, began = asyncio.get_running_loop(), time.perf_counter()

        def watch(*state: object) -> None:
            if all(request.done.done() for request, _ in batch):  # their clients left, or their time is up
                raise Unwanted

        texts = [request.texts[number] for request, number in batch]
        call = kind.loaded.pool.submit(kind.translate, texts, watch)

        def ended(call: Future[list[Translation | Exception]]) -> None:
            with suppress(RuntimeError):  # the server was stopped by force: nobody waits any more
                loop.call_soon_threadsafe(self._ended, kind, batch, call, began)

        call.add_done_callback(ended)

    def _ended(
        self,
        kind: Kind,
        batch: Batch,
        call: Future[list[Translation | Exception]],
        began: float,
    ) -> None:
        self._under_way -= len(batch)
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
