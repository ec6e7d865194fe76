"""Files are cut so that nothing is lost at a seam, and no translation can take the place of something else."""

from __future__ import annotations

import gzip
import sys
from itertools import islice
from pathlib import Path

import pytest

from onmal import bulk
from onmal.errors import ConfigError, DataError
from onmal.formats.lines import read_lines


@pytest.fixture(autouse=True)
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PART_LINES", 3)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 7, 9])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("begin", "line_end", "last"), [("", "\n", "\n"), ("\ufeff", "\r\n", ""), ("", "\n", "")]
)
def test_the_parts_joined_are_the_text(
    tmp_path: Path, count: int, packed: bool, begin: str, line_end: str, last: str
) -> None:
    lines = [f"{n}: 말\u2028\ufeff말" if n % 2 else "" for n in range(count)]
    text = (begin + line_end.join(lines) + last * bool(count)).encode()
    path = tmp_path / ("a.ko.gz" if packed else "a.ko")
    path.write_bytes(gzip.compress(text) if packed else text)
    ((name, parts),) = bulk.cut([path], tmp_path / "out").items()
    assert name == "a.ko"
    joined = [line for part in parts for line in islice(read_lines(part.text, part.byte), part.lines)]
    assert joined == list(read_lines(path))
    assert [part.first for part in parts] == list(range(1, len(joined) + 1, 3))
    assert sum(part.lines for part in parts) == len(joined)
    assert sorted(part.place for part in parts) == [part.place for part in parts]
    assert not (tmp_path / "out").exists()


def test_no_translation_takes_the_place_of_a_text_or_of_another(tmp_path: Path) -> None:
    for name in ("a/x.ko", "b/x.ko", "b/x.ko.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(gzip.compress(b"1\n") if name.endswith("gz") else b"1\n")
    with pytest.raises(ConfigError, match=r"two texts are called x\.ko"):
        bulk.cut([tmp_path / "a/x.ko", tmp_path / "b/x.ko"], tmp_path / "out")
    with pytest.raises(ConfigError, match=r"two texts are called x\.ko"):
        bulk.cut([tmp_path / "a/x.ko", tmp_path / "b/x.ko.gz"], tmp_path / "out")
    with pytest.raises(ConfigError, match=r"x\.ko would take the place of its text"):
        bulk.cut([tmp_path / "a/x.ko"], tmp_path / "a")
    (tmp_path / "out" / "y.ko").mkdir(parents=True)
    (tmp_path / "a/y.ko").write_text("1\n")
    with pytest.raises(ConfigError, match=r"y\.ko is a folder"):
        bulk.cut([tmp_path / "a/y.ko"], tmp_path / "out")
    with pytest.raises(ConfigError, match=r"a is no file"):
        bulk.cut([tmp_path / "a"], tmp_path / "out")


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_gives_the_name_and_its_text_stays(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(gzip.compress(b"1\n2\n"))
    (tmp_path / "book.ko.gz").symlink_to(tmp_path / "blob")
    assert list(bulk.cut([tmp_path / "book.ko.gz"], tmp_path / "out")) == ["book.ko"]
    (tmp_path / "x.ko").write_text("1\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x.ko").symlink_to(tmp_path / "x.ko")
    with pytest.raises(ConfigError, match=r"x\.ko would take the place of its text"):
        bulk.cut([tmp_path / "x.ko"], tmp_path / "out")


def test_a_damaged_line_is_told_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.ko").write_bytes(b"1\n2\n3\n4\n\xff\n")
    with pytest.raises(DataError, match=r"a\.ko:5: byte 1 of the line"):
        bulk.cut([tmp_path / "a.ko"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
