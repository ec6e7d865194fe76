"""Language codes (BCP 47), what each language is called and which scripts it is written in.

A code is a language ("ko"), perhaps with a script ("zh-Hant") or a region ("pt-BR"). Scripts go by their
ISO 15924 codes ("Hang", "Latn"). A language that is not in languages.tsv takes a private code: "x-jje".
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from typing import Literal, NamedTuple

from onmal.errors import LanguageError

__all__ = [
    "canonical",
    "count_scripts",
    "detect",
    "direction_tag",
    "known",
    "name",
    "primary",
    "script_of",
    "writes_spaces",
]


class _Language(NamedTuple):
    english: str
    korean: str
    scripts: str  # by their ISO 15924 codes, with spaces between them
    spaces: bool  # whether there are spaces between words
    aliases: str  # ISO 639-2 and 639-3, and codes withdrawn since


def _table() -> dict[str, _Language]:
    lines = files("onmal.text").joinpath("languages.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return {
        code: _Language(english, korean, scripts, between == "spaces", aliases)
        for code, english, korean, scripts, between, aliases in rows
    }


_LANGUAGES = _table()
_ALIASES = {alias: code for code, language in _LANGUAGES.items() for alias in language.aliases.split()}

# The mistakes that people make most: the country's code, or the language's own abbreviation.
_MEANT = {"kr": "ko", "jp": "ja", "cn": "zh", "ua": "uk", "cz": "cs", "gr": "el", "dk": "da", "vn": "vi"}
_MEANT |= {"us": "en", "gb": "en", "br": "pt-BR", "tw": "zh-Hant", "ir": "fa", "il": "he", "rs": "sr"}

_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-(?P<script>[a-z]{4}))?(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<rest>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(?:-x(?:-[a-z0-9]{1,8})+)?)"
)
_PRIVATE = re.compile(r"x(?:-[a-z0-9]{1,8})+")

# Scripts that ISO 15924 counts as one because one language mixes them, or that are one to Unicode.
_MIXED = {"Kore": "Hang Hani", "Jpan": "Hani Hira Kana", "Hans": "Hani", "Hant": "Hani"}
_SCRIPT_NAMES = {
    "Arab": ("Arabic", "아랍 문자"),
    "Cyrl": ("Cyrillic", "키릴 문자"),
    "Hans": ("Simplified", "간체"),
    "Hant": ("Traditional", "번체"),
    "Latn": ("Latin", "로마자"),
}


@lru_cache(256)
def canonical(code: str) -> str:
    """The one spelling of a language code: "KOR" and "ko_Hang" are "ko", "zh_hant" is "zh-Hant".

    A script that the language always has is left out. A malformed or unknown code is a LanguageError that
    names the nearest known one; a private code ("x-jje") is accepted whatever it says.
    """
    tag = code.strip().replace("_", "-").lower()
    if _PRIVATE.fullmatch(tag):
        return tag
    tag = _ALIASES.get(tag, tag)
    parts = _TAG.fullmatch(tag)
    language = _ALIASES.get(parts["language"], parts["language"]) if parts else ""
    if parts is None or language not in _LANGUAGES:
        raise LanguageError(f"{code!r} is not a language code that onmal knows", _remedy(tag))
    script = (parts["script"] or "").title()
    own = _LANGUAGES[language].scripts
    if script in (own, "Kore", "Jpan"):
        script = ""
    subtags = (language, script, (parts["region"] or "").upper())
    return "-".join(filter(None, subtags)) + parts["rest"]


def _remedy(tag: str) -> str:
    """What the person may have meant by `tag`, and the way out for a language without a place in the table."""
    first = tag.split("-")[0]
    names = {language.english.lower(): code for code, language in _LANGUAGES.items()}
    names |= {language.korean: code for code, language in _LANGUAGES.items()}
    spellings = {code: code for code in _LANGUAGES} | _ALIASES | names | _MEANT
    private = f"x-{first}" if re.fullmatch("[a-z0-9]{1,8}", first) else "x-NAME"
    own = f'a language of your own can be called "{private}"'
    near = difflib.get_close_matches(first, spellings, 1, 0.5)
    if not near:
        return f'write a BCP 47 code such as "ko" or "en"; {own}'
    meant = spellings[near[0]]
    question = f'did you mean "{meant}" ({name(meant)})?'
    return question if first in spellings else f"{question} {own}"


def known() -> list[str]:
    """The codes of all languages in the table, in alphabetical order."""
    return list(_LANGUAGES)


def primary(code: str) -> str:
    """The language alone, without script and region: "pt" of "pt-BR"; a private code is its own."""
    tag = canonical(code)
    return tag if tag.startswith("x-") else tag.split("-")[0]


def name(code: str, in_language: Literal["en", "ko"] = "en") -> str:
    """What people call the language, in English or Korean: "Chinese (Traditional)", "중국어(번체)"."""
    tag = canonical(code)
    if tag.startswith("x-"):
        return tag[2:]
    language, *subtags = tag.split("-")
    korean = in_language == "ko"
    base = _LANGUAGES[language].korean if korean else _LANGUAGES[language].english
    if not subtags:
        return base
    details = ", ".join(_SCRIPT_NAMES.get(part, (part, part))[korean] for part in subtags)
    return f"{base}({details})" if korean else f"{base} ({details})"


def direction_tag(language: str) -> str:
    """The token before a source that asks for `language`: "<2ko>" (Johnson et al., 2017)."""
    return f"<2{canonical(language)}>"


def script_of(language: str) -> frozenset[str]:
    """The scripts that `language` is written in today; empty for a private code: any script may be right.

    Korean is Hangul alone: Chinese characters are guests in it, as Latin letters are.
    """
    tag = canonical(language)
    if tag.startswith("x-"):
        return frozenset()
    subtags = tag.split("-")
    if len(subtags) > 1 and len(subtags[1]) == 4 and subtags[1].isalpha():
        return frozenset(_MIXED.get(subtags[1], subtags[1]).split())
    return frozenset(_LANGUAGES[subtags[0]].scripts.split())


def writes_spaces(language: str) -> bool:
    """Whether the language puts spaces between words; a private code is taken to do so."""
    tag = primary(language)
    return tag not in _LANGUAGES or _LANGUAGES[tag].spaces


# Unicode's name of nearly every letter begins with its script.
_SCRIPT_OF_NAME = {
    "ARABIC": "Arab", "ARMENIAN": "Armn", "BENGALI": "Beng", "BOPOMOFO": "Bopo", "CHEROKEE": "Cher",
    "CJK": "Hani", "COPTIC": "Copt", "CYRILLIC": "Cyrl", "DEVANAGARI": "Deva", "ETHIOPIC": "Ethi",
    "GEORGIAN": "Geor", "GREEK": "Grek", "GUJARATI": "Gujr", "GURMUKHI": "Guru", "HANGUL": "Hang",
    "HEBREW": "Hebr", "HIRAGANA": "Hira", "IDEOGRAPHIC": "Hani", "KANGXI": "Hani", "KANNADA": "Knda",
    "KATAKANA": "Kana", "KATAKANA-HIRAGANA": "Kana", "KHMER": "Khmr", "LAO": "Laoo", "LATIN": "Latn",
    "MALAYALAM": "Mlym", "MONGOLIAN": "Mong", "MYANMAR": "Mymr", "ORIYA": "Orya", "SINHALA": "Sinh",
    "SYRIAC": "Syrc", "TAMIL": "Taml", "TELUGU": "Telu", "THAANA": "Thaa", "THAI": "Thai", "TIBETAN": "Tibt",
}  # fmt: skip


class _Scripts(dict[str, str]):
    """Character -> script, worked out at the first sight of each character; "" for what is no letter."""

    def __missing__(self, character: str) -> str:
        script = ""
        if unicodedata.category(character)[0] in "LM":
            words = unicodedata.name(character, "").split()
            if words and words[0] in ("FULLWIDTH", "HALFWIDTH"):
                del words[0]
            if not (words and words[0] in ("COMBINING", "VARIATION", "MODIFIER")):
                script = _SCRIPT_OF_NAME.get(words[0] if words else "", "Zzzz")
        self[character] = script
        return script


_scripts = _Scripts()


def count_scripts(text: str) -> dict[str, int]:
    """Letters of each script in `text`: {"Hang": 5, "Latn": 2}; digits, punctuation and spaces count for none.

    A letter of a script that is not in the tables here counts as "Zzzz". About 30 ns a character.
    """
    counts = Counter(map(_scripts.__getitem__, text))
    counts.pop("", None)
    return dict(counts)


# A syllable or an ideograph says as much as several letters. Latin words are guests in every other script,
# seldom the other way round.
_WEIGHT = {"Hang": 3.0, "Hani": 3.0, "Hira": 2.0, "Kana": 2.0}
_ALWAYS_KANA = 20  # ideographs in a row without a kana are no Japanese


def detect(text: str, candidates: Iterable[str]) -> list[tuple[str, float]]:
    """Which of the candidates `text` is written in, by script alone: (code, confidence from 0 to 1), best first.

    The confidence is how much more of the text the best candidate's scripts explain than the next one's, so
    it is 0 wherever scripts cannot tell: English from German, or anything from "123".
    """
    counts = count_scripts(text)
    weights = {script: count * _WEIGHT.get(script, 1.0) for script, count in counts.items()}
    total = sum(weights.values())
    no_kana = "Hira" not in counts and "Kana" not in counts and counts.get("Hani", 0) >= _ALWAYS_KANA
    fits: dict[str, float] = {}
    for code in map(canonical, candidates):
        scripts = script_of(code)
        fit = sum(weights.get(script, 0.0) for script in scripts) / total if total else 0.0
        fits[code] = 0.0 if no_kana and "Kana" in scripts else fit
    ranked = sorted(fits, key=fits.__getitem__, reverse=True)
    second = fits[ranked[1]] if len(ranked) > 1 else 0.0
    return [(code, max(0.0, fits[code] - second)) for code in ranked]
