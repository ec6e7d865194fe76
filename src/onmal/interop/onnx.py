"""An onmal model as three ONNX graphs, for everything that onnxruntime runs on.

encoder.onnx    source [B,S]                            -> states [B,S,D]
cross.onnx      states [B,S,D]                          -> each layer's cross keys and values [B,H,S,E]
decoder.onnx    token [B,K], source [B,S], cross keys and values, keys and values of the words so far [B,K,H,t,E]
                                                        -> logits [B,K,V] of the next word, keys and values [B,K,H,t+1,E]
model.json      special ids, longest lengths, languages, how its recipe searches

A target begins with t = 0 and the start token. The graphs are those of a Transformer, whose state is keys and values.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from onmal.errors import ConfigError, MissingExtraError
from onmal.models import Memory, Probe, Seq2Seq, Transformer
from onmal.models.contract import DecoderState
from onmal.saved_model import SavedModel, write_json

__all__ = ["largest_difference", "write_onnx"]

OPSET = 18
ENOUGH = 1e-2
"""What logits may differ by: products are added up in another order, and some networks make much of that; a wrong graph is off by 1."""


class _Encoder(nn.Module):
    def __init__(self, model: Seq2Seq) -> None:
        super().__init__()
        self.model = model

    def forward(self, source: Tensor) -> Tensor:
        return self.model.encode(source, probe=Probe()).states


class _Cross(nn.Module):
    def __init__(self, model: Seq2Seq) -> None:
        super().__init__()
        self.model = model

    def forward(self, states: Tensor) -> tuple[Tensor, ...]:
        memory = Memory(states, states[:, :, 0] == 0)  # the mask is not looked at
        return tuple(self.model.start(memory).sources.values())


class _Decoder(nn.Module):
    def __init__(self, model: Seq2Seq, sources: Sequence[str], rows: Sequence[str]) -> None:
        super().__init__()
        self.model, self.sources, self.rows = model, sources, rows

    def forward(
        self, token: Tensor, source: Tensor, cross: list[Tensor], past: list[Tensor]
    ) -> tuple[Tensor, ...]:
        state = DecoderState(
            beams=token.shape[1],
            position=past[0].shape[3],
            source_mask=source != self.model.vocabulary.pad,
            sources=dict(zip(self.sources, cross, strict=True)),
            rows={name: cache.flatten(0, 1) for name, cache in zip(self.rows, past, strict=True)},
        )
        states, state = self.model.step(token.flatten(), state, probe=Probe())  # [R,D]
        each = [self.model.project(states), *(state.rows[name] for name in self.rows)]
        return tuple(tensor.unflatten(0, token.shape) for tensor in each)


def write_onnx(saved: SavedModel, folder: Path) -> float:
    """Write the graphs, model.json and the tokenizer into a folder; returns by how much logits differ from torch's.

    Raises MissingExtraError without the packages, ConfigError for a network that is no Transformer, and where the graphs do not say what
    torch does.
    """
    if not isinstance(saved.model, Transformer):
        what = f"there are no ONNX graphs for networks of the kind {type(saved.model).__name__}"
        raise ConfigError(what, "translate or serve it with onmal itself")
    for package in ("onnx", "onnxscript", "onnxruntime"):
        try:
            import_module(package)
        except ImportError:
            raise MissingExtraError(package, "interop", "an export to ONNX") from None
    model, special = saved.model.cpu().eval(), saved.model.vocabulary
    source = torch.full((2, 3), special.end)
    memory = model.encode(source)
    start = model.start(memory, beams=2)
    cross = dict(start.sources)
    _, state = model.step(torch.full((4,), special.start), start)
    past = {
        name: rows[:, :, :1].unflatten(0, (2, 2)).repeat(1, 1, 1, 2, 1) for name, rows in state.rows.items()
    }
    batch, beams = torch.export.Dim("batch"), torch.export.Dim("hypotheses")
    words = torch.export.Dim("source_words", max=model.longest_source)
    said = torch.export.Dim("target_words", max=model.longest_target - 1)
    tokens, kept = {0: batch, 1: words}, {0: batch, 2: words}
    now = [f"next.{name}" for name in past]
    _export(_Encoder(model), folder / "encoder.onnx", (source,), (tokens,), ["source"], ["states"])
    _export(_Cross(model), folder / "cross.onnx", (memory.states,), (tokens,), ["states"], list(cross))
    _export(
        _Decoder(model, list(cross), list(past)),
        folder / "decoder.onnx",
        (torch.full((2, 2), special.start), source, list(cross.values()), list(past.values())),
        ({0: batch, 1: beams}, tokens, [kept] * len(cross), [{0: batch, 1: beams, 3: said}] * len(past)),
        ["token", "source", *cross, *past],
        ["logits", *now],
    )
    description = {
        "vocabulary": special.model_dump(),
        "longest": {"source": model.longest_source, "target": model.longest_target},
        "directions": saved.directions,
        "tags": saved.tokenizer.tags,
        "length_penalty": saved.search.length_penalty,
        "beam_size": saved.search.beam_size,
    }
    write_json(folder / "model.json", description)
    saved.tokenizer.save(folder)
    difference = largest_difference(saved, folder, count=8)
    if not difference <= ENOUGH:  # it may be no number
        what = f"the ONNX graphs' logits differ from torch's by {difference:.1e}"
        raise ConfigError(what, "export it to ctranslate2 instead, and report this")
    return difference


def largest_difference(saved: SavedModel, folder: Path, *, count: int, seed: int = 0) -> float:
    """Between logits of onnxruntime and torch, over random sources of all lengths, two hypotheses each, eight words long."""
    session = import_module("onnxruntime").InferenceSession
    encoder, cross, decoder = (session(folder / f"{part}.onnx") for part in ("encoder", "cross", "decoder"))
    model, special = saved.model, saved.model.vocabulary
    names = [each.name for each in decoder.get_inputs()]
    chance = np.random.default_rng(seed)
    most = min(model.longest_source - 1, 40)
    largest = 0.0
    for length in chance.integers(1, most, count, endpoint=True):
        source = chance.integers(0, special.source_size, (2, length + 1))
        source[:, -1] = special.end
        source[0, 0] = special.pad
        given = torch.from_numpy(source)
        (states,) = encoder.run(None, {"source": source})
        sources = cross.run(None, {"states": states})
        state = model.start(model.encode(given), beams=2)
        caches = decoder.get_inputs()[2 + len(sources) :]
        past = [np.zeros((2, 2, each.shape[2], 0, each.shape[4]), np.float32) for each in caches]
        token = np.full((2, 2), special.start)
        for _ in range(min(8, model.longest_target)):
            logits, *past = decoder.run(None, dict(zip(names, (token, source, *sources, *past), strict=True)))
            expected, state = model.step(torch.from_numpy(token).flatten(), state)
            with torch.no_grad():
                right = model.project(expected).view(logits.shape).numpy()
            largest = float(np.maximum(largest, np.abs(logits - right).max()))  # no number stays none
            token = chance.integers(0, special.target_size, (2, 2))
    return largest


def _export(
    part: nn.Module,
    path: Path,
    example: tuple[Any, ...],
    shapes: tuple[Any, ...],
    inputs: list[str],
    outputs: list[str],
) -> None:
    log = logging.getLogger("torch.onnx")
    level = log.level
    try:
        log.setLevel(logging.ERROR)  # of packages that are not there, and that nothing here needs
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the exporter about itself
            program = torch.onnx.export(
                part.eval(), example, dynamo=True, verbose=False, opset_version=OPSET,
                dynamic_shapes=shapes, input_names=inputs, output_names=outputs,
            )  # fmt: skip
        assert program is not None
        program.save(path)
    finally:
        log.setLevel(level)
