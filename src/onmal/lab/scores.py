"""How well a network does: what it thinks of given translations, and what it says itself, by the length of the source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from onmal.evaluation import exact_match, score
from onmal.models.contract import Probe
from onmal.phrasebook import Phrase
from onmal.saved_model import SavedModel
from onmal.translating.torch_engine import TorchEngine

__all__ = ["by_length", "likelihoods", "mean", "recall", "spread"]

Bounds = tuple[int, int]


def likelihoods(
    saved: SavedModel, pairs: Sequence[tuple[str, str]], to: str, probe: Probe | None = None
) -> list[float]:
    """Log-probability [nats] of each translation (source, target), its end included."""
    sources = [saved.tokenizer.encode_source(text, to) for text, _ in pairs]
    said = [saved.tokenizer.encode_target(text) for _, text in pairs]
    return TorchEngine(saved.model).log_probabilities(sources, said, probe)


def by_length(
    translate: Callable[[Sequence[str]], list[str]],
    pairs: Iterable[tuple[str, str]],
    buckets: Sequence[Bounds],
    to: str,
    length: Callable[[str], int] = lambda text: len(text.split()),
) -> dict[str, dict[str, float]]:
    """Exact matches [percent] and chrF of sources of some lengths [words], bounds included; no bucket that is empty."""
    found, known = {}, list(pairs)
    for low, high in buckets:
        few = [(source, target) for source, target in known if low <= length(source) <= high]
        if few:
            said, wanted = translate([source for source, _ in few]), [target for _, target in few]
            (chrf,) = score(said, wanted, target_language=to, metrics=["chrF"], bootstrap=0)
            found[f"{low}-{high}"] = {
                "sentences": len(few), "exact": exact_match(said, wanted), "chrF": chrf.value,
            }  # fmt: skip
    return found


def recall(translate: Callable[[Sequence[str]], list[str]], sentences: Sequence[Phrase]) -> list[float]:
    """Of the Korean words that belong to the first, second, ... English word, how many are in the translation [percent].

    The sentences are of as many words; the gold alignment says which belong together. What stands first or last in English is also of some
    kind, a name or a time: networks can be compared at a place, and places not with each other.
    """
    there: dict[int, list[bool]] = {}
    for phrase, said in zip(sentences, translate([each.english for each in sentences]), strict=True):
        wanted, found = phrase.korean.split(), said.split()
        for korean, english in phrase.alignment:
            if min(korean, english) >= 0:
                there.setdefault(english, []).append(wanted[korean] in found)
    return [100 * mean(there[place]) for place in sorted(there)]


def mean(values: Iterable[float]) -> float:
    """Of the seeds."""
    known = list(values)
    return sum(known) / len(known)


def spread(groups: Mapping[str, Sequence[float]]) -> float:
    """The widest range of the seeds in any group."""
    return max(max(values) - min(values) for values in groups.values())
