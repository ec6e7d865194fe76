"""Cleaned text as a folder of two aligned files, for people and other programs: whole or not there."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from onmal.cleaning.clean import CleaningReport, clean
from onmal.cleaning.filters import Filter
from onmal.data.pair import Pair
from onmal.errors import DataError
from onmal.writing import MANIFEST, one_line

__all__ = ["prepare_text"]


def prepare_text(
    pairs: Iterable[Pair], filters: Sequence[Filter], folder: str | Path, languages: tuple[str, str]
) -> CleaningReport:
    """Writes the pairs without a fault to a new folder; returns what was kept and what each filter removed.

    The folder holds two aligned files, named text.LANGUAGE, and manifest.json with counts and checksums. A line
    break inside a text becomes a space. Raises DataError for a folder that has something in it.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError("exists already", "choose another --out, or remove it", path=folder)
    report = CleaningReport()
    place = folder.resolve()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
        try:
            files = _write_sides(clean(pairs, filters, report), beside, languages)
            manifest = {"languages": list(languages), "files": files, **report.as_dict()}
            (beside / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", "utf-8")
            beside.chmod(0o755)
            if place.exists():  # and empty: Windows does not replace a folder
                place.rmdir()
            beside.rename(place)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        what = f"cannot be written ({error.strerror or error})"
        raise DataError(what, "check the place and the space, or choose another --out", path=folder) from None
    return report


def _write_sides(pairs: Iterable[Pair], folder: Path, languages: tuple[str, str]) -> list[dict[str, object]]:
    """Writes the aligned files; their names, lines and SHA-256, as the manifest lists them."""
    names = [f"text.{language}" for language in languages]
    digests = [hashlib.sha256() for _ in names]
    count = 0
    with (folder / names[0]).open("wb") as sources, (folder / names[1]).open("wb") as targets:
        for pair in pairs:
            count += 1
            for text, file, digest in zip(pair[:2], (sources, targets), digests, strict=True):
                line = f"{one_line(text)}\n".encode()
                file.write(line)
                digest.update(line)
    return [
        {"name": name, "lines": count, "sha256": digest.hexdigest()}
        for name, digest in zip(names, digests, strict=True)
    ]
