"""Lines: a translated text laid out over as many as it had."""

from __future__ import annotations

from collections.abc import Iterator

from onmal.documents.lines import over_lines
from onmal.documents.message import Text


def test_a_text_of_many_lines_is_measured_once() -> None:
    looked_through = 0

    class Shares(list[int]):
        def __iter__(self) -> Iterator[int]:
            nonlocal looked_through
            looked_through += 1
            return super().__iter__()

    lines = over_lines([Text("word " * 1_000)], Shares([4] * 1_000))
    assert len(lines) == 1_000
    assert looked_through < 5
