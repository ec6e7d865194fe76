"""`onmal translate MODEL FILE` with a document: all but its text as it was, warnings with places, nothing half-written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result
from word_document import document, read

from onmal.cli import app

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tiny_model import save_tiny_model

SRT = "1\n00:00:01,000 --> 00:00:02,000\n<i>오늘 학교에 간다.</i>\n"
SHORT = ["--beam-size", "1"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("models") / "ko-en")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def translate(model: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["translate", str(model), *arguments, *SHORT], prog_name="onmal")


def test_a_document_in_and_the_same_document_out(model: Path) -> None:
    Path("a.docx").write_bytes(document("<w:p><w:r><w:t>오늘 학교에 간다.</w:t></w:r></w:p>"))
    result = translate(model, "a.docx", "-o", "b.docx")
    assert result.exit_code == 0, result.output
    body = read(Path("b.docx").read_bytes())
    assert body.startswith('<w:p><w:r><w:t xml:space="preserve">')
    assert "학교" not in body
    assert "paragraph 1: " in result.stderr  # a network that learned nothing says nothing that is right
    assert "engine: " in result.stderr


def test_subtitles_to_standard_output_and_a_page_in_its_language(model: Path) -> None:
    Path("a.srt").write_text(SRT, "utf-8")
    assert translate(model, "a.srt").stdout.startswith("1\n00:00:01,000 --> 00:00:02,000\n<i>")
    Path("a.HTML").write_text('<html lang="ko"><p>오늘 간다.</p></html>', "utf-8")
    assert translate(model, "a.HTML").stdout.startswith('<html lang="en"><p>')


def test_plain_text_is_translated_line_by_line_as_ever(model: Path) -> None:
    Path("a.txt").write_text("오늘 간다.\n\n혼자 간다.\n", "utf-8")
    result = translate(model, "a.txt", "--scores")
    assert result.exit_code == 0
    assert [line.count("\t") for line in result.stdout.splitlines()] == [1, 1, 1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["a.srt", "--resume", "-o", "b.srt"],
        ["a.srt", "--json"],
        ["a.srt", "--scores"],
        ["a.srt", "--n-best", "2"],
        ["a.srt", "--type-out"],
        ["a.srt", "b.txt", "--ray", "-o", "out"],
        ["a.srt", "-o", "b.txt"],
        ["a.docx"],
    ],
)
def test_what_does_not_go_with_a_document(model: Path, arguments: list[str]) -> None:
    Path("a.srt").write_text(SRT, "utf-8")
    Path("a.docx").write_bytes(document(""))
    result = translate(model, *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["a.docx", "a.srt"]


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("gone.docx", None, "error: gone.docx: there is no such file"),
        ("a.docx", b"no package", "error: a.docx: the document is broken"),
        ("a.md", b"one\n\xff", "error: a.md:2: the text is not UTF-8"),
    ],
)
def test_a_broken_document_is_one_line_and_leaves_what_was_there(
    model: Path, name: str, content: bytes | None, error: str
) -> None:
    if content:
        Path(name).write_bytes(content)
    out = Path(f"out{Path(name).suffix}")
    out.write_text("before", "utf-8")
    result = translate(model, name, "-o", str(out))
    assert result.exit_code == 1
    assert result.stderr.startswith(error)
    assert result.stderr.count("\n") == 1
    assert out.read_text("utf-8") == "before"


def test_the_direction_is_that_of_the_whole_document(tmp_path: Path) -> None:
    both = save_tiny_model(tmp_path / "both", both_directions=True)
    Path("a.md").write_text("# Today\n\n오늘 학교에 간다. 혼자 시장에 간다.\n", "utf-8")
    korean = translate(both, "a.md")
    told = translate(both, "a.md", "--to", "en")
    assert korean.exit_code == 0
    assert korean.stdout == told.stdout
