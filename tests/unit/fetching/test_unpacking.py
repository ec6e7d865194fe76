"""Only the files that are asked for come out of an archive, under names of our own, and never too much of them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from onmal.errors import DataError
from onmal.fetching import unpacking
from onmal.fetching.unpacking import unpack

FILES = {
    "README.md": b"Read me.\n",
    "LICENSE": b"Free.\n",
    "x.en-ko.en": b"A dog.\n",
    "x.en-ko.ko": "개.\n".encode(),
}


def archive(path: Path, kind: str, files: Mapping[str, bytes], folder: str = "") -> Path:
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
            for name, content in files.items():
                zipped.writestr(folder + name, content)
        return path
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(folder + name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


@pytest.mark.parametrize(("kind", "folder"), [("zip", ""), ("tar.gz", "./"), ("tgz", "repository-1a2b/")])
def test_members_and_terms_come_out_of_an_archive(tmp_path: Path, kind: str, folder: str) -> None:
    packed = archive(tmp_path / "packed", kind, FILES, folder)
    pattern = "*/" if folder.count("/") and folder != "./" else ""
    found = unpack(packed, kind, [f"{pattern}*.ko", f"{pattern}*.en"], tmp_path)
    assert [path.read_bytes() for path in found] == [FILES["x.en-ko.ko"], FILES["x.en-ko.en"]]
    assert {path.name for path in tmp_path.iterdir()} == {
        "packed",
        "packed.0",
        "packed.1",
        "README",
        "LICENSE",
    }
    assert (tmp_path / "LICENSE").read_bytes() == b"Free.\n"


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_no_name_in_an_archive_becomes_a_path(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "inner"
    place.mkdir()
    names = ("../evil.en", "/evil.ko", "../LICENSE", "../../README")
    packed = archive(place / "packed", kind, dict.fromkeys(names, b"text\n"))
    unpack(packed, kind, ["*evil.en" if kind == "zip" else "../evil.en", "/evil.ko"], place)
    assert [path.name for path in tmp_path.iterdir()] == ["inner"]
    assert {path.name for path in place.iterdir()} == {"packed", "packed.0", "packed.1", "LICENSE"}


def test_links_in_an_archive_are_not_followed(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "packed", "w:gz") as tar:
        link = tarfile.TarInfo("a.en")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        tar.addfile(link)
    with pytest.raises(DataError, match=r"one file like a\.en and has 0: none"):
        unpack(tmp_path / "packed", "tgz", ["a.en"], tmp_path)


@pytest.mark.parametrize(("kind", "pack"), [("tsv.gz", gzip.compress), ("tsv.xz", lzma.compress), ("txt.bz2", bz2.compress)])  # fmt: skip
def test_a_compressed_file_becomes_plain(tmp_path: Path, kind: str, pack: type[bytes]) -> None:
    packed = tmp_path / "packed"
    packed.write_bytes(pack(b"a\tb\n"))
    (plain,) = unpack(packed, kind, [], tmp_path)
    assert plain.read_bytes() == b"a\tb\n"
    packed.write_bytes(pack(b"a\tb\n" * 1000)[:-6])
    with pytest.raises(DataError, match=f"damaged, or not in the form of {kind}"):
        unpack(packed, kind, [], tmp_path)


def test_a_plain_file_stays_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "packed").write_bytes(b"a\tb\n")
    assert unpack(tmp_path / "packed", "tsv", [], tmp_path) == [tmp_path / "packed"]


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tgz", "tsv.gz", "tsv.xz", "txt.bz2"])
def test_a_page_in_the_place_of_a_file_is_told(tmp_path: Path, kind: str) -> None:
    (tmp_path / "packed").write_bytes(b"<html>Please log in</html>")
    with pytest.raises(
        DataError, match=f"damaged, or not in the form of {kind}.*may have answered in its place"
    ):
        unpack(tmp_path / "packed", kind, ["*.en", "*.ko"], tmp_path)


def test_a_changed_archive_is_told(tmp_path: Path) -> None:
    packed = archive(tmp_path / "packed", "zip", {"a.en": b"", "b.en": b"", "a.ko": b""})
    with pytest.raises(DataError, match=r"one file like \*\.en and has 2: a\.en, b\.en"):
        unpack(packed, "zip", ["*.en", "*.ko"], tmp_path)


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tsv.gz"])
def test_what_unpacks_to_too_much_is_refused(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "_LEAST", 1000)
    monkeypatch.setattr(unpacking, "_BLOCK", 1000)
    large = bytes(1_000_000)
    packed = tmp_path / "packed"
    if kind == "tsv.gz":
        packed.write_bytes(gzip.compress(large))
    else:
        archive(packed, kind, {"a.en": large})
    with pytest.raises(DataError, match="200 times its size; that cannot be text"):
        unpack(packed, kind, ["a.en"], tmp_path)
    assert all(path.stat().st_size < 500_000 for path in tmp_path.iterdir())
