"""What a student loses against its teacher, and how much faster it is.

Both translate the same text: the teacher with the search of its recipe, the student with that of its own, with as many
hypotheses as it names and as the teacher has (or with each of --beams). Measured: BLEU and chrF of each, with the difference to
the teacher (paired bootstrap); sentences a second, text in and text out, by turns in one process, in the engine that onmal takes
by itself and in torch. Not measured: one sentence at a time (`onmal bench`).

    onmal train recipes/multi30k-en-de-student.toml --teacher runs/multi30k-en-de --from-teacher
    python benchmarks/student.py runs/multi30k-en-de-student --teacher runs/multi30k-en-de --data multi30k=FOLDER

The result goes to benchmarks/results/student.json. A test set is to be scored once, at the end: choose by `--split val`.
"""

from __future__ import annotations

import statistics
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import recording

import onmal
from onmal.cli.options import corpus_folders
from onmal.config import SearchConfig
from onmal.corpora.located import find
from onmal.evaluation import compare

ENGINES = ("auto", "torch")
Contestant = tuple[str, SearchConfig]
"""A model's role and how it searches."""


def main() -> None:
    """Score, take turns, record."""
    begun, parser = time.monotonic(), recording.arguments(__doc__)
    parser.add_argument(
        "--teacher", type=Path, required=True, metavar="MODEL", help="whom it has learned from"
    )
    parser.add_argument(
        "--data", action="append", metavar="NAME=FOLDER", help="where the student's corpus is"
    )
    parser.add_argument("--split", metavar="SPLIT", help="which part of it [the recipe's first test set]")
    parser.add_argument(
        "--beams", type=int, nargs="+", metavar="K", help="the student's [its own and the teacher's]"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slice", type=float, default=20.0, metavar="SECONDS")
    options = parser.parse_args()
    folders = {"teacher": options.teacher, "student": options.model}
    models = {
        engine: {role: onmal.load(str(folder), engine=engine) for role, folder in folders.items()}
        for engine in ENGINES
    }
    card, search = models["torch"]["student"].saved.card, models["torch"]["teacher"].saved.search
    facts = {
        role: recording.training_facts(model.saved.card, folders[role])
        for role, model in models["torch"].items()
    }
    data = card["run"]["data"]
    split, target = options.split or data["tests"][0], data["target_language"]
    corpus = find(data["corpus"], corpus_folders(options.data).get(data["corpus"]))
    pairs = list(corpus.pairs(split, data["source_language"], target))
    sources, references = [pair.source for pair in pairs], [pair.target for pair in pairs]
    own = models["torch"]["student"].saved.search
    beams = options.beams or dict.fromkeys((own.beam_size, search.beam_size))
    contestants = {f"teacher, beam {search.beam_size}": ("teacher", search)}
    contestants |= {f"student, beam {beam}": ("student", own.replace(beam_size=beam)) for beam in beams}
    found = measured(models, contestants, sources, references, target, options)
    result = {
        "name": card["name"],
        "taught_by": models["torch"]["teacher"].saved.card["name"],
        "texts": [Path(file).stem for text in data["mix"] for file in text["train"]],
        "split": split,
        "pairs": len(pairs),
        "rounds": options.rounds,
        "slice_seconds": options.slice,
        "systems": found,
        "teacher": {"parameters": recording.parameters(models["torch"]["teacher"].saved), **facts["teacher"]},
        "student": {"parameters": recording.parameters(models["torch"]["student"].saved), **facts["student"]},
        "config_hash": facts["student"]["config_hash"],
        "minutes": round((time.monotonic() - begun) / 60, 1),
        "machine": recording.this_machine(),
    }
    recording.record("student", result, options.results)


def measured(
    models: Mapping[str, Mapping[str, onmal.Translator]],
    contestants: Mapping[str, Contestant],
    sources: Sequence[str],
    references: Sequence[str],
    target: str,
    options: Namespace,
) -> dict[str, dict[str, Any]]:
    """Scores and speeds of each, printed, too; the teacher is the first."""
    said = {
        name: [each.text for each in models["auto"][role].translate(sources, search=how)]
        for name, (role, how) in contestants.items()
    }
    [teacher, *_] = said.values()
    rates = {engine: take_turns(models[engine], contestants, sources, options) for engine in ENGINES}
    found = {
        name: {
            **against(translations, teacher, references, target),
            "sentences_per_second": {engine: rates[engine][name] for engine in ENGINES},
            "times_the_teacher": {
                engine: recording.ratio(rates[engine][name], next(iter(rates[engine].values())))
                for engine in ENGINES
            },
        }
        for name, translations in said.items()
    }
    recording.show(
        ("", "BLEU", "difference", "p", "chrF", *(f"sentences/s, {engine}" for engine in ENGINES), *ENGINES),
        [
            (
                name, f"{its['bleu']:.2f}", f"{its['bleu_difference']:+.2f}", f"{its['p_value']:.3f}", f"{its['chrf']:.2f}",
                *(f"{statistics.median(its['sentences_per_second'][engine]):,.0f}" for engine in ENGINES),
                *(f"{its['times_the_teacher'][engine]['median']:.2f}" for engine in ENGINES),
            )
            for name, its in found.items()
        ],
    )  # fmt: skip
    return found


def take_turns(
    models: Mapping[str, onmal.Translator],
    contestants: Mapping[str, Contestant],
    sources: Sequence[str],
    options: Namespace,
) -> dict[str, list[float]]:
    """Sentences a second of each, round by round: whole passes over the text until its slice of time is over."""
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    order = list(contestants)
    for number in range(options.rounds):
        shift = number % len(order)  # so that nobody always follows the same one
        for name in [*order[shift:], *order[:shift]]:
            role, search = contestants[name]
            done, begun = 0, time.perf_counter()
            while time.perf_counter() - begun < options.slice:
                models[role].translate(sources, search=search)
                done += len(sources)
            rates[name].append(round(done / (time.perf_counter() - begun), 1))
        print("  ".join(f"{name} {its[-1]:,.0f}" for name, its in rates.items()), flush=True)
    return rates


def against(
    translations: Sequence[str], teacher: Sequence[str], references: Sequence[str], language: str
) -> dict[str, Any]:
    """BLEU and chrF, and what they are away from the teacher's."""
    bleu, chrf = compare(
        translations, teacher, references, target_language=language, metrics=("BLEU", "chrF")
    ).differences
    return {
        "bleu": round(bleu.score.value, 2),
        "bleu_difference": round(bleu.difference, 2),
        "p_value": round(bleu.p_value, 4),
        "chrf": round(chrf.score.value, 2),
        "chrf_difference": round(chrf.difference, 2),
        "signature": {"bleu": bleu.signature, "chrf": chrf.signature},
    }


if __name__ == "__main__":
    recording.main(main)
