"""Who asks, and how much of it is too much: requests at once, requests and characters per minute."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from onmal.serving.refusals import QueueFull, RateExceeded, TooManyAtOnce

__all__ = ["Client", "Clients", "Limits", "Places", "by_address", "may_have"]

REMEMBERED = 10_000  # clients; those that did nothing for the longest time are forgotten first


@dataclass(frozen=True)
class Limits:
    """What a client may ask for; 0 of a rate is no limit."""

    characters: int
    """Of one request."""
    requests_per_minute: int = 0
    characters_per_minute: int = 0


@dataclass(frozen=True)
class Client:
    """Somebody who asks: the holder of a key, or whoever is at an address."""

    name: str
    """The name of the key (never the key), or the address."""
    limits: Limits
    has_key: bool = False

    @property
    def identity(self) -> tuple[bool, str]:
        """What tells it from all others: a key may be called like an address."""
        return self.has_key, self.name


@lru_cache(1024)
def by_address(address: str) -> str:
    """The address that a client counts by: of IPv6 the network, for a household has 2**64 addresses of its own."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:  # a socket of the file system, a test
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address


def may_have(wanted: int, own: int, taken: int, most: int) -> bool:
    """Whether somebody who has `own` of the `taken` among `most` places may have so many more.

    All together half of what the others leave; more only where none is taken by the same one yet.
    """
    full = taken and taken + wanted > most
    return not full and (not own or own + wanted <= (most - (taken - own)) // 2)


class Places:
    """So many places, of which nobody has more than half of what the others leave."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._of: Counter[tuple[bool, str]] = Counter()

    @contextmanager
    def one(self, client: Client) -> Iterator[None]:
        """A place is taken. Raises QueueFull."""
        if not may_have(1, self._of[client.identity], self._of.total(), self.most):
            raise QueueFull
        self._of[client.identity] += 1
        try:
            yield
        finally:
            self._of[client.identity] -= 1
            if not self._of[client.identity]:
                del self._of[client.identity]


class _Bucket:
    """An allowance that fills up again within a minute."""

    def __init__(self, now: float) -> None:
        self.used, self.at = 0.0, now

    def wait(self, amount: int, per_minute: int, now: float) -> float:
        """How many seconds to wait until so much may be taken; 0 if it may be now.

        What is more than a whole minute's allowance is let through when nothing of it is used, and paid for afterwards.
        """
        self.used, self.at = max(0.0, self.used - (now - self.at) * per_minute / 60), now
        over = self.used + min(amount, per_minute) - per_minute
        return over * 60 / per_minute if over > 1e-6 else 0.0

    def take(self, amount: int) -> None:
        """So much is used."""
        self.used += amount


class _Account:
    def __init__(self, now: float) -> None:
        self.under_way = 0
        self.characters_ever = 0
        self.requests, self.characters = _Bucket(now), _Bucket(now)


class Clients:
    """Counts what each client does."""

    def __init__(self, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.at_once, self.clock = at_once, clock
        self._accounts: dict[tuple[bool, str], _Account] = {}

    @contextmanager
    def turn(self, client: Client, characters: int) -> Iterator[None]:
        """A request of so many characters is under way. Raises TooManyAtOnce, RateExceeded."""
        account, limits, now = self._account(client), client.limits, self.clock()
        if account.under_way >= self.at_once:
            raise TooManyAtOnce(self.at_once)
        rates = [
            (account.requests, 1, limits.requests_per_minute, "requests"),
            (account.characters, characters, limits.characters_per_minute, "characters"),
        ]
        for bucket, amount, most, what in rates:  # all of them before anything is taken: a refusal is free
            if most and (seconds := bucket.wait(amount, most, now)):
                raise RateExceeded(what, most, math.ceil(seconds))
        for bucket, amount, most, _ in rates:
            if most:
                bucket.take(amount)
        account.characters_ever += characters
        account.under_way += 1
        try:
            yield
        finally:
            account.under_way -= 1

    def characters_of(self, client: Client) -> int:
        """How many characters a client has had translated since the server started, as far as it is remembered."""
        return self._account(client).characters_ever

    def _account(self, client: Client) -> _Account:
        account = self._accounts.pop(client.identity, None) or _Account(self.clock())
        self._accounts[client.identity] = account  # at the end: the last one that did something
        if len(self._accounts) > REMEMBERED:
            idle = (name for name, each in self._accounts.items() if not each.under_way)
            del self._accounts[next(idle)]
        return account
