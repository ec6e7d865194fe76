"""A name on Hugging Face: what its client has fetched is found again without a network, and a mistake is one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from onmal.errors import ConfigError, ModelFolderError
from onmal.interop.hugging_face import checkpoint
from onmal.interop.marian import _read_weights

pytest.importorskip("huggingface_hub", reason="needs huggingface_hub, from the extra interop")


def command(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, as the client reads its settings when it is imported."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(home), "PYTHONIOENCODING": "utf-8"}
    call = [sys.executable, "-m", "onmal", "import", "hf", *arguments]
    return subprocess.run(call, capture_output=True, encoding="utf-8", env=environment, check=False)


def test_a_folder_is_itself(tmp_path: Path) -> None:
    assert checkpoint(str(tmp_path)) == (tmp_path, tmp_path.name, "")
    with pytest.raises(ConfigError, match="a folder has no revisions"):
        checkpoint(str(tmp_path), "main")


@pytest.mark.parametrize("place", ["no-such-folder", "../a/b/c", "a b/c", "/nowhere/at/all", "a" * 300])
def test_neither_a_folder_nor_a_name_is_told(place: str) -> None:
    with pytest.raises(ModelFolderError, match=r"there is no such folder; check the path, or give a name"):
        checkpoint(place)


def test_what_was_fetched_needs_no_network(tmp_path: Path) -> None:
    snapshot = "0123456789012345678901234567890123456789"
    cached = tmp_path / "hub" / "models--somebody--opus-mt-en-de"
    for revision, kind, commit in (("main", "bart", snapshot), ("refs/pr/3", "mbart", snapshot[::-1])):
        (cached / "refs" / revision).parent.mkdir(parents=True, exist_ok=True)
        (cached / "refs" / revision).write_text(commit)
        (cached / "snapshots" / commit).mkdir(parents=True)
        (cached / "snapshots" / commit / "config.json").write_text(json.dumps({"model_type": kind}))
    for options, kind in (
        ((), "bart"),
        (("--revision", "refs/pr/3"), "mbart"),
        (("--revision", snapshot), "bart"),
    ):
        run = command(tmp_path, "somebody/opus-mt-en-de", str(tmp_path / "out"), *options)
        assert run.returncode == 2
        assert f"is a model of the kind '{kind}'" in run.stderr
    run = command(tmp_path, "somebody/opus-mt-en-de", str(tmp_path / "out"), "--revision", "refs/pr/4")
    assert run.returncode == 1
    assert "check the name, the revision and the network" in run.stderr


def test_without_a_network_the_error_is_one_line(tmp_path: Path) -> None:
    run = command(tmp_path, "somebody/opus-mt-en-de", str(tmp_path / "out"))
    assert run.returncode == 1
    assert run.stderr.startswith("error: somebody/opus-mt-en-de: cannot be fetched from Hugging Face (")
    assert run.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_name_without_safetensors_is_told_how_to_convert_it(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError) as caught:
        _read_weights(tmp_path, "somebody/opus-mt-en-de")
    told = str(caught.value)
    assert told.startswith(
        "somebody/opus-mt-en-de: has no model.safetensors; give one that has it: --revision"
    )
    assert "MarianMTModel.from_pretrained('somebody/opus-mt-en-de').save_pretrained(OUT)" in told
    assert str(tmp_path) not in told
