"""Looking inside over HTTP: what is answered is what the library says, and is kept for a while."""

from __future__ import annotations

import gc
import gzip
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from served import Ask, ask, load_in_torch, service_of

from onmal.errors import OnmalError
from onmal.inspection import Question, look_inside, row
from onmal.inspection.whole import whole
from onmal.serving import inspecting
from onmal.serving.inspecting import AnswerGone, Answers
from onmal.serving.models import Loaded
from onmal.serving.saved_page import FOLDER, saved_page
from onmal.serving.service import Service

KOREAN = "친구는 오늘 학교에 간다."


@pytest.fixture(scope="module")
def service(both_ways: Path) -> Service:
    return service_of(both_ways)


def rounded(value: Any) -> Any:
    """The same with its numbers to four digits: other threads of a process may sum up in another order."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def test_everything_about_a_sentence_and_closer_looks(service: Service, both_ways: Path) -> None:
    translator = load_in_torch(both_ways)
    expected = look_inside(translator, Question(text=KOREAN, to="en"))

    async def scene(client: Ask) -> None:
        asked = {"text": KOREAN, "to": "en"}
        answer = await client.post("/v1/inspect", json=asked)
        told = answer.json()
        assert answer.headers["content-encoding"] == "gzip"
        assert rounded({**told, "time_ms": 0}) == rounded({**expected, "time_ms": 0})
        assert (await client.post("/v1/inspect", json=asked)).json()["time_ms"] == told["time_ms"]  # kept
        place: dict[str, Any] = {"kind": "cross", "layer": 0, "head": 1, "t": 2}
        closer = await client.get(f"/v1/inspect/{told['key']}/row", params=place)
        assert closer.json() == row(translator, expected, **place)
        for call in ("tensor?kind=enc&layer=1", "vectors?part=1&token=2"):
            assert (await client.get(f"/v1/inspect/{told['key']}/{call}")).status_code == 200

    ask(service, scene)


def test_all_of_it_is_one_file_to_keep(service: Service, both_ways: Path) -> None:
    translator = load_in_torch(both_ways)

    async def scene(client: Ask) -> None:
        told = (await client.post("/v1/inspect", json={"text": KOREAN, "to": "en"})).json()
        path = f"/v1/inspect/{told['key']}/page"
        answer = await client.get(path)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["content-disposition"] == 'attachment; filename="onmal.html"'
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.text == saved_page(whole(translator, told))
        plain = await client.get(path, headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.text == answer.text

    ask(service, scene)


def test_the_finished_example_is_a_file_to_keep_too(service: Service) -> None:
    example = json.loads((FOLDER / "example.json").read_text("utf-8"))

    async def scene(client: Ask) -> None:
        answer = await client.get(f"/v1/inspect/{example['key']}/page")
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.text == saved_page(example)

    ask(service, scene)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"to": "en"}, 422, "text: Field required"),
        ({"text": KOREAN, "to": "de"}, 400, "choose one of"),
        ({"text": KOREAN, "to": "en", "beam": 99}, 400, "beam = 99"),
        ({"text": KOREAN, "to": "en", "beam": "wide"}, 422, "beam"),
        ({"text": KOREAN, "to": "en", "colour": 1}, 422, "colour"),
        ({"text": KOREAN, "to": "en", "model": "none"}, 404, "none"),
        ({"text": "", "to": "en"}, 400, ""),
        ({"text": "가" * 20_001, "to": "en"}, 413, "20,001"),
        ({"text": KOREAN * 20, "to": "en"}, 400, ""),
    ],
)
def test_mistakes_are_one_line(service: Service, body: dict[str, Any], status: int, said: str) -> None:
    async def scene(client: Ask) -> None:
        json_type = {"content-type": "application/json"}
        answer = await client.post("/v1/inspect", content=json.dumps(body), headers=json_type)
        assert answer.status_code == status, answer.text
        assert said in answer.json()["error"]["message"]

    ask(service, scene)


def test_closer_looks_at_what_is_not_there(service: Service) -> None:
    async def scene(client: Ask) -> None:
        key = (await client.post("/v1/inspect", json={"text": KOREAN, "to": "en"})).json()["key"]
        for call, status in (
            (f"{'0' * 64}/tensor?kind=enc&layer=0", 404),
            (f"{'0' * 64}/page", 404),
            ("..%2f..%2fetc%2fpasswd/page", 404),
            ("example.json/page", 422),
            ("../secret/tensor?kind=enc&layer=0", 404),
            (f"{key}/tensor?kind=enc&layer=99", 400),
            (f"{key}/row?kind=cross&layer=0&head=99&t=0", 400),
            (f"{key}/row?kind=cross&layer=0&head=0&t=-1", 400),
            (f"{key}/row?kind=none&layer=0&head=0&t=0", 422),
            (f"{key}/vectors?part=3&token=0", 400),
        ):
            assert (await client.get(f"/v1/inspect/{call}")).status_code == status, call

    ask(service, scene)


def test_half_a_character_is_a_sign_for_none(service: Service) -> None:
    async def scene(client: Ask) -> None:
        asked = json.dumps({"text": KOREAN + "\ud800", "to": "en"})
        json_type = {"content-type": "application/json"}
        answer = await client.post("/v1/inspect", content=asked, headers=json_type)
        assert answer.status_code == 200, answer.text
        assert answer.json()["question"]["text"] == KOREAN + "\ufffd"

    ask(service, scene)


def test_answers_are_packed_in_a_thread_of_the_model_for_whoever_takes_them_so(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed_in: list[threading.Thread] = []
    pack = inspecting._pack

    def watched(told: dict[str, Any]) -> bytes:
        packed_in.append(threading.current_thread())
        return pack(told)

    monkeypatch.setattr(inspecting, "_pack", watched)

    async def scene(client: Ask) -> None:
        asked = {"text": "동생은 매일 시장에 간다.", "to": "en"}
        plain = await client.post("/v1/inspect", json=asked, headers={"accept-encoding": "identity"})
        packed = await client.post("/v1/inspect", json=asked)
        assert "content-encoding" not in plain.headers
        assert packed.headers["content-encoding"] == "gzip"
        assert plain.json() == packed.json()
        await client.get(f"/v1/inspect/{plain.json()['key']}/vectors?part=1&token=0")

    ask(service, scene)
    assert len(packed_in) == 2
    assert threading.main_thread() not in packed_in


def test_answers_are_kept_for_as_long_as_there_is_room_and_their_model_is_served(both_ways: Path) -> None:
    loaded = Loaded(load_in_torch(both_ways))
    questions = [Question(text=text, to="en") for text in ("친구는", "동생은", "친구는", "언니는")]
    answers = Answers(most=int(2.5 * len(Answers().look(loaded, questions[0]))))  # bytes
    keys = [json.loads(gzip.decompress(answers.look(loaded, each)))["key"] for each in questions]
    assert keys[0] == keys[2]
    assert answers.find(keys[0])[1] is loaded
    with pytest.raises(AnswerGone):
        answers.find(keys[1])
    with pytest.raises(OnmalError):
        answers.look(loaded, Question(text="", to="en"))
    del loaded
    gc.collect()
    with pytest.raises(AnswerGone):
        answers.find(keys[0])
