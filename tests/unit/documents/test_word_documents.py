"""Word: paragraphs are translated whole, their formatting, links and fields kept; attacks are refused in one line."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from translators import Noting, backwards, same, turned
from word_document import MAIN, document, package, part, read

from onmal.documents import packages, translate_document
from onmal.errors import DataError


def run(text: str, look: str = "") -> str:
    return f'<w:r>{look and f"<w:rPr>{look}</w:rPr>"}<w:t xml:space="preserve">{text}</w:t></w:r>'


def field(instruction: str, result: str) -> str:
    begin, separate, end = (
        f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end")
    )
    return f"{begin}<w:r><w:instrText> {instruction} </w:instrText></w:r>{separate}{result}{end}"


def link(*runs: str) -> str:
    return f'<w:hyperlink r:id="r1">{"".join(runs)}</w:hyperlink>'


def paragraph(*content: str) -> str:
    return f'<w:p w:rsidR="1"><w:pPr><w:jc w:val="left"/></w:pPr>{"".join(content)}</w:p>'


def translated(body: str, translate: object = turned) -> str:
    return read(translate_document(document(body), "a.docx", translate).content)  # type: ignore[arg-type]


BOLD, LINK = "<w:b/>", '<w:rStyle w:val="Link"/>'
NOTE = '<w:r><w:footnoteReference w:id="1"/></w:r>'
TAB, BREAK = "<w:r><w:tab/></w:r>", "<w:r><w:br/></w:r>"
BOX = "<w:r><mc:AlternateContent><mc:Choice><w:txbxContent>{0}</w:txbxContent></mc:Choice><mc:Fallback>{0}</mc:Fallback></mc:AlternateContent></w:r>"


@pytest.mark.parametrize(
    ("content", "asked"),
    [
        ([run("Hello "), run("dear"), run(" world", '<w:lang w:val="en"/>')], ["Hello dear world"]),
        ([run("학교", '<w:rFonts w:hint="eastAsia"/>'), run("에 "), run("가", "<w:noProof/>")], ["학교에 가"]),
        ([run("a long one "), run("bold ", BOLD), run("one")], ["a long one <x1>bold</x1> one"]),
        ([run("all bold", BOLD)], ["all bold"]),
        ([run("see "), link(run("the", LINK), run("se", LINK)), run(".")], ["see <x1>these</x1>."]),
        ([run("see "), link(run("one longer", LINK), run(" b", BOLD)), run(".")], ["see <x1>one longer <x2>b</x2></x1>."]),
        ([run("end."), NOTE], ["end."]),
        ([run("so"), NOTE, run(" on")], ["so<x1/> on"]),
        ([run("Name:"), TAB, run("Kim")], ["Name:", "Kim"]),
        ([run("One."), BREAK, run("Two goes"), BREAK, run("on")], ["One.", "Two goes <x1/> on"]),
        ([run("page "), field("PAGE", run("12")), run(" of it")], ["page {x1} of it"]),
        ([run("see what is "), field('HYPERLINK "x"', run("there", LINK))], ["see what is <x1>there</x1>"]),
        ([link(run("Intro"), TAB, field("PAGEREF a", run("3")))], ["Intro"]),
        (["<w:proofErr/>", run("a"), "<w:proofErr/>", run("b")], ["ab"]),
        (["<w:bookmarkStart/>", run("a"), "<w:bookmarkEnd/>", run("b")], ["a<x1/>b"]),
        (["<w:del><w:r><w:delText>gone</w:delText></w:r></w:del>", "<w:ins>", run("new"), "</w:ins>", run(" a")], ["<x1>new</x1> a"]),
        (["<w:sdt><w:sdtPr/><w:sdtContent>", run("a"), "</w:sdtContent></w:sdt>", run(" b")], ["<x1>a</x1> b"]),
        ([run("x is "), "<m:oMath><m:t>y</m:t></m:oMath>", run(" here")], ["x is {x1} here"]),
        (["<w:fldSimple w:instr='DATE'>", run("today"), "</w:fldSimple>", run(" it is")], ["{x1} it is"]),
        (["<w:r><w:t>co</w:t><w:noBreakHyphen/><w:t>op</w:t></w:r>"], ["co‑op"]),
        ([run("AT&amp;T &lt;b&gt;")], ["AT&T <b>"]),
        ([BOX.format(paragraph(run("in"))), run("out")], ["in", "out"]),
        ([run("out "), BOX.format(paragraph(run("in"))), run("side")], ["in", "out <x1/>side"]),
        ([run("12.5")], []),
    ],
)  # fmt: skip
def test_what_is_handed_over(content: list[str], asked: list[str]) -> None:
    noting = Noting(same)
    body = paragraph(*content)
    whole = document(body)
    assert translate_document(whole, "a.docx", noting).content == whole
    assert noting.asked == asked
    assert translated(translated(body), turned).count("<w:t ") <= body.count("<w:t")


@pytest.mark.parametrize(
    ("content", "answers", "expected"),
    [
        (
            [run("I like "), run("red apples", BOLD), run(" and "), link(run("tea", LINK)), run("."), NOTE],
            ["<x2>차</x2>와 <x1>빨간 사과</x1>를 좋아해."],
            [link(run("차", LINK)), run("와 "), run("빨간 사과", BOLD), run("를 좋아해."), NOTE],
        ),
        (
            ["<w:r><w:rPr><w:i/></w:rPr><w:t>Name</w:t><w:tab/><w:t>and so</w:t></w:r>"],
            ["Name", "그리고"],
            ["<w:r><w:rPr><w:i/></w:rPr><w:t>Name</w:t><w:tab/></w:r>", run("그리고", "<w:i/>")],
        ),
        (
            [run("page "), field("PAGE", run("12", BOLD)), run(" of it")],
            ["그 {x1} 쪽"],
            [run("그 "), field("PAGE", run("12", BOLD)), run(" 쪽")],
        ),
        (
            [run("see what is "), field("HYPERLINK", run("there", LINK)), run(" now")],
            ["<x1>거기</x1>를 봐"],
            [field("HYPERLINK", run("거기", LINK)), run("를 봐")],
        ),
        (
            [run("out "), BOX.format(paragraph(run("in"))), run("side")],
            ["안", "밖 <x1/>쪽"],
            [run("밖 "), BOX.format(paragraph(run("안"))), run("쪽")],
        ),
        ([run("so"), BREAK, run("on")], ["계속 <x1/> 가"], [run("계속"), BREAK, run("가")]),
    ],
)  # fmt: skip
def test_runs_go_where_their_words_go(content: list[str], answers: list[str], expected: list[str]) -> None:
    assert translated(paragraph(*content), lambda texts: answers) == paragraph(*expected)


def test_headers_notes_and_comments_are_translated_and_all_else_stays() -> None:
    others = {
        "header1": paragraph(run("head")),
        "footnotes": f"<w:footnote>{paragraph('<w:r><w:footnoteRef/></w:r>', run(' note'))}</w:footnote>",
        "comments": f"<w:comment>{paragraph(run('comment'))}</w:comment>",
    }
    table = f"<w:tbl><w:tr><w:tc>{paragraph(run('cell'))}</w:tc></w:tr></w:tbl>"
    before = document(paragraph(run("one")) + table, **others)
    result = translate_document(before, "A.DOCX", turned)
    assert read(result.content) == (paragraph(run("one")) + table).replace("one", "ONE").replace(
        "cell", "CELL"
    )
    for name, word in (("header1", "head"), ("footnotes", " note"), ("comments", "comment")):
        assert read(result.content, name) == others[name].replace(f">{word}<", f">{word.upper()}<")
    with zipfile.ZipFile(io.BytesIO(before)) as old, zipfile.ZipFile(io.BytesIO(result.content)) as new:
        assert old.namelist() == new.namelist()
        for name in ("[Content_Types].xml", "_rels/.rels", "word/media/image1.png"):
            assert old.read(name) == new.read(name)
        assert [(each.date_time, each.compress_type) for each in old.infolist()] == [
            (each.date_time, each.compress_type) for each in new.infolist()
        ]


def test_places_are_paragraphs() -> None:
    body = paragraph(run("one")) + paragraph() + paragraph(run("two"))
    whole = document(body, header1=paragraph(run("head")))
    result = translate_document(whole, ".docx", lambda texts: ["" for _ in texts])
    assert [place for place, _ in result.warnings] == [
        "paragraph 1",
        "paragraph 3",
        "header1.xml, paragraph 1",
    ]
    assert result.content == whole


def test_another_prefix_and_the_strict_name_space() -> None:
    for space in (MAIN, "http://purl.oclc.org/ooxml/wordprocessingml/main"):
        text = (
            part(paragraph(run("one")))
            .decode()
            .replace("w:", "wp:")
            .replace("xmlns:w=", "xmlns:wp=")
            .replace(MAIN, space)
        )
        names = document("")
        with zipfile.ZipFile(io.BytesIO(names)) as archive:
            types = archive.read("[Content_Types].xml")
        whole = package({"[Content_Types].xml": types, "word/document.xml": text.encode()})
        with zipfile.ZipFile(io.BytesIO(translate_document(whole, ".docx", turned).content)) as archive:
            assert archive.read("word/document.xml").decode() == text.replace(">one<", ">ONE<")


def test_letters_that_xml_cannot_have_are_not_written() -> None:
    body = paragraph(run("one"))
    assert translated(body, lambda texts: ["a\x00b\x1f<&\ud800"]) == body.replace(
        "one", "a\ufffdb\ufffd&lt;&amp;\ufffd"
    )


WORDS = st.sampled_from(["one", " two", "셋 ", "four.", " ", "&amp;", "7"])
RUN = st.builds(run, WORDS, st.sampled_from(["", "", BOLD, "<w:i/>", '<w:lang w:val="ko"/>']))
CONTENT = st.one_of(
    RUN,
    st.lists(RUN, max_size=3).map(lambda runs: link(*runs)),
    st.sampled_from(
        [NOTE, TAB, BREAK, field("PAGE", run("1")), "<w:bookmarkStart/>", "<w:proofErr/>", "<w:ins/>"]
    ),
    st.sampled_from([BOX.format(paragraph(run("in side"))), '<w:r><w:fldChar w:fldCharType="end"/></w:r>']),
    st.sampled_from(["<w:r/>", "<w:r><w:t/></w:r>", "<w:r><w:t>a b</w:t><w:tab/><w:t>c</w:t><w:br/></w:r>"]),
)


@given(st.lists(st.lists(CONTENT, max_size=6).map(lambda some: paragraph(*some)), max_size=3).map("".join))
def test_any_document_keeps_its_words_and_what_is_no_text(body: str) -> None:
    whole = document(body)
    assert translate_document(whole, "a.docx", same).content == whole
    for translate in (turned, backwards):
        moved = translated(body, translate)
        trees = [ElementTree.fromstring(part(each)) for each in (body, moved)]
        kept = (
            "hyperlink",
            "tab",
            "br",
            "footnoteReference",
            "fldChar",
            "bookmarkStart",
            "txbxContent",
            "instrText",
        )
        counts = [[len(list(tree.iter(f"{{{MAIN}}}{name}"))) for name in kept] for tree in trees]
        assert counts[0] == counts[1]
        said = [sorted("".join(tree.itertext()).replace(" ", "").lower()) for tree in trees]
        assert said[0] == said[1]


TYPES = zipfile.ZipFile(io.BytesIO(document(""))).read("[Content_Types].xml")
LAUGHS = '<!DOCTYPE w [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
) + "]>"  # fmt: skip
OUTSIDE = '<!DOCTYPE w [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def with_main(content: bytes) -> bytes:
    return package({"[Content_Types].xml": TYPES, "word/document.xml": content})


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "broken"),
        (b"no package", "broken"),
        (document(paragraph(run("a")))[:-40], "broken"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(100), "encrypted"),
        (package({"word/document.xml": part("")}), "no document of Word"),
        (package({"[Content_Types].xml": TYPES}), "no text of Word"),
        (package({"[Content_Types].xml": b"<Types"}), "broken XML"),
        (with_main(part("")[:-9]), "broken XML"),
        (with_main(part("").decode().replace("<w:document", f"{LAUGHS}<w:document").encode()), "document type"),
        (with_main(part("").decode().replace("<w:document", f"{OUTSIDE}<w:document").encode()), "document type"),
        (with_main(b'<?xml version="1.0" encoding="utf-16"?><a>\xff</a>'), "UTF-8"),
        (with_main(part("").replace(b"UTF-8", b"iso-8859-1")), "UTF-8"),
        (with_main(part("<w:p>" * 300 + "</w:p>" * 300)), "nested"),
        (with_main(part("<w:p/>" + " " * 2_000_000)), "unpacks"),
        (package({"[Content_Types].xml": TYPES, "word/document.xml": part(""), "../../etc/passwd": b"x"}), "package"),
        (package({"[Content_Types].xml": TYPES, "word/document.xml": part(""), "C:/x": b"x"}), "package"),
        (package({f"{n}": b"" for n in range(packages.MOST_PARTS + 1)}), "unpacks"),
    ],
)  # fmt: skip
def test_what_is_no_sound_document_is_refused(content: bytes, what: str) -> None:
    with pytest.raises(DataError, match=what) as caught:
        translate_document(content, "a.docx", lambda texts: pytest.fail("asked"))
    assert "\n" not in str(caught.value)


TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.header+xml"


@pytest.mark.parametrize(
    ("number", "content"),
    [(5, "<w:p><w:r/></w:p>" * 40_000), (600, ""), (36, "<w:p>" + " ab" * 330_000 + "</w:p>")],
)
def test_many_parts_are_not_more_than_one_may_be(number: int, content: str) -> None:
    """Each of these headers alone is no larger than a part may be."""
    kinds = "".join(
        f'<Override PartName="/word/h{n}.xml" ContentType="{TYPE}"/>' for n in range(number)
    ).encode()
    headers = {f"word/h{n}.xml": part(content, "hdr") for n in range(number)}
    types = TYPES.replace(b"</Types>", kinds + b"</Types>")
    whole = package({"[Content_Types].xml": types, "word/document.xml": part(""), **headers})
    with pytest.raises(DataError, match="the document is too large"):
        translate_document(whole, "a.docx", lambda texts: pytest.fail("asked"))


def test_sizes_that_a_package_only_claims_are_refused() -> None:
    """The central directory may say anything of a part; what is read is no more than it says, and checked."""
    whole = document(paragraph(run("a" * 1000)))
    name = whole.rindex(b"word/document.xml")
    header = whole.rindex(b"PK\x01\x02", 0, name)
    claimed = whole[: header + 24] + struct.pack("<L", 10) + whole[header + 28 :]
    with pytest.raises(DataError, match="broken"):
        translate_document(claimed, ".docx", same)


def test_an_encrypted_part_is_refused() -> None:
    whole = document(paragraph(run("a")))
    flagged = re.sub(
        rb"PK\x01\x02....\x00\x00", lambda found: found[0][:-2] + b"\x01\x00", whole, flags=re.DOTALL
    )
    with pytest.raises(DataError, match="encrypted"):
        translate_document(flagged, ".docx", same)


def test_two_parts_of_one_name_are_refused() -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("a", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", "2")
    with pytest.raises(DataError, match="package"):
        translate_document(written.getvalue(), ".docx", same)


@pytest.mark.parametrize(
    "content",
    [
        "<w:r>" + "<w:t>a b</w:t><w:tab/>" * 2_000 + "</w:r>",
        "<w:r><w:t>a</w:t></w:r>" + "<w:r><w:br/></w:r><w:bookmarkStart/>" * 2_000,
        "<w:r><w:fldChar w:fldCharType='begin'/></w:r>" * 1_000
        + "<w:hyperlink><w:r><w:t>a b</w:t></w:r>"
        + "<w:r><w:fldChar w:fldCharType='end'/></w:r>" * 1_000
        + "</w:hyperlink>",
        "".join(run("a b", BOLD * (n % 2)) for n in range(2_000)),
        "<w:r><w:t>" + "a\n" * 2_000 + "</w:t></w:r>",
    ],
)
def test_a_long_paragraph_takes_no_time(content: str) -> None:
    whole = document(paragraph(content))
    assert translate_document(whole, ".docx", same).content == whole
    assert translate_document(whole, ".docx", turned).content != whole
