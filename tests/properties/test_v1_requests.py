"""Requests that nobody thought of, drawn from the API's own description: none is a 500, a traceback, or an answer that it does not describe."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
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
    "GET /v1/languages",
    "GET /v1/models",
    "POST /v1/detect",
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
