"""Corpora are found by name or by id, and read in either direction."""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from pathlib import Path

import pytest

from onmal.cache import cache_folder
from onmal.config import DataConfig
from onmal.corpora.located import CORPORA, corpus_named, damaged_file, find, open_pairs
from onmal.data.pair import Pair
from onmal.errors import ConfigError, DataError, LanguageError
from onmal.writing import MANIFEST


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


# Public corpora by their id in mtdata's index

PUBLIC = "OPUS-tatoeba-v2-eng-kor"


def fetched(folder: Path) -> Path:
    """A folder as `onmal corpus ID` leaves it."""
    folder.mkdir(parents=True)
    texts = {"train.en": "A dog.\nA cat.\n", "train.ko": "개 한 마리.\n고양이 한 마리.\n"}
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    files = {name: {"sha256": hashlib.sha256(text.encode()).hexdigest()} for name, text in texts.items()}
    (folder / MANIFEST).write_text(json.dumps({"corpus": PUBLIC, "files": files}))
    return folder


@pytest.mark.parametrize(
    ("name", "languages"),
    [
        (PUBLIC, ("en", "ko")),
        ("Statmt-ccaligned-1-eng-kor_KR", ("en", "ko-KR")),
        ("Flores-flores200_dev-1-kor_Hang-zho_Hant", ("ko", "zh-Hant")),
        ("OPUS-qed-v2.0a-por_BR-lld", ("pt-BR", "x-lld")),
        ("ELRC-portal_españa_www.spain.info-1-eng_GB-spa_ES", ("en-GB", "es-ES")),
    ],
)
def test_an_id_says_its_languages(name: str, languages: tuple[str, str]) -> None:
    corpus = corpus_named(name)
    assert (corpus.name, corpus.source_language, corpus.target_language) == (name, *languages)
    assert corpus.splits == {"train": tuple(f"train.{language}" for language in languages)}


@pytest.mark.parametrize(
    "name",
    [
        "../../etc-passwd-1-eng-kor", "OPUS-../..-1-eng-kor", "OPUS-a/b-1-eng-kor", "OPUS-a\\b-1-eng-kor",
        "OPUS-.-.-eng-kor", "OPUS-tatoeba-v2-eng", "OPUS-tatoeba-v2-en-ko", "OPUS-tatoeba-v2-eng-kor\n",
        f"OPUS-{'a' * 300}-1-eng-kor", "C:-a-1-eng-kor",
    ],
)  # fmt: skip
def test_what_is_no_id_never_becomes_a_path(name: str) -> None:
    with pytest.raises(
        ConfigError, match=r"there is no corpus called .*`onmal corpus --search ko-en` finds more"
    ):
        find(name)


def test_a_fetched_corpus_is_named_in_a_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONMAL_CACHE", str(tmp_path))
    data = DataConfig(corpus=PUBLIC, source_language="ko", target_language="en", valid=[])
    with pytest.raises(DataError, match=f"`onmal corpus {PUBLIC}` fetches it, or --data {PUBLIC}=PATH"):
        open_pairs(data, data.train, {})
    fetched(tmp_path / "corpora" / PUBLIC)
    pairs = [Pair("개 한 마리.", "A dog.", "", 1), Pair("고양이 한 마리.", "A cat.", "", 2)]
    assert list(open_pairs(data, data.train, {})) == pairs
    elsewhere = fetched(tmp_path / "elsewhere")
    (elsewhere / MANIFEST).unlink()  # one's own copy need not have one
    assert list(open_pairs(data, data.train, {PUBLIC: elsewhere})) == pairs
    with pytest.raises(
        ConfigError, match=r"has no split 'valid'; it has train, of which data\.valid = \[\] holds"
    ):
        find(PUBLIC).pairs("valid", "ko", "en")


def test_a_fetched_corpus_that_was_altered_is_not_read(tmp_path: Path) -> None:
    folder = fetched(tmp_path / "folder")
    assert damaged_file(corpus_named(PUBLIC), folder) == ""
    (folder / "train.ko").write_text("개 두 마리.\n고양이 한 마리.\n", "utf-8")
    assert damaged_file(corpus_named(PUBLIC), folder) == "train.ko"
    with pytest.raises(
        DataError, match=rf"train\.ko: is not what was fetched; `onmal corpus {PUBLIC}` fetches it"
    ):
        find(PUBLIC, folder).pairs("train", "ko", "en")
    (folder / "train.en").unlink()
    assert damaged_file(corpus_named(PUBLIC), folder) == "train.en"
    (folder / MANIFEST).write_text("{")
    assert damaged_file(corpus_named(PUBLIC), folder) == MANIFEST
