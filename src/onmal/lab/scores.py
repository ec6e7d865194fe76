"""How well a network does: what it thinks of given translations, and what it says itself, by the length of the source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import torch

from onmal.data.batching import pad_rows
from onmal.evaluation import exact_match, score
from onmal.models.contract import Probe
from onmal.saved_model import SavedModel

__all__ = ["by_length", "likelihoods", "mean", "spread"]

AT_ONCE = 64
Bounds = tuple[int, int]


@torch.inference_mode()
def likelihoods(
    saved: SavedModel, pairs: Sequence[tuple[str, str]], to: str, probe: Probe | None = None
) -> list[float]:
    """Log-probability [nats] of each translation (source, target), its end included."""
    special, found = saved.model.vocabulary, list[float]()
    for first in range(0, len(pairs), AT_ONCE):
        few = pairs[first : first + AT_ONCE]
        source = pad_rows([saved.tokenizer.encode_source(text, to) for text, _ in few], special.pad)
        said = [saved.tokenizer.encode_target(text) for _, text in few]
        read = pad_rows([[special.start, *ids[:-1]] for ids in said], special.pad)
        target = pad_rows(said, special.pad)
        logits = saved.model.project(saved.model.hidden(source, read, probe=probe)).float()
        each = logits.log_softmax(-1).gather(2, target[:, :, None]).squeeze(2)
        real = torch.arange(target.shape[1]) < torch.tensor([len(ids) for ids in said])[:, None]
        found += (each * real).sum(1).tolist()
    return found


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


def mean(values: Iterable[float]) -> float:
    """Of the seeds."""
    known = list(values)
    return sum(known) / len(known)


def spread(groups: Mapping[str, Sequence[float]]) -> float:
    """The widest range of the seeds in any group."""
    return max(max(values) - min(values) for values in groups.values())
