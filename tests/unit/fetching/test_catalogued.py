"""The corpora of the catalogue are fetched whole and verified, or not at all."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from onmal.corpora.located import CORPORA, Corpus
from onmal.errors import ConfigError, DataError
from onmal.fetching import catalogued
from onmal.fetching.catalogued import fetch, fetch_corpus

ADDRESS = "https://example.org/raw/"
RAW = {
    "train.en": "“Hello”,  she\u00a0said…\r\nIt’s here.\n",
    "train.de": "„Hallo“, sagte sie…\u2009\nEs ist hier – e\u0301.",
}
PLAIN = {
    "train.en": '"Hello", she said...\nIt\'s here.\n',
    "train.de": '„Hallo", sagte sie...\nEs ist hier – é.\n',
}
SMALL = Corpus(
    name="small",
    source_language="en",
    target_language="de",
    splits={"train": ("train.en", "train.de")},
    about="two sentences",
    licence="none needed",
    address=ADDRESS,
    originals={name: f"original_{name}.gz" for name in RAW},
    sha256={name: hashlib.sha256(text.encode()).hexdigest() for name, text in PLAIN.items()},
)


class Server:
    """Answers from a dictionary and remembers what it was asked for."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[str] = []

    def __call__(self, address: str) -> bytes:
        self.asked.append(address)
        return self.files[address]


def server(**changed: bytes) -> Server:
    files = {
        f"{ADDRESS}original_{name}.gz": gzip.compress(text.encode(), mtime=0) for name, text in RAW.items()
    }
    return Server(
        files | {f"{ADDRESS}original_train.{language}.gz": content for language, content in changed.items()}
    )


def test_fetched_text_is_normalised_verified_and_reported(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    folder = tmp_path / "new" / "small"
    paths = fetch_corpus(SMALL, folder, progress=lambda *state: seen.append(state), download=server())
    assert [path.read_bytes().decode() for path in paths] == list(PLAIN.values())
    assert seen == [("train.en", 0, 2), ("train.de", 1, 2)]
    assert sorted(path.name for path in folder.iterdir()) == ["train.de", "train.en"]


def test_what_is_there_and_right_is_not_fetched_again(tmp_path: Path) -> None:
    fetch_corpus(SMALL, tmp_path, download=server())
    (tmp_path / "train.de").write_text("altered\n", encoding="utf-8")
    again = server()
    fetch_corpus(SMALL, tmp_path, download=again)
    assert again.asked == [f"{ADDRESS}original_train.de.gz"]
    assert (tmp_path / "train.de").read_text(encoding="utf-8") == PLAIN["train.de"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (gzip.compress(b"Etwas anderes\n", mtime=0), "not the right text"),
        (gzip.compress(RAW["train.de"].encode(), mtime=0)[:-9], "not compressed UTF-8 text"),
        (gzip.compress("Größe".encode("latin-1"), mtime=0), "not compressed UTF-8 text"),
        (b"<html>Please log in</html>", "not compressed UTF-8 text"),
        (b"", "not the right text"),
    ],
)
def test_a_wrong_file_leaves_nothing_behind(tmp_path: Path, content: bytes, what: str) -> None:
    with pytest.raises(DataError, match=what) as caught:
        fetch_corpus(SMALL, tmp_path, download=server(de=content))
    assert caught.value.remedy
    assert [path.name for path in tmp_path.iterdir()] == ["train.en"]  # whole, and kept for the next try


def test_an_interruption_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch_corpus(SMALL, tmp_path, download=server())
    assert list(tmp_path.iterdir()) == []


def test_text_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogued, "_LARGEST", 1000)
    with pytest.raises(DataError, match="unpacks to more than 1,000 bytes"):
        fetch_corpus(SMALL, tmp_path, download=server(de=gzip.compress(b"a" * 100_000, mtime=0)))


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be made"):
        fetch_corpus(SMALL, tmp_path / "file" / "folder", download=server())


@pytest.mark.parametrize("name", ["koen", "phrasebook"])
def test_a_corpus_without_a_download_says_so(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be fetched"):
        fetch(name, tmp_path)


@pytest.mark.parametrize("address", ["http://example.org/", "file:///etc/hostname", "ftp://example.org/a"])
def test_only_https_is_fetched(address: str, tmp_path: Path) -> None:
    elsewhere = Corpus(**{**vars(SMALL), "address": address})
    with pytest.raises(DataError, match="no https address"):
        fetch_corpus(elsewhere, tmp_path)


def test_an_unreachable_server_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for proxy in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    nowhere = Corpus(**{**vars(SMALL), "address": "https://127.0.0.1:1/"})
    with pytest.raises(DataError, match=r"cannot be fetched .*; check the address and the connection"):
        fetch_corpus(nowhere, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_checksums_of_multi30k_are_those_of_its_text(shared_data: Path) -> None:
    folder = shared_data / "multi30k"
    paths = fetch_corpus(CORPORA["multi30k"], folder, download=Server({}))  # all are right: none is fetched
    assert len(paths) == 10


def test_the_normalisation_of_multi30k_changes_nothing_in_its_finished_text(shared_data: Path) -> None:
    for name in CORPORA["multi30k"].sha256:
        text = (shared_data / "multi30k" / name).read_bytes().decode()
        assert catalogued._plain_text(text) == text
