"""What the pages tell people to type works: commands parse, settings exist, and marked commands are run.

They are run from the English pages; the Korean ones have the same.
"""

from __future__ import annotations

import re
import runpy
import shlex
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from onmal.cli import app
from onmal.config import SECTIONS
from onmal.data.corpus import read_pairs
from onmal.errors import OnmalError

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "unit"))

from tiny_model import save_tiny_model, sentence_pairs  # noqa: E402

PAGES = sorted([*REPOSITORY.glob("README*.md"), *(REPOSITORY / "docs").rglob("*.md")])
SHORT = shlex.split(
    "--size tiny --set train.max_updates=2 --set train.threads=1"
    " --set model.encoder_layers=1 --set model.decoder_layers=1 --set search.max_length_extra=2"
)
"""What makes any training short."""
FEW = shlex.split("--set train.max_updates=2 --set train.threads=1 --set train.processes=1")
"""The same where the network is there already."""


def blocks(page: Path, language: str, mark: str = "") -> list[str]:
    """The fenced blocks of a language, all or those below a mark."""
    before = rf"<!-- {mark} -->\n" if mark else ""
    return re.findall(
        rf"^{before}```{language}\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )


def commands(page: Path, mark: str = "") -> Iterator[list[str]]:
    """The onmal commands of a page, split into arguments."""
    for line in chain.from_iterable(block.splitlines() for block in blocks(page, "sh", mark)):
        words = shlex.split(line, comments=True)
        if words[:1] == ["onmal"]:
            yield words[1:]


def shown(value: Any) -> str:
    return value.name if isinstance(value, Path) else shlex.join(value)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the pages speak of, and a model of both directions in runs/phrasebook."""
    monkeypatch.chdir(tmp_path)
    pairs = sentence_pairs(100)
    for name, chosen in (("train", pairs[:90]), ("test", pairs[90:])):
        Path(f"{name}.ko").write_text("".join(f"{pair.source}\n" for pair in chosen), "utf-8")
        Path(f"{name}.en").write_text("".join(f"{pair.target}\n" for pair in chosen), "utf-8")
    Path("letters.ko").write_text("오늘 학교에 간다.\n\n혼자 시장에 간다.\n", "utf-8")
    Path("film.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\n오늘 학교에 간다.\n", "utf-8")
    Path("page.html").write_text("<p>오늘 <b>학교에</b> 간다.</p>\n", "utf-8")
    Path("terms.tsv").write_text("시장\tmarket\n", "utf-8")
    for name, side in (("law.ko", "source"), ("law.en", "target"), ("news.en", "target")):
        Path(name).write_text("".join(f"{getattr(pair, side)}\n" for pair in pairs[:60]), "utf-8")
    for folder in ("runs/phrasebook", "runs/phrasebook-2"):
        save_tiny_model(Path(folder), both_directions=True, decoder_layers=4)
    return tmp_path


@pytest.mark.parametrize(
    "command", [command for page in PAGES for command in commands(page)], ids=lambda command: shown(command)
)
def test_every_command_has_the_options_that_it_uses(command: list[str]) -> None:
    group: Any = typer.main.get_command(app)
    known = group.commands[command[0]]
    with known.make_context(command[0], command[1:]) as context:
        for setting in context.params.get("settings") or ():
            section, _, key = setting.partition("=")[0].partition(".")
            assert key in SECTIONS[section].model_fields, setting


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    names, files = "|".join(SECTIONS), "json|safetensors"  # model.json is no setting
    for section, key in re.findall(
        rf"`(?:--set )?({names})\.(?!(?:{files})`)(\w{{3,}})(?: = [^`]+|=[^`]+)?`", page.read_text("utf-8")
    ):
        assert key in SECTIONS[section].model_fields, f"{page.name}: {section}.{key}"


def test_the_quickstart_does_what_it_says(work: Path) -> None:
    done = set()
    for command in commands(REPOSITORY / "docs/quickstart.md", mark="run"):
        arguments = [*command, *SHORT] if command[0] == "train" else command
        result = CliRunner().invoke(app, arguments, prog_name="onmal")
        assert result.exit_code == 0, (command, result.output, result.exception)
        done.add(command[0])
    assert done == {"translate", "inspect", "doctor", "train", "evaluate", "info"}
    assert (work / "head.svg").exists()
    translated = (work / "letters.en").read_text("utf-8").split("\n")
    assert len(translated) == 4
    assert translated[1] == ""


@pytest.mark.parametrize("name", ["translating.md", "documents.md"])
def test_translating_does_what_it_says(name: str, work: Path) -> None:
    for command in commands(REPOSITORY / "docs" / name, mark="run"):
        result = CliRunner().invoke(app, command, prog_name="onmal")
        assert result.exit_code == 0, (command, result.output, result.exception)
        for fragment in ("<b>", "</b>", "%d", "https://example.com/a?b=1"):
            assert result.stdout.count(fragment) == shlex.join(command).count(fragment)


def test_adapting_does_what_it_says(work: Path) -> None:
    done = []
    for command in commands(REPOSITORY / "docs/adapting.md", mark="run"):
        whole = command[0] == "train" and "--from-teacher" not in command
        short = SHORT if whole else FEW if command[0] in ("train", "finetune") else []
        result = CliRunner().invoke(app, [*command, *short], prog_name="onmal")
        assert result.exit_code == 0, (command, result.output, result.exception)
        done.append(command[0])
    assert [*dict.fromkeys(done)] == ["finetune", "translate", "evaluate", "train"]
    assert (work / "runs/student/training/made/teacher-1.jsonl").exists()
    assert "decoder_layers = 2" in (work / "runs/half/training/run.toml").read_text("utf-8")
    assert "distillation = 1.0" in (work / "runs/near/training/run.toml").read_text("utf-8")
    assert (work / "runs/ko-en-news/training/made/back.jsonl").exists()


@pytest.mark.parametrize("page", ["quickstart", "translating", "documents", "adapting"])
def test_both_languages_have_the_same_commands(page: str) -> None:
    for mark in ("", "run"):
        english, korean = (
            list(commands(REPOSITORY / "docs" / f"{page}{end}", mark)) for end in (".md", ".ko.md")
        )
        assert english == korean


@pytest.mark.parametrize(
    "name",
    [
        f"{page}{end}"
        for page in (
            "README",
            "docs/inside",
            "docs/training",
            "docs/translating",
            "docs/documents",
            "docs/adapting",
        )
        for end in (".md", ".ko.md")
    ],
)
def test_the_python_examples_run(name: str, work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example = "\n".join(blocks(REPOSITORY / name, "python"))
    example = example.replace('"minutes": 30', '"max_updates": 2').replace(
        '"size": "small"', '"size": "tiny"'
    )
    (work / "example.py").write_text(example, "utf-8")
    runpy.run_path("example.py")
    assert capsys.readouterr().out  # a line at least; two updates teach no network what to say


def test_the_errors_are_those_that_people_get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (
        ("a.ko", "가\n나\n다\n"),
        ("a.en", "a\nb\n"),
        ("b.tsv", "가\ta\n나 b\n"),
        ("c.tsv", "가\ta\n나\t\n"),
        ("d.en", "a\n"),
    ):
        Path(name).write_text(text, "utf-8")
    Path("d.ko").write_text("가\n", "cp949")
    found = []
    for names in (["a.ko", "a.en"], ["b.tsv"], ["c.tsv"], ["d.ko", "d.en"], ["gone.tsv"]):
        with pytest.raises(OnmalError) as caught:
            list(read_pairs(names, source_language="ko", target_language="en"))
        found.append(str(caught.value))
    for page in ("text.md", "text.ko.md"):
        (listed,) = blocks(REPOSITORY / "docs" / page, "", mark="errors")
        assert listed.splitlines() == found
