"""Glossaries that clients have made: kept whole, each for its owner, and never found by a path."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onmal.errors import DataError
from onmal.serving.glossaries import Glossaries, read_terms

TERMS = [("Seoul", "서울"), ("Han River", "한강")]


def test_a_glossary_is_there_again_when_the_server_is(tmp_path: Path) -> None:
    made = Glossaries(tmp_path / "glossaries").add("mina", "Cities", "en", "ko", TERMS)
    again = Glossaries(tmp_path / "glossaries")
    assert again.of("mina") == [made]
    assert again.get("mina", made.id) == made
    assert made.terms == tuple(TERMS)
    assert str(UUID(made.id)) == made.id
    assert made.glossary.wanted("Seoul's river", "en") == ["서울"]


def test_nobody_else_sees_it(tmp_path: Path) -> None:
    stored = Glossaries(tmp_path)
    made = stored.add("mina", "Cities", "en", "ko", TERMS)
    assert stored.of("juno") == []
    assert stored.get("juno", made.id) is None
    assert stored.get("", made.id) is None


def test_a_deleted_one_is_gone_for_good(tmp_path: Path) -> None:
    stored = Glossaries(tmp_path)
    made, other = (stored.add("", name, "en", "ko", TERMS) for name in ("one", "two"))
    stored.remove(made)
    assert stored.of("") == Glossaries(tmp_path).of("") == [other]
    assert stored.get("", made.id) is None


@pytest.mark.parametrize(
    "wanted",
    ["", "..", "../secret", "/etc/passwd", "a\0b", "33afe066-a6dd-4ca4-9b3d-2a5fbad850c2", "x" * 5_000],
)
def test_an_id_never_becomes_a_path(tmp_path: Path, wanted: str) -> None:
    (tmp_path / "secret.json").write_text("{}")
    assert Glossaries(tmp_path / "glossaries").get("", wanted) is None


@pytest.mark.parametrize("content", ["{}", "[]", "{", '{"id": "../x", "terms": []}'])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "broken.json").write_text(content)
    with pytest.raises(DataError, match=r"broken\.json: is not a glossary"):
        Glossaries(tmp_path)


WORD = st.text("abc가나 ", min_size=1, max_size=5).map(str.strip).filter(bool)


@given(st.dictionaries(WORD, WORD, min_size=1))
def test_terms_are_read_as_they_were_written(terms: dict[str, str]) -> None:
    for form, between in (("tsv", "\t"), ("csv", ",")):
        for end in ("\n", "\r\n"):
            text = end.join(f"{source}{between}{target}" for source, target in terms.items())
            assert read_terms(text, form) == list(terms.items())


def test_csv_may_be_quoted_and_name_the_languages() -> None:
    assert read_terms('"Seoul, Korea","서울",en,ko\n\n"a ""b""",c,en,ko\n', "csv") == [
        ("Seoul, Korea", "서울"),
        ('a "b"', "c"),
    ]


@pytest.mark.parametrize(
    ("text", "form", "complaint"),
    [
        ("", "tsv", "there are no entries"),
        ("\n \n", "csv", "there are no entries"),
        ("a", "tsv", "line 1: an entry is a term"),
        ("a\tb\tc", "tsv", "line 1: an entry is a term"),
        ("a,b,c", "csv", "line 1: an entry is a term"),
        ("a\tb\nc\t", "tsv", "line 2: a term or its translation is empty"),
        ("a\tb\na\tc", "tsv", "line 2: the term 'a' is there twice"),
        ("a\tb\x07", "tsv", "line 1: an entry has a control character"),
        ("a\tb\u2028c", "tsv", "line 1: an entry has a control character"),
        ('a,"b\nc"', "csv", "line 1: an entry has a control character"),
        ('a,"b', "csv", "the entries are not CSV"),
        (f"a,{'b' * 200_000}", "csv", "the entries are not CSV"),
        (f"a\tb\nc\t{'d' * 201}", "tsv", "line 2: a term or its translation has more than 200 characters"),
        (f"{'a' * 201},b", "csv", "line 1: a term or its translation has more than 200 characters"),
    ],
)
def test_what_is_wrong_with_entries_is_said_with_its_line(text: str, form: str, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        read_terms(text, form)
