"""What happens: a verb with its arguments, drawn so that it makes sense and belongs to one part of the corpus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onmal.phrasebook.arguments import (
    NUMBERS,
    TO_ME,
    UPON_ME,
    determiner_of,
    goal_phrase,
    manner_phrase,
    object_phrase,
    participant,
    place_phrase,
)
from onmal.phrasebook.grammar import Subject, counted, noun_phrase, subject_of
from onmal.phrasebook.lexicon import LEXICON, Noun, Verb
from onmal.phrasebook.pools import (
    ACTIONS,
    AMBIGUOUS,
    BODY,
    COMPANIONS,
    DESTINATIONS,
    GIFTS,
    INTERACTIONS,
    MANNERS,
    PASTIMES,
    RECEIVED,
    RECIPIENTS,
    SCENES,
    STATES,
    VEHICLES,
    VENUES,
)
from onmal.phrasebook.predicates import MAIN, ME, Piece
from onmal.phrasebook.splits import Draw, Pool, Unavailable


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


def activity(draw: Draw, subject: Subject) -> Event:
    """Somebody does something that takes a while, to a thing that is just named."""
    verb, noun = PASTIMES.draw(draw)
    if noun.kind in ("own", "said"):
        raise Unavailable("activity")
    return Event(
        "transitive", verb, (("patient", noun_phrase(noun, "을", plural="generic" in verb.marks)),), (0,)
    )


def state(draw: Draw, subject: Subject) -> Event:
    """Somebody likes, knows, remembers or the like."""
    return transitive(draw, subject, STATES)


def at_venue(draw: Draw, subject: Subject) -> Event:
    """Somebody does something to a thing somewhere."""
    verb, place = VENUES.draw(draw)
    noun = ACTIONS.modifier(draw, verb.key)
    patient = object_phrase(draw, verb, noun, subject)
    arguments = (("place", place_phrase(place, "에서", place.at)), ("patient", patient))
    return Event("transitive at a place", verb, arguments, (1, 0))


def in_manner(draw: Draw, subject: Subject) -> Event:
    """Somebody does something in some way."""
    verb, manner = MANNERS.draw(draw)
    return Event("intransitive in a manner", verb, (("manner", manner_phrase(manner)),), (0,))


def in_place(draw: Draw, subject: Subject) -> Event:
    """Somebody does something somewhere."""
    verb, place = SCENES.draw(draw)
    return Event("intransitive at a place", verb, (("place", place_phrase(place, "에서", place.at)),), (0,))


def motion(draw: Draw, subject: Subject) -> Event:
    """Somebody goes somewhere."""
    verb, place = DESTINATIONS.draw(draw)
    return Event("motion", verb, (("goal", goal_phrase(verb, place)),), (0,))


_GO: Final = next(verb for verb in LEXICON.motion if verb.key == "가다/go")


def by_vehicle(draw: Draw, subject: Subject) -> Event:
    """Somebody goes somewhere by some means."""
    place, vehicle = VEHICLES.draw(draw)
    means = place_phrase(vehicle, "으로", f"by {vehicle.english}")
    return Event("motion by a vehicle", _GO, (("means", means), ("goal", goal_phrase(_GO, place))), (1, 0))


def give(draw: Draw, subject: Subject) -> Event:
    """Somebody gives, sends, shows or lends something to somebody."""
    verb, noun = GIFTS.draw(draw)
    recipient = RECIPIENTS.modifier(draw, verb.key)
    if subject.noun is recipient:
        raise Unavailable("recipient")
    if subject.agreement != ME and draw.chance(0.25):
        to = TO_ME
    else:
        to = noun_phrase(recipient, "에게", determiner_of(draw, recipient), preposition="to")
    patient = object_phrase(draw, verb, noun, subject)
    if to is TO_ME and "my" in patient.english[MAIN]:
        raise Unavailable("a gift that is not mine")
    arguments = (("recipient", to), ("patient", patient))
    return Event("transfer to", verb, arguments, (1, 0))


def receive(draw: Draw, subject: Subject) -> Event:
    """Somebody gets or borrows something from somebody."""
    verb, noun = RECEIVED.draw(draw)
    giver = RECIPIENTS.modifier(draw, verb.key)
    if subject.noun is giver:
        raise Unavailable("giver")
    source = noun_phrase(giver, "에게서", determiner_of(draw, giver), preposition="from")
    arguments = (("source", source), ("patient", object_phrase(draw, verb, noun, subject)))
    return Event("transfer from", verb, arguments, (1, 0))


def with_companion(draw: Draw, subject: Subject) -> Event:
    """Somebody does something with somebody."""
    verb, companion = COMPANIONS.draw(draw)
    noun = ACTIONS.modifier(draw, verb.key)
    if subject.noun is companion:
        raise Unavailable("companion")
    partner = noun_phrase(companion, "와", determiner_of(draw, companion), preposition="with")
    arguments = (("companion", partner), ("patient", object_phrase(draw, verb, noun, subject)))
    return Event("transitive with a companion", verb, arguments, (1, 0))


def on_body(draw: Draw, subject: Subject) -> Event:
    """Somebody does something to a part of the own body."""
    return transitive(draw, subject, BODY)


def on_homonym(draw: Draw, subject: Subject) -> Event:
    """Somebody does something to a thing whose name has other senses."""
    return transitive(draw, subject, AMBIGUOUS)


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
        patient = counted(noun, draw.pick(NUMBERS), "을")
    else:
        patient = noun_phrase(noun, "을", participant(draw, noun)[1])
    return Event("interaction", verb, (("patient", patient),), (0,))


def upon_me(draw: Draw) -> tuple[Subject, Event]:
    """A person or an animal does something to me."""
    verb, noun = INTERACTIONS.draw(draw)
    return subject_of(*participant(draw, noun)), Event("interaction", verb, (("patient", UPON_ME),), (0,))


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
