"""Parts of a network switched off by a Probe: positions, heads, whole layers, and words of the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from pydantic import Field
from torch import Tensor

from onmal.errors import ConfigError
from onmal.inspection.words import Unit
from onmal.models.contract import DecoderState, Memory, Place, Probe, Seq2Seq, Side
from onmal.settings import Settings

__all__ = [
    "PARTS",
    "Anatomy",
    "InTurn",
    "Kind",
    "Probed",
    "SwitchedOff",
    "Switches",
    "anatomy_of",
    "find_place",
    "under",
    "without",
]

Kind = Literal["enc", "dec", "cross"]
PARTS: dict[Kind, Literal["encoder.self", "decoder.self", "decoder.cross"]] = {
    "enc": "encoder.self",
    "dec": "decoder.self",
    "cross": "decoder.cross",
}
"""Which attention each short name means: the encoder's own, the decoder's own, the decoder's over the source."""

Anatomy = Mapping[Place, int]
"""The places at which a network has attention, and how many heads each has."""


class Switches(Settings):
    """What is off while a sentence is translated; nothing, if not said otherwise."""

    src_pos: bool = False
    """The source's positions: the encoder then sees a bag of words."""
    tgt_pos: bool = False
    """The target's positions."""
    heads: list[str] = Field(default=[])
    """Heads: "cross.2.1" is head 1 of layer 2, both from 0; "cross.2" are all heads of that layer."""
    words: list[int] = Field(default=[])
    """Words of the source that the network does not get to see, by their number among the answer's `src.words`."""

    @property
    def any(self) -> bool:
        """Whether anything is off."""
        return self.src_pos or self.tgt_pos or bool(self.heads or self.words)

    def probe(self, anatomy: Anatomy) -> SwitchedOff:
        """The Probe that switches positions and heads off; ConfigError for a head that the network does not have."""
        heads: dict[Place, set[int]] = {}
        for name in self.heads:
            place, chosen = _heads(name, anatomy)
            heads.setdefault(place, set()).update(chosen)
        sides: dict[Side, bool] = {"source": self.src_pos, "target": self.tgt_pos}
        return SwitchedOff(
            {place: sorted(chosen) for place, chosen in heads.items()}, [s for s, off in sides.items() if off]
        )


class SwitchedOff(Probe):
    """Some heads add nothing, and some sides have no positions."""

    def __init__(self, heads: Mapping[Place, Sequence[int]], sides: Sequence[Side] = ()) -> None:
        self.heads, self.sides = heads, sides

    def attention(
        self, place: Place, scores: Tensor, mask: Tensor | None, weights: Tensor, values: Tensor
    ) -> Tensor:
        if heads := self.heads.get(place):
            weights = weights.clone()
            weights[:, heads] = 0.0
        return weights

    def positions(self, side: Side, ids: Tensor) -> Tensor | None:
        return None if side in self.sides else ids


class InTurn(Probe):
    """Several Probes, each of which sees what those before it have changed."""

    def __init__(self, *probes: Probe) -> None:
        self.probes = probes

    def attention(
        self, place: Place, scores: Tensor, mask: Tensor | None, weights: Tensor, values: Tensor
    ) -> Tensor:
        for probe in self.probes:
            weights = probe.attention(place, scores, mask, weights, values)
        return weights

    def positions(self, side: Side, ids: Tensor) -> Tensor | None:
        found: Tensor | None = ids
        for probe in self.probes:
            found = None if found is None else probe.positions(side, found)
        return found


class Probed(Seq2Seq):
    """A network that a Probe has its hand in whatever is done with it: searched, scored, looked at by other Probes."""

    def __init__(self, model: Seq2Seq, probe: Probe) -> None:
        super().__init__()
        self.model, self.probe = model, probe
        self.vocabulary = model.vocabulary
        self.longest_source, self.longest_target = model.longest_source, model.longest_target

    def encode(self, source: Tensor, *, probe: Probe | None = None) -> Memory:
        return self.model.encode(source, probe=self._with(probe))

    def hidden(self, source: Tensor, target: Tensor, *, probe: Probe | None = None) -> Tensor:
        return self.model.hidden(source, target, probe=self._with(probe))

    def project(self, states: Tensor) -> Tensor:
        return self.model.project(states)

    def start(self, memory: Memory, *, beams: int = 1) -> DecoderState:
        return self.model.start(memory, beams=beams)

    def step(
        self, token: Tensor, state: DecoderState, *, probe: Probe | None = None
    ) -> tuple[Tensor, DecoderState]:
        return self.model.step(token, state, probe=self._with(probe))

    def _with(self, probe: Probe | None) -> Probe:
        return self.probe if probe is None else InTurn(self.probe, probe)


class _Places(Probe):
    def __init__(self) -> None:
        self.heads: dict[Place, int] = {}

    def attention(
        self, place: Place, scores: Tensor, mask: Tensor | None, weights: Tensor, values: Tensor
    ) -> Tensor:
        self.heads[place] = weights.shape[1]
        return weights


def anatomy_of(model: Seq2Seq, source: Tensor) -> Anatomy:
    """Where a network has attention, and how many heads there: found by looking, with a source [1,S]."""
    places = _Places()
    model.hidden(source, source.new_full((1, 1), model.vocabulary.start), probe=places)
    return places.heads


def find_place(kind: str, layer: int, anatomy: Anatomy) -> Place:
    """The place of a layer; ConfigError where the network has none such."""
    if kind not in get_args(Kind):
        raise ConfigError(f"there is no attention {kind!r}", f"choose one of: {', '.join(get_args(Kind))}")
    part = next(part for name, part in PARTS.items() if name == kind)
    layers = sum(place.part == part for place in anatomy)
    if Place(part, layer) not in anatomy:
        known = f"layers are 0 to {layers - 1}" if layers else "this network has no such attention"
        raise ConfigError(f"there is no layer {kind}.{layer}", known)
    return Place(part, layer)


def _heads(name: str, anatomy: Anatomy) -> tuple[Place, list[int]]:
    """The heads that a name means."""
    kind, *numbers = name.split(".")
    if len(numbers) not in (1, 2) or not all(number.isascii() and number.isdigit() for number in numbers):
        raise ConfigError(
            f"there is no head {name!r}", 'name it like "cross.2.1": enc, dec or cross, layer, head, from 0'
        )
    place = find_place(kind, int(numbers[0][:9]), anatomy)
    heads = list(range(anatomy[place]))
    if len(numbers) == 1:
        return place, heads
    if int(numbers[1][:9]) not in heads:
        raise ConfigError(f"there is no head {name!r}", f"heads are 0 to {len(heads) - 1}")
    return place, [int(numbers[1])]


def under(
    switches: Switches, model: Seq2Seq, source: Tensor, words: Sequence[Unit], anatomy: Anatomy
) -> tuple[Seq2Seq, Tensor]:
    """The network and the source [1,S] as the switches leave them; both as they are where nothing is off.

    Padding stands for a word that is off, so that the others keep their places. ConfigError for what cannot be switched.
    """
    off = [word for word in switches.words if not 0 <= word < len(words) or words[word].special]
    if off:
        raise ConfigError(f"the source has no word {off[0]} to switch off", "count its words from 0")
    if switches.words:
        hidden = without(source[0].tolist(), [words[n] for n in switches.words], model.vocabulary.pad)
        source = source.new_tensor([hidden])
    if switches.src_pos or switches.tgt_pos or switches.heads:
        model = Probed(model, switches.probe(anatomy))
    return model, source


def without(source: Sequence[int], words: Sequence[Unit], pad: int) -> list[int]:
    """A source in which padding stands for some words."""
    hidden = {n for word in words for n in range(word.first, word.last)}
    return [pad if n in hidden else token for n, token in enumerate(source)]
