"""What fine-tuning has given and what it has cost: the model before and after it, on new text and on old."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onmal.config import DataConfig, RunConfig
from onmal.corpora.located import open_pairs
from onmal.data.pair import Pair
from onmal.data.shards import open_shards
from onmal.errors import DataError, OnmalError
from onmal.evaluation import compare
from onmal.run_folder import MADE
from onmal.saved_model import SavedModel
from onmal.training.sources import evenly, training_pairs
from onmal.translating.translator import Translator, load

__all__ = ["HELD_OUT", "OLD_TEST", "Domain", "compared", "given_test", "old_domain"]

HELD_OUT = "old-valid"
"""Name of the old text that a run has held out, among what was made for it."""
OLD_TEST = "old-test"
"""... and of the old text that was given to be scored alone."""
KEPT = {OLD_TEST: "the text of --old-test", HELD_OUT: "the part of --old-data that was held out"}
"""Old text in the folder of a run, the first of which is scored."""


@dataclass(frozen=True)
class Domain:
    """Sentence pairs of one kind of text, to score a model on."""

    text: str
    """Which text it is."""
    pairs: Sequence[Pair]
    directions: Sequence[tuple[str, str]]
    """In which they are translated; the first is that of the pairs."""


def compared(
    config: RunConfig, folder: Path, corpora: Mapping[str, Path], note: Callable[[str], None]
) -> dict[str, Any]:
    """Scores of a model that went on from another one, beside the other's; as JSON has it.

    {"new": {"text": ..., "sentences": N, "scores": {"ko-en": {"BLEU": {"before", "after", "difference", "p_value",
    "signature"}}}}}, and the same of the "old" domain, where there is text of it. The p-value is that of a paired bootstrap test.
    """
    before, after = load(config.train.start), load(folder)
    domains = {"new": _new_domain(config, corpora)}
    try:
        domains["old"] = _kept(config, folder) or old_domain(before.saved, corpora)
    except OnmalError as error:
        note(f"the old domain is not scored: {error}")
    found: dict[str, Any] = {}
    for name, domain in domains.items():
        note(f"translating {len(domain.pairs):,} sentences of the {name} domain, before and after ...")
        scores = {
            "-".join(direction): _scores(before, after, domain, direction) for direction in domain.directions
        }
        found[name] = {"text": domain.text, "sentences": len(domain.pairs), "scores": scores}
    return found


def old_domain(saved: SavedModel, corpora: Mapping[str, Path]) -> Domain:
    """What a model was validated on when it was trained. Raises OnmalError where its card does not say, or it is not there any more."""
    run = saved.card.get("run", {})
    if not isinstance(run.get("data"), Mapping) or not run["data"].get("source_language"):
        raise DataError("the model's card names no text that it was trained on", "give some as --old-test")
    data = DataConfig(**run["data"])
    seed = run.get("train", {}).get("seed", 1)
    pairs = _validation(data, corpora, seed, sha256=saved.card.get("data_sha256", ""))
    if len(pairs) != saved.card.get("validation", {}).get("pairs", len(pairs)):
        raise DataError(
            "the text that the model was validated on has changed since", "give some as --old-test"
        )
    return Domain("the validation text of the model before", pairs, data.directions)


def given_test(config: RunConfig, corpora: Mapping[str, Path]) -> Domain | None:
    """The test text of a run, if it names files. Raises DataError where they cannot be read or have no pair."""
    data = config.data
    if not data.tests or data.corpus:
        return None
    pairs, names = list(open_pairs(data, data.tests, corpora)), " ".join(data.tests)
    if not pairs:
        raise DataError("there is no sentence pair to score", "give other text as --test", path=names)
    return Domain(names, pairs, data.directions)


def _new_domain(config: RunConfig, corpora: Mapping[str, Path]) -> Domain:
    if given := given_test(config, corpora):
        return given
    data = config.data
    pairs = _validation(data, corpora, config.train.seed)
    return Domain("the validation text, by which the weights were chosen", pairs, data.directions)


def _kept(config: RunConfig, folder: Path) -> Domain | None:
    """The old text that was put aside for this, if any was."""
    data = config.data.replace(corpus="", tests=[])
    for name, text in KEPT.items():
        path = folder / "training" / MADE / f"{name}.jsonl"
        if path.exists():
            return Domain(text, list(open_pairs(data, [str(path)], {})), data.directions)
    return None


def _validation(
    data: DataConfig, corpora: Mapping[str, Path], seed: int, *, sha256: str = ""
) -> Sequence[Pair]:
    """What a run with these settings is validated on.

    DataError where it was held out from text of the fingerprint `sha256` which has changed since.
    """
    if data.valid:
        return evenly(list(open_pairs(data, data.valid, corpora)), data.valid_size)
    if data.shards:
        return evenly(open_shards(data.shards, data).held_out, data.valid_size)
    pairs = training_pairs(data, corpora, seed)
    if sha256 not in ("", pairs.sha256()):
        raise DataError(
            "is not any more what the model was trained on", "give other text as --old-test", path=data.names
        )
    return pairs.valid


def _scores(
    before: Translator, after: Translator, domain: Domain, direction: tuple[str, str]
) -> dict[str, dict[str, Any]]:
    """Metric -> what it says."""
    sources = [pair.source for pair in domain.pairs]
    references = [pair.target for pair in domain.pairs]
    if direction != domain.directions[0]:
        sources, references = references, sources
    after_says, before_says = (
        [found.text for found in translator.translate(sources, to=direction[1])]
        for translator in (after, before)
    )
    comparison = compare(after_says, before_says, references, target_language=direction[1])
    return {
        each.name: {
            "before": each.baseline.value, "after": each.score.value, "difference": each.difference,
            "p_value": each.p_value, "signature": each.signature,
        }
        for each in comparison.differences
    }  # fmt: skip
