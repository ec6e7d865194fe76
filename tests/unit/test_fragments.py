"""fragments: what is no language is found, taken out without a trace, and put back where it belongs."""

from __future__ import annotations

import re
import unicodedata
from functools import partial
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onmal.fragments import find_fragments, put_back, tags_are_whole, take_out


def found(text: str) -> list[str]:
    return [text[start:end] for _, start, end in find_fragments(text)]


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("Hello {name}, {0} {user.name} {x[0]} {n:.2f} {}", ["{name}", "{0}", "{user.name}", "{x[0]}", "{n:.2f}", "{}"]),
        ("{{ name }} ${y} #{z} %{w} {이름}을", ["{{ name }}", "${y}", "#{z}", "%{w}", "{이름}"]),
        ("%s %d개 %1$s %(name)s %-5.2f %@ %lu", ["%s", "%d", "%1$s", "%(name)s", "%-5.2f", "%@", "%lu"]),
        ("50% sure, 100%, 5 % of, 3%d, %%s, 100% done", []),
        ("$HOME/x, $PATH_2 and $a but $100, A$AP and US$", ["$HOME", "$PATH_2", "$a"]),
        ("%APPDATA%\\x", ["%APPDATA%"]),
        ('<b>bold</b> <x id="1"/> <br> <a href="/x?y=1">', ["<b>", "</b>", '<x id="1"/>', "<br>", '<a href="/x?y=1">']),
        ("a < b and c > d, x <y and z>, <3, <-", []),
        ("&lt;b&gt; &#39; &#x2F; R&D; AT&T, you & me", ["&lt;", "&gt;", "&#39;", "&#x2F;"]),
        ("see https://a.com/b_(c)?d=1#e. Or (http://b.org)!", ["https://a.com/b_(c)?d=1#e", "http://b.org"]),
        ("www.a.com, a.com/b, awww.b.com, not a.b or Amazon.com", ["www.a.com", "a.com/b", "awww.b.com"]),
        ("https://a.kr을 보고 https://ko.wikipedia.org/wiki/서울 http://한국.kr", ["https://a.kr", "https://ko.wikipedia.org/wiki/서울", "http://한국.kr"]),
        ("me.you+x@mail.a.co.kr에게, a@b, @c", ["me.you+x@mail.a.co.kr"]),
        ("{not a placeholder} { } {a\nb}", []),
        ("GitHub.com/onmal/x youtu.be/aBc3 and/or e.g.this/that U.S.A./Canada", ["GitHub.com/onmal/x", "youtu.be/aBc3"]),
        ("localhost:8080/x, example.com:8080/a, example.com?x=1.", ["localhost:8080/x", "example.com:8080/a", "example.com?x=1"]),
        ("127.0.0.1:80에 example.com. 3.14 1.5배 2024.5.3 localhost", ["127.0.0.1:80", "example.com"]),
        ("Is it example.com?Yes; Mr.Kim, e.g.this, U.S.A., file.txt, 10:30", ["example.com"]),
        ("홍길동@example.com에게, 메일은me@a.com으로", ["홍길동@example.com", "me@a.com"]),
        ("sftp://a.b/c ssh://git@a.b/c git+ssh://a 1http://b", ["sftp://a.b/c", "ssh://git@a.b/c", "git+ssh://a", "http://b"]),
        ("https://a.b/c\u00a0d «https://a.b»", ["https://a.b/c", "https://a.b"]),
        ("%d%% %Y-%m-%d %H:%M %,d %n %,.2f", ["%d", "%%", "%Y", "%m", "%d", "%H", "%M", "%,d", "%n", "%,.2f"]),
        ("100% sure, 50 % of, 그는 5%만 받았다, 100%%", []),
        ("$1을 $2 but $100, $5만, $5 million, $1,200, $1.50, US$1", ["$1", "$2"]),
        ("<video controls> <audio loop muted>", ["<video controls>", "<audio loop muted>"]),
        ("{% if x > 1 %}a{% endif %} <%= x %>", ["{% if x > 1 %}", "{% endif %}", "<%= x %>"]),
        ("{user name} { name } ${ x } {사용자 이름} {n, number}", ["{user name}", "{ name }", "${ x }", "{사용자 이름}", "{n, number}"]),
        ("😀 👍🏽👨\u200d👩\u200d👧 ❤️", ["😀", "👍🏽", "👨\u200d👩\u200d👧", "❤️"]),
        ("🇰🇷🇺🇸 1️⃣#️⃣ ©️ \U0001f3f4\U000e0067\U000e0062\U000e007f", ["🇰🇷", "🇺🇸", "1️⃣", "#️⃣", "©️", "\U0001f3f4\U000e0067\U000e0062\U000e007f"]),
        ("★ a→b ─ \ue001 ○○", ["★", "→", "─", "\ue001", "○", "○"]),
        ("iPhone™ ①번 ©2024 IV Ⅳ장 ㈜ ½컵 word² ∞", ["™", "①", "©", "Ⅳ", "㈜", "½", "²", "∞"]),
        ("20 m², 1½ H₂O C₆H₁₂O₆ x²+y²", [" m²", "1½", "H₂O", "C₆H₁₂O₆", "x²", "y²"]),
        ('<a x="1" title="a > b">A</a> <x id="1" y=\'>\'/>', ['<a x="1" title="a > b">', "</a>", '<x id="1" y=\'>\'/>']),
        ("<?php echo $x; ?> {{{name}}} {user['name']} {a[0][b]}", ["<?php echo $x; ?>", "{{{name}}}", "{user['name']}", "{a[0][b]}"]),
        ("$t(common.bike)을 f(x)", ["$t(common.bike)"]),
        ("`a b`를 @user에게 @ home #sport를 #1 C# a#bcd", ["`a b`", "@user", "#sport"]),
        ("It`s John`s, `hello' to me and `bye' to her, `오늘 가요`", []),
        ("#Straße @André #café $US(100) `one two three four`", ["#Straße", "@André", "#café", "$US"]),
        ("25°C, 25 °F, 90° 70㎏ ℃", ["°C", " °F", "°", "㎏", "℃"]),
        ("5 %, $ € ₩ + < = > | ~ − 3∼5 … ※ · 〇 〈a〉 \ufffd a\ufe0f", []),
    ],
)  # fmt: skip
def test_what_is_found(text: str, fragments: list[str]) -> None:
    assert found(text) == fragments


@given(
    st.lists(
        st.sampled_from(
            [
                *"<>{}%$@&;./:-=#! \n\u00a0xA1가😀★²°\ufe0f\u20e3\u200d",
                "http",
                "www",
                "com",
                "lt",
                "br",
                "//",
                "localhost",
            ]
        )
    ).map("".join)
)
def test_the_quick_look_misses_nothing(text: str) -> None:
    assert found(text) == found("{x} " + text)[1:]


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Hello {name}, welcome!", "Hello, welcome!"),
        ("{name} came", "came"),
        ("came {name}", "came"),
        ("a {x} b", "a b"),
        ("a {x} {y} b", "a b"),
        ("a ({x}) b", "a b"),
        ('a "{x}". B', "a. B"),
        ("<b>one</b> two", "one two"),
        ("{이름}을 삭제", "을 삭제"),
        ("nothing", "nothing"),
        ("from %Y-%m-%d {a}/{b} on", "from on"),
        ("a bike 😀. A", "a bike. A"),
        ("좋아요😀😀고마워요", "좋아요 고마워요"),
        ("Seoul→Busan", "Seoul Busan"),
        ("iPhone™은 25 °C", "iPhone은 25"),
        ("{x}", ""),
    ],
)
def test_no_trace_is_left(text: str, without: str) -> None:
    assert take_out(text).text == without


@pytest.mark.parametrize(
    ("source", "target", "order", "expected"),
    [
        ("read {book} today", "오늘 읽었다", (1, 0), "{book} 오늘 읽었다"),
        ("read, {x}, today", "오늘 읽었다", (1, 0), "오늘 읽었다 {x}"),
        ("a <b>c d</b> e", "E D C A", (3, 2, 1, 0), "E <b>D C</b> A"),
        ("a <i>c <b>d</b></i> e", "E D C A", (3, 2, 1, 0), "E <i><b>D</b> C</i> A"),
        ("go to https://a.b", "로 가다", (1, 0), "로 https://a.b 가다"),
        ("Page now: {url}", "지금 쪽:", (1, 0), "지금 쪽: {url}"),
        ("{x}: read book", "책 읽다", (1, 0), "{x}: 책 읽다"),
        ("{x}: {y} read book", "책 읽다", (1, 0), "{x}: 책 {y} 읽다"),
        ("%s, read book", "책 읽다", (1, 0), "%s, 책 읽다"),
        ("a.com: read book", "책 읽다", (1, 0), "a.com: 책 읽다"),
        ("{x} one {y} two", "둘 하나", (1, 0), "{y} 둘 {x} 하나"),
        ("read book 😀.", "책 읽다.", (1, 0), "책 읽다 😀."),
        ("read book. 😀", "책 읽다.", (1, 0), "책 읽다. 😀"),
        ("read book😀", "책 읽다.", (1, 0), "책 읽다. 😀"),
        ("👍🏽 read book", "책 읽다", (1, 0), "👍🏽 책 읽다"),
        ("tea ☕ 🍵 drink", "마시다 차", (1, 0), "마시다 차 ☕ 🍵"),
        ("add ½ cup", "컵 넣다", (1, 0), "½ 컵 넣다"),
        ("iPhone™ good", "좋다 iPhone", (1, 0), "좋다 iPhone™"),
        ("25 °C today", "오늘 25", (1, 0), "오늘 25 °C"),
    ],
)
def test_it_comes_back_beside_the_same_word(
    source: str, target: str, order: tuple[int, ...], expected: str
) -> None:
    """`order` says which word of the target each word of the source became."""
    without = take_out(source)
    starts = [target.index(word) for word in target.split()]
    words = without.text.replace(",", "").replace(":", "").split()
    place = {without.text.index(word): starts[order[n]] for n, word in enumerate(words)}
    assert put_back(without, target, lambda word: place[word[0]]) == expected


@pytest.mark.parametrize(
    ("source", "target", "order", "begun", "given", "expected"),
    [
        ("{x} read book", "책 읽다", (1, 0), "책", "책", "책 {x} 읽다"),
        ("{x} read book", "책 읽다", (1, 0), "{x} 책", "책", "{x} 책 읽다"),
        ("{x} read book", "책 읽다", (1, 0), "{y} 책", "책", "{y} 책 {x} 읽다"),
        ("{x} {x} read book", "책 읽다", (1, 0), "{x} 책", "책", "{x} 책 {x} 읽다"),
        ("{x} {y} {z} read book", "책 읽다", (1, 0), "{y} 책", "책", "{y} 책 {x} {z} 읽다"),
        ("$ab read book", "책 읽다", (1, 0), "$a 책", "책", "$a 책 $ab 읽다"),
        ("read ({x}) book", "책 읽다", (1, 0), "({x}) 책", "책", "({x}) 책 읽다"),
        ("😀 read book", "책 읽다", (1, 0), "책", "책", "책 😀 읽다"),
        ("<b>read</b> book", "책 읽다", (1, 0), "책", "책", "책 <b>읽다</b>"),
        ("<b>read</b> book", "읽다 책", (0, 1), "<b>읽", "읽", "<b>읽다</b> 책"),
        ("read <i>book</i>", "책 읽다", (1, 0), "책", "책", "책 <i></i>읽다"),
        ("read {x} book", "책 읽다", (1, 0), "책을  또", "책", "책을  또 {x} 읽다"),
        ("read book", "책 읽다", (1, 0), "책을", "책", "책을 읽다"),
    ],
)
def test_what_was_asked_to_be_first_is_first_and_said_once(
    source: str, target: str, order: tuple[int, ...], begun: str, given: str, expected: str
) -> None:
    without = take_out(source)
    starts = [target.index(word) for word in target.split()]
    place = {
        match.start(): starts[n] for match, n in zip(re.finditer(r"\w+", without.text), order, strict=True)
    }
    back = put_back(without, target, lambda word: place[word[0]], begun=begun, given=len(given))
    assert back == expected


def test_between_words_without_spaces_there_are_none() -> None:
    without = take_out("read {book} today")
    assert put_back(without, "今日読む", lambda word: 2 * (word[0] == 0), spaces=False) == "{book}今日読む"


@given(
    st.lists(
        st.sampled_from(
            ["one", "둘", "三", "{x}", "%s", "<b>", "</b>", "https://a.b/c", ",", ".", "(", ")", " "]
        )
    )
)
def test_a_text_that_translates_to_itself_comes_back(parts: list[str]) -> None:
    text = " ".join(parts)
    without = take_out(text)
    back = put_back(without, without.text, lambda word: word[0])
    assert sorted(found(back)) == sorted(found(text))
    assert sorted(back.replace(" ", "")) == sorted(text.replace(" ", ""))


@pytest.mark.parametrize(
    "part",
    [
        "a",
        "a.",
        "<a ",
        "{",
        "a@",
        "%0",
        "http://",
        "www.",
        "&a",
        "${",
        "<a b=c ",
        "x=",
        "$A",
        "(",
        "a-b.",
        "a {x} ",
        "{x} ",
        "</x>",
        "a </x>",
        "<b>",
        "<b>a</b> ",
        "😀",
        "👨\u200d",
        "a²",
        "1 ½",
        "{a ",
        "{% ",
        "<% ",
        "a:1",
    ],
)
def test_a_long_line_is_no_problem(part: str) -> None:
    """It takes linear time: a test that took quadratic time would not end."""
    text = part * (300_000 // len(part))
    without = take_out(text)
    assert len(without.text) <= len(text)
    back = put_back(without, "one two", lambda word: 0)
    assert sum(len(fragment) for *_, fragment in without.taken) <= len(back)


@pytest.mark.parametrize("end", [")", ")(]", ".)", "]}"])
def test_the_end_of_a_long_address_is_found_as_fast(end: str) -> None:
    text = "http://a" + end * (1_000_000 // len(end))
    [(_, _, address)] = take_out(text).taken
    assert text.startswith(address)


@pytest.mark.parametrize(
    ("source", "translation", "places", "expected"),
    [  # places: of each source word, where its translation begins
        ("<b>나는 책을</b> <i>어제 읽었다</i>", "I read a book yesterday", [0, 9, 14, 2], "<b>I read a book</b> <i>yesterday</i>"),
        ("<b>나는</b> <i>책을</i>", "本私", [1, 0], "<i>本</i><b>私</b>"),
        ("<b>나는 <i>책을</i></b> 읽었다", "I read book", [0, 7, 2], "<b>I read <i>book</i></b>"),
        ("<b>a <i>b</i> c</b> d", "d b x a c", [6, 2, 8, 0], "d <b><i>b</i> x a c</b>"),
    ],
)  # fmt: skip
def test_pairs_of_tags_never_cross(source: str, translation: str, places: list[int], expected: str) -> None:
    without = take_out(source)
    words = [match.span() for match in re.finditer(r"\w+", without.text)]
    spaces = " " in translation
    found = put_back(without, translation, lambda word: places[words.index(word)], spaces=spaces)
    assert tags_are_whole(found)
    assert found == expected


def test_pairs_of_tags_never_cross_wherever_their_words_go() -> None:
    draw = Random(1)
    for _ in range(3000):
        words, parts, opened, tags = draw.randint(3, 9), list[str](), list[int](), 0
        said = 0
        while said < words or opened:
            if said < words and tags < 6 and draw.random() < 0.4:
                opened.append(tags)
                parts.append(f"<t{tags}>")
                tags += 1
            elif opened and (said == words or draw.random() < 0.4):
                parts.append(f"</t{opened.pop()}>")
            elif said < words:
                parts.append(f"w{said} ")
                said += 1
        without = take_out("".join(parts))
        translation = " ".join(f"x{word}" for word in draw.sample(range(words), words))
        found = put_back(without, translation, partial(_same_number, without.text, translation))
        assert tags_are_whole(found), ("".join(parts), found)
        assert sorted(re.findall("<[^>]*>", found)) == sorted(re.findall("<[^>]*>", "".join(parts)))


def _same_number(text: str, translation: str, word: tuple[int, int]) -> int:
    return translation.index("x" + text[word[0] + 1 : word[1]])


@pytest.mark.parametrize(
    ("text", "without", "taken"),
    [
        ("She wears the number 1102 on her shirt.", "She wears the number on her shirt.", ["1102"]),
        ('The shirt says "93".', "The shirt says.", ['"93"']),
        ("Pi is 3.14, not -5 or 40 %.", "Pi is, not or.", ["3.14", "-5", "40 %"]),
        ("On 2024-03-05 at 9:30 we pay $1,200.", "On at we pay.", ["2024-03-05", "9:30", "$1,200"]),
        ("Open https://example.com/21 {0} 7 times", "Open times", ["https://example.com/21 {0} 7"]),
        ("7명이 3rd B2 3만 원", "7명이 3rd B2 3만 원", []),
    ],
)
def test_numbers_that_stand_by_themselves_come_out_where_that_is_asked_for(
    text: str, without: str, taken: list[str]
) -> None:
    found = take_out(text, numbers=True)
    assert found.text == without
    assert [fragment for _, _, fragment in found.taken] == taken
    assert all(each in take_out(text).text for each in taken if "{" not in each)  # as a rule they stay


@given(st.text(alphabet='ab .,:-$%("0123456789 가', max_size=40))
def test_no_digit_is_lost_with_numbers_taken_out(text: str) -> None:
    found = take_out(text, numbers=True)
    digits = sorted(filter(str.isdigit, found.text + "".join(fragment for _, _, fragment in found.taken)))
    assert digits == sorted(filter(str.isdigit, text))
    back = put_back(found, found.text, lambda word: word[0])
    assert sorted(filter(str.isdigit, back)) == sorted(filter(str.isdigit, text))


def test_every_symbol_stays_that_unicode_counts_as_one() -> None:
    """But those of single scripts, such as the radicals of Chinese, and what says that a character was lost."""
    kept = {*range(0x2000, 0x2C00), *range(0x3200, 0x3400), *range(0x1F000, 0x1FC00)}
    symbols = [each for each in map(chr, kept) if unicodedata.category(each) in ("So", "No", "Nl", "Co")]
    lost = [each for each in symbols if found(each) != [each]]
    assert lost == []
    assert all(found(each) == [] for each in map(chr, range(128)))
