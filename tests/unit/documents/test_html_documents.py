"""HTML: sentences with their inline elements, attributes that people read, and the rest byte for byte."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from translators import Noting, backwards, same, turned

from onmal.documents import translate_document, translate_html, translate_xml
from onmal.documents.dialects import HTML, XML, Dialect
from onmal.documents.html_tokens import tokens

PAGE = """\
<!DOCTYPE html>
<html lang="en" class=no-js>
<head>
<meta charset="utf-8"><title>Tea &amp; coffee</title>
<meta name="description" content='A "small" shop'>
<meta name="viewport" content="width=device-width">
<style>p { color: red }</style>
<script>if (a < b) document.write("<p>no</p>");</script>
</head>
<body>
<!-- a comment -->
<h1>Our <em>best</em> tea</h1>
<p class="x">Read <a href="/a?b=1&c=2" title="All about it">the
   whole <b>story</b></a> and run <code>make tea</code>&nbsp;now.
<p>First line.<br>Second line goes<br/>on &lt;here&gt;.</p>
<ul><li>One<li>Two <img src="cat.png" alt="A cat"></ul>
<pre>as   it is</pre>
<p translate="no">Onmal</p>
<div class="big notranslate">Kept <b>too</b></div>
<input type="submit" value="Send"><input type="text" value="kept" placeholder=Name>
<button aria-label="Close it">X</button>
</body>
</html>
"""


def test_what_is_handed_over() -> None:
    noting = Noting()
    translate_html(PAGE, noting)
    assert noting.asked == [
        "Tea & coffee",
        'A "small" shop',
        "Our <x1>best</x1> tea",
        "All about it",
        "Read <x1>the whole <x2>story</x2></x1> and run {x3}\u00a0now.",
        "First line.",
        "Second line goes <x1/> on <here>.",
        "One",
        "Two",
        "A cat",
        "Send",
        "Name",
        "Close it",
        "X",
    ]


def test_a_page_in_another_language() -> None:
    page = translate_document(PAGE.encode(), "page.html", turned, to="ko").content.decode()
    expected = PAGE
    for old, new in [
        ('lang="en"', 'lang="ko"'),
        ("Tea &amp; coffee", "tEA &amp; COFFEE"),
        ("'A \"small\" shop'", "'a \"SMALL\" SHOP'"),
        ("Our <em>best</em> tea", "oUR <em>BEST</em> TEA"),
        ("All about it", "aLL ABOUT IT"),
        ("Read <a", "rEAD <a"),
        (
            "the\n   whole <b>story</b></a> and run <code>make tea</code>&nbsp;now.",
            "THE WHOLE <b>STORY</b></a> AND RUN <code>make tea</code>\u00a0NOW.",
        ),
        ("First line.", "fIRST LINE."),
        ("Second line goes<br/>on &lt;here&gt;.", "sECOND LINE GOES<br/>ON &lt;here&gt;."),
        ("<li>One<li>Two <", "<li>oNE<li>tWO <"),
        ("A cat", "a CAT"),
        ("Send", "sEND"),
        ("placeholder=Name", 'placeholder="nAME"'),
        ("Close it", "cLOSE IT"),
        (">X<", ">x<"),
    ]:
        assert old in expected
        expected = expected.replace(old, new)
    assert page == expected


def test_a_sentence_is_never_cut_at_an_inline_element() -> None:
    page = '<p>나는 <b>어제</b> 산 <a href="x">책을</a> 읽었다.</p>'
    assert translate_html(page, backwards) == '<p>읽었다. <a href="x">책을</a> 산 <b>어제</b> 나는</p>'


@pytest.mark.parametrize(
    ("page", "asked"),
    [
        ("<p>a<p>b", ["a", "b"]),
        ("<b>a<i>b</b>c</i>", ["<x1>a<x2/>b</x1>c"]),
        ("a <b c", ["a"]),
        ("a < b and c > d", ["a < b and c > d"]),
        ("a <!-- b", ["a"]),
        ("a</ b>c</>d", ["a<x1/>c<x2/>d"]),
        ("<p title='a>b'>c", ["a>b", "c"]),
        ("<p title=a title>c", ["a", "c"]),
        ("<script>a<p>b", []),
        ("<script>a</SCRIPT >b", ["b"]),
        ("<textarea>a</textarea>b", ["b"]),
        ("<code>a", ["a"]),
        ("<![CDATA[ a > b ]]>c", ["c"]),
        ("<p translate=no>a<p>b", ["b"]),
        ("<html translate=no><body><p>a<p>b", []),
        ("<span translate=no>a<span>b</span></span> c", ["{x1} c"]),
        ("<svg><text>a</text></svg>b <script>c</script>d", ["b <x1/>d"]),
        ("a<br><br>b<br>c", ["a", "b <x1/> c"]),
        ("<x id=1></x>a", ["a"]),
        ("a <x id='1'/> b", ["a <x1/> b"]),
        ("<select><option>a<option>b</select>c", ["a", "b", "c"]),
        ("<div>a<div>b</div>c</div>", ["a", "b", "c"]),
        ("<a href='x'><div>a</div></a>", ["a"]),
    ],
)
def test_broken_and_odd_pages(page: str, asked: list[str]) -> None:
    noting = Noting(same)
    assert translate_html(page, noting) == page
    assert noting.asked == asked


def test_elements_to_ignore() -> None:
    noting = Noting()
    page = "<keep>One</keep> two <m>three</m>"
    assert translate_html(page, noting, ignored={"keep"}) == "<keep>One</keep> TWO <m>THREE</m>"
    assert noting.asked == ["{x1} two <x2>three</x2>"]
    assert translate_html("<KEEP>One</KEEP> two", turned, ignored={"Keep"}) == "<KEEP>One</KEEP> TWO"


@pytest.mark.parametrize(
    ("text", "ignored", "asked"),
    [
        ("one <Keep>two</Keep>", ["Keep"], ["one {x1}"]),
        ("one <Keep>two</Keep>", ["keep"], ["one <x1>two</x1>"]),
        ("one <a>two <A>three</A></a>", ["A"], ["one <x1>two {x2}</x1>"]),
        ("<source>one</source> two", ["source"], ["two"]),
        ("one <keep>two <keep/> three</keep>", ["keep"], ["one {x1}"]),
        ("<p>one<table>two</table>three</p> four", ["p"], ["four"]),
        ("<link>one</link><style>two <b>2</b></style>", [], ["one", "two <x1>2</x1>"]),
        ("run <code>one</code> <title/>", [], ["run <x1>one</x1>"]),
        ("one <br/> two <br>three</br> four", [], ["one <x1/> two <x2>three</x2> four"]),
        ("<note title='a' alt='b'>one</note>", [], ["one"]),
        ("one <항목>two</항목> <_x>three</_x> 3 < 4", [], ["one <x1>two</x1> <x2>three</x2> 3 < 4"]),
        ("<항목>one</항목> two", ["항목"], ["{x1} two"]),
        ("one <x translate='no'>two</x>", [], ["one {x1}"]),
        ("one <![CDATA[two]]><!-- three -->", [], ["one"]),
    ],
)
def test_in_xml_the_names_of_html_mean_nothing(text: str, ignored: list[str], asked: list[str]) -> None:
    noting = Noting(same)
    assert translate_xml(text, noting, ignored=ignored) == text
    assert noting.asked == asked


def test_values_are_escaped_for_their_quotes() -> None:
    page = """<img alt="a" title='b' aria-label=c>"""
    answers = {"a": 'say "a" & <b>', "b": "it's", "c": 'c "d"'}
    assert translate_html(page, lambda texts: [answers[text] for text in texts]) == (
        """<img alt="say &#34;a&#34; &amp; &lt;b&gt;" title='it&#39;s' aria-label="c &#34;d&#34;">"""
    )


@pytest.mark.parametrize(
    ("page", "encoding"),
    [
        ("<meta charset=euc-kr><p>똠방각하 펩시</p>", "cp949"),
        ('<META http-equiv="Content-Type" content="text/html; charset=Shift_JIS"><p>猫</p>', "cp932"),
        ("<meta charset='iso-8859-1'><p>“caf\u00e9”</p>", "cp1252"),
        ("<?xml version='1.0' encoding='utf-8'?><p>고양이</p>", "utf-8"),
        ("\ufeff<p>고양이</p>", "utf-16-le"),
        ("\ufeff<p>고양이</p>", "utf-16-be"),
        ("\ufeff<meta charset=euc-kr><p>고양이</p>", "utf-8"),
        ("<p>고양이</p>", "utf-8"),
    ],
)
def test_the_encoding_stays(page: str, encoding: str) -> None:
    content = page.encode(encoding)
    assert translate_document(content, ".html", same).content == content
    translated = translate_document(content, ".htm", lambda texts: ["늑대 🐺" for _ in texts]).content
    as_text = translated.decode(encoding)
    assert as_text in (
        re.sub("<p>.*</p>", "<p>늑대 🐺</p>", page),
        re.sub("<p>.*</p>", "<p>늑대 &#128058;</p>", page),
        re.sub("<p>.*</p>", "<p>&#45713;&#45824; &#128058;</p>", page),
    )


PARTS = [*"<>/=\"'!-&; \n", "a", "B", "가", "<b>", "</b>", "<p>", "<br>", "<!--", "-->", "<script>", "</script>", "<a title=",
         "<pre>", "</pre>", "<img alt='x'>", "&amp;", "&#39;", "<![CDATA[", "]]>", "<p translate=no>", "<?", "<code>", "</code>", "<br/>", "<가>", "</가>"]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS)).map("".join), st.sampled_from([HTML, XML]))
def test_any_page_comes_back_as_it_was(page: str, dialect: Dialect) -> None:
    assert (translate_html if dialect is HTML else translate_xml)(page, same) == page
    cuts = [(token.start, token.end) for token in tokens(page, dialect)]
    assert [start for start, _ in cuts] == [0, *(end for _, end in cuts)][: len(cuts)]
    assert "".join(page[start:end] for start, end in cuts) == page


WORDS = st.lists(st.sampled_from(["one", "둘", "Three", "&lt;", "&amp;"]), min_size=1, max_size=3).map(
    " ".join
)
INLINE = st.recursive(
    WORDS,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["b", "i", "a"]), inner).map(lambda of: f"<{of[0]}>{of[1]}</{of[0]}>"),
        st.lists(inner, min_size=1, max_size=3).map(" ".join),
        st.sampled_from(["<img src=x>", "<code>x</code>", "<!-- x -->"]),
    ),
    max_leaves=6,
)


@given(st.lists(INLINE, max_size=4).map(lambda some: "".join(f"<p>{each}</p>" for each in some)))
def test_turned_twice_a_page_is_what_it_was_and_backwards_it_has_the_same_tags(page: str) -> None:
    assert translate_html(translate_html(page, turned), turned) == page
    moved = translate_html(page, backwards)
    tags = re.compile(r"<[^>]*>|&\w+;")
    assert sorted(tags.findall(moved)) == sorted(tags.findall(page))


@pytest.mark.parametrize(
    "part",
    ["<b>", "<p>", "<a b=", "<code>", "<!--", "</b>", "<a translate=no>", "<![CDATA[", "<br>", "&", "<a b='", " ", "<i>a"],
)  # fmt: skip
def test_a_long_page_takes_no_time(part: str) -> None:
    """It takes linear time: a test that took quadratic time would not end."""
    page = part * (30_000 // len(part)) + "end"
    assert translate_html(page, same) == page
