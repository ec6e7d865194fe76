"""A translation of a file that is killed again and again ends as if it never had been: no line lost, doubled or cut."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import onmal.cli.translating as translating
from onmal.cli import app
from onmal.translating.translator import Translation

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
from tiny_model import save_tiny_model, sentence_pairs

KILLED = -9
TRANSLATE = """
import os, runpy, signal, sys

import onmal.cli.translating as translating
import onmal.translating.translator as translator

left, part, *sys.argv[1:] = sys.argv[1:]
left, plain, translator.CHUNK = int(left), translating._plain, 16

def _plain(number, translation):
    global left
    left -= 1
    if not left:
        with open(part, "ab") as file:  # half a line, cut within a character
            file.write("half 한".encode()[:-1])
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(number, translation)

translating._plain = _plain
runpy.run_module("onmal", run_name="__main__")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model, and a text of 400 lines, some of them blank."""
    save_tiny_model(tmp_path / "model")
    lines = [pair.source if number % 7 else "" for number, pair in enumerate(sentence_pairs(400))]
    (tmp_path / "a.ko").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return tmp_path


def translate(folder: Path, *options: str, after: int = 0) -> int:
    """The exit code of translating a.ko to b.en in a process that kills itself before the line `after`, if that is given."""
    command = [sys.executable, "-c", TRANSLATE, str(after), str(folder / ".b.en.part")]
    arguments = [
        "translate",
        str(folder / "model"),
        str(folder / "a.ko"),
        "-o",
        str(folder / "b.en"),
        "--beam-size",
        "1",
    ]
    return subprocess.run([*command, *arguments, *options], env=os.environ, capture_output=True).returncode


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of Unix")
@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_again_and_again_it_ends_as_if_it_never_had_been(folder: Path, kills: int) -> None:
    assert translate(folder) == 0
    whole = (folder / "b.en").read_bytes()
    assert whole.count(b"\n") == 400
    (folder / "b.en").unlink()
    chance = random.Random(kills)
    for _ in range(kills):
        assert translate(folder, "--resume", after=chance.randint(1, 350 // kills)) == KILLED
        assert not (folder / "b.en").exists()
    assert translate(folder, "--resume") == 0
    assert (folder / "b.en").read_bytes() == whole
    assert sorted(path.name for path in folder.iterdir()) == ["a.ko", "b.en", "model"]


def test_lines_of_another_text_model_or_option_are_refused(folder: Path) -> None:
    def run(*options: str) -> str:
        arguments = [
            "translate",
            str(folder / "model"),
            str(folder / "a.ko"),
            "-o",
            str(folder / "b.en"),
            "--resume",
        ]
        return CliRunner().invoke(app, [*arguments, *options], prog_name="onmal").stderr

    (folder / ".b.en.part").write_text("a line\nhalf", "utf-8")
    assert "was begun from another text or model, or with other options" in run()
    assert (folder / ".b.en.part").read_text("utf-8") == "a line\nhalf"
    (folder / ".b.en.part").unlink()
    (folder / ".b.en.job").write_text("[]", "utf-8")
    assert "going on" not in run("--beam-size", "1")  # a note without lines is of nothing
    assert (folder / "b.en").read_text("utf-8").count("\n") == 400


def test_lines_of_another_engine_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*options: str) -> str:
        files = [str(folder / "a.ko"), "-o", str(folder / "b.en"), "--resume", "--beam-size", "1"]
        arguments = ["translate", str(folder / "model"), *files, *options]
        return CliRunner().invoke(app, arguments, prog_name="onmal").stderr

    plain = translating._plain

    def _plain(number: int, translation: Translation) -> str:
        if number == 3:
            raise KeyboardInterrupt
        return plain(number, translation)

    with monkeypatch.context() as patch:
        patch.setattr(translating, "_plain", _plain)
        run()
    assert "was begun from another text or model, or with other options" in run("--engine", "exact")
    assert "going on after line 2" in run()
    assert (folder / "b.en").read_text("utf-8").count("\n") == 400


def test_what_cannot_be_resumed_says_why(folder: Path) -> None:
    def error(*options: str) -> str:
        result = CliRunner().invoke(
            app, ["translate", str(folder / "model"), *options, "--resume"], prog_name="onmal"
        )
        assert result.exit_code == 2
        return result.stderr

    text, out = str(folder / "a.ko"), str(folder / "b.en")
    assert "give FILE and --out" in error(text)
    assert "give FILE and --out" in error("--text", "학교")
    assert "give FILE and --out" in error("-", "-o", out)
    assert "use --json with it" in error(text, "-o", out, "--n-best", "2")
