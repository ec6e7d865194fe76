"""The main job: from nothing to a translator that you can watch, in four minutes on two cores and without a download.

Phrasebook -> tokenizer -> train both directions -> score on combinations it has never seen -> ten translations -> a picture
of attention -> what to type next.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from onmal import evaluation, inspection, phrasebook
from onmal.config import RunConfig, SearchConfig
from onmal.errors import OnmalError
from onmal.training.checkpoint import write_atomically
from onmal.training.report import Reporter
from onmal.training.run import train
from onmal.translating.translator import Translator

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


def demo_config(minutes: float = 2.6) -> RunConfig:
    """The demo's run: a small Transformer, Korean to English and English to Korean in one."""
    return RunConfig.from_dict(
        {
            "name": "phrasebook",
            "size": "tiny",
            "model": {"encoder_layers": 3, "decoder_layers": 2, "dropout": 0.0, "max_source_length": 128, "max_target_length": 128},
            "data": {
                "corpus": "phrasebook", "source_language": "ko", "target_language": "en", "both_directions": True,
                "vocabulary_size": 2000, "clean": False, "valid_size": 100, "tests": ["test", "long", "roles", "homonyms"],
            },
            "train": {
                "minutes": minutes, "batch_tokens": 640, "learning_rate": 0.003, "warmup": 300, "schedule": "cosine",
                "label_smoothing": 0.05, "validate_every": 800, "average": 3,
            },
            "search": {"beam_size": 4},
        }
    )  # fmt: skip


def demo(
    folder: Path, *, minutes: float = 2.6, reporter: Reporter | None = None, say: Say = print
) -> dict[str, Any]:
    """Run the whole demo in `folder`; returns what it writes to `folder/scores.json`.

    A folder that an earlier demo made is made anew; any other is left alone (OnmalError).
    """
    begun = time.monotonic()
    config = demo_config(minutes)
    _clear(folder)
    say("1/5  Training Korean <-> English on the phrasebook, sentences made by a grammar")
    saved = train(config, folder, reporter=reporter)
    if saved is None:
        raise KeyboardInterrupt
    translator = Translator(saved)
    say("2/5  Scoring on combinations of words that training never showed")
    scores = _scores(translator, config)
    for split, directions in scores["splits"].items():
        for direction, found in directions.items():
            values = "  ".join(f"{metric} {score['value']:.1f}" for metric, score in found.items())
            say(f"     {split:9} {direction}  {values}")
    say(f"     nearest neighbour in the training text, ko-en test: BLEU {scores['nearest_neighbour']:.1f}")
    say("3/5  Ten translations")
    for sentence in SENTENCES:
        say(f"     {sentence}  ->  {translator.translate(sentence).text}")
    say("4/5  What the words looked at")
    found = inspection.inspect(translator, PICTURED)
    attention = found.attention("cross")
    say(inspection.terminal(attention))
    picture = _picture(found, folder)
    scores["minutes"] = round((time.monotonic() - begun) / 60, 2)
    write_atomically(folder / "scores.json", json.dumps(scores, ensure_ascii=False, indent=2).encode())
    say(f"5/5  Done in {scores['minutes']:.1f} minutes. The model is in {folder}, its scores in {folder}/scores.json")
    if picture:
        say(f"     picture of attention: {picture}")
    say("     What to type next:")
    say(f"       onmal translate {folder} --text '내일 친구와 영화를 볼 거예요.'")
    say(f"       onmal inspect {folder} '저는 매일 커피를 마셔요.' -o attention.svg")
    say("       onmal train --source my.ko --target my.en --size small     # your own text")
    return scores


def _scores(translator: Translator, config: RunConfig) -> dict[str, Any]:
    """BLEU and chrF of each test split in both directions, and the lookup that the network must beat."""
    splits: dict[str, Any] = {}
    test = phrasebook.phrases("test", 300)
    search = SearchConfig(beam_size=config.search.beam_size)
    for split in config.data.tests:
        phrases = test if split == "test" else phrasebook.phrases(split, 100)
        pairs = [(phrase.korean, phrase.english) for phrase in phrases]
        for direction, target in (("ko-en", "en"), ("en-ko", "ko")):
            sources, references = zip(*(p if target == "en" else p[::-1] for p in pairs), strict=True)
            texts = [t.text for t in translator.translate(sources, to=target, search=search)]
            found = evaluation.score(texts, references, target_language=target, bootstrap=0)
            splits.setdefault(split, {})[direction] = {s.name: s.as_dict() for s in found} | {
                "exact": {"value": evaluation.exact_match(texts, references)}
            }
    known = [(phrase.korean, phrase.english) for phrase in phrasebook.phrases("train", 20_000)]
    lookup = phrasebook.NearestNeighbour(known)
    nearest = [lookup.translate(phrase.korean) for phrase in test]
    references = [phrase.english for phrase in test]
    bleu = next(
        s
        for s in evaluation.score(nearest, references, target_language="en", bootstrap=0)
        if s.name == "BLEU"
    )
    return {"splits": splits, "nearest_neighbour": bleu.value, "pairs": {"test": len(test), "other": 100}}


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
