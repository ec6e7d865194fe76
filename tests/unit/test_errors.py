"""An error is one line that says where, what, and what to do next."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onmal import errors
from onmal.errors import MissingExtraError, OnmalError

CLASSES = [getattr(errors, name) for name in errors.__all__]
PLAIN = [kind for kind in CLASSES if kind is not MissingExtraError]


@pytest.mark.parametrize("kind", CLASSES)
def test_each_is_an_onmal_error_that_the_tree_draws(kind: type[OnmalError]) -> None:
    assert issubclass(kind, OnmalError)
    assert kind.__doc__
    assert kind.__name__ in (errors.__doc__ or "")
    assert kind.exit_code > 0


def test_no_error_class_is_left_off_the_list() -> None:
    defined = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert {name for name in defined if issubclass(getattr(errors, name), Exception)} == set(errors.__all__)


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({}, "no text here; write some"),
        ({"path": "a.ko"}, "a.ko: no text here; write some"),
        ({"path": Path("a.ko"), "line": 7}, "a.ko:7: no text here; write some"),
        ({"line": 7}, "line 7: no text here; write some"),
    ],
)
def test_the_line_says_where_what_and_the_remedy(
    kind: type[OnmalError], place: dict[str, str | Path | int], expected: str
) -> None:
    error = kind("no text here", "write some", **place)  # type: ignore[arg-type]
    assert str(error) == expected
    assert error.args == (expected,)


def test_parts_stay_readable() -> None:
    error = errors.DataError("the sides differ", "cut one", path=Path("a.ko"), line=3)
    assert (error.what, error.remedy, error.path, error.line) == ("the sides differ", "cut one", "a.ko", 3)


def test_no_remedy_leaves_no_separator() -> None:
    assert str(OnmalError("something is wrong")) == "something is wrong"


@given(st.text(), st.text(), st.none() | st.text(), st.none() | st.integers(min_value=1))
def test_always_one_line(what: str, remedy: str, path: str | None, line: int | None) -> None:
    assert len(str(OnmalError(what, remedy, path=path, line=line)).splitlines()) <= 1


def test_a_missing_extra_says_how_to_install_it() -> None:
    error = MissingExtraError("matplotlib", "plots", "a picture of attention")
    assert str(error) == (
        "a picture of attention needs the package matplotlib, which is not installed; "
        'install it with: pip install "onmal[plots]"'
    )
    assert isinstance(error, OnmalError)
