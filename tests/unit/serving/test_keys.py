"""Keys: told once, kept as hashes in a file of their owner's alone, and gone at once when revoked."""

from __future__ import annotations

import json
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from typer.testing import CliRunner

from onmal.cli import app
from onmal.errors import ConfigError
from onmal.serving.keys import KEY_FORM, Key, KeyFile, given_key


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "settings" / "keys.json")


def test_a_key_is_found_by_its_text_and_kept_as_a_hash(file: KeyFile) -> None:
    key = file.add("alice", requests_per_minute=60)
    assert key.startswith(KEY_FORM)
    found = file.find(key)
    assert found
    assert (found.name, found.requests_per_minute, found.characters) == ("alice", 60, 0)
    assert key not in file.path.read_text("utf-8")
    for wrong in (key[:-1], key + "x", "", found.digest, "\ud800"):
        assert file.find(wrong) is None


@pytest.mark.skipif(sys.platform == "win32", reason="modes of Unix")
def test_nobody_else_can_read_the_file(file: KeyFile) -> None:
    file.add("alice")
    file.path.chmod(0o644)
    file.add("bob")
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [each.name for each in file.path.parent.iterdir()] == ["keys.json"]


def test_a_server_that_runs_sees_new_and_revoked_keys(file: KeyFile) -> None:
    serving = KeyFile(file.path)
    assert serving.given_out() == []
    alice, bob = file.add("alice"), file.add("bob")
    assert serving.find(alice)
    assert serving.find(bob)
    file.revoke("alice")
    assert serving.find(alice) is None
    assert serving.find(bob)


@pytest.mark.skipif(sys.platform == "win32", reason="locks of Unix")
@pytest.mark.parametrize("changed", ["bob", "carol"])
def test_two_changes_at_once_both_stand(file: KeyFile, monkeypatch: pytest.MonkeyPatch, changed: str) -> None:
    """One is made between another's reading and its writing, or has to wait there."""
    import fcntl

    for name in ("alice", "bob"):
        file.add(name)
    first, second = KeyFile(file.path), KeyFile(file.path)
    lock, write, waits_or_is_done = fcntl.flock, first._write, Event()

    def change() -> None:
        if changed == "bob":
            second.revoke("bob")
        else:
            second.add("carol")
        waits_or_is_done.set()

    with ThreadPoolExecutor() as others:

        def write_late(keys: list[Key]) -> None:
            monkeypatch.setattr(fcntl, "flock", lambda *which: (waits_or_is_done.set(), lock(*which)))
            others.submit(change)
            assert waits_or_is_done.wait(30)
            write(keys)

        monkeypatch.setattr(first, "_write", write_late)
        first.add("dave")
    expected = {"bob": ["alice", "dave"], "carol": ["alice", "bob", "dave", "carol"]}[changed]
    assert [key.name for key in file.given_out()] == expected


@pytest.mark.parametrize("name", ["alice", " ", "", "a\nb", "a" * 101])
def test_names_that_cannot_be(file: KeyFile, name: str) -> None:
    file.add("alice")
    before = file.path.read_bytes()
    with pytest.raises(ConfigError):
        file.add(name)
    assert file.path.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"keys": 3}',
        '{"keys": [{"name": "a"}]}',
        '{"keys": [{"name": 1, "digest": "aa", "created": ""}]}',
    ],
)
def test_a_damaged_file_is_one_line(file: KeyFile, content: str) -> None:
    file.path.parent.mkdir()
    file.path.write_text(content, "utf-8")
    with pytest.raises(ConfigError, match="not a file of keys"):
        file.given_out()


def test_limits_that_cannot_be_are_damage(file: KeyFile) -> None:
    file.add("alice")
    keys = json.loads(file.path.read_text("utf-8"))
    keys["keys"][0]["characters"] = -1
    file.path.write_text(json.dumps(keys), "utf-8")
    with pytest.raises(ConfigError, match="not a file of keys"):
        file.given_out()


@pytest.mark.parametrize(
    ("headers", "parameter", "key"),
    [
        ({"authorization": "Bearer abc"}, "", "abc"),
        ({"authorization": "bearer  abc "}, "other", "abc"),
        ({"authorization": "DeepL-Auth-Key abc:fx"}, "", "abc:fx"),
        ({"deepl-auth-key": "abc"}, "", "abc"),
        ({"authorization": "Basic abc"}, "def", "def"),
        ({"authorization": "Bearer "}, "", ""),
        ({}, " abc ", "abc"),
        ({}, "", ""),
    ],
)
def test_where_a_request_carries_its_key(headers: dict[str, str], parameter: str, key: str) -> None:
    assert given_key(headers, parameter) == key


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONMAL_KEYS", str(tmp_path / "keys.json"))

    def run(*arguments: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(app, ["keys", *arguments], prog_name="onmal")
        return result.exit_code, result.stdout, result.stderr

    assert "no keys" in run("list")[2]
    code, key, said = run("add", "alice", "--requests-per-minute", "60")
    assert code == 0
    assert "only time" in said
    assert KeyFile(tmp_path / "keys.json").find(key.strip())
    _, listed, _ = run("list")
    assert "alice" in listed
    assert "60" in listed
    assert key.strip() not in listed
    assert run("add", "alice")[0] == 2
    assert run("revoke", "bob")[2].startswith("error: there is no key called 'bob'; there are: alice")
    assert run("revoke", "alice")[0] == 0
    assert KeyFile(tmp_path / "keys.json").given_out() == []
