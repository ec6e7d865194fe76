"""Languages by the codes that other programs call them by."""

from __future__ import annotations

from collections.abc import Iterable

from onmal.errors import LanguageError
from onmal.text.language import canonical, primary

__all__ = ["nearest"]


def nearest(code: str, served: Iterable[str]) -> str | None:
    """The language among those served (canonical codes) that a code means: itself, or else the same in another region or script."""
    try:
        wanted = canonical(code)
    except LanguageError:
        return None
    served = list(served)
    alike = [each for each in served if primary(each) == primary(wanted)]
    return wanted if wanted in served else next(iter(alike), None)
