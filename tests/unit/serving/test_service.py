"""What the APIs share: documents in portions, and translations that are typed out and can be stopped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from served import load_in_torch, service_of

from onmal.config import SearchConfig
from onmal.errors import LanguageError
from onmal.serving.clients import Client, Limits
from onmal.serving.kinds import Kind
from onmal.serving.models import Loaded
from onmal.serving.refusals import QueueFull, RateExceeded, TimeOver, TooLarge
from onmal.serving.service import MOST_BESIDE, PORTION, Service
from onmal.serving.typing_out import type_out
from onmal.translating.glossary import Glossary
from onmal.translating.translator import Translation

SOMEBODY = Client("somebody", Limits(characters=100))
KOREAN = "친구는 오늘 학교에 간다."


def play(scene: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(60):
            await scene()

    asyncio.run(main())


@pytest.fixture
def service(both_ways: Path) -> Service:
    return service_of(both_ways, document_characters=5_000)


def watched(service: Service) -> list[int]:
    """How many texts go into the queue each time, of which only the first may be refused."""
    longest: list[int] = []
    queue = service.dispatcher.translate

    async def watch(kind: Kind, portion: Any, client: Client, *, accepted: bool) -> list[Translation]:
        assert accepted == bool(longest)
        longest.append(len(portion))
        return await queue(kind, portion, client, accepted=accepted)

    service.dispatcher.translate = watch  # type: ignore[method-assign]
    return longest


def test_pieces_of_a_text_are_not_counted_and_go_into_the_queue_in_portions(both_ways: Path) -> None:
    service = service_of(both_ways, texts=1)
    longest, pieces = watched(service), ["간다."] * (PORTION + 3)

    async def scene() -> None:
        client = Client("somebody", Limits(characters=1000))
        sources = ["ko"] * len(pieces)
        found = await service.translate_pieces(pieces, sources=sources, target="en", client=client)
        assert len({each.text for each in found}) == 1
        assert longest == [PORTION, 3]

    play(scene)


def test_a_request_in_several_languages_is_let_in_or_refused_whole(both_ways: Path) -> None:
    service = service_of(both_ways, queue=4)  # of which one client may have two

    async def scene() -> None:
        sources = ["ko", "ko", "ko-KR"]
        found = await service.translate([KOREAN] * 3, source=sources, target="en", client=SOMEBODY)
        assert len({each.text for each in found}) == 1

    play(scene)


def test_a_document_goes_into_the_queue_in_portions_and_comes_out_whole(
    service: Service, both_ways: Path
) -> None:
    texts = [KOREAN, "", "  ", "123"] * (PORTION // 2)
    longest = watched(service)

    async def scene() -> None:
        async with service.document(target="en", client=SOMEBODY) as ask:
            found = await ask("auto", texts)
        expected = load_in_torch(both_ways).translate(texts, to="en")
        assert [each.text for each in found] == [each.text for each in expected]
        assert longest == [PORTION, PORTION]
        assert service.characters_used(SOMEBODY) == sum(map(len, texts))
        with pytest.raises(TooLarge):
            async with service.document(target="en", client=SOMEBODY) as ask:
                await ask("ko", ["가" * 5_001])

    play(scene)


def test_a_document_is_one_request_however_often_it_asks(both_ways: Path) -> None:
    service = service_of(both_ways, at_once=1)
    hurried = Client("hurried", Limits(100, requests_per_minute=1, characters_per_minute=4))
    may_be_refused: list[bool] = []
    queue = service.dispatcher.translate

    async def watched(*asked: Any, accepted: bool) -> list[Translation]:
        may_be_refused.append(not accepted)
        return await queue(*asked, accepted=accepted)

    service.dispatcher.translate = watched  # type: ignore[method-assign]

    async def scene() -> None:
        async with service.document(target="en", client=hurried) as ask:
            await ask("ko", ["혼자"])
            assert len(await ask("ko", [KOREAN, "혼자"])) == 2
        assert may_be_refused == [True, False]
        assert service.characters_used(hurried) == 2
        with pytest.raises(RateExceeded):
            async with service.document(target="en", client=hurried):
                pytest.fail("a second request")

    play(scene)


def test_the_characters_of_a_document_count_when_they_are_known(service: Service) -> None:
    hurried = Client("hurried", Limits(100, characters_per_minute=4))

    async def scene() -> None:
        for refusal in (None, RateExceeded):
            with pytest.raises(refusal) if refusal else nullcontext():
                async with service.document(target="en", client=hurried) as ask:
                    await ask("ko", ["혼자서"])
        assert service.characters_used(hurried) == 3

    play(scene)


def test_terms_are_translated_as_a_glossary_says(service: Service) -> None:
    async def scene() -> None:
        for target in ("market", "bazaar"):  # a model may be asked with several glossaries
            found = await service.translate(
                ["매일 시장에 간다."],
                source="ko",
                target="en",
                client=SOMEBODY,
                glossary=Glossary([("시장", target)]),
            )
            assert target in found[0].text

    play(scene)


def test_the_likeliest_source_is_one_that_can_be_translated_to_the_target(service: Service) -> None:
    assert service.source_of(KOREAN, "en-US") == "ko"
    assert service.source_of("My friend goes to the market every day.", "en-US") == "en-US"  # stays as it is
    assert service.source_of("123", "en") == "ko"
    with pytest.raises(LanguageError):
        service.source_of(KOREAN, "de")


class Typist:
    """A translator that says a word each time it is let."""

    def __init__(self) -> None:
        self.let = threading.Semaphore(0)
        self.ended = threading.Event()
        self.saved = SimpleNamespace(search=SearchConfig())
        self.engine = SimpleNamespace(at_once=lambda search: 1)

    def type_out(self, text: str, **options: Any) -> Generator[str, None, tuple[str, ...]]:
        try:
            for word in text.split():
                assert self.let.acquire(timeout=30)
                yield word
        finally:
            self.ended.set()
        return ("numbers: 3 is missing",)


def typed(typist: Typist, seconds: float = 60) -> Any:
    kind = Kind(Loaded(cast(Any, typist)), ("ko", "en"), SearchConfig())
    return type_out(kind, "one two three", asyncio.get_running_loop().time() + seconds)


def test_pieces_come_one_by_one_and_then_the_whole_with_its_warnings() -> None:
    async def scene() -> None:
        typist = Typist()
        pieces = typed(typist)
        for word in ("one", "two", "three"):
            typist.let.release()
            assert await anext(pieces) == word
        whole = await anext(pieces)
        assert (whole.text, whole.warnings) == ("onetwothree", ("numbers: 3 is missing",))
        assert [piece async for piece in pieces] == []

    play(scene)


def test_who_stops_listening_stops_the_typing() -> None:
    async def scene() -> None:
        typist = Typist()
        pieces = typed(typist)
        typist.let.release()
        assert await anext(pieces) == "one"
        await pieces.aclose()
        typist.let.release()
        assert await asyncio.to_thread(typist.ended.wait, 30)

    play(scene)


def test_one_client_has_half_of_the_places_beside_the_queue_at_most(service: Service) -> None:
    async def scene() -> None:
        gate, loaded = threading.Event(), cast(Any, SimpleNamespace(beside=ThreadPoolExecutor(1)))

        def looks(client: Client) -> asyncio.Future[bool]:
            return asyncio.ensure_future(service.beside(loaded, lambda: gate.wait(30), client, 1))

        looking = [looks(SOMEBODY) for _ in range(MOST_BESIDE)]
        looking.append(looks(Client("another", Limits(100))))
        await asyncio.sleep(0)
        assert [each.done() for each in looking] == [
            *[False] * (MOST_BESIDE // 2),
            *[True] * (MOST_BESIDE // 2),
            False,
        ]
        gate.set()
        found = await asyncio.gather(*looking, return_exceptions=True)
        assert [type(each) for each in found[MOST_BESIDE // 2 :]] == [QueueFull] * (MOST_BESIDE // 2) + [bool]

    play(scene)


def test_typing_takes_no_longer_than_it_may(service: Service) -> None:
    async def scene() -> None:
        typist = Typist()
        with pytest.raises(TimeoutError):
            await anext(typed(typist, seconds=0))
        typist.let.release(3)
        service.settings = service.settings.replace(seconds=1e-6)
        with pytest.raises(TimeOver):
            await anext(service.stream(KOREAN, source="ko", target="en", client=SOMEBODY))

    play(scene)
