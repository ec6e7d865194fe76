"""A model that was brought in from elsewhere goes on as one of our own, and can go back."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from onmal.adapting.finetune import finetune, settings_for
from onmal.config import RunConfig
from onmal.interop.marian import inexpressible, read_marian
from onmal.run_report.events import Reporters
from onmal.saved_model import load_model, save_model

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
from marian_checkpoint import save_marian, sentences

pytest.importorskip("transformers", reason="needs transformers, from the extra interop")
pytest.importorskip("google.protobuf", reason="needs protobuf, from the extra interop")


@pytest.mark.parametrize(
    ("lora", "shape"), [(2, {}), (0, {"separate": True})], ids=["one vocabulary", "two vocabularies"]
)
def test_an_imported_model_goes_on_and_can_go_back(lora: int, shape: dict[str, Any], tmp_path: Path) -> None:
    imported, folder = tmp_path / "imported", tmp_path / "tuned"
    save_model(imported, read_marian(save_marian(tmp_path / "opus-mt-en-de", **shape)))
    rows = zip(sentences("source", 80), sentences("target", 80), strict=True)
    (tmp_path / "new.tsv").write_text("".join(f"{source}\t{target}\n" for source, target in rows), "utf-8")
    values = settings_for(
        imported, {"train": [str(tmp_path / "new.tsv")], "valid": [], "clean": False}, ("en", "de"), lora=lora
    )
    values["train"] |= {
        "max_updates": 10, "validate_every": 5, "learning_rate": 0.01, "warmup": 0, "batch_tokens": 256, "threads": 1,
        "processes": 1,
    }  # fmt: skip
    saved = finetune(RunConfig.from_dict(values), folder, reporter=Reporters())
    assert saved is not None
    before = load_model(imported)
    assert saved.tokenizer.target.serialized == before.tokenizer.target.serialized
    assert saved.model.vocabulary == before.model.vocabulary
    assert saved.directions == (("en", "de"),)
    assert saved.card["imported"] == before.card["imported"]
    events = [
        json.loads(line) for line in (folder / "training" / "log.jsonl").read_text("utf-8").splitlines()
    ]
    losses = [event["negative_log_likelihood"] for event in events if event["event"] == "validation"]
    assert losses[-1] < losses[0]
    assert inexpressible(load_model(folder)) == ""
