"""What in a text is no language and comes through a translation as it is: addresses, markup, placeholders, symbols, emoji.

They are taken out before a network sees the text and put back beside the translation of the word that they stood beside. So
they survive with any network, and the rest is translated as if they had not been there.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import accumulate, islice, pairwise
from operator import itemgetter
from typing import Literal, NamedTuple, cast, get_args

__all__ = ["Fragment", "Without", "find_fragments", "put_back", "split_outside", "tags_are_whole", "take_out"]

Kind = Literal["address", "markup", "placeholder", "emoji", "symbol"]
Span = tuple[int, int]

_PARTS: dict[str, str] = {}
for _name, _ways in tomllib.loads(
    files("onmal").joinpath("fragments.toml").read_text(encoding="utf-8")
).items():
    _PARTS[_name] = re.sub(r"\{\{(\w+)\}\}", lambda named: _PARTS[named[1]], "|".join(_ways))
_FRAGMENT = re.compile("|".join(f"(?P<{kind}>{_PARTS[kind]})" for kind in get_args(Kind)), re.ASCII)
_MAY_BEGIN = re.compile(_PARTS["may_begin"], re.ASCII)
_NUMBER = re.compile(r"(?<![^\W_])[-−#$€£₩]{0,2}\d+(?:[.,:/-]\d+)*(?:\s?%|(?![^\W_]))")
_BETWEEN = re.compile(r"\s*|[-/:]")  # neighbours
_PLACE = "\ufdd0"  # of a fragment that is out; no character of any text
_NOT_ITS_END = ".,;:!?'*~…"
_OPENING = {")": "(", "]": "[", "}": "{"}
_PAIRS = {"(": ")", "[": "]", '"': '"', "'": "'", "“": "”", "‘": "’", "「": "」", "『": "』"}
_ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"  # kana and ideographs: each counts as a word
_WORD = re.compile(rf"[{_ALONE}]|[^\W{_ALONE}]+")
_PAIRED = re.compile(r"<(?P<closing>/?)(?P<name>[A-Za-z][\w:.-]*|\d{1,3})(?:\s[^<>]*)?(?<!/)>")
_DEEPEST = 64  # tags around nothing else, one within the other
_SETS_OFF = (":", ";", ",")
_CLOSING = ")]}%°’”」』"


class Fragment(NamedTuple):
    """Characters of a text that no network should touch."""

    kind: Kind
    start: int
    end: int


@dataclass(frozen=True)
class Without:
    """A text without its fragments, and each of those with the place in `text` where it was."""

    text: str
    taken: tuple[tuple[int, Kind, str], ...] = ()

    def in_other_words(self, rewrite: Callable[[str], list[str]]) -> list[Without]:
        """The same as `rewrite` words it, in each of its ways, with the fragments at their places."""
        cuts = [0, *(offset for offset, _, _ in self.taken), len(self.text)]
        found = []
        for way in rewrite(_PLACE.join(self.text[start:end] for start, end in pairwise(cuts))):
            ends = accumulate(map(len, way.split(_PLACE)))
            taken = tuple((end, *rest) for end, (_, *rest) in zip(ends, self.taken, strict=False))
            found.append(Without(way.replace(_PLACE, ""), cast(tuple[tuple[int, Kind, str], ...], taken)))
        return found

    @property
    def has_words(self) -> bool:
        """Whether anything is left to be translated."""
        return any(map(str.isalpha, self.text))


def find_fragments(text: str) -> list[Fragment]:
    """Addresses, markup (tags, entities), placeholders ({name}, %s, ${x}, $HOME), symbols (™, m²) and single emoji, in their order."""
    found = []
    for match in _FRAGMENT.finditer(text) if _MAY_BEGIN.search(text) else ():
        start, end = match.span()
        kind = cast(Kind, match.lastgroup)
        found.append(Fragment(kind, start, _end_of_address(text, start, end) if kind == "address" else end))
    return found


def _end_of_address(text: str, start: int, end: int) -> int:
    """Where an address ends: punctuation of the sentence around it, and brackets that open before it, are not its own."""
    count = Counter(text[start:end])
    while (last := text[end - 1]) in _NOT_ITS_END or (
        last in _OPENING and count[_OPENING[last]] < count[last]
    ):
        count[last] -= 1
        end -= 1
    return end


def split_outside(text: str, between: re.Pattern[str]) -> list[str]:
    """What stands between the matches of a pattern, and these, by turns; none is within a fragment, and no bar within brackets."""
    fragments = find_fragments(text)
    starts = [fragment.start for fragment in fragments]
    parts, at = [], 0
    for found in between.finditer(text):
        before = bisect_right(starts, found.start()) - 1
        if before >= 0 and found.end() <= fragments[before].end:
            continue
        if "|" in found[0] and text.count("(", at, found.start()) > text.count(")", at, found.start()):
            continue  # P(A | B)
        parts += [text[at : found.start()], found[0]]
        at = found.end()
    return [*parts, text[at:]]


def take_out(text: str, *, numbers: bool = False) -> Without:
    """Take out all fragments, and the space that each leaves too many; the numbers, too, that stand by themselves.

    Neighbours come out as one, with what is between them, and so does a pair of brackets or quotes with its content.
    """
    runs: list[Fragment] = []
    found = find_fragments(text)
    for number in _NUMBER.finditer(text) if numbers else ():
        if not any(each.start < number.end() and number.start() < each.end for each in found):
            found.append(Fragment("placeholder", *number.span()))
    for fragment in sorted(found, key=lambda each: each.start):
        run = _with_its_colon(text, _with_brackets(text, fragment))
        first = len(runs) - _belong(text, runs, run)
        if first < len(runs):
            all_emoji = runs[first].kind == run.kind == "emoji"
            run = Fragment("emoji" if all_emoji else "placeholder", runs[first].start, run.end)
        runs[first:] = [run]
    kept: list[str] = []
    length, rest, before, taken = 0, 0, "", []
    for kind, start, end in runs:
        piece, rest, follows = text[rest:start], end, text[end : end + 1]
        before = piece[-1:] or before
        if (not before or before.isspace()) and follows.isspace():
            rest = end + 1
        elif not follows.isalnum() and before.isspace():
            piece = piece.rstrip()
        if kind == "symbol" and before.isalnum():
            kind = "markup"  # no space comes before it then either
        elif kind == "emoji" and before.isalnum() and follows.isalnum():
            piece += " "  # what it stands between are two words
        kept.append(piece)
        length += len(piece)
        taken.append((length, kind, text[start:end]))
    return Without("".join(kept) + text[rest:], tuple(taken))


def tags_are_whole(text: str) -> bool:
    """Whether no tag is cut in two, and each that opens is closed."""
    opened: list[str] = []
    for tag in _PAIRED.finditer(text):
        if not tag["closing"]:
            opened.append(tag["name"])
        elif not opened or opened.pop() != tag["name"]:
            return False
    return not opened and not re.search(r"<[A-Za-z/][^<>]*$|^[^<>]*>", text)


def _belong(text: str, runs: Sequence[Fragment], run: Fragment) -> int:
    """How many of the last runs are one with the next: neighbours that are no tags (%Y-%m), or all since the tag that it closes."""
    closing = _PAIRED.fullmatch(text, run.start, run.end)
    if closing and not closing["closing"]:
        return 0
    end = run.start
    for count, before in enumerate(islice(reversed(runs), _DEEPEST), 1):
        if not _BETWEEN.fullmatch(text, before.end, end) or text[before.end - 1] in _SETS_OFF:
            break
        tag = _PAIRED.fullmatch(text, before.start, before.end)
        if closing is None:
            return int(tag is None)
        if tag and not tag["closing"] and tag["name"] == closing["name"]:
            return count
        end = before.start
    return 0


def _with_brackets(text: str, fragment: Fragment) -> Fragment:
    kind, start, end = fragment
    if start and kind != "markup" and _PAIRS.get(text[start - 1]) == text[end : end + 1]:
        return Fragment(kind, start - 1, end + 1)
    return fragment


def _with_its_colon(text: str, run: Fragment) -> Fragment:
    """A placeholder or an address that a text begins with takes what sets it off with it: {name}: come in."""
    alone = run.kind in ("placeholder", "address") and not text[: run.start].strip()
    follow = text[run.end : run.end + 2]
    apart = alone and follow[:1] in _SETS_OFF and follow[1:].isspace()
    return Fragment(run.kind, run.start, run.end + 1) if apart else run


def put_back(
    without: Without,
    translation: str,
    aligned: Callable[[Span], int],
    *,
    spaces: bool = True,
    begun: str = "",
    given: int = 0,
) -> str:
    """The translation of `without.text` with the fragments in it, in their order where they meet.

    `aligned` gives, for a word (start, end) of `without.text`, a place within the translation of that word. `spaces` says
    whether the language of the translation puts spaces between words. `begun` is what takes the place of the translation's
    first `given` characters: a fragment that is in it is not put back once more, and the others come after it.
    """
    cuts = [0, *(offset for offset, _, _ in without.taken), len(without.text)]
    words = [word.span() for cut in pairwise(cuts) for word in _WORD.finditer(without.text, *cut)]
    targets = [match.span() for match in _WORD.finditer(translation)]
    goes_on = next((end for start, end in targets if start < given < end), given)
    next_word = next((start for start, _ in targets if start >= goes_on), goes_on) if given else 0

    starts, ends = [start for start, _ in words], [end for _, end in words]

    @cache
    def target(word: Span) -> Span:
        place = aligned(word)
        start, end = min(targets, key=lambda span: max(span[0] - place, place - span[1] + 1))
        while translation[end : end + 1] and translation[end] in _CLOSING:
            end += 1
        return start, end

    taken = _but_for(without.taken, begun)
    pairs = _pairs(taken)
    partner = {**pairs, **{last: first for first, last in pairs.items()}}
    places: list[tuple[int, int]] = []
    for order, (offset, kind, fragment) in enumerate(taken):
        count, first = bisect_right(ends, offset), bisect_left(starts, offset)
        before, after = words[max(0, count - 1) : count], words[first : first + 1]
        stands_alone = not after and not without.text[:offset].rstrip()[-1:].isalnum()  # Page: {url}
        about_all = kind == "emoji" or fragment[-1] in _SETS_OFF
        if stands_alone or not targets or (about_all and not (before and after)):
            # An emoji at either end, or "{name}:", is about all of the sentence.
            inside = targets and not stands_alone and without.text[offset:].strip()
            last = targets[-1][1] if inside else len(translation)
            places.append((max(last, goes_on) if before or not after else next_word, order))
            continue
        opens = not before or (bool(after) and not _clings(without.text, offset, kind, fragment))
        beside = [after[0] if opens else before[-1]]
        if order in partner:  # a tag of a pair stands outside of all that the pair is around
            begin, end = sorted((offset, taken[partner[order]][0]))
            beside = words[bisect_left(starts, begin) : bisect_right(ends, end)] or beside
        spans = [target(word) for word in beside]
        place = min(start for start, _ in spans) if opens else max(end for _, end in spans)
        places.append((max(place, next_word if opens else goes_on), order))
    places = _nested(places, pairs, translation)
    pieces = [begun]
    done, end_of_it = given, begun[-1:]
    for (at, order), (following, _) in pairwise([*places, (-1, -1)]):
        _, kind, fragment = taken[order]
        gap = " " if spaces and kind != "markup" else ""
        end_of_it = translation[done:at][-1:] or end_of_it
        follows = translation[at : at + 1] if following != at else ""
        pieces += [
            translation[done:at],
            "" if not end_of_it.strip() or end_of_it in _PAIRS else gap,
            fragment,
        ]
        pieces.append(gap if follows.isalnum() or (follows and follows in _PAIRS) else "")
        done, end_of_it = at, (pieces[-1] or fragment)[-1]
    return "".join((*pieces, translation[done:]))


def _but_for(taken: Sequence[tuple[int, Kind, str]], begun: str) -> list[tuple[int, Kind, str]]:
    """The fragments without those that a translation begins with; of several that stood side by side, and are one, the others."""
    said = Counter(begun[start:end] for _, start, end in find_fragments(begun))
    left: list[tuple[int, Kind, str]] = []
    for offset, kind, fragment in taken:
        parts = find_fragments(fragment) or [Fragment(kind, 0, len(fragment))]
        lacking = list[tuple[int, Kind, str]]()
        for part in parts:
            own = fragment[part.start : part.end]
            if said[own]:
                said[own] -= 1
            else:
                lacking.append((offset, part.kind, own))
        left += lacking if len(lacking) < len(parts) else [(offset, kind, fragment)]
    return left


def _nested(places: Sequence[tuple[int, int]], pairs: Mapping[int, int], text: str) -> list[tuple[int, int]]:
    """Each place in the text and its fragment, in an order in which no two pairs of tags cross, though their words may have changed places."""
    at = {order: place for place, order in places}
    spans: list[tuple[int, int, int]] = []  # begin, end and opening tag: pairs side by side in `text`
    outermost: list[int] = []  # the opening tags of those that no other pair is around yet
    rank: dict[int, tuple[int, int]] = {}  # of an opening tag among the fragments at its place
    for first in sorted(pairs, key=pairs.__getitem__):  # those within before those around them
        last = pairs[first]
        begin, end = at[first], max(at[first], at[last])
        meeting = bisect_right(spans, begin, key=itemgetter(1))
        while meeting < len(spans) and spans[meeting][0] < end:
            other_begin, other_end, other = spans[meeting]
            if other < first and begin < other_begin:  # it came before this pair, and is across it now
                end = other_begin
            elif other < first:
                begin = len(text) - len(text[other_end:].lstrip())
                end = max(begin, end)
            meeting += 1
        while outermost and outermost[-1] > first:
            inner = outermost.pop()
            begin, end = min(begin, at[inner]), max(end, at[pairs[inner]])
        at[first], at[last] = begin, end
        outermost.append(first)
        covered = slice(
            bisect_left(spans, begin, key=itemgetter(0)), bisect_right(spans, end, key=itemgetter(1))
        )
        if begin < end:  # around what was covered, also where both begin at one place
            ranks = [rank.get(other, (other, 0))[0] for place, _, other in spans[covered] if place == begin]
            rank[first] = min([first, *ranks]), -end
        spans[covered] = [(begin, end, first)]
    closing = {last for first, last in pairs.items() if at[first] < at[last]}
    return sorted(
        ((place, order) for order, place in at.items()),
        key=lambda each: (each[0], each[1] not in closing, rank.get(each[1], (each[1], 0)), each[1]),
    )


def _pairs(taken: Sequence[tuple[int, Kind, str]]) -> dict[int, int]:
    """Of each tag that has its counterpart, where it stands among all fragments, and where that does."""
    opened: list[tuple[str, int]] = []
    found: dict[int, int] = {}
    for order, (_, _, fragment) in enumerate(taken):
        tag = _PAIRED.fullmatch(fragment)
        if tag and not tag["closing"]:
            opened.append((tag["name"], order))
        elif tag and opened and opened[-1][0] == tag["name"]:
            found[opened.pop()[1]] = order
    return found


def _clings(text: str, offset: int, kind: Kind, fragment: str) -> bool:
    """Whether a fragment belongs to the word before it rather than to the one after: </b>, 25°C, tea ☕, and what ends a clause."""
    before, follows = text[max(0, offset - 2) : offset], text[offset : offset + 1]
    if fragment.startswith("<"):
        return fragment.startswith("</") or not (follows.isspace() or follows.isalnum())
    before = before.rstrip() if kind == "emoji" else before
    return before[-1:].isalnum() or not (follows.isspace() or follows.isalnum())
