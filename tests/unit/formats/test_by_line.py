"""TSV, JSON Lines and gettext PO: what was written comes out, and a broken record is named by its line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onmal.data.pair import Pair
from onmal.errors import DataError
from onmal.formats.by_line import read_aligned, read_jsonl, read_po, read_tsv, value_for

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\n"))

jsonl = partial(read_jsonl, name="a.jsonl", source_language="ko", target_language="en")
po = partial(read_po, name="a.po", source_language="en", target_language="ko")


def fault(pairs: Iterable[Pair]) -> DataError:
    with pytest.raises(DataError) as caught:
        list(pairs)
    assert caught.value.remedy
    return caught.value


@given(st.lists(st.tuples(CELL, CELL, CELL)))
def test_tsv_gives_back_its_columns(rows: list[tuple[str, str, str]]) -> None:
    lines = ["\t".join(row) for row in rows]
    assert list(read_tsv(lines, "a")) == [Pair(*row, number) for number, row in enumerate(rows, 1)]


def test_tsv_columns_after_the_label_are_not_read() -> None:
    assert list(read_tsv(["가\ta\tkind\tmore\tand more"], "a")) == [Pair("가", "a", "kind", 1)]


def test_tsv_without_a_tab_is_a_fault_and_a_blank_line_a_blank_pair() -> None:
    assert list(read_tsv(["", "가\ta"], "a")) == [Pair("", "", "", 1), Pair("가", "a", "", 2)]
    error = fault(read_tsv(["가\ta", "no tab here"], "a.tsv"))
    assert (error.path, error.line) == ("a.tsv", 2)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT)), st.booleans())
def test_jsonl_gives_back_any_text(rows: list[tuple[str, str, str]], ascii_only: bool) -> None:
    lines = [
        json.dumps({"en": english, "kind": kind, "ko": korean}, ensure_ascii=ascii_only)
        for korean, english, kind in rows
    ]
    assert list(jsonl(lines)) == [Pair(*row, number) for number, row in enumerate(rows, 1)]


@pytest.mark.parametrize(
    "record",
    [
        {"ko": "가", "en": "a"},
        {"source": "가", "target": "a"},
        {"translation": {"ko": "가", "en": "a"}},
        {"translation": {"source": "가", "target": "a"}, "id": 7},
        {"ko-KR": "가", "EN_us": "a", "fr": "b"},
        {"source": "가", "target": "a", "translation": "something else"},
    ],
)
def test_jsonl_knows_the_usual_shapes(record: dict[str, object]) -> None:
    assert list(jsonl([json.dumps(record)])) == [Pair("가", "a", "", 1)]


def test_jsonl_skips_blank_lines_and_counts_them() -> None:
    assert [pair.line for pair in jsonl(['{"ko": "가", "en": "a"}', "", '{"ko": "나", "en": "b"}'])] == [1, 3]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('{"ko": "가", "en": ', "the line is not JSON (Expecting value, column 19)"),
        ("[" * 100_000, "not JSON"),
        ('["가", "a"]', "not an object"),
        ('{"ko": "가", "english": "a"}', 'no text under "en" or "target" (its keys: ko, english)'),
        ('{"ko": "가", "en": null}', 'no text under "en"'),
    ],
)
def test_jsonl_names_the_broken_line(line: str, what: str) -> None:
    error = fault(jsonl(['{"ko": "가", "en": "a"}', line]))
    assert what in error.what
    assert (error.path, error.line) == ("a.jsonl", 2)


def test_a_language_is_found_exactly_or_by_its_primary_subtag() -> None:
    texts = {"en-GB": "colour", "en": "color", "pt-BR": "cor", "x-one": "1"}
    assert value_for("en", texts) == "color"
    assert value_for("EN_gb", texts) == "colour"
    assert value_for("en-AU", texts) == "colour"
    assert value_for("pt", texts) == "cor"
    assert value_for("x-two", texts) is None


@given(st.integers(0, 6), st.integers(0, 6))
def test_aligned_texts_must_have_the_same_number_of_lines(sources: int, targets: int) -> None:
    pairs = read_aligned(iter(map(str, range(sources))), iter(map(str, range(targets))), ("a.ko", "b.en"))
    if sources == targets:
        assert list(pairs) == [Pair(str(n), str(n), "", n + 1) for n in range(sources)]
    else:
        error = fault(pairs)
        assert error.path == "a.ko"
        assert f"has {sources} line{'s' * (sources != 1)}, but b.en has {targets}" in error.what


CATALOGUE = r"""
# A catalogue as the tools write it.
msgid ""
msgstr ""
"Project-Id-Version: x\n"
"Language: ko\n"
"Plural-Forms: nplurals=1; plural=0;\n"

#: a.c:1
msgid "Open the file."
msgstr "파일을 엽니다."

#, c-format
msgid "%d file"
msgid_plural "%d files"
msgstr[0] "파일 %d개"

#, fuzzy
#| msgid "Closes"
msgid "Close"
msgstr "열기"

msgid "Not translated"
msgstr ""
msgctxt "menu"
msgid "A \"quoted\"\tword and a \\ "
"in two parts"
msgstr "\"인용한\" 말과 \\ "
"두 부분\n"
# A comment straight after an entry begins the next one.
msgid "Save"
msgstr "저장"

#, fuzzy
#~ msgid "Old"
#~ msgstr "옛"
msgid "After an obsolete entry"
msgstr "지난 항목 뒤"
""".splitlines()

TRANSLATED = [
    ("Open the file.", "파일을 엽니다."),
    ("%d file", "파일 %d개"),
    ("%d files", "파일 %d개"),
    ('A "quoted"\tword and a \\ in two parts', '"인용한" 말과 \\ 두 부분\n'),
    ("Save", "저장"),
    ("After an obsolete entry", "지난 항목 뒤"),
]


def test_po_gives_its_finished_messages() -> None:
    pairs = list(po(CATALOGUE))
    assert [(pair.source, pair.target) for pair in pairs] == TRANSLATED
    assert all(CATALOGUE[pair.line - 1].startswith(("msgid", "msgctxt")) for pair in pairs)


def test_po_is_turned_round_when_it_translates_into_the_source_language() -> None:
    pairs = read_po(CATALOGUE, "a.po", source_language="ko-KR", target_language="en")
    assert [(pair.target, pair.source) for pair in pairs] == TRANSLATED


def test_po_plural_forms_go_first_with_first_and_last_with_plural() -> None:
    lines = ['msgid "a"', 'msgid_plural "b"', 'msgstr[0] "c"', 'msgstr[1] "d"', 'msgstr[2] "e"']
    assert list(po(lines)) == [Pair("a", "c", "", 1), Pair("b", "e", "", 1)]


@given(TEXT.filter(str.strip), TEXT.filter(str.strip))
def test_po_gives_back_any_text(message: str, translation: str) -> None:
    def quoted(text: str) -> str:
        escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
        return '"' + "".join(escapes.get(character, character) for character in text) + '"'

    lines = [f"msgid {quoted(message)}", f"msgstr {quoted(translation)}"]
    assert list(po(lines)) == [Pair(message, translation, "", 1)]


def test_po_numeric_escapes() -> None:
    assert list(po([r'msgid "\101\x42\e"', 'msgstr "가"'])) == [Pair("ABe", "가", "", 1)]


@pytest.mark.parametrize(
    ("lines", "line", "what"),
    [
        (['msgid "a"', "msgstr b"], 2, "not gettext PO"),
        (['msgid "a', 'msgstr "b"'], 1, "not gettext PO"),
        (['"a"', 'msgstr "b"'], 1, "no msgid"),
        (['msgid "a"', 'msgid "b"', 'msgstr "c"'], 2, "no msgstr"),
        (['msgid "a"', 'msgstr "b"', "", 'msgid "c"'], None, "last msgid has no msgstr"),
        (['msgid "a"'] + ['"' + "x" * 100_000 + '"'] * 200, 169, "longer than"),
    ],
)
def test_po_names_the_broken_line(lines: list[str], line: int | None, what: str) -> None:
    error = fault(po(lines))
    assert what in error.what
    assert (error.path, error.line) == ("a.po", line)
