"""A public corpus is fetched once, normalised, described by a manifest, verified, and held to what came first."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from onmal.corpora.located import find
from onmal.data.pair import Pair
from onmal.errors import ConfigError, DataError
from onmal.fetching.mtdata_index import Entry
from onmal.fetching.public import fetch_public
from onmal.writing import MANIFEST

NAME = "ELRC-hrw_dataset_v1-1-eng_GB-kor"
PAIRS = [("A  dog\u200b.", "개 한 마리."), ("Nothing", "  "), ("e\u0301", "고양이 한 마리.")]
TMX = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header/><body>{}</body></tmx>
"""


def tmx(pairs: list[tuple[str, str]]) -> bytes:
    unit = '<tu><tuv xml:lang="en"><seg>{}</seg></tuv><tuv xml:lang="ko-KR"><seg>{}</seg></tuv></tu>\n'
    return TMX.format("".join(unit.format(*pair) for pair in pairs)).encode()


def zipped(**files: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("_", "."), text)
    return content.getvalue()


def entry(name: str = NAME, **facts: Any) -> Entry:
    plain = {
        "url": "http://example.org/en-ko.zip",
        "ext": "zip",
        "in_ext": "tmx",
        "in_paths": ["*.tmx"],
        "cols": None,
    }
    return Entry(id=name, citation="Who (2012), What", index="mtdata 0.0", facts={**plain, **facts})


class Server:
    """Answers with what it has and remembers what it was asked for."""

    def __init__(self, *contents: bytes) -> None:
        self.contents = list(contents)
        self.asked: list[str] = []

    @contextmanager
    def __call__(self, address: str) -> Iterator[Any]:
        self.asked.append(address)
        content = self.contents.pop(0)
        answer: Any = io.BytesIO(content)
        answer.headers = Message()
        answer.headers["Content-Length"] = str(len(content))
        yield answer


def packed(pairs: list[tuple[str, str]] = PAIRS) -> bytes:
    return zipped(en_ko_tmx=tmx(pairs), LICENSE=b"CC BY 4.0\n")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ONMAL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "corpora" / NAME


def get(
    server: Any, found: Entry | None = None, folder: Path | None = None, **options: Any
) -> dict[str, Any]:
    found = found or entry()
    return fetch_public(found.id, folder, find=lambda name: found, opener=server, **options)


def nobody(name: str) -> Entry:
    raise AssertionError("the index is not asked for what is there")


def test_what_is_fetched_is_normalised_described_and_read_by_its_id(cache: Path) -> None:
    told: list[tuple[str, str, int, int]] = []
    server, content = Server(packed()), packed()
    manifest = get(server, progress=lambda *state: told.append(state))
    assert server.asked == ["https://example.org/en-ko.zip"]
    assert told[0][0] == "fetching https://example.org/en-ko.zip"
    assert sorted(path.name for path in cache.iterdir()) == ["LICENSE", MANIFEST, "train.en-GB", "train.ko"]
    assert list(find(NAME).pairs("train", "ko", "en")) == [
        Pair("개 한 마리.", "A dog.", "", 1), Pair("고양이 한 마리.", "é", "", 2),
    ]  # fmt: skip
    assert manifest == json.loads((cache / MANIFEST).read_text("utf-8"))
    assert (manifest["corpus"], manifest["languages"], manifest["pairs"]) == (NAME, ["en-GB", "ko"], 2)
    assert (manifest["citation"], manifest["index"]) == ("Who (2012), What", "mtdata 0.0")
    assert manifest["without text on both sides"] == 1
    (download,) = manifest["downloads"]
    assert download["bytes"] == len(content)
    assert download["address"] == server.asked[0]
    digest = hashlib.sha256((cache / "train.ko").read_bytes()).hexdigest()
    assert manifest["files"]["train.ko"] == {"bytes": (cache / "train.ko").stat().st_size, "sha256": digest}


def test_the_second_time_nothing_is_asked_for(cache: Path) -> None:
    first = get(Server(packed()))
    assert fetch_public(NAME, find=nobody, opener=Server()) == first


def test_a_damaged_file_is_said_and_fetched_anew(cache: Path) -> None:
    first, notes = get(Server(packed())), list[str]()
    text = (cache / "train.ko").read_bytes()
    (cache / "train.ko").write_bytes(text[:-4])
    assert get(Server(packed()), note=notes.append)["files"] == first["files"]
    assert notes[0] == f"{cache / 'train.ko'} is damaged: fetching it again"
    assert (cache / "train.ko").read_bytes() == text


def test_the_text_that_came_first_stays_the_measure(cache: Path) -> None:
    get(Server(packed()))
    (cache / "train.ko").unlink()
    before = {path.name: path.read_bytes() for path in cache.iterdir()}
    with pytest.raises(
        DataError, match=r"no longer the text that was fetched on \d{4}-\d\d-\d\d.*remove the folder"
    ):
        get(Server(packed([("Another", "다른 것")])))
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == before


@pytest.mark.parametrize("manifest", ["{", "[]", '{"corpus": "a"}'])
def test_a_damaged_manifest_is_told(cache: Path, manifest: str) -> None:
    get(Server(packed()))
    (cache / MANIFEST).write_text(manifest)
    with pytest.raises(
        DataError, match=r"manifest\.json: cannot be read; remove the folder and fetch it anew"
    ):
        get(Server())


def test_a_folder_of_ones_own(tmp_path: Path, cache: Path) -> None:
    get(Server(packed()), folder=tmp_path / "own")
    assert len(list(find(NAME, tmp_path / "own").pairs("train", "en", "ko"))) == 2
    assert not cache.exists()
    other = entry("ELRC-hrw_dataset_v1-2-eng-kor")
    with pytest.raises(DataError, match=rf"own: holds the corpus {NAME}; choose another --out"):
        get(Server(), other, tmp_path / "own")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "train.ko").touch()
    with pytest.raises(DataError, match="precious: exists already"):
        get(Server(), folder=tmp_path / "precious")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<html>Please log in</html>", "damaged, or not in the form of zip"),
        (zipped(en_ko_xml=b""), r"one file like \*\.tmx and has 0"),
        (zipped(a_tmx=tmx([])), "no unit has both"),
        (zipped(a_tmx=tmx([("", "")])), "no pair of .* has text on both sides"),
        (zipped(a_tmx=tmx(PAIRS)[:-30]), "is not well-formed XML"),
    ],
)
def test_a_wrong_file_leaves_nothing_behind(cache: Path, content: bytes, what: str) -> None:
    with pytest.raises(DataError, match=what) as caught:
        get(Server(content))
    assert caught.value.remedy
    assert not cache.exists()


def test_what_a_killed_fetch_left_is_cleared_away(cache: Path) -> None:
    (cache / ".fetching-old").mkdir(parents=True)
    (cache / ".fetching-old" / "download-0").touch()
    (cache / "train.ko").write_text("half of it")
    get(Server(packed()))
    assert not (cache / ".fetching-old").exists()
    assert len(list(find(NAME).pairs("train", "en", "ko"))) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="there is no lock that ends with its process")
def test_who_comes_second_waits_and_takes_what_was_fetched(cache: Path) -> None:
    first, second = Server(packed()), Server()
    asked, go_on = Event(), Event()
    told: list[str] = []

    @contextmanager
    def slow(address: str) -> Iterator[Any]:
        asked.set()
        assert go_on.wait(60)
        with first(address) as answer:
            yield answer

    def note(text: str) -> None:
        told.append(text)
        if text.startswith("waiting for another process"):
            go_on.set()

    with ThreadPoolExecutor(1) as other:
        fetched = other.submit(get, slow)
        assert asked.wait(60)
        assert get(second, note=note) == fetched.result()
    assert told[-1] == f"waiting for another process that fetches into {cache} ..."
    assert second.asked == []


def test_a_disk_without_room_is_told_before_the_download(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10}))
    with pytest.raises(DataError, match=r"the disk has 0 MiB left; free some space"):
        get(Server(packed()))
    assert not cache.exists()


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (entry(ext="hfds", in_ext="hfds"), "on the Hugging Face hub"),
        (entry(in_paths=["zul.dev", "zul.dev"]), "the same file for both sides"),
        (entry("OPUS-tatoeba-v2-eng-eng"), "both its sides are the same language"),
    ],
)
def test_what_cannot_be_fetched_says_why(found: Entry, why: str) -> None:
    with pytest.raises(ConfigError, match=f"{found.id} cannot be fetched: .*{why}"):
        get(Server(), found)


# Read by mtdata's parsers, where mtdata is installed


def lines(*texts: str) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode()


TXT = {"in_ext": "txt", "in_paths": ["*.en", "*.ko"]}
SGM = '<srcset setid="a">\n<seg id="1"> {} </seg>\n<seg id="2">&lt;{}&gt;</seg>\n</srcset>\n'


@pytest.mark.parametrize(
    ("facts", "contents"),
    [
        (TXT, [zipped(a_en=lines("One\r", "<Two>"), a_ko=lines("하나\u2028", "<둘>"))]),
        ({"ext": "tsv.gz", "in_ext": None, "in_paths": None, "cols": [1, 2]},
         [gzip.compress(lines("0.9\tOne\t하나", "0.8\t<Two>\t<둘>"))]),
        ({"url": ["https://a.org/en.gz", "https://a.org/ko.gz"], "ext": "txt.gz", "in_ext": None, "in_paths": None},
         [gzip.compress(lines("One", "<Two>")), gzip.compress(lines("하나", "<둘>"))]),
        ({"in_ext": "sgm", "in_paths": ["*.en", "*.ko"]},
         [zipped(a_en=SGM.format("One", "Two").encode(), a_ko=SGM.format("하나", "둘").encode())]),
    ],
    ids=["aligned files in an archive", "columns of a table", "two downloads", "WMT's own format"],
)  # fmt: skip
def test_mtdata_reads_what_onmal_does_not(facts: dict[str, Any], contents: list[bytes]) -> None:
    pytest.importorskip("mtdata.entry")
    server = Server(*contents)
    get(server, entry("Statmt-a-1-eng-kor", **facts))
    pairs = list(find("Statmt-a-1-eng-kor").pairs("train", "en", "ko"))
    assert pairs == [Pair("One", "하나", "", 1), Pair("<Two>", "<둘>", "", 2)]
    assert server.contents == []


def test_sides_that_do_not_fit_are_refused() -> None:
    pytest.importorskip("mtdata.entry")
    found = entry("Statmt-a-1-eng-kor", **TXT)
    with pytest.raises(DataError, match=r"mtdata cannot read it: .*unequal number of segments"):
        get(Server(zipped(a_en=lines("One", "Two"), a_ko=lines("하나"))), found)
