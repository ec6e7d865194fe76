"""What text in the target language alone gives where there are few pairs (Sennrich 2016), on Multi30k.

The first --pairs of the training text stay pairs; of the others only the German is kept. Four runs, each as long: `reverse`,
German to English on the pairs; `few`, English to German on the same; `more`, on the pairs and on the German text that `reverse`
has translated back (`onmal train --backtranslate`); `all`, on every pair, to say what the lost English is worth. All are scored on
the validation text with the recipe's search; test text is not read.

    python benchmarks/back_translation.py --data multi30k=FOLDER [--pairs 5000] [--minutes 5]

The result goes to benchmarks/results/back_translation.json. Models and text stay in --runs.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import recording
import regularisers

from onmal.cli.options import corpus_folders
from onmal.config import RunConfig
from onmal.corpora.located import find
from onmal.data.pair import Pair
from onmal.settings import read_toml

SOURCE, TARGET = "en", "de"


def main() -> None:
    """Cut the corpus, train, score, record."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", action="append", metavar="multi30k=FOLDER", help="where the corpus is [the cache]"
    )
    parser.add_argument(
        "--pairs", type=int, default=5000, metavar="N", help="how many stay pairs [%(default)s]"
    )
    parser.add_argument("--minutes", type=float, default=5.0, help="of training, for each run [%(default)g]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=Path, default=Path("runs/back-translation"), metavar="FOLDER")
    parser.add_argument("--results", type=Path, default=recording.RESULTS, metavar="FOLDER")
    options = parser.parse_args()
    corpus = find("multi30k", corpus_folders(options.data).get("multi30k"))
    pairs, valid = list(corpus.pairs("train", SOURCE, TARGET)), list(corpus.pairs("val", SOURCE, TARGET))
    written = {
        name: write(options.runs / name, rows)
        for name, rows in (("few", pairs[: options.pairs]), ("all", pairs), ("valid", valid))
    }
    alone = options.runs / "alone.de"
    alone.write_text("".join(f"{pair.target}\n" for pair in pairs[options.pairs :]), "utf-8")

    def plan(text: str, source: str = SOURCE, target: str = TARGET) -> RunConfig:
        return planned(written[text], written["valid"], source, target, options)

    regularisers.train(plan("few", TARGET, SOURCE), {}, options.runs / "run-reverse")
    back = ("--backtranslate", options.runs / "run-reverse", alone)
    systems = {"few": (plan("few"), ()), "more": (plan("few"), back), "all": (plan("all"), ())}
    found: dict[str, Any] = {}
    for name, (config, more) in systems.items():
        folder = options.runs / f"run-{name}"
        regularisers.train(config, {}, folder, *more)
        found[name] = regularisers.scores(folder, config, valid, options.runs / "run-few" / "valid.txt")
        print(f"{name}: BLEU {found[name]['bleu']:.2f}", flush=True)
    found["reverse"] = regularisers.scores(
        options.runs / "run-reverse", plan("few", TARGET, SOURCE), [pair.swapped() for pair in valid],
        options.runs / "run-reverse" / "valid.txt",
    )  # fmt: skip
    recording.show(
        ("", "BLEU", "p", "chrF", "updates"),
        [
            (
                name,
                f"{its['bleu']:.2f}",
                "" if its["p_value"] is None else f"{its['p_value']:.3f}",
                f"{its['chrf']:.2f}",
                str(its["updates"]),
            )
            for name, its in found.items()
        ],
    )
    result = {
        "corpus": "multi30k",
        "pairs": options.pairs,
        "lines_alone": len(pairs) - options.pairs,
        "minutes": options.minutes,
        "beam_size": plan("few").search.beam_size,
        "seed": options.seed,
        "config_hash": regularisers.fingerprint(without_files(plan("few"))),
        "systems": found,
        "machine": recording.this_machine(),
    }
    recording.record("back_translation", result, options.results)


def write(base: Path, pairs: list[Pair]) -> dict[str, str]:
    """Two aligned files; their names by language."""
    base.parent.mkdir(parents=True, exist_ok=True)
    files = {SOURCE: base.with_suffix(f".{SOURCE}"), TARGET: base.with_suffix(f".{TARGET}")}
    files[SOURCE].write_text("".join(f"{pair.source}\n" for pair in pairs), "utf-8")
    files[TARGET].write_text("".join(f"{pair.target}\n" for pair in pairs), "utf-8")
    return {language: str(file.absolute()) for language, file in files.items()}


def without_files(config: RunConfig) -> RunConfig:
    """The settings that are the same wherever the text is."""
    return config.replace(data=config.data.replace(train=["few"], valid=["valid"]))


def planned(text: dict[str, str], valid: dict[str, str], source: str, target: str, options: Any) -> RunConfig:
    """The recipe on other text, as long as is asked for, with as many subwords as fit the text; nothing is learned the other way round."""
    recipe = read_toml(regularisers.RECIPE)
    recipe["data"] |= {
        "corpus": "", "tests": [], "source_language": source, "target_language": target,
        "vocabulary_size": 0, "train": [text[source], text[target]], "valid": [valid[source], valid[target]],
    }  # fmt: skip
    recipe["train"] |= {"reversed_share": 0.0}
    recipe["name"] = f"multi30k-{source}-{target}"
    return regularisers.plan(recipe, options.minutes, "recipe", options.seed)


if __name__ == "__main__":
    recording.main(main)
