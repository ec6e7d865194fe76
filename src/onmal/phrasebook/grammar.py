"""How pieces become phrases: noun phrases, subjects, clauses and sentences, in both languages, aligned by construction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from onmal.phrasebook.english import cardinal, possessive, with_article
from onmal.phrasebook.korean import attach, conjugate
from onmal.phrasebook.lexicon import Adjective, Noun
from onmal.phrasebook.numbers import native
from onmal.phrasebook.predicates import FRONT, IT, LEAD, MAIN, ME, THEY, Agreement, Piece, Style

__all__ = [
    "ME_SAID",
    "ME_UNSAID",
    "WE",
    "YOU",
    "Clause",
    "Phrase",
    "Subject",
    "as_piece",
    "build",
    "counted",
    "joined",
    "noun_phrase",
    "phrase",
    "subject_of",
]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence in both languages. Words are counted by spaces from 0; -1 stands for a word that is not said.

    `alignment` holds (Korean word, English word); `roles` holds (role, Korean word, English word) for agent, patient,
    recipient, verb and the like, clause by clause; `frame` names the pattern that made it.
    """

    korean: str
    english: str
    alignment: tuple[tuple[int, int], ...]
    roles: tuple[tuple[str, int, int], ...]
    frame: str
    style: Style


# --- noun phrases --------------------------------------------------------------------------------------------------

_DETERMINERS: Final = {
    "my": "제",
    "our": "우리",
    "this": "이",
    "that": "그",
    "which": "어느",
    "what kind of": "어떤",
}
_PLURAL_DETERMINERS: Final = {"this": "these", "that": "those"}


def _aligned(pairs: Sequence[tuple[str, str]]) -> Piece:
    """A piece of Korean words and their English, in the same order; a word may be "" on either side."""
    korean: list[str] = []
    english: list[str] = []
    links = []
    for left, right in pairs:
        left_words, right_words = left.split(), right.split()
        links += [
            (len(korean) + i, len(english) + j)
            for i in range(len(left_words))
            for j in range(len(right_words))
        ]
        korean += left_words
        english += right_words
    return Piece(
        tuple(korean), (tuple(english), (), ()), (tuple(links), (), ()), (len(korean) - 1, len(english) - 1)
    )


@cache
def noun_phrase(
    noun: Noun,
    particle: str,
    determiner: str = "",
    adjective: Adjective | None = None,
    owner: Noun | None = None,
    preposition: str = "",
    plural: bool = False,
) -> Piece:
    """A noun with its particle, and a determiner, an owner or an adjective; bare it is indefinite (a, or no article).

    `determiner` is "the" (said by the topic particle alone), "my", "our", "this", "that", "which" or "what kind of".
    """
    head = attach(noun.korean, particle) if particle else noun.korean
    pairs: list[tuple[str, str]] = []
    adjective_ko = conjugate(adjective.korean, "present-adnominal") if adjective else ""
    adjective_en = adjective.english if adjective else ""
    english = noun.plural if plural else noun.english
    article = ""
    if owner is not None:
        pairs.append((owner.korean + "의", possessive(owner.english)))
    elif determiner == "the" or (not determiner and noun.kind == "the"):
        article = "the"
    elif determiner:
        word = _PLURAL_DETERMINERS.get(determiner, determiner) if noun.kind == "plural" else determiner
        pairs.append((_DETERMINERS[determiner], word))
    elif noun.kind == "count" and not plural:
        article = with_article(f"{adjective_en} {english}".strip()).split()[0]
    if adjective:
        pairs.append((adjective_ko, adjective_en))
    pairs.append((head, english))
    piece = _aligned(pairs)
    if article:
        piece = _with_front_word(piece, article)
    return _with_front_word(piece, preposition) if preposition else piece


def _with_front_word(piece: Piece, words: str) -> Piece:
    """The piece with English words before it that are said in Korean by the form of its head."""
    before = tuple(words.split())
    size = len(before)
    links = tuple((piece.head[0], j) for j in range(size)) + tuple(
        (i, j + size) for i, j in piece.links[MAIN]
    )
    return Piece(
        piece.korean,
        (before + piece.english[MAIN], (), ()),
        (links, (), ()),
        (piece.head[0], piece.head[1] + size),
    )


_MEASURES: Final = {
    "잔": "cup",
    "병": "bottle",
    "그릇": "bowl",
    "조각": "piece",
    "접시": "plate",
    "장": "sheet",
}


@cache
def counted(noun: Noun, number: int, particle: str) -> Piece:
    """Things counted: 사과 세 개를, three apples; 커피 두 잔을, two cups of coffee; 바지 한 벌을, one pair of pants."""
    unit = attach(noun.counter, particle) if particle else noun.counter
    if noun.kind in ("mass", "plural"):
        measure = "pair" if noun.kind == "plural" else _MEASURES[noun.counter]
        measure += "s" if number > 1 else ""
        english: tuple[str, ...] = (cardinal(number), measure, "of", *noun.english.split())
        links = ((1, 0), (2, 1), (2, 2), *((0, j) for j in range(3, len(english))))
    else:
        english = (cardinal(number), *(noun.plural if number > 1 else noun.english).split())
        links = ((1, 0), *((i, j) for i in (0, 2) for j in range(1, len(english))))
    korean = (noun.korean, native(number, adnominal=True), unit)
    return Piece(korean, (english, (), ()), (links, (), ()), (0, len(english) - 1))


# --- subjects ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """Who acts: as a topic (은/는) and as a plain subject (이/가), what the English verb agrees with, and whose "his" is."""

    topic: Piece
    nominative: Piece
    agreement: Agreement
    noun: Noun | None = None
    is_topic: bool = True  # whether main clauses make it the topic
    is_honored: bool = False
    owner: str = ""  # my, your, our, his, her; "" where Korean does not tell

    @property
    def key(self) -> str:
        """Its name in combinations."""
        return self.noun.key if self.noun else self.topic.english[MAIN][0]


def _unsaid(english: str) -> Piece:
    return Piece((), ((english,), (), ()), ((), (), ()), (-1, 0))


ME_UNSAID: Final = Subject(_unsaid("I"), _unsaid("I"), ME, owner="my")
ME_SAID: Final = Subject(Piece.of("저는", "I"), Piece.of("제가", "I"), ME, owner="my")
YOU: Final = Subject(_unsaid("you"), _unsaid("you"), THEY, owner="your")
WE: Final = Subject(Piece.of("우리는", "we"), Piece.of("우리가", "we"), THEY, owner="our")


@cache
def subject_of(noun: Noun, determiner: str = "") -> Subject:
    """A noun as the subject. "" is indefinite and takes 이/가 (a cat); "the" is said by 은/는; names are always definite."""
    is_elder = "elder" in noun.marks
    subject_particle = "께서" if is_elder else "이"
    is_topic = bool(determiner) or noun.kind in ("name", "the")
    owner = "his" if "he" in noun.marks else "her" if "she" in noun.marks else ""
    return Subject(
        noun_phrase(noun, "은", determiner),
        noun_phrase(noun, subject_particle, "" if determiner == "the" else determiner),
        THEY if noun.kind in ("plural", "own") else IT,
        noun,
        is_topic,
        is_elder,
        owner,
    )


# --- clauses -------------------------------------------------------------------------------------------------------

_COMMA: Final = -1


@dataclass(slots=True, eq=False)
class Clause:
    """Pieces in Korean order, and the English order as codes: 3 * piece + place (MAIN, FRONT, LEAD), or a comma."""

    pieces: list[Piece]
    order: list[int]
    roles: list[tuple[str, int]]
    verb: int = 0  # the piece whose LEAD is the conjunction


def build(
    subject: Subject | None,
    arguments: Sequence[tuple[str, Piece]],
    english_order: Sequence[int],
    verb: Piece,
    *,
    time: Piece | None = None,
    adverb: Piece | None = None,
    inverted: bool = False,
    as_topic: bool = True,
    conjunction_first: bool = True,
    role: str = "agent",
) -> Clause:
    """A clause. Korean: topic, time, plain subject, adverb, arguments, verb. English: leads, subject, verb, arguments, time.

    `inverted` puts the auxiliary before the subject; an adverb (often) stands between auxiliary and verb. The LEAD of an
    argument or time (a question word) comes first.
    """
    pieces: list[Piece] = []
    roles: list[tuple[str, int]] = []
    leads: list[int] = []
    subject_at = time_at = -1
    topic = subject is not None and as_topic and subject.is_topic
    if subject is not None and topic:
        subject_at = 0
        pieces.append(subject.topic)
        roles.append((role, 0))
    if time is not None:
        time_at = len(pieces)
        pieces.append(time)
        if time.english[LEAD]:
            leads.append(3 * time_at + LEAD)
    if subject is not None and not topic:
        subject_at = len(pieces)
        pieces.append(subject.nominative)
        roles.append((role, subject_at))
    adverb_at = len(pieces)
    if adverb is not None:
        pieces.append(adverb)
    first = len(pieces)
    for name, piece in arguments:
        at = len(pieces)
        if piece.english[LEAD]:
            leads.append(3 * at + LEAD)
        if name:
            roles.append((name, at))
        pieces.append(piece)
    verb_at = len(pieces)
    pieces.append(verb)
    roles.append(("verb", verb_at))
    order = [3 * verb_at + LEAD] if conjunction_first and verb.english[LEAD] else []
    order += leads
    front = 3 * verb_at + FRONT
    if inverted:
        order.append(front)
    if subject_at >= 0:
        order.append(3 * subject_at)
    if not inverted and verb.english[FRONT]:
        order.append(front)
    if adverb is not None:
        order.append(3 * adverb_at)
    order.append(3 * verb_at)
    order += [3 * (first + i) for i in english_order]
    if time_at >= 0:
        order.append(3 * time_at)
    return Clause(pieces, order, roles, verb_at)


def joined(
    first: Clause, second: Clause, *, english_first: bool, comma: bool, conjunction_between: bool = False
) -> Clause:
    """Two clauses: in Korean `first` comes first; in English it comes first or last, with a comma or none between."""
    shift = len(first.pieces)
    later = [code + 3 * shift if code != _COMMA else code for code in second.order]
    middle = [_COMMA] if comma else []
    if conjunction_between:
        middle.append(3 * first.verb + LEAD)
    order = first.order + middle + later if english_first else later + middle + first.order
    roles = first.roles + [(name, at + shift) for name, at in second.roles]
    return Clause(first.pieces + second.pieces, order, roles, second.verb + shift)


def _lay_out(
    clause: Clause,
) -> tuple[list[str], list[str], list[tuple[int, int]], list[int], list[int]]:
    """The words of both languages, their links, and where each piece begins in Korean and in English."""
    korean: list[str] = []
    starts: list[int] = []
    pieces = clause.pieces
    for piece in pieces:
        starts.append(len(korean))
        korean += piece.korean
    english: list[str] = []
    links: list[tuple[int, int]] = []
    begins = [-1] * len(pieces)
    for code in clause.order:
        if code < 0:
            english[-1] += ","
            continue
        at, place = divmod(code, 3)
        piece = pieces[at]
        words = piece.english[place]
        if words:
            start, begin = starts[at], len(english)
            if place == MAIN or begins[at] < 0:
                begins[at] = begin
            english += words
            for i, j in piece.links[place]:
                links.append((start + i, begin + j))
    return korean, english, links, starts, begins


def as_piece(clause: Clause, head: int) -> Piece:
    """The clause as one piece, in Korean and in English one run of words, whose head is the piece at `head`."""
    korean, english, links, starts, begins = _lay_out(clause)
    piece = clause.pieces[head]
    at = (starts[head] + piece.head[0], begins[head] + piece.head[1])
    return Piece(tuple(korean), (tuple(english), (), ()), (tuple(links), (), ()), at)


def phrase(clause: Clause, frame: str, style: Style, mark: str) -> Phrase:
    """The sentence, with its mark at the end of both sides and a capital in English."""
    korean, english, links, starts, begins = _lay_out(clause)
    pieces = clause.pieces
    roles = []
    for name, at in clause.roles:
        left, right = pieces[at].head
        roles.append((name, starts[at] + left if left >= 0 else -1, begins[at] + right))
    links.sort()
    text = " ".join(english)
    return Phrase(
        " ".join(korean) + mark, text[0].upper() + text[1:] + mark, tuple(links), tuple(roles), frame, style
    )
