"""The cost model counts what torch counts, its tables stand in the pages, and the pages' commands can be given."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from torch.distributed.run import get_args_parser
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from onmal import products
from onmal.cli import app
from onmal.config import SIZES, ModelConfig, Vocabulary
from onmal.data.batching import Batch
from onmal.models import build
from onmal.training.loss import TranslationLoss

REPOSITORY = Path(__file__).resolve().parents[2]
BENCHMARKS = REPOSITORY / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))  # where a program of that folder finds what it imports

import cost_model  # noqa: E402
import scaling_tables  # noqa: E402
from scaling_tables import TABLES, WORDS, square  # noqa: E402

LANGUAGES = sorted(WORDS)
ROWS, SOURCE, TARGET = 2, 7, 5
SMALL = {"max_source_length": 16, "max_target_length": 16}
RESULT = {
    "machine": "a machine",
    "precision": "float32",
    "vocabulary": 8000,
    "length": 32,
    "rounds": 5,
    "torch": "2.0",
    "peak_alone": 100e9,
    "peak_beside": 80e9,
    "bandwidth": 2.5e9,
    "hop": 50e-6,
    "batching": 3.4e6,
    "cases": [
        {
            "size": "tiny",
            "tokens": 1024,
            "seconds": {"alone": 0.3, "beside": 0.2, "together": 0.225, "exchange": 0.0175},
            "predicted_exchange": 0.02,
            "predicted_ratio": 1.36,
            "measured_ratio": 1.33,
            "share_of_peak": 0.5,
        }
    ],
}


def batch(words: Vocabulary) -> Batch:
    """ROWS sentences without padding."""
    torch.manual_seed(1)
    source = torch.randint(3, words.source_size, (ROWS, SOURCE))
    target = torch.randint(3, words.target_size, (ROWS, TARGET + 1))
    return Batch(source, target, torch.full((ROWS,), TARGET), torch.arange(ROWS).numpy())


def loss_of(model: ModelConfig, words: Vocabulary) -> TranslationLoss:
    return TranslationLoss(build(model, words), 0.1).train()


@pytest.mark.parametrize(
    "settings",
    [
        SIZES["tiny"],
        SIZES["small"],
        {"tie": "output", "output_bias": True, "norm": "rms", "norm_order": "post", **SIZES["tiny"]},
        {"tie": "none", "activation": "swiglu", "source_positions": "rotary", **SIZES["tiny"]},
    ],
    ids=["tiny", "small", "post", "swiglu"],
)
def test_parameters_and_operations_are_those_of_the_network(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "mkl_holds_back", lambda: False)  # oneDNN's products are not counted
    model = ModelConfig(**settings, **SMALL)
    words = square(100) if model.tie == "all" else Vocabulary(source_size=120, target_size=100)
    loss = loss_of(model, words)
    assert cost_model.parameters(model, words) == sum(p.numel() for p in loss.parameters())
    given = batch(words)
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        loss(given.source, given.target, given.lengths).loss.backward()
    assert counter.get_total_flops() == ROWS * cost_model.flops_per_pair(model, words, SOURCE, TARGET)


@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_activations_are_what_the_forward_pass_keeps(dropout: float) -> None:
    model, words = ModelConfig(**SIZES["tiny"], **SMALL, dropout=dropout), square(100)
    loss, given = loss_of(model, words), batch(words)
    weights = {p.untyped_storage().data_ptr() for p in loss.parameters()}
    kept: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss(given.source, given.target, given.lengths)
    found = sum(t.untyped_storage().nbytes() for place, t in kept.items() if place not in weights)
    counted = cost_model.activation_bytes(model, words, ROWS * SOURCE, ROWS * TARGET, product=4, decision=4)
    assert counted == pytest.approx(found, rel=0.005)  # ids and masks are not counted


def test_a_ring_sends_nearly_twice_what_it_sums() -> None:
    assert cost_model.all_reduce_seconds(1e9, 1, 1e9, 1.0) == 0
    assert cost_model.all_reduce_seconds(1e9, 2, 1e9, 0.0) == pytest.approx(1.0)
    assert cost_model.all_reduce_seconds(1e9, 64, 1e9, 1e-3) == pytest.approx(2 * 63 / 64 + 126e-3)
    assert cost_model.sharded_seconds(1e9, 64, 1e9, 0.0) == pytest.approx(3 * 63 / 64)
    assert cost_model.sharded_seconds(1e9, 64, 1e9, 0.0, batches=2) == pytest.approx(5 * 63 / 64)


def test_what_is_ready_last_cannot_be_hidden() -> None:
    assert cost_model.exposed_seconds(1.0, 0.25, 10.0) == 0.25
    assert cost_model.exposed_seconds(1.0, 0.25, 0.5) == 0.5
    assert cost_model.exposed_seconds(1.0, 0.25, 0.0) == 1.0


def test_shards_divide_weights_gradients_and_optimizer_and_nothing_else() -> None:
    model, words = scaling_tables.network("big")
    alone = cost_model.memory(model, words, 1000, 1000)
    shared = cost_model.memory(model, words, 1000, 1000, shards=8)
    assert shared.adam == alone.adam / 8
    assert shared.gradients == alone.gradients / 8
    assert shared.weights == alone.weights * (1 + 1 / 8)  # and a whole one to validate with
    assert (shared.activations, shared.logits) == (alone.activations, alone.logits)
    assert cost_model.memory(model, words, 2000, 2000).logits == 2 * alone.logits
    assert alone.total == sum(alone)


def test_more_processes_are_faster_and_less_efficient() -> None:
    updates = {n: scaling_tables.predict("big", n, 0.4) for n in (1, 8, 64)}
    assert updates[1].least == updates[1].most == updates[1].batching + updates[1].compute
    assert updates[1].most > updates[8].most > updates[64].most
    for ends in ("least", "most"):
        efficiencies = [
            cost_model.efficiency(updates[1].least, getattr(u, ends), n) for n, u in updates.items()
        ]
        assert 1 == efficiencies[0] > efficiencies[1] > efficiencies[2]


def test_the_pages_are_up_to_date() -> None:
    stale = scaling_tables.rewrite_pages(BENCHMARKS / "results" / "scaling.json", write=False)
    assert not stale, "run: python benchmarks/scaling.py --tables"


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_table_stands_in_the_page_once(language: str) -> None:
    page = (REPOSITORY / "docs" / scaling_tables.PAGES[language]).read_text("utf-8")
    assert sorted(re.findall(r"^<!-- table: (\S+) -->$", page, re.MULTILINE)) == sorted(TABLES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_measured_stands_beside_what_the_model_says(language: str) -> None:
    missing = "\n".join(TABLES["measured"](None, WORDS[language]))
    assert WORDS[language]["missing"] in missing
    assert not re.search(r"\d\.\d", missing)
    header, _, row, *notes = TABLES["measured"](RESULT, WORDS[language])
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert len(cells) == header.count("|") - 1
    assert cells[:5] == ["tiny", "1,024", "0.300", "0.200", "0.225"]
    assert cells[5:] == ["0.018 (0.020)", "1.33 (1.36)", "50 %"]
    assert "a machine" in "".join(notes)


def test_both_languages_say_the_same_things() -> None:
    english, korean = (WORDS[language] for language in ("en", "ko"))
    assert english.keys() == korean.keys()
    for key, text in english.items():
        assert sorted(re.findall(r"{\w+", text)) == sorted(re.findall(r"{\w+", korean[key])), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_torchrun_and_onmal_take_the_pages_commands(language: str) -> None:
    page = (REPOSITORY / "docs" / scaling_tables.PAGES[language]).read_text("utf-8")
    found = re.findall(r"torchrun (.+?)'?$", page, re.MULTILINE)
    commands = [shlex.split(re.sub(r"\$SLURM\w+", "2", line)) for line in found if " -m onmal " in line]
    assert len(commands) >= 5
    for command in commands:
        known = get_args_parser().parse_args(command)
        assert (known.module, known.training_script) == (True, "onmal")
        name, *rest = known.training_script_args
        typer.main.get_command(app).commands[name].make_context(name, rest).close()  # type: ignore[attr-defined]


@pytest.mark.slow
def test_two_processes_measure(tmp_path: Path) -> None:
    command = [
        sys.executable, str(BENCHMARKS / "scaling.py"), "--measure", "--sizes", "tiny", "--tokens", "64",
        "--vocabulary", "100", "--rounds", "1", "--pairs", "2000", "--results", str(tmp_path),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "scaling.json").read_text("utf-8"))
    assert json.loads(done.stdout.splitlines()[-1]) == {k: v for k, v in result.items() if k != "date"}
    (case,) = result["cases"]
    assert case["parameters"] == cost_model.parameters(ModelConfig(**SIZES["tiny"]), square(100))
    assert min(*case["seconds"].values(), result["bandwidth"], result["batching"]) > 0
    assert TABLES["measured"](result, WORDS["en"])
