"""`onmal evaluate`: scores with their signatures, intervals and significance."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from onmal.cli.options import (
    BeamSize,
    CorpusFolders,
    Engine,
    From,
    Model,
    Precision,
    Tag,
    To,
    Together,
    argument,
    corpus_folders,
    direction_of,
    flag,
    languages_of,
    option,
    search_config,
)
from onmal.cli.terminal import note, show, table
from onmal.errors import ConfigError

if TYPE_CHECKING:
    from rich.table import Table

    from onmal.data.pair import Pair
    from onmal.evaluation import Comparison, Evaluation, Score
    from onmal.translating.translator import Translator

__all__ = ["CorpusName", "Files", "Splits", "evaluate", "pairs_to_score", "verdict"]

SIGNIFICANT = 0.05

Files = Annotated[list[Path] | None, argument("DATA", "Two aligned files, or one .tsv, .jsonl, .tmx or .po.")]
CorpusName = Annotated[str, option("NAME", "Score on a known corpus instead of files.")]
Splits = Annotated[list[str] | None, option("SPLIT", "Which part of it; repeatable.", "--split")]
Baseline = Annotated[
    Path | None, option("MODEL|FILE", "A second model, or a file of translations, to compare with.")
]
Literature = Annotated[
    bool, flag("--literature", "Also BLEU of tokenised, lower-cased text, as papers on Multi30k give it.")
]
ByLabel = Annotated[bool, flag("--by-label", "Also one line per label, where the pairs have labels.")]
JsonFile = Annotated[Path | None, option("FILE", "Write all scores here as JSON.", "--json")]
SavedTranslations = Annotated[
    Path | None, option("FILE", "Write the translations here.", "--save-translations")
]


def evaluate(
    model: Model,
    data: Files = None,
    corpus: CorpusName = "",
    splits: Splits = None,
    folders: CorpusFolders = None,
    source_language: From = "",
    target_language: To = "",
    tag: Tag = "",
    together_with: Together = None,
    engine: Engine = "auto",
    precision: Precision = "float32",
    beam_size: BeamSize = None,
    baseline: Baseline = None,
    literature: Literature = False,
    by_label: ByLabel = False,
    json_file: JsonFile = None,
    save_translations: SavedTranslations = None,
) -> None:
    """Score a model: BLEU and chrF, with signatures.

    \b
    onmal evaluate runs/ko-en test.ko test.en
    onmal evaluate runs/ko-en test.ko test.en --baseline runs/older
    onmal evaluate runs/multi30k-en-de --corpus multi30k --split test_2016 --literature

    Every score comes with its 95 % interval by bootstrap, a comparison with the significance of the difference.
    Without DATA and --corpus, a model that was trained by a recipe is scored on the recipe's test sets.
    """
    from onmal.evaluation import compare, tokenised_lowercase_bleu
    from onmal.evaluation import evaluate as evaluate_translator
    from onmal.translating.translator import load
    from onmal.writing import one_line

    others = together_with or ()
    translator = load(model, tag=tag, engine=engine, precision=precision, together_with=others)
    sets, languages = pairs_to_score(
        translator, data or [], corpus, splits or [], folders, (source_language, target_language)
    )
    if len(sets) > 1 and (save_translations or (baseline and not baseline.is_dir())):
        raise ConfigError(
            f"one file cannot be for {len(sets)} sets of sentences", "give one --split at a time"
        )
    search = search_config(translator.saved.search, beam_size)
    reports = {}
    for name, pairs in sets.items():
        note(f"translating the {len(pairs):,} sentences of {name} ...")
        evaluation = evaluate_translator(translator, pairs, to=languages[1], search=search)
        report = _Report(
            f"{name}: {len(pairs):,} sentences, {'-'.join(languages)}, beam {search.beam_size}", evaluation
        )
        if literature:
            report.literature = tokenised_lowercase_bleu(
                evaluation.hypotheses, evaluation.references, languages[1]
            )
        if by_label:
            report.count_labels([pair.label for pair in pairs])
        if baseline:
            theirs = _baseline(baseline, [pair.source for pair in pairs], languages[1], beam_size)
            report.baseline = str(baseline)
            report.comparison = compare(
                evaluation.hypotheses, theirs, evaluation.references, target_language=languages[1]
            )
        report.show()
        reports[name] = report
    if save_translations:
        _write(
            save_translations, [one_line(text) for text in next(iter(reports.values())).evaluation.hypotheses]
        )
    if json_file:
        found = {
            "model": str(model),
            **({"together_with": [str(other) for other in others]} if others else {}),
            "direction": list(languages),
            "search": search.model_dump(),
            "sets": {name: report.as_dict() for name, report in reports.items()},
        }
        _write(json_file, [json.dumps(found, ensure_ascii=False, indent=2)])


@dataclass
class _Report:
    """All that was found out about one set of sentences."""

    title: str
    evaluation: Evaluation
    literature: Score | None = None
    labels: dict[str, list[Score]] = field(default_factory=dict)
    label_counts: Counter[str] = field(default_factory=Counter)
    baseline: str = ""
    comparison: Comparison | None = None

    def count_labels(self, labels: Sequence[str]) -> None:
        """Score the sentences of each label on their own."""
        from onmal.evaluation import by_label

        ours = self.evaluation
        self.label_counts = Counter(labels)
        self.labels = by_label(labels, ours.hypotheses, ours.references, target_language=ours.target_language)

    @property
    def scores(self) -> list[Score]:
        return [*self.evaluation.scores, *([self.literature] if self.literature else [])]

    def as_dict(self) -> dict[str, Any]:
        """Everything but the texts, ready for JSON."""
        found = self.evaluation.as_dict()
        found["scores"] = [score.as_dict() for score in self.scores]
        if self.labels:
            found["labels"] = {
                label: {
                    "sentences": self.label_counts[label],
                    "scores": [score.as_dict() for score in scores],
                }
                for label, scores in self.labels.items()
            }
        if self.comparison:
            found["baseline"] = {"name": self.baseline, **self.comparison.as_dict()}
        return found

    def show(self) -> None:
        """Tables on standard output, and below them the signature of every score in them."""
        main = table("metric", "score", "95 % interval", numbers=2)
        for score in self.scores:
            main.add_row(score.name, f"{score.value:.2f}", _interval(score))
        show(self.title, "", main)
        if self.labels:
            show("by label", "", self._label_table())
        if self.comparison:
            show(f"against {self.baseline}", "", _comparison_table(self.comparison))
        show(*(f"{score.name}: {score.signature}" for score in self.scores), "")

    def _label_table(self) -> Table:
        metrics = [score.name for score in self.evaluation.scores]
        labels = table("label", "sentences", *metrics, numbers=1 + len(metrics))
        for label, scores in self.labels.items():
            values = [f"{score.value:.2f} ({_interval(score)})" for score in scores]
            labels.add_row(label or "(none)", f"{self.label_counts[label]:,}", *values)
        return labels


def _comparison_table(comparison: Comparison) -> Table:
    differences = table("metric", "score", "baseline", "difference", "p", "", numbers=5)
    for each in comparison.differences:
        values = (each.score.value, each.baseline.value)
        numbers = [*(f"{value:.2f}" for value in values), f"{each.difference:+.2f}", f"{each.p_value:.3f}"]
        differences.add_row(each.name, *numbers, verdict(each.difference, each.p_value))
    return differences


def verdict(difference: float, p_value: float) -> str:
    """Whether a difference may be chance, in a word or three."""
    if p_value >= SIGNIFICANT:
        return "may be chance"
    return "better" if difference > 0 else "worse"


def _interval(score: Score) -> str:
    return "" if score.low is None or score.high is None else f"{score.low:.2f} to {score.high:.2f}"


def _baseline(baseline: Path, sources: list[str], target_language: str, beam_size: int | None) -> list[str]:
    """The translations to compare with: those of a second model, as its own recipe searches, or the lines of a file."""
    from onmal.formats.lines import read_lines
    from onmal.translating.translator import load

    if not baseline.is_dir():
        return list(read_lines(baseline))
    theirs = load(baseline)
    search = search_config(theirs.saved.search, beam_size)
    return [found.text for found in theirs.translate(sources, to=target_language, search=search)]


def _write(path: Path, lines: Iterable[str]) -> None:
    from onmal.writing import open_whole

    with open_whole(path) as file:
        file.writelines(f"{line}\n" for line in lines)


def pairs_to_score(
    translator: Translator,
    files: list[Path],
    corpus: str,
    splits: list[str],
    folders: list[str] | None,
    asked: tuple[str, str],
) -> tuple[dict[str, list[Pair]], tuple[str, str]]:
    """The sets of pairs by name, and their languages: from files, a corpus, or the recipe that the model was made by."""
    from onmal.corpora.located import corpus_named, find
    from onmal.data.corpus import read_pairs

    if files:
        if corpus or splits:
            raise ConfigError("both files and a corpus were given", "give one of them")
        source, target = direction_of(translator.directions, asked, lambda: languages_of(files, *asked))
        pairs = read_pairs(files, source_language=source, target_language=target)
        return {" ".join(file.name for file in files): list(pairs)}, (source, target)
    recipe = translator.saved.card.get("run", {}).get("data", {})
    if not corpus and not splits and not recipe.get("corpus") and (tests := recipe.get("tests")):
        own = recipe["source_language"], recipe["target_language"]
        direction = direction_of(translator.directions, asked, lambda: own)
        found = list(read_pairs(tests, source_language=own[0], target_language=own[1]))
        found = found if direction == own else [pair.swapped() for pair in found]
        return {" ".join(Path(test).name for test in tests): found}, direction
    corpus = corpus or recipe.get("corpus", "")
    if not splits and corpus == recipe.get("corpus"):
        splits = recipe.get("tests", [])
    if not corpus:
        raise ConfigError("there is nothing to score", "give two aligned files, or --corpus and --split")
    known = corpus_named(corpus)
    if not splits:
        raise ConfigError(
            f"it is not said which part of {corpus} to score", f"--split takes {', '.join(known.splits)}"
        )
    source, target = direction_of(
        translator.directions, asked, lambda: (known.source_language, known.target_language)
    )
    located = find(corpus, corpus_folders(folders).get(corpus))
    return {split: list(located.pairs(split, source, target)) for split in splits}, (source, target)
