"""The files of the page: complete, in the package, and asking nothing of anybody else's server."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from importlib.resources import files
from itertools import chain
from pathlib import Path

import pytest

PAGE = Path(str(files("onmal") / "serving" / "page"))
DOCS = Path(__file__).parents[3] / "docs"
SCRIPTS = sorted((PAGE / "js").rglob("*.js"))
ALL = sorted(path for path in PAGE.rglob("*") if path.is_file())
DICTIONARIES = {path.stem: json.loads(path.read_text("utf-8")) for path in (PAGE / "words").glob("*.json")}
NAMESPACE = "http://www.w3.org/2000/svg"


def used_keys() -> set[str]:
    """What the page asks its dictionaries for; "${...}" stands for anything."""
    called = re.compile(r"""\b(?:t|segment)\(\s*(?:\w+ \? )?["`]([^"`]+)["`](?: : ["`]([^"`]+)["`])?""")
    listed = re.compile(r'"([a-z]+\.[a-z_.-]+)"')
    marked = re.compile(r'data-(?:word|label|placeholder)="([^"]+)"')
    found = set(marked.findall((PAGE / "index.html").read_text("utf-8")))
    for script in SCRIPTS:
        text = script.read_text("utf-8")
        found |= set(chain(*called.findall(text))) - {""}
        found |= {key for key in listed.findall(text) if not key.endswith((".js", ".json"))}
    return found


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_no_file_names_another_server(path: Path) -> None:
    assert re.findall(r"https?://[^\s\"')]+", path.read_text("utf-8").replace(NAMESPACE, "")) == []


def test_every_file_that_is_asked_for_is_there() -> None:
    index = (PAGE / "index.html").read_text("utf-8")
    asked = {PAGE / path for path in re.findall(r'(?:href|src)="page/([^"#]+)', index)}
    for script in SCRIPTS:
        text = script.read_text("utf-8")
        asked |= {(script.parent / path).resolve() for path in re.findall(r'from "(\.[^"]+)"', text)}
    assert [path for path in asked if not path.is_file()] == []
    assert {path for path in SCRIPTS if path.name != "main.js"} <= asked  # and no script that nobody asks for


def test_every_file_is_in_the_wheel() -> None:
    """As far as it shows without building one: hatchling packs all of src/onmal but what git ignores."""
    root = Path(__file__).resolve().parents[3]
    packed = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    assert packed == {"targets": {"wheel": {"packages": ["src/onmal"]}}}
    if not (root / ".git").exists():
        pytest.skip("git is not there to be asked")

    def listed(*options: str) -> set[Path]:
        command = ["git", "ls-files", "-z", *options, "--", "src/onmal/serving/page"]
        found = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True).stdout
        return {root / path for path in found.split("\0") if path}

    assert listed() == set(ALL)
    assert not listed("--cached", "--ignored", "--exclude-standard")


def test_every_drawing_is_there() -> None:
    drawn = set(re.findall(r'<symbol id="(\w+)"', (PAGE / "icons.svg").read_text("utf-8")))
    text = "".join(path.read_text("utf-8") for path in [*SCRIPTS, PAGE / "index.html"])
    used = set(re.findall(r'icons\.svg#(\w+)|icon\("(\w+)"\)|icon: "(\w+)"|icon: \w+ \? "(\w+)"', text))
    assert set(chain(*used)) - {""} <= drawn


def test_both_languages_have_the_same_words_with_the_same_gaps() -> None:
    korean, english = DICTIONARIES["ko"], DICTIONARIES["en"]
    assert list(korean) == list(english)
    for key, words in korean.items():
        assert set(re.findall(r"\{\w+\}", words)) == set(re.findall(r"\{\w+\}", english[key])), key
        assert words.strip()
        assert english[key].strip()


def test_no_particle_is_glued_to_a_gap_in_korean() -> None:
    glued = re.compile(r"\}['’”]?(?:을|를|은|는|이|가|과|와)(?![가-힣])")
    assert [key for key, words in DICTIONARIES["ko"].items() if glued.search(words)] == []


def test_every_word_that_is_used_is_known_and_the_other_way_round() -> None:
    known = set(DICTIONARIES["en"])
    patterns = {key: re.compile(re.sub(r"\\\$\\\{.*?\\\}", ".+", re.escape(key))) for key in used_keys()}
    answered = {key: {word for word in known if pattern.fullmatch(word)} for key, pattern in patterns.items()}
    assert sorted(key for key, words in answered.items() if not words) == []
    assert sorted(known - set(chain(*answered.values()))) == []


def test_the_page_keeps_to_its_content_security_policy() -> None:
    index = (PAGE / "index.html").read_text("utf-8")
    assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son\w+=|javascript:", index)
    code = "".join(path.read_text("utf-8") for path in SCRIPTS)
    assert not re.search(r'\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write|"style"', code)


def test_scripts_are_short_enough_to_be_read() -> None:
    lines = {path.name: path.read_text("utf-8").count("\n") for path in SCRIPTS}
    assert max(lines.values()) < 300, lines
    assert sum(path.stat().st_size for path in SCRIPTS) <= 105_500


def test_every_element_that_a_script_asks_for_by_its_name_is_on_the_page() -> None:
    there = set(re.findall(r'\bid="([\w-]+)"', (PAGE / "index.html").read_text("utf-8")))
    asked = {name for path in SCRIPTS for name in re.findall(r'\$\("([\w-]+)"\)', path.read_text("utf-8"))}
    assert len(asked) > 20
    assert asked <= there


@pytest.mark.parametrize("document", ["page.md", "page.ko.md"])
def test_the_guide_tells_all_that_a_link_restores_and_how_a_network_without_the_mask_is_called(
    document: str,
) -> None:
    defaults = re.search(r"DEFAULTS = \{(.*?)\n\}", (PAGE / "js/state.js").read_text("utf-8"), re.DOTALL)
    (ending,) = re.findall(r'WITHOUT = "([\w-]+)"', (PAGE / "js/parts/mask.js").read_text("utf-8"))
    told = (DOCS / document).read_text("utf-8")
    assert defaults
    names = re.findall(r"^ +(\w+):", defaults[1], re.MULTILINE)
    assert [name for name in names if not re.search(rf"[`#&]{name}=", told)] == []
    assert f"`{ending}`" in told


def test_the_example_is_a_whole_answer() -> None:
    example = json.loads((PAGE / "example.json").read_text("utf-8"))
    assert example["schema"] == 1
    rows, vectors = example["close_up"]["rows"], example["close_up"]["vectors"]
    for kind, heads in example["heads"].items():
        length = len(example["src" if kind == "enc" else "tgt"]["ids"])
        assert all(len(rows[f"{kind}.{head['l']}.{head['h']}"]) == length for head in heads)
    assert {part: len(each) for part, each in vectors.items()} == {
        "1": len(example["src"]["ids"]),
        "2": len(example["src"]["ids"]),
        "5": len(example["tgt"]["ids"]),
        "6": len(example["tgt"]["ids"]),
    }
