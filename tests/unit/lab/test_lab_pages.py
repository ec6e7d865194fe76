"""The pages of the lab say what the result files say, in both languages."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onmal.lab import EXPERIMENTS, Result, experiment_named
from onmal.lab.experiment import judged_again

LAB = Path(__file__).resolve().parents[3] / "docs" / "lab"
RESULTS = sorted(path.stem for path in LAB.glob("*.json"))
VERDICTS = {
    ".md": {"holds": "Holds", "holds partly": "Holds partly", "not seen at this size": "Not seen at this size"},
    ".ko.md": {
        "holds": "맞습니다", "holds partly": "일부만 맞습니다", "not seen at this size": "이 크기에서는 보이지 않았습니다",
    },
}  # fmt: skip
NUMBER = re.compile(r"\d+\.\d+(?:e-\d+)?")
ends = pytest.mark.parametrize("end", VERDICTS)


def page(name: str, end: str) -> str:
    return (LAB / f"{name}{end}").read_text("utf-8")


@ends
@pytest.mark.parametrize("name", RESULTS)
def test_a_page_begins_with_the_verdict_and_has_the_numbers_that_decide(name: str, end: str) -> None:
    result, text = Result.read(LAB / f"{name}.json"), page(name, end)
    after_the_title = text.split("\n\n")[2]
    assert after_the_title.startswith(f"**{VERDICTS[end][result.verdict]}")
    assert f"({name}.svg)" in text
    assert f"onmal lab {name}" in text
    for number in NUMBER.findall(result.decides):
        assert number in text, number


def told(values: Any) -> Iterator[float]:
    """Numbers of a result, and of those that belong together the mean, the middle, the least and the greatest."""
    if isinstance(values, dict):
        for each in values.values():
            yield from told(each)
    elif isinstance(values, list) and values:
        for each in values:
            yield from told(each)
        if all(isinstance(each, int | float) for each in values):
            yield from (statistics.mean(values), statistics.median(values), min(values), max(values))
        elif all(isinstance(each, dict) for each in values):  # a dict for each seed
            for key in values[0]:
                yield from told([each.get(key) for each in values])
        elif all(isinstance(each, list) for each in values):
            for some in zip(*values, strict=False):
                yield from told(list(some))
    elif isinstance(values, int | float):
        yield values


@ends
@pytest.mark.parametrize("name", RESULTS)
def test_numbers_of_what_came_out_are_those_of_the_result(name: str, end: str) -> None:
    result = Result.read(LAB / f"{name}.json")
    words = map(float, NUMBER.findall(f"{result.decides} {result.because}"))
    known = [abs(each) for each in (*told(result.numbers), *told(result.setup), *words)]
    sections = page(name, end).split("\n## ")
    # The title with the verdict, what we did and what came out; not what is said, what papers found, nor how a rule came about.
    said = "\n\n".join((sections[0], *sections[3:]))
    paragraphs = [
        each for each in said.split("\n\n") if not each.startswith(("About the rule", "규칙에 관하여"))
    ]
    for number in NUMBER.findall(re.sub(r"`[^`]*`", "", "\n".join(paragraphs))):
        digits = len(number.split("e")[0].split(".")[1])
        rounded = 0.5000001 * 10.0**-digits * 10.0 ** float(number.partition("e")[2] or 0)
        assert any(
            abs(scale * each - float(number)) <= rounded for each in known for scale in (1, 100, 0.001)
        ), f"{number} is not in {name}.json"


@ends
def test_the_table_has_every_experiment_with_its_verdict_and_numbers(end: str) -> None:
    rows = [line for line in page("README", end).splitlines() if line.startswith("| E")]
    assert len(rows) == len(EXPERIMENTS)
    for name in RESULTS:
        result = Result.read(LAB / f"{name}.json")
        (row,) = [line for line in rows if f"({name}{end})" in line]
        assert row.startswith(f"| {result.number} |")
        assert f"| {VERDICTS[end][result.verdict].lower()} |" in row.lower()
        for number in NUMBER.findall(result.decides):
            assert number in row, number


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_judged_by_the_rule_as_it_is_today(name: str) -> None:
    result = Result.read(LAB / f"{name}.json")
    assert judged_again(experiment_named(name), result) == result
    assert result.refuted_if == experiment_named(name).refuted_if
    assert (LAB / f"{name}.svg").exists()
