"""What each regulariser gives: a recipe with one change at a time, each run as long, scored on the validation text alone.

A setting is what one writes after --set; it is trained by `onmal train` in a process of its own, one after the other, and
then translates the validation text with the recipe's search. Validations are as many as in the recipe's own time. Test text is
not read.

    python benchmarks/regularisers.py --data multi30k=FOLDER [--minutes 15] [--seeds 1] [--settings recipe train.r_drop=5.0]

The result goes to benchmarks/results/regularisers.json after each run, and a run that is in it is not repeated: the same
command goes on where it was stopped. Models, logs and translations stay in --runs.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import recording

import onmal
from onmal.cli.options import corpus_folders
from onmal.config import RunConfig
from onmal.data.corpus import Pair
from onmal.errors import ConfigError, TrainingError
from onmal.evaluation import bleu_tokenizer, compare
from onmal.settings import apply_overrides, read_toml
from onmal.training.sources import training_pairs

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "multi30k-en-de.toml"

SETTINGS = (
    "recipe",
    "train.optimizer=adam",
    "train.weight_decay=0.0",
    "train.reversed_share=0.0",
    "train.r_drop=2.0",
    "train.word_dropout=0.1",
    "train.ema=0.999",
    "train.average=1",
    "train.average=10",
    "train.label_smoothing=0.0",
    "data.subword_sampling=0.0",
    "data.tokenizer=bpe",
    "data.joint=false model.tie=output train.reversed_share=0.0",
    "model.tie=output",
    "model.dropout=0.1",
)
"""What the recipe does without, and what it might do besides."""


def main() -> None:
    """Train, score and record one setting after the other."""
    options = read_options()
    values, corpora = read_toml(options.recipe), corpus_folders(options.data)
    plans = [
        (setting, seed, plan(values, options.minutes, setting, seed))
        for setting in options.settings
        for seed in options.seeds
    ]
    recipes = {seed: fingerprint(plan(values, options.minutes, "recipe", seed)) for seed in options.seeds}
    result = begun(options, plan(values, options.minutes, "recipe", 0))
    for setting, seed, config in plans:
        written = fingerprint(config)
        if setting != "recipe" and written == recipes[seed]:
            continue  # the recipe has it already
        found = result["settings"].setdefault(setting, {})
        if found.get(str(seed), {}).get("config_hash") == written:
            continue
        folder = options.runs / f"{setting}-{seed}"
        train(config, corpora, folder)
        pairs = training_pairs(config.data, corpora, seed).valid
        baseline = options.runs / f"recipe-{seed}" / "valid.txt"
        found[str(seed)] = {"config_hash": written, **scores(folder, config, pairs, baseline)}
        print(f"{setting}, seed {seed}: BLEU {found[str(seed)]['bleu']:.2f}", flush=True)
        recording.record("regularisers", result, options.results)
    show(result["settings"])
    recording.record("regularisers", result, options.results)


def read_options() -> Namespace:
    """The command line."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", type=Path, default=RECIPE, metavar="TOML")
    parser.add_argument("--data", action="append", metavar="NAME=FOLDER", help="where the corpus is")
    parser.add_argument("--minutes", type=float, default=15.0, help="of training, for each run [%(default)g]")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], metavar="SEED")
    parser.add_argument(
        "--settings", nargs="+", default=SETTINGS, metavar="SETTING",
        help="SECTION.KEY=VALUE, or several in quotes; or recipe, which changes nothing [all known]",
    )  # fmt: skip
    parser.add_argument("--runs", type=Path, default=Path("runs/regularisers"), metavar="FOLDER")
    parser.add_argument("--results", type=Path, default=recording.RESULTS, metavar="FOLDER")
    return parser.parse_args()


def plan(recipe: Mapping[str, Any], minutes: float, setting: str, seed: int) -> RunConfig:
    """The recipe with the time, the seed and the changes asked for, and with as many validations."""
    whole = RunConfig.from_dict(recipe).train
    every = max(1, round(whole.validate_every * minutes / (whole.minutes or minutes)))
    changes = [] if setting == "recipe" else setting.split()
    budget = [f"train.minutes={minutes}", f"train.seed={seed}", f"train.validate_every={every}"]
    return RunConfig.from_dict(apply_overrides(recipe, [*budget, *changes]))


def begun(options: Namespace, recipe: RunConfig) -> dict[str, Any]:
    """What is measured already. Raises ConfigError where that was with another recipe, time or machine."""
    facts = {
        "recipe": recipe.name,
        "corpus": recipe.data.corpus,
        "minutes": options.minutes,
        "machine": recording.this_machine(),
        "beam_size": recipe.search.beam_size,
        "config_hash": fingerprint(recipe),
    }
    path = options.results / "regularisers.json"
    if not path.exists():
        return {**facts, "settings": {}}
    earlier: dict[str, Any] = json.loads(path.read_text("utf-8"))
    for key, value in facts.items():
        if earlier.get(key) != value:
            raise ConfigError(
                f"{path}: {key} is {earlier.get(key)!r}, not {value!r}",
                "such runs cannot be compared; move the file away, or give another --results",
            )
    return earlier


def fingerprint(config: RunConfig) -> str:
    """A hash of every setting that is not at its default: one that is new in onmal does not change it."""
    said = json.dumps(config.model_dump(exclude_defaults=True), sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def train(config: RunConfig, corpora: Mapping[str, Path], folder: Path, *options: str | Path) -> None:
    """One run from its beginning: half a run goes on with another rate than one that was not stopped."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    toml = folder.with_name(f"{folder.name}.toml")
    toml.write_text(config.to_toml(), "utf-8")
    command = [sys.executable, "-m", "onmal", "train", str(toml), "--out", str(folder), *map(str, options)]
    for name, place in corpora.items():
        command += ["--data", f"{name}={place}"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
        raise TrainingError(f"the run in {folder} failed", f"it said: {last}")
    for weights in (folder / "training").glob("*.safetensors"):  # nobody goes on with it
        weights.unlink()


def scores(folder: Path, config: RunConfig, pairs: Sequence[Pair], baseline: Path) -> dict[str, Any]:
    """How well a trained model translates the validation text, beside the recipe's translations where they are."""
    from sacrebleu.metrics.bleu import BLEU

    translator = onmal.load(folder, engine="torch")
    card, language = translator.saved.card, config.data.target_language
    found = onmal.evaluate(translator, pairs, to=language, search=config.search, metrics=("BLEU", "chrF"))
    bleu, chrf = found.scores
    (folder / "valid.txt").write_text("".join(f"{line}\n" for line in found.hypotheses), "utf-8")
    lengths = BLEU(tokenize=bleu_tokenizer(language)).corpus_score(found.hypotheses, [list(found.references)])
    p_value = None
    if baseline.is_file() and baseline.parent != folder:
        others = baseline.read_text("utf-8").split("\n")[:-1]
        (difference,) = compare(
            found.hypotheses, others, found.references, target_language=language, metrics=("BLEU",)
        ).differences
        p_value = difference.p_value
    training = recording.training_facts(card, folder)
    return {
        "bleu": round(bleu.value, 2),
        "chrf": round(chrf.value, 2),
        "signature": {"bleu": bleu.signature, "chrf": chrf.signature},
        "interval": {
            name: [round(low, 2), round(high, 2)]
            for name, low, high in (("bleu", bleu.low, bleu.high), ("chrf", chrf.low, chrf.high))
            if low is not None and high is not None
        },
        "p_value": p_value,
        "loss": round(card["validation"]["negative_log_likelihood"], 4),
        "length_ratio": round(lengths.sys_len / lengths.ref_len, 3),
        **{key: training[key] for key in ("minutes", "updates", "tokens", "weights", "precision", "onmal", "torch")},
        "trained_on": training["machine"],
    }  # fmt: skip


def show(settings: Mapping[str, Mapping[str, Any]]) -> None:
    """All settings as a table, means over the seeds."""
    rows = [
        (
            setting,
            *(
                f"{mean(run[key] for run in runs.values()):.{digits}f}"
                for key, digits in (
                    ("bleu", 2),
                    ("chrf", 2),
                    ("loss", 3),
                    ("length_ratio", 3),
                    ("updates", 0),
                )
            ),
            str(len(runs)),
        )
        for setting, runs in settings.items()
        if runs
    ]
    recording.show(("setting", "BLEU", "chrF", "loss", "length ratio", "updates", "seeds"), rows)


if __name__ == "__main__":
    recording.main(main)
