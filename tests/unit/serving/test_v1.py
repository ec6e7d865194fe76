"""onmal's own API: what it answers, and what it refuses in which words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from served import Ask, ask, load_in_torch, service_of

from onmal.config import SearchConfig
from onmal.serving.keys import KeyFile
from onmal.serving.service import Service

KOREAN = "친구는 오늘 학교에 간다."
TWO_SENTENCES = "동생은 매일 시장에 간다.  언니는 혼자 공원에 간다."


@pytest.fixture(scope="module")
def service(both_ways: Path) -> Service:
    return service_of(both_ways)


def post(service: Service, path: str, body: Any, **headers: str) -> Any:
    """The status of an answer, and what it says."""
    found: list[Any] = []

    async def scene(client: Ask) -> None:
        answer = await client.post(
            path, content=json.dumps(body), headers={"content-type": "application/json", **headers}
        )
        found.append((answer.status_code, answer.json()))

    ask(service, scene)
    return found[0]


def test_a_text_is_translated_as_the_translator_does(service: Service, both_ways: Path) -> None:
    status, answer = post(service, "/v1/translate", {"text": KOREAN, "target": "en"})
    translator = load_in_torch(both_ways)
    expected = translator.translate(KOREAN, to="en")
    assert status == 200
    assert (answer["text"], answer["source"], answer["target"]) == (expected.text, "ko", "en")
    assert answer["warnings"] == list(expected.warnings)
    assert answer["score"] == round(expected.score, 4)


def test_a_list_keeps_its_order_and_each_text_its_language(service: Service) -> None:
    texts = [KOREAN, "", "My friend goes to school today.", "  \n", "\t" + KOREAN]
    status, answer = post(service, "/v1/translate", {"text": texts, "target": "en"})
    translations = answer["translations"]
    assert status == 200
    assert [each["source"] for each in translations][::2] == ["ko", "en", "ko"]
    assert [translations[n]["text"] for n in (1, 2, 3)] == texts[1:4]
    assert translations[4]["text"] == "\t" + translations[0]["text"]
    _, answer = post(service, "/v1/translate", {"text": KOREAN, "target": "ko-KR"})
    assert answer["text"] == KOREAN


def test_n_best_alignment_and_sentences(service: Service) -> None:
    asked = {"text": KOREAN, "target": "en", "n_best": 3, "alignment": True}
    _, answer = post(service, "/v1/translate", asked)
    assert answer["alternatives"][0]["text"] == answer["text"]
    assert len(answer["alternatives"]) == 3
    (alignment,) = answer["alignment"]
    assert len(alignment["weights"]) == len(alignment["target"])
    assert sum(alignment["weights"][0]) == pytest.approx(1, abs=0.01)
    _, answer = post(service, "/v1/translate", {"text": TWO_SENTENCES, "target": "en", "sentences": True})
    assert "".join(each["source"] for each in answer["sentences"]) == TWO_SENTENCES
    assert "".join(each["text"] for each in answer["sentences"]) == answer["text"]
    assert len(answer["sentences"]) == 2


def test_a_text_may_have_more_sentences_than_a_request_texts(both_ways: Path) -> None:
    text = TWO_SENTENCES + " "
    asked = {"text": [text * 2], "target": "en", "sentences": True}
    status, answer = post(service_of(both_ways, texts=3), "/v1/translate", asked)
    assert status == 200
    assert len(answer["translations"][0]["sentences"]) == 4


def test_wishes_and_search_reach_the_engine(service: Service, both_ways: Path) -> None:
    _, answer = post(
        service,
        "/v1/translate",
        {"text": KOREAN, "target": "en", "prefix": "My friend", "search": {"beam_size": 1}},
    )
    assert answer["text"].startswith("My friend")
    _, answer = post(service, "/v1/translate", {"text": KOREAN, "target": "en", "must": ["market"]})
    assert "market" in answer["text"]
    drawn = {"text": KOREAN, "target": "en", "search": {"sample": True, "seed": 5}}
    _, answer = post(service, "/v1/translate", drawn)
    search = SearchConfig(sample=True, seed=5, beam_size=1)
    assert answer["text"] == load_in_torch(both_ways).translate(KOREAN, to="en", search=search).text


def test_halves_of_characters_and_odd_unicode_are_no_error(service: Service) -> None:
    status, answer = post(service, "/v1/translate", {"text": "\ud800", "target": "en"})
    assert (status, answer["text"]) == (200, "\ufffd")
    odd = "\u0000 \ufffe\U0010ffff \u202e\u200b 👩‍👩‍👧 " + "a\u0301" * 50
    status, answer = post(service, "/v1/translate", {"text": odd, "target": "ko", "source": "en"})
    assert status == 200
    assert isinstance(answer["text"], str)


@pytest.mark.parametrize(
    ("body", "status", "code", "said"),
    [
        ({"text": "a"}, 422, "invalid", "target"),
        ({"text": "a", "target": "en", "beam": 3}, 422, "invalid", "beam"),
        ({"text": 3, "target": "en"}, 422, "invalid", "text"),
        ({"text": "a", "target": "xx"}, 400, "language_error", "'xx'"),
        ({"text": "a", "target": "de", "source": "en"}, 400, "language_error", "there are: ko-en, en-ko"),
        ({"text": "a", "target": "de", "source": "de"}, 400, "language_error", "there are"),
        ({"text": "a", "target": "de"}, 400, "language_error", "choose one of: en, ko"),
        ({"text": "가", "target": "en", "model": "none"}, 404, "model_unknown", "there are: ko-en"),
        ({"text": "가", "target": "en", "n_best": 13}, 400, "config_error", "beam_size = 13"),
        (
            {"text": "가", "target": "en", "n_best": 3, "search": {"beam_size": 2}},
            400,
            "config_error",
            "n_best = 3",
        ),
        ({"text": "가" * 20_001, "target": "en"}, 413, "too_large", "20,001"),
        ({"text": ["가"] * 200, "target": "en", "must": ["a" * 100]}, 413, "too_large", "20,200 characters"),
        (
            {"text": "가", "target": "en", "must": ["the market " * 17]},
            400,
            "config_error",
            "tokens where a translation of the text has at most",
        ),
        (
            {"text": KOREAN + f"\n{KOREAN}" * 64, "target": "en", "must": ["the market"] * 2},
            400,
            "config_error",
            "tokens to try in each of 65 sentences, 256 are possible",
        ),
        ({"text": ["가"] * 257, "target": "en"}, 413, "too_large", "257"),
        ({"text": "가", "target": "en", "sentences": True, "n_best": 2}, 400, "config_error", "sentences"),
        ({"text": "가", "target": "en", "never": [" "]}, 422, "invalid", "never"),
        ({"text": "가", "target": "en", "search": {"min_length_ratio": 10}}, 422, "invalid", "min_length"),
        ({"text": "가", "target": "en", "search": {"max_length_ratio": 10}}, 422, "invalid", "max_length"),
        ({"text": "가", "target": "en", "search": {"max_length_extra": 999}}, 422, "invalid", "max_length"),
    ],
)
def test_mistakes_are_one_line(service: Service, body: Any, status: int, code: str, said: str) -> None:
    found, answer = post(service, "/v1/translate", body)
    assert (found, answer["error"]["code"]) == (status, code)
    assert said in answer["error"]["message"]
    assert "\n" not in answer["error"]["message"]


@pytest.mark.parametrize(
    ("body", "kind", "status", "said"),
    [
        (b"", "application/json", 422, "the body: Field required"),
        (b"[]", "application/json", 422, "the body: Input should be a valid dictionary"),
        (b'{"text": ', "application/json", 422, "JSON decode error"),
        (b'{"text": "a", "target": "en"}', "text/plain", 422, "the body: Input should be a valid dictionary"),
        (b'{"text": "\xff", "target": "en"}', "application/json", 400, "parsing the body"),
        (b"[" * 100_000, "application/json", 400, "parsing the body"),
        (b'{"text": "a", "target": "en"}', "application/problem+json; charset=utf-8", 200, ""),
        (b'{"text": "a", "target": "en"}', "Application/JSON ; charset=utf-8", 200, ""),
    ],
)
def test_what_is_read_directly_is_refused_as_everything_is(
    service: Service, body: bytes, kind: str, status: int, said: str
) -> None:
    async def scene(client: Ask) -> None:
        answer = await client.post("/v1/translate", content=body, headers={"content-type": kind})
        assert answer.status_code == status
        assert said in answer.json().get("error", {"message": ""})["message"]

    ask(service, scene)


def test_limits_are_enforced_before_any_work(both_ways: Path) -> None:
    service = service_of(both_ways, characters=10, texts=2)
    for text, said in (("가" * 11, "11 characters"), (["가"] * 3, "3 texts")):
        for path, body in (("translate", {"text": text, "target": "en"}), ("detect", {"text": text})):
            if path == "translate" or isinstance(text, str):
                assert said in post(service, f"/v1/{path}", body)[1]["error"]["message"]
    assert not any(map(service.models.is_loaded, service.models))


def test_a_translation_that_takes_too_long_is_given_up(both_ways: Path) -> None:
    service = service_of(both_ways, seconds=1e-6)
    status, answer = post(service, "/v1/translate", {"text": KOREAN, "target": "en"})
    assert (status, answer["error"]["code"]) == (408, "body_late") or status == 504


def test_detect(service: Service) -> None:
    status, answer = post(service, "/v1/detect", {"text": "내일 가요"})
    assert status == 200
    assert answer[0] == {"language": "ko", "confidence": 1.0}


def test_what_is_served(service: Service) -> None:
    async def scene(client: Ask) -> None:
        assert (await client.get("/health")).json() == {"status": "ok"}
        languages = (await client.get("/v1/languages")).json()
        assert languages["directions"] == [
            {"source": "ko", "target": "en", "model": "ko-en"},
            {"source": "en", "target": "ko", "model": "ko-en"},
        ]
        assert languages["names"]["ko"] == {"en": "Korean", "ko": "한국어"}
        assert languages["limits"] == {"characters": 20_000, "texts": 256, "beam_size": 12}
        (model,) = (await client.get("/v1/models")).json()
        assert model["name"] == "ko-en"
        assert model["network"]["d_model"] == 16
        assert model["card"] == {"training_pairs": 200}
        described = (await client.get("/v1/openapi.json")).json()
        assert {"/v1/translate", "/v1/translate/stream", "/v1/detect"} <= described["paths"].keys()

    ask(service, scene)


def events(text: str) -> list[tuple[str, Any]]:
    lines = [event.split("\n") for event in text.strip().split("\n\n")]
    return [(kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for kind, data in lines]


def test_the_stream_types_out_what_greedy_search_finds(service: Service, both_ways: Path) -> None:
    async def scene(client: Ask) -> None:
        asked = {"text": TWO_SENTENCES, "target": "en", "never": ["market"]}
        answer = await client.post("/v1/translate/stream", json=asked)
        assert answer.headers["content-type"].startswith("text/event-stream")
        *pieces, (kind, whole) = events(answer.text)
        assert {kind for kind, _ in pieces} == {"piece"}
        assert kind == "done"
        assert "".join(piece for _, piece in pieces) == whole["text"]
        assert any(warning.startswith("unfinished") for warning in whole["warnings"])
        for text in ("", "Hello."):  # nothing to be said; English already
            answer = await client.post(
                "/v1/translate/stream", json={"text": text, "target": "en", "source": "en"}
            )
            assert events(answer.text)[-1][1]["text"] == text
        refused = await client.post("/v1/translate/stream", json={**asked, "target": "de"})
        assert refused.status_code == 400

    ask(service, scene)


def test_keys_and_their_limits(both_ways: Path, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    service = service_of(both_ways, keys=str(keys.path), require_keys=True)
    alice = keys.add("alice", characters=5, requests_per_minute=2)
    asked = {"text": "가", "target": "en"}
    assert post(service, "/v1/translate", asked)[0] == 401
    assert post(service, "/v1/translate", asked, authorization="Bearer wrong")[0] == 403
    own = {"authorization": f"Bearer {alice}"}
    assert post(service, "/v1/translate", {**asked, "text": "가나다라마바"}, **own)[0] == 413
    assert [post(service, "/v1/translate", asked, **own)[0] for _ in range(3)] == [200, 200, 429]
    keys.revoke("alice")
    assert post(service, "/v1/translate", asked, **own)[0] == 403


def test_where_no_keys_are_required_any_key_will_do(service: Service) -> None:
    assert post(service, "/v1/translate", {"text": "", "target": "en"}, authorization="Bearer x")[0] == 200
