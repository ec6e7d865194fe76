"""`onmal train` and `onmal demo`: from text to a model folder."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onmal.cli.comparing import show_comparison
from onmal.cli.options import (
    CorpusFolders,
    From,
    To,
    argument,
    corpus_folders,
    flag,
    languages_of,
    minutes,
    option,
)
from onmal.cli.terminal import INTERRUPTED, note, progress
from onmal.errors import ConfigError, TrainingError

if TYPE_CHECKING:
    from onmal.config import RunConfig
    from onmal.run_report.events import Reporter
    from onmal.run_report.tensorboard import TensorBoardReport

__all__ = [
    "Out",
    "Resume",
    "Seed",
    "Settings",
    "TensorBoard",
    "Time",
    "carry_out",
    "changes",
    "demo",
    "names_a_limit",
    "train",
]

LIMITS = ("train.max_updates", "train.max_epochs", "train.minutes")
PLAN = {"cooldown": 0.2}
"""Training on one's own text ends in small steps, which the time given is planned for ..."""
END = {"minutes": 60, "patience": 10}
"""... and ends by this, unless one says when."""

Recipe = Annotated[
    Path | None,
    argument("CONFIG.toml", "A recipe, or the run.toml of an earlier run."),
]
Source = Annotated[Path | None, option("FILE", "Your text, one sentence per line.")]
Target = Annotated[Path | None, option("FILE", "Its translation, line by line.")]
Both = Annotated[
    Path | None,
    option("FILE", "Or both in one .tsv, .jsonl, .tmx or .po file; - reads TSV from standard input."),
]
ValidSource = Annotated[
    Path | None, option("FILE", "Validation text; without any, part of yours is held out.")
]
ValidTarget = Annotated[Path | None, option("FILE", "Its translation.")]
ValidBoth = Annotated[Path | None, option("FILE", "Or both in one file.")]
BothDirections = Annotated[bool, flag("--both-directions", "One model for both directions.")]
Size = Annotated[str, option("SIZE", "tiny, small, base or big.  [default for your own text: small]")]
Network = Annotated[
    str, option("NAME", "transformer, gru, gru-attention or convolution.  [default: transformer]")
]
Time = Annotated[str, option("TIME", "How long to train: 90s, 30m, 2h.")]
Seed = Annotated[int | None, option("N", "Another seed gives another run.")]
Settings = Annotated[
    list[str] | None,
    option(
        "SECTION.KEY=VALUE", "Change any setting, such as train.learning_rate=0.001; repeatable.", "--set"
    ),
]
Out = Annotated[Path | None, option("FOLDER", "Where the model goes.  [default: runs/NAME]")]
Resume = Annotated[bool, flag("--resume", "Go on with the run in --out.")]
TensorBoard = Annotated[bool, flag("--tensorboard", "Also write training/tensorboard (extra: track).")]
BeginWith = Annotated[
    Path | None,
    option("MODEL", "Begin with this model's weights; it may be one of the other direction."),
]
Teacher = Annotated[
    Path | None,
    option(
        "MODEL", "Learn from this model's translations of the text, not from people's: a smaller, faster one."
    ),
]
WithOriginal = Annotated[bool, flag("--with-original", "With --teacher: from the text as it is, too.")]
FromTeacher = Annotated[
    bool,
    flag("--from-teacher", "With --teacher: begin with its weights; of its layers some may be left out."),
]
BackTranslate = Annotated[
    tuple[Path, Path] | None,
    option("MODEL FILE", "Also learn from text in the target language alone, which MODEL translates back."),
]


def train(
    config: Recipe = None,
    source: Source = None,
    target: Target = None,
    file: Both = None,
    valid_source: ValidSource = None,
    valid_target: ValidTarget = None,
    valid_file: ValidBoth = None,
    source_language: From = "",
    target_language: To = "",
    both_directions: BothDirections = False,
    size: Size = "",
    network: Network = "",
    begin_with: BeginWith = None,
    teacher: Teacher = None,
    with_original: WithOriginal = False,
    from_teacher: FromTeacher = False,
    backtranslate: BackTranslate = None,
    time: Time = "",
    seed: Seed = None,
    settings: Settings = None,
    folders: CorpusFolders = None,
    out: Out = None,
    resume: Resume = False,
    tensorboard: TensorBoard = False,
) -> None:
    """Train a translator on your own text, or by a recipe.

    \b
    onmal train --source train.ko --target train.en --time 30m
    onmal train --file pairs.tsv --from ko --to en --both-directions
    onmal train recipes/multi30k-en-de.toml --data multi30k=FOLDER
    onmal train recipes/multi30k-en-de-student.toml --teacher runs/multi30k-en-de --from-teacher
    onmal train --file pairs.tsv --from en --to ko --begin-with runs/ko-en --time 15m
    onmal train --file pairs.tsv --from ko --to en --backtranslate runs/en-ko news.en
    onmal train --out runs/ko-en --resume
    zcat *.tsv.gz | onmal train --file - --from ko --to en

    Languages are guessed from names such as train.ko or pairs.ko-en.tsv. Ctrl-C stops, saves and says how to go on.
    What --teacher and --backtranslate make is kept in training/made of the run; cut off, the same command goes on with it.
    """
    from onmal.config import RunConfig
    from onmal.settings import apply_overrides, read_toml
    from onmal.text.language import canonical

    text = _files("", source, target, file)
    valid = _files("valid-", valid_source, valid_target, valid_file)
    if config and (text or valid):
        raise ConfigError(f"{config} names its own text", "give a configuration or files, not both")
    for name, wanted in (("--with-original", with_original), ("--from-teacher", from_teacher)):
        if wanted and not teacher:
            raise ConfigError(f"{name} goes with --teacher", "name the teacher, or leave it away")
    if from_teacher and begin_with:
        raise ConfigError("a run begins with one model", "give --begin-with or --from-teacher, not both")
    start = teacher if from_teacher else begin_with
    if start and (size or network):
        given = "--size" if size else "--network"
        raise ConfigError(f"the network is that of {start}", f"leave {given} away")
    if resume and not config and not text:
        if teacher or backtranslate:
            raise ConfigError(
                "the run in --out has the text already that models made for it",
                "leave --teacher and --backtranslate away",
            )
        if valid:
            raise ConfigError("the run in --out has its validation text already", "leave --valid-... away")
        config = _begun(out)
    overrides = [
        *([f"data.source_language={canonical(source_language)}"] if source_language else []),
        *([f"data.target_language={canonical(target_language)}"] if target_language else []),
        *(["data.both_directions=true"] if both_directions else []),
        *([f"size={size}"] if size else []),
        *([f"model.network={network}"] if network else []),
        *changes(time, seed, settings),
    ]
    if config:
        values = {"name": config.stem, **read_toml(config)}
    else:
        values = _own_text(text, valid, (source_language, target_language), has_end=names_a_limit(overrides))
    if start and not config:
        del values["size"]  # the model's goes before what is usual
    values = apply_overrides(values, overrides)
    if start:
        from onmal.adapting.teaching import beginning_with

        values = beginning_with(start, values)
    run = RunConfig.from_dict(values)
    if teacher and run.train.distillation and not from_teacher:
        raise ConfigError(
            "train.distillation learns what the model expects that a run begins with, which is not the teacher",
            "give --from-teacher, too, or set train.distillation = 0",
        )
    folder, corpora = out or Path("runs", run.name), corpus_folders(folders)
    if teacher or backtranslate:
        run = _with_made_text(run, folder, teacher, with_original, backtranslate, corpora, resume=resume)
    carry_out(run, folder, corpora, resume=resume, tensorboard=tensorboard)


def changes(time: str, seed: int | None, settings: list[str] | None) -> list[str]:
    """What every run takes of --time, --seed and --set, as overrides of its settings."""
    return [
        *([f"train.minutes={minutes(time)}"] if time else []),
        *([f"train.seed={seed}"] if seed is not None else []),
        *(settings or ()),
    ]


def carry_out(
    run: RunConfig, folder: Path, corpora: dict[str, Path], *, resume: bool, tensorboard: bool
) -> None:
    """Train, and say what to do with the model; a run that is interrupted ends the program."""
    from onmal.origin import origin_of
    from onmal.run_report.events import Reporters
    from onmal.training.distributed import rank_from_torchrun

    origin_of(run)  # what does not fit is told here, before companions begin that would tell it, too
    if run.train.start:
        from onmal.adapting.finetune import finetune as begin
    else:
        from onmal.training.run import train as begin
    with watch() as person, _board(folder) if tensorboard else nullcontext() as board:
        reporters = [reporter for reporter in (person, board) if reporter]
        saved = begin(run, folder, resume=resume, corpora=corpora, reporter=Reporters(*reporters))
    if saved is None:
        raise typer.Exit(INTERRUPTED)
    if rank_from_torchrun() in (None, 0):
        if found := saved.card.get("compared"):
            show_comparison(found, str(folder), run.train.start)
        typer.echo(f'translate with it:  onmal translate {folder} --text "..."')


def _with_made_text(
    run: RunConfig,
    folder: Path,
    teacher: Path | None,
    with_original: bool,
    backtranslate: tuple[Path, Path] | None,
    corpora: dict[str, Path],
    *,
    resume: bool,
) -> RunConfig:
    """The run on text that models make for it."""
    from onmal.adapting.made_text import made_text
    from onmal.adapting.teaching import taught, with_back_translations
    from onmal.origin import origin_of

    origin_of(run)  # what does not fit is told before anything is made
    with made_text(folder, run, resume=resume, note=note, watch=progress) as made:
        if teacher:
            run = taught(run, teacher, made, with_original=with_original, corpora=corpora)
        if backtranslate:
            run = with_back_translations(run, *backtranslate, made)
    return run


def demo(
    out: Annotated[Path, option("FOLDER", "Where the model goes.  [default: runs/phrasebook]")] = Path(
        "runs/phrasebook"
    ),
    minutes: Annotated[float, option("N", "How long to train.  [default: 3.3]")] = 3.3,
) -> None:
    """Train on the built-in phrasebook, in minutes.

    \b
    onmal demo
    onmal demo --minutes 10 --out runs/phrasebook-longer

    Korean to English and English to Korean: scores, ten translations and a picture of attention follow.
    """
    from onmal.demo import demo

    demo(out, minutes=minutes, watch=watch())


def _files(prefix: str, source: Path | None, target: Path | None, both: Path | None) -> list[Path]:
    """Two aligned files, one file of pairs, or none."""
    if both and (source or target):
        raise ConfigError(
            f"--{prefix}file holds both sides", f"leave --{prefix}source and --{prefix}target away"
        )
    if bool(source) != bool(target):
        missing = f"--{prefix}target" if source else f"--{prefix}source"
        raise ConfigError(
            f"{missing} is missing", f"give two aligned files, or one file of pairs as --{prefix}file"
        )
    return [path for path in (both, source, target) if path]


def _begun(out: Path | None) -> Path:
    """The settings of the run in a folder."""
    if out is None:
        raise ConfigError("--resume does not say which run", "give its folder with --out")
    written = out / "training" / "run.toml"
    if not written.exists():
        raise TrainingError("there is no run to resume here", "leave --resume away to begin one", path=out)
    return written


def names_a_limit(overrides: list[str]) -> bool:
    """Whether settings say when the run ends."""
    return any(override.partition("=")[0].strip() in LIMITS for override in overrides)


def _own_text(
    text: list[Path], valid: list[Path], languages: tuple[str, str], *, has_end: bool
) -> dict[str, Any]:
    """A run on one's own files, as TOML would describe it."""
    if not text:
        raise ConfigError(
            "there is no text to train on", "give CONFIG.toml, --source and --target, or --file"
        )
    source, target = languages_of(text, *languages)
    if not has_end:
        note(
            "no --time given: training ends after an hour, or when 10 validations in a row bring no better score"
        )
    return {
        "name": f"{source}-{target}",
        "size": "small",
        "data": {
            "source_language": source,
            "target_language": target,
            "train": [str(path) for path in text],
            "valid": [str(path) for path in valid],
        },
        "train": {**PLAN, **({} if has_end else END)},
    }


def _board(folder: Path) -> TensorBoardReport:
    from onmal.run_report.tensorboard import TensorBoardReport

    return TensorBoardReport(folder / "training" / "tensorboard")


def watch() -> AbstractContextManager[Reporter]:
    """A live view in a terminal, plain lines elsewhere; for as long as they can be read."""
    from onmal.run_report.events import PlainReport, while_read

    if sys.stderr.isatty():
        from rich.console import Console

        from onmal.run_report.live import LiveReport

        return LiveReport(Console(file=while_read(sys.stderr), highlight=False))
    return nullcontext(PlainReport(sys.stderr))
