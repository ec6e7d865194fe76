"""The public corpora that the package mtdata knows: their ids, where they are, and how they are packed.

mtdata brings its index along; nothing is fetched for it. It is built once for each version of mtdata, in a process of its own
(mtdata_process.py), and kept in the cache as lines of text.
"""

from __future__ import annotations

import difflib
import gzip
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from onmal.cache import cache_folder
from onmal.corpora.catalogue import language_of
from onmal.errors import ConfigError, DataError, MissingExtraError
from onmal.formats.by_line import primary_subtag

__all__ = ["Entry", "entry_of", "mtdata_prints", "mtdata_version", "search"]

_PROCESS = Path(__file__).with_name("mtdata_process.py")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What mtdata knows of a corpus of two languages."""

    id: str
    """GROUP-NAME-VERSION-LANGUAGE-LANGUAGE."""
    citation: str
    """Authors, year and title of its papers; "" if mtdata names none."""
    facts: dict[str, Any]
    """As mtdata has them: url, ext, in_ext, in_paths, cols."""
    index: str
    """Whose index this is: "mtdata 0.5.1"."""

    @property
    def addresses(self) -> list[str]:
        """Its files, over https whatever the index says."""
        url = self.facts["url"]
        return [f"https://{each.partition('://')[2]}" for each in ([url] if isinstance(url, str) else url)]

    @property
    def origin(self) -> str:
        """The host that it comes from."""
        return urlsplit(self.addresses[0]).hostname or ""

    @property
    def packed(self) -> str:
        """How its files are packed: "zip", "tar.gz", "tsv.xz", "tsv"."""
        return str(self.facts["ext"])

    @property
    def format(self) -> str:
        """What is inside: "txt" for aligned files, "tsv", "tmx" and others."""
        return str(self.facts["in_ext"] or self.packed.partition(".")[0])

    @property
    def members(self) -> list[str]:
        """Patterns of the files that count in an archive."""
        return list(self.facts["in_paths"] or ())

    @property
    def obstacle(self) -> str:
        """Why onmal cannot fetch it; "" if it can."""
        if self.packed == "hfds":
            return "it is on the Hugging Face hub in a form of its own"
        if len(self.members) == 2 and self.members[0] == self.members[1]:
            return "mtdata's index names the same file for both sides"
        return ""


def search(language: str, other: str) -> list[Entry]:
    """The corpora of two languages, in any region and script, that can be fetched, in alphabetical order.

    Raises LanguageError, and MissingExtraError without mtdata.
    """
    wanted = {primary_subtag(language_of(code)) for code in (language, other)}
    lines = (line for line in _lines() if _languages(line.partition("\t")[0]) == wanted)
    return [entry for entry in map(_entry, sorted(lines)) if not entry.obstacle]


def entry_of(name: str) -> Entry:
    """The corpus of that id. Raises ConfigError with the nearest id of its languages, MissingExtraError without mtdata."""
    near, wanted = [], _languages(name)
    for line in _lines():
        found = line.partition("\t")[0]
        if found == name:
            return _entry(line)
        if _languages(found) == wanted:
            near.append(found)
    close = difflib.get_close_matches(name, near, 1)
    pair = "-".join(primary_subtag(language_of(code)) for code in name.split("-")[-2:])
    remedy = f"did you mean {close[0]}?" if close else f"`onmal corpus --search {pair}` lists those it has"
    raise ConfigError(f"mtdata's index has no {name}", remedy)


def _entry(line: str) -> Entry:
    name, _, facts = line.partition("\t")
    found = json.loads(facts)
    return Entry(id=name, citation=found.pop("citation"), facts=found, index=f"mtdata {mtdata_version()}")


def _languages(name: str) -> set[str]:
    return {_primary(code) for code in name.split("-")[-2:]}


@cache
def _primary(code: str) -> str:
    return primary_subtag(language_of(code.partition("_")[0]))


def mtdata_version() -> str:
    """The version of mtdata. Raises MissingExtraError."""
    if importlib.util.find_spec("mtdata") is None:
        raise MissingExtraError("mtdata", "corpora", "a public corpus")
    return importlib.metadata.version("mtdata")


def _lines() -> Iterator[str]:
    """The lines of the index, each an id, a tab and facts; built if this version's is not in the cache."""
    path = cache_folder() / "mtdata" / f"index-{mtdata_version()}.gz"
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with gzip.open(part, "wt", encoding="utf-8") as file:
                    file.writelines(mtdata_prints("index"))
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            yield from file
    except (OSError, EOFError, ValueError) as error:
        raise DataError(
            f"cannot be read or written ({error})", "remove it, and try again", path=path
        ) from None


@contextmanager
def _nothing_around() -> Iterator[tuple[Path, dict[str, str]]]:
    """An empty folder to work in, and an environment that leads mtdata to no program and no folder of the user's."""
    with tempfile.TemporaryDirectory(prefix="onmal-") as folder:
        place = Path(folder, "empty")
        place.mkdir()
        yield place, {**os.environ, "PATH": "", "MTDATA": str(Path(folder, "mtdata")), "PYTHONUTF8": "1"}


def mtdata_prints(task: str, given: str = "") -> Generator[str, None, None]:
    """The lines that mtdata's process prints for a task, one at a time; `given` is its standard input.

    Raises MissingExtraError without mtdata, and DataError with its last word if it fails.
    """
    mtdata_version()
    with _nothing_around() as (place, environment), tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        with subprocess.Popen(
            [sys.executable, "-P", str(_PROCESS), task], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said,
            cwd=place, env=environment, text=True, encoding="utf-8",
        ) as process:  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                with suppress(BrokenPipeError), process.stdin:  # it says by its last word why it ended
                    process.stdin.write(given)
                yield from process.stdout
                status = process.wait()
            finally:
                process.kill()
        if status:
            said.seek(0)
            last = [line.strip() for line in said if line.strip()][-1:] or ["it was ended from outside"]
            raise DataError(f"mtdata cannot read it: {last[0]}", "try another version of the corpus")
