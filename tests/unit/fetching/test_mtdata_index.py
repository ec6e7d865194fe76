"""mtdata's index is searched by language, asked for an id, built once, and never allowed to do anything else."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from onmal.errors import ConfigError, DataError, LanguageError, MissingExtraError
from onmal.fetching import mtdata_index, mtdata_process
from onmal.fetching.mtdata_index import Entry, entry_of, mtdata_prints, search

ZIP: dict[str, Any] = {
    "url": "http://example.org/a.zip",
    "ext": "zip",
    "in_ext": "txt",
    "in_paths": ["*.en", "*.ko"],
}
INDEX = {
    "OPUS-tatoeba-v2-eng-kor": ZIP,
    "OPUS-kde4-v2-eng_GB-kor": ZIP,
    "Statmt-ccaligned-1-eng-kor_KR": {**ZIP, "url": "https://data.example.org/a.tsv.xz", "ext": "tsv.xz", "in_ext": None},
    "OPUS-tatoeba-v2-deu-eng": ZIP,
    "Motorola-phones-1-eng-lld": ZIP,
    "Flores-flores101_dev-1-eng-kor": {**ZIP, "in_paths": ["zul.dev", "zul.dev"]},
    "Google-wmt24pp-1-eng-kor_KR": {**ZIP, "ext": "hfds", "in_ext": "hfds"},
}  # fmt: skip


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with the index of version 0.0 of mtdata."""
    monkeypatch.setenv("ONMAL_CACHE", str(tmp_path))
    monkeypatch.setattr(mtdata_index, "mtdata_version", lambda: "0.0")
    path = tmp_path / "mtdata" / "index-0.0.gz"
    path.parent.mkdir()
    lines = (
        f"{name}\t{json.dumps({**facts, 'cols': None, 'citation': 'Who (2012), What'})}\n"
        for name, facts in INDEX.items()
    )
    path.write_bytes(gzip.compress("".join(lines).encode()))
    return path


@pytest.mark.parametrize("pair", [("ko", "en"), ("en", "ko"), ("kor", "en-US")])
def test_search_finds_any_region_and_order_but_nothing_that_cannot_be_fetched(
    index: Path, pair: tuple[str, str]
) -> None:
    assert [entry.id for entry in search(*pair)] == [
        "OPUS-kde4-v2-eng_GB-kor", "OPUS-tatoeba-v2-eng-kor", "Statmt-ccaligned-1-eng-kor_KR",
    ]  # fmt: skip


def test_search_knows_languages_that_onmal_has_no_code_for(index: Path) -> None:
    assert [entry.id for entry in search("en", "lld")] == ["Motorola-phones-1-eng-lld"]
    with pytest.raises(LanguageError, match="did you mean"):
        search("en", "kr")


def test_an_entry_says_where_and_what_it_is(index: Path) -> None:
    entry = entry_of("Statmt-ccaligned-1-eng-kor_KR")
    assert (entry.addresses, entry.origin) == (["https://data.example.org/a.tsv.xz"], "data.example.org")
    assert (entry.packed, entry.format, entry.citation) == ("tsv.xz", "tsv", "Who (2012), What")
    entry = entry_of("OPUS-tatoeba-v2-eng-kor")
    assert entry.addresses == ["https://example.org/a.zip"]  # http in the index
    assert (entry.format, entry.members, entry.index) == ("txt", ["*.en", "*.ko"], "mtdata 0.0")


def test_an_unknown_id_gets_the_nearest_one_of_its_languages(index: Path) -> None:
    with pytest.raises(
        ConfigError, match="has no OPUS-tatoeba-v3-eng-kor; did you mean OPUS-tatoeba-v2-eng-kor"
    ):
        entry_of("OPUS-tatoeba-v3-eng-kor")
    with pytest.raises(ConfigError, match="`onmal corpus --search fr-ko` lists"):
        entry_of("OPUS-tatoeba-v3-fra-kor")


def test_a_damaged_index_is_told(index: Path) -> None:
    index.write_bytes(index.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"index-0\.0\.gz: cannot be read.*remove it"):
        search("ko", "en")


def test_without_the_package_one_line_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mtdata", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for ask in (
        lambda: search("ko", "en"),
        lambda: entry_of("OPUS-tatoeba-v2-eng-kor"),
        lambda: list(mtdata_prints("index")),
    ):
        with pytest.raises(
            MissingExtraError, match=r'needs the package mtdata.*pip install "onmal\[corpora\]"'
        ):
            ask()


# mtdata's process, which stands for itself here: the code that it runs is whatever is called mtdata


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder from which mtdata's process takes a package mtdata that a test writes."""
    package = tmp_path / "path" / "mtdata"
    package.mkdir(parents=True)
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    monkeypatch.setattr(mtdata_index, "mtdata_version", lambda: "0.0")
    (package / "__init__.py").touch()
    (package / "entry.py").write_text("def Entry(id, **facts): return id\n")
    return package


def read(package: Path, body: str) -> list[str]:
    """What the process prints if mtdata's parser does `body`."""
    indented = "".join(f"        {line}\n" for line in body.splitlines())
    (package / "parser.py").write_text(
        "import os, socket, subprocess\nclass Parser:\n    def __init__(self, paths, ext, ent): self.given = paths, ext, ent\n"
        f"    def read_segs(self, show_pbar):\n{indented}"
    )
    given = {
        "id": "a",
        "format": "txt",
        "paths": ["x"],
        "url": "",
        "ext": "txt",
        "in_ext": None,
        "in_paths": None,
        "cols": None,
    }
    return list(mtdata_prints("read", json.dumps(given)))


def test_pairs_come_out_line_by_line(stand_in: Path) -> None:
    lines = read(
        stand_in, "yield ['\\u2028a\\n', '가', {'more': 1}]\nyield str(self.given[0][0]), self.given[1]"
    )
    assert list(map(json.loads, lines)) == [["\u2028a\n", "가"], ["x", "txt"]]


def test_its_last_word_is_the_error(stand_in: Path) -> None:
    with pytest.raises(
        DataError, match="mtdata cannot read it: ValueError: no such column; try another version"
    ):
        read(stand_in, "yield 'a', 'b'\nraise ValueError('no such column')")
    with pytest.raises(DataError, match="mtdata cannot read it: it was ended from outside"):
        read(stand_in, "os.kill(os.getpid(), 9)\nyield 'a', 'b'")


@pytest.mark.parametrize(
    "deed",
    [
        "subprocess.run(['true'])", "os.system('true')", "os.execv('/bin/true', ['true'])", "os.fork()",
        "socket.create_connection(('127.0.0.1', 9))", "socket.getaddrinfo('example.org', 443)",
    ],
)  # fmt: skip
@pytest.mark.skipif(sys.platform == "win32", reason="it has no fork, and no true")
def test_it_may_run_nothing_and_connect_to_nothing(stand_in: Path, deed: str) -> None:
    with pytest.raises(DataError, match=r"PermissionError: \S+ is not allowed here"):
        read(stand_in, f"{deed}\nyield 'a', 'b'")


def test_it_works_in_an_empty_folder_without_programs(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mtdata_of_somebody.py").write_text("raise SystemExit('I was run')\n")
    (found,) = read(stand_in, "yield repr(os.listdir()), os.environ['PATH']")
    assert json.loads(found) == ["[]", ""]


def test_stopping_early_ends_the_process(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []
    popen = subprocess.Popen

    def start(*arguments: Any, **options: Any) -> subprocess.Popen[str]:
        started.append(popen(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    (stand_in / "parser.py").write_text(
        "class Parser:\n    def __init__(self, *_, **__): pass\n"
        "    def read_segs(self, show_pbar):\n        while True: yield 'a', 'b'\n"
    )
    given = {
        "id": "a",
        "format": "txt",
        "paths": [],
        "url": "",
        "ext": "txt",
        "in_ext": None,
        "in_paths": None,
        "cols": None,
    }
    lines = mtdata_prints("read", json.dumps(given))
    next(lines)
    lines.close()
    assert started[0].returncode is not None


# The real package, where it is installed


@pytest.mark.slow
def test_the_real_index_has_korean_and_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mtdata.entry")
    monkeypatch.setenv("ONMAL_CACHE", str(tmp_path))
    found = {entry.id: entry for entry in search("ko", "en")}
    entry = found["OPUS-tatoeba-v20230412-eng-kor"]
    assert entry.citation == "Tiedemann (2012), Parallel Data, Tools and Interfaces in OPUS"
    assert entry.addresses[0].startswith("https://")
    assert entry_of(entry.id) == entry
    assert [path.parent.name for path in tmp_path.rglob("*") if path.is_file()] == ["mtdata"]
    assert all(isinstance(each, Entry) and not each.obstacle for each in found.values())


def test_the_process_is_a_program_of_two_tasks() -> None:
    assert Path(mtdata_process.__file__).read_text("utf-8").count("def index") == 1
    run = subprocess.run([sys.executable, mtdata_process.__file__, "else"], capture_output=True)
    assert b"KeyError: 'else'" in run.stderr
