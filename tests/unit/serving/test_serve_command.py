"""`onmal serve`, as far as it goes before it serves: its settings, and each mistake in one line."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served import service_of
from typer.testing import CliRunner

from onmal.cli import app
from onmal.errors import ConfigError
from onmal.serving import server
from onmal.serving.settings import ServeConfig


def mistake(*arguments: str | Path) -> str:
    """The one line that a command says before it gives up."""
    result = CliRunner().invoke(app, ["serve", *map(str, arguments)], prog_name="onmal")
    assert result.exit_code in (1, 2), result.output
    assert isinstance(result.exception, SystemExit)
    (line,) = result.stderr.splitlines()
    return line


@pytest.fixture
def taken() -> Iterator[int]:
    """A port at which somebody listens already."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_that_is_taken(both_ways: Path, taken: int) -> None:
    line = mistake(both_ways, "--port", str(taken))
    assert line.startswith(f"error: cannot listen at 127.0.0.1, port {taken} (")
    assert line.endswith("choose another with --host and --port")


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    assert "there is no such model folder" in mistake(tmp_path / "gone")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--set", "ports=3"], "unknown setting 'ports'; did you mean 'port'?"),
        (["--set", "port=high"], "setting 'port' cannot be 'high'; give a whole number"),
        (["--set", "texts=0"], "setting 'texts' cannot be 0; give at least 1"),
        (["--port", "70000"], "setting 'port' cannot be 70000; give at most 65535"),
        (["--config", "gone.toml"], "gone.toml: cannot be read"),
    ],
)
def test_settings_that_cannot_be(both_ways: Path, options: list[str], said: str) -> None:
    assert said in mistake(both_ways, *options)


def test_a_damaged_file_of_keys(both_ways: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text("[]", "utf-8")
    assert "not a file of keys" in mistake(both_ways, "--port", "0", "--set", f"keys={keys}")


def test_options_change_settings_and_settings_the_file(tmp_path: Path) -> None:
    file = tmp_path / "serve.toml"
    file.write_text('port = 8080\ncharacters = 500\ncors_origins = ["https://example.org"]\n', "utf-8")
    settings = ServeConfig.read(file, ["characters=700", "metrics=true"])
    assert (settings.port, settings.characters, settings.metrics) == (8080, 700, True)
    assert settings.cors_origins == ["https://example.org"]
    assert settings.host == "127.0.0.1"
    with pytest.raises(ConfigError):
        ServeConfig.read(file, ["characters"])


def test_without_the_extra_it_says_what_to_install(both_ways: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "uvicorn" else object())
    assert (
        'onmal serve needs the package uvicorn, which is not installed; install it with: pip install "onmal[serve]"'
        in mistake(both_ways)
    )


@pytest.mark.parametrize(
    ("settings", "address", "said"),
    [
        ({}, "127.0.0.1", []),
        ({"host": "0.0.0.0"}, "0.0.0.0", ["whoever can reach this machine"]),
        ({"host": "0.0.0.0", "require_keys": True}, "0.0.0.0", ["nobody has a key yet"]),
    ],
)
def test_what_may_not_be_meant_is_said(
    both_ways: Path, settings: dict[str, Any], address: str, said: list[str]
) -> None:
    with socket.create_server((address, 0)) as listener:
        found = list(server._cautions(service_of(both_ways, **settings), listener))
    assert len(found) == len(said)
    assert all(map(str.startswith, found, said))


@pytest.mark.parametrize("page", ["serving.md", "serving.ko.md"])
def test_the_page_has_every_setting_with_its_default(page: str) -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / page).read_text("utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", text, re.MULTILINE))
    for name, field in ServeConfig.model_fields.items():
        assert told.get(name) == json.dumps(field.default), name
