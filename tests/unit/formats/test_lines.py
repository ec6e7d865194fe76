"""Lines come out exactly as they were written, from every kind of file, and damage is named with its place."""

from __future__ import annotations

import codecs
import gzip
import io
import lzma
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onmal.errors import DataError
from onmal.formats.lines import LONGEST_LINE, read_lines

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
WRITERS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress}


def expected_lines(text: str) -> list[str]:
    *ended, last = text.removeprefix("\ufeff").split("\n")
    return [line.removesuffix("\r") for line in ended] + [last] * bool(last)


@given(TEXT, st.sampled_from(sorted(WRITERS)))
def test_any_text_gives_the_lines_that_newlines_end(text: str, suffix: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, f"text{suffix}")
        path.write_bytes(WRITERS[suffix](text.encode()))
        assert list(read_lines(path)) == expected_lines(text)


def test_characters_that_other_readers_take_for_line_ends_stay_inside_their_line(tmp_path: Path) -> None:
    line = "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\rh"
    (tmp_path / "text").write_bytes(f"{line}\r\nnext\n".encode())
    assert list(read_lines(tmp_path / "text")) == [line, "next"]


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(codecs.BOM_UTF8 + "가\n나".encode())
    assert list(read_lines(path)) == ["가", "나"]
    path.write_bytes(codecs.BOM_UTF8)
    assert list(read_lines(path)) == []


def test_a_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class Standard:
        buffer = io.BytesIO("하나\n둘".encode())

    monkeypatch.setattr(sys, "stdin", Standard)
    assert list(read_lines("-")) == ["하나", "둘"]


def fault(content: bytes, path: Path) -> DataError:
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        list(read_lines(path))
    assert caught.value.path == str(path)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"missing\.ko: there is no such file"):
        list(read_lines(tmp_path / "missing.ko"))


def test_a_folder_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder"):
        list(read_lines(tmp_path))


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")  # chmod would not stop the superuser

    path = tmp_path / "secret"
    path.touch()
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"secret: may not be read; change its permissions"):
        list(read_lines(path))


def test_a_disk_that_fails_while_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    class Standard:
        buffer = Broken()

    monkeypatch.setattr(sys, "stdin", Standard)
    with pytest.raises(DataError, match=r"standard input: cannot be read \(Input/output error\)"):
        list(read_lines("-"))


@pytest.mark.parametrize(
    ("encoding", "text", "guess"),
    [
        ("cp949", "안녕하세요, 만나서 반갑습니다.", "CP949"),
        ("cp949", "Windows 설정을 여세요", "CP949"),
        ("shift_jis", "これは日本語のテキストです", "SHIFT_JIS"),
        ("cp1252", "Ein Mann fährt über die Brücke nach Köln", "WINDOWS-1252"),
        ("utf-16", "안녕하세요", "UTF-16"),
        ("utf-16-le", "Hello there", "UTF-16"),
        ("utf-16-be", "Hello there", "UTF-16"),
    ],
)
def test_a_wrong_encoding_is_guessed_and_its_remedy_named(
    tmp_path: Path, encoding: str, text: str, guess: str
) -> None:
    error = fault(f"{text}\n".encode(encoding), tmp_path / "a.ko")
    assert error.line == 1
    assert guess in error.what
    assert f"iconv -f {guess}" in error.remedy


def test_a_wrong_byte_is_found_by_line_column_and_offset(tmp_path: Path) -> None:
    error = fault(b"first\n" + "둘째 줄은 한국어로 ".encode() + b"\xff\n", tmp_path / "a.ko")
    column = len("둘째 줄은 한국어로 ".encode())
    assert error.line == 2
    assert f"byte {column + 1} of the line (offset {6 + column})" in error.what
    assert "looks like" not in error.what  # the rest is sound UTF-8: no other encoding to convert from
    assert "repair" in error.remedy


def test_offsets_count_the_byte_order_mark(tmp_path: Path) -> None:
    assert "byte 1 of the line (offset 3)" in fault(codecs.BOM_UTF8 + b"\xff\n", tmp_path / "a").what


@pytest.mark.parametrize("writer", [gzip.compress, lzma.compress])
def test_compressed_text_without_its_suffix_is_recognised(
    tmp_path: Path, writer: Callable[[bytes], bytes]
) -> None:
    error = fault(writer(b"text\n" * 100), tmp_path / "text")
    assert "compressed" in error.what
    assert "ends in ." in error.remedy


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_compressed_text_that_was_cut_off(tmp_path: Path, suffix: str) -> None:
    lines = "".join(f"line {number * 7919 % 10007}\n" for number in range(5000)).encode()
    whole = WRITERS[suffix](lines)
    assert "stop in the middle" in fault(whole[: len(whole) // 2], tmp_path / f"a{suffix}").what


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_text_that_only_its_name_calls_compressed(tmp_path: Path, suffix: str) -> None:
    error = fault(b"plain text\n", tmp_path / f"a{suffix}")
    assert "cannot be decompressed" in error.what
    assert "suffix" in error.remedy


def test_a_damaged_gzip_file(tmp_path: Path) -> None:
    damaged = bytearray(gzip.compress(bytes(range(256)) * 40))
    damaged[20] ^= 0xFF
    assert "decompressed" in fault(bytes(damaged), tmp_path / "a.gz").what


def test_a_nul_byte(tmp_path: Path) -> None:
    error = fault(b"fine\nnot \0 fine at all\n", tmp_path / "a")
    assert (error.line, "NUL" in error.what) == (2, True)


def test_an_endless_line_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(io.BytesIO):
        given = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            assert size > 0
            self.given += size
            return b"x" * size

    class Standard:
        buffer = Endless()

    monkeypatch.setattr(sys, "stdin", Standard)
    with pytest.raises(DataError, match="longer than 16,777,216 bytes"):
        list(read_lines("-"))
    assert Standard.buffer.given <= LONGEST_LINE + 1


def test_a_line_of_just_the_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * (LONGEST_LINE - 1) + b"\ny\n")
    assert [len(line) for line in read_lines(path)] == [LONGEST_LINE - 1, 1]


def test_lone_carriage_returns_are_named_as_the_cause_of_an_endless_line(tmp_path: Path) -> None:
    assert "carriage return" in fault(b"a line\r" * (LONGEST_LINE // 6), tmp_path / "mac").remedy


def test_reading_goes_on_line_by_line(tmp_path: Path) -> None:
    """A fault far down does not keep the lines above it back."""
    (tmp_path / "a").write_bytes(b"one\ntwo\n\xff\n")
    lines: Iterator[str] = read_lines(tmp_path / "a")
    assert [next(lines), next(lines)] == ["one", "two"]
    with pytest.raises(DataError):
        next(lines)
