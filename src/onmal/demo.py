"""The main job: from nothing to a translator that you can watch, in four minutes on two cores and without a download.

Phrasebook -> tokenizer -> train both directions -> score on combinations it has never seen -> ten translations -> a picture
of attention -> what to type next.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from onmal import evaluation, inspection, phrasebook
from onmal.config import RunConfig
from onmal.errors import OnmalError
from onmal.run_report.events import PlainReport, Reporter
from onmal.training.run import train
from onmal.translating.translator import Translator
from onmal.writing import write_whole

__all__ = ["demo", "demo_config"]

Say = Callable[[str], None]
SENTENCES = (
    "저는 학생이에요.",
    "어제 친구를 만났어요.",
    "커피 두 잔 주세요.",
    "도서관에서 책을 읽고 싶어요.",
    "비가 와서 공원에 가지 않았어요.",
    "민호는 지수를 도왔어요.",
    "지수는 민호를 도왔어요.",
    "배가 고파요.",
    "Where is the hospital?",
    "I can't drink milk.",
)
PICTURED = "민호는 도서관에서 책을 읽었어요."
MINUTES = 3.3  # of training: with reading, scoring and drawing about 3.7 in all
TESTS = {"test": 500, "long": 100, "roles": 200, "homonyms": 200}
NEXT = (
    "onmal translate {folder} --text '내일 친구와 영화를 볼 거예요.'",
    "onmal inspect {folder} '민호는 매일 커피를 마셔요.' -o attention.svg",
    "onmal train --source my.ko --target my.en --size small",
)


def demo_config(minutes: float = MINUTES) -> RunConfig:
    """The demo's run: a small Transformer, Korean to English and English to Korean in one."""
    return RunConfig.from_dict(
        {
            "name": "phrasebook",
            "size": "tiny",
            "model": {"encoder_layers": 3, "decoder_layers": 2, "dropout": 0.0},
            "data": {
                "source_language": "ko",
                "target_language": "en",
                "both_directions": True,
                "corpus": "phrasebook",
                "tests": list(TESTS),
                "valid_size": 250,  # fewer pick the weights by chance
                "vocabulary_size": 5000,
                "clean": False,  # a grammar makes no mistakes, and repeats short sentences as people do
            },
            "train": {
                "optimizer": "muon",
                "minutes": minutes,
                "batch_tokens": 1024,  # two processes where there are two cores
                "learning_rate": 0.005,
                "warmup": 150,
                "schedule": "cosine",
                "label_smoothing": 0.0,  # each sentence has one right translation
                "validate_every": 700,
                "average": 2,
            },
        }
    )


def demo(
    folder: Path,
    *,
    minutes: float = MINUTES,
    watch: AbstractContextManager[Reporter] | None = None,
    say: Say = print,
) -> dict[str, Any]:
    """Run the whole demo in `folder`; returns what it writes to `folder/scores.json`.

    `minutes` are those of training. `watch` shows the training; plain lines on standard error if left away. A folder
    that an earlier demo made is made anew; any other that is not empty is left alone (TrainingError). Raises
    KeyboardInterrupt where training was interrupted; it can be resumed.
    """
    begun = time.monotonic()
    config = demo_config(minutes)
    _clear(folder)
    say("1/5  Training Korean <-> English on the phrasebook, sentences made by a grammar")
    with watch or nullcontext(PlainReport(sys.stderr)) as reporter:
        saved = train(config, folder, reporter=reporter)
    if saved is None:
        raise KeyboardInterrupt
    translator = Translator(saved)
    say("2/5  Scoring on combinations of words that training never showed ...")
    scores = _scores(translator, config)
    for line in _score_lines(scores):
        say(f"     {line}")
    say("3/5  Ten translations")
    for sentence in SENTENCES:
        say(f"     {sentence}  ->  {translator.translate(sentence).text}")
    say("4/5  What the words looked at")
    found = inspection.inspect(translator, PICTURED)
    say(inspection.terminal(found.attention("cross")))
    picture = _picture(found, folder)
    scores["minutes"] = round((time.monotonic() - begun) / 60, 2)
    write_whole(folder / "scores.json", json.dumps(scores, ensure_ascii=False, indent=2).encode())
    say(f"5/5  Done in {scores['minutes']:.1f} minutes")
    say(f"     model: {folder}    scores: {folder / 'scores.json'}    picture: {picture}")
    say("     What to type next:")
    for command in NEXT:
        say(f"       {command.format(folder=folder)}")
    return scores


def _scores(translator: Translator, config: RunConfig) -> dict[str, Any]:
    """BLEU, chrF and exact matches of each split in both directions, and of the lookup that the network must beat."""
    splits: dict[str, Any] = {}
    for split, size in TESTS.items():
        phrases = phrasebook.phrases(split, size)
        splits[split] = {"pairs": len(phrases)}
        for direction, target in (("ko-en", "en"), ("en-ko", "ko")):
            sides = [p.korean for p in phrases], [p.english for p in phrases]
            sources, references = sides if target == "en" else sides[::-1]
            texts = [t.text for t in translator.translate(sources, to=target, search=config.search)]
            splits[split][direction] = _measured(texts, references, target)
    known = [(phrase.korean, phrase.english) for phrase in phrasebook.phrases("train", 20_000)]
    lookup = phrasebook.NearestNeighbour(known)
    test = phrasebook.phrases("test", TESTS["test"])
    nearest = [lookup.translate(phrase.korean) for phrase in test]
    references = [phrase.english for phrase in test]
    return {"splits": splits, "nearest_neighbour": {"ko-en": _measured(nearest, references, "en")}}


def _measured(texts: Sequence[str], references: Sequence[str], target: str) -> dict[str, Any]:
    found = evaluation.score(texts, references, target_language=target, bootstrap=0)
    exact = {
        "name": "exact",
        "value": evaluation.exact_match(texts, references),
        "signature": "share|case:mixed",
    }
    return {**{score.name: score.as_dict() for score in found}, "exact": exact}


def _score_lines(scores: dict[str, Any]) -> Iterator[str]:
    """A line a split and direction, the lookup's, and the signatures of all."""
    signatures: dict[str, None] = {}
    rows = [
        (f"{split:9} {direction}", found[direction])
        for split, found in scores["splits"].items()
        for direction in ("ko-en", "en-ko")
    ]
    rows.append(
        ("nearest neighbour in 20,000 training pairs, test ko-en", scores["nearest_neighbour"]["ko-en"])
    )
    for name, found in rows:
        yield name + "".join(f"  {metric} {score['value']:.1f}" for metric, score in found.items())
        for metric, score in found.items():
            if metric != "exact":
                signatures[f"{metric} = {score['signature']}"] = None
    yield from signatures


def _picture(found: inspection.Inspection, folder: Path) -> Path | None:
    """Draw the attention where matplotlib is installed; SVG where no font has the characters."""
    try:
        path = folder / f"attention{inspection.best_picture_suffix(found.text + found.translation)}"
        inspection.draw([found.attention("cross")], path)
    except OnmalError as error:
        print(f"     (no picture: {error})", file=sys.stderr)
        return None
    return path


def _clear(folder: Path) -> None:
    """Remove what an earlier demo left; `train` refuses any other folder that is not empty."""
    run = folder / "training" / "run.toml"
    if run.exists() and RunConfig.from_toml(run).name == demo_config().name:
        shutil.rmtree(folder)
