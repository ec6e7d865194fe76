"""Whether models say elsewhere what they say here: MarianMT in transformers, onmal's own networks in CTranslate2 and ONNX.

    python benchmarks/interop.py [--trained FOLDER --text FILE] [--model MODEL --text FILE] [--sentences 500]

MarianMT models of several shapes are made on the spot, small and with random weights; --trained is the folder of one that has learned (marian.toml
beside this program makes one), and --model a folder of onmal's, each with sentences of its source language. The result goes to benchmarks/results/interop.json.

- logits: the most that they differ by, over targets of random words (a trained one: over its own translations), where both multiply by
  the same library. usual_logits: as onmal is used, whose products are by the faster of torch's two.
- cut: sentences that are cut into the same tokens. greedy: sentences whose translations have the same tokens.
- beam: sentences whose best translation at beam 5 is, by transformers' own network, as likely per token as the one that it finds itself,
  or within 1e-4; with the usual search, with `patience = 2`, and with as much as there is time for. Those that it cut off are left out.
  Padding takes no part of a probability on either side: transformers is told so (renormalize_logits), which the checkpoint alone does not.
"""

from __future__ import annotations

import hashlib
import random
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import marian_checkpoint
import numpy as np
import recording
import torch

from onmal.config import DataConfig, ModelConfig, SearchConfig
from onmal.data.batching import pad_rows
from onmal.data.corpus import read_lines
from onmal.data.pair import Pair
from onmal.data.prepare import learn_tokenizer
from onmal.decoding.search import Hypothesis
from onmal.errors import ConfigError, MissingExtraError
from onmal.interop.ctranslate2_engine import CTranslate2Engine
from onmal.interop.marian import read_marian
from onmal.interop.onnx import largest_difference, write_onnx
from onmal.models import build
from onmal.saved_model import SavedModel, load_model
from onmal.translating.torch_engine import TorchEngine

SHAPES: dict[str, dict[str, Any]] = {
    "one vocabulary": {},
    "two vocabularies": {"separate": True},
    "6 + 6 layers": {"encoder_layers": 6, "decoder_layers": 6, "activation_function": "relu", "ending": 7.0},
    "6 + 2 layers": {"encoder_layers": 6, "decoder_layers": 2, "ending": 7.0},
    "holes in the vocabulary": {"without": ("z", "▁s", "y")},
}
KINDS: dict[str, dict[str, Any]] = {
    "learned positions": {},
    "post-norm, sinusoids, gelu": {
        "norm_order": "post", "activation": "gelu",
        "source_positions": "sinusoidal", "target_positions": "sinusoidal",
    },
    "rotary, RMSNorm, SwiGLU": {
        "norm": "rms", "activation": "swiglu", "source_positions": "rotary", "target_positions": "rotary",
    },
}  # fmt: skip
BEAMS, PATIENCES, CLOSE = 5, {"beam": 1.0, "beam_patience_2": 2.0, "beam_patient": 1e6}, 1e-4
BATCH = 25
ONNX_SOURCES = 100  # each is a pair of rows


def main() -> None:
    """Compare, print, record."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trained", type=Path, metavar="FOLDER", help="a MarianMT model that has learned")
    parser.add_argument("--model", type=Path, metavar="MODEL", help="a model of onmal's that has learned")
    parser.add_argument("--text", type=Path, metavar="FILE", help="sentences for these")
    parser.add_argument("--sentences", type=int, default=500, metavar="N")
    parser.add_argument("--results", type=Path, default=recording.RESULTS, metavar="FOLDER")
    options = parser.parse_args()
    if (options.trained or options.model) and not options.text:
        raise ConfigError("--trained and --model translate sentences", "give --text FILE")
    begun = time.monotonic()
    count, config_hash = options.sentences, hashlib.sha256(repr((SHAPES, KINDS)).encode()).hexdigest()
    texts = [line.rstrip("\n") for line in islice(read_lines(options.text), count)] if options.text else []
    result: dict[str, Any] = {"sentences": count, "marian": {}, "ctranslate2": {}, "onnx": {}}
    with tempfile.TemporaryDirectory() as made:
        for number, (name, shape) in enumerate(SHAPES.items()):
            folder = marian_checkpoint.save_marian(Path(made) / f"{number}" / "opus-mt-en-de", **shape)
            sentences = marian_checkpoint.sentences("source", count)
            result["marian"][name] = told("marian", name, beside_transformers(folder, sentences, longest=60))
    if options.trained:
        found = beside_transformers(options.trained, texts, longest=200)
        result["marian"]["trained"] = told("marian", "trained", found)
        config_hash = hashlib.sha256((options.trained / "config.json").read_bytes()).hexdigest()
    models = {name: (random_network(kind), count) for name, kind in KINDS.items()}
    if options.model:
        saved = load_model(options.model)
        models["trained"] = (saved, len(texts))
        config_hash = saved.card.get("config_sha256", config_hash)
    for name, (saved, number) in models.items():
        rows = random_rows(saved, number)
        if name == "trained":
            rows = [saved.tokenizer.encode_source(text, saved.directions[0][1]) for text in texts]
        result["ctranslate2"][name] = told("ctranslate2", name, beside_ctranslate2(saved, rows))
        with tempfile.TemporaryDirectory() as made:
            write_onnx(saved, Path(made))
            difference = largest_difference(saved, Path(made), count=ONNX_SOURCES)
        result["onnx"][name] = told("onnx", name, {"logits": difference, "sentences": 2 * ONNX_SOURCES})
    result |= {
        "minutes": round((time.monotonic() - begun) / 60, 1),
        "machine": recording.this_machine(),
        "config_hash": config_hash,
        "versions": versions("torch", "transformers", "ctranslate2", "onnxruntime", "sentencepiece"),
    }
    recording.record("interop", result, options.results)


def told(where: str, what: str, found: dict[str, Any]) -> dict[str, Any]:
    """What was found, printed too."""
    print(f"{where}, {what}: " + ", ".join(f"{key} {value:.3g}" for key, value in found.items()), flush=True)
    return found


def versions(*packages: str) -> dict[str, str]:
    """Of the packages that took part."""
    from importlib.metadata import version

    return {package: version(package) for package in packages}


def beside_transformers(folder: Path, texts: Sequence[str], *, longest: int) -> dict[str, Any]:
    """A MarianMT checkpoint in transformers and imported, with translations of at most so many tokens."""
    try:
        from transformers import MarianMTModel, MarianTokenizer
    except ImportError:
        raise MissingExtraError("transformers", "interop", "the comparison") from None
    theirs = MarianMTModel.from_pretrained(folder, dtype=torch.float32).eval()
    subwords = MarianTokenizer.from_pretrained(folder)
    ours = read_marian(folder, source=["en"], target=["de"])
    special = ours.model.vocabulary
    rows = [ours.tokenizer.encode_source(text) for text in texts]
    same_cut = sum(row == ids for row, ids in zip(rows, subwords(list(texts))["input_ids"], strict=True))

    def generated(beams: int) -> list[list[int]]:
        found = []
        for first in range(0, len(texts), BATCH):
            batch = subwords(list(texts[first : first + BATCH]), return_tensors="pt", padding=True)
            limits = {
                "max_length": longest,
                "forced_eos_token_id": None,
                "num_beams": beams,
                "renormalize_logits": True,
            }
            found += theirs.generate(**batch, **limits, do_sample=False, length_penalty=1.0).tolist()
        return [row[1 : row.index(special.end, 1)] if special.end in row[1:] else row[1:] for row in found]

    differ = {"logits": 0.0, "usual_logits": 0.0}

    def likelihood(targets: Sequence[Sequence[int]]) -> list[float]:
        """Of each target by transformers' network [nats a token], while watching how much our logits differ."""
        means = []
        for first in range(0, len(rows), BATCH):
            some = targets[first : first + BATCH]
            source = pad_rows(rows[first : first + BATCH], special.pad)  # [B,S]
            read = pad_rows([[special.start, *target] for target in some], special.pad)  # [B,T]
            logits = theirs(source, source != special.pad, decoder_input_ids=read).logits  # [B,T,V]
            usual = ours.model(source, read)
            with patch("onmal.products.mkl_holds_back", return_value=False):
                alike = ours.model(source, read)
            for name, mine in (("logits", alike), ("usual_logits", usual)):
                differ[name] = float(
                    np.maximum(differ[name], (mine - logits).abs().max())
                )  # no number stays none
            logits[..., special.pad] = -torch.inf
            for target, each in zip(some, logits.log_softmax(-1), strict=True):
                said = torch.tensor([[*target, special.end]]).T  # [T,1]
                means.append(float(each[: len(said)].gather(1, said).mean()))
        return means

    def searched(beams: int, patience: float = 2.0) -> list[tuple[int, ...]]:
        limits = {"max_length_ratio": 1e-3, "max_length_extra": longest - 1}
        search = SearchConfig(beam_size=beams, patience=patience, **limits)
        return [best.tokens for best, *_ in TorchEngine(ours.model).translate(rows, search)]

    with torch.inference_mode():
        greedy = generated(1)
        same = sum(list(found) == expected for found, expected in zip(searched(1), greedy, strict=True))
        best = generated(BEAMS)
        ended = [
            len(tokens) < longest - 1 for tokens in best
        ]  # others were cut off: no translation to compare
        expected = likelihood(best)
        worse = {}
        for name, patience in PATIENCES.items():
            pairs = zip(likelihood(searched(BEAMS, patience)), expected, ended, strict=True)
            worse[name] = sum(mine < other - CLOSE for mine, other, whole in pairs if whole)
    compared = sum(ended)
    as_good = {name: compared - number for name, number in worse.items()}
    return {**differ, "cut": same_cut, "greedy": same, **as_good, "beam_compared": compared}


def beside_ctranslate2(saved: SavedModel, rows: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Tokens and scores of both engines; at beam 5 of the sentences that neither cuts off at its limit."""
    found: dict[str, Any] = {}
    for name, beams in (("greedy", 1), ("beam", BEAMS)):
        search = SearchConfig(beam_size=beams)
        ours = TorchEngine(saved.model).translate(rows, search)
        theirs = CTranslate2Engine(saved).translate(rows, search)
        pairs = [(one[0], other[0]) for one, other in zip(ours, theirs, strict=True)]
        compared = [pair for pair in pairs if beams == 1 or all(best.ended for best in pair)]
        found[name] = sum(one.tokens == other.tokens for one, other in compared)
        found[f"{name}_compared"] = len(compared)
        found[f"{name}_score"] = max((score_difference(*pair) for pair in compared), default=0.0)
    return {**found, "sentences": len(rows)}


def score_difference(one: Hypothesis, other: Hypothesis) -> float:
    return abs(one.score - other.score) if one.tokens == other.tokens else 0.0


def random_network(kind: dict[str, Any]) -> SavedModel:
    """A network that has learned nothing but that padding and start are no words, and a tokenizer of invented words."""
    chance = random.Random(0)
    words = ["".join(chance.choices("abcdefghij", k=4)) for _ in range(200)]
    lines = [" ".join(chance.choices(words, k=6)) for _ in range(200)]
    data = DataConfig(source_language="en", target_language="de", vocabulary_size=360)
    tokenizer = learn_tokenizer([Pair(line, line) for line in lines], data)
    sizes = {"d_model": 32, "num_heads": 4, "feed_forward": 64, "encoder_layers": 3, "decoder_layers": 3}
    config = ModelConfig(**{**sizes, "output_bias": True, **kind})
    torch.manual_seed(0)
    network = build(config, tokenizer.vocabulary).eval()
    special = tokenizer.vocabulary
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
        bias = network.output.bias
        assert bias is not None
        bias[[special.pad, special.start]] = -50.0
        bias[special.end] += 6
    return SavedModel(network, tokenizer, config, (("en", "de"),))


def random_rows(saved: SavedModel, count: int) -> list[list[int]]:
    """Sources of random pieces."""
    chance, special = random.Random(1), saved.model.vocabulary
    words = [n for n in range(special.source_size) if n not in (special.pad, special.start, special.end)]
    return [[*chance.choices(words, k=chance.randint(1, 20)), special.end] for _ in range(count)]


if __name__ == "__main__":
    recording.main(main)
