"""Corpora are found by name, read in either direction, and fetched whole and verified or not at all."""

from __future__ import annotations

import gzip
import hashlib
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPMessage
from io import BytesIO
from pathlib import Path

import pytest

from onmal.data import corpora
from onmal.data.corpora import CORPORA, Corpus, cache_folder, corpus_named, fetch, fetch_corpus, find
from onmal.data.pair import Pair
from onmal.errors import ConfigError, DataError, LanguageError

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
    files = {f"{ADDRESS}original_{name}.gz": gzip.compress(text.encode()) for name, text in RAW.items()}
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
        (gzip.compress(b"Etwas anderes\n"), "not the right text"),
        (gzip.compress(RAW["train.de"].encode())[:-9], "not compressed UTF-8 text"),
        (gzip.compress("Größe".encode("latin-1")), "not compressed UTF-8 text"),
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
    monkeypatch.setattr(corpora, "_LARGEST", 1000)
    with pytest.raises(DataError, match="unpacks to more than 1,000 bytes"):
        fetch_corpus(SMALL, tmp_path, download=server(de=gzip.compress(b"a" * 100_000)))


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


def test_a_redirect_away_from_https_is_refused() -> None:
    handler, request = corpora._HttpsOnly(), urllib.request.Request("https://example.org/a")
    redirect: Callable[[str], urllib.request.Request | None] = lambda to: handler.redirect_request(  # noqa: E731
        request, BytesIO(), 302, "Found", HTTPMessage(), to
    )
    assert redirect("https://example.org/b") is not None
    with pytest.raises(urllib.error.URLError, match="no https address"):
        redirect("http://example.org/b")


def test_an_unreachable_server_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for proxy in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    nowhere = Corpus(**{**vars(SMALL), "address": "https://127.0.0.1:1/"})
    with pytest.raises(DataError, match=r"cannot be fetched .*; check the address and the connection"):
        fetch_corpus(nowhere, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_every_public_file_has_an_address_and_a_checksum() -> None:
    for corpus in CORPORA.values():
        files = {name for names in corpus.splits.values() for name in names} if corpus.address else set()
        assert set(corpus.originals) == set(corpus.sha256) == files
        assert corpus.licence
        assert all(len(digest) == 64 for digest in corpus.sha256.values())
        assert not corpus.address or corpus.address.startswith("https://")


def multi30k_like(folder: Path) -> Path:
    (folder / "val.en").write_text("A dog.\nA cat.\n", encoding="utf-8")
    (folder / "val.de.gz").write_bytes(gzip.compress(b"Ein Hund.\nEine Katze.\n"))
    return folder


def test_a_corpus_is_read_in_either_direction_compressed_or_not(tmp_path: Path) -> None:
    located = find("multi30k", multi30k_like(tmp_path))
    assert located.splits == ("train", "val", "test_2016", "test_2017", "test_mscoco")
    assert list(located.pairs("val", "en", "de")) == [
        Pair("A dog.", "Ein Hund.", "", 1),
        Pair("A cat.", "Eine Katze.", "", 2),
    ]
    assert next(located.pairs("val", "de-AT", "en-GB")) == Pair("Ein Hund.", "A dog.", "", 1)


def test_wrong_splits_and_directions_are_named(tmp_path: Path) -> None:
    located = find("multi30k", multi30k_like(tmp_path))
    with pytest.raises(ConfigError, match=r"has no split 'valid'; it has train, val, test_2016"):
        located.pairs("valid", "en", "de")
    with pytest.raises(LanguageError, match="its languages are en and de"):
        located.pairs("val", "en", "fr")
    with pytest.raises(DataError, match=r"lacks train\.en; `onmal corpus multi30k` fetches it"):
        located.pairs("train", "en", "de")


def test_a_corpus_is_looked_for_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONMAL_CACHE", str(tmp_path))
    with pytest.raises(DataError, match=r"`onmal corpus multi30k` fetches it, or --data multi30k=PATH"):
        find("multi30k")
    with pytest.raises(
        DataError, match=r"no public download: --data koen=PATH points to a folder with train\.tsv\.xz"
    ):
        find("koen")
    (tmp_path / "corpora" / "multi30k").mkdir(parents=True)
    multi30k_like(tmp_path / "corpora" / "multi30k")
    assert len(list(find("multi30k").pairs("val", "en", "de"))) == 2
    with pytest.raises(DataError, match="does not exist"):
        find("multi30k", tmp_path / "elsewhere")


def test_an_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match="did you mean multi30k"):
        corpus_named("multi-30k")
    with pytest.raises(ConfigError, match="known are phrasebook, multi30k, koen"):
        find("zzz")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="their folders are other ones")
def test_the_cache_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ONMAL_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "onmal"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # the convention says: ignore it
    assert cache_folder() == tmp_path / ".cache" / "onmal"
    monkeypatch.setenv("ONMAL_CACHE", "~/mine")
    assert cache_folder() == tmp_path / "mine"


def test_the_phrasebook_is_always_there_and_the_same() -> None:
    located = find("phrasebook")
    assert located.splits == ("train", "valid", "test", "long", "roles", "homonyms")
    once = list(located.pairs("homonyms", "ko", "en"))
    assert once == list(find("phrasebook").pairs("homonyms", "ko", "en"))
    assert len(once) == 300
    assert all(pair.label and pair.line == number for number, pair in enumerate(once, 1))
    assert next(located.pairs("homonyms", "en", "ko")) == once[0].swapped()
    with pytest.raises(ConfigError, match="generated"):
        find("phrasebook", Path("anywhere"))


def test_koen_has_kinds_for_labels(shared_data: Path) -> None:
    first = next(find("koen", shared_data / "koen").pairs("test", "en", "ko"))
    assert first.label in {"docs", "ui", "game", "sentences", "news"}
    assert first.source.isascii()


def test_the_checksums_of_multi30k_are_those_of_its_text(shared_data: Path) -> None:
    folder = shared_data / "multi30k"
    paths = fetch_corpus(CORPORA["multi30k"], folder, download=Server({}))  # all are right: none is fetched
    assert len(paths) == 10


def test_the_normalisation_of_multi30k_changes_nothing_in_its_finished_text(shared_data: Path) -> None:
    for name in CORPORA["multi30k"].sha256:
        text = (shared_data / "multi30k" / name).read_bytes().decode()
        assert corpora._plain_text(text) == text
