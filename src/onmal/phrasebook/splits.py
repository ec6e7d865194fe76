"""Which part of the corpus a combination of words belongs to, and drawing combinations of one part.

A combination is a relation, a head and what goes with it: ("object", "사다/buy", "가방"). A checksum of its name puts it into
training, validation or test for good, on every machine and for every seed. A sentence of a part is built from combinations of
that part alone; so nothing that is combined in a test sentence is ever combined so in training, though each word is there.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Final, Generic, Literal, TypeVar
from zlib import crc32

__all__ = ["PARTS", "Combination", "Draw", "Part", "Pool", "Unavailable", "part_of", "ranked"]

Part = Literal["train", "valid", "test"]
PARTS: Final[tuple[Part, ...]] = ("train", "valid", "test")
Combination = tuple[str, str, str]

Head = TypeVar("Head")
Modifier = TypeVar("Modifier")
Item = TypeVar("Item")

# Chosen so that every word is in training and every sense of a homonym in the test.
_SALT: Final = "71"
_TEST_PERCENT: Final = 10
_VALID_PERCENT: Final = 5


def part_of(combination: Combination) -> Part:
    """The part that this combination belongs to: about 10 % are test, 5 % validation."""
    bucket = crc32("\t".join((_SALT, *combination)).encode()) % 100
    if bucket < _TEST_PERCENT:
        return "test"
    return "valid" if bucket < _TEST_PERCENT + _VALID_PERCENT else "train"


def ranked(items: Sequence[Item], flatness: int) -> list[Item]:
    """Items repeated so that a uniform draw takes the one of rank r (from 0) in proportion to 1 / (r + flatness)."""
    smallest = len(items) + flatness
    return [item for rank, item in enumerate(items) for _ in range(round(4 * smallest / (rank + flatness)))]


class Unavailable(Exception):
    """The part has no combination for what was to be said; the sentence is given up and another begun."""


class Draw:
    """The random choices of one stream of sentences of one part, and the combinations used since the last `clear`."""

    __slots__ = ("part", "random", "used")

    def __init__(self, stream: str, part: Part, seed: int) -> None:
        # Python promises that random() repeats for an integer seed on every version; of choice() it does not.
        self.random = random.Random((crc32(stream.encode()) << 64) + seed).random
        self.part: Part = part
        self.used: list[Combination] = []

    def pick(self, items: Sequence[Item]) -> Item:
        """One of `items`, each as likely."""
        return items[int(self.random() * len(items))]

    def use(self, combination: Combination) -> None:
        """Combine these very words; Unavailable if they belong to another part."""
        if part_of(combination) != self.part:
            raise Unavailable(combination)
        self.used.append(combination)

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.random() < probability


class Pool(Generic[Head, Modifier]):
    """Heads and what each goes with in one relation, divided into parts; both are drawn by rank.

    `table` holds (head, its key, [(modifier, its key), ...]), the more frequent first.
    """

    def __init__(
        self,
        relation: str,
        table: Iterable[tuple[Head, str, Sequence[tuple[Modifier, str]]]],
        *,
        head_flatness: int = 20,
        flatness: int = 6,
    ) -> None:
        self.relation = relation
        self._modifiers: dict[tuple[Part, str], list[tuple[Modifier, Combination]]] = {}
        self._heads: dict[Part, list[tuple[Head, str]]] = {}
        self._owners: dict[tuple[Part, str], list[tuple[Head, Combination]]] = {}
        heads: dict[Part, list[tuple[Head, str]]] = {part: [] for part in PARTS}
        for head, head_key, modifiers in table:
            divided: dict[Part, list[tuple[Modifier, Combination]]] = {part: [] for part in PARTS}
            for modifier, key in modifiers:
                combination = (relation, head_key, key)
                part = part_of(combination)
                divided[part].append((modifier, combination))
                self._owners.setdefault((part, key), []).append((head, combination))
            for part, members in divided.items():
                if members:
                    heads[part].append((head, head_key))
                    self._modifiers[part, head_key] = ranked(members, flatness)
        for part in PARTS:
            self._heads[part] = ranked(heads[part], head_flatness)

    def draw(self, draw: Draw) -> tuple[Head, Modifier]:
        """A head and a modifier of the part that is being drawn; Unavailable if it has none."""
        heads = self._heads[draw.part]
        if not heads:
            raise Unavailable(self.relation)
        head, key = heads[int(draw.random() * len(heads))]
        return head, self.modifier(draw, key)

    def modifier(self, draw: Draw, head_key: str) -> Modifier:
        """A modifier for this head; Unavailable if the part has none."""
        members = self._modifiers.get((draw.part, head_key))
        if members is None:
            raise Unavailable(head_key)
        modifier, combination = members[int(draw.random() * len(members))]
        draw.used.append(combination)
        return modifier

    def head(self, draw: Draw, modifier_key: str) -> Head:
        """A head that goes with this modifier, each as likely; Unavailable if the part has none."""
        owners = self._owners.get((draw.part, modifier_key))
        if owners is None:
            raise Unavailable(modifier_key)
        head, combination = draw.pick(owners)
        draw.used.append(combination)
        return head

    def has(self, draw: Draw, head_key: str) -> bool:
        """Whether the part has a modifier for this head."""
        return (draw.part, head_key) in self._modifiers
