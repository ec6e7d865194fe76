"""writing: a file is whole or not there, and a text stays one line."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from onmal.errors import DataError
from onmal.writing import one_line, open_resumable, open_whole


@pytest.mark.parametrize(
    ("text", "line"), [("a\nb", "a b"), ("a\r\n\r\nb\n", "a b "), ("a\u2028b", "a\u2028b"), ("", "")]
)
def test_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


def test_a_file_takes_its_place_when_it_is_whole(tmp_path: Path) -> None:
    place = tmp_path / "out.txt"
    place.write_text("old")
    with open_whole(place) as file:
        file.write("새 글\n")
        file.flush()
        assert place.read_text() == "old"
    assert place.read_bytes() == "새 글\n".encode()
    assert list(tmp_path.iterdir()) == [place]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    place = tmp_path / "out.txt"
    place.write_text("old")
    with pytest.raises(TypeError), open_whole(place) as file:
        file.writelines(["half", 5])  # type: ignore[list-item]
    assert place.read_text() == "old"
    assert list(tmp_path.iterdir()) == [place]


def test_a_place_that_cannot_be_written_is_a_data_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path, tmp_path / "missing" / "out.txt", tmp_path / "file" / "out.txt"):
        with pytest.raises(DataError, match="cannot be written"), open_whole(place):
            pass


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    with open_whole(link) as file:
        file.write("new")
    assert link.is_symlink()
    assert target.read_text() == "new"


@pytest.mark.skipif(sys.platform == "win32", reason="no locks there")
def test_nobody_else_writes_a_file_that_is_resumed(tmp_path: Path) -> None:
    place = tmp_path / "out"
    with open_resumable(place, "job") as (first, done):
        first.write("one\n")
        first.flush()
        with (
            pytest.raises(DataError, match=r"out: is being written by another run"),
            open_resumable(place, "job"),
        ):
            pass
        assert done == 0
        first.write("two\n")
    assert place.read_text() == "one\ntwo\n"
    with open_resumable(place, "another job") as (again, done):  # the first one is done, so it is begun anew
        assert done == 0
        again.write("three\n")
    assert place.read_text() == "three\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no locks there")
def test_a_file_that_was_moved_into_place_meanwhile_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "out"
    with suppress(KeyboardInterrupt), open_resumable(place, "job") as (file, _):
        file.write("one\n")
        raise KeyboardInterrupt

    def claimed_late(*_: object) -> None:  # after the other run, which had it, has ended
        (tmp_path / ".out.part").replace(place)

    monkeypatch.setattr("fcntl.flock", claimed_late)
    with pytest.raises(DataError, match="being written by another run"), open_resumable(place, "job"):
        pass
    assert place.read_text() == "one\n"


def test_a_device_is_written_directly() -> None:
    with open_whole(os.devnull) as file:
        file.write("away")
    assert not Path(os.devnull).is_file()
