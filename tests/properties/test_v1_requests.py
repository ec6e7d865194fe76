"""Requests that nobody thought of, drawn from the API's own description: none is a 500, a traceback, or an answer that it does not describe."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "serving"))
from served import service_of
from tiny_model import save_tiny_model

from onmal.serving.app import build

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
OPERATIONS = [
    "GET /health",
    "GET /v1/inspect/{key}/page",
    "GET /v1/inspect/{key}/row",
    "GET /v1/inspect/{key}/tensor",
    "GET /v1/inspect/{key}/vectors",
    "GET /v1/languages",
    "GET /v1/models",
    "POST /v1/detect",
    "POST /v1/inspect",
    "POST /v1/translate",
    "POST /v1/translate/stream",
]


@pytest.fixture(scope="module")
def reported() -> list[str]:
    """What the server told its operator."""
    return []


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, reported: list[str]) -> BaseSchema:
    folder = save_tiny_model(tmp_path_factory.mktemp("models") / "ko-en", both_directions=True)
    app = build(service_of(folder, names=["*"], report=reported.append), report=reported.append)
    return schemathesis.openapi.from_asgi("/v1/openapi.json", app)


def test_every_operation_is_asked(api: BaseSchema) -> None:
    assert sorted(found.ok().label for found in api.get_all_operations()) == OPERATIONS


@pytest.mark.parametrize("label", OPERATIONS)
def test_whatever_is_asked_the_answer_is_one_that_is_described(
    label: str, api: BaseSchema, reported: list[str]
) -> None:
    operation = next(found.ok() for found in api.get_all_operations() if found.ok().label == label)

    @settings(max_examples=30, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def answers(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS)

    answers()
    assert not reported


TEXTS = st.text(max_size=60) | st.sampled_from(
    ["\u0000", "\ud800", "<b>가</b>\n\n%s {0}", "a\u0301" * 300, "ㅋ" * 500]
)
PHRASES = st.lists(st.text(max_size=5), max_size=2)
SEARCHES = st.fixed_dictionaries(
    {},
    optional={
        "beam_size": st.integers(1, 5),
        "length_penalty": st.floats(0, 10),
        "max_length_ratio": st.floats(0.001, 10),
        "min_length_ratio": st.floats(0, 10),
        "coverage_penalty": st.floats(0, 100),
        "diversity": st.floats(0, 100),
        "no_repeat_ngram": st.integers(0, 5),
        "sample": st.booleans(),
        "temperature": st.floats(0.05, 10),
        "top_k": st.integers(0, 1000),
        "top_p": st.floats(0.01, 1),
        "seed": st.integers(0, 2**63 - 1),
    },
)
WANTED = st.fixed_dictionaries(
    {"text": TEXTS | st.lists(TEXTS, max_size=3), "target": st.sampled_from(["en", "ko", "KO-kr"])},
    optional={
        "source": st.sampled_from(["auto", "ko", "en"]),
        "prefix": TEXTS,
        "must": PHRASES,
        "never": PHRASES,
        "search": SEARCHES,
        "n_best": st.integers(1, 3),
        "sentences": st.booleans(),
        "alignment": st.booleans(),
        "omissions": st.booleans(),
    },
)


def test_whatever_is_wanted_of_whatever_text(api: BaseSchema, reported: list[str]) -> None:
    @settings(max_examples=60, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(body=WANTED)
    def answers(body: dict[str, Any]) -> None:
        found = api["/v1/translate"]["POST"].Case(body=body, media_type="application/json").call()
        assert found.status_code in (200, 400, 422), (body, found.text)
        if found.status_code == 200:
            texts = body["text"] if isinstance(body["text"], list) else None
            translations = found.json()["translations"] if texts is not None else [found.json()]
            assert len(translations) == (1 if texts is None else len(texts))

    answers()
    assert not reported
