"""The public names of onmal are a list; this is the list."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import onmal

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_list() -> None:
    assert onmal.__all__ == [
        "Translation",
        "Translator",
        "__version__",
        "errors",
        "evaluate",
        "load",
        "train",
    ]
    assert set(onmal.__all__) <= set(dir(onmal))


@pytest.mark.parametrize("name", onmal.__all__)
def test_each_name_resolves(name: str) -> None:
    assert getattr(onmal, name) is not None


@pytest.mark.parametrize("name", ["Translation", "Translator", "evaluate", "load", "train"])
def test_what_can_be_called_says_what_it_does(name: str) -> None:
    public = getattr(onmal, name)
    assert callable(public)
    assert public.__doc__


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'translator'"):
        onmal.translator  # noqa: B018


def test_the_version_is_the_project_files() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert onmal.__version__ == project["version"]
