"""The classical networks are what their papers say: equal to a plain construction, and able to learn."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from onmal.config import ModelConfig, RunConfig, SearchConfig, Vocabulary
from onmal.decoding.search import beam_search
from onmal.models import Place, Probe, build
from onmal.saved_model import load_model, save_model
from onmal.translating.translator import Translator, choose_engine

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
from random_model import random_model, tokenizer

V, D, G = 20, 8, 6
VOCABULARY = Vocabulary(source_size=V, target_size=V)
NETWORKS: dict[str, dict[str, Any]] = {
    "transformer": {"num_heads": 2, "feed_forward": 64},
    "gru": {"network": "gru"},
    "gru-attention": {"network": "gru-attention"},
    "gru-dot-feeding": {"network": "gru-attention", "attention": "dot", "input_feeding": True},
    "convolution": {"network": "convolution"},
}
every_network = pytest.mark.parametrize("name", NETWORKS)
SUBWORDS = tokenizer(joint=True)
RECIPES = Path(__file__).resolve().parents[2] / "recipes"


def network(**options: Any) -> Any:
    sizes = {"d_model": D, "hidden_size": G, "encoder_layers": 2, "decoder_layers": 1, "dropout": 0.0}
    torch.manual_seed(5)
    model = build(ModelConfig(**{**sizes, **options}), VOCABULARY).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def pairs() -> tuple[Tensor, Tensor]:
    """Three sources, one of them with a hole in it, and three targets."""
    source, target = torch.randint(3, V, (3, 6)), torch.randint(3, V, (3, 5))
    source[1, 4:] = 0
    source[2, 2:4] = 0
    return source, target


def read_by_torch(gru: nn.GRU, words: Tensor) -> Tensor:
    """What torch makes of one sentence [S,D] without padding, in a batch of its own: [S,C]."""
    told: Tensor = gru(words[None])[0][0]
    return told


@torch.no_grad()
def test_the_encoder_says_what_torchs_gru_says_of_each_sentence_alone() -> None:
    model = network(network="gru")
    source, _ = pairs()
    memory = model.encode(source)
    for row, ids in enumerate(source):
        real = ids != 0
        words = model.source.words.weight[ids[real]] * math.sqrt(D)
        assert torch.allclose(
            memory.states[row, real], read_by_torch(model.encoder.recurrence, words), atol=1e-6
        )
        assert not memory.states[row, ~real].any()


@torch.no_grad()
def test_without_attention_the_decoder_knows_the_last_states_alone() -> None:
    """Cho 2014: begun with the summary, which is read beside each word and said beside each state."""
    model = network(network="gru")
    source, target = pairs()
    states = model.hidden(source, target)
    decoder, memory = model.decoder, model.encode(source)
    for row, ids in enumerate(source):
        told = memory.states[row, ids != 0]
        summary = torch.cat((told[-1, :G], told[0, G:]))
        words = model.target.words.weight[target[row]] * math.sqrt(D)
        read = torch.cat((words, summary.expand(5, -1)), 1)
        begin = torch.tanh(decoder.begin(summary))[None, None]
        remembered, _ = decoder.recurrence(read[None], begin)
        expected = torch.tanh(decoder.readout(torch.cat((remembered[0], summary.expand(5, -1)), 1)))
        assert torch.allclose(states[row], expected, atol=1e-6)


@pytest.mark.parametrize("attention", ["additive", "dot"])
@pytest.mark.parametrize("input_feeding", [True, False])
@torch.no_grad()
def test_with_attention_each_word_takes_its_own_mean_of_the_source(
    attention: str, input_feeding: bool
) -> None:
    """Luong 2015 with a GRU cell, word by word; Bahdanau 2015's score where it is additive."""
    model = network(network="gru-attention", attention=attention, input_feeding=input_feeding)
    source, target = pairs()
    states, decoder, memory = model.hidden(source, target), model.decoder, model.encode(source)
    cell = nn.GRUCell(D + D * input_feeding, G)
    cell.load_state_dict({name.removesuffix("_l0"): w for name, w in decoder.recurrence.named_parameters()})
    for row, ids in enumerate(source):
        told = memory.states[row, ids != 0]  # [S,C]
        remembered = torch.tanh(decoder.begin(torch.cat((told[-1, :G], told[0, G:]))))
        made = torch.zeros(D)
        for t, token in enumerate(target[row]):
            word = model.target.words.weight[token] * math.sqrt(D)
            remembered = cell(torch.cat((word, made)) if input_feeding else word, remembered)
            query, keys = decoder.look.query(remembered), decoder.look.key(told)
            if attention == "additive":
                scores = torch.stack([decoder.look.score.weight[0] @ torch.tanh(query + key) for key in keys])
            else:
                scores = keys @ query / math.sqrt(2 * G)
            context = scores.softmax(0) @ told
            made = torch.tanh(decoder.readout(torch.cat((remembered, context))))
            assert torch.allclose(states[row, t], made, atol=1e-6)


@torch.no_grad()
def test_convolutions_are_loops_over_windows() -> None:
    """Gehring 2017, one word and one window at a time."""
    model = network(network="convolution", decoder_layers=2)
    source, target = pairs()
    states = model.hidden(source, target)
    for row, ids in enumerate(source):
        keys, values = encoded(model, ids)
        words = embedded(model.target, target[row])
        x = model.decoder.expand(words)
        for layer, look in zip(model.decoder.layers, model.decoder.looks, strict=True):
            before = torch.cat((torch.zeros(2, G), x))
            made = torch.stack([windowed(layer, before[t : t + 3]) for t in range(5)])
            query = (look.query(made) + words) * math.sqrt(0.5)
            weights = (query @ keys.T / math.sqrt(D)).softmax(1)
            taken = look.output(weights @ values * math.sqrt(len(keys)))
            x = ((taken + made) * math.sqrt(0.5) + x) * math.sqrt(0.5)
        assert torch.allclose(states[row], model.decoder.contract(x), atol=1e-5)


def encoded(model: Any, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Keys and values [S,D] of one source's words; where there is no word, windows see zeros."""
    words = embedded(model.source, ids)
    x = model.encoder.expand(words)
    for layer in model.encoder.layers:
        x = x * (ids != 0)[:, None]
        around = torch.cat((torch.zeros(1, G), x, torch.zeros(1, G)))
        x = (torch.stack([windowed(layer, around[s : s + 3]) for s in range(len(ids))]) + x) * math.sqrt(0.5)
    keys = model.encoder.contract(x)
    return keys[ids != 0], ((keys + words) * math.sqrt(0.5))[ids != 0]


def embedded(embedding: Any, ids: Tensor) -> Tensor:
    added: Tensor = embedding.words.weight[ids] * math.sqrt(D) + embedding.positions.table[: len(ids)]
    return added


def windowed(layer: Any, window: Tensor) -> Tensor:
    half, gate = layer.product(window.flatten()).chunk(2)
    gated: Tensor = half * gate.sigmoid()
    return gated


@torch.no_grad()
def test_a_stack_of_windows_sees_so_far_and_no_further() -> None:
    model = network(network="convolution", encoder_layers=2, kernel_size=5)
    ids = torch.randint(3, V, (1, 15))
    changed = ids.clone()
    changed[0, 7] = 3 + (ids[0, 7] - 2) % (V - 3)
    moved = (model.encode(ids).states - model.encode(changed).states).abs().amax(2)[0] > 0
    assert moved.nonzero().flatten().tolist() == list(range(7 - 4, 7 + 4 + 1))


@pytest.mark.parametrize("name", list(NETWORKS)[1:])
def test_a_few_updates_teach_every_network_to_copy(name: str) -> None:
    torch.manual_seed(0)
    sizes = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "dropout": 0.0}
    model = build(ModelConfig(**{**sizes, **NETWORKS[name]}), VOCABULARY)
    optimizer = torch.optim.Adam(model.parameters(), lr=8e-3)
    for _ in range(200):
        words = torch.randint(3, 9, (16, 4))
        ends, starts = torch.full((16, 1), 2), torch.full((16, 1), 1)
        source, given = torch.cat((words, ends), 1), torch.cat((starts, words), 1)
        loss = F.cross_entropy(model(source, given).flatten(0, 1), source.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3
    [[best]] = beam_search(model.eval(), torch.tensor([[5, 3, 8, 4, 2]]), SearchConfig())
    assert best.tokens == (5, 3, 8, 4)


@every_network
def test_a_saved_network_comes_back_with_its_own_options(name: str, tmp_path: Path) -> None:
    saved = random_model(SUBWORDS, **NETWORKS[name])
    save_model(tmp_path / "model", saved)
    again = load_model(tmp_path / "model")
    assert again.config == saved.config
    source, target = torch.randint(3, 50, (2, 6)), torch.randint(3, 50, (2, 5))
    with torch.no_grad():
        assert torch.equal(again.model(source, target), saved.model(source, target))


@every_network
def test_a_translator_works_with_every_network_and_exact_is_exact(name: str) -> None:
    saved = random_model(SUBWORDS, **NETWORKS[name])
    texts = ["abcd efgh ij", "aaaa", "jihg fedc bacd ebdc", "abcd {x1} efgh"]
    usual = Translator(saved, choose_engine(saved)).translate(texts, alignment=True)
    assert len(usual) == len(texts)
    for translation in usual:
        for row in translation.alignment[0].weights if translation.alignment else ():
            assert sum(row) == pytest.approx(1, abs=1e-4)
    exact = Translator(saved, choose_engine(saved, "exact"))
    together = [each.text for each in exact.translate(texts)]
    assert together == [exact.translate(text).text for text in texts]


@pytest.mark.parametrize("name", ["gru", "gru-attention", "convolution"])
def test_auto_takes_torch_for_a_classical_network_and_says_why(name: str) -> None:
    saved = random_model(SUBWORDS, **NETWORKS[name])
    said = choose_engine(saved).describe(SearchConfig())
    kind = "Convolution" if name == "convolution" else "GRU"
    assert said.startswith("torch, float32")
    assert said.endswith(f"; no faster engine knows networks of the kind {kind}")


def parameters(recipe: str) -> int:
    """Of a recipe's network; weights on the meta device are counted and never drawn."""
    run = RunConfig.from_toml(RECIPES / f"{recipe}.toml")
    size = run.data.vocabulary_size
    with torch.device("meta"):
        model = build(run.model, Vocabulary(source_size=size, target_size=size))
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("network", ["gru", "gru-attention", "convolution"])
def test_recipes_have_as_many_parameters_and_the_same_text_as_the_transformers(
    network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nn.init, "orthogonal_", lambda weights: weights)  # not done on the meta device
    usual, recipe = "multi30k-en-de", f"multi30k-en-de-{network}"
    assert parameters(recipe) == pytest.approx(parameters(usual), rel=0.02)
    runs = [RunConfig.from_toml(RECIPES / f"{name}.toml") for name in (usual, recipe)]
    assert runs[0].data == runs[1].data
    assert runs[1].model.network == network


def test_only_a_network_with_attention_is_asked_about_it() -> None:
    places: set[Place] = set()

    class Seen(Probe):
        def attention(self, place: Place, scores: Any, mask: Any, weights: Tensor, values: Any) -> Tensor:
            places.add(place)
            return weights

    source, target = pairs()
    for name, layers in (("gru", 0), ("gru-attention", 1), ("convolution", 1)):
        places.clear()
        network(**NETWORKS[name]).hidden(source, target, probe=Seen())
        assert places == {Place("decoder.cross", layer) for layer in range(layers)}
