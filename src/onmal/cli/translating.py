"""`onmal translate`: lines in, as many lines out."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

from onmal.cli.options import (
    BeamSize,
    Engine,
    Model,
    Precision,
    Search,
    Tag,
    To,
    Together,
    argument,
    flag,
    option,
    search_config,
    utf8,
)
from onmal.cli.terminal import note, progress
from onmal.errors import ConfigError, DataError

if TYPE_CHECKING:
    from onmal.bulk import Job
    from onmal.translating.translator import Options, Translation

__all__ = ["translate"]

_OF_HYPOTHESES = {"beam_size", "patience", "length_penalty", "coverage_penalty", "diversity", "n_best"}

Files = Annotated[
    list[Path] | None,
    argument(
        "FILE",
        "Text, one sentence or paragraph per line, or a document; several with --ray.  [default: standard input]",
    ),
]
Text = Annotated[str | None, option("TEXT", "Translate this instead of a file.")]
Out = Annotated[
    Path | None, option("FILE", "Write here, whole or not at all.  [default: standard output]", "--out", "-o")
]
NBest = Annotated[int | None, option("N", "Write the N best translations of each line.")]
LengthPenalty = Annotated[
    float | None, option("P", "Scores are divided by length ** P.  [default: as in its recipe]")
]
Prefix = Annotated[str, option("TEXT", "Each translation begins so, and goes on from here.", "--prefix")]
Must = Annotated[list[str] | None, option("TEXT", "Each translation says this; repeatable.", "--must")]
Never = Annotated[list[str] | None, option("TEXT", "No translation says this; repeatable.", "--never")]
GlossaryFile = Annotated[
    Path | None, option("FILE", "Terms to translate as it says: term, tab, translation.", "--glossary")
]
TypeOut = Annotated[
    bool, flag("--type-out", "Write each word as soon as it is found; greedy, and guards only warn.")
]
Omissions = Annotated[
    bool,
    flag("--omissions", "Warn of source words that a translation leaves out; takes several times as long."),
]
Resume = Annotated[
    bool,
    flag("--resume", "Keep what is translated when interrupted, and go on from there; with FILE and --out."),
]
OnRay = Annotated[
    bool,
    flag("--ray", "Translate files into the folder --out, on all machines of a Ray cluster, or on this one."),
]
Scores = Annotated[bool, flag("--scores", "Write score, tab, translation.")]
AsJson = Annotated[bool, flag("--json", "Write one JSON object per line.")]


def translate(
    model: Model,
    files: Files = None,
    text: Text = None,
    out: Out = None,
    to: To = "",
    tag: Tag = "",
    beam_size: BeamSize = None,
    n_best: NBest = None,
    length_penalty: LengthPenalty = None,
    search: Search = None,
    prefix: Prefix = "",
    must: Must = None,
    never: Never = None,
    glossary: GlossaryFile = None,
    together_with: Together = None,
    engine: Engine = "auto",
    precision: Precision = "float32",
    omissions: Omissions = False,
    type_out: TypeOut = False,
    resume: Resume = False,
    on_ray: OnRay = False,
    scores: Scores = False,
    as_json: AsJson = False,
) -> None:
    """Translate a file, a text, or what is typed or piped in.

    \b
    onmal translate runs/ko-en --text "내일 학교에 가요."
    onmal translate runs/ko-en letters.ko -o letters.en
    cat letters.ko | onmal translate runs/ko-en > letters.en
    onmal translate runs/ko-en letter.docx -o letter.en.docx
    onmal translate runs/ko-en books.ko -o books.en --resume
    onmal translate runs/ko-en shelf/*.ko -o translated --ray

    Line n of the output translates line n of the input, and a blank line stays blank. Without --to, a model of several
    directions goes by the script of each line. --n-best writes "line ||| translation ||| score" as Moses and Marian
    do, with lines counted from 0. Of a document (.srt, .vtt, .html, .md, .po, .docx) all but its text stays as it is. What could not be kept is a warning on standard error, with lines counted from 1.
    Which engine ran the model, and why no faster one, is said there at the end.
    """
    file = _one_file(files or [], text, out, on_ray)
    if scores and as_json:
        raise ConfigError("--scores and --json exclude each other", "JSON has the scores already")
    if resume and not on_ray and (file is None or out is None or str(file) == "-"):
        raise ConfigError("--resume goes on with a file", "give FILE and --out")
    document = _document(files or [], resume or on_ray or type_out or scores or as_json or (n_best or 1) > 1)
    lines, count = (iter(()), None) if on_ray or document else _lines(file, text)

    from onmal.translating.translator import load
    from onmal.translating.wishes import Wishes

    loading: dict[str, Any] = {
        "tag": tag,
        "engine": engine,
        "precision": precision,
        "glossary": glossary and glossary.resolve(),
        "together_with": [other.resolve() for other in together_with or ()],
    }
    translator = load(model, **loading)
    how = search_config(
        translator.saved.search, beam_size, search, n_best=n_best, length_penalty=length_penalty
    )
    wishes = Wishes(prefix, tuple(must or ()), tuple(never or ()))
    if to:  # a language that the model lacks is an error before anything is read
        translator.target_language("", to)
    if type_out:
        if out or scores or as_json or omissions or how.n_best > 1:
            raise ConfigError(
                "--type-out writes the words alone",
                "leave away --out, --scores, --json, --n-best and --omissions",
            )
        chosen = [option.partition("=")[0].strip() for option in search or ()]
        if (
            must
            or glossary
            or (beam_size or 1) > 1
            or length_penalty
            or not _OF_HYPOTHESES.isdisjoint(chosen)
        ):
            raise ConfigError(
                "--type-out writes each word before the next is known",
                "leave away --must, --glossary and what chooses among hypotheses (beam size, penalties, diversity)",
            )
        if engine == "ctranslate2" or (engine == "auto" and precision != "float32"):
            raise ConfigError(
                "--type-out runs in torch", "leave --engine and --precision away, or give --engine torch"
            )
        for number, line in enumerate(lines, 1):
            warnings = _type_out(translator.type_out(line, to=to, search=how, wishes=wishes))
            if warnings:
                note(f"line {number}: {'; '.join(warnings)}")
        return
    form = _as_json if as_json else _n_best if how.n_best > 1 else _scored if scores else _plain
    made_of = [*(folder / "weights.safetensors" for folder in (model, *(together_with or ()))), glossary]
    told = [how.model_dump_json(), form.__name__, to, tag, str(wishes), precision, str(omissions)]
    if engine != "auto":  # what was begun before this was noted goes on
        told.append(engine)
    options: Options = {"to": to, "search": how, "wishes": wishes, "omissions": omissions}
    if document:
        from onmal.cli.documents import translate_file

        translate_file(translator, document, out, options)
        note(f"engine: {translator.describe(how, wishes)}")
        return
    if on_ray and out:
        from onmal import bulk

        job = bulk.Job(model.resolve(), loading, options, form, _job(made_of, None, told))
        _translate_files(job, files or [], out)
        return
    if resume and form is _n_best:
        raise ConfigError("--resume counts lines, and --n-best writes several for each", "use --json with it")
    with _place(out, _job(made_of, file, told) if resume else None) as (stream, before):
        rest = islice(lines, before, None)
        if text is None and str(file or "-") == "-" and sys.stdin.isatty():
            note("type a line and press Enter; Ctrl-D ends")
            translations: Iterator[Translation] = chain.from_iterable(
                translator.stream([line], **options) for line in rest
            )
        else:
            translations = translator.stream(rest, **options)
        if before:
            note(f"going on after line {before:,}")
        with progress(0 if out is None and sys.stdout.isatty() else count or 0, "translating") as done:
            for number, translation in enumerate(translations, before + 1):
                stream.write(form(number, translation) + "\n")
                if count is None or resume:
                    stream.flush()
                if translation.warnings:
                    note(f"line {number}: {'; '.join(translation.warnings)}")
                done(number)
    if text is None:
        note(f"engine: {translator.describe(how, wishes)}")


def _type_out(pieces: Generator[str, None, tuple[str, ...]]) -> tuple[str, ...]:
    """Write each piece as it comes, and return the warnings that are known at the end."""
    while True:
        try:
            print(next(pieces), end="", flush=True)
        except StopIteration as end:
            print()
            return tuple(end.value)


def _one_file(files: Sequence[Path], text: str | None, out: Path | None, on_ray: bool) -> Path | None:
    """The file to translate where there is one. Raises ConfigError for what does not go together."""
    if files and text is not None:
        raise ConfigError(f"both {files[0]} and --text were given", "give one of them")
    if on_ray:
        if not files or out is None or Path("-") in files:
            raise ConfigError("--ray translates files into a folder", "give them, and the folder with --out")
        if out.is_file():
            raise ConfigError(f"--out {out} is a file", "--ray writes into a folder")
        return None
    if len(files) > 1:
        raise ConfigError(
            f"{len(files)} files were given", "give one, or --ray, which writes several into the folder --out"
        )
    return files[0] if files else None


def _document(files: Sequence[Path], needs_lines: bool) -> Path | None:
    """The document to translate where the file is one. Raises ConfigError for options that it cannot be translated with."""
    from onmal.documents import SUFFIXES

    found = next(
        (file for file in files if file.suffix.lower() in SUFFIXES and file.suffix.lower() != ".txt"), None
    )
    if found and needs_lines:
        raise ConfigError(
            f"{found} is a document, which is translated as a whole",
            "leave away --resume, --ray, --type-out, --n-best, --scores and --json",
        )
    return found


def _translate_files(job: Job, files: Sequence[Path], out: Path) -> None:
    """Translate on a cluster, with the lines that are done."""
    from onmal.bulk import cut, translate_parts

    parts = cut(files, out)
    lines = sum(part.lines for each in parts.values() for part in each)
    ready = sum(part.lines for each in parts.values() for part in each if part.done)
    if ready:
        note(f"going on: {ready:,} of {lines:,} lines are translated")
    with progress(lines, "translating") as done:
        for translated in translate_parts(job, parts, out):
            ready += translated.part.lines
            for number, warning in translated.warnings:
                note(f"{translated.part.text.name}, line {number}: {warning}")
            done(ready)


def _place(out: Path | None, job: str | None) -> AbstractContextManager[tuple[TextIO, int]]:
    """Where lines are written, and how many are there already."""
    from onmal.writing import open_resumable, open_whole

    if out and job is not None:
        return open_resumable(out, job)
    return _from_the_first(open_whole(out) if out else nullcontext(sys.stdout))


@contextmanager
def _from_the_first(place: AbstractContextManager[TextIO]) -> Iterator[tuple[TextIO, int]]:
    with place as stream:
        yield stream, 0


def _job(made_of: Sequence[Path | None], file: Path | None, options: Sequence[str]) -> str:
    """What lines that are there already must have come from: these models and terms, this text, these options."""
    contents = [hashlib.sha256(path.read_bytes()).hexdigest() for path in made_of if path]
    text = file.stat() if file and file.is_file() else None
    return json.dumps([contents, [text.st_size, text.st_mtime_ns] if text else [], *options])


def _lines(file: Path | None, text: str | None) -> tuple[Iterator[str], int | None]:
    """The lines to translate, and how many there are where that can be known beforehand.

    A file is read once before it is translated, so that a damaged line is told at once and not after an hour.
    """
    from onmal.formats.lines import read_lines

    if text is not None:
        lines = utf8(text, "--text").split("\n")
        return iter(lines), len(lines)
    if file is None or str(file) == "-":
        return read_lines("-"), None
    if not file.exists():
        raise DataError("there is no such file", 'check the name; a text goes with --text "..."', path=file)
    return read_lines(file), sum(1 for _ in read_lines(file)) if file.is_file() else None


def _plain(number: int, translation: Translation) -> str:
    from onmal.writing import one_line

    return one_line(translation.text)


def _scored(number: int, translation: Translation) -> str:
    return f"{translation.score:.4f}\t{_plain(number, translation)}"


def _n_best(number: int, translation: Translation) -> str:
    found = translation.alternatives or (translation,)
    return "\n".join(f"{number - 1} ||| {_plain(number, each)} ||| {each.score:.4f}" for each in found)


def _as_json(number: int, translation: Translation) -> str:
    return json.dumps(translation.as_dict(), ensure_ascii=False)
