"""The project file and constraints.txt agree, and every extra that an error names exists."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def pins() -> dict[str, str]:
    """Package to version, as constraints.txt pins them."""
    found: dict[str, str] = {}
    for line in (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            name = canonicalize_name(requirement.name)
            (specifier,) = requirement.specifier
            assert specifier.operator == "=="
            assert name not in found, f"{name} is pinned twice"
            found[name] = specifier.version
    return found


@pytest.mark.parametrize(
    "line", [*PROJECT["dependencies"], *EXTRAS["dev"], *EXTRAS["plots"], *EXTRAS["moses"]]
)
def test_what_development_installs_is_pinned_within_its_bounds(line: str) -> None:
    requirement = Requirement(line)
    if requirement.name == "onmal":
        assert requirement.extras <= set(EXTRAS)
    else:
        assert requirement.specifier.contains(pins()[canonicalize_name(requirement.name)])


def test_every_extra_that_an_error_names_exists() -> None:
    for path in sorted((REPOSITORY / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("MissingExtraError"):
                named = [keyword.value for keyword in node.keywords if keyword.arg == "extra"] or node.args[
                    1:2
                ]
                assert ast.literal_eval(named[0]) in EXTRAS, f"{path}:{node.lineno}"
