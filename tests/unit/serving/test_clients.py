"""How much of a client is too much, by a clock that stands still unless told."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from onmal.serving.clients import REMEMBERED, Client, Clients, Limits, Places, by_address
from onmal.serving.refusals import QueueFull, RateExceeded, TooManyAtOnce


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def client(name: str = "somebody", **limits: int) -> Client:
    return Client(name, Limits(characters=1000, **limits))


def test_requests_per_minute_come_back_with_time() -> None:
    clock = Clock()
    clients, somebody = Clients(10, clock), client(requests_per_minute=3)
    for _ in range(3):
        with clients.turn(somebody, 1):
            pass
    with pytest.raises(RateExceeded) as refused, clients.turn(somebody, 1):
        pass
    assert (refused.value.what, refused.value.most, refused.value.retry_after) == ("requests", 3, 20)
    clock.now += refused.value.retry_after
    with clients.turn(somebody, 1):
        pass


def test_characters_per_minute() -> None:
    clock = Clock()
    clients, somebody = Clients(10, clock), client(characters_per_minute=600)
    with clients.turn(somebody, 500):
        pass
    with pytest.raises(RateExceeded, match="600 characters per minute"), clients.turn(somebody, 200):
        pass
    clock.now += 10
    with clients.turn(somebody, 200):
        pass
    assert clients.characters_of(somebody) == 700


def test_a_refusal_costs_nothing() -> None:
    clients = Clients(10, Clock())
    somebody = client(requests_per_minute=2, characters_per_minute=600)
    with clients.turn(somebody, 500):
        pass
    for _ in range(3):
        with pytest.raises(RateExceeded, match="600 characters"), clients.turn(somebody, 200):
            pass
    with clients.turn(somebody, 100):
        pass


def test_a_request_larger_than_a_minute_s_allowance_is_let_through_and_paid_for_afterwards() -> None:
    clock = Clock()
    clients, somebody = Clients(10, clock), client(characters_per_minute=600)
    with clients.turn(somebody, 1800):
        pass
    clock.now += 60
    with pytest.raises(RateExceeded) as refused, clients.turn(somebody, 600):
        pass
    assert refused.value.retry_after == 120


def test_requests_at_once_are_counted_for_each_client_and_given_back_after_errors() -> None:
    clients = Clients(1, Clock())
    with clients.turn(client("one"), 1):
        with pytest.raises(TooManyAtOnce), clients.turn(client("one"), 1):
            pass
        with clients.turn(client("two"), 1):
            pass
    with pytest.raises(ZeroDivisionError), clients.turn(client("one"), 1):
        raise ZeroDivisionError
    with clients.turn(client("one"), 1):
        pass


def test_a_key_called_like_an_address_is_somebody_else() -> None:
    clients = Clients(1, Clock())
    with clients.turn(client("10.0.0.1"), 1), clients.turn(Client("10.0.0.1", Limits(10), has_key=True), 1):
        pass


def test_strangers_are_forgotten_and_those_at_work_are_not() -> None:
    clients, busy = Clients(1, Clock()), client("busy")
    with clients.turn(busy, 7):
        for number in range(REMEMBERED + 100):
            with clients.turn(client(f"stranger {number}"), 1):
                pass
        assert len(clients._accounts) == REMEMBERED
        with pytest.raises(TooManyAtOnce), clients.turn(busy, 1):
            pass


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
    ],
)
def test_addresses_of_one_household_count_as_one(address: str, counted: str) -> None:
    assert by_address(address) == counted


def test_nobody_has_more_than_half_of_the_places_that_the_others_leave() -> None:
    places, taken = Places(8), ExitStack()
    with taken:
        for name, most in (("one", 4), ("two", 2), ("three", 1), ("four", 1)):
            for _ in range(most):
                taken.enter_context(places.one(client(name)))
            with pytest.raises(QueueFull):
                taken.enter_context(places.one(client(name)))
        with pytest.raises(QueueFull):  # all are taken
            taken.enter_context(places.one(client("five")))
    with places.one(client("five")):
        pass
    assert not places._of
