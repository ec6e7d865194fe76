"""What may change in figures that are the same on both sides one by one."""

from __future__ import annotations

import re

from onmal.data.pair import Pair

__all__ = ["GROUPING", "WITH_COMMAS", "changed"]

GROUPING = re.compile("(?<=\\d)[.,\u00a0\u202f'’](?=\\d{3}(?!\\d))")  # of thousands
WITH_COMMAS = {"en", "ja", "ko", "zh"}
"""Languages that write 30,000 and 3.5; others know the same signs the other way round."""
DATE = re.compile(r"(?<!\d)(\d{4})[-./](\d{1,2})[-./](\d{1,2})(?!\d)")
DECIMAL = re.compile(r"(?<![\d.,:/-])(\d+)[.,](\d+)(?![.,:/-]?\d)")
LEADING_ZERO = re.compile(r"(?<![\d.,:/-])0\d{2,}(?!\d)")
NEGATIVE = re.compile(r"(?<![^\s(])[-−]\d+(?!\s?[-–~])")
MINUS = re.compile("[-−–‐]|minus|negative|below|under|영하|마이너스|moins|unter", re.IGNORECASE)


def changed(pair: Pair) -> str | None:
    """What is wrong with numbers that are the same on both sides one by one: their order in a date, their zeros, their sign."""
    source, target = (GROUPING.sub("", text) for text in (pair.source, pair.target))
    for written in (DATE, DECIMAL):
        sides = [[tuple(map(int, each)) for each in written.findall(text)] for text in (source, target)]
        if all(sides) and sorted(sides[0]) != sorted(sides[1]):
            return f"changed {', '.join(found[0] for found in written.finditer(source))}"
    zeros = [number for number in LEADING_ZERO.findall(source) if number not in target]
    if zeros:
        return f"changed {', '.join(zeros)}"
    below = NEGATIVE.search(source)
    return f"changed {below[0]}" if below and not MINUS.search(target) else None
