"""Parallel text is read from every kind of file, strictly, lazily and without loss."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onmal.data.corpus import Pair, read_pairs
from onmal.errors import ConfigError, DataError

TMX = (
    '<tmx version="1.4"><body><tu><tuv xml:lang="ko"><seg>물</seg></tuv>'
    '<tuv xml:lang="en"><seg>water</seg></tuv></tu></body></tmx>'
)
CONTENTS = {
    ".tsv": "물\twater\n",
    ".jsonl": '{"ko": "물", "en": "water"}\n',
    ".po": 'msgid ""\nmsgstr "Language: ko\\n"\n\nmsgid "water"\nmsgstr "물"\n',
    ".tmx": TMX,
}
WRITERS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress}
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1).filter(str.strip)


def read(*paths: str | Path) -> list[Pair]:
    return list(read_pairs(paths, source_language="ko", target_language="en"))


def fault(*paths: str | Path) -> DataError:
    with pytest.raises(DataError) as caught:
        read(*paths)
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize("compression", sorted(WRITERS))
@pytest.mark.parametrize("suffix", sorted(CONTENTS))
def test_the_suffix_says_the_format(tmp_path: Path, suffix: str, compression: str) -> None:
    for name in (f"v1.2{suffix}{compression}", f"v1.2{suffix}{compression}".upper()):
        path = tmp_path / name
        path.write_bytes(WRITERS[compression](CONTENTS[suffix].encode()))
        assert [(pair.source, pair.target) for pair in read(path)] == [("물", "water")]


@given(
    st.lists(st.tuples(WORDS, WORDS)),
    st.sampled_from(sorted(WRITERS)),
    st.sampled_from(["two", "tsv", "jsonl"]),
)
def test_any_pairs_come_back_from_any_file(rows: list[tuple[str, str]], compression: str, kind: str) -> None:
    with TemporaryDirectory() as folder:

        def write(name: str, lines: list[str]) -> Path:
            path = Path(folder, name + compression)
            path.write_bytes(WRITERS[compression]("".join(f"{line}\n" for line in lines).encode()))
            return path

        if kind == "two":
            paths = [write("a.ko", [row[0] for row in rows]), write("a.en", [row[1] for row in rows])]
        elif kind == "tsv":
            paths = [write("a.tsv", ["\t".join(row) for row in rows])]
        else:
            paths = [write("a.jsonl", [json.dumps({"ko": ko, "en": en}) for ko, en in rows])]
        written = [(source.removeprefix("\ufeff"), target) for source, target in rows[:1]] + rows[1:]
        if kind == "two" and rows:
            written[0] = (written[0][0], rows[0][1].removeprefix("\ufeff"))
        if kind == "jsonl":
            written = rows
        if all(source and target for source, target in written):
            assert [(pair.source, pair.target) for pair in read(*paths)] == written


def test_standard_input_is_tsv(monkeypatch: pytest.MonkeyPatch) -> None:
    class Standard:
        buffer = io.BytesIO("물\twater\nfire\n".encode())

    monkeypatch.setattr(sys, "stdin", Standard)
    pairs = read_pairs(["-"], source_language="ko", target_language="en")
    assert next(pairs) == Pair("물", "water", "", 1)
    with pytest.raises(DataError, match="standard input:2: the line has no tab"):
        next(pairs)


def test_unequal_line_counts_are_both_given(tmp_path: Path) -> None:
    (tmp_path / "a.ko").write_text("하나\n둘\n셋\n", encoding="utf-8")
    (tmp_path / "a.en").write_text("one\ntwo\nthree\nfour\nfive", encoding="utf-8")
    error = fault(tmp_path / "a.ko", tmp_path / "a.en")
    assert f"has 3 lines, but {tmp_path / 'a.en'} has 5" in error.what
    assert f"has 5 lines, but {tmp_path / 'a.ko'} has 3" in fault(tmp_path / "a.en", tmp_path / "a.ko").what


def test_a_line_separator_inside_a_sentence_shifts_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.ko").write_text("하나\u2028더\n둘\n", encoding="utf-8")
    (tmp_path / "a.en").write_text("one\x85more\ntwo\n", encoding="utf-8", newline="")
    assert [(pair.source[0], pair.target[0]) for pair in read(tmp_path / "a.ko", tmp_path / "a.en")] == [
        ("하", "o"),
        ("둘", "t"),
    ]


def test_an_empty_side_is_an_error_with_its_line_unless_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("물\twater\n불\t \u3000\n\n", encoding="utf-8")
    error = fault(path)
    assert (error.path, error.line, error.what) == (str(path), 2, "the target side is empty")
    pairs = list(read_pairs([path], source_language="ko", target_language="en", empty="keep"))
    assert pairs[1:] == [Pair("불", " \u3000", "", 2), Pair("", "", "", 3)]


def test_pairs_before_a_fault_are_given(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"ko": "물", "en": "water"}\n{"ko": "불"}\n', encoding="utf-8")
    pairs = read_pairs([path], source_language="ko", target_language="en")
    assert next(pairs).target == "water"
    with pytest.raises(DataError, match="no text under"):
        next(pairs)


def test_a_fault_in_a_compressed_file_names_the_line_of_its_text(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv.gz"
    path.write_bytes(gzip.compress(b"a\tb\nc\t\xff\n"))
    assert (fault(path).path, fault(path).line) == (str(path), 2)


def test_a_translation_memory_that_was_cut_off_while_compressed(tmp_path: Path) -> None:
    whole = gzip.compress(TMX.encode())
    (tmp_path / "a.tmx.gz").write_bytes(whole[:-20])
    assert "stop in the middle" in fault(tmp_path / "a.tmx.gz").what


@pytest.mark.parametrize("name", ["a.txt", "a", "a.gz", "tsv", ".tsv.zip"])
def test_a_name_without_a_known_suffix_says_which_there_are(tmp_path: Path, name: str) -> None:
    assert ".tsv, .jsonl, .tmx, .po" in fault(tmp_path / name).remedy


@pytest.mark.parametrize("paths", [[], ["a", "b", "c"], ["-", "-"], ["same.txt", "same.txt"]])
def test_other_numbers_of_files_are_refused_at_once(paths: list[str]) -> None:
    with pytest.raises(ConfigError):
        read_pairs(paths, source_language="ko", target_language="en")


def test_the_label_of_real_text_is_its_kind(shared_data: Path) -> None:
    pairs = list(read(shared_data / "koen" / "dev.tsv"))
    assert len(pairs) == 2576
    assert {pair.label for pair in pairs} == {"docs", "ui", "game", "sentences", "news"}
    first = islice(
        read_pairs([shared_data / "koen" / "train.tsv.xz"], source_language="ko", target_language="en"), 1000
    )
    assert [pair.line for pair in first] == list(range(1, 1001))
