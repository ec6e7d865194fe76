"""ONNX: the graphs say what torch says, with nothing of onmal or torch beside them."""

from __future__ import annotations

import json
import random
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from onmal.cli import app
from onmal.config import SearchConfig
from onmal.errors import ConfigError
from onmal.interop.new_folder import new_folder
from onmal.interop.onnx import ENOUGH, largest_difference, write_onnx
from onmal.saved_model import SavedModel, save_model
from onmal.translating.torch_engine import TorchEngine

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from random_model import random_model, tokenizer

for package in ("onnx", "onnxscript", "onnxruntime"):
    pytest.importorskip(package, reason=f"needs {package}, from the extra interop")

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "onnx_translate.py"
SMALL = {"encoder_layers": 1, "decoder_layers": 1}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SavedModel, Path]]:
    """A model with learned positions, and what the command makes of it."""
    saved = random_model(tokenizer(joint=True), **SMALL)
    with torch.no_grad():
        saved.model.output.bias[saved.model.vocabulary.end] -= 4.5  # so that it says something
    folder = tmp_path_factory.mktemp("onnx")
    save_model(folder / "model", saved)
    run = CliRunner().invoke(app, ["export", "onnx", str(folder / "model"), str(folder / "out")])
    assert run.exit_code == 0, run.output
    assert "encoder.onnx, cross.onnx and decoder.onnx; logits as in torch" in run.stdout
    assert run.stderr == ""
    return saved, folder / "out"


def test_the_graphs_say_what_torch_says(exported: tuple[SavedModel, Path]) -> None:
    saved, folder = exported
    assert largest_difference(saved, folder, count=20, seed=1) < 1e-4


def test_the_folder_holds_all_that_is_needed(exported: tuple[SavedModel, Path]) -> None:
    _, folder = exported
    names = ["cross.onnx", "decoder.onnx", "encoder.onnx", "model.json", "tokenizer.model"]
    assert sorted(path.name for path in folder.iterdir()) == names
    about = json.loads((folder / "model.json").read_text("utf-8"))
    assert about["vocabulary"]["end"] == 2
    assert about["directions"] == [["ko", "en"]]


def texts(count: int) -> list[str]:
    chance = random.Random(2)
    words = ["".join(chance.choices("abcdefghij", k=4)) for _ in range(50)]
    return [" ".join(chance.choices(words, k=chance.randint(1, 7))) for _ in range(count)]


def test_the_example_translates_as_torch_does(exported: tuple[SavedModel, Path]) -> None:
    saved, folder = exported
    rows = [saved.tokenizer.encode_source(text) for text in texts(12)]
    found = TorchEngine(saved.model).translate(rows, SearchConfig(beam_size=1))
    expected = [saved.tokenizer.target.decode(best.tokens) for best, *_ in found]
    translator = runpy.run_path(str(EXAMPLE))["Translator"](folder)
    assert [translator.translate(text) for text in texts(12)] == expected
    assert len(set(expected)) > 5


def test_the_example_needs_neither_onmal_nor_torch(exported: tuple[SavedModel, Path]) -> None:
    _, folder = exported
    program = (
        "import sys, runpy; sys.modules |= dict.fromkeys(['torch', 'onmal'])\n"
        f"runpy.run_path({str(EXAMPLE)!r}, run_name='__main__')"
    )
    command = [sys.executable, "-c", program, str(folder), *texts(1)]
    run = subprocess.run(command, capture_output=True, env={"PYTHONIOENCODING": "utf-8"}, check=False)
    assert (run.returncode, run.stderr) == (0, b"")
    assert run.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        {"source_positions": "rotary", "target_positions": "rotary", "norm": "rms", "activation": "swiglu"},
        {
            "source_positions": "sinusoidal-halves",
            "target_positions": "none",
            "norm_order": "post",
            "tie": "none",
        },
        {"activation": "swish", "encoder_layers": 3, "decoder_layers": 2},
    ],
    ids=lambda kind: "-".join(map(str, kind.values())),
)
def test_every_transformer_can_be_written(kind: dict[str, Any], tmp_path: Path) -> None:
    saved = random_model(tokenizer(joint=kind.get("tie", "all") == "all"), **{**SMALL, **kind})
    assert write_onnx(saved, tmp_path) < 1e-4


def test_the_example_refuses_what_it_would_translate_wrongly(
    exported: tuple[SavedModel, Path], tmp_path: Path
) -> None:
    shutil.copytree(exported[1], tmp_path / "out")
    translator = runpy.run_path(str(EXAMPLE))["Translator"](tmp_path / "out")
    with pytest.raises(SystemExit, match=r"error: a sentence of \d+ tokens is too long"):
        translator.translate("abcd " * 600)
    translator.about["tags"] = ["<2de>", "<2fr>", "<news>"]
    for unknown in ("", "es"):
        with pytest.raises(SystemExit, match="error: --to has to be one of de, fr"):
            translator.translate("abcd", unknown)


@pytest.mark.parametrize("network", ["gru", "gru-attention", "convolution"])
def test_what_is_no_transformer_is_refused(network: str, tmp_path: Path) -> None:
    saved = random_model(tokenizer(joint=True), network=network, **SMALL)
    with pytest.raises(ConfigError, match=r"no ONNX graphs for networks of the kind .*with onmal itself"):
        write_onnx(saved, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_logit_that_is_no_number_is_a_difference(exported: tuple[SavedModel, Path]) -> None:
    saved, folder = exported
    broken = random_model(saved.tokenizer, **SMALL)
    with torch.no_grad():
        broken.model.output.bias[5] = torch.nan
    assert not largest_difference(broken, folder, count=2) <= ENOUGH


def test_graphs_that_say_something_else_are_not_kept(
    exported: tuple[SavedModel, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, folder = exported
    other = random_model(saved.tokenizer, seed=1, **SMALL)
    assert largest_difference(other, folder, count=2) > ENOUGH
    monkeypatch.setattr(
        "onmal.interop.onnx._export", lambda part, path, *_: shutil.copy(folder / path.name, path)
    )
    with (
        pytest.raises(ConfigError, match="the ONNX graphs' logits differ"),
        new_folder(tmp_path / "out") as made,
    ):
        write_onnx(other, made)
    assert not list(tmp_path.iterdir())
