"""`onmal finetune`: a trained model goes on with new text."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from onmal.cli.options import (
    CorpusFolders,
    From,
    Model,
    To,
    argument,
    corpus_folders,
    direction_of,
    is_text_file,
    languages_of,
    option,
)
from onmal.cli.terminal import note
from onmal.cli.training import (
    Out,
    Resume,
    Seed,
    Settings,
    TensorBoard,
    Time,
    carry_out,
    changes,
    names_a_limit,
)
from onmal.errors import ConfigError

if TYPE_CHECKING:
    from onmal.config import RunConfig

__all__ = ["finetune"]

MINUTES = 30
"""After which fine-tuning ends, unless one says when, or nothing gets better any more."""
VALIDATION = ("valid", "val", "dev")
"""What corpora call the part that weights are chosen by."""

NewText = Annotated[
    list[Path],
    argument(
        "DATA",
        "The new text: two aligned files, one .tsv, .jsonl, .tmx or .po, the name of a corpus, or a recipe's [data].",
    ),
]
Valid = Annotated[
    list[Path] | None,
    option(
        "FILE",
        "Validation text; give it twice for two aligned files.  [default: a part of DATA is held out]",
        "--valid",
    ),
]
Test = Annotated[
    list[Path] | None,
    option(
        "FILE", "Score the new domain on this; twice for two files.  [default: on validation text]", "--test"
    ),
]
OldData = Annotated[
    list[Path] | None,
    option(
        "FILE", "Mix in text of the old domain, so that less is forgotten; twice for two files.", "--old-data"
    ),
]
OldTest = Annotated[
    list[Path] | None,
    option(
        "FILE",
        "Score the old domain on this, and learn nothing of it; twice for two files.  [default: on what MODEL was validated on]",
        "--old-test",
    ),
]
OldShare = Annotated[
    float, option("SHARE", "How much of what is learned from is old text.  [default: 0.2]", "--old-share")
]
Lora = Annotated[
    int,
    option("RANK", "Train low-rank updates of the projections alone, such as 8.  [default: all weights]"),
]


def finetune(
    model: Model,
    data: NewText,
    valid: Valid = None,
    test: Test = None,
    old_data: OldData = None,
    old_test: OldTest = None,
    old_share: OldShare = 0.2,
    lora: Lora = 0,
    source_language: From = "",
    target_language: To = "",
    time: Time = "",
    seed: Seed = None,
    settings: Settings = None,
    folders: CorpusFolders = None,
    out: Out = None,
    resume: Resume = False,
    tensorboard: TensorBoard = False,
) -> None:
    """Go on training a model, own or imported, on new text.

    \b
    onmal finetune runs/ko-en law.ko law.en
    onmal finetune runs/ko-en law.tsv --lora 8 --out runs/law
    onmal finetune runs/ko-en law.tsv --old-data train.ko --old-data train.en
    onmal finetune runs/opus-mt-en-de multi30k --time 20m --old-test news.en --old-test news.de

    The tokenizer and the languages stay those of MODEL, which is not changed. At the end it says what the new domain has gained
    and the old one has lost, with significance; an imported model does not say what its old domain is, so give --old-test or
    --old-data for that. Ctrl-C stops, saves and says how to go on.
    """
    from onmal.adapting.finetune import keep_old_test, settings_for, with_old_text
    from onmal.saved_model import load_model

    if not 0 < old_share < 1:
        raise ConfigError(f"--old-share {old_share:g} is no share", "give more than 0 and less than 1")
    section = _section(data)
    if section.get("corpus") and (valid or test):
        raise ConfigError(
            "--valid and --test name files, and the text is a corpus",
            "name its splits: --set 'data.valid=[\"dev\"]'",
        )
    section |= {
        key: [str(path) for path in files] for key, files in (("valid", valid), ("tests", test)) if files
    }
    asked = (
        source_language or section.get("source_language", ""),
        target_language or section.get("target_language", ""),
    )
    direction = _direction(load_model(model).directions, data, section, asked)
    run = _run(settings_for(model, section, direction, lora=lora), time, seed, settings)
    folder, corpora = out or Path("runs", run.name), corpus_folders(folders)
    if old_data:
        old = _section(old_data)
        run = with_old_text(run, old, old_share, folder, resume=resume, corpora=corpora, note=note)
    if old_test:
        keep_old_test(run, [str(path) for path in old_test], folder, resume=resume, note=note)
    carry_out(run, folder, corpora, resume=resume, tensorboard=tensorboard)


def _run(values: dict[str, Any], time: str, seed: int | None, settings: list[str] | None) -> RunConfig:
    """The settings with what was changed of them, and an end."""
    from onmal.config import RunConfig
    from onmal.settings import apply_overrides

    overrides = changes(time, seed, settings)
    if not names_a_limit(overrides):
        note(
            "no --time given: ends after half an hour, or when 10 validations in a row bring no better score"
        )
        values["train"]["minutes"] = MINUTES
    return RunConfig.from_dict(apply_overrides(values, overrides))


def _section(data: list[Path]) -> dict[str, Any]:
    """The text that a person names, as a section [data]: a recipe's, a corpus's, or files."""
    from onmal.config import DataConfig
    from onmal.corpora.catalogue import corpus_named
    from onmal.settings import read_toml

    if len(data) == 1 and data[0].suffix == ".toml":
        section = read_toml(data[0]).get("data", {})
        if not isinstance(section, Mapping):
            raise ConfigError(
                "'data' should be a section", "write [data] and its settings below", path=data[0]
            )
        DataConfig(**section)  # tells of a mistake in it
        return dict(section)
    if len(data) == 1 and not is_text_file(data[0]):
        corpus = corpus_named(str(data[0]))
        return {"corpus": corpus.name, "valid": [split for split in VALIDATION if split in corpus.splits]}
    return {"train": [str(path) for path in data], "valid": []}


def _direction(
    directions: tuple[tuple[str, str], ...],
    data: list[Path],
    section: Mapping[str, Any],
    asked: tuple[str, str],
) -> tuple[str, str]:
    """The direction of a model in which the text is: as asked, or as its recipe, its corpus or the names of its files say."""
    from onmal.corpora.catalogue import corpus_named

    def told() -> tuple[str, str]:
        if section.get("corpus"):
            corpus = corpus_named(section["corpus"])
            return corpus.source_language, corpus.target_language
        return languages_of(data, *asked)

    if not section.get("corpus"):
        with suppress(ConfigError):  # the names say nothing; what they say must be a direction of the model
            asked = told()
    return direction_of(directions, asked, told)
