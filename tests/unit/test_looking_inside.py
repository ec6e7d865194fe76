"""Looking inside: every number of the answer is what the network does, and it is one answer that a page can hold."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_model import random_model, tokenizer
from torch import Tensor, nn

from onmal.config import SearchConfig
from onmal.decoding.ensemble import Ensemble
from onmal.errors import ConfigError, DataError, LanguageError, LengthError, OnmalError
from onmal.inspection import Question, Switches, identity, look_inside
from onmal.inspection.packing import pack_signed, pack_weights, unpack
from onmal.models.contract import DecoderState, Memory, Probe, Seq2Seq
from onmal.models.embedding import OutputProjection
from onmal.saved_model import SavedModel
from onmal.text.tokenizer import Tokenizer
from onmal.translating.torch_engine import TorchEngine
from onmal.translating.translator import Translator, load

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "format-1"
KOREAN, ENGLISH = "기자를 속일 거예요.", "I will trick a reporter."
KINDS: dict[str, dict[str, Any]] = {
    "learned": {},
    "rotary": {"source_positions": "rotary", "target_positions": "rotary"},
    "sinusoidal": {"source_positions": "sinusoidal", "norm_order": "post"},
    "none": {"source_positions": "none", "target_positions": "none"},
}
SHORT = SearchConfig(max_length_ratio=1.0, max_length_extra=4)
every_kind = pytest.mark.parametrize("kind", KINDS)
texts = st.lists(st.text("abcdefghij", min_size=1, max_size=4), min_size=1, max_size=5).map(" ".join)


@pytest.fixture(scope="module")
def golden() -> Translator:
    """A small network that has learned a few sentences by heart."""
    return load(GOLDEN, engine="torch")


@pytest.fixture(scope="module")
def letters() -> Tokenizer:
    return tokenizer(joint=True)


def untrained(letters: Tokenizer, search: SearchConfig = SHORT, **kind: Any) -> Translator:
    """A network that has learned nothing, and is searched like this."""
    saved = random_model(letters, **kind)
    saved = replace(saved, card={"run": {"search": search.model_dump()}})
    return Translator(saved, TorchEngine(saved.model))


@pytest.fixture(scope="module")
def networks(letters: Tokenizer) -> dict[str, Translator]:
    return {name: untrained(letters, **kind) for name, kind in KINDS.items()}


@pytest.fixture(scope="module")
def answer(golden: Translator) -> dict[str, Any]:
    return look_inside(golden, Question(text=KOREAN, include=["topk", "beam", "effect", "heads"]))


# -- what is told -----------------------------------------------------------------------------------------------------


def test_the_translation_is_the_translators(golden: Translator) -> None:
    for known in json.loads(GOLDEN.with_suffix(".json").read_text("utf-8")):
        answer = look_inside(golden, Question(text=known["source"]))
        assert answer["tgt"]["text"] == answer["baseline"]["text"] == known["text"]
        assert answer["tgt"]["score"] == pytest.approx(golden.translate(known["source"]).score, abs=1e-3)
        assert (answer["warnings"], answer["tgt"]["ended"]) == ([], True)


def test_words_are_those_of_the_texts_and_show_no_mark_for_a_space(answer: dict[str, Any]) -> None:
    for side, text in (("src", KOREAN), ("tgt", ENGLISH)):
        told = answer[side]
        assert told["text"] == text
        for units in ("words", "subwords"):
            words = [word for word in told[units] if not word["special"]]
            assert [text[slice(*word["span"])] for word in words] == [word["text"] for word in words]
            assert "".join(word["text"] for word in words) == text.replace(" ", "")
            assert [word["tokens"] for word in told[units]] == [
                list(tokens) for tokens in consecutive(told[units], len(told["ids"]))
            ]
        assert [word["text"] for word in told["words"] if not word["special"]] == text.split()
        assert told["words"][-1]["special"] == "end"
    assert answer["src"]["words"][0]["special"] == "to en"
    assert answer["tgt"]["read"]["words"][0]["special"] == "start"
    assert answer["tgt"]["read"]["ids"][1:] == answer["tgt"]["ids"][:-1]
    shown = [step["text"] for each in answer["steps"] for step in each["top"]]
    shown += [node["text"] for node in answer["beam"]["nodes"]]
    assert not any("▁" in text or "\ufffd" in text for text in shown)


def consecutive(units: list[dict[str, Any]], count: int) -> list[tuple[int, int]]:
    starts = [unit["tokens"][0] for unit in units]
    return list(zip(starts, [*starts[1:], count], strict=True))


def test_the_bytes_of_a_character_are_one_subword(golden: Translator) -> None:
    answer = look_inside(golden, Question(text="기자를 뷁 거예요."))
    assert "<0xEB>" in answer["src"]["pieces"]
    assert "뷁" in [unit["text"] for unit in answer["src"]["subwords"]]
    assert [word["text"] for word in answer["src"]["words"][1:-1]] == ["기자를", "뷁", "거예요."]


def test_what_the_network_does_not_read_is_not_in_its_text(golden: Translator) -> None:
    answer = look_inside(golden, Question(text="  <b>기자를</b> 속일 거예요. "))
    assert answer["src"]["text"] == KOREAN
    assert answer["src"]["words"][1]["span"] == [0, 3]


@every_kind
@settings(max_examples=8)
@given(text=texts)
def test_rows_sum_to_one_and_what_is_hidden_is_exactly_zero(
    networks: dict[str, Translator], kind: str, text: str
) -> None:
    answer = look_inside(networks[kind], Question(text=text, beam=2))
    source, target = len(answer["src"]["ids"]), len(answer["tgt"]["ids"])
    shapes = {"enc": (source, source), "dec": (target, target), "cross": (target, source)}
    tables = answer["attn"]["tensors"]
    assert set(tables) == {f"{part}.{layer}" for part in shapes for layer in (0, 1)}
    for name, packed in tables.items():
        weights = unpack(packed)
        part = name.partition(".")[0]
        assert weights.shape == (2, *shapes[part])
        np.testing.assert_allclose(weights.sum(-1), 1, atol=weights.shape[-1] / 510 + 1e-6)
        if part == "dec":
            assert not np.triu(weights, 1).any()
        mean = unpack(answer["attn"]["summary"][part])[int(name[-1])]
        np.testing.assert_allclose(mean, weights.mean(0), atol=1 / 255)
    json.dumps(answer, allow_nan=False)


def test_a_heads_facts_are_those_of_its_table(answer: dict[str, Any]) -> None:
    for part, heads in answer["heads"].items():
        for head in heads:
            weights = unpack(answer["attn"]["tensors"][f"{part}.{head['l']}"])[head["h"]]
            assert head["max_mean"] == pytest.approx(weights.max(1).mean(), abs=0.01)
            assert head["eos_mass"] == pytest.approx(weights[:, 0 if part == "dec" else -1].mean(), abs=0.01)
            entropy = -(weights * np.log(weights.clip(1e-9))).sum(1).mean()
            assert head["entropy"] == pytest.approx(entropy, abs=0.05)


def test_steps_tell_the_likeliest_next_words(answer: dict[str, Any]) -> None:
    for step, token, logp in zip(answer["steps"], answer["tgt"]["ids"], answer["tgt"]["logp"], strict=True):
        found = [word["p"] for word in step["top"]]
        assert len(found) == 5
        assert found == sorted(found, reverse=True)
        assert step["top"][step["rank"] - 1]["token"] == token
        assert step["top"][step["rank"] - 1]["p"] == pytest.approx(np.exp(logp), abs=1e-3)
    assert sum(answer["tgt"]["logp"]) == pytest.approx(answer["tgt"]["total"], abs=1e-2)


# -- what matters -----------------------------------------------------------------------------------------------------


def test_the_effect_of_a_word_is_what_leaving_it_out_does(golden: Translator, answer: dict[str, Any]) -> None:
    effect = unpack(answer["effect"])
    words = answer["src"]["words"]
    assert effect.shape == (len(answer["tgt"]["words"]), len(words))
    assert answer["passes"]["effect"] == 1 + len(KOREAN.split())
    for number, word in enumerate(words):
        if word["special"]:
            assert not effect[:, number].any()
            continue
        without = look_inside(golden, Question(text=KOREAN, ablate=Switches(words=[number])))["baseline"]
        steps = len(effect) * answer["effect"]["scale"]
        assert effect[:, number].sum() == pytest.approx(
            without["total"] - without["under_switches"], abs=steps
        )


def test_the_delta_of_a_head_is_what_switching_it_off_does(
    golden: Translator, answer: dict[str, Any]
) -> None:
    heads = [(part, head) for part, heads in answer["heads"].items() for head in heads]
    assert answer["passes"]["heads"] == 1 + len(heads)
    for part, head in heads:
        name = f"{part}.{head['l']}.{head['h']}"
        without = look_inside(golden, Question(text=KOREAN, include=[], ablate=Switches(heads=[name])))
        change = without["baseline"]["under_switches"] - without["baseline"]["total"]
        assert head["delta"] == pytest.approx(change, abs=2e-3)


def test_what_is_shown_first_is_the_head_that_agrees_best_with_the_effect(answer: dict[str, Any]) -> None:
    best = max(answer["heads"]["cross"], key=lambda head: head["agreement"])
    assert answer["default"] == {"kind": "cross", "layer": best["l"], "head": best["h"]}
    assert all(0 <= head["agreement"] <= 1 for head in answer["heads"]["cross"])


# -- switches ---------------------------------------------------------------------------------------------------------


def test_nothing_off_changes_nothing(golden: Translator) -> None:
    plain, asked = (
        look_inside(golden, Question(text=KOREAN, ablate=ablate))
        for ablate in (Switches(), Switches(heads=[]))
    )
    assert not plain["baseline"]["changed"]
    assert plain["baseline"]["under_switches"] == plain["baseline"]["total"] == plain["tgt"]["total"]
    assert {**plain, "time_ms": {}} == {**asked, "time_ms": {}}


@every_kind
@settings(max_examples=6)
@given(text=texts, chance=st.randoms(use_true_random=False))
def test_without_positions_the_order_of_the_source_does_not_matter(
    networks: dict[str, Translator], kind: str, text: str, chance: Any
) -> None:
    mixed = text.split()
    chance.shuffle(mixed)
    one, other = (
        look_inside(networks[kind], Question(text=each, beam=2, ablate=Switches(src_pos=True)))
        for each in (text, " ".join(mixed))
    )
    assert sorted(one["src"]["ids"]) == sorted(other["src"]["ids"])
    assert one["tgt"]["ids"] == other["tgt"]["ids"]
    assert one["tgt"]["logp"] == pytest.approx(other["tgt"]["logp"], abs=2e-4)


@pytest.mark.parametrize("kind", ["learned", "rotary", "sinusoidal"])
def test_with_positions_it_does(networks: dict[str, Translator], kind: str) -> None:
    one, other = (look_inside(networks[kind], Question(text=text)) for text in ("abc hij dd", "dd hij abc"))
    assert one["tgt"]["logp"] != pytest.approx(other["tgt"]["logp"], abs=2e-4)


@pytest.mark.parametrize("kind", ["learned", "rotary"])
def test_target_positions_can_be_off(networks: dict[str, Translator], kind: str) -> None:
    answer = look_inside(networks[kind], Question(text="abc hij", ablate=Switches(tgt_pos=True)))
    assert answer["baseline"]["under_switches"] != pytest.approx(answer["baseline"]["total"], abs=1e-4)


def test_a_head_that_is_off_looks_at_nothing_and_the_others_go_on(golden: Translator) -> None:
    switches = Switches(heads=["cross.0.1", "enc.0"])
    answer = look_inside(golden, Question(text=KOREAN, ablate=switches, include=["topk"]))
    cross, encoder, decoder = (
        unpack(answer["attn"]["tensors"][name]) for name in ("cross.0", "enc.0", "dec.0")
    )
    assert not cross[1].any()
    assert not encoder.any()
    assert cross[0].any()
    assert decoder.any(axis=(1, 2)).all()


def test_a_word_that_is_off_is_not_seen(golden: Translator) -> None:
    answer = look_inside(golden, Question(text=KOREAN, ablate=Switches(words=[1])))
    first, last = answer["src"]["words"][1]["tokens"]
    assert answer["src"]["off"] == [1]
    for name in ("cross.0", "enc.0"):
        assert not unpack(answer["attn"]["tensors"][name])[..., first:last].any()
    assert answer["baseline"]["text"] == ENGLISH
    assert answer["baseline"]["changed"]
    assert answer["tgt"]["text"] != ENGLISH


# -- decoding on from another word ------------------------------------------------------------------------------------


@every_kind
@settings(max_examples=8)
@given(text=texts, data=st.data())
def test_a_translation_goes_on_from_any_beginning(
    networks: dict[str, Translator], kind: str, text: str, data: st.DataObject
) -> None:
    usual = look_inside(networks[kind], Question(text=text, beam=3))
    at = data.draw(st.integers(0, len(usual["tgt"]["ids"]) - 1), label="step")
    words = [word["token"] for word in usual["steps"][at]["top"] if word["token"] > 2]
    prefix = [*usual["tgt"]["ids"][:at], data.draw(st.sampled_from(words), label="word")]
    answer = look_inside(networks[kind], Question(text=text, beam=3, prefix=prefix))
    assert answer["tgt"]["ids"][: len(prefix)] == prefix
    assert answer["baseline"]["ids"] == usual["tgt"]["ids"]  # what it was before, to be shown beside
    assert sum(answer["tgt"]["logp"]) == pytest.approx(answer["tgt"]["total"], abs=1e-2)


# -- how much comes at once -------------------------------------------------------------------------------------------


def sized(translator: Translator, words: int, **wanted: Any) -> tuple[dict[str, Any], int]:
    """The answer about so many words of one token, and its size when compressed."""
    answer = look_inside(
        translator, Question(text=" ".join("abcdefghij"[n % 10] for n in range(words)), **wanted)
    )
    text = json.dumps(answer, ensure_ascii=False, allow_nan=False)
    return answer, len(gzip.compress(text.encode()))


@pytest.fixture(scope="module")
def large(letters: Tokenizer) -> Translator:
    """Six layers of eight heads, which look everywhere alike: what can be compressed least."""
    search = SearchConfig(max_length_ratio=1.0, max_length_extra=1, min_length_ratio=1.0)
    return untrained(letters, search, d_model=64, num_heads=8, encoder_layers=6, decoder_layers=6)


def test_the_first_answer_is_small(golden: Translator, large: Translator, answer: dict[str, Any]) -> None:
    assert len(gzip.compress(json.dumps(answer, ensure_ascii=False).encode())) < 15_000
    answer, size = sized(large, 22, beam=16, include=["topk", "beam", "effect", "heads", "attn:enc:2"])
    assert max(len(answer[side]["ids"]) for side in ("src", "tgt")) in (23, 24)
    assert size <= 60_000
    assert "enc.2" in answer["attn"]["tensors"]
    assert f"cross.{answer['default']['layer']}" in answer["attn"]["tensors"]


def test_of_a_longer_sentence_come_the_layers_asked_for(large: Translator) -> None:
    answer, _ = sized(large, 40, include=["attn:cross:1"], beam=1)
    assert list(answer["attn"]["tensors"]) == ["cross.1"]
    assert answer["attn"]["summary"]["enc"]["shape"] == [6, 41, 41]
    assert answer["truncated"]["tokens"] >= 41
    assert len(answer["truncated"]["left_out"]) == 17
    assert (answer["steps"], answer["beam"], answer["effect"]) == (None, None, None)


def test_of_a_long_sentence_come_no_tables(large: Translator) -> None:
    answer, _ = sized(large, 80, include=["attn:cross:1"], beam=1)
    assert answer["attn"] == {"summary": {}, "tensors": {}}
    assert "cross.1" in answer["truncated"]["left_out"]


def test_what_is_too_long_is_refused_with_the_number(large: Translator, golden: Translator) -> None:
    with pytest.raises(
        LengthError, match="at most 128 tokens, and this text has 151; give its first sentence"
    ):
        sized(large, 150)
    with pytest.raises(LengthError, match=r"this text has \d+ tokens where training saw at most"):
        look_inside(golden, Question(text="기자를 속일 거예요 " * 8))


def test_a_translation_that_is_too_long_is_refused(letters: Tokenizer) -> None:
    search = SearchConfig(max_length_ratio=3.0, min_length_ratio=2.0)
    with pytest.raises(LengthError, match="at most 128 tokens, and its translation has"):
        sized(untrained(letters, search), 80, beam=1)


# -- questions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "error", "message"),
    [
        ({"text": " \u200b"}, DataError, "there is no text to look into"),
        ({"text": "가\n나"}, DataError, "several lines"),
        ({"text": "선물\t기자"}, DataError, "2 cells"),
        ({"text": "123"}, DataError, "nothing to translate"),
        ({"text": KOREAN, "to": "fr"}, LanguageError, "choose one of"),
        ({"text": KOREAN, "beam": 17}, ConfigError, "choose 1 to 16"),
        ({"text": KOREAN, "beam": True}, ConfigError, "give a whole number"),
        ({"text": KOREAN, "prefix": [2]}, ConfigError, "prefix cannot have the token 2"),
        ({"text": KOREAN, "prefix": [9999]}, ConfigError, "prefix cannot have the token 9999"),
        ({"text": KOREAN, "prefix": [9] * 500}, ConfigError, "prefix has 500 tokens where"),
        ({"text": KOREAN, "include": ["everything"]}, ConfigError, "include cannot be 'everything'"),
        ({"text": KOREAN, "include": ["attn:cross:7"]}, ConfigError, "no layer cross.7; layers are 0 to 0"),
        ({"text": KOREAN, "include": ["attn:middle:0"]}, ConfigError, "choose one of: enc, dec, cross"),
        ({"text": KOREAN, "ablate": {"heads": ["cross.0.2"]}}, ConfigError, "heads are 0 to 1"),
        ({"text": KOREAN, "ablate": {"heads": ["cross"]}}, ConfigError, 'name it like "cross.2.1"'),
        ({"text": KOREAN, "ablate": {"heads": ["enc.-1.0"]}}, ConfigError, 'name it like "cross.2.1"'),
        ({"text": KOREAN, "ablate": {"words": [0]}}, ConfigError, "no word 0 to switch off"),
        ({"text": KOREAN, "ablate": {"words": [99]}}, ConfigError, "no word 99 to switch off"),
        (
            {"text": KOREAN, "ablate": {"mask": True}},
            ConfigError,
            "unknown setting 'switches.mask'; known: src_pos",
        ),
        ({"txt": KOREAN}, ConfigError, "'question.text'"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    golden: Translator, question: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        look_inside(golden, Question(**question))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(max_examples=60)
@given(
    text=st.text("가나 뷁ab.<>{}%\t▁\ufdd0\u200b😀1", max_size=12) | st.text(max_size=12),
    letter=st.sampled_from(["가", "a", "뷁", ""]),
    data=st.data(),
)
def test_whatever_is_asked_there_is_an_answer_or_one_line(
    golden: Translator, text: str, letter: str, data: st.DataObject
) -> None:
    def some(*values: Any) -> Any:
        """One of some values, the first more often than not."""
        return data.draw(st.sampled_from([values[0]] * 20 + list(values)))

    try:
        question = Question(
            text=letter + text,
            to=some("", "en", "ko", "fr"),
            beam=some(2, 0, -1, 17),
            prefix=some([], [9], [400, 300], [0], [-1], [10**30]),
            ablate=Switches(
                src_pos=data.draw(st.booleans()),
                heads=some([], ["cross.0"], ["enc.0.1", "dec.0.0"], ["x"], ["cross.0.0.0"], ["cross.٣"]),
                words=some([], [1], [1, 2], [0], [-1], [99]),
            ),
            include=["topk", "beam", "effect", "heads"],
        )
        answer = look_inside(golden, question)
    except OnmalError as error:
        answer = {"error": str(error), "src": {"words": ()}, "tgt": {"words": ()}}
    json.dumps(answer, allow_nan=False)
    assert "\n" not in answer.get("error", "")
    for side in ("src", "tgt"):
        for word in answer[side]["words"]:
            first, last = word["span"] or (0, 0)
            assert 0 <= first <= last <= len(answer[side]["text"])


def test_a_key_is_the_same_for_the_same_question_and_model_alone(letters: Tokenizer) -> None:
    one, same, other = (random_model(letters, seed=seed) for seed in (1, 1, 2))
    assert identity(one) == identity(same) != identity(other)
    questions = [
        Question(text="a"),
        Question(text="b"),
        Question(text="a", beam=2),
        Question(text="a", prefix=[9]),
        Question(text="a", ablate=Switches(src_pos=True)),
        Question(text="a", include=["topk"]),
    ]
    keys = {question.key(model) for question in questions for model in (identity(one), identity(other))}
    assert len(keys) == 2 * len(questions)
    assert Question(text="a", beam=0).key("m") == Question(text="a", ablate=Switches()).key("m")


# -- other networks ---------------------------------------------------------------------------------------------------


class Echo(Seq2Seq):
    """A network without any attention or positions: it says the mean of the words it has read, over and over."""

    def __init__(self, saved: SavedModel) -> None:
        super().__init__()
        self.vocabulary = saved.model.vocabulary
        self.longest_source = self.longest_target = 32
        self.words = nn.Embedding(self.vocabulary.source_size, 8)
        self.output = OutputProjection(self.words.weight, bias=True)

    def encode(self, source: Tensor, *, probe: Probe | None = None) -> Memory:
        mask = source != self.vocabulary.pad
        mean = (self.words(source) * mask[:, :, None]).sum(1, keepdim=True) / mask.sum(1)[:, None, None]
        return Memory(mean.expand(-1, source.shape[1], -1), mask)

    def hidden(self, source: Tensor, target: Tensor, *, probe: Probe | None = None) -> Tensor:
        return self.encode(source).states[:, :1] + self.words(target)

    def start(self, memory: Memory, *, beams: int = 1) -> DecoderState:
        return DecoderState(beams, 0, memory.mask, {"mean": memory.states[:, 0]}, {})

    def step(
        self, token: Tensor, state: DecoderState, *, probe: Probe | None = None
    ) -> tuple[Tensor, DecoderState]:
        return state.sources["mean"].repeat_interleave(state.beams, 0) + self.words(token), state


def test_a_network_without_attention_leaves_it_out(letters: Tokenizer) -> None:
    saved = random_model(letters)
    echo = Echo(saved).eval()
    translator = Translator(replace(saved, model=echo), TorchEngine(echo))
    answer = look_inside(translator, Question(text="abc hij", ablate=Switches(words=[1])))
    assert answer["model"]["parts"] == answer["heads"] == {}
    assert answer["attn"] == {"summary": {}, "tensors": {}}
    assert answer["default"] == {"kind": None, "layer": None, "head": None}
    assert unpack(answer["effect"]).shape == (len(answer["tgt"]["words"]), len(answer["src"]["words"]))
    with pytest.raises(ConfigError, match="this network has no such attention"):
        look_inside(translator, Question(text="abc hij", ablate=Switches(heads=["cross.0"])))


def test_networks_that_translate_together_are_looked_into_as_one(letters: Tokenizer) -> None:
    members = [random_model(letters, seed=seed, encoder_layers=seed) for seed in (2, 1)]
    together = Ensemble([member.model for member in members]).eval()
    translator = Translator(replace(members[0], model=together), TorchEngine(together))
    question = Question(text="abc hij", beam=2, include=["effect", "heads"])
    answer = look_inside(translator, question)
    assert answer["tgt"]["total"] == pytest.approx(sum(answer["tgt"]["logp"]), abs=1e-2)
    off = look_inside(translator, Question(text="abc hij", beam=2, ablate=Switches(heads=["cross.1"])))
    assert off["baseline"]["under_switches"] != pytest.approx(off["baseline"]["total"], abs=1e-3)
    assert {head["l"] for head in answer["heads"]["enc"]} == {0, 1}


# -- packing ----------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20))
def test_packed_weights_are_true_to_half_a_step_and_zero_to_the_bit(values: list[float]) -> None:
    found = unpack(pack_weights(values))
    np.testing.assert_allclose(found, values, atol=0.5 / 255 + 1e-6)
    assert all(value == 0 for value, given in zip(found, values, strict=True) if given == 0)


@given(st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=20))
def test_packed_values_keep_their_sign_and_are_true_to_half_a_step(values: list[float]) -> None:
    packed = pack_signed(values)
    np.testing.assert_allclose(unpack(packed), values, atol=packed["scale"] * 0.501)
