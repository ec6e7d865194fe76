"""MarianMT checkpoints that are unusual: read as they are meant, or refused in a line."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from onmal.errors import ConfigError, ModelFolderError
from onmal.interop.marian import read_marian, write_marian
from onmal.models.embedding import SinusoidalPositions

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
from marian_checkpoint import save_marian

pytest.importorskip("transformers", reason="needs transformers, from the extra interop")
pytest.importorskip("google.protobuf", reason="needs protobuf, from the extra interop")

TABLE = "model.encoder.embed_positions.weight"


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **values}), "utf-8")


def with_table(folder: Path, table: torch.Tensor) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file({**weights, TABLE: table}, folder / "model.safetensors", metadata={"format": "pt"})


def test_sinusoids_of_sixteen_bits_are_still_sinusoids(tmp_path: Path) -> None:
    folder = save_marian(tmp_path / "opus-mt-en-de", half=True)
    with_table(folder, SinusoidalPositions(64, 16, interleaved=False).table.half().contiguous())
    assert read_marian(folder).config.source_positions == "sinusoidal-halves"


def test_positions_of_another_shape_are_refused(tmp_path: Path) -> None:
    folder = save_marian(tmp_path / "opus-mt-en-de")
    with_table(folder, torch.zeros(63, 16))
    with pytest.raises(ModelFolderError, match=r"embed_positions.weight has shape \[63, 16\] instead of"):
        read_marian(folder)


def test_a_size_that_the_weights_do_not_have_asks_for_no_memory(tmp_path: Path) -> None:
    folder = save_marian(tmp_path / "opus-mt-en-de")
    change(folder / "config.json", vocab_size=1 << 24, decoder_vocab_size=1 << 24, d_model=1 << 16)
    with pytest.raises(ModelFolderError, match="instead of"):
        read_marian(folder)


def test_half_a_character_in_the_vocabulary_is_told(tmp_path: Path) -> None:
    folder = save_marian(tmp_path / "opus-mt-en-de")
    change(folder / "vocab.json", **{"\ud800": 5})
    with pytest.raises(ModelFolderError, match="the number 5"):
        read_marian(folder)


def test_tags_of_the_target_alone_are_none(tmp_path: Path) -> None:
    folder = save_marian(tmp_path / "opus-mt-en-de", separate=True, without=(">>deu<<",), tags=(">>deu<<",))
    numbers = json.loads((folder / "target_vocab.json").read_text("utf-8"))
    change(folder / "target_vocab.json", **{">>deu<<": min(set(range(len(numbers))) - set(numbers.values()))})
    saved = read_marian(folder)
    assert saved.tokenizer.tags == ()
    assert saved.directions == (("en", "de"),)


def test_a_language_without_a_row_gets_a_private_code(tmp_path: Path) -> None:
    folder = save_marian(tmp_path / "opus-mt-ceb-en")
    (folder / "tokenizer_config.json").unlink()
    assert read_marian(folder).directions == (("x-ceb", "en"),)


def test_a_family_of_languages_has_to_be_spelled_out(tmp_path: Path) -> None:
    folder = save_marian(tmp_path / "opus-mt-mul-en")
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(ConfigError, match="does not say its source language; give --from"):
        read_marian(folder)
    assert read_marian(folder, source=["fr", "es"]).directions == (("fr", "en"), ("es", "en"))
    folder = folder.rename(tmp_path / "opus-mt-en-jap")
    assert read_marian(folder).directions == (("en", "ja"),)


def test_a_step_of_bpe_without_a_number_is_refused(tmp_path: Path) -> None:
    """Longer pieces could not be reached without it; one that nothing is made of is written with smaller ones."""
    folder = save_marian(tmp_path / "whole" / "opus-mt-en-de", kind="bpe")
    pieces = {one for one in json.loads((folder / "vocab.json").read_text("utf-8")) if one[0] != "<"}
    steps = sorted(one for one in pieces if len(one) == 2 and any(one in piece for piece in pieces - {one}))
    save_marian(tmp_path / "opus-mt-en-de", kind="bpe", without=steps[:1])
    with pytest.raises(ModelFolderError, match=f"BPE makes longer ones of.*{re.escape(steps[0])}"):
        read_marian(tmp_path / "opus-mt-en-de")
    ends = sorted(one for one in pieces if len(one) > 2 and not any(one in piece for piece in pieces - {one}))
    save_marian(tmp_path / "end" / "opus-mt-en-de", kind="bpe", without=ends[:1])
    assert read_marian(tmp_path / "end" / "opus-mt-en-de")


def test_what_is_said_of_the_search_comes_and_goes_back(tmp_path: Path) -> None:
    folder = save_marian(tmp_path / "opus-mt-en-de")
    change(folder / "generation_config.json", num_beams=6, length_penalty=0.6, no_repeat_ngram_size=3)
    saved = read_marian(folder)
    (tmp_path / "out").mkdir()
    write_marian(saved, tmp_path / "out")
    for search in (saved.search, read_marian(tmp_path / "out").search):
        assert (search.beam_size, search.length_penalty, search.no_repeat_ngram) == (6, 0.6, 3)
        assert search.patience == 2  # as long as transformers goes on
    change(folder / "generation_config.json", early_stopping=True)
    saved = read_marian(folder)
    (tmp_path / "early").mkdir()
    write_marian(saved, tmp_path / "early")
    assert saved.search.patience == read_marian(tmp_path / "early").search.patience == 1
