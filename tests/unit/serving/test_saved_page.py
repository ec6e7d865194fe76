"""The view inside as one file: it has all that it needs, leads nowhere else, and what a person wrote stays data in it."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from onmal.serving.saved_page import FOLDER, saved_page

EXAMPLE: dict[str, Any] = json.loads((FOLDER / "example.json").read_text("utf-8"))
LEADING = ("href", "src", "srcset", "action", "formaction", "poster", "data", "xlink:href")
OWN_BYTES = 240_000
"""What the page may take beside the sentence."""


class Parsed(HTMLParser):
    """The elements of a page with their attributes, and what stands in its scripts and style sheets."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.written: list[tuple[str, dict[str, str | None], str]] = []
        self.comments: list[str] = []
        self._open = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = tag in ("script", "style")
        if self._open:
            self.written.append((tag, dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            tag, attributes, before = self.written[-1]
            self.written[-1] = (tag, attributes, before + data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def named(self, name: str) -> Any:
        """The JSON that `own` of js/dom.js finds under a name."""
        (text,) = (text for _, attributes, text in self.written if attributes.get("id") == name)
        return json.loads(text)

    @property
    def modules(self) -> dict[str, str]:
        """The text of each module by the name under which others import it."""
        (text,) = (text for _, attributes, text in self.written if attributes.get("type") == "importmap")
        start = "data:text/javascript;charset=utf-8;base64,"
        urls = json.loads(text)["imports"]
        assert all(url.startswith(start) for url in urls.values())
        return {name: base64.b64decode(url.removeprefix(start)).decode() for name, url in urls.items()}


@pytest.fixture(scope="module")
def page() -> Parsed:
    return Parsed(saved_page(EXAMPLE))


def test_no_element_leads_out_of_the_file(page: Parsed) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    leads = [
        attributes[name] or "" for _, attributes in page.elements for name in LEADING if name in attributes
    ]
    assert len(leads) > 5
    for lead in leads:
        assert lead.startswith("data:") or (lead[0] == "#" and lead[1:] in ids), lead


def test_no_style_sheet_leads_out_of_the_file(page: Parsed) -> None:
    index = (FOLDER / "index.html").read_text("utf-8")
    names = re.findall(r'rel="stylesheet" href="page/([^"]+)"', index)
    styles = [text for tag, _, text in page.written if tag == "style"]
    assert styles == ["\n" + (FOLDER / name).read_text("utf-8") for name in names]
    assert not re.search(r"url\(|@import|image-set", "".join(styles))


def test_modules_import_each_other_and_nothing_else(page: Parsed) -> None:
    there = {path.relative_to(FOLDER).as_posix() for path in (FOLDER / "js").rglob("*.js")}
    assert set(page.modules) == there
    imported = {name for text in page.modules.values() for name in re.findall(r'\} from "([^"]+)"', text)}
    assert imported == there - {"js/main.js"}
    for name, text in page.modules.items():
        loads = r'(?<!{)\bimport\s*["(]|importScripts|new Worker|page/icons'  # {import(...)} names a type
        assert not re.search(loads, text), name
        assert text.count("\n") == (FOLDER / name).read_text("utf-8").count("\n")
    (started,) = (text for _, attributes, text in page.written if attributes.get("type") == "module")
    assert started == 'import "js/main.js";'


def test_a_policy_keeps_it_from_asking_anybody(page: Parsed) -> None:
    (policy,) = (found["content"] or "" for _, found in page.elements if "http-equiv" in found)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    allowed = {source for rule in rules.values() for source in rule.split()}
    assert allowed == {"'none'", "'unsafe-inline'", "data:"}
    (place,) = (number for number, (_, found) in enumerate(page.elements) if "http-equiv" in found)
    assert [tag for tag, _ in page.elements[:place]] == ["html", "head"]


def test_it_has_the_sentence_and_both_dictionaries(page: Parsed) -> None:
    assert {**page.named("example.json"), "state": None} == {**EXAMPLE, "state": None}
    for language in ("ko", "en"):
        words = (FOLDER / f"words/{language}.json").read_text("utf-8")
        assert page.named(f"words/{language}.json") == json.loads(words)


@pytest.mark.parametrize(
    "text",
    [
        "</script><script>alert(1)</script>",
        "<!-- <script> --!> ]]> </SCRIPT\t>",
        "</body></html> page/icons.svg#theme &lt;/script&gt; \\u003c",
        "\"'`\\ \u2028\u2029\x00\ufffd </style>",
        "{{ }} ${alert(1)} \\1 \\g<0>",
    ],
)
def test_what_a_person_wrote_stays_data(text: str, page: Parsed) -> None:
    question = {**EXAMPLE["question"], "text": text}
    words = [{**EXAMPLE["src"]["words"][0], "text": text}]
    hostile = {
        **EXAMPLE,
        "question": question,
        "src": {**EXAMPLE["src"], "text": text, "words": words},
        text: text,
    }
    found = Parsed(saved_page(hostile))
    assert found.elements == page.elements
    assert found.comments == []
    assert found.named("example.json") == {
        **hostile,
        "state": {**page.named("example.json")["state"], "text": text},
    }


def test_what_was_switched_off_and_written_before_is_restored() -> None:
    switches = {"src_pos": True, "tgt_pos": False, "heads": ["cross.0.1", "enc.2.0"], "words": [1, 3]}
    question = {**EXAMPLE["question"], "ablate": switches, "prefix": [12, 7]}
    state = Parsed(saved_page({**EXAMPLE, "question": question})).named("example.json")["state"]
    assert state == {
        "text": EXAMPLE["question"]["text"],
        "to": "en",
        "off": "src_pos,word.1,word.3,cross.0.1,enc.2.0",
        "prefix": "12.7",
    }


def test_beside_the_sentence_it_is_small() -> None:
    sentence = json.dumps(EXAMPLE, ensure_ascii=False, separators=(",", ":"))
    assert len(saved_page(EXAMPLE).encode()) - len(sentence.encode()) < OWN_BYTES
