"""Translation memories: units come out with their lines, and XML that is broken or meant to do harm is refused."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator
from typing import BinaryIO, cast
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onmal.data.pair import Pair
from onmal.errors import DataError
from onmal.formats.lines import LONGEST_LINE
from onmal.formats.tmx import read_tmx

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<tmx version="1.4"><header srclang="en"/><body>\n'
TAIL = "</body></tmx>\n"
# What XML 1.0 can hold, without the line ends and spaces that it may change.
TEXT = st.text(
    st.characters(min_codepoint=0x20, exclude_categories=["Cs"], exclude_characters="\ufffe\uffff")
)


def unit(**variants: str) -> str:
    texts = (f'<tuv xml:lang="{language}"><seg>{seg}</seg></tuv>' for language, seg in variants.items())
    return f"<tu>{''.join(texts)}</tu>\n"


def read(text: str | bytes, source: str = "ko", target: str = "en") -> list[Pair]:
    content = text.encode() if isinstance(text, str) else text
    return list(read_tmx(io.BytesIO(content), "a.tmx", source, target))


def fault(text: str | bytes) -> DataError:
    with pytest.raises(DataError) as caught:
        read(text)
    assert caught.value.path == "a.tmx"
    assert caught.value.remedy
    return caught.value


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1))
def test_any_text_comes_back(texts: list[tuple[str, str]]) -> None:
    units = "".join(unit(ko=escape(korean), en=escape(english)) for korean, english in texts)
    assert [(pair.source, pair.target) for pair in read(HEAD + units + TAIL)] == texts


def test_units_know_their_lines_and_can_be_read_either_way() -> None:
    text = HEAD + unit(ko="하나", en="one") + "\n" + unit(en="two", ko="둘") + TAIL
    assert read(text) == [Pair("하나", "one", "", 3), Pair("둘", "two", "", 5)]
    assert read(text, "en", "ko") == [Pair("one", "하나", "", 3), Pair("two", "둘", "", 5)]


def test_languages_match_exactly_or_by_primary_subtag() -> None:
    units = unit(**{"EN-us": "color", "en-GB": "colour", "ko-KR": "색"})
    assert read(HEAD + units + TAIL, "ko", "en")[0].target == "color"
    assert read(HEAD + units + TAIL, "ko", "en-gb")[0].target == "colour"


def test_the_text_of_inline_tags_is_kept() -> None:
    seg = '<bpt i="1">&lt;b&gt;</bpt>굵<hi>은</hi><ept i="1">&lt;/b&gt;</ept> 글 &amp; <ph x="1"/>끝'
    assert read(HEAD + unit(ko=seg, en="bold &amp; end") + TAIL) == [
        Pair("<b>굵은</b> 글 & 끝", "bold & end", "", 3)
    ]


def test_units_without_both_languages_are_passed_over_but_not_all_of_them() -> None:
    assert len(read(HEAD + unit(ko="가", fr="a") + unit(ko="나", en="b") + TAIL)) == 1
    error = fault(HEAD + unit(ko="가", fr="a") + unit(de="x", fr="y") + TAIL)
    assert "no unit has both ko and en (languages in the file: ko, fr, de)" in error.what


@pytest.mark.parametrize("encoding", ["UTF-16", "ISO-8859-1"])
def test_the_encoding_that_the_file_names_is_used(encoding: str) -> None:
    text = (HEAD.replace("UTF-8", encoding) + unit(de="für", en="for") + TAIL).encode(encoding)
    assert read(text, "de", "en") == [Pair("für", "for", "", 3)]


def test_the_usual_document_type_is_accepted_and_not_loaded() -> None:
    doctype = '<!DOCTYPE tmx SYSTEM "http://192.0.2.1/tmx14.dtd">\n<tmx'
    assert len(read((HEAD + unit(ko="가", en="a") + TAIL).replace("<tmx", doctype))) == 1


def test_billion_laughs_are_refused_before_the_first_one() -> None:
    laughs = ['<!ENTITY a0 "ha">'] + [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)]
    doctype = f"<!DOCTYPE tmx [\n{''.join(laughs)}]>\n<tmx"
    error = fault((HEAD + unit(ko="&a9;", en="a") + TAIL).replace("<tmx", doctype))
    assert "declares entities" in error.what


def test_files_outside_are_never_read() -> None:
    doctype = '<!DOCTYPE tmx [<!ENTITY secret SYSTEM "file:///etc/hostname">]>\n<tmx'
    assert (
        "declares entities"
        in fault((HEAD + unit(ko="&secret;", en="a") + TAIL).replace("<tmx", doctype)).what
    )


def test_an_entity_that_only_the_unread_document_type_knows_is_not_dropped_silently() -> None:
    doctype = '<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx'
    text = (HEAD + unit(ko="가&nbsp;나", en="a b") + TAIL).replace("<tmx", doctype)
    assert "&nbsp;" in fault(text).what


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (HEAD + "<tu><tuv xml:lang='ko'></tu>" + TAIL, 3, "mismatched tag"),
        (HEAD + unit(ko="가", en="a"), 4, "not well-formed"),
        (HEAD + unit(ko="가 & 나", en="a"), 3, "not well-formed"),
        ("", 1, "not well-formed"),
        ("plain text\n", 1, "not well-formed"),
        (HEAD.encode() + b"<tu>\xff</tu>", 3, "not well-formed"),
        ("<html><body/></html>", 1, "begins with <html>"),
        (HEAD + "<tu>\n<tuv><seg>가</seg></tuv></tu>" + TAIL, 4, "does not say its language"),
        ('<?xml version="1.0" encoding="EUC-KR"?><tmx/>', None, "encoding"),
        ('<?xml version="1.0" encoding="no-such"?><tmx/>', None, "encoding"),
    ],
)
def test_what_is_broken_is_named_with_its_line(text: str | bytes, line: int | None, what: str) -> None:
    error = fault(text)
    assert what in error.what
    assert error.line == line


class Endless:
    """A file that goes on for ever; it counts what was asked of it."""

    def __init__(self, head: str, piece: str) -> None:
        self.given = 0
        self._pieces = self._all(head.encode(), (piece * (1 + (1 << 16) // len(piece))).encode())

    def _all(self, head: bytes, piece: bytes) -> Iterator[bytes]:
        yield head
        while True:
            yield piece

    def read(self, size: int) -> bytes:
        piece = next(self._pieces)
        self.given += len(piece)
        return piece


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (HEAD + '<tu><tuv xml:lang="ko"><seg>', "끝없는 글 "),
        (HEAD + '<tu><tuv xml:lang="ko"><seg>', "<hi>a</hi>"),
        (HEAD + "<tu>", '<tuv xml:lang="ko"><seg>a</seg></tuv>'),
        (HEAD + '<tu><tuv xml:lang="', "ko"),
        (HEAD + "<!-- ", "comment "),
        (HEAD, "<tu>"),
        ("<!DOCTYPE tmx [", "<!-- -->"),
        ("<!DOCTYPE tmx [", "<!ATTLIST tu x CDATA 'x'>"),
    ],
)
def test_endless_files_are_refused_while_little_of_them_is_read(head: str, piece: str) -> None:
    stream = Endless(head, piece)
    tracemalloc.start()
    try:
        with pytest.raises(DataError):
            list(read_tmx(cast(BinaryIO, stream), "a.tmx", "ko", "en"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert stream.given < 2 * LONGEST_LINE
    assert peak < 16 * LONGEST_LINE


def test_a_large_memory_is_read_in_little_memory() -> None:
    class Generated:
        rest = 100

        def read(self, size: int) -> bytes:
            self.rest -= 1
            if self.rest == 99:
                return HEAD.encode()
            return (
                unit(ko="가나다라", en="a b c d").encode() * 100
                if self.rest > 0
                else TAIL.encode() * (self.rest == 0)
            )

    tracemalloc.start()
    try:
        pairs = sum(1 for _ in read_tmx(cast(BinaryIO, Generated()), "a.tmx", "ko", "en"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert pairs == 98 * 100
    assert peak < 1_000_000
