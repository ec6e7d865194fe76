"""Parameters of requests: the same wherever they stand, and nothing that a stranger sends is more than a refusal."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from onmal.serving.parameters import Malformed, Parameters, Upload, read_parameters

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def read(body: bytes = b"", kind: str = "", query: bytes = b"") -> Parameters:
    """The parameters of a request with such a body, content type and query string."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", kind.encode())] if kind else []
    scope = {"type": "http", "method": "POST", "headers": headers, "query_string": query}
    return asyncio.run(read_parameters(Request(scope, receive)))


def multipart(fields: dict[str, Any], upload: tuple[str, bytes]) -> Parameters:
    request = httpx.Request("POST", "http://here/", data=fields, files={"file": upload})
    return read(request.read(), request.headers["content-type"])


@given(st.text(st.characters(exclude_categories=["Cs"])).filter(lambda text: "\r" not in text))
def test_a_text_is_the_same_wherever_it_stands(text: str) -> None:
    encoded = urlencode({"q": text}).encode()
    ways = [
        read(query=encoded),
        read(encoded, FORM),
        read(json.dumps({"q": text}).encode(), JSON),
        read(json.dumps({"q": text}, ensure_ascii=False).encode(), "application/json; charset=utf-8"),
        multipart({"q": text}, ("a.txt", b"")),
    ]
    assert [way.text("q", "absent") for way in ways] == [text] * 5


@pytest.mark.parametrize(
    "way", [{"body": "q=안녕 하세요".encode(), "kind": FORM}, {"query": "q=안녕 하세요".encode()}]
)
def test_letters_that_nobody_escaped_are_utf8_as_curl_sends_them(way: dict[str, Any]) -> None:
    assert read(**way).text("q") == "안녕 하세요"


def test_json_counts_more_than_a_form_and_that_more_than_the_query_string() -> None:
    both = read(b'{"q": "body", "source": "ko"}', JSON, b"q=query&target=en")
    assert [both.text(name) for name in ("q", "source", "target")] == ["body", "ko", "en"]
    assert read(b"q=form", FORM, b"q=query").text("q") == "form"


def test_a_name_given_again_makes_a_list() -> None:
    for found in (read(b"q=a&q=b", FORM), read(query=b"q=a&q=b"), read(b'{"q": ["a", "b"]}', JSON)):
        assert found.is_list("q")
        assert found.texts("q") == ["a", "b"]
        assert found.text("q") == "a"
    assert read(b'{"q": ["a"]}', JSON).is_list("q")
    assert not read(b"q=a", FORM).is_list("q")
    assert read().texts("q") == []


def test_line_ends_of_forms_are_folded_and_those_of_json_are_not() -> None:
    assert read(b"q=a%0D%0Ab%0D", FORM).text("q") == "a\nb\r"
    assert multipart({"q": "a\r\nb"}, ("a.txt", b"")).text("q") == "a\nb"
    assert read(b'{"q": "a\\r\\nb"}', JSON).text("q") == "a\r\nb"


def test_a_file_comes_with_its_name_and_the_fields_beside_it() -> None:
    found = multipart({"source": "ko"}, ("글.txt", b"\x00\xff"))
    assert found.text("source") == "ko"
    assert found.upload == Upload("글.txt", b"\x00\xff")


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'"q"', b"\xff", b"[" * 100_000, b"1" * 10_000, b'{"q": ' + b"9" * 5000 + b"}", b"null"],
)
def test_what_is_no_json_object_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed, match="Invalid JSON format"):
        read(body, JSON)


def test_a_broken_multipart_body_and_too_many_fields_are_malformed() -> None:
    with pytest.raises(Malformed):
        read(b"--x\r\nno header", "multipart/form-data; boundary=x")
    with pytest.raises(Malformed):
        read(b"", "multipart/form-data")
    with pytest.raises(Malformed, match="more than 2,000 fields"):
        read(b"a&" * 2_001, FORM)


@pytest.mark.parametrize("value", [1, True, {"a": "b"}, [["a"]], [None], 1.5])
def test_what_is_no_text_is_malformed(value: object) -> None:
    found = read(json.dumps({"q": value}).encode(), JSON)
    with pytest.raises(Malformed, match="q parameter is not text"):
        found.texts("q")


def test_null_is_as_if_it_were_not_there() -> None:
    found = read(b'{"q": null}', JSON)
    assert (found.text("q", "absent"), found.texts("q"), found.number("q", 3)) == ("absent", [], 3)


def test_numbers_are_whole() -> None:
    assert read(b"n=12", FORM).number("n") == 12
    assert read(b'{"n": 12}', JSON).number("n") == 12
    assert read(b"n=", FORM).number("n", 7) == 7
    for wrong in (
        b'{"n": "x"}',
        b'{"n": 1.5}',
        b'{"n": true}',
        b'{"n": [1]}',
        b'{"n": "' + b"1" * 5000 + b'"}',
    ):
        with pytest.raises(Malformed, match="n parameter is not a number"):
            read(wrong, JSON).number("n")


def test_half_a_character_becomes_one_that_can_be_sent_back() -> None:
    assert read(b'{"q": "a\\ud800b"}', JSON).text("q") == "a\ufffdb"
    assert read(b'{"q": "\\ud83d\\ude00"}', JSON).text("q") == "\U0001f600"


@given(
    st.binary(max_size=200),
    st.sampled_from([FORM, JSON, "multipart/form-data; boundary=x", "text/plain", ""]),
)
def test_no_body_does_more_than_be_refused(body: bytes, kind: str) -> None:
    try:
        found = read(body, kind, quote(body).encode())
        found.text("q"), found.texts("q"), found.number("n")
    except Malformed:
        pass
