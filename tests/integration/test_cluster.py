"""Files are translated on two nodes as on one machine, also when the program is killed and when a node is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray.data")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
from tiny_model import save_tiny_model, sentence_pairs

from onmal.formats.lines import read_lines
from onmal.translating.translator import load

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Ray has clusters on one machine on Linux")
KILLED = -9
NAMES = ("a.ko", "b.ko")
GREEDY = ("--beam-size", "1")
TRANSLATE = """
import os, runpy, signal, sys
from onmal import bulk

bulk.PART_LINES = 40
left, *sys.argv[1:] = sys.argv[1:]
left, translated = int(left), bulk.Translated

def told(*arguments):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return translated(*arguments)

bulk.Translated = told
runpy.run_module("onmal", run_name="__main__")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model, and two texts of 600 lines together, some of them blank."""
    save_tiny_model(tmp_path / "model")
    lines = [pair.source if number % 7 else "" for number, pair in enumerate(sentence_pairs(600))]
    (tmp_path / "a.ko").write_text("".join(f"{line}\n" for line in lines[:370]), "utf-8")
    (tmp_path / "b.ko").write_text("".join(f"{line}\n" for line in lines[370:]), "utf-8")
    return tmp_path


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Two nodes of one core each."""
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    nodes.add_node(num_cpus=1)
    yield nodes
    nodes.shutdown()


def command(folder: Path, *options: str, after: int = 0) -> list[str]:
    """Translates both texts in a process that kills itself when so many parts are done, if that is given."""
    texts = [str(folder / name) for name in NAMES]
    fixed = ["translate", str(folder / "model"), *texts, "--out", str(folder / "out"), "--ray", *GREEDY]
    return [sys.executable, "-c", TRANSLATE, str(after), *fixed, *options]


def parts(folder: Path) -> int:
    """How many parts are done."""
    return len(list((folder / "out" / ".onmal-bulk" / "parts").rglob("0*")))


def test_killed_and_with_a_node_less_it_ends_as_if_nothing_had_been(folder: Path, cluster: Any) -> None:
    here, out = dict(os.environ, RAY_ADDRESS=cluster.address), folder / "out"
    alone = load(folder / "model")
    greedy = alone.saved.search.replace(beam_size=1)
    expected = {
        name: "".join(f"{alone.translate(line, search=greedy).text}\n" for line in read_lines(folder / name))
        for name in NAMES
    }

    assert subprocess.run(command(folder, after=3), env=here, capture_output=True).returncode == KILLED
    assert [path.name for path in out.iterdir()] == [".onmal-bulk"]
    done = parts(folder)
    assert done >= 3

    other = subprocess.run(command(folder, "--scores"), env=here, capture_output=True, text=True)
    assert other.returncode == 1
    assert "was begun from other texts or another model, or with other options" in other.stderr

    going = subprocess.Popen(command(folder), env=here, stderr=subprocess.PIPE, text=True)
    while going.poll() is None and parts(folder) <= done:
        time.sleep(0.01)
    cluster.remove_node(next(iter(cluster.worker_nodes)))
    said = going.communicate()[1]
    assert going.returncode == 0, said
    assert "lines are translated" in said
    assert {path.name: path.read_text("utf-8") for path in out.iterdir()} == expected
