"""English morphology (American spelling): plurals, articles, verb forms, degrees, pronouns, number words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

__all__ = [
    "IRREGULAR",
    "Case",
    "EnglishVerb",
    "Gender",
    "Number",
    "Person",
    "Tense",
    "article",
    "be",
    "cardinal",
    "comparative",
    "do",
    "finite",
    "have",
    "ordinal",
    "ordinal_figure",
    "plural",
    "possessive",
    "pronoun",
    "superlative",
    "with_article",
]

Person = Literal[1, 2, 3]
Number = Literal["singular", "plural"]
Tense = Literal["present", "past", "future"]
Gender = Literal["masculine", "feminine", "neuter", "common"]
Case = Literal["subject", "object", "determiner", "possessive", "reflexive"]

# --- nouns -------------------------------------------------------------------------------------

_IRREGULAR_PLURALS: Final = """
    child children, person people, foot feet, tooth teeth, goose geese, mouse mice, quiz quizzes, hero heroes,
    potato potatoes, tomato tomatoes, echo echoes, stomach stomachs, knife knives, life lives, wife wives,
    leaf leaves, loaf loaves, half halves, shelf shelves, wolf wolves, thief thieves, scarf scarves
"""
# These hold for compounds too: bookshelves, grandchildren, salespeople.
_PLURALS: Final = tuple(tuple(pair.split()) for pair in _IRREGULAR_PLURALS.split(","))
_ONE_FORM: Final = frozenset(
    {
        *("sheep", "deer", "shrimp", "salmon", "squid", "series", "species", "aircraft", "won", "yen"),
        *("pants", "trousers", "jeans", "shorts", "pajamas", "clothes", "scissors", "glasses", "sunglasses"),
        *("headphones", "earphones"),
    }
)
_NOT_MEN: Final = frozenset({"human", "German", "Roman", "Norman", "Ottoman"})
_HISSING: Final = ("s", "x", "z", "ch", "sh")
_HEAD_ENDS: Final = re.compile(r"( (?:of|in|for|with|on|at|from|to) |-in-)")


def _with_s(word: str) -> str:
    """`word` with the s of plurals and third persons: buses, countries, days."""
    if word.endswith(_HISSING):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


@cache
def plural(noun: str, irregular: str | None = None) -> str:
    """The plural of a noun or of a phrase's head: bus stops, policemen, glasses of water, mothers-in-law.

    `irregular` is the plural itself, for a noun that no rule or table knows.
    """
    if irregular is not None:
        return irregular
    head, *complement = _HEAD_ENDS.split(noun, maxsplit=1)
    if complement:
        return plural(head) + "".join(complement)
    before, space, word = noun.rpartition(" ")
    if word in _ONE_FORM or word.endswith("fish"):
        return noun
    for singular, form in _PLURALS:
        if word.endswith(singular):
            return before + space + word.removesuffix(singular) + form
    if word.endswith("man") and word not in _NOT_MEN:
        return before + space + word[:-2] + "en"
    return before + space + _with_s(word)


# Consonant sounds spelled with a vowel (a university, a one-way ticket), and vowel sounds spelled with h.
_CONSONANT_SOUND: Final = re.compile(
    r"eu|ewe|one$|once$|uni(?!n|m|d(?!i))|us[aeu]|ut[eio](?!t)|uk[ru]|uran|urin|ubiq", re.IGNORECASE
)
_SILENT_H: Final = re.compile(r"hour|honest|hono|heir|herb", re.IGNORECASE)
_SPELLED_OUT: Final = re.compile(r"(?!NASA|NATO|UNESCO|UNICEF|SIM)[A-Z]{2,}\d*|[A-Za-z]")
_VOWEL_LETTER_NAMES: Final = frozenset("AEFHILMNORSX")


@cache
def article(noun_phrase: str) -> Literal["a", "an"]:
    """The indefinite article by sound: an hour, a university, an 8 o'clock train, an MP3, a USB cable."""
    word = re.split(r"[\s-]", noun_phrase.lstrip("\"'“‘("), maxsplit=1)[0]
    if number := re.match(r"[\d,]+", word):
        figures = number.group().replace(",", "")
        leading_group = figures[: (len(figures) - 1) % 3 + 1]
        return "an" if leading_group[0] == "8" or leading_group in ("11", "18") else "a"
    if _SPELLED_OUT.fullmatch(word):
        return "an" if word[0].upper() in _VOWEL_LETTER_NAMES else "a"
    if _SILENT_H.match(word):
        return "an"
    return "an" if word[0].lower() in "aeiou" and not _CONSONANT_SOUND.match(word) else "a"


def with_article(noun_phrase: str) -> str:
    """The phrase with its indefinite article: an old house."""
    return f"{article(noun_phrase)} {noun_phrase}"


def possessive(noun_phrase: str, number: Number = "singular") -> str:
    """The possessive of a noun phrase: my mother's, the boss's, the children's; of a plural my parents'."""
    return noun_phrase + ("'" if number == "plural" and noun_phrase.endswith("s") else "'s")


# --- verbs -------------------------------------------------------------------------------------

_IRREGULAR_VERBS: Final = """
    arise arose arisen, awake awoke awoken, babysit babysat babysat, be was been, bear bore borne,
    beat beat beaten, become became become, begin began begun, bend bent bent, bet bet bet, bite bit bitten,
    bleed bled bled, blow blew blown, break broke broken, bring brought brought,
    broadcast broadcast broadcast, build built built, burst burst burst, buy bought bought, cast cast cast,
    catch caught caught, choose chose chosen, come came come, cost cost cost, creep crept crept, cut cut cut,
    deal dealt dealt, dig dug dug, do did done, draw drew drawn, drink drank drunk, drive drove driven,
    eat ate eaten, fall fell fallen, feed fed fed, feel felt felt, fight fought fought, find found found,
    flee fled fled, fly flew flown, forbid forbade forbidden, forget forgot forgotten,
    forgive forgave forgiven, freeze froze frozen, get got gotten, give gave given, go went gone,
    grind ground ground, grow grew grown, hang hung hung, have had had, hear heard heard, hide hid hidden,
    hit hit hit, hold held held, hurt hurt hurt, keep kept kept, kneel knelt knelt, know knew known,
    lay laid laid, lead led led, leave left left, lend lent lent, let let let, lie lay lain, light lit lit,
    lose lost lost, make made made, mean meant meant, meet met met, mistake mistook mistaken,
    misunderstand misunderstood misunderstood, overcome overcame overcome, overhear overheard overheard,
    oversleep overslept overslept, pay paid paid, put put put, quit quit quit, read read read,
    rebuild rebuilt rebuilt, redo redid redone, repay repaid repaid, retell retold retold,
    rewrite rewrote rewritten, ride rode ridden, ring rang rung, rise rose risen, run ran run, say said said,
    see saw seen, seek sought sought, sell sold sold, send sent sent, set set set, sew sewed sewn,
    shake shook shaken, shine shone shone, shoot shot shot, show showed shown, shrink shrank shrunk,
    shut shut shut, sing sang sung, sink sank sunk, sit sat sat, sleep slept slept, slide slid slid,
    speak spoke spoken, spend spent spent, spin spun spun, split split split, spread spread spread,
    spring sprang sprung, stand stood stood, steal stole stolen, stick stuck stuck, sting stung stung,
    stink stank stunk, strike struck struck, swear swore sworn, sweep swept swept, swell swelled swollen,
    swim swam swum, swing swung swung, take took taken, teach taught taught, tear tore torn, tell told told,
    think thought thought, throw threw thrown, undergo underwent undergone, understand understood understood,
    undo undid undone, upset upset upset, wake woke woken, wear wore worn, weep wept wept, win won won,
    wind wound wound, withdraw withdrew withdrawn, write wrote written
"""
# base -> (past, participle)
IRREGULAR: Final[dict[str, tuple[str, str]]] = {
    base: (past, participle) for base, past, participle in map(str.split, _IRREGULAR_VERBS.split(","))
}
_THIRDS: Final = {"be": "is", "have": "has"}
# Verbs of more than one syllable whose last is stressed, or is itself such a verb.
_STRESSED_AT_END: Final = (
    *("admit", "babysit", "begin", "commit", "control", "equip", "forbid", "forget", "kidnap", "occur"),
    *("omit", "patrol", "permit", "prefer", "program", "refer", "regret", "submit", "transfer", "upset"),
)


def _doubles(word: str) -> bool:
    """Whether the last consonant is doubled before a vowel: stop, run, begin, big; not visit, cook, show."""
    sounds = word.replace("qu", "q")
    if not re.search(r"[^aeiou][aeiouy][^aeiouwxy]$", " " + sounds):
        return False
    return len(re.findall(r"[aeiouy]+", sounds)) == 1 or word in _STRESSED_AT_END


def _past(word: str) -> str:
    if word.endswith("e"):
        return word + "d"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ied"
    if word.endswith("ic"):
        return word + "ked"
    return word + (word[-1] if _doubles(word) else "") + "ed"


def _gerund(word: str) -> str:
    if word.endswith("ie"):
        return word[:-2] + "ying"
    if word.endswith("e") and not word.endswith(("ee", "oe", "ye")) and word != "be":
        return word[:-1] + "ing"
    if word.endswith("ic"):
        return word + "king"
    return word + (word[-1] if _doubles(word) else "") + "ing"


@dataclass(frozen=True, slots=True)
class EnglishVerb:
    """A verb with all its forms; those not given come from `IRREGULAR` or the rules of spelling.

    Of a phrasal verb the first word is inflected: gets up, got up.
    """

    base: str
    third: str = ""
    past: str = ""
    participle: str = ""
    gerund: str = ""

    def __post_init__(self) -> None:
        word, space, rest = self.base.partition(" ")
        tail = space + rest
        past, participle = IRREGULAR.get(word) or (_past(word), _past(word))
        third = _THIRDS.get(word) or (word + "es" if word.endswith("o") else _with_s(word))
        derived = {"third": third, "past": past, "participle": participle, "gerund": _gerund(word)}
        for name, form in derived.items():
            if not getattr(self, name):
                object.__setattr__(self, name, form + tail)


_BE: Final = EnglishVerb("be")
_HAVE: Final = EnglishVerb("have")
_DO: Final = EnglishVerb("do")


def finite(verb: EnglishVerb, person: Person, number: Number, tense: Tense) -> str:
    """The form that agrees with the subject: go, goes, went, will go; of "be" am, is, are, was, were."""
    if tense == "future":
        return f"will {verb.base}"
    is_third = person == 3 and number == "singular"
    word, space, rest = verb.base.partition(" ")
    if word == "be":
        if number == "plural" or person == 2:
            form = "are" if tense == "present" else "were"
        elif tense == "past":
            form = "was"
        else:
            form = "is" if is_third else "am"
        return form + space + rest
    if tense == "past":
        return verb.past
    return verb.third if is_third else verb.base


def be(person: Person, number: Number, tense: Tense) -> str:
    """am, is, are, was, were, will be."""
    return finite(_BE, person, number, tense)


def have(person: Person, number: Number, tense: Tense) -> str:
    """have, has, had, will have."""
    return finite(_HAVE, person, number, tense)


def do(person: Person, number: Number, tense: Tense) -> str:
    """do, does, did, will do."""
    return finite(_DO, person, number, tense)


# --- adjectives --------------------------------------------------------------------------------

_COMPARED: Final = {
    "good": ("better", "best"),
    "well": ("better", "best"),
    "bad": ("worse", "worst"),
    "ill": ("worse", "worst"),
    "far": ("farther", "farthest"),
    "little": ("less", "least"),
    "much": ("more", "most"),
    "many": ("more", "most"),
    "shy": ("shyer", "shyest"),
}
# Of the words in -ly only these are adjectives of two syllables; the others are adverbs (more slowly).
_SHORT_OF_TWO: Final = frozenset(
    {
        *("quiet", "clever", "narrow", "shallow", "simple", "gentle", "humble", "noble"),
        *("chilly", "costly", "curly", "early", "friendly", "hilly", "holy", "lively", "lonely", "lovely"),
        *("oily", "silly", "ugly"),
    }
)
_LONG_OF_ONE: Final = frozenset({"fun", "real", "right", "wrong"})


def _is_short(adjective: str) -> bool:
    """Whether the degrees are made by -er and -est: one syllable, or two of which the second is y."""
    if " " in adjective or adjective in _LONG_OF_ONE:
        return False
    vowels = len(re.findall(r"[aeiouy]+", adjective))
    has_silent_e = vowels > 1 and re.search(r"[^aeiouyl]e$|[aeiou]le$", adjective) is not None
    syllables = vowels - has_silent_e
    if syllables == 1 or adjective in _SHORT_OF_TWO:
        return True
    return syllables == 2 and adjective.endswith("y") and not adjective.endswith("ly")


def _graded(adjective: str, suffix: str) -> str:
    if adjective.endswith("e"):
        return adjective + suffix[1:]
    if adjective.endswith("y") and adjective[-2:-1] not in "aeiou":
        return adjective[:-1] + "i" + suffix
    return adjective + (adjective[-1] if _doubles(adjective) else "") + suffix


@cache
def comparative(adjective: str) -> str:
    """cheaper, bigger, prettier, better, more expensive."""
    if adjective in _COMPARED:
        return _COMPARED[adjective][0]
    return _graded(adjective, "er") if _is_short(adjective) else f"more {adjective}"


@cache
def superlative(adjective: str) -> str:
    """cheapest, biggest, prettiest, best, most expensive; without "the"."""
    if adjective in _COMPARED:
        return _COMPARED[adjective][1]
    return _graded(adjective, "est") if _is_short(adjective) else f"most {adjective}"


# --- pronouns ----------------------------------------------------------------------------------

_CASES: Final[tuple[Case, ...]] = ("subject", "object", "determiner", "possessive", "reflexive")
_PRONOUNS: Final = {
    (1, "singular"): ("I", "me", "my", "mine", "myself"),
    (2, "singular"): ("you", "you", "your", "yours", "yourself"),
    (1, "plural"): ("we", "us", "our", "ours", "ourselves"),
    (2, "plural"): ("you", "you", "your", "yours", "yourselves"),
    (3, "plural"): ("they", "them", "their", "theirs", "themselves"),
}
_THIRD_SINGULAR: Final[dict[Gender, tuple[str, str, str, str, str]]] = {
    "masculine": ("he", "him", "his", "his", "himself"),
    "feminine": ("she", "her", "her", "hers", "herself"),
    "neuter": ("it", "it", "its", "its", "itself"),
    "common": ("they", "them", "their", "theirs", "themselves"),
}


def pronoun(person: Person, number: Number, gender: Gender = "neuter", case: Case = "subject") -> str:
    """The personal pronoun: she, her (object), her (determiner), hers (possessive), herself (reflexive)."""
    third = (person, number) == (3, "singular")
    forms = _THIRD_SINGULAR[gender] if third else _PRONOUNS[person, number]
    return forms[_CASES.index(case)]


# --- number words ------------------------------------------------------------------------------

_SMALL: Final = (
    *(
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
    ),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS: Final = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES: Final = (
    *((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")),
)
_ORDINALS: Final = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


@cache
def cardinal(n: int) -> str:
    """The number in words: 21 -> twenty-one, 15000 -> fifteen thousand; ValueError below zero."""
    if n < 0:
        raise ValueError(f"no words for {n}")
    if n < 20:
        return _SMALL[n]
    if n < 100:
        return _TENS[n // 10] + (f"-{_SMALL[n % 10]}" if n % 10 else "")
    size, name = next(scale for scale in _SCALES if n >= scale[0])
    many, rest = divmod(n, size)
    return f"{cardinal(many)} {name}" + (f" {cardinal(rest)}" if rest else "")


@cache
def ordinal(n: int) -> str:
    """The place in words: first, twelfth, twenty-first."""
    words = cardinal(n)
    start = max(words.rfind(" "), words.rfind("-")) + 1
    last = words[start:]
    regular = last[:-1] + "ieth" if last.endswith("y") else last + "th"
    return words[:start] + _ORDINALS.get(last, regular)


def ordinal_figure(n: int) -> str:
    """The place in figures: 1st, 12th, 21st."""
    suffix = "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{suffix}"
