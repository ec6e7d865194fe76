"""DeepL's API: the shapes, statuses and words that its clients know."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest
from answering import Answering, answering
from hypothesis import given
from hypothesis import strategies as st

from onmal.serving import glossaries
from onmal.serving.deepl import left_documents
from onmal.translating.glossary import Glossary

KOREAN, ENGLISH = "친구는 오늘 학교에 간다.", "My friend goes to school today."
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def server(both_ways: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answering]:
    keys = str(tmp_path_factory.mktemp("server") / "keys.json")
    with answering(both_ways, keys=keys, characters=2_000, texts=8) as server:
        yield server


def translations(server: Answering, **asked: Any) -> list[dict[str, Any]]:
    """The translations of a request in JSON, which has to be one."""
    answer = server.post("/v2/translate", json={"target_lang": "EN-US", **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()["translations"]


def texts(server: Answering, **asked: Any) -> list[str]:
    return [each["text"] for each in translations(server, **asked)]


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and message of a refusal, which has a detail besides."""
    body = answer.json()
    assert set(body) == {"message", "detail"}
    assert all(isinstance(each, str) and "\n" not in each for each in body.values())
    return answer.status_code, body["message"]


@pytest.mark.parametrize("prefix", ["/v2", "/deepl/v2"])
def test_texts_are_translated_below_both_addresses(server: Answering, prefix: str) -> None:
    answer = server.post(f"{prefix}/translate", json={"text": [KOREAN, ENGLISH], "target_lang": "EN-GB"})
    assert answer.json() == {
        "translations": [
            {
                "detected_source_language": "KO",
                "text": server.says(KOREAN, "en"),
                "billed_characters": len(KOREAN),
            },
            {"detected_source_language": "EN", "text": ENGLISH, "billed_characters": len(ENGLISH)},
        ]
    }


def test_a_form_says_the_same(server: Answering) -> None:
    form = urlencode([("text", KOREAN), ("text", "혼자"), ("target_lang", "en-us"), ("source_lang", "ko")])
    answer = server.post("/v2/translate", content=form, headers=FORM)
    assert answer.json()["translations"] == translations(server, text=[KOREAN, "혼자"], source_lang="KO")
    assert texts(server, text=KOREAN) == [server.says(KOREAN, "en")]


def test_context_and_hints_are_accepted(server: Answering) -> None:
    hints = {
        "context": "A letter.", "formality": "prefer_more", "preserve_formatting": True, "model_type": "quality_optimized",
        "outline_detection": False, "show_billed_characters": True, "split_sentences": "1",
    }  # fmt: skip
    assert texts(server, text=[KOREAN], **hints) == [server.says(KOREAN, "en")]


def test_where_newlines_do_not_divide_they_are_spaces(server: Answering) -> None:
    whole = server.says("오늘 학교에 간다.", "en")
    for way in ("0", "nonewlines"):
        assert texts(server, text=["오늘\n  학교에 간다."], split_sentences=way) == [whole]
    assert texts(server, text=["오늘\n학교에 간다."])[0].count("\n") == 1


@pytest.mark.parametrize("tags", ["xml", "html"])
def test_tags_are_kept_and_what_is_ignored_is_not_translated(server: Answering, tags: str) -> None:
    (text,) = texts(
        server,
        text=['<p>혼자</p><p>학교에 <x id="7">바로</x> 간다.</p>'],
        tag_handling=tags,
        ignore_tags=["x"],
    )
    assert text.startswith("<p>")
    assert text.endswith("</p>")
    assert '<x id="7">바로</x>' in text
    (weblate,) = texts(server, text=['학교에 <x id="1"></x> 간다.'], tag_handling=tags, ignore_tags="x,y")
    assert '<x id="1"></x>' in weblate


@pytest.mark.parametrize(
    ("text", "ignored", "kept"),
    [
        ("오늘 <Keep>학교에</Keep> 간다.", ["Keep"], "<Keep>학교에</Keep>"),
        ("<source>혼자</source><target>학교에 간다.</target>", ["source"], "<source>혼자</source>"),
        ('<note title="혼자">학교에 간다.</note>', [], '<note title="혼자">'),
    ],
)
def test_xml_is_read_as_xml(server: Answering, text: str, ignored: list[str], kept: str) -> None:
    (said,) = texts(server, text=[text], tag_handling="xml", ignore_tags=ignored)
    assert kept in said
    assert "학교에 간다" not in said.replace(kept, "")
    (said,) = texts(server, text=["<style>혼자</style>"], tag_handling="xml")
    assert "혼자" not in said


@pytest.mark.parametrize(
    ("asked", "status", "message"),
    [
        ({"text": []}, 400, "Parameter 'text' not specified."),
        ({"text": None}, 400, "Parameter 'text' not specified."),
        ({"text": [1]}, 400, "Bad request"),
        ({"target_lang": ""}, 400, "Value for 'target_lang' not supported."),
        ({"target_lang": "XX"}, 400, "Value for 'target_lang' not supported."),
        ({"source_lang": "FR"}, 400, "Value for 'source_lang' not supported."),
        ({"tag_handling": "markdown"}, 400, "Value for 'tag_handling' not supported."),
        ({"split_sentences": "2"}, 400, "Value for 'split_sentences' not supported."),
        ({"formality": "more"}, 400, "'formality' is not supported for given 'target_lang'."),
        ({"style_id": "x"}, 400, "Parameter 'style_id' not supported."),
        ({"glossary_id": str(uuid4())}, 400, "Parameter 'source_lang' not specified."),
        ({"glossary_id": str(uuid4()), "source_lang": "KO"}, 404, "Glossary not found"),
        ({"glossary_id": "../x", "source_lang": "KO"}, 404, "Glossary not found"),
        ({"text": ["가" * 2001]}, 413, "Request Entity Too Large"),
        ({"text": ["가" * 2001], "tag_handling": "xml"}, 413, "Request Entity Too Large"),
        ({"text": ["가"] * 9}, 413, "Request Entity Too Large"),
    ],
)
def test_what_is_wrong_is_said_in_its_words(
    server: Answering, asked: dict[str, Any], status: int, message: str
) -> None:
    answer = server.post("/v2/translate", json={"text": [KOREAN], "target_lang": "EN-US", **asked})
    assert refused(answer) == (status, message)


def test_languages_are_asked_for_in_the_query_or_in_a_body(server: Answering) -> None:
    source = [{"language": "KO", "name": "Korean"}, {"language": "EN", "name": "English"}]
    target = [
        {"language": "EN-GB", "name": "English (British)", "supports_formality": False},
        {"language": "EN-US", "name": "English (American)", "supports_formality": False},
        {"language": "KO", "name": "Korean", "supports_formality": False},
    ]
    assert server.get("/v2/languages").json() == source
    assert server.get("/v2/languages?type=source").json() == source
    assert server.get("/v2/languages?type=target").json() == target
    assert server.get("/v2/languages", content="type=target", headers=FORM).json() == target  # its client
    assert refused(server.get("/v2/languages?type=x")) == (400, "Value for 'type' not supported.")


def test_usage_grows_by_the_characters_translated(server: Answering) -> None:
    before = server.get("/v2/usage").json()["character_count"]
    translations(server, text=[KOREAN])
    usage = server.get("/v2/usage").json()
    assert usage["character_count"] == before + len(KOREAN)
    assert usage["character_limit"] > 10**11


@pytest.mark.parametrize(
    "path", ["/v2/write/rephrase", "/v2/", "/v3/glossaries", "/deepl/v3/style_rules", "/v2/translate/x"]
)
def test_what_is_not_here_is_said_so(server: Answering, path: str) -> None:
    assert refused(server.get(path)) == (404, "Not found")
    assert refused(server.post(path, json={})) == (404, "Not found")


def make_glossary(server: Answering, **asked: Any) -> httpx.Response:
    usual = {"name": "School", "source_lang": "KO", "target_lang": "EN", "entries": "학교\tAcademy"}
    return server.post("/v2/glossaries", json={"entries_format": "tsv", **usual, **asked})


def test_a_glossary_is_made_listed_read_and_deleted(server: Answering) -> None:
    assert {"source_lang": "ko", "target_lang": "en"} in (
        server.get("/v2/glossary-language-pairs").json()["supported_languages"]
    )
    made = make_glossary(server, entries="학교\tAcademy\n은행\tCredit union")
    assert made.status_code == 201
    facts = made.json()
    assert {name: facts[name] for name in ("name", "ready", "source_lang", "target_lang", "entry_count")} == {
        "name": "School", "ready": True, "source_lang": "ko", "target_lang": "en", "entry_count": 2,
    }  # fmt: skip
    datetime.strptime(facts["creation_time"], "%Y-%m-%dT%H:%M:%S.%f%z")  # as its client reads it
    own = facts["glossary_id"]
    assert facts in server.get("/v2/glossaries").json()["glossaries"]
    assert server.get(f"/v2/glossaries/{own}").json() == facts
    assert server.get(f"/v2/glossaries/{own}/entries").text == "학교\tAcademy\n은행\tCredit union"
    assert server.ask("DELETE", f"/v2/glossaries/{own}").status_code == 204
    assert refused(server.get(f"/v2/glossaries/{own}")) == (404, "Glossary not found")
    assert facts not in server.get("/v2/glossaries").json()["glossaries"]


def test_a_glossary_is_followed(server: Answering) -> None:
    asked = {"text": [KOREAN], "source_lang": "KO"}
    assert "Academy" not in texts(server, **asked)[0]
    own = make_glossary(server).json()["glossary_id"]
    assert "Academy" in texts(server, **asked, glossary_id=own)[0]
    (tagged,) = texts(
        server, text=["<b>오늘</b> 학교에 간다."], source_lang="KO", glossary_id=own, tag_handling="xml"
    )
    assert "Academy" in tagged
    other = server.post(
        "/v2/translate", json={"text": ["a"], "source_lang": "EN", "target_lang": "KO", "glossary_id": own}
    )
    assert refused(other) == (400, "The glossary's languages are not those of the request.")


def test_a_glossary_is_made_once_and_beside_the_event_loop(
    server: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def made(terms: Iterable[tuple[str, str]]) -> Glossary:
        threads.append(threading.current_thread())
        return Glossary(terms)

    monkeypatch.setattr(glossaries, "Glossary", made)
    own = make_glossary(server).json()["glossary_id"]
    assert "Academy" in texts(server, text=[KOREAN], source_lang="KO", glossary_id=own)[0]
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"name": " "}, "Parameter 'name' not specified."),
        ({"entries": "학교"}, "Invalid glossary entries provided"),
        ({"entries": ""}, "Invalid glossary entries provided"),
        ({"entries_format": "xls"}, "Value for 'entries_format' not supported."),
        ({"target_lang": "FR"}, "Value for 'target_lang' not supported."),
        ({"target_lang": "KO"}, "Unsupported glossary source and target language pair"),
    ],
)
def test_what_is_wrong_with_a_glossary_is_said(
    server: Answering, asked: dict[str, str], message: str
) -> None:
    assert refused(make_glossary(server, **asked)) == (400, message)


def leave(server: Answering, name: str = "글.txt", content: bytes = b"", **asked: str) -> httpx.Response:
    content = content or "혼자\n\n123\n".encode()
    fields = {"source_lang": "KO", "target_lang": "EN-US", **asked}
    return server.post("/v2/document", files={"file": (name, content)}, data=fields)


def finished(server: Answering, left: dict[str, str]) -> dict[str, Any]:
    """The status of a document when it is no longer being translated."""
    found: dict[str, Any] = {}

    def status() -> dict[str, Any]:
        key = {"document_key": left["document_key"]}
        return server.post(f"/v2/document/{left['document_id']}", json=key).json()

    while (found := status())["status"] in ("queued", "translating"):
        server.tick()
    return found


def test_a_document_is_left_asked_about_and_fetched_once(server: Answering) -> None:
    left = leave(server).json()
    status = finished(server, left)
    assert status == {"document_id": left["document_id"], "status": "done", "billed_characters": 2}
    path, key = f"/v2/document/{left['document_id']}/result", {"document_key": left["document_key"]}
    fetched = server.post(path, json=key)
    assert fetched.content.decode() == f"{server.says('혼자', 'en')}\n\n123\n"
    assert "attachment" in fetched.headers["content-disposition"]
    assert refused(server.post(path, json=key)) == (404, "Document not found")


def test_a_document_that_is_not_ready_is_asked_for_again(server: Answering) -> None:
    left = leave(server).json()
    path, key = f"/v2/document/{left['document_id']}/result", {"document_key": left["document_key"]}
    first = server.post(path, json=key)
    assert first.status_code == 200 or refused(first) == (503, "Document not ready")
    if first.status_code == 503:
        finished(server, left)
        assert server.post(path, json=key).status_code == 200


def test_nobody_has_a_document_without_its_key(server: Answering) -> None:
    left = leave(server).json()
    finished(server, left)
    for own, key in (
        (left["document_id"], "0" * 64),
        (left["document_id"], ""),
        (left["document_id"], "한"),
        ("0" * 32, left["document_key"]),
        ("..%2f..%2fetc%2fpasswd", left["document_key"]),
    ):
        for path in (f"/v2/document/{own}", f"/v2/document/{own}/result"):
            assert server.post(path, json={"document_key": key}).status_code == 404


def test_a_broken_document_says_why_in_its_status(server: Answering) -> None:
    left = leave(server, content=b"\x00\x01\x02\xff\xfe").json()
    status = finished(server, left)
    assert status["status"] == "error"
    assert "\n" not in status["error_message"]
    path, key = f"/v2/document/{left['document_id']}/result", {"document_key": left["document_key"]}
    assert refused(server.post(path, json=key)) == (400, "Document could not be translated")


def test_a_document_that_is_refused_says_why_in_its_status(both_ways: Path) -> None:
    with answering(both_ways, document_characters=2) as server:
        status = finished(server, leave(server, content=b"abc").json())
        assert status["status"] == "error"
        assert "3 characters" in status["error_message"]
        assert refused(leave(server, content=b"123456789")) == (413, "Request Entity Too Large")


@pytest.mark.parametrize("most", ["MOST", "MOST_OF_ONE"])
def test_no_more_documents_are_taken_than_may_be_here(
    server: Answering, monkeypatch: pytest.MonkeyPatch, most: str
) -> None:
    monkeypatch.setattr(left_documents, most, 0)
    assert refused(leave(server)) == (429, "Too many requests")


def test_a_document_follows_a_glossary(server: Answering) -> None:
    own = make_glossary(server).json()["glossary_id"]
    left = leave(server, content=KOREAN.encode(), glossary_id=own).json()
    finished(server, left)
    path, key = f"/v2/document/{left['document_id']}/result", {"document_key": left["document_key"]}
    assert "Academy" in server.post(path, json=key).text


@pytest.mark.parametrize(
    ("name", "asked", "message"),
    [
        ("a.exe", {}, "Invalid file data."),
        ("a", {}, "Invalid file data."),
        ("a.txt", {"output_format": "pdf"}, "Value for 'output_format' not supported."),
        ("a.txt", {"target_lang": "XX"}, "Value for 'target_lang' not supported."),
        ("a.txt", {"formality": "less"}, "'formality' is not supported for given 'target_lang'."),
    ],
)
def test_what_is_wrong_with_a_document_is_said(
    server: Answering, name: str, asked: dict[str, str], message: str
) -> None:
    assert refused(leave(server, name, **asked)) == (400, message)
    assert refused(server.post("/v2/document", data=asked)) == (400, "Parameter 'file' not specified.")


def test_markdown_is_taken_where_its_package_is(server: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    assert leave(server, "a.md").status_code == 200
    monkeypatch.setitem(sys.modules, "markdown_it", None)
    assert refused(leave(server, "a.md")) == (400, "Invalid file data.")


def test_keys_open_what_is_their_own(both_ways: Path, tmp_path: Path) -> None:
    with answering(both_ways, keys=str(tmp_path / "keys.json"), require_keys=True) as server:
        mina, juno = (
            {"authorization": f"DeepL-Auth-Key {server.service.keys.add(name)}"} for name in ("mina", "juno")
        )
        asked = {"name": "a", "source_lang": "ko", "target_lang": "en", "entries": "a\tb"}
        assert refused(server.post("/v2/glossaries", json=asked)) == (403, "Forbidden")
        wrong = {"authorization": "DeepL-Auth-Key wrong"}
        assert refused(server.get("/v2/usage", headers=wrong)) == (403, "Forbidden")
        unread = {**wrong, "content-type": "multipart/form-data; boundary=x"}
        assert refused(server.post("/v2/document", content=b"no form", headers=unread)) == (403, "Forbidden")
        made = server.post("/v2/glossaries", json=asked, headers=mina).json()
        path = f"/v2/glossaries/{made['glossary_id']}"
        assert server.get(path, headers=mina).json() == made
        for method in ("GET", "DELETE"):
            assert refused(server.ask(method, path, headers=juno)) == (404, "Glossary not found")
        assert server.get("/v2/glossaries", headers=juno).json() == {"glossaries": []}
        upload = {"file": ("a.txt", b"1")}
        left = server.post("/v2/document", files=upload, data={"target_lang": "KO"}, headers=mina).json()
        document, key = f"/v2/document/{left['document_id']}", {"document_key": left["document_key"]}
        assert server.post(document, json=key, headers=mina).status_code == 200
        assert server.post(document, json=key, headers=juno).status_code == 404


def test_a_glossary_is_there_again_when_the_server_is(both_ways: Path, tmp_path: Path) -> None:
    with answering(both_ways, state=str(tmp_path)) as server:
        made = make_glossary(server).json()
    with answering(both_ways, state=str(tmp_path)) as server:
        assert server.get("/v2/glossaries").json() == {"glossaries": [made]}


NAMES = (
    "text", "source_lang", "target_lang", "tag_handling", "ignore_tags", "split_sentences", "formality", "glossary_id",
    "type", "name", "entries", "entries_format", "document_key", "glossary_ids",
)  # fmt: skip
VALUE = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=1),
    st.sampled_from(["KO", "EN-US", "xml", "tsv", "csv", "a\tb", "target", KOREAN, "\ud800", "<a><b>혼자</a>"]),
)  # fmt: skip
ROUTES = (
    "translate",
    "languages",
    "usage",
    "document",
    "document/x",
    "document/x/result",
    "glossaries",
    "glossaries/x",
)


@given(
    st.sampled_from(["GET", "POST", "DELETE"]),
    st.sampled_from(ROUTES),
    st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, VALUE)),
)
def test_whatever_is_asked_the_answer_has_a_known_shape(
    server: Answering, method: str, route: str, asked: dict[str, Any]
) -> None:
    headers = {"content-type": "application/json"}
    answer = server.ask(method, f"/v2/{route}", content=json.dumps(asked).encode(), headers=headers)
    assert answer.status_code in (200, 201) or refused(answer)[0] in (400, 404, 413)


@given(
    st.sampled_from(ROUTES),
    st.binary(max_size=200),
    st.sampled_from(
        ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
    ),
)
def test_whatever_is_sent_is_answered(server: Answering, route: str, body: bytes, kind: str) -> None:
    answer = server.post(f"/v2/{route}", content=body, headers={"content-type": kind})
    assert answer.status_code == 200 or refused(answer)[0] in (400, 404)
