"""The lexicon: tables by topic, and the entries that are read from them once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from onmal.phrasebook.english import EnglishVerb, plural, with_article
from onmal.phrasebook.korean import Kind, Predicate
from onmal.phrasebook.lexicon import adjectives, homonyms, people, phrases, places, things, verbs

__all__ = ["LEXICON", "Adjective", "Lexicon", "Noun", "Time", "Verb"]


@dataclass(frozen=True, eq=False)
class Noun:
    """A noun in one sense. `key` is unique: the Korean, and the sense where a homonym needs one (배/pear)."""

    key: str
    korean: str
    english: str
    kind: str = "count"  # count, mass, plural, the, bare, name, own, said
    counter: str = ""
    marks: frozenset[str] = frozenset()
    to: str = ""
    at: str = ""

    @cached_property
    def plural(self) -> str:
        """The English plural; nouns that have one form keep it."""
        return plural(self.english) if self.kind == "count" else self.english

    def phrase(self, adjective: str = "") -> str:
        """The English noun phrase by convention: an apple, coffee, pants, the door, soccer, Minsu."""
        words = f"{adjective} {self.english}".strip()
        if self.kind == "count":
            return with_article(words)
        return f"the {words}" if self.kind == "the" else words


@dataclass(frozen=True, eq=False)
class Verb:
    """A verb with what it may be said with: objects, or the manners and places of an intransitive."""

    key: str
    korean: Predicate
    english: EnglishVerb
    takes: tuple[Noun, ...] = ()
    marks: frozenset[str] = frozenset()
    denial: Predicate | None = None


@dataclass(frozen=True, eq=False)
class Adjective:
    """An adjective with the nouns that it describes; the English of a predicate is "be" and the adjective."""

    key: str
    korean: Predicate
    english: str
    be: EnglishVerb
    takes: tuple[Noun, ...] = ()


@dataclass(frozen=True, eq=False)
class Time:
    """A time adverb and the tenses that it goes with."""

    key: str
    korean: str
    english: str
    tenses: frozenset[str]


def _rows(table: str) -> Iterator[tuple[str, list[str]]]:
    """The class under which a row stands ("" if none) and its fields."""
    group = ""
    for line in table.strip().splitlines():
        if line.startswith("= "):
            group = line[2:].strip()
        else:
            yield group, [field.strip() for field in line.split("|")]


def _predicate(entry: str, kind: Kind) -> Predicate:
    """먹다=드시, 돕다:ㅂ or 배가 부르다:르."""
    form, _, honorific = entry.partition("=")
    form, _, irregular = form.partition(":")
    return Predicate.parse(" ".join(filter(None, (form, irregular, honorific))), kind)


def _noun(fields: list[str]) -> Noun:
    key, english, counter, kind = [*fields, "", "", ""][:4]
    return Noun(key, key.partition("/")[0], english, kind or "count", counter)


def _place(fields: list[str]) -> Noun:
    korean, english, to, at = fields
    return Noun(korean, korean.partition("/")[0], english, "the", to=to, at=at)


class Lexicon:
    """Every entry, by key and by class. Reading the tables checks them: an unknown noun in a verb's entry is a KeyError."""

    def __init__(self) -> None:
        self.classes: dict[str, tuple[Noun, ...]] = {}
        self.nouns: dict[str, Noun] = {}
        self._read_nouns()
        self.transitive = tuple(self._verb(fields) for _, fields in _rows(verbs.TRANSITIVE))
        self.interaction = tuple(self._verb(fields) for _, fields in _rows(verbs.INTERACTION))
        self.intransitive = tuple(self._verb(fields) for _, fields in _rows(verbs.INTRANSITIVE))
        self.motion = tuple(
            self._verb([korean, english, "", f"{way} {particle}"])
            for _, (korean, english, way, particle) in _rows(verbs.MOTION)
        )
        self.adjectives = tuple(self._adjective(fields) for _, fields in _rows(adjectives.ADJECTIVES))
        self.feelings = tuple(self._adjective(fields) for _, fields in _rows(adjectives.FEELINGS))
        self.climate = tuple(self._adjective(fields) for _, fields in _rows(adjectives.WEATHER_ADJECTIVES))
        self.falling = tuple(self._verb(fields) for _, fields in _rows(adjectives.FALLING))
        self.pains = tuple(
            Noun(f"{key}/pain", key.partition("/")[0], english, verb)
            for _, (key, english, verb) in _rows(adjectives.PAINS)
        )
        self.times = tuple(
            Time(korean, korean, english, frozenset(tenses.split()))
            for _, (korean, english, tenses) in _rows(places.TIMES)
        )
        self.spots = tuple(
            (korean, english, self.find(takes)) for _, (korean, english, takes) in _rows(places.SPOTS)
        )
        self.positions = tuple((korean, english) for _, (korean, english) in _rows(places.POSITIONS))
        self.venues = {key: self.find(takes) for _, (key, takes) in _rows(verbs.VENUES)}
        self.frequencies = tuple((korean, english) for _, (korean, english) in _rows(verbs.FREQUENCIES))
        self.degrees = tuple((korean, english) for _, (korean, english) in _rows(adjectives.DEGREES))
        self.addresses = tuple((korean, english) for _, (korean, english) in _rows(people.ADDRESSES))
        self.sayings = tuple((korean, english) for _, (korean, english) in _rows(phrases.SAYINGS))

    def _read_nouns(self) -> None:
        def add(group: str, noun: Noun) -> None:
            self.nouns.setdefault(noun.key, noun)
            self.classes[group] = (*self.classes.get(group, ()), noun)

        for group, fields in _rows(things.THINGS):
            add(group, _noun(fields))
        for _, fields in _rows(homonyms.SENSES):
            add("senses", _noun(fields))
        for _, (korean, english, marks) in _rows(people.PEOPLE):
            noun = Noun(korean, korean, english, "count", "명", frozenset(marks.split()))
            add("everybody", noun)
            if "elder" not in noun.marks:
                add("people", noun)
        for _, (korean, english) in _rows(people.ANIMALS):
            add("animals", Noun(korean, korean, english, "count", "마리", frozenset({"animal"})))
        for _, (korean, english, gender) in _rows(people.NAMES):
            add("names", Noun(korean, korean, english, "name", "", frozenset({gender})))
        for group, table in (("places", places.PLACES), ("home", places.HOME), ("rooms", places.ROOMS)):
            for _, fields in _rows(table):
                noun = _place(fields)
                add(group, noun)
        for group, table in (("cities", places.CITIES), ("countries", places.COUNTRIES)):
            for _, (korean, english) in _rows(table):
                add(group, Noun(korean, korean, english, "name", to=f"to {english}", at=f"in {english}"))
        self.classes["persons"] = self.classes["names"] + self.classes["people"]
        self.classes["all"] = self.classes["persons"] + self.classes["animals"]
        for _, (korean, english) in _rows(verbs.MANNERS):
            add("manners", Noun(korean, korean, english, "manner"))

    def find(self, text: str) -> tuple[Noun, ...]:
        """Nouns named by class or key, in order, each once."""
        found: dict[str, Noun] = {}
        for name in text.split():
            for noun in self.classes.get(name) or (self.nouns[name],):
                found.setdefault(noun.key, noun)
        return tuple(found.values())

    def _verb(self, fields: list[str]) -> Verb:
        entry, english, takes, marks, denial = [*fields, "", "", ""][:5]
        korean = _predicate(entry, "verb")
        return Verb(
            f"{korean.stem}다/{english}",
            korean,
            EnglishVerb(english),
            self.find(takes),
            frozenset(marks.split()),
            _predicate(denial, "verb") if denial else None,
        )

    def _adjective(self, fields: list[str]) -> Adjective:
        entry, english, takes = [*fields, ""][:3]
        is_existential = entry.endswith("있다")
        korean = _predicate(entry, "existential" if is_existential else "adjective")
        key = f"{korean.stem}다/{english}"
        return Adjective(key, korean, english, EnglishVerb(f"be {english}"), self.find(takes))

    def size(self) -> int:
        """The number of entries: nouns, verbs, adjectives, adverbs, forms of address and sayings."""
        lists = (
            self.nouns,
            self.transitive,
            self.interaction,
            self.intransitive,
            self.motion,
            self.adjectives,
            self.feelings,
            self.climate,
            self.falling,
            self.pains,
            self.times,
            self.spots,
            self.positions,
            self.frequencies,
            self.degrees,
            self.addresses,
            self.sayings,
        )
        return sum(len(cast("tuple[object, ...]", entries)) for entries in lists)


LEXICON = Lexicon()
