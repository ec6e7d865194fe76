"""What goes with what: for every relation the words that are combined, divided into parts."""

from __future__ import annotations

from typing import Final

from onmal.phrasebook.lexicon import LEXICON, Adjective, Noun, Verb
from onmal.phrasebook.lexicon.homonyms import HOMONYMS
from onmal.phrasebook.splits import Pool


def _keyed(nouns: tuple[Noun, ...]) -> list[tuple[Noun, str]]:
    return [(noun, noun.key) for noun in nouns]


def _verbs(relation: str, verbs: list[Verb]) -> Pool[Verb, Noun]:
    return Pool(relation, [(v, v.key, _keyed(v.takes)) for v in verbs], head_flatness=10, flatness=5)


_TRANSITIVE: Final = list(LEXICON.transitive)


def _marked(mark: str) -> list[Verb]:
    return [verb for verb in _TRANSITIVE if mark in verb.marks]


OBJECTS: Final = _verbs("object", _TRANSITIVE)
ACTIONS: Final = _verbs("object", [verb for verb in _TRANSITIVE if "state" not in verb.marks])
STATES: Final = Pool(
    "object", [(v, v.key, _keyed(v.takes)) for v in _marked("state")], head_flatness=3, flatness=6
)
GIFTS: Final = _verbs("object", _marked("gift"))
_FROM_SOMEBODY: Final = [verb for verb in _TRANSITIVE if verb.key in ("받다/receive", "빌리다/borrow")]
RECEIVED: Final = _verbs("object", _FROM_SOMEBODY)
VENUES: Final = Pool(
    "venue", [(verb, verb.key, _keyed(LEXICON.venues.get(verb.key, ()))) for verb in _TRANSITIVE], flatness=4
)
_PERSONS: Final = LEXICON.classes["persons"]
COMPANIONS: Final = Pool(
    "companion", [(verb, verb.key, _keyed(_PERSONS)) for verb in _marked("shared")], flatness=5
)
RECIPIENTS: Final = Pool(
    "recipient",
    [(verb, verb.key, _keyed(_PERSONS)) for verb in _marked("gift") + _FROM_SOMEBODY],
    flatness=8,
)


def _split_takes(verb: Verb, manner: bool) -> list[tuple[Noun, str]]:
    return [(noun, noun.key) for noun in verb.takes if (noun.kind == "manner") == manner]


MANNERS: Final = Pool("manner", [(v, v.key, _split_takes(v, True)) for v in LEXICON.intransitive], flatness=4)
SCENES: Final = Pool("place", [(v, v.key, _split_takes(v, False)) for v in LEXICON.intransitive], flatness=4)
_GOALS: Final = LEXICON.find("places home rooms cities countries")
_ORIGINS: Final = LEXICON.find("집/home 역 공항 호텔 학교 cities")
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
VEHICLES: Final = Pool(
    "vehicle",
    [
        (noun, noun.key, _keyed(LEXICON.find(vehicles)))
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
PASTIMES: Final = _verbs("object", _marked("pastime"))
BODY: Final = Pool(
    "object",
    [(v, v.key, [(n, n.key) for n in v.takes if n.kind == "own"]) for v in _TRANSITIVE],
    head_flatness=10,
)
AMBIGUOUS: Final = Pool(
    "object",
    [(v, v.key, [(n, n.key) for n in v.takes if n.key.partition("/")[0] in HOMONYMS]) for v in _TRANSITIVE],
    head_flatness=10,
)
