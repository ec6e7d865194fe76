"""What the names of elements and attributes mean: much in HTML, next to nothing in XML, where each vocabulary has its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["HTML", "XML", "Dialect"]


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


# What a sentence does not go beyond. All other elements, also those that HTML does not know, are within sentences.
_BLOCKS = _names(
    "html head title meta link base body address article aside blockquote button canvas caption center col colgroup"
    " datalist dd details dialog dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6"
    " header hgroup hr iframe legend li main menu nav noframes noscript object ol optgroup option p pre search section"
    " select source summary table tbody td template textarea tfoot th thead tr track ul xmp"
)


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How tags are read, and which elements are more than a name."""

    begins_name: re.Pattern[str]
    called: Callable[[str], str]
    """The name of an element or attribute that is written so."""
    closed_by_slash: bool
    """Whether <x/> is a whole element, and not the beginning of one."""
    blocks: frozenset[str] = _BLOCKS
    empty: frozenset[str] = frozenset()
    """Elements that end with their tag."""
    raw: frozenset[str] = frozenset()
    """Elements in which < begins no tag."""
    kept: frozenset[str] = frozenset()
    """Elements that come through as they are."""
    words_kept: frozenset[str] = frozenset()
    """The same for those that are words of a sentence."""
    ends_paragraph: frozenset[str] = frozenset()
    """Elements before which a <p> ends that is not closed."""
    never_closed: frozenset[str] = frozenset()
    """Elements that need no end, and go on to that of the page."""
    said: frozenset[str] = frozenset()
    """Attributes that people read."""


HTML = Dialect(
    begins_name=re.compile("[A-Za-z]"),
    called=str.lower,
    closed_by_slash=False,
    empty=_names("area base br col embed frame hr img input link meta param source track wbr"),
    raw=_names("script style textarea xmp iframe noembed noframes"),
    kept=_names("audio canvas iframe math noembed noframes object pre script style svg textarea video xmp"),
    words_kept=_names("code kbd samp tt var"),
    ends_paragraph=_BLOCKS,
    never_closed=_names("html body"),
    said=_names("alt title placeholder aria-label"),
)

XML = Dialect(begins_name=re.compile(r"[^\W\d]|:"), called=str, closed_by_slash=True)
