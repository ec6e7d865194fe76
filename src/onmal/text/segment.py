"""Cuts text into sentences, and a sentence that is too long into pieces, without losing a character.

A network reads no more than the lengths it was trained on, so longer text is cut, translated piece by piece
and joined again. Each piece is a Segment: its text and the white space that followed it.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from onmal.fragments import Fragment, find_fragments
from onmal.text.language import primary

__all__ = ["Segment", "after_bullet", "joined_fragments", "split_long", "split_sentences", "within_marks"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a text and the white space after it: the pieces' `text + gap`, joined, are the text.

    White space at the very start is the gap of a first segment whose text is empty.
    """

    text: str
    gap: str = ""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# These end a sentence wherever they stand; those of `_STOP` only before white space.
_FULL_STOP = "。！？｡।॥؟۔።፧။།។៕։᠃"
_STOP = ".!?…‥~～"
_CLOSE = "\"'”’»›)\\]}）】」』》〉〕］｝"
_OPEN = "\"'“‘«‹„‚([{（【「『《〈〔［｛»›¿¡-–—*"
_LINE_END = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\\s*")

# The full-width dot is a decimal point too. “ closes a German quotation, but only right after the stop.
_END = (
    rf"(?:[{_STOP}{_FULL_STOP}]|．(?![0-9０-９]))+"
    rf"(?P<close>(?:[{_CLOSE}]|(?<=[{_STOP}])[“‘«]|[\u00a0\u202f]»)*)(?P<gap>\s*)"
)
_END_OF = {
    "fr": _END.replace(r"[\u00a0\u202f]»", r"[ \u00a0\u202f]»"),
    "el": _END.replace(_STOP, _STOP + ";"),
}

_TABLES: dict[str, dict[str, str]] = tomllib.loads(
    files("onmal.text").joinpath("abbreviations.toml").read_text(encoding="utf-8")
)
_BEGINNERS = _words(" ".join(_TABLES["beginners"].values()))
_DOT_ORDINAL = _words(_TABLES["dot_ordinals"]["languages"])

_KOREAN_ENDING = frozenset("다요죠까네")
_KOREAN_OUTLINE = frozenset("가나다라마바사")  # as a, b, c number paragraphs
_KOREAN_QUOTED = ("라고", "라며", "라는", "라면서", "하고", "하며", "이라고", "이라며", "이라는")
_INITIALS = re.compile(r"[^\W\d]|(?:[^\W\d]{1,2}\.)+[^\W\d]{1,2}")
_REACH = 24  # characters before and after a stop that decide about it
_ROMAN = re.compile("[ivxIVX]{1,5}")
_WORD = re.compile(rf"[{re.escape(_OPEN)}\s]*(\w*)")


def split_sentences(text: str, language: str = "") -> list[Segment]:
    """The sentences of `text`, in order; a line end is always the end of a sentence.

    The rules for Korean, Chinese and Japanese and for other scripts go by the characters; `language` (BCP 47)
    adds its abbreviations to the English ones. Where in doubt two sentences stay together: a segment that is
    too long can still be cut, one that was cut inside a sentence cannot be healed.
    """
    code = primary(language) if language else ""
    segments: list[Segment] = []
    start = len(text) - len(text.lstrip())
    if start:
        segments.append(Segment("", text[:start]))
    while start < len(text):
        line_end = _LINE_END.search(text, start)
        line = text[start : line_end.start() if line_end else len(text)]
        sentences = _split_line(line, code)
        start = line_end.end() if line_end else len(text)
        if line_end:
            last = sentences.pop()
            sentences.append(Segment(last.text, last.gap + line_end[0]))
        segments += sentences
    return segments


def _split_line(line: str, language: str) -> list[Segment]:
    """The sentences of a line that begins with no white space and is not empty."""
    segments: list[Segment] = []
    start = 0
    rules = _rules(language)
    cased = line != line.lower()
    for end in rules.end.finditer(line):
        if end.end() == len(line):
            break
        if rules.ends_sentence(line, start, end, cased):
            stop, gap = end.start("gap"), end["gap"]
            if not gap and end["close"] == '"' and line.count('"', start, stop) % 2:
                stop -= 1  # a quotation that begins, in a script without spaces
            segments.append(Segment(line[start:stop], gap))
            start = stop + len(gap)
    rest = line[start:].rstrip()
    segments.append(Segment(rest, line[start + len(rest) :]))
    return segments


@cache
def _rules(language: str) -> _Rules:
    return _Rules(language)


class _Rules:
    """Tells for one language whether a stop ends a sentence."""

    def __init__(self, language: str) -> None:
        self.end = re.compile(_END_OF.get(language, _END))
        self.never_last, self.seldom_last = (
            _words(_TABLES[table]["en"]) | _words(_TABLES[table].get(language, ""))
            for table in ("never_last", "seldom_last")
        )
        self.dot_ordinal = language in _DOT_ORDINAL

    def ends_sentence(self, line: str, start: int, end: re.Match[str], cased: bool) -> bool:
        """`end` is a match of `self.end` in the sentence that begins at `start`; text follows after it."""
        at = end.start()
        if at == start:
            return False
        stop = line[at : end.start("close")]
        before, following = line[at - 1], line[end.end()]
        if not set(end["close"]).isdisjoint(")）]］") and line[start] not in "(（[［":
            return False  # he (really!) left
        full = not set(stop).isdisjoint(_FULL_STOP + "．")
        if not end["gap"]:
            if full:
                return not (end["close"] and "ぁ" <= following <= "ゟ")  # 「はい。」と言った
            return self._korean_without_space(line, end, before, following)
        if following in ")]}）」』,;:.!?" or not _has_word(line, end.end()):
            return False
        word = _WORD.match(line, end.end(), end.end() + _REACH)
        next_word = word[1] if word else ""
        if end["close"] and (next_word == "고" or next_word.startswith(_KOREAN_QUOTED)):
            return False
        if set(stop) <= set("~～") or (_is_hangul(before) and set(stop) <= set(".…‥") and stop != "."):
            return before in _KOREAN_ENDING
        if cased and next_word[:1].islower() and not next_word[1:2].isupper() and not _is_caseless(before):
            return False
        if stop != ".":
            return True
        words = line[max(start, at - _REACH) : at].split()
        token = words[-1].lstrip(_OPEN) if words else ""
        return self._dot_ends_sentence(token, at - start == len(token), before, next_word)

    @staticmethod
    def _korean_without_space(line: str, end: re.Match[str], before: str, following: str) -> bool:
        """ "갔다.그리고": the space forgotten; but not "갔다.라고" or a quotation's particle."""
        return (
            before in _KOREAN_ENDING
            and _is_hangul(following)
            and not end["close"]
            and not line.startswith(_KOREAN_QUOTED, end.end())
        )

    def _dot_ends_sentence(self, token: str, alone: bool, before: str, next_word: str) -> bool:
        """`token` is the word before the single dot, `alone` if it is all there is of the sentence."""
        number = token.replace(".", "")
        if alone and (token in _KOREAN_OUTLINE or _ROMAN.fullmatch(token)):
            return False
        if number.isdigit():
            date = next_word[:1].isdigit() or _is_hangul(next_word[:1])  # 2024. 5. 3. 오전
            ordinal = len(number) <= 2 and (date or self.dot_ordinal)
            return not (alone or ordinal or next_word.isdigit())
        if _is_caseless(before):
            return True
        token = token.lower()
        if token == "no":
            return not next_word[:1].isdigit()  # No. 5
        if token in self.never_last:
            return False
        if token in self.seldom_last or _INITIALS.fullmatch(token):
            return not alone and next_word.lower() in _BEGINNERS
        return True


def _has_word(line: str, start: int) -> bool:
    """Whether more than a stray quotation mark or an emoticon is left of the line."""
    return len(line) - start > 3 or any(map(str.isalnum, line[start:]))


def _is_hangul(character: str) -> bool:
    return "가" <= character <= "힣"


def _is_caseless(character: str) -> bool:
    """Whether it is a letter of a script without capitals, where a small letter after a stop says nothing."""
    return character.isalpha() and character.lower() == character.upper()


_BULLET = re.compile(
    r"(?:>+|#{1,6}|[-*•‣▪◦●○■□▶►※·]|(?P<ordinal>\d{1,3}\.)(?!\s*\d)|\(?\d{1,3}\)|[①-⑳]|[A-Za-z]\)|[가나다라마바사아자차카타파하][.)])\s+(?:\[[ xX]\]\s+)?(?=\S)"
)

_PAIRS = ('""', "“”", "()", "[]", "「」", "『』", "《》")

# Where to cut a sentence that is too long, best places first; each pattern ends at the cut.
_PLACES = tuple(
    map(
        re.compile,
        (
            r"[;:…—–?!]\s|[；：；؛።。！？।]",
            r",\s|[，、،]",
            r"(?<=[가-힣])(?:지만|는데|은데|면서|니까|므로|려고|거나|도록|다가|아서|어서|해서|고|며|면)\s"
            r"|\s(?=(?:and|but|or|because|which|while|when|und|aber|oder|weil|et|mais|ou|y|pero)\s)",
            r"\s",
        ),
    )
)
_LONGEST_CLUSTER = 64  # characters that may be one grapheme; a longer one means ill and may be cut


def split_long(text: str, fits: Callable[[str], bool]) -> list[Segment]:
    """Cuts `text` into pieces that each fit, at the ends of clauses, else between words, else anywhere.

    It halves: pieces come out of like length, and `fits` is asked about every character some log2(pieces)
    times, so it should refuse the hopelessly long without counting their tokens. Only a single grapheme
    (a letter with its marks) is returned even if it does not fit.
    """
    body = text.strip()
    if not body:
        return [Segment("", text)] if text else []
    lead = text.index(body[0])
    segments = [Segment("", text[:lead])] if lead else []
    waiting = [Segment(body, text[lead + len(body) :])]
    while waiting:
        piece = waiting.pop()
        cut = 0 if fits(piece.text) else _best_cut(piece.text)
        if cut == 0:
            segments.append(piece)
            continue
        left, right = piece.text[:cut].rstrip(), piece.text[cut:].lstrip()
        gap = piece.text[len(left) : len(piece.text) - len(right)]
        waiting += [Segment(right, piece.gap), Segment(left, gap)]
    return segments


def after_bullet(line: str, language: str = "") -> int:
    """Where the text of a line begins after what marks it as one of a list: -, •, 2), (3), ④, and 1. where that is no ordinal."""
    bullet = _BULLET.match(line)
    if not bullet or (bullet["ordinal"] and language and primary(language) in _DOT_ORDINAL):
        return 0
    return bullet.end()


def within_marks(line: str, start: int) -> tuple[int, int]:
    """Where the text from `start` begins and ends, without the white space, or the one pair of quotes or brackets, around all of it."""
    end = max(start, len(line.rstrip()))
    marks = line[start : start + 1] + line[end - 1 : end]
    if end - start > 2 and marks in _PAIRS and set(marks).isdisjoint(line[start + 1 : end - 1]):
        return start + 1, end - 1
    return start, end


def joined_fragments(text: str, segments: list[Segment]) -> list[Segment]:
    """The segments of a text with those in one between which a fragment (an address, a tag) would be cut."""
    fragments = find_fragments(text)
    joined: list[Segment] = []
    at = 0
    for segment in segments:
        if joined and _around(at, fragments):
            before = joined.pop()
            joined.append(Segment(before.text + before.gap + segment.text, segment.gap))
        else:
            joined.append(segment)
        at += len(segment.text) + len(segment.gap)
    return joined


def _around(cut: int, fragments: Sequence[Fragment]) -> Fragment | None:
    """The one of a text's fragments, in their order, that a cut would part."""
    before = bisect_left(fragments, cut, key=lambda fragment: fragment.start)
    return fragments[before - 1] if before and cut < fragments[before - 1].end else None


def _best_cut(text: str) -> int:
    """The best place to cut in the middle half of `text`, in no fragment; 0 if it must not be cut at all."""
    fragments = find_fragments(text)
    for place in _PLACES:
        cut = _nearest_to_middle(place, text, fragments)
        if cut:
            return cut
    middle = len(text) // 2
    if around := _around(middle, fragments):  # an address without a space before or after it
        return next((cut for cut in (around.start, around.end) if 0 < cut < len(text)), 0)
    for distance in range(min(middle, _LONGEST_CLUSTER) + 1):
        for cut in (middle - distance, middle + distance):
            if 0 < cut < len(text) and not (_is_inside_grapheme(text, cut) or _around(cut, fragments)):
                return cut
    return middle if len(text) > _LONGEST_CLUSTER else 0


def _nearest_to_middle(place: re.Pattern[str], text: str, fragments: Sequence[Fragment]) -> int:
    """The cut after the match that ends nearest to the middle, in no fragment; 0 if the middle half has none."""
    middle, furthest = len(text) // 2, (len(text) + 3) // 4
    reach = 32
    while True:
        reach = min(reach * 4, furthest)
        matches = place.finditer(text, max(0, middle - reach), middle + reach)
        cuts = [
            cut for match in matches if 0 < (cut := match.end()) < len(text) and not _around(cut, fragments)
        ]
        if cuts:
            return min(cuts, key=lambda cut: abs(cut - middle))
        if reach == furthest:
            return 0


def _is_inside_grapheme(text: str, cut: int) -> bool:
    """Whether a cut there would part a letter from its marks (Unicode annex 29, in the main); emoji are fragments."""
    before, after = text[cut - 1], text[cut]
    if after.isascii():
        return False
    return (
        unicodedata.category(after)[0] == "M"
        or "\u200d" in (before, after)
        or after == "\u200c"
        or unicodedata.combining(before) == 9  # virama: the consonants on both sides are one
        or ("\u1160" <= after <= "\u11ff" and ("\u1100" <= before <= "\u11ff" or _is_hangul(before)))
    )
