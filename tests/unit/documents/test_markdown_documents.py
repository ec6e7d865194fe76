"""Markdown: what is said is translated, how it is marked up stays, and what is written is read as it is meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from translators import Noting, backwards, same, turned

from onmal.documents import translate_document

PAGE = """\
---
title: kept
---
# The *first* one #

> A paragraph of two
> lines with `code` and **bold
> text**. See [the docs](http://x.y "t").

1. item [one][ref] ![a cat](cat.png)
   goes on.
2. [ ] a _task_ with 5 \\* 3 &amp; more

   ```py
   code = "kept"
   ```

| Name | What \\| how |
|:-----|---|
| a `q` | yes *it* is |
|      | empty |

Setext
======

Line one.  
Line two goes\\
on <b>here</b> <http://a.b> <kbd>Ctrl</kbd>.

<div align="center"><b>HTML</b> block <code>kept</code></div>

    indented code

> [!NOTE]
> An alert[^1].

[ref]: http://z "title"
[^1]: A footnote, in the end.
"""


def translated(page: str, translate: object = turned) -> str:
    return translate_document(page.encode(), "a.md", translate).content.decode()  # type: ignore[arg-type]


def test_what_is_handed_over() -> None:
    noting = Noting(same)
    assert translated(PAGE, noting) == PAGE
    assert noting.asked == [
        "The <x1>first</x1> one",
        "A paragraph of two lines with {x1} and <x2>bold text</x2>. See <x3>the docs</x3>.",
        "a cat",
        "item <x1>one</x1> <x2/> goes on.",
        "a <x1>task</x1> with 5 * 3 & more",
        "Name",
        "What | how",
        "a {x1}",
        "yes <x1>it</x1> is",
        "empty",
        "Setext",
        "Line one.",
        "Line two goes <x1/> on <x2>here</x2> {x3} {x4}.",
        "<x1>HTML</x1> block {x2}",
        "An alert<x1/>.",
        "A footnote, in the end.",
    ]


def test_a_page_in_another_language() -> None:
    expected = PAGE
    for old, new in [
        ("The *first* one", "tHE *FIRST* ONE"),
        ("A paragraph of two\n", "a PARAGRAPH OF TWO\n"),
        ("lines with `code` and **bold\n", "LINES WITH `code` AND **BOLD\n"),
        ('text**. See [the docs](http://x.y "t").', 'TEXT**. sEE [THE DOCS](http://x.y "t").'),
        ("item [one][ref] ![a cat](cat.png)\n   goes on.", "ITEM [ONE][ref] ![A CAT](cat.png)\n   GOES ON."),
        ("a _task_ with 5 \\* 3 &amp; more", "A _TASK_ WITH 5 * 3 & MORE"),
        ("Name |", "nAME |"),
        ("What \\| how", "wHAT \\| HOW"),
        ("a `q`", "A `q`"),
        ("yes *it* is", "YES *IT* IS"),
        ("empty", "EMPTY"),
        ("Setext", "sETEXT"),
        ("Line one.", "lINE ONE."),
        ("Line two goes\\\non <b>here</b>", "lINE TWO GOES\\\nON <b>HERE</b>"),
        ("<b>HTML</b> block", "<b>html</b> BLOCK"),
        ("An alert", "aN ALERT"),
        ("A footnote, in the end.", "a FOOTNOTE, IN THE END."),
    ]:
        assert old in expected
        expected = expected.replace(old, new)
    assert translated(PAGE) == expected


@pytest.mark.parametrize(
    ("page", "answer", "expected"),
    [
        ("read a _book_ now", "<x1>책</x1>을 읽어", "*책*을 읽어"),
        ("a **word** now", "<x1>(주)</x1>는", "<strong>(주)</strong>는"),
        ("a word", "a *word* <b>x</b>", r"a \*word\* \<b\>x\</b\>"),
        ("a word", "5 * 3", "5 * 3"),
        ("a word", "snake_case", "snake_case"),
        ("a word", "1. one", r"1\. one"),
        ("a word", "# one", r"\# one"),
        ("a word", "- one", r"\- one"),
        ("# a word", "1. one", "# 1. one"),
        ("- a word", "1. one", r"- 1\. one"),
        ("> a.  \n> b", "- c", "> \\- c  \n> \\- c"),
        ("**a** b", "<x1>1.</x1> b", "**1.** b"),
        ("> <p>\n> a", "b", "> <p>\n> a"),
        ("- <p>\n  a", "b", "- <p>\n  b"),
        ("|a|\n|-|\n|b|", "x | y", "|x \\| y|\n|-|\n|x \\| y|"),
        ("![a](b)", "[x] *y*", r"![\[x\] \*y\*](b)"),
        ("some\nwords", "one\n\ntwo", "one\ntwo"),
        ("aaa\nbbb", "one - two", "one - two"),
        ("* [ ] a", "b", "* [ ] b"),
        ("[a]\n\n[a]: b", "<x1>c</x1>", "[c][a]\n\n[a]: b"),
        ("so [*a*][] it\n\n[*a*]: b", "c <x1><x2>d</x2></x1>", "c [*d*][*a*]\n\n[*a*]: b"),
        ("![a]\n\n[a]: b", "c", "![a]\n\n[a]: b"),
    ],
)
def test_what_is_written_is_read_as_it_is_meant(page: str, answer: str, expected: str) -> None:
    assert translated(page, lambda texts: [answer for _ in texts]) == expected


@pytest.mark.parametrize(
    ("page", "asked"),
    [
        (r"where $e^{i\pi}_k$ is $x$는 and $`a_b`$.", "where {x1} is {x2}는 and {x3}."),
        ("so $$ x_{n} = a*b*c $$ is", "so {x1} is"),
        (r"so \begin{math}a & b\end{math} is", "so {x1} is"),
        ("*a $b*c$ d*", "a {x1} d"),
        ("[a $b$](c) d", "<x1>a {x2}</x1> d"),
        ("> so $a\n> b$ is", "so {x1} is"),
        ("$5 and $10 or $ 5$ or x $$", "$5 and $10 or $ 5$ or x $$"),
        ("A$5 or US$6-a$b or $5-$6", "A$5 or US$6-a$b or $5-$6"),
        ("$5 for `a$b` or `$c`", "$5 for {x1} or {x2}"),
        (r"\$5 or \$6 and $7\$", "$5 or $6 and $7$"),
        (r"\begin{itemize} a \begin{align} b", r"\begin{itemize} a \begin{align} b"),
    ],
)
def test_formulas_stay_as_they_are(page: str, asked: str) -> None:
    noting = Noting(same)
    assert translated(page, noting) == page
    assert noting.asked == [asked]


@pytest.mark.parametrize(
    "block",
    [
        "$$\na\n+ b\n= c\n$$",
        "$$ a $$",
        "$$a\n# b$$",
        "\\begin{align}\n  a &= b \\\\\n- c\n===\n\\end{align}",
    ],
)
@pytest.mark.parametrize("begin", ["", "> ", "- "])
def test_formulas_in_lines_of_their_own_are_no_passage(block: str, begin: str) -> None:
    follows = {"- ": "  "}.get(begin, begin)
    lines = ["one", *block.split("\n"), "two"]
    page = begin + f"\n{follows}".join(lines)
    noting = Noting(turned)
    assert translated(page, noting) == page.replace("one", "ONE").replace("two", "TWO")
    assert noting.asked == ["one", "two"]


@pytest.mark.parametrize(
    ("page", "asked"),
    [
        ("$$\none", ["$$ one"]),
        ("$$\none\n\ntwo $$", ["$$ one", "two $$"]),
        ("$$ a $$ one", ["{x1} one"]),
        ("- $$\n\none $$", ["one $$"]),
        ("- $$\na\n$$\none", ["{x1} one"]),
    ],
)
def test_what_is_no_formula_in_lines_of_its_own_is_read_as_ever(page: str, asked: list[str]) -> None:
    noting = Noting(same)
    assert translated(page, noting) == page
    assert noting.asked == asked


@pytest.mark.parametrize(
    ("page", "answer", "expected"),
    [
        (r"\$5 and $x$", "{x1} or $5", r"$x$ or \$5"),
        ("$5 and $10", "$10-$5 or b$", r"\$10-\$5 or b\$"),
        ("5 and 10", "$5 and $10", "$5 and $10"),
        ("so $x$", "$5-{x1}", r"\$5-$x$"),
    ],
)
def test_a_price_is_written_so_that_it_is_no_formula(page: str, answer: str, expected: str) -> None:
    assert translated(page, lambda texts: [answer for _ in texts]) == expected


PARTS = [*"*_`[]()!<>#-|\\~\n ", "a", "가", "**", "1. ", "- ", "> ", "[a](b)", "![a](b)", "`c`", "<b>", "</b>", "&amp;",
         "\n\n", "|-|\n", "```\n", "    ", "\t", "\r\n", "  \n", "<div>", "<http://a>", "[^1]", "[a]: b\n", "---\n", "===\n",
         "$", "$$", "$x$", "$$\n", "\\begin{align}", "\\end{align}\n"]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS)).map("".join))
def test_any_page_comes_back_as_it_was(page: str) -> None:
    assert translated(page, same) == page


WORDS = st.lists(st.sampled_from(["one", "둘,", "Three", "(four)", "five."]), min_size=1, max_size=3).map(
    " ".join
)
INLINE = st.recursive(
    WORDS,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["*", "**"]), WORDS).map(lambda of: f"{of[0]}{of[1]}{of[0]}"),
        inner.map(lambda said: f"[{said}](http://a.b)").filter(lambda said: said.count("](") == 1),
        st.lists(inner, min_size=2, max_size=3).map(" ".join),
        st.sampled_from(["`code`", "![](x)", "<br>"]),
    ),
    max_leaves=5,
)
BLOCK = st.tuples(st.sampled_from(["", "# ", "- ", "> ", "1. "]), INLINE).map("".join)


def shape(page: str) -> list[tuple[str, str]]:
    """The blocks of a page and what is in them, without what they say."""
    found = []
    for block in MarkdownIt("commonmark").parse(page):
        inline = sorted(
            (each.type, each.attrGet("href") or "") for each in block.children or () if each.type != "text"
        )
        found.append((block.type, str(inline)))
    return found


@given(st.lists(BLOCK, max_size=4).map("\n\n".join))
def test_backwards_a_page_has_the_same_shape(page: str) -> None:
    result = translate_document(page.encode(), "a.md", backwards)
    if not result.warnings:
        assert shape(result.content.decode()) == shape(page)
    assert all(warning.startswith(("not written", "markup")) for _, warning in result.warnings)


@pytest.mark.parametrize(
    "part",
    [
        "a<br>",
        "*a ",
        "[",
        "![",
        "`a ",
        "> ",
        "- ",
        "<b>",
        "**a",
        "a\n",
        "| a ",
        "_a_",
        "[a](",
        "&amp;",
        "\\*",
        "$",
        "$a ",
        "$a",
        "$$a\n",
        "$`a",
        "- $$a\n",
        "\\begin{align}",
        "\\begin{align}\n",
    ],
)
def test_a_long_page_takes_no_time(part: str) -> None:
    page = part * (3_000 // len(part)) + "end"
    assert translated(page, backwards).count("\n") == page.count("\n")
