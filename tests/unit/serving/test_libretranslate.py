"""LibreTranslate's API: the shapes, statuses and words that its clients know."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from answering import Answering, answering
from served import load_in_torch
from tiny_model import save_tiny_model

from onmal.documents import TranslatedDocument, translate_document
from onmal.serving import marked_up

KOREAN, ENGLISH = "친구는 오늘 학교에 간다.", "My friend goes to school today."


@pytest.fixture(scope="module")
def server(both_ways: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answering]:
    keys = str(tmp_path_factory.mktemp("server") / "keys.json")
    with answering(both_ways, keys=keys, characters=2_000, texts=8, beam_size=5) as server:
        yield server


def translate(server: Answering, **asked: Any) -> Any:
    """The answer to a request in JSON, which has to be one."""
    answer = server.post("/translate", json={"source": "ko", "target": "en", **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and words of a refusal, which say nothing else."""
    (error,) = answer.json().items()
    assert error[0] == "error"
    return answer.status_code, error[1]


def test_a_text_is_translated_wherever_the_request_says_so(server: Answering) -> None:
    asked = {"q": KOREAN, "source": "ko", "target": "en"}
    expected = {"translatedText": server.says(KOREAN, "en")}
    for request in (
        {"json": asked},
        {"data": asked},
        {"params": asked},
        {"files": {"none": b""}, "data": asked},
    ):
        assert server.post("/translate", **request).json() == expected
    half = server.post("/translate", params={"source": "ko", "target": "en"}, json={"q": KOREAN})
    assert half.json() == expected


def test_several_texts_are_a_list(server: Answering) -> None:
    said = [server.says(KOREAN, "en"), "", server.says("혼자", "en")]
    assert translate(server, q=[KOREAN, "", "혼자"]) == {"translatedText": said}
    assert translate(server, q=[KOREAN]) == {"translatedText": said[:1]}
    form = urlencode([("q", KOREAN), ("q", "혼자"), ("source", "ko"), ("target", "en")])
    answer = server.post(
        "/translate", content=form, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert answer.json() == {"translatedText": [said[0], said[2]]}


def test_the_language_is_told_only_where_it_was_not_given(server: Answering) -> None:
    found = translate(server, q=KOREAN, source="auto")
    assert found == {
        "translatedText": server.says(KOREAN, "en"),
        "detectedLanguage": {"confidence": 100.0, "language": "ko"},
    }
    several = translate(server, q=[KOREAN, ENGLISH], source="auto", target="en")
    assert several["translatedText"] == [server.says(KOREAN, "en"), ENGLISH]
    assert [each["language"] for each in several["detectedLanguage"]] == ["ko", "en"]
    assert "detectedLanguage" not in translate(server, q=KOREAN)


@pytest.mark.parametrize("form", ["text", "html"])
def test_each_language_is_looked_for_once(
    server: Answering, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []
    detect = server.service.detect

    def watched(text: str) -> Any:
        looked_at.append(text)
        return detect(text)

    monkeypatch.setattr(server.service, "detect", watched)
    translate(server, q=[KOREAN, "혼자"], source="auto", format=form)
    assert looked_at == [KOREAN, "혼자"]


def test_alternatives_are_told_only_where_they_are_asked_for(server: Answering) -> None:
    found = translate(server, q=KOREAN, alternatives=3)
    assert set(found) == {"translatedText", "alternatives"}
    assert 0 < len(found["alternatives"]) <= 3
    assert found["translatedText"] not in found["alternatives"]
    assert len(set(found["alternatives"])) == len(found["alternatives"])
    several = translate(server, q=[KOREAN, "123"], alternatives="2")
    assert [bool(each) for each in several["alternatives"]] == [True, False]
    assert translate(server, q="<b>혼자</b>", alternatives=2, format="html")["alternatives"] == []
    assert translate(server, q=["<b>혼자</b>"], alternatives=2, format="html")["alternatives"] == [[]]


@pytest.mark.parametrize("text", ["😀🇰🇷👍🏽", "123", " ", "\n\n", "#️⃣ ❤️"])
def test_what_has_no_words_stays_as_it_is(server: Answering, text: str) -> None:
    assert translate(server, q=text) == {"translatedText": text}
    assert translate(server, q=text, source="auto")["translatedText"] == text


def test_line_ends_of_forms_are_folded(server: Answering) -> None:
    asked = {"q": "1\r\n2", "source": "ko", "target": "en"}
    assert server.post("/translate", data=asked).json() == {"translatedText": "1\n2"}
    assert server.post("/translate", json=asked).json() == {"translatedText": "1\r\n2"}


def test_markup_comes_through_html(server: Answering) -> None:
    page = '<p class="a">친구는 <b>오늘</b> 학교에 간다.</p>\n<!-- 주석 --><p>혼자</p>'
    said = translate(server, q=page, format="html")["translatedText"]
    assert said.startswith('<p class="a">')
    assert said.count("<b>") == said.count("</b>") == 1
    assert "<!-- 주석 -->" in said
    assert f"<p>{server.says('혼자', 'en')}</p>" in said
    several = translate(server, q=["<p>혼자</p>", f"<p>{ENGLISH}</p>"], format="html", source="auto")
    assert several["translatedText"] == [f"<p>{server.says('혼자', 'en')}</p>", f"<p>{ENGLISH}</p>"]
    assert [each["language"] for each in several["detectedLanguage"]] == ["ko", "en"]


def test_the_same_language_says_the_same(server: Answering) -> None:
    assert translate(server, q=KOREAN, source="ko", target="ko") == {"translatedText": KOREAN}


@pytest.mark.parametrize(("source", "target"), [("KO", "EN"), ("ko-KR", "en-us"), ("kor", "eng")])
def test_codes_may_be_spelled_in_other_ways(server: Answering, source: str, target: str) -> None:
    assert translate(server, q=KOREAN, source=source, target=target) == translate(server, q=KOREAN)


MISSING = "Invalid request: missing {} parameter"


@pytest.mark.parametrize(
    ("asked", "status", "error"),
    [
        ({"q": ""}, 400, MISSING.format("q")),
        ({"q": []}, 400, MISSING.format("q")),
        ({"q": None}, 400, MISSING.format("q")),
        ({"source": ""}, 400, MISSING.format("source")),
        ({"target": None}, 400, MISSING.format("target")),
        ({"source": "zz"}, 400, "zz is not supported"),
        ({"target": "fr"}, 400, "fr is not supported"),
        ({"target": "auto"}, 400, "auto is not supported"),
        ({"format": "pdf"}, 400, "pdf format is not supported"),
        ({"q": "가" * 2001}, 400, "Invalid request: request (2001) exceeds text limit (2000)"),
        (
            {"q": "가" * 2001, "format": "html"},
            400,
            "Invalid request: request (2001) exceeds text limit (2000)",
        ),
        ({"q": ["가"] * 9}, 400, "Invalid request: request (9) exceeds text limit (8)"),
        ({"q": ["가"] * 9, "format": "html"}, 400, "Invalid request: request (9) exceeds text limit (8)"),
        ({"q": 5}, 400, "Invalid request: q parameter is not text"),
        ({"alternatives": "many"}, 400, "Invalid request: alternatives parameter is not a number"),
        ({"alternatives": 5}, 400, "Invalid request: alternatives parameter must be <= 4"),
    ],
)
def test_what_is_wrong_is_said_in_its_words(
    server: Answering, asked: dict[str, Any], status: int, error: str
) -> None:
    request = {"q": KOREAN, "source": "ko", "target": "en", **asked}
    assert refused(server.post("/translate", json=request)) == (status, error)


def test_no_json_is_said_to_be_none(server: Answering) -> None:
    answer = server.post("/translate", content=b"{", headers={"content-type": "application/json"})
    assert refused(answer) == (400, "Invalid JSON format")


def test_a_direction_that_no_model_knows_is_named(tmp_path: Path) -> None:
    with answering(save_tiny_model(tmp_path / "ko-en")) as server:
        asked = {"q": ENGLISH, "source": "en", "target": "ko"}
        error = "Korean (ko) is not available as a target language from English (en)"
        assert refused(server.post("/translate", json=asked)) == (400, error)
        assert server.get("/languages").json() == [
            {"code": "ko", "name": "Korean", "targets": ["en", "ko"]},
            {"code": "en", "name": "English", "targets": ["en"]},
        ]


def test_languages_are_told_with_their_targets(server: Answering) -> None:
    expected = [
        {"code": "ko", "name": "Korean", "targets": ["en", "ko"]},
        {"code": "en", "name": "English", "targets": ["ko", "en"]},
    ]
    assert server.get("/languages").json() == expected
    form = {"content": b"api_key=x", "headers": {"content-type": "application/x-www-form-urlencoded"}}
    assert server.get("/languages", **form).json() == expected  # as libretranslatepy asks
    assert server.post("/languages").json() == expected


def test_detecting_ranks_the_languages(server: Answering) -> None:
    assert server.post("/detect", data={"q": KOREAN}).json() == [{"confidence": 100.0, "language": "ko"}]
    (english,) = server.post("/detect", json={"q": ENGLISH}).json()
    assert english["language"] == "en"
    assert 0 < english["confidence"] <= 100
    assert server.post("/detect", data={"q": "123"}).json() == [{"confidence": 0, "language": "en"}]
    assert refused(server.post("/detect")) == (400, MISSING.format("q"))


def test_a_file_is_translated_and_can_be_fetched(server: Answering) -> None:
    upload = {"file": ("우리 글.txt", "혼자\n\n123\n".encode())}
    answer = server.post("/translate_file", files=upload, data={"source": "ko", "target": "en"})
    assert answer.status_code == 200, answer.text
    told = server.translator.translate("혼자", to="en").warnings
    assert told  # what could not be kept, and where
    assert answer.json()["warnings"] == [{"place": "line 1", "warning": warning} for warning in told]
    url = answer.json()["translatedFileUrl"]
    assert url.startswith("http://127.0.0.1/download_file/")
    assert unquote(urlsplit(url).path).endswith(".우리_글_en.txt")
    fetched = server.get(url)
    assert fetched.content.decode() == f"{server.says('혼자', 'en')}\n\n123\n"
    assert fetched.headers["content-disposition"].startswith("attachment;")
    assert server.get(url).content == fetched.content  # more than once, for a while
    assert refused(server.get(url[:-3])) == (404, "Invalid filename")


def test_a_text_a_page_and_a_document_may_ask_for_another_model(both_ways: Path, tmp_path: Path) -> None:
    other = save_tiny_model(tmp_path / "other", both_directions=True, seed=5)
    expected = {name: load_in_torch(folder).translate(KOREAN, to="en").text
                for name, folder in (("", both_ways), ("ko-en", both_ways), ("other", other))}  # fmt: skip
    assert expected["other"] != expected[""]
    with answering(both_ways, other) as server:
        for model, said in expected.items():
            asked = {"source": "ko", "target": "en", "model": model}
            assert server.post("/translate", data={**asked, "q": KOREAN}).json() == {"translatedText": said}
            page = server.post("/translate", data={**asked, "q": f"<p>{KOREAN}</p>", "format": "html"})
            assert page.json() == {"translatedText": f"<p>{said}</p>"}
            answer = server.post("/translate_file", files={"file": ("a.txt", KOREAN.encode())}, data=asked)
            assert server.get(answer.json()["translatedFileUrl"]).content.decode() == said
        asked["model"] = "none"
        unknown = server.post("/translate_file", files={"file": ("a.txt", KOREAN.encode())}, data=asked)
        assert refused(unknown) == (404, "there is no model 'none' here; there are: ko-en, other")


@pytest.mark.parametrize("name", ["x", "..%2F..%2Fetc%2Fpasswd", "%00", "0" * 32 + ".x.txt"])
def test_no_other_file_can_be_fetched(server: Answering, name: str) -> None:
    assert refused(server.get(f"/download_file/{name}")) == (404, "Invalid filename")


@pytest.mark.parametrize(
    ("upload", "asked", "error"),
    [
        (None, {}, MISSING.format("file")),
        (("a.txt", b"x"), {"target": ""}, MISSING.format("target")),
        (("a.exe", b"x"), {}, "Invalid request: file format not supported"),
        (("a", b"x"), {}, "Invalid request: file format not supported"),
        (("a.txt", b"x"), {"source": "zz"}, "zz is not supported"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    server: Answering, upload: tuple[str, bytes] | None, asked: dict[str, str], error: str
) -> None:
    files = {"file": upload} if upload else {"other": b""}
    answer = server.post("/translate_file", files=files, data={"source": "ko", "target": "en", **asked})
    assert refused(answer) == (400, error)


def test_nothing_of_a_file_is_read_beyond_a_limit(both_ways: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []

    def read(*given: Any, **more: Any) -> TranslatedDocument:
        threads.append(threading.current_thread().name)
        return translate_document(*given, **more)

    monkeypatch.setattr(marked_up, "translate_document", read)
    with answering(both_ways, requests_per_minute=1, document_characters=2) as server:

        def status(content: bytes) -> int:
            upload = {"file": ("a.txt", content)}
            return server.post(
                "/translate_file", files=upload, data={"source": "ko", "target": "en"}
            ).status_code

        assert status(b"123456789") == 413
        assert threads == []
        assert status("혼자".encode()) == 200
        asked = len(threads)
        assert asked
        assert all(name.startswith("onmal-document") for name in threads)
        assert status("혼자".encode()) == 429
        assert len(threads) == asked


def test_a_broken_file_is_refused_with_one_line(server: Answering) -> None:
    upload = {"file": ("a.txt", b"\x00\x01\x02\xff\xfe")}
    status, error = refused(
        server.post("/translate_file", files=upload, data={"source": "ko", "target": "en"})
    )
    assert status == 400
    assert "\n" not in error


def test_what_a_page_needs_to_know(server: Answering) -> None:
    settings = server.get("/frontend/settings").json()
    assert settings["charLimit"] == 2_000
    assert settings["language"]["source"] == {"code": "auto", "name": "Auto Detect"}
    assert settings["language"]["target"] == {"code": "en", "name": "English"}
    assert ".txt" in settings["supportedFilesFormat"]
    assert ".md" in settings["supportedFilesFormat"]
    assert (settings["apiKeys"], settings["keyRequired"], settings["suggestions"]) == (False, False, False)
    assert server.get("/health").json() == {"status": "ok"}


def test_a_page_learns_the_limit_of_the_key_that_it_has(server: Answering) -> None:
    key = server.service.keys.add("mina", characters=7)
    for asked, limit in (
        ({"headers": {"authorization": f"Bearer {key}"}}, 7),
        ({"params": {"api_key": key}}, 7),
        ({"params": {"api_key": "wrong"}}, 2_000),
        ({}, 2_000),
    ):
        assert server.get("/frontend/settings", **asked).json()["charLimit"] == limit
    server.service.keys.revoke("mina")


def test_only_files_are_offered_whose_packages_are_here(
    server: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "markdown_it", None)
    assert ".md" not in server.get("/frontend/settings").json()["supportedFilesFormat"]
    upload = {"file": ("a.md", b"# a")}
    answer = server.post("/translate_file", files=upload, data={"source": "ko", "target": "en"})
    assert refused(answer) == (400, "Invalid request: file format not supported")


def test_suggestions_are_disabled(server: Answering) -> None:
    asked = {"q": "a", "s": "b", "source": "en", "target": "ko"}
    assert refused(server.post("/suggest", data=asked)) == (403, "Suggestions are disabled on this server.")


def test_keys_open_where_they_are_required(both_ways: Path, tmp_path: Path) -> None:
    with answering(both_ways, keys=str(tmp_path / "keys.json"), require_keys=True) as server:
        key = server.service.keys.add("mina", requests_per_minute=4)
        asked = {"q": "1", "source": "ko", "target": "en"}
        ways: list[dict[str, Any]] = [
            {"json": {**asked, "api_key": key}},
            {"json": {**asked, "apiKey": key}},
            {"data": {**asked, "api_key": key}},
            {"json": asked, "headers": {"authorization": f"Bearer {key}"}},
        ]
        assert [server.post("/translate", **way).json() for way in ways] == [{"translatedText": "1"}] * 4
        limited = server.post("/translate", **ways[0])
        assert refused(limited) == (429, "Slowdown: 4 per 1 minute")
        assert int(limited.headers["retry-after"]) > 0
        assert refused(server.post("/translate", json=asked)) == (
            400,
            "Please contact the server operator to get an API key",
        )
        wrong = server.post("/translate", json={**asked, "api_key": "wrong"})
        assert refused(wrong) == (403, "Invalid API key")
        unread = {"authorization": "Bearer wrong", "content-type": "multipart/form-data; boundary=x"}
        refusal = server.post("/translate_file", content=b"no form", headers=unread)
        assert refused(refusal) == (403, "Invalid API key")
        assert server.get("/languages").status_code == 200
        for headers in ({}, {"authorization": "Bearer wrong"}):
            settings = server.get("/frontend/settings", headers=headers).json()
            assert (settings["keyRequired"], settings["charLimit"]) == (True, 20_000)


VALUE = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.lists(st.text(max_size=5), max_size=3), st.dictionaries(st.text(max_size=3), st.none(), max_size=1),
    st.sampled_from(["ko", "en", "auto", "html", "text", KOREAN, "\ud800"]),
)  # fmt: skip
ASKED = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("q", "source", "target", "format", "alternatives", "api_key"), VALUE)
)
ROUTES = ("/translate", "/detect", "/languages", "/translate_file", "/suggest")


@given(st.sampled_from(ROUTES), ASKED)
def test_whatever_is_asked_the_answer_has_a_known_shape(
    server: Answering, route: str, asked: dict[str, Any]
) -> None:
    answer = server.post(
        route, content=json.dumps(asked).encode(), headers={"content-type": "application/json"}
    )
    if answer.status_code == 200:
        assert isinstance(answer.json(), list) or set(answer.json()) <= {
            "translatedText", "detectedLanguage", "alternatives",
        }  # fmt: skip
    else:
        status, error = refused(answer)
        assert status in (400, 403)
        assert "Traceback" not in error


@given(
    st.sampled_from(ROUTES),
    st.binary(max_size=200),
    st.sampled_from(
        ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
    ),
)
def test_whatever_is_sent_is_answered(server: Answering, route: str, body: bytes, kind: str) -> None:
    answer = server.post(route, content=body, headers={"content-type": kind})
    assert answer.status_code == 200 or refused(answer)[0] in (400, 403)
