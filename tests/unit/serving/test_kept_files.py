"""Files that wait to be fetched: under names that nobody can guess, not for ever, and not without end."""

from __future__ import annotations

import math
import stat
from collections.abc import Iterator

import pytest

from onmal.serving.kept_files import Full, KeptFiles


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def files(clock: Clock) -> Iterator[KeptFiles]:
    kept = KeptFiles(lifetime=60, most_bytes=10, most_of_one=8, clock=clock)
    yield kept
    kept.close()


def test_what_is_kept_can_be_read_by_its_name_alone(files: KeptFiles) -> None:
    first, second = files.keep(b"a", owner="a"), files.keep(b"b", owner="a")
    assert first != second
    assert (files.read(first), files.read(second)) == (b"a", b"b")
    files.remove(first)
    assert files.read(first) is None
    assert files.read(second) == b"b"


def test_a_title_is_part_of_the_name_and_never_of_a_path(files: KeptFiles) -> None:
    name = files.keep(b"a", "../../x.txt", owner="a")
    assert name.endswith(".../../x.txt")
    assert files.read(name) == b"a"
    assert files.read(name.partition(".")[0]) is None
    assert [each.name for each in files.folder.iterdir()] == [name.partition(".")[0]]


@pytest.mark.parametrize("name", ["", ".", "..", "/etc/passwd", "../../etc/passwd", "a\0b", "x" * 10_000])
def test_a_name_that_was_not_given_out_is_none(files: KeptFiles, name: str) -> None:
    assert files.read(name) is None
    files.remove(name)


def test_after_its_lifetime_it_is_gone_from_the_disk(files: KeptFiles, clock: Clock) -> None:
    old = files.keep(b"old", owner="a")
    staying = files.keep(b"stays", owner="a", lifetime=math.inf)
    clock.now = 59
    assert files.read(old) == b"old"
    clock.now = 60
    files.forget_old()
    assert files.read(old) is None
    assert files.read(staying) == b"stays"
    files.remove(staying)
    assert list(files.folder.iterdir()) == []


def test_no_more_is_kept_than_may_be(files: KeptFiles, clock: Clock) -> None:
    first = files.keep(b"12345678", owner="a")
    with pytest.raises(Full):
        files.keep(b"123", owner="b")
    assert len(list(files.folder.iterdir())) == 1
    files.remove(first)
    files.keep(b"12345678", owner="a")
    clock.now = 61
    files.keep(b"12345678", owner="a")  # the old one has made room


def test_nobody_takes_all_the_room(files: KeptFiles) -> None:
    files.keep(b"12345678", owner="a")
    with pytest.raises(Full):
        files.keep(b"9", owner="a")
    files.keep(b"12", owner="b")


def test_the_folder_is_for_its_owner_alone_and_goes_with_the_server() -> None:
    kept = KeptFiles()
    kept.keep(b"secret", owner="a")
    where = kept.folder
    assert stat.S_IMODE(where.stat().st_mode) & 0o077 == 0
    kept.close()
    assert not where.exists()
