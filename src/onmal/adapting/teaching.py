"""What a student learns from: its teacher's translations of the training text, or text that was translated back.

A network is easier to learn from than people, who say the same thing in many ways: a small student of a large teacher
comes near it (sequence-level distillation, Kim & Rush 2016). Text in the target language alone is of use once it has been
translated back (Sennrich 2016); its sources begin with <back>, so that the student can tell it from what people wrote
(Caswell 2019).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from onmal.adapting.made_text import MadeText
from onmal.config import SIZES, DataConfig, DataMixConfig, RunConfig
from onmal.data.pair import Pair
from onmal.errors import ConfigError, DataError
from onmal.formats.lines import read_lines
from onmal.saved_model import load_model
from onmal.training.sources import training_pairs

__all__ = ["BACK", "beginning_with", "taught", "with_back_translations"]

BACK = "back"
"""The tag of text that was translated back."""


def beginning_with(model: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a run, as TOML has them, that begins with a model's weights: what they leave open of the network is as there.

    Raises ModelFolderError.
    """
    network, data, train = (settings.get(section, {}) for section in ("model", "data", "train"))
    if not all(isinstance(section, Mapping) for section in (network, data, train)):
        return dict(settings)  # which RunConfig refuses
    saved = load_model(model)
    longest = min(DataConfig().max_length, saved.model.longest_source, saved.model.longest_target)
    named = {**SIZES.get(str(settings.get("size")), {}), **network}
    return {
        **settings,
        "model": {**saved.config.model_dump(), **named},
        "data": {"max_length": longest, **data, "joint": saved.tokenizer.joint},
        "train": {**train, "start": str(model.absolute())},
    }


def taught(
    config: RunConfig,
    teacher: Path,
    made: MadeText,
    *,
    with_original: bool = False,
    corpora: Mapping[str, Path] | None = None,
) -> RunConfig:
    """The run on the teacher's translations of its training text, and `with_original` on the pairs themselves, too.

    Each text of a mix keeps its weight and its tag. What is held out for validation is held out from the teacher, too, and
    stays as people wrote it. Where the teacher says nothing, the original translation stands.
    """
    data = config.data
    if data.both_directions:
        raise ConfigError(
            "a teacher's translations are of one direction, and data.both_directions wants two",
            "train a student for each direction",
        )
    _refuse_shards(config, "--teacher")
    made.note(f"reading {data.names} ...")
    pairs = training_pairs(data, corpora or {}, config.train.seed)
    languages = data.source_language, data.target_language
    mix: list[DataMixConfig] = []
    for number, (text, (begin, end)) in enumerate(
        zip(
            data.mix or [DataMixConfig(train=data.train)],
            pairwise([0, *accumulate(pairs.sizes)]),
            strict=True,
        ),
        1,
    ):
        own = pairs.train[begin:end]
        sources = [pair.source for pair in own]
        path = made.translate(f"teacher-{number}", teacher, sources, languages, partial(_taught_pair, own))
        mix.append(text.replace(corpus="", train=[path]))
        if with_original:
            mix.append(text.replace(corpus="", train=[made.write(f"original-{number}", own)]))
    changes: dict[str, Any] = {"train": [], "mix": mix}
    if not data.valid:
        changes |= {"corpus": "", "tests": [], "valid": [made.write("valid", pairs.valid)]}
    return config.replace(data=data.replace(**changes))


def with_back_translations(config: RunConfig, model: Path, text: Path, made: MadeText) -> RunConfig:
    """The run with lines of text in its target language mixed in, which `model` translates back, tagged <back>.

    Where the model says nothing, the line is its own source.
    """
    data = config.data
    _refuse_shards(config, "--backtranslate")
    if config.train.start and f"<{BACK}>" not in load_model(config.train.start).tokenizer.tags:
        raise ConfigError(
            f"the words of {config.train.start} have no <{BACK}>, by which text that was translated back is told apart",
            "leave --begin-with and --from-teacher away, or begin with a model that has learned from such text",
        )
    lines = [line for line in read_lines(text) if line.strip()]
    if not lines:
        raise DataError("there is no text to translate back", "give one sentence a line", path=text)
    languages = data.target_language, data.source_language
    path = made.translate(BACK, model, lines, languages, partial(_back_pair, lines))
    texts = data.mix or [DataMixConfig(corpus=data.corpus, train=data.train)]
    mix = [*texts, DataMixConfig(train=[path], tag=BACK)]
    return config.replace(data=data.replace(train=[], mix=mix))


def _taught_pair(pairs: Sequence[Pair], number: int, said: str) -> tuple[str, str]:
    return pairs[number].source, said if said.strip() else pairs[number].target


def _back_pair(lines: Sequence[str], number: int, said: str) -> tuple[str, str]:
    return said if said.strip() else lines[number], lines[number]


def _refuse_shards(config: RunConfig, option: str) -> None:
    if config.data.shards:
        raise ConfigError(
            f"{option} makes text, and data.shards holds text that is made already",
            "name the text as data.train",
        )
