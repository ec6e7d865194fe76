"""The queue: nothing waits for company, and what has to wait is merged; who leaves or is too many costs nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from onmal.config import SearchConfig
from onmal.serving.clients import Client, Limits
from onmal.serving.dispatcher import FEW_TEXTS, Dispatcher
from onmal.serving.kinds import MOST_SLOW_TEXTS, MOST_TEXTS, Kind
from onmal.serving.models import Loaded
from onmal.serving.refusals import QueueFull
from onmal.translating.translator import Translation
from onmal.translating.wishes import NO_WISHES, Wishes

USUAL = SearchConfig()
SOMEBODY, ANOTHER, THIRD = (Client(name, Limits(characters=1000)) for name in ("one", "two", "three"))


class Gated:
    """A translator whose calls wait at a gate; it remembers what they were given."""

    def __init__(self, at_once: int) -> None:
        self.saved = SimpleNamespace(search=USUAL)
        self.engine = SimpleNamespace(
            at_once=lambda search, constraints=None: 1 if search.sample else at_once
        )
        self.calls: list[list[str]] = []
        self.said: list[str] = []
        self.begun = threading.Semaphore(0)
        self.gate = threading.Event()

    @staticmethod
    def asked(wishes: Wishes) -> None:
        return None

    def translate(self, texts: Sequence[str], **options: Any) -> list[Translation]:
        self.calls.append(list(texts))
        self.begun.release()
        assert self.gate.wait(30)
        for text in texts:
            for watcher in options["wishes"].watchers:
                watcher()
            self.said.append(text)
        if "bad" in texts:
            raise ValueError("a text that no network survives")
        return [Translation(text, text.upper(), 0.0) for text in texts]

    async def has_begun(self, calls: int) -> None:
        for _ in range(calls):
            assert await asyncio.to_thread(self.begun.acquire, timeout=30)


class Scene:
    """A dispatcher, a gated translator, and requests."""

    def __init__(self, at_once: int = 1, most_waiting: int = 1000) -> None:
        self.gated = Gated(at_once)
        self.loaded = Loaded(cast(Any, self.gated))
        self.dispatcher = Dispatcher(most_waiting)

    def kind(self, search: SearchConfig = USUAL, wishes: Wishes = NO_WISHES) -> Kind:
        return Kind(self.loaded, ("ko", "en"), search, wishes)

    def ask(
        self, *texts: str, client: Client = SOMEBODY, accepted: bool = False, **kind: Any
    ) -> asyncio.Task[list[str]]:
        async def translated() -> list[str]:
            found = await self.dispatcher.translate(self.kind(**kind), texts, client, accepted=accepted)
            return [each.text for each in found]

        return asyncio.ensure_future(translated())


def play(scene: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(60):
            await scene()

    asyncio.run(main())


def test_a_lone_text_starts_at_once() -> None:
    async def scene() -> None:
        s = Scene()
        asked = s.ask("a")
        await s.gated.has_begun(1)
        assert s.gated.calls == [["a"]]
        s.gated.gate.set()
        assert await asked == ["A"]

    play(scene)


def test_what_comes_while_the_engine_is_busy_is_merged_into_the_next() -> None:
    async def scene() -> None:
        s = Scene(at_once=3)
        first = [s.ask("a")]
        await s.gated.has_begun(1)
        first.append(s.ask("b"))
        await s.gated.has_begun(1)
        later = [s.ask(text) for text in "cdef"]
        await asyncio.sleep(0)
        assert s.gated.calls == [["a"], ["b"]]
        assert s.dispatcher.waiting == 4
        s.gated.gate.set()
        assert await asyncio.gather(*first, *later) == [[text] for text in "ABCDEF"]
        assert s.gated.calls == [["a"], ["b"], ["c", "d", "e", "f"]]
        assert s.dispatcher.waiting == 0

    play(scene)


def test_a_call_is_made_ready_in_advance_when_it_is_as_large_as_it_should_be() -> None:
    async def scene() -> None:
        s = Scene(at_once=3)
        asked = [s.ask("a")]
        await s.gated.has_begun(1)
        asked.append(s.ask("b"))
        await s.gated.has_begun(1)
        asked += [s.ask(str(number)) for number in range(FEW_TEXTS - 1)]
        for _ in range(3):
            await asyncio.sleep(0)
        assert s.dispatcher.waiting == FEW_TEXTS - 1
        asked.append(s.ask("last"))
        await s.gated.has_begun(1)
        assert len(s.gated.calls[-1]) == FEW_TEXTS
        s.gated.gate.set()
        await asyncio.gather(*asked)

    play(scene)


def test_what_arrives_in_the_same_moment_is_translated_together() -> None:
    async def scene() -> None:
        s = Scene()
        s.gated.gate.set()
        await asyncio.gather(*(s.ask(text) for text in "abc"))
        assert s.gated.calls == [["a", "b", "c"]]

    play(scene)


def test_only_what_is_asked_in_the_same_way_is_merged() -> None:
    async def scene() -> None:
        s = Scene()
        first = s.ask("first")
        await s.gated.has_begun(1)
        ways: list[dict[str, Any]] = [
            {},
            {"search": USUAL.replace(beam_size=2)},
            {"wishes": Wishes(never=("market",))},
            {},
        ]
        asked = [s.ask(f"text {number}", **way) for number, way in enumerate(ways)]
        await asyncio.sleep(0)
        s.gated.gate.set()
        await asyncio.gather(first, *asked)
        assert s.gated.calls == [["first"], ["text 0", "text 3"], ["text 1"], ["text 2"]]

    play(scene)


def test_one_text_does_not_wait_for_the_hundreds_of_another_request() -> None:
    async def scene() -> None:
        s = Scene()
        first = s.ask("first")
        await s.gated.has_begun(1)
        many, one = s.ask(*(f"text {n}" for n in range(3 * MOST_TEXTS))), s.ask("one")
        await asyncio.sleep(0)
        s.gated.gate.set()
        assert await one == ["ONE"]
        assert not many.done()
        assert "one" in s.gated.calls[1]
        assert await many == [f"TEXT {n}" for n in range(3 * MOST_TEXTS)]
        assert all(len(call) <= MOST_TEXTS for call in s.gated.calls)
        await first

    play(scene)


def test_one_text_does_not_wait_for_the_hundreds_of_requests_of_another_client() -> None:
    async def scene() -> None:
        s = Scene()
        first = s.ask("first")
        await s.gated.has_begun(1)
        many = [s.ask(f"many {n}") for n in range(2 * MOST_TEXTS)]
        few = s.ask(*(f"few {n}" for n in range(MOST_TEXTS // 2)), client=ANOTHER)
        await asyncio.sleep(0)
        s.gated.gate.set()
        await asyncio.gather(first, few, *many)
        assert sum(text.startswith("few") for text in s.gated.calls[1]) == MOST_TEXTS // 2

    play(scene)


def test_who_asks_in_many_ways_waits_for_them_alone() -> None:
    async def scene() -> None:
        s = Scene()
        first = s.ask("first")
        await s.gated.has_begun(1)
        ways = [{"search": USUAL.replace(length_penalty=1 + n)} for n in range(5)]
        asked = [s.ask(f"way {n}", **way) for n, way in enumerate(ways)]
        asked += [s.ask(text, client=ANOTHER, wishes=Wishes(never=(text,))) for text in ("one", "two")]
        asked.append(s.ask("along", client=ANOTHER, **ways[1]))
        await asyncio.sleep(0)
        s.gated.gate.set()
        await asyncio.gather(first, *asked)
        assert s.gated.calls == [
            ["first"],
            ["way 0"],
            ["one"],
            ["way 1", "along"],
            ["way 2"],
            ["two"],
            ["way 3"],
            ["way 4"],
        ]

    play(scene)


def test_what_must_be_searched_for_leaves_a_place_to_what_is_quick() -> None:
    async def scene() -> None:
        s = Scene(at_once=3)
        slow = [s.ask(word, wishes=Wishes(must=(word,))) for word in "abc"]
        await s.gated.has_begun(2)
        quick = s.ask("quick", client=ANOTHER)
        await s.gated.has_begun(1)
        assert sorted(s.gated.calls) == [["a"], ["b"], ["quick"]]
        s.gated.gate.set()
        assert await asyncio.gather(quick, *slow) == [["QUICK"], ["A"], ["B"], ["C"]]

    play(scene)


def test_an_engine_that_likes_fewer_calls_is_given_fewer() -> None:
    async def scene() -> None:
        s = Scene(at_once=3)
        drawing = USUAL.replace(sample=True)
        asked = [s.ask("a", search=drawing)]
        await s.gated.has_begun(1)
        asked += [s.ask("b", search=drawing), s.ask("c", search=drawing), s.ask("usual")]
        await s.gated.has_begun(1)
        assert s.gated.calls == [["a"], ["usual"]]
        s.gated.gate.set()
        await asyncio.gather(*asked)
        assert s.gated.calls == [["a"], ["usual"], ["b", "c"]]

    play(scene)


def test_a_request_whose_client_left_is_never_translated() -> None:
    async def scene() -> None:
        s = Scene()
        first = s.ask("first")
        await s.gated.has_begun(1)
        left, stays = s.ask("left", "left, too"), s.ask("stays")
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.wait([left])
        assert s.dispatcher.waiting == 1
        s.gated.gate.set()
        assert await asyncio.gather(first, stays) == [["FIRST"], ["STAYS"]]
        assert s.gated.calls == [["first"], ["stays"]]

    play(scene)


def test_a_call_that_nobody_waits_for_any_more_ends_between_two_words() -> None:
    async def scene() -> None:
        s = Scene()
        left = s.ask("left", "left, too")
        await s.gated.has_begun(1)
        left.cancel()
        await asyncio.wait([left])
        s.gated.gate.set()
        assert await s.ask("next") == ["NEXT"]
        assert s.gated.calls == [["left", "left, too"], ["next"]]
        assert s.gated.said == ["next"]

    play(scene)


def test_a_call_goes_on_for_whoever_still_waits() -> None:
    async def scene() -> None:
        s = Scene()
        left, stays = s.ask("left"), s.ask("stays", client=ANOTHER)
        await s.gated.has_begun(1)
        left.cancel()
        await asyncio.wait([left])
        s.gated.gate.set()
        assert await stays == ["STAYS"]
        assert s.gated.said == ["left", "stays"]

    play(scene)


def test_a_flood_of_requests_whose_clients_left_leaves_nothing() -> None:
    async def scene() -> None:
        s = Scene(most_waiting=10)
        first = s.ask("first")
        await s.gated.has_begun(1)
        for number in range(100):
            left = s.ask("left", "left, too", search=USUAL.replace(beam_size=1 + number))
            await asyncio.sleep(0)
            left.cancel()
            await asyncio.wait([left])
        assert s.dispatcher.waiting == 0
        assert not s.dispatcher._waiting._of
        s.gated.gate.set()
        assert await first == ["FIRST"]
        assert s.gated.calls == [["first"]]

    play(scene)


@pytest.mark.parametrize(
    ("change", "most"),
    [
        ({"beam_size": USUAL.beam_size + 1}, MOST_SLOW_TEXTS),
        ({"min_length_ratio": 0.5}, MOST_SLOW_TEXTS),
        ({"max_length_extra": USUAL.max_length_extra + 1}, MOST_SLOW_TEXTS),
        ({"sample": True}, MOST_SLOW_TEXTS),
        ({"beam_size": 1}, MOST_TEXTS),
        ({"n_best": USUAL.beam_size}, MOST_TEXTS),
        ({"length_penalty": 2.0}, MOST_TEXTS),
    ],
)
def test_a_call_that_takes_longer_than_usual_has_fewer_texts(change: dict[str, Any], most: int) -> None:
    async def scene() -> None:
        s = Scene()
        s.gated.gate.set()
        await s.ask(*map(str, range(MOST_TEXTS)), search=USUAL.replace(**change))
        assert [len(call) for call in s.gated.calls] == [most] * (MOST_TEXTS // most)

    play(scene)


def test_calls_beside_each_other_share_what_there_is() -> None:
    async def scene() -> None:
        s = Scene(at_once=3)
        asked = [s.ask(str(number)) for number in range(3 * 2 * FEW_TEXTS)]
        await s.gated.has_begun(3)
        assert [len(call) for call in s.gated.calls] == [2 * FEW_TEXTS] * 3
        later = [s.ask(str(len(asked) + number)) for number in range(3)]
        await asyncio.sleep(0)
        assert s.dispatcher.waiting == 3
        asked += later
        s.gated.gate.set()
        await asyncio.gather(*asked)
        assert sorted(text for call in s.gated.calls for text in call) == sorted(
            str(number) for number in range(len(asked))
        )
        s.gated.calls.clear()
        await s.ask(*map(str, range(FEW_TEXTS)))
        assert len(s.gated.calls) == 1

    play(scene)


def test_nobody_fills_the_queue_alone() -> None:
    async def scene() -> None:
        s = Scene(most_waiting=8)
        asked = [s.ask("first")]
        await s.gated.has_begun(1)
        for client, texts in ((SOMEBODY, "abcd"), (ANOTHER, "ef"), (THIRD, "g")):
            asked.append(s.ask(*texts, client=client))
            await asyncio.sleep(0)
            with pytest.raises(QueueFull):  # half of what the others leave
                await s.dispatcher.translate(s.kind(), ["one more"], client)
        assert s.dispatcher.waiting == 7
        s.gated.gate.set()
        await asyncio.gather(*asked)
        assert await s.ask("one more") == ["ONE MORE"]
        assert not s.dispatcher._waiting._of

    play(scene)


def test_what_goes_on_waits_in_its_order_until_its_clients_share_has_room() -> None:
    async def scene() -> None:
        s = Scene(most_waiting=8)
        asked = [s.ask("first")]
        await s.gated.has_begun(1)
        asked += [s.ask("a", "b", "c"), s.ask("d", "e", accepted=True), s.ask("f", accepted=True)]
        await asyncio.sleep(0)
        assert s.dispatcher.waiting == 3
        with pytest.raises(QueueFull):  # what goes on comes before it
            await s.dispatcher.translate(s.kind(), ["new"], SOMEBODY)
        asked.append(s.ask("another's", client=ANOTHER))
        await asyncio.sleep(0)
        assert s.dispatcher.waiting == 4
        s.gated.gate.set()
        found = await asyncio.gather(*asked)
        assert found == [["FIRST"], ["A", "B", "C"], ["D", "E"], ["F"], ["ANOTHER'S"]]
        assert not s.dispatcher._waiting._of

    play(scene)


def test_what_goes_on_and_whose_client_left_makes_room_for_what_is_behind_it() -> None:
    async def scene() -> None:
        s = Scene(most_waiting=8)
        first = s.ask("first")
        await s.gated.has_begun(1)
        here, left, behind = s.ask("a", "b", "c"), s.ask("d", "e", accepted=True), s.ask("f", accepted=True)
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.wait([left])
        assert s.dispatcher.waiting == 4
        s.gated.gate.set()
        assert await asyncio.gather(first, here, behind) == [["FIRST"], ["A", "B", "C"], ["F"]]
        assert s.gated.calls == [["first"], ["a", "f", "b", "c"]]

    play(scene)


def test_what_goes_on_comes_in_however_full_it_is_where_nothing_else_of_its_client_waits() -> None:
    async def scene() -> None:
        s = Scene(most_waiting=2)
        first = s.ask("first")
        await s.gated.has_begun(1)
        others = s.ask("a", "b", client=ANOTHER)
        await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            await s.dispatcher.translate(s.kind(), ["new"], SOMEBODY)
        going_on = [s.ask("c", "d", accepted=True), s.ask("e", accepted=True)]
        await asyncio.sleep(0)
        assert s.dispatcher.waiting == 4
        s.gated.gate.set()
        assert await asyncio.gather(first, others, *going_on) == [["FIRST"], ["A", "B"], ["C", "D"], ["E"]]

    play(scene)


def test_a_full_queue_refuses_at_once_and_says_when_to_come_again() -> None:
    async def scene() -> None:
        s = Scene(most_waiting=2)
        first = s.ask("first")
        await s.gated.has_begun(1)
        waiting = s.ask("a", "b")
        await asyncio.sleep(0)
        with pytest.raises(QueueFull) as refused:
            await s.dispatcher.translate(s.kind(), ["c"], ANOTHER)
        assert refused.value.retry_after >= 1
        further = asyncio.ensure_future(s.dispatcher.translate(s.kind(), ["d"], SOMEBODY, accepted=True))
        await asyncio.sleep(0)
        assert s.dispatcher.waiting == 2
        s.gated.gate.set()
        assert [each.text for each in await further] == ["D"]
        assert await asyncio.gather(first, waiting) == [["FIRST"], ["A", "B"]]
        assert await s.ask("c") == ["C"]

    play(scene)


def test_a_text_that_cannot_be_translated_fails_alone() -> None:
    async def scene() -> None:
        s = Scene()
        s.gated.gate.set()
        good, bad = s.ask("good"), s.ask("bad")
        assert await good == ["GOOD"]
        with pytest.raises(ValueError, match="no network survives"):
            await bad

    play(scene)


def test_nothing_is_kept_of_a_model_that_is_no_longer_used() -> None:
    async def scene() -> None:
        s = Scene()
        s.gated.gate.set()
        await s.ask("a")
        await asyncio.sleep(0)
        assert not s.dispatcher._waiting._of
        assert not s.dispatcher._running

    play(scene)
