"""documents: one function for all formats, by suffix; what is none of them is refused in one line."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from translators import same, turned

from onmal import documents
from onmal.documents import SUFFIXES, translate_document
from onmal.errors import DataError, LanguageError

SAMPLES = {
    ".txt": "One\r\n\r\n  둘 \n",
    ".srt": "1\n00:00:01,000 --> 00:00:02,000\nOne\n",
    ".vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\nOne\n",
    ".html": "<p>One",
    ".htm": "<p>One",
    ".md": "# One\n",
    ".markdown": "# One\n",
    ".po": 'msgid "One"\nmsgstr ""\n',
}


@pytest.mark.parametrize("suffix", SAMPLES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_each_suffix_in_each_encoding(suffix: str, encoding: str) -> None:
    content = SAMPLES[suffix].encode(encoding)
    assert translate_document(content, f"a/b{suffix.upper()}", same).content == content
    assert "oNE" in translate_document(content, suffix, turned).content.decode(encoding)


def test_every_suffix_has_a_sample() -> None:
    assert {*SAMPLES, ".docx"} == set(SUFFIXES)


def test_plain_text_keeps_its_lines_and_their_ends() -> None:
    text = "\ufeffOne two\r\n\r\n\t둘 three \r\rfour\n"
    translated = translate_document(text.encode(), "a.txt", turned).content.decode()
    assert translated == "\ufeffoNE TWO\r\n\r\n\t둘 THREE \r\rFOUR\n"


@pytest.mark.parametrize(
    ("content", "name", "what"),
    [
        (b"a", "a.pdf", "'.pdf' is no document"),
        (b"a", "README", "'readme' is no document"),
        (b"a\n\xff", "a.txt", "line 2: the text is not UTF-8"),
        ("가".encode("cp949"), "a.md", "line 1: the text is not UTF-8"),
        (b"<meta charset=utf-8>\xff", "a.html", "line 1: the text is not UTF-8"),
        (b"<meta charset=idna>a", "a.html", "its encoding is 'idna'"),
        (b"<meta charset=hex>a", "a.html", "its encoding is 'hex'"),
        (b"\xff\xfea", "a.txt", "UTF-16"),
        (b"<?xml version='1.0' encoding='nonsense'?>", "a.html", "'nonsense'"),
        (b"a" * (documents.LARGEST_TEXT + 1), "a.md", "more than 8,388,608 bytes"),
    ],
)
def test_what_is_refused(content: bytes, name: str, what: str) -> None:
    with pytest.raises(DataError, match=what) as caught:
        translate_document(content, name, lambda texts: pytest.fail("asked"))
    assert "\n" not in str(caught.value)


def test_a_language_that_nobody_knows_is_refused() -> None:
    with pytest.raises(LanguageError):
        translate_document(b'<html lang="en"><p>One', ".html", same, to='x" onload="alert(1)')


@given(st.binary(max_size=60), st.sampled_from(SUFFIXES))
def test_any_bytes_come_back_or_are_refused(content: bytes, suffix: str) -> None:
    for whole in (content, b"WEBVTT\n" + content, b"<meta charset=gb18030>" + content):
        with suppress(DataError):
            assert translate_document(whole, suffix, same).content == whole


def test_nothing_is_loaded_before_it_is_needed() -> None:
    program = (
        "import sys, onmal.documents; found = {'torch', 'markdown_it', 'lxml', 'zipfile'} & set(sys.modules);"
        "sys.exit(f'loaded: {found}' if found else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
