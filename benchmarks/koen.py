"""Scores a translator of the corpus koen on each kind of text of its test split.

Measured, with the beam that the model's recipe names: chrF and BLEU by sacreBLEU with 95 % bootstrap intervals, for each
kind (docs, ui, game, sentences, news) and for all together; and five translations of each kind, those in the middle of
each fifth of its pairs, whatever they are like. Not measured: speed.

    onmal train recipes/koen.toml --data koen=FOLDER
    python benchmarks/koen.py runs/koen --data koen=FOLDER

The result goes to benchmarks/results/koen.json.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import recording

import onmal
from onmal.cli.options import corpus_folders
from onmal.corpora.located import find
from onmal.errors import ConfigError
from onmal.evaluation import Score, by_label

CORPUS, SPLIT = "koen", "test"
METRICS = ("chrF", "BLEU")
EXAMPLES = 5


def main() -> None:
    """Score, print, record."""
    parser = recording.arguments(__doc__)
    parser.add_argument("--data", action="append", metavar="koen=FOLDER", help="where the corpus is")
    options = parser.parse_args()
    translator = onmal.load(options.model, engine="torch")
    card = translator.saved.card
    training = recording.training_facts(card, options.model)
    data, search = card["run"]["data"], translator.saved.search
    if data["corpus"] != CORPUS:
        raise ConfigError(f"{options.model} was not trained on koen", "give the folder of recipes/koen.toml")
    source, target = data["source_language"], data["target_language"]
    pairs = list(find(CORPUS, corpus_folders(options.data).get(CORPUS)).pairs(SPLIT, source, target))
    found = onmal.evaluate(translator, pairs, to=target, search=search, metrics=METRICS)
    kinds = [pair.label for pair in pairs]
    scores = by_label(kinds, found.hypotheses, found.references, target_language=target, metrics=METRICS)
    report = {}
    for kind, of_kind in scores.items():
        rows = [row for row, its in enumerate(kinds) if its == kind]
        examples = [
            {
                "source": pairs[row].source,
                "reference": pairs[row].target,
                "translation": found.hypotheses[row],
            }
            for row in spread(rows)
        ]
        report[kind] = {"pairs": len(rows), **values(of_kind), "examples": examples}
    total = {"pairs": len(pairs), **values(found.scores)}
    recording.show(
        ("kind", "pairs", "chrF", "95 % interval", "BLEU", "95 % interval"),
        [(kind, *cells(its)) for kind, its in {**report, "all": total}.items()],
    )
    signature = {score.name.lower(): score.signature for score in found.scores}
    for metric, its in signature.items():
        print(f"{metric}: {its}")
    result = {
        "name": card["name"],
        "direction": f"{source}-{target}",
        "kinds": report,
        "all": total,
        "signature": signature,
        "beam_size": search.beam_size,
        "parameters": recording.parameters(translator.saved),
        **training,
        "scored_on": recording.this_machine(),
    }
    recording.record(CORPUS, result, options.results)


def spread(rows: Sequence[int]) -> list[int]:
    """The rows in the middle of each fifth; all, where there are no more than five."""
    if len(rows) <= EXAMPLES:
        return list(rows)
    return [rows[(2 * number + 1) * len(rows) // (2 * EXAMPLES)] for number in range(EXAMPLES)]


def values(scores: Sequence[Score]) -> dict[str, Any]:
    """Each metric's value and interval."""
    found: dict[str, Any] = {}
    for score in scores:
        assert score.low is not None
        assert score.high is not None
        found[score.name.lower()] = round(score.value, 2)
        found[f"{score.name.lower()}_interval"] = [round(score.low, 2), round(score.high, 2)]
    return found


def cells(found: dict[str, Any]) -> list[str]:
    """One kind's numbers as text."""
    row = [f"{found['pairs']:,}"]
    for metric in METRICS:
        low, high = found[f"{metric.lower()}_interval"]
        row += [f"{found[metric.lower()]:.2f}", f"{low:.2f} to {high:.2f}"]
    return row


if __name__ == "__main__":
    recording.main(main)
