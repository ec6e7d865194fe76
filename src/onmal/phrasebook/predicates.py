"""The verb group in both languages at once: mood, tense, negation, style and ending, with their alignment.

A Korean verb group is a chain: the verb in a linking form, auxiliaries, and a last predicate that carries tense and ending
(먹고 싶지 않았어요). The English group has up to three places in its clause: a lead at the very front (if, because, please), a
finite auxiliary that moves before the subject in questions (did, can't), and the rest (want to eat). Every word on both
sides carries a tag, "v" the verb itself, "m" mood, "n" negation, "f" future, "j" joint; words of one tag are aligned.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from onmal.phrasebook.english import EnglishVerb
from onmal.phrasebook.korean import (
    BECOME,
    CANNOT,
    DO,
    EXIST,
    LACK,
    NOT,
    NOT_ADJECTIVE,
    NOT_BE,
    SEE,
    WANT,
    Predicate,
    attach,
    conjugate,
    conjugate_copula,
    honored,
)

__all__ = [
    "COMMANDS",
    "FRONT",
    "IT",
    "JOINTS",
    "LEAD",
    "MAIN",
    "ME",
    "MOODS",
    "THEY",
    "Agreement",
    "Piece",
    "Style",
    "Tense",
    "command",
    "copula",
    "predicate",
]

Style = Literal["polite", "formal"]
Tense = Literal["past", "present", "future"]
Links = tuple[tuple[int, int], ...]
Words = tuple[str, ...]

# What an English verb agrees with.
Agreement = Literal[0, 1, 2]
ME: Final = 0
THEY: Final = 1  # you, we and every plural
IT: Final = 2

# The places that a piece can fill in an English clause.
MAIN: Final = 0
FRONT: Final = 1
LEAD: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Some words of a sentence in both languages, aligned: adjacent in Korean, at up to three places in English.

    `links` and `english` are indexed by MAIN, FRONT and LEAD; `head` is the Korean word (-1 where unsaid) and the English
    word that stand for the piece when its role is named, the latter in its main part, or the first said if that is empty.
    """

    korean: Words
    english: tuple[Words, Words, Words]
    links: tuple[Links, Links, Links]
    head: tuple[int, int]

    @classmethod
    def of(cls, korean: str, english: str, head: tuple[int, int] | None = None) -> Piece:
        """A piece all of whose words are aligned with each other; its head is the last word on each side."""
        left, right = tuple(korean.split()), tuple(english.split())
        links = tuple((i, j) for i in range(len(left)) for j in range(len(right)))
        return cls(left, (right, (), ()), (links, (), ()), head or (len(left) - 1, len(right) - 1))


Tagged = tuple[tuple[str, str], ...]


def _tag(text: str, tag: str) -> Tagged:
    return tuple((word, tag) for word in text.split())


def _piece(korean: Tagged, main: Tagged, front: Tagged, lead: Tagged) -> Piece:
    """Align by tag. A tag of English alone (if, did) goes with the last Korean word, one of Korean alone with the word before."""
    heard = {tag for part in (main, front, lead) for _, tag in part}
    said: Tagged = ()
    for word, tag in korean:
        said += ((word, tag if tag in heard or not said else said[-1][1]),)
    tags, last = {tag for _, tag in said}, said[-1][1]

    def links(part: Tagged) -> Links:
        pairs = [
            (i, j)
            for j, (_, b) in enumerate(part)
            for i, (_, a) in enumerate(said)
            if a == (b if b in tags else last)
        ]
        # Of a tag that only the ending says, the last word alone is meant.
        only_last = {j for j, (_, b) in enumerate(part) if b not in tags}
        return tuple((i, j) for i, j in pairs if j not in only_last or i == len(said) - 1)

    def words(part: Tagged) -> Words:
        return tuple(word for word, _ in part)

    head_korean = next(i for i, (_, tag) in enumerate(korean) if tag == "v")
    head_english = next((j for j, (_, tag) in enumerate(main) if tag == "v"), 0)
    parts = (main, front, lead)
    return Piece(
        words(korean),
        (words(main), words(front), words(lead)),
        (links(parts[0]), links(parts[1]), links(parts[2])),
        (head_korean, head_english),
    )


# --- moods ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mood:
    """How a mood is said: the Korean links, the predicate that ends it, and the English finite word with its complement."""

    links: tuple[tuple[str, str], ...]  # an ending for the verb, or "" and a word
    last: Predicate | None
    denied: Predicate | None  # the last predicate when denied, where that is a word of its own (없다, 모르다)
    finite: str  # "" the verb itself; else be, have, a modal or another verb
    between: str = ""
    form: Literal["base", "gerund", "participle"] = "base"


_HAVE: Final = Predicate("있", "existential")  # honoured 있으시, not 계시: there is a way, not a person
_KNOW: Final = Predicate("알", "verb")
_NOT_KNOW: Final = Predicate("모르", "verb", "르")
_LIKE: Final = Predicate("좋아하", "verb")
_START: Final = Predicate("시작하", "verb")

MOODS: Final[dict[str, Mood]] = {
    "plain": Mood((), None, None, ""),
    "lack": Mood((), None, None, ""),  # a verb that denies by itself: 모르다, 없다
    "progressive": Mood((("고", ""),), EXIST, None, "be", "", "gerund"),
    "wish": Mood((("고", ""),), WANT, None, "want", "to"),
    "wish of another": Mood((("고", ""), ("", "싶어")), DO, None, "want", "to"),
    "ability": Mood((("future-adnominal", ""), ("", "수")), _HAVE, LACK, "can"),
    "failure": Mood((("지", ""),), CANNOT, CANNOT, "can"),
    "obligation": Mood((("어야", ""),), DO, None, "have", "to"),
    "permission": Mood((("어도", ""),), BECOME, None, "may"),
    "ban": Mood((("으면", ""), ("", "안")), BECOME, BECOME, "must"),
    "intention": Mood((("으려고", ""),), DO, None, "be", "going to"),
    "attempt": Mood((("어", ""),), SEE, None, "try", "", "gerund"),
    "experience": Mood((("past-adnominal", ""), ("", "적이")), _HAVE, LACK, "have", "", "participle"),
    "skill": Mood((("future-adnominal", ""), ("", "줄")), _KNOW, _NOT_KNOW, "know", "how to"),
    "pleasure": Mood((("present-adnominal", ""), ("", "것을")), _LIKE, None, "like", "", "gerund"),
    "beginning": Mood((("기", ""),), _START, None, "start", "", "gerund"),
}


def _chain(verb: Predicate, mood: Mood, negative: bool, is_honored: bool) -> tuple[Tagged, Predicate, str]:
    """The words said before the last predicate, that predicate, and its tag."""

    def base(word: Predicate) -> Predicate:
        return honored(word) if is_honored and word.honorific else word

    said: Tagged = ()
    current, tag = verb, "v"
    if mood.last is not None:
        for ending, word in mood.links:
            said += _tag(conjugate(base(verb), ending), "v") if ending else _tag(word, "m")
        current, tag = mood.last, "m"
    if negative and mood.denied is not None:
        current = mood.denied
    elif negative:
        said += _tag(conjugate(base(current), "지"), tag)
        current, tag = NOT_ADJECTIVE if current.kind == "adjective" else NOT, "n"
    return said, honored(current) if is_honored else current, tag


# --- endings -------------------------------------------------------------------------------------------------------

# name -> (Korean ending in the present, in the past, word that follows it, English lead)
JOINTS: Final[dict[str, tuple[str, str, str, str]]] = {
    "because": ("어서", "어서", "", "because"),
    "since": ("으니까", "었으니까", "", "because"),
    "if": ("으면", "었으면", "", "if"),
    "when": ("future-adnominal", "었을", "때", "when"),
    "and": ("고", "고", "", "and"),
    "then": ("고", "고", "나서", "and then"),
    "but": ("지만", "었지만", "", "but"),
    "purpose": ("으러", "으러", "", "to"),
    "before": ("기", "기", "전에", "before"),
    "after": ("past-adnominal", "past-adnominal", "후에", "after"),
    "while": ("으면서", "으면서", "", "while"),
    "as soon as": ("자마자", "자마자", "", "as soon as"),
}
_GERUND_JOINTS: Final = ("before", "after", "while")
_ADNOMINALS: Final = {"past": "past-adnominal", "present": "present-adnominal", "future": "future-adnominal"}


def _finish(chain: tuple[Tagged, Predicate, str], tense: Tense, ending: str, style: Style) -> Tagged:
    said, last, tag = chain
    if ending in JOINTS:
        present, past, after, _ = JOINTS[ending]
        return said + _tag(conjugate(last, past if tense == "past" else present), tag) + _tag(after, "j")
    if ending == "adnominal":
        return said + _tag(conjugate(last, _ADNOMINALS[tense]), tag)
    formal = "습니까" if ending == "question" else "습니다"
    if tense == "future":
        final = conjugate_copula("것", formal) if style == "formal" else conjugate_copula("거", "어요")
        return said + _tag(conjugate(last, "future-adnominal"), tag) + _tag(final, "f")
    form = formal if style == "formal" else "어요"
    if tense == "past":
        form = "었" + formal if style == "formal" else "었어요"
    return said + _tag(conjugate(last, form), tag)


# --- English -------------------------------------------------------------------------------------------------------

_BE: Final = {"present": ("am", "are", "is"), "past": ("was", "were", "was")}
_NOT_BE: Final = {"present": ("am not", "aren't", "isn't"), "past": ("wasn't", "weren't", "wasn't")}
_DENIED: Final = {"can": "can't", "could": "couldn't", "may": "may not", "must": "must not"}


def _be(tense: Tense, negative: bool, subject: Agreement) -> str:
    return (_NOT_BE if negative else _BE)[tense][subject]


def _do(tense: Tense, negative: bool, subject: Agreement) -> str:
    word = "did" if tense == "past" else "does" if subject == IT else "do"
    return word + "n't" if negative else word


def _english(
    verb: EnglishVerb, mood: Mood, tense: Tense, negative: bool, subject: Agreement, inverted: bool
) -> tuple[Tagged, Tagged]:
    """The finite auxiliary, if any, and the rest of the verb group."""
    if mood.finite in ("can", "may", "must"):
        modal = "could" if mood.finite == "can" and tense == "past" else mood.finite
        return _tag(_DENIED[modal] if negative else modal, "m"), _tag(verb.base, "v")
    if mood.form == "participle":
        never = _tag("never" if negative else "", "m")
        return _tag("has" if subject == IT else "have", "m"), never + _tag(verb.participle, "v")
    finite, tag = (EnglishVerb(mood.finite), "m") if mood.finite else (verb, "v")
    rest: Tagged = ()
    if mood.finite:
        rest = _tag(mood.between, "m") + _tag(verb.gerund if mood.form == "gerund" else verb.base, "v")
    is_be = finite.base.split()[0] == "be"
    denial = "n" if negative else tag
    if tense == "future":
        return _tag("won't", "n") if negative else _tag("will", "f"), _tag(finite.base, tag) + rest
    if is_be:
        return _tag(_be(tense, negative, subject), denial), _tag(finite.base[3:], tag) + rest
    if negative or inverted:
        return _tag(_do(tense, negative, subject), denial), _tag(finite.base, tag) + rest
    form = finite.past if tense == "past" else finite.third if subject == IT else finite.base
    return (), _tag(form, tag) + rest


@cache
def predicate(
    korean: Predicate,
    english: EnglishVerb,
    mood: str,
    tense: Tense,
    negative: bool,
    ending: str,
    style: Style,
    subject: Agreement,
    is_honored: bool,
    inverted: bool,
) -> Piece:
    """The verb group as a piece. `ending` is "statement", "question", "adnominal" or one of JOINTS.

    Before, after and while take a gerund in English (while listening); `inverted` says that English needs an auxiliary.
    """
    how = MOODS[mood]
    negative = negative or mood in ("failure", "ban")
    words = _finish(_chain(korean, how, negative and mood != "lack", is_honored), tense, ending, style)
    front: Tagged = ()
    if ending in _GERUND_JOINTS:
        main = _tag(english.gerund, "v")
    elif ending == "purpose":
        main = _tag(english.base, "v")
    else:
        front, main = _english(english, how, tense, negative, subject, inverted)
    lead = _tag(JOINTS[ending][3], "j") if ending in JOINTS else ()
    return _piece(words, main, front, lead)


# --- requests and the like: the person addressed acts ---------------------------------------------------------------

# name -> (Korean ending polite, formal ("" where there is none), English lead)
COMMANDS: Final[dict[str, tuple[str, str, str]]] = {
    "request": ("어 주세요", "어 주십시오", "please"),
    "instruction": ("으세요", "으십시오", ""),
    "prohibition": ("지 마세요", "지 마십시오", "don't"),
    "suggestion": ("어요", "읍시다", "let's"),
    "proposal": ("을까요", "", "shall we"),
    "invitation": ("을래요", "", "would you like to"),
    "offer": ("을게요", "", "let me"),
}


@cache
def command(korean: Predicate, english: EnglishVerb, name: str, style: Style) -> Piece:
    """The verb group of a request, an order, a suggestion or an offer (COMMANDS)."""
    polite, formal, lead = COMMANDS[name]
    ending, _, auxiliary = (formal if style == "formal" else polite).partition(" ")
    words = _tag(conjugate(korean, ending), "v") + _tag(auxiliary, "m")
    return _piece(words, _tag(english.base, "v"), (), _tag(lead, "m"))


# --- nouns as predicates ---------------------------------------------------------------------------------------------

_HONORED_COPULA: Final = {"어요": "으세요", "었어요": "으셨어요", "습니다": "으십니다", "습니까": "으십니까"}


@cache
def copula(
    korean: str,
    english: str,
    subject: Agreement,
    style: Style,
    tense: Tense = "present",
    negative: bool = False,
    asks: bool = False,
    is_honored: bool = False,
) -> Piece:
    """`korean` as what somebody or something is: 의사예요, 의사가 아니었어요; "is a doctor", "wasn't a doctor"."""
    name = "어요"
    if style == "formal":
        name = "습니까" if asks else "습니다"
    if tense == "past":
        name = "었" + name
    if is_honored:
        name = _HONORED_COPULA.get(name, "으셨" + name[1:])
    *before, noun = korean.split()
    said = tuple((word, "v") for word in before)
    if negative:
        said += ((attach(noun, "이"), "v"), (conjugate(NOT_BE, name), "n"))
    else:
        said += ((conjugate_copula(noun, name), "v"),)
    piece = _piece(
        said, _tag(english, "v"), _tag(_be(tense, negative, subject), "n" if negative else "v"), ()
    )
    return Piece(piece.korean, piece.english, piece.links, (len(before), len(piece.english[MAIN]) - 1))
