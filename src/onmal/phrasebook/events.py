"""What happens: a verb with its arguments, drawn so that it makes sense and belongs to one part of the corpus."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from onmal.phrasebook.grammar import ME_SAID, WE, Subject, as_piece, build, counted, noun_phrase, subject_of
from onmal.phrasebook.lexicon import LEXICON, Adjective, Noun, Verb
from onmal.phrasebook.lexicon.homonyms import HOMONYMS
from onmal.phrasebook.predicates import FRONT, MAIN, ME, Piece, predicate
from onmal.phrasebook.splits import Draw, Pool, Unavailable, ranked

__all__ = [
    "ACTIONS",
    "ATTRIBUTES",
    "DESTINATIONS",
    "INTERACTIONS",
    "OBJECTS",
    "TOLD",
    "VENUES",
    "Event",
    "Participants",
    "action",
    "activity",
    "at_venue",
    "modified",
    "object_phrase",
    "participant",
    "relative",
    "state",
    "told_clause",
    "transitive",
    "upon_me",
    "upon_somebody",
]

# --- pools ---------------------------------------------------------------------------------------------------------


def _keyed(nouns: tuple[Noun, ...]) -> list[tuple[Noun, str]]:
    return [(noun, noun.key) for noun in nouns]


def _verbs(relation: str, verbs: list[Verb]) -> Pool[Verb, Noun]:
    return Pool(relation, [(v, v.key, _keyed(v.takes)) for v in verbs], head_flatness=10, flatness=5)


_TRANSITIVE: Final = list(LEXICON.transitive)


def _marked(mark: str) -> list[Verb]:
    return [verb for verb in _TRANSITIVE if mark in verb.marks]


OBJECTS: Final = _verbs("object", _TRANSITIVE)
ACTIONS: Final = _verbs("object", [verb for verb in _TRANSITIVE if "state" not in verb.marks])
_STATES: Final = Pool(
    "object", [(v, v.key, _keyed(v.takes)) for v in _marked("state")], head_flatness=3, flatness=6
)
_GIFTS: Final = _verbs("object", _marked("gift"))
_FROM_SOMEBODY: Final = [verb for verb in _TRANSITIVE if verb.key in ("받다/receive", "빌리다/borrow")]
_RECEIVED: Final = _verbs("object", _FROM_SOMEBODY)

VENUES: Final = Pool(
    "venue", [(verb, verb.key, _keyed(LEXICON.venues.get(verb.key, ()))) for verb in _TRANSITIVE], flatness=4
)
_PERSONS: Final = LEXICON.classes["persons"]
_COMPANIONS: Final = Pool(
    "companion", [(verb, verb.key, _keyed(_PERSONS)) for verb in _marked("shared")], flatness=5
)
_RECIPIENTS: Final = Pool(
    "recipient",
    [(verb, verb.key, _keyed(_PERSONS)) for verb in _marked("gift") + _FROM_SOMEBODY],
    flatness=8,
)


def _split_takes(verb: Verb, manner: bool) -> list[tuple[Noun, str]]:
    return [(noun, noun.key) for noun in verb.takes if (noun.kind == "manner") == manner]


_MANNERS: Final = Pool(
    "manner", [(v, v.key, _split_takes(v, True)) for v in LEXICON.intransitive], flatness=4
)
_SCENES: Final = Pool("place", [(v, v.key, _split_takes(v, False)) for v in LEXICON.intransitive], flatness=4)
_GOALS: Final = tuple(
    noun for group in ("places", "home", "rooms", "cities", "countries") for noun in LEXICON.classes[group]
)
_ORIGINS: Final = (
    tuple(LEXICON.nouns[key] for key in ("집/home", "역", "공항", "호텔", "학교")) + LEXICON.classes["cities"]
)
_ARRIVALS: Final = tuple(noun for noun in _GOALS if noun.key != "집/home")
DESTINATIONS: Final = Pool(
    "destination",
    [
        (v, v.key, _keyed(_ORIGINS if "from" in v.marks else _ARRIVALS if "at" in v.marks else _GOALS))
        for v in LEXICON.motion
    ],
    head_flatness=2,
    flatness=6,
)


def _nouns(keys: str) -> list[tuple[Noun, str]]:
    return [(LEXICON.nouns[key], key) for key in keys.split()]


_VEHICLES: Final = Pool(
    "vehicle",
    [
        (noun, noun.key, _nouns(vehicles))
        for group, vehicles in (
            ("places", "버스 지하철 차/car 택시 자전거"),
            ("cities", "기차 비행기 버스 배/ship 차/car"),
        )
        for noun in LEXICON.classes[group]
    ],
    head_flatness=10,
    flatness=4,
)
INTERACTIONS: Final = Pool(
    "interaction", [(v, v.key, _keyed(v.takes)) for v in LEXICON.interaction], head_flatness=8, flatness=8
)


def _attributes() -> Pool[Noun, Adjective]:
    described: dict[str, list[tuple[Adjective, str]]] = {}
    for adjective in LEXICON.adjectives:
        for noun in adjective.takes:
            described.setdefault(noun.key, []).append((adjective, adjective.key))
    table = [(LEXICON.nouns[key], key, entries) for key, entries in described.items()]
    return Pool("attribute", table, head_flatness=50, flatness=8)


ATTRIBUTES: Final = _attributes()


TOLD: Final = Pool(
    "object",
    [
        (v, v.key, [(n, n.key) for n in v.takes if n.kind in ("count", "mass", "plural")])
        for v in _marked("telling")
    ],
)


# --- noun phrases as arguments -------------------------------------------------------------------------------------

_NUMBERS: Final = ranked(range(1, 11), 2)


def object_phrase(draw: Draw, verb: Verb, noun: Noun, subject: Subject, particle: str = "을") -> Piece:
    """The noun as the object of the verb: bare, counted, with an adjective, or somebody's."""
    kind = noun.kind
    if kind == "own":
        return _own(noun, subject.owner, particle)
    if kind == "said":
        return _said(draw, noun, subject, particle)
    if "generic" in verb.marks:
        return noun_phrase(noun, particle, plural=True)
    if kind in ("the", "bare"):
        return noun_phrase(noun, particle)
    choice = draw.random()
    if choice < 0.08 and ATTRIBUTES.has(draw, noun.key):
        return noun_phrase(noun, particle, adjective=ATTRIBUTES.modifier(draw, noun.key))
    if choice < 0.13 and noun.counter:
        return counted(noun, draw.pick(_NUMBERS), particle)
    if kind in ("count", "plural") and "fresh" not in verb.marks:
        if choice < 0.18:
            return noun_phrase(noun, particle, "my")
        if choice < 0.23:
            return noun_phrase(noun, particle, "this" if draw.chance(0.5) else "that")
        if choice < 0.25:
            return noun_phrase(noun, particle, owner=draw.pick(_NAMES))
    return noun_phrase(noun, particle)


_NAMES: Final = LEXICON.classes["names"]


@cache
def _own(noun: Noun, owner: str, particle: str) -> Piece:
    if not owner:
        raise Unavailable(noun.key)
    piece = noun_phrase(noun, particle, plural=True)
    words = (owner, *piece.english[MAIN])
    links = tuple((0, j) for j in range(len(words)))
    return Piece(piece.korean, (words, (), ()), (links, (), ()), (0, len(words) - 1))


def _said(draw: Draw, noun: Noun, subject: Subject, particle: str) -> Piece:
    """Somebody's words: mine, unless it is I who hear them."""
    if subject.agreement == ME or draw.chance(0.4):
        return noun_phrase(noun, particle, owner=draw.pick(_NAMES))
    return noun_phrase(noun, particle, "my")


# --- events --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """A verb, its arguments in Korean order with their roles, and their English order."""

    frame: str
    verb: Verb
    arguments: tuple[tuple[str, Piece], ...]
    order: tuple[int, ...]


def transitive(draw: Draw, subject: Subject, pool: Pool[Verb, Noun] = ACTIONS) -> Event:
    """Somebody does something to a thing."""
    verb, noun = pool.draw(draw)
    return Event("transitive", verb, (("patient", object_phrase(draw, verb, noun, subject)),), (0,))


_PASTIMES: Final = _verbs("object", _marked("pastime"))


def activity(draw: Draw, subject: Subject) -> Event:
    """Somebody does something that takes a while, to a thing that is just named."""
    verb, noun = _PASTIMES.draw(draw)
    if noun.kind in ("own", "said"):
        raise Unavailable("activity")
    return Event(
        "transitive", verb, (("patient", noun_phrase(noun, "을", plural="generic" in verb.marks)),), (0,)
    )


def state(draw: Draw, subject: Subject) -> Event:
    """Somebody likes, knows, remembers or the like."""
    return transitive(draw, subject, _STATES)


@cache
def place_phrase(place: Noun, particle: str, english: str) -> Piece:
    """A place with its particle and the English that goes with it: 학교에서, at school."""
    return Piece.of(noun_phrase(place, particle).korean[-1], english)


def at_venue(draw: Draw, subject: Subject) -> Event:
    """Somebody does something to a thing somewhere."""
    verb, place = VENUES.draw(draw)
    noun = ACTIONS.modifier(draw, verb.key)
    patient = object_phrase(draw, verb, noun, subject)
    arguments = (("place", place_phrase(place, "에서", place.at)), ("patient", patient))
    return Event("transitive at a place", verb, arguments, (1, 0))


@cache
def _manner(noun: Noun) -> Piece:
    return Piece.of(noun.korean, noun.english)


def in_manner(draw: Draw, subject: Subject) -> Event:
    """Somebody does something in some way."""
    verb, manner = _MANNERS.draw(draw)
    return Event("intransitive in a manner", verb, (("manner", _manner(manner)),), (0,))


def in_place(draw: Draw, subject: Subject) -> Event:
    """Somebody does something somewhere."""
    verb, place = _SCENES.draw(draw)
    return Event("intransitive at a place", verb, (("place", place_phrase(place, "에서", place.at)),), (0,))


def motion(draw: Draw, subject: Subject) -> Event:
    """Somebody goes somewhere."""
    verb, place = DESTINATIONS.draw(draw)
    return Event("motion", verb, (("goal", goal_phrase(verb, place)),), (0,))


@cache
def goal_phrase(verb: Verb, place: Noun) -> Piece:
    """Where a motion leads or begins: 학교에, 집으로, 서울에서."""
    particle = next(mark for mark in ("에서", "으로", "에") if mark in verb.marks)
    if "from" in verb.marks:
        english = place.to.removeprefix("to ")
        english = f"from {english}"
    elif "at" in verb.marks:
        english = place.at
    else:
        english = place.to
    return place_phrase(place, particle, english)


_GO: Final = next(verb for verb in LEXICON.motion if verb.key == "가다/go")


def by_vehicle(draw: Draw, subject: Subject) -> Event:
    """Somebody goes somewhere by some means."""
    place, vehicle = _VEHICLES.draw(draw)
    means = place_phrase(vehicle, "으로", f"by {vehicle.english}")
    return Event("motion by a vehicle", _GO, (("means", means), ("goal", goal_phrase(_GO, place))), (1, 0))


def give(draw: Draw, subject: Subject) -> Event:
    """Somebody gives, sends, shows or lends something to somebody."""
    verb, noun = _GIFTS.draw(draw)
    recipient = _RECIPIENTS.modifier(draw, verb.key)
    if subject.noun is recipient:
        raise Unavailable("recipient")
    if subject.agreement != ME and draw.chance(0.25):
        to = _TO_ME
    else:
        to = noun_phrase(recipient, "에게", _determiner(recipient), preposition="to")
    patient = object_phrase(draw, verb, noun, subject)
    if to is _TO_ME and "my" in patient.english[MAIN]:
        raise Unavailable("a gift that is not mine")
    arguments = (("recipient", to), ("patient", patient))
    return Event("transfer to", verb, arguments, (1, 0))


_TO_ME: Final = Piece.of("저에게", "to me")


def receive(draw: Draw, subject: Subject) -> Event:
    """Somebody gets or borrows something from somebody."""
    verb, noun = _RECEIVED.draw(draw)
    giver = _RECIPIENTS.modifier(draw, verb.key)
    if subject.noun is giver:
        raise Unavailable("giver")
    source = noun_phrase(giver, "에게서", _determiner(giver), preposition="from")
    arguments = (("source", source), ("patient", object_phrase(draw, verb, noun, subject)))
    return Event("transfer from", verb, arguments, (1, 0))


def with_companion(draw: Draw, subject: Subject) -> Event:
    """Somebody does something with somebody."""
    verb, companion = _COMPANIONS.draw(draw)
    noun = ACTIONS.modifier(draw, verb.key)
    if subject.noun is companion:
        raise Unavailable("companion")
    partner = noun_phrase(companion, "와", _determiner(companion), preposition="with")
    arguments = (("companion", partner), ("patient", object_phrase(draw, verb, noun, subject)))
    return Event("transitive with a companion", verb, arguments, (1, 0))


def _determiner(noun: Noun) -> str:
    return "my" if "family" in noun.marks else ""


_BODY: Final = Pool(
    "object",
    [(v, v.key, [(n, n.key) for n in v.takes if n.kind == "own"]) for v in _TRANSITIVE],
    head_flatness=10,
)


def on_body(draw: Draw, subject: Subject) -> Event:
    """Somebody does something to a part of the own body."""
    return transitive(draw, subject, _BODY)


_AMBIGUOUS: Final = Pool(
    "object",
    [(v, v.key, [(n, n.key) for n in v.takes if n.key.partition("/")[0] in HOMONYMS]) for v in _TRANSITIVE],
    head_flatness=10,
)


def on_homonym(draw: Draw, subject: Subject) -> Event:
    """Somebody does something to a thing whose name has other senses."""
    return transitive(draw, subject, _AMBIGUOUS)


# --- who does it to whom ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Participants:
    """Two who can change places: each as subject and as object, said alike in both."""

    verb: Verb
    first: tuple[Noun, str]
    second: tuple[Noun, str]

    def reversed(self) -> Participants:
        """The same with the roles exchanged."""
        return Participants(self.verb, self.second, self.first)

    def subject(self) -> Subject:
        """The one who acts."""
        return subject_of(*self.first)

    def event(self) -> Event:
        """What is done to the other."""
        noun, determiner = self.second
        return Event("interaction", self.verb, (("patient", noun_phrase(noun, "을", determiner)),), (0,))


def participant(draw: Draw, noun: Noun) -> tuple[Noun, str]:
    """A noun with a determiner that it can keep as subject and as object."""
    if noun.kind == "name":
        return noun, ""
    if "family" in noun.marks:
        return noun, "my"
    return noun, "that" if draw.chance(0.3) else ""


def interaction(draw: Draw) -> Participants:
    """Two participants of one part, in either order equally often."""
    verb, first = INTERACTIONS.draw(draw)
    second = INTERACTIONS.modifier(draw, verb.key)
    if first is second:
        raise Unavailable("second participant")
    return Participants(verb, participant(draw, first), participant(draw, second))


def upon_somebody(draw: Draw, subject: Subject) -> Event:
    """Somebody who is not named does something to a person or an animal."""
    verb, noun = INTERACTIONS.draw(draw)
    if "beast" in verb.marks:
        raise Unavailable("somebody")
    if noun.kind == "count" and "family" not in noun.marks and draw.chance(0.08):
        patient = counted(noun, draw.pick(_NUMBERS), "을")
    else:
        patient = noun_phrase(noun, "을", participant(draw, noun)[1])
    return Event("interaction", verb, (("patient", patient),), (0,))


_ME: Final = Piece.of("저를", "me")


def upon_me(draw: Draw) -> tuple[Subject, Event]:
    """A person or an animal does something to me."""
    verb, noun = INTERACTIONS.draw(draw)
    return subject_of(*participant(draw, noun)), Event("interaction", verb, (("patient", _ME),), (0,))


_MAKERS: Final = (
    *(transitive,) * 40,
    *(at_venue,) * 10,
    *(in_manner,) * 8,
    *(in_place,) * 8,
    *(motion,) * 10,
    *(by_vehicle,) * 4,
    *(give,) * 6,
    *(receive,) * 3,
    *(with_companion,) * 5,
    *(on_body,) * 2,
    *(on_homonym,) * 5,
)


def action(draw: Draw, subject: Subject) -> Event:
    """Something that somebody does: any event but a state."""
    return draw.pick(_MAKERS)(draw, subject)


# --- relative clauses ------------------------------------------------------------------------------------------------

_TELLERS: Final = (*(ME_SAID,) * 4, WE, *(subject_of(name) for name in _NAMES[:8]))


def told_clause(draw: Draw, verb: Verb, other: Subject | None = None) -> Piece:
    """Who did it, not `other`: 제가 산, I bought."""
    who = draw.pick(_TELLERS)
    if who is other:
        raise Unavailable("somebody else")
    group = predicate(
        verb.korean, verb.english, "plain", "past", False, "adnominal", "polite", who.agreement, False, False
    )
    clause = build(who, (), (), group, as_topic=False)
    return as_piece(clause, clause.verb)


def relative(draw: Draw, verb: Verb, noun: Noun, particle: str, other: Subject | None = None) -> Piece:
    """The thing that somebody did something to: 제가 산 책을, the book that I bought."""
    return modified(noun_phrase(noun, particle, "the"), told_clause(draw, verb, other), "that")


def modified(head: Piece, clause: Piece, pronoun: str) -> Piece:
    """A noun phrase or a noun as predicate with a relative clause: before it in Korean, after it in English."""
    size, width = len(clause.korean), len(head.english[MAIN])
    main, front, _ = (tuple((i + size, j) for i, j in place) for place in head.links)
    main += ((size - 1, width), *((i, j + width + 1) for i, j in clause.links[MAIN]))
    words = (*head.english[MAIN], pronoun, *clause.english[MAIN])
    return Piece(
        clause.korean + head.korean,
        (words, head.english[FRONT], ()),
        (main, front, ()),
        (size + head.head[0], head.head[1]),
    )
