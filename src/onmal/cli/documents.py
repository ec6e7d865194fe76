"""`onmal translate MODEL FILE` where the file is a document: its text is translated, the rest of it stays."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from onmal.cli.terminal import note, progress
from onmal.errors import ConfigError, DataError

if TYPE_CHECKING:
    from onmal.translating.translator import Options, Translation, Translator

__all__ = ["translate_file"]


def translate_file(translator: Translator, file: Path, out: Path | None, options: Options) -> None:
    """Translates a document and writes it to `out`, or to standard output, whole or not at all.

    What could not be kept is told on standard error with its place. Raises ConfigError and DataError.
    """
    from onmal.documents import LARGEST, translate_document
    from onmal.writing import write_whole

    suffix = file.suffix.lower()
    if out is None and suffix == ".docx":
        raise ConfigError(f"{file} is no text that a terminal can show", "give the file to write with --out")
    if out and out.suffix.lower() != suffix:
        raise ConfigError(f"--out {out} would be {suffix} inside", f"give it the suffix {suffix}, too")
    if not file.is_file():
        raise DataError("there is no such file", "check the name", path=file)
    if file.stat().st_size > LARGEST:
        raise DataError(
            f"the document has more than {LARGEST:,} bytes", "give it in several parts", path=file
        )

    targets = {target for _, target in translator.directions}
    to = options.get("to") or (targets.pop() if len(targets) == 1 else "")

    def translate(texts: Sequence[str]) -> list[Translation]:
        translations = []
        # The direction is that of the document: a name in another script is no reason to turn round.
        with_direction: Options = {**options, "to": to or translator.target_language("\n".join(texts))}
        with progress(len(texts), "translating") as done:
            for translation in translator.stream(texts, **with_direction):
                translations.append(translation)
                done(len(translations))
        return translations

    try:
        document = translate_document(file.read_bytes(), suffix, translate, to=to)
    except DataError as error:
        raise DataError(error.what, error.remedy, path=file, line=error.line) from None
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", "check the file", path=file) from None
    for place, warning in document.warnings:
        note(f"{place}: {warning}")
    if out:
        write_whole(out, document.content)
    else:
        sys.stdout.buffer.write(document.content)
        sys.stdout.buffer.flush()
