"""What waits to be translated: how much of it may, and whose turn is next.

Clients take turns, and the kinds of each client take turns among themselves: who asks in a hundred ways waits for them alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from onmal.serving.clients import Client, may_have
from onmal.serving.kinds import Kind
from onmal.translating.translator import Translation

__all__ = ["Batch", "Request", "Waiting"]

MOST_CHARACTERS = 16_384  # of a batch


class Request:
    """The texts of one request, how many of them have begun, and what came of them."""

    def __init__(self, kind: Kind, texts: Sequence[str], client: Client) -> None:
        self.kind, self.texts, self.client = kind, texts, client.identity
        self.begun = 0
        self.found: list[Translation | None] = [None] * len(texts)
        self.left = len(texts)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def waiting(self) -> int:
        """How many of its texts have not begun."""
        return len(self.texts) - self.begun


Batch = list[tuple[Request, int]]
"""Texts of one kind that are translated together: of which request, and their numbers there."""


class _Own:
    """What waits of one client."""

    def __init__(self) -> None:
        self.kinds: dict[Kind, deque[Request]] = {}  # whose turn it is, first
        self.waiting = 0  # texts
        self.outside: deque[Request] = deque()  # accepted, but for them its share has no room yet


class Waiting:
    """What waits, of all clients: at most so many texts, and of one client half as many as the others leave room for.

    More only of what was accepted before: as much of each client as comes at once, where nothing else of it waits. So whoever is let in
    comes to an end, however full it is, and nobody fills the room alone.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.count = 0  # texts
        self._of: dict[tuple[bool, str], _Own] = {}  # whose turn it is, first

    def enter(self, request: Request, *, accepted: bool) -> bool:
        """Whether a request may wait; what was accepted before always may, outside until its client's share has room."""
        own = self._of.get(request.client) or _Own()
        if not accepted and (own.outside or not self._has_room(own, request)):
            return False
        self._of[request.client] = own
        own.outside.append(request)
        if accepted:
            self._let_in()
        else:
            self._take_in(own)
        return True

    def leave(self, request: Request) -> None:
        """What of a request has not begun will not begin."""
        own, kind = self._of[request.client], request.kind
        if request in own.outside:
            own.outside.remove(request)
        else:
            own.kinds[kind].remove(request)
            if not own.kinds[kind]:
                del own.kinds[kind]
            self._count(own, -request.waiting)
        request.begun = len(request.texts)
        self._let_in()

    def take(
        self, may_begin: Callable[[Kind], bool], most_texts: Callable[[Kind], int]
    ) -> tuple[Kind, Batch] | None:
        """The next texts to translate together: those of the client whose turn it is, and others' of the same kind with them."""
        for own in self._of.values():
            for kind in own.kinds:
                if may_begin(kind):
                    return kind, self._batch(kind, most_texts(kind))
        return None

    def _batch(self, kind: Kind, most: int) -> Batch:
        """One text of each client in turn, and of each of its requests: who has a single one does not wait for another's hundreds."""
        batch: Batch = []
        characters = 0
        asking = deque(
            (own, requests) for own in self._of.values() if (requests := own.kinds.get(kind)) is not None
        )
        while asking and len(batch) < most and characters < MOST_CHARACTERS:
            own, requests = asking.popleft()
            request = requests.popleft()
            batch.append((request, request.begun))
            characters += len(request.texts[request.begun])
            request.begun += 1
            self._count(own, -1)
            if request.waiting:
                requests.append(request)
            if requests:
                asking.append((own, requests))
        for client in dict.fromkeys(request.client for request, _ in batch):
            own = self._of[client] = self._of.pop(client)  # at the end: the others come first now
            if requests := own.kinds.pop(kind):
                own.kinds[kind] = requests
        self._let_in()
        return batch

    def _let_in(self) -> None:
        """What was accepted comes in where there is room now, each client's in the order in which it came."""
        for client, own in list(self._of.items()):
            while own.outside and (not own.waiting or self._has_room(own, own.outside[0])):
                self._take_in(own)
            if not own.waiting:
                del self._of[client]  # or everybody who ever came would be kept for ever

    def _take_in(self, own: _Own) -> None:
        request = own.outside.popleft()
        own.kinds.setdefault(request.kind, deque()).append(request)
        self._count(own, len(request.texts))

    def _has_room(self, own: _Own, request: Request) -> bool:
        return may_have(len(request.texts), own.waiting, self.count, self.most)

    def _count(self, own: _Own, texts: int) -> None:
        own.waiting += texts
        self.count += texts
