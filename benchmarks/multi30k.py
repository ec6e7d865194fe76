"""Scores a translator of Multi30k on its three test sets, in both conventions.

Measured, with the beam that the model's recipe names: cased, detokenised BLEU and chrF by sacreBLEU; and BLEU as
the literature on Multi30k gives it, of lower-cased text in Moses' tokens. Both come from the same translations, each
with its signature. Not measured: speed.

    onmal train recipes/multi30k-en-de.toml
    python benchmarks/multi30k.py runs/multi30k-en-de [--data multi30k=FOLDER]

The result goes to benchmarks/results/NAME.json, where NAME is the recipe's. Needs sacremoses (the extra `moses`).
"""

from __future__ import annotations

from typing import Any

import recording

import onmal
from onmal.cli.options import corpus_folders
from onmal.config import SearchConfig
from onmal.corpora.located import LocatedCorpus, find
from onmal.errors import ConfigError
from onmal.evaluation import tokenised_lowercase_bleu

CORPUS = "multi30k"
TESTS = ("test_2016", "test_2017", "test_mscoco")


def main() -> None:
    """Score, print, record."""
    parser = recording.arguments(__doc__)
    parser.add_argument(
        "--data", action="append", metavar="multi30k=FOLDER", help="where the corpus is [the cache]"
    )
    options = parser.parse_args()
    translator = onmal.load(options.model, engine="torch")
    card = translator.saved.card
    training = recording.training_facts(card, options.model)
    data, search = card["run"]["data"], translator.saved.search
    if data["corpus"] != CORPUS:
        raise ConfigError(
            f"{options.model} was not trained on Multi30k", "give the folder of a multi30k recipe"
        )
    corpus = find(CORPUS, corpus_folders(options.data).get(CORPUS))
    direction = (data["source_language"], data["target_language"])
    scores = {test: score(translator, corpus, test, direction, search) for test in TESTS}
    recording.show(
        ("test set", "BLEU cased, detokenised", "chrF", "BLEU lower-cased, tokenised"),
        [
            (test, *(f"{found[key]:.2f}" for key in ("bleu", "chrf", "bleu_lc_tok")))
            for test, found in scores.items()
        ],
    )
    for metric, signature in scores[TESTS[0]]["signature"].items():
        print(f"{metric}: {signature}")
    result = {
        "name": card["name"],
        "direction": "-".join(direction),
        **scores,
        "beam_size": search.beam_size,
        "parameters": recording.parameters(translator.saved),
        **training,
        "scored_on": recording.this_machine(),
    }
    recording.record(card["name"], result, options.results)


def score(
    translator: onmal.Translator,
    corpus: LocatedCorpus,
    test: str,
    direction: tuple[str, str],
    search: SearchConfig,
) -> dict[str, Any]:
    """All metrics of one test set, from one translation of it."""
    pairs = list(corpus.pairs(test, *direction))
    found = onmal.evaluate(translator, pairs, to=direction[1], search=search, metrics=("BLEU", "chrF"))
    bleu, chrf = found.scores
    literature = tokenised_lowercase_bleu(found.hypotheses, found.references, direction[1])
    metrics = {"bleu_lc_tok": literature, "bleu": bleu, "chrf": chrf}
    return {
        **{name: round(metric.value, 2) for name, metric in metrics.items()},
        "interval": {
            name: [round(metric.low, 2), round(metric.high, 2)]
            for name, metric in metrics.items()
            if metric.low is not None and metric.high is not None
        },
        "signature": {name: metric.signature for name, metric in metrics.items()},
        "pairs": len(pairs),
    }


if __name__ == "__main__":
    recording.main(main)
