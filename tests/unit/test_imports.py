"""What an import loads, seen from a fresh process: the command's help is quick because it loads nothing heavy."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = ("torch", "numpy", "pydantic", "sentencepiece", "sacrebleu", "matplotlib")


def python(*arguments: str) -> str:
    """What a new Python prints, run with `arguments`; it must succeed."""
    environment = {**os.environ, "PYTHONUTF8": "1"}
    run = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, encoding="utf-8", env=environment
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def loaded(code: str, packages: tuple[str, ...]) -> set[str]:
    """Those of `packages` that a new Python has loaded after running `code`."""
    report = f"\nimport sys\nprint('loaded:', *[name for name in {packages!r} if name in sys.modules])"
    return set(python("-c", code + report).splitlines()[-1].split()[1:])


def command(*arguments: str) -> str:
    """Code that runs the command line with `arguments`, as `python -m onmal` would, and goes on after its exit."""
    return (
        "import runpy, sys\n"
        f"sys.argv = ['onmal', *{list(arguments)!r}]\n"
        "try:\n"
        "    runpy.run_module('onmal', run_name='__main__')\n"
        "except SystemExit as exit:\n"
        "    assert not exit.code, exit.code\n"
    )


def test_importing_onmal_loads_nothing_heavy() -> None:
    assert loaded("import onmal", (*HEAVY, "typer", "rich")) == set()


def test_help_loads_nothing_heavy() -> None:
    assert loaded(command("--help"), HEAVY) == set()


def test_help_names_the_commands() -> None:
    printed = python("-m", "onmal", "--help")
    commands = (
        "demo",
        "train",
        "report",
        "translate",
        "serve",
        "evaluate",
        "inspect",
        "doctor",
        "prepare",
        "info",
        "corpus",
        "keys",
    )
    assert [name for name in commands if name not in printed] == []


@pytest.mark.parametrize("package", ["text", "phrasebook"])
def test_text_and_phrasebook_load_without_torch(package: str) -> None:
    code = (
        "import importlib, pkgutil\n"
        f"package = importlib.import_module('onmal.{package}')\n"
        "for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "    if not module.name.endswith('__main__'):\n"
        "        importlib.import_module(module.name)"
    )
    assert loaded(code, ("torch",)) == set()


def test_networks_load_without_text_packages() -> None:
    packages = ("torch", "sentencepiece", "transformers", "sacrebleu", "matplotlib")
    assert loaded("import onmal.models", packages) == {"torch"}
