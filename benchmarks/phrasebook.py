"""Records what `onmal demo` measured.

The demo scores its own model, in both directions, on pairs that combine words as training never did (test), on sentences
longer than any in training (long), on who does what to whom (roles) and on words with two meanings (homonyms); a
nearest-neighbour lookup in the training text is scored beside it. This program scores nothing: it takes the demo's own
scores.json and adds what the model's card says of the training.

    make demo
    python benchmarks/phrasebook.py runs/phrasebook

The result goes to benchmarks/results/phrasebook.json.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import recording

from onmal.errors import DataError
from onmal.saved_model import read_folder


def main() -> None:
    """Read, print, record."""
    options = recording.arguments(__doc__).parse_args()
    _, card = read_folder(options.model)
    training = recording.training_facts(card, options.model)
    scores = read_scores(options.model / "scores.json")
    rows = [
        (split, direction, *(f"{scores_of(found, name):.2f}" for name in ("BLEU", "chrF", "exact")))
        for split, directions in scores["splits"].items()
        for direction, found in directions.items()
        if direction != "pairs"
    ]
    recording.show(("test set", "direction", "BLEU", "chrF", "exact %"), rows)
    print(f"nearest neighbour, test ko-en: BLEU {scores['nearest_neighbour']['ko-en']['BLEU']['value']:.2f}")
    result = {
        "name": card["name"],
        **scores,
        "demo_minutes": scores["minutes"],
        **training,  # whose "minutes" are those of the training alone
        "recorded_on": recording.this_machine(),
    }
    recording.record("phrasebook", result, options.results)


def read_scores(path: Path) -> dict[str, Any]:
    """What the demo wrote. Raises DataError."""
    try:
        scores = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"cannot be read ({error})", "run the demo to its end: make demo", path=path
        ) from None
    if not isinstance(scores, dict) or not {"splits", "nearest_neighbour", "minutes"} <= scores.keys():
        raise DataError("is not what the demo writes", "run the demo again: make demo", path=path)
    return scores


def scores_of(found: dict[str, Any], metric: str) -> float:
    """The value of one metric; not a number where it was not measured."""
    return float(found.get(metric, {}).get("value", "nan"))


if __name__ == "__main__":
    recording.main(main)
