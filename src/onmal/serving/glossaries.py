"""Glossaries that clients have made: each a file of its own, which never changes."""

from __future__ import annotations

import csv
import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from io import StringIO
from pathlib import Path
from threading import Lock
from uuid import UUID, uuid4

from onmal.errors import DataError
from onmal.translating.glossary import Glossary
from onmal.writing import write_whole

__all__ = ["MOST_GLOSSARIES", "MOST_TERMS", "Glossaries", "StoredGlossary", "TooMany", "read_terms"]

MOST_TERMS = 10_000
LONGEST = 200  # characters of a term, and of what is said for it
MOST_GLOSSARIES = 200
"""Of one owner: all are held in memory."""


class TooMany(Exception):
    """The owner has MOST_GLOSSARIES already."""


@dataclass(frozen=True)
class StoredGlossary:
    """Terms of one language pair, and whose they are."""

    id: str
    owner: str
    """Who made it and may use it: the name of an API key, or "" where none is asked for."""
    name: str
    source: str
    target: str
    created: str
    """ISO 8601, UTC, with microseconds."""
    terms: tuple[tuple[str, str], ...]

    @cached_property
    def glossary(self) -> Glossary:
        """As translating knows it: one object, so that texts of several requests are translated together."""
        return Glossary(self.terms)


class Glossaries:
    """The glossaries in a folder. An id that is asked for is looked up among those there are; it never becomes a path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = Lock()
        self._stored = {each.id: each for each in map(_read, sorted(folder.glob("*.json")))}

    def add(
        self, owner: str, name: str, source: str, target: str, terms: Iterable[tuple[str, str]]
    ) -> StoredGlossary:
        """Keeps a new one. Raises TooMany, and DataError where it cannot be written."""
        with self._lock:
            if sum(each.owner == owner for each in self._stored.values()) >= MOST_GLOSSARIES:
                raise TooMany
            created = datetime.now(UTC).isoformat(timespec="microseconds")
            stored = StoredGlossary(str(uuid4()), owner, name, source, target, created, tuple(terms))
            try:
                self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                raise DataError(
                    f"cannot be made ({error.strerror})", "set another folder: state", path=self.folder
                ) from None
            write_whole(self._path(stored.id), json.dumps(asdict(stored), ensure_ascii=False).encode())
            self._stored[stored.id] = stored
        return stored

    def of(self, owner: str) -> list[StoredGlossary]:
        """All of one owner, oldest first."""
        with self._lock:
            mine = [each for each in self._stored.values() if each.owner == owner]
        return sorted(mine, key=lambda each: each.created)

    def get(self, owner: str, wanted: str) -> StoredGlossary | None:
        """The owner's glossary of that id."""
        found = self._stored.get(wanted)
        return found if found and found.owner == owner else None

    def remove(self, stored: StoredGlossary) -> None:
        """Deletes one."""
        with self._lock:
            self._stored.pop(stored.id, None)
        self._path(stored.id).unlink(missing_ok=True)

    def _path(self, own: str) -> Path:
        return self.folder / f"{own}.json"


def _read(path: Path) -> StoredGlossary:
    try:
        found = json.loads(path.read_bytes())
        terms = tuple((str(source), str(target)) for source, target in found.pop("terms"))
        stored = StoredGlossary(terms=terms, **found)
        if path.stem != str(UUID(stored.id)):
            raise ValueError
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise DataError("is not a glossary", "remove it from the folder", path=path) from None
    return stored


def read_terms(text: str, form: str) -> list[tuple[str, str]]:
    """The terms in "tsv" or "csv", of which further columns (languages) are left out. Raises DataError with the line."""
    # Lines end where those who wrote them end them: splitlines would also cut within a term.
    lines = text.replace("\r\n", "\n").split("\n")
    try:
        table = csv.reader(StringIO(text, newline=""), strict=True)
        rows = list(table) if form == "csv" else [line.split("\t") for line in lines]
    except csv.Error as error:
        raise DataError(f"the entries are not CSV ({error})") from None
    terms: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        what = _wrong(cells, form, terms)
        if what:
            raise DataError(what, line=number)
        terms[cells[0]] = cells[1]
    if not terms:
        raise DataError("there are no entries")
    if len(terms) > MOST_TERMS:
        raise DataError(f"there are {len(terms):,} entries, and at most {MOST_TERMS:,} are possible")
    return list(terms.items())


def _wrong(cells: Sequence[str], form: str, terms: dict[str, str]) -> str:
    """What is wrong with a row, or nothing."""
    if len(cells) not in ((2, 4) if form == "csv" else (2,)):
        return "an entry is a term, a separator and its translation"
    if not cells[0] or not cells[1]:
        return "a term or its translation is empty"
    if max(map(len, cells)) > LONGEST:
        return f"a term or its translation has more than {LONGEST} characters"
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in cells[0] + cells[1]):
        return "an entry has a control character or a line break"
    if cells[0] in terms:
        return f"the term {cells[0]!r} is there twice"
    return ""
