"""gettext PO: empty translations are filled, placeholders kept in an order that printf can say, the rest stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from translators import Noting, backwards, same, turned

from onmal.documents import translate_document
from onmal.errors import DataError
from onmal.formats.po import po_entries

CATALOGUE = """\
# Translators: see the guide
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=n != 1;\\n"

#: src/main.c:12
#, c-format
msgid "Delete %s from %s, 100%% sure?\\n"
msgstr ""

msgctxt "menu"
msgid "Open {name}"
msgstr ""

#, fuzzy
msgid "Close"
msgstr "닫기"

#, python-format
msgid ""
"A long line that goes on and \\"on\\" for %(count)d days\\n"
"and more"
msgstr ""

msgid "%d file"
msgid_plural "%d files"
msgstr[0] ""
msgstr[1] ""

msgid "One file"
msgid_plural "%d files"
msgstr[0] ""
msgstr[1] ""

msgid "Half"
msgid_plural "Halves"
msgstr[0] "절반"
msgstr[1] ""

msgid "%d / 12"
msgstr ""

#~ msgid "old"
#~ msgstr ""
"""


def translated(text: str, translate: object = turned) -> str:
    return translate_document(text.encode(), "ko.po", translate).content.decode()  # type: ignore[arg-type]


def test_what_is_handed_over() -> None:
    noting = Noting(same)
    assert translated(CATALOGUE, noting) == CATALOGUE
    assert noting.asked == [
        "Delete {x1} from {x2}, 100% sure?",
        "Open {name}",
        'A long line that goes on and "on" for {x1} days\nand more',
        "{x1} file",
        "{x1} files",
    ]


def test_a_catalogue_in_another_language() -> None:
    expected = CATALOGUE
    for before, after in [
        ('sure?\\n"\nmsgstr ""', 'sure?\\n"\nmsgstr "dELETE %s FROM %s, 100%% SURE?\\n"'),
        ('"Open {name}"\nmsgstr ""', '"Open {name}"\nmsgstr "oPEN {name}"'),
        (
            'and more"\nmsgstr ""',
            'and more"\nmsgstr ""\n"a LONG LINE THAT GOES ON AND \\"ON\\" FOR %(count)d DAYS\\n"\n"AND MORE"',
        ),
        (
            '"%d file"\nmsgid_plural "%d files"\nmsgstr[0] ""\nmsgstr[1] ""',
            '"%d file"\nmsgid_plural "%d files"\nmsgstr[0] "%d FILE"\nmsgstr[1] "%d FILES"',
        ),
        (
            '"One file"\nmsgid_plural "%d files"\nmsgstr[0] ""\nmsgstr[1] ""',
            '"One file"\nmsgid_plural "%d files"\nmsgstr[0] "%d FILES"\nmsgstr[1] "%d FILES"',
        ),
    ]:
        assert before in expected
        expected = expected.replace(before, after)
    assert translated(CATALOGUE) == expected


def entry(msgid: str, flags: str = "", msgstr: str = "") -> str:
    return f'{flags and f"#, {flags}"}\nmsgid "{msgid}"\nmsgstr "{msgstr}"\n'


@pytest.mark.parametrize(
    ("msgid", "flags", "answer", "msgstr"),
    [
        ("%s has %d", "c-format", "{x2} of {x1}", "%2$d of %1$s"),
        ("%s has %d", "c-format", "{x1} of {x2}", "%s of %d"),
        ("%s and %s", "php-format", "{x2} of {x1}", "%2$s of %1$s"),
        ("%s has %d", "python-format", "{x2} of {x1}", ""),
        ("%(a)s has %(b)d", "python-format", "{x2} of {x1}", "%(b)d of %(a)s"),
        ("%1$s has %2$d", "c-format", "{x2} of {x1}", "%2$d of %1$s"),
        ("{0} has {1}", "", "{1} of {0}", "{1} of {0}"),
        ("50% sure", "", "sure 50%", "sure 50%"),
        ("50%% sure %d", "c-format", "{x1} sure 50%", "%d sure 50%%"),
        ("%d%% sure", "c-format", "sure {x1}%", "sure %d%%"),
    ],
)
def test_directives_that_change_places(msgid: str, flags: str, answer: str, msgstr: str) -> None:
    result = translate_document(entry(msgid, flags).encode(), ".po", lambda texts: [answer])
    assert result.content.decode() == entry(msgid, flags, msgstr)
    assert [warning.split(":")[0] for _, warning in result.warnings] == ["not written"] * (not msgstr)


def test_a_placeholder_that_is_lost_is_not_written() -> None:
    catalogue = entry("Open {name}")
    result = translate_document(catalogue.encode(), ".po", lambda texts: ["열기"])
    assert result.content.decode() == catalogue
    assert result.warnings == (("line 2", "not written: {name} would be missing"),)


def test_long_lines_are_wrapped_where_those_of_the_message_are() -> None:
    text = 'msgid ""\n"one "\n"two"\nmsgstr ""\n\nmsgid "one two"\nmsgstr ""\n'.replace("\n", "\r\n")
    answer = " ".join(["낱말"] * 30)
    result = translated(text, lambda texts: [answer for _ in texts])
    wrapped, single = result.split("\r\n\r\n")
    assert wrapped.count("\r\n") == 3 + 2
    assert max(map(len, wrapped.split("\r\n"))) <= 60  # of two columns each
    assert single == f'msgid "one two"\r\nmsgstr "{answer}"\r\n'
    for text in (wrapped, single):
        [found] = po_entries(text.split("\r\n"), "")
        assert found.texts["msgstr"] == answer


def test_escapes_are_written_again() -> None:
    answer = 'a\\b "c"\td\ne'
    text = entry("one\\ntwo")
    result = translated(text, lambda texts: [answer])
    [found] = po_entries(result.split("\n"), "")
    assert found.texts["msgstr"] == answer


@pytest.mark.parametrize(
    "text",
    ['msgid "a"\n', "nonsense\n", 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=EUC-KR\\n"\n\nmsgid "a"\nmsgstr ""\n'],
)  # fmt: skip
def test_what_is_no_catalogue_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        translated(text, same)


LETTERS = st.text("ab Z가%{}<>.\\n", max_size=8).map(
    lambda text: text.replace("\\", "\\\\").replace('"', '\\"')
)


@given(st.lists(st.tuples(LETTERS, LETTERS, st.booleans()), max_size=4))
def test_any_catalogue_comes_back_as_it_was(entries: list[tuple[str, str, bool]]) -> None:
    text = "\n".join(entry(msgid, "c-format" * is_c, msgstr) for msgid, msgstr, is_c in entries)
    assert translated(text, same) == text
    before, after = (list(po_entries(each.split("\n"), "")) for each in (text, translated(text, backwards)))
    assert [each.texts.get("msgid") for each in before] == [each.texts.get("msgid") for each in after]
    assert all(
        new.texts["msgstr"] == old.texts["msgstr"]
        for old, new in zip(before, after, strict=True)
        if old.texts["msgstr"]
    )
