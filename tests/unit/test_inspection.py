"""Looking inside: the numbers are the network's own, the words are people's, and no picture lies."""

from __future__ import annotations

import json
import math
import struct
import sys
import unicodedata
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib import font_manager, get_data_path, rcParams
from torch.nn import functional as F

from onmal.config import ModelConfig, SearchConfig
from onmal.data.batching import pad_rows
from onmal.errors import ConfigError, DataError, LanguageError, LengthError, MissingExtraError
from onmal.inspection import (
    NOTE,
    AttentionMap,
    Inspection,
    best_picture_suffix,
    draw,
    draw_all_heads,
    inspect,
    terminal,
)
from onmal.models import Place, Transformer, build
from onmal.saved_model import SavedModel
from onmal.text.tokenizer import SubwordModel, Tokenizer, count_words
from onmal.translating.translator import Translator

LAYERS = {"encoder": 2, "decoder": 3, "cross": 3}
HEADS = 4
KOREAN, ENGLISH = "저는 오늘 커피를 마셔요.", "I drink coffee today."
SVG = "{http://www.w3.org/2000/svg}"


def corpus() -> list[tuple[str, str]]:
    who = [("저는", "I"), ("우리는", "We"), ("아이들은", "The children"), ("선생님들은", "The teachers")]
    when = [("오늘", "today"), ("내일", "tomorrow"), ("아침에", "in the morning")]
    do = [("커피를 마셔요", "drink coffee"), ("책을 읽어요", "read a book"), ("영화를 봐요", "watch a movie")]
    do += [("친구를 만나요", "meet a friend"), ("물을 마셔요", "drink water"), ("빵을 사요", "buy bread")]
    pairs = [(f"{w} {t} {d}.", f"{we} {de} {te}.") for w, we in who for t, te in when for d, de in do]
    assert (KOREAN, ENGLISH) in pairs
    return pairs


def new_translator(
    directions: tuple[tuple[str, str], ...] = (("ko", "en"), ("en", "ko")), tag: str = ""
) -> Translator:
    """An untrained network of three layers, its tokenizer learned from 144 lines."""
    tags = (*(("<2ko>", "<2en>") if len(directions) > 1 else ()), *([f"<{tag}>"] if tag else []))
    lines = [line for pair in corpus() for line in pair]
    subwords = SubwordModel.learn(count_words(lines), kind="unigram", size=420, control_symbols=tags)
    tokenizer = Tokenizer(subwords, subwords, tags)
    config = ModelConfig(
        d_model=32, num_heads=HEADS, feed_forward=64, dropout=0.0,
        encoder_layers=LAYERS["encoder"], decoder_layers=LAYERS["decoder"],
        max_source_length=48, max_target_length=48,
    )  # fmt: skip
    torch.manual_seed(0)
    model = build(config, tokenizer.vocabulary).eval()
    return Translator(SavedModel(model, tokenizer, config, directions), tag=tag)


def test_the_tag_of_a_text_is_no_word() -> None:
    inspection = inspect(new_translator(tag="back"), KOREAN, to="en")
    for words in (True, False):
        attention = inspection.attention("cross", words=words)
        assert list(attention.columns[:2]) == ["(to en)", "(back)"]
        assert attention.special_columns[:2] == (0, 1)


@pytest.fixture(scope="module")
def translator() -> Translator:
    """A network that has learned four sentences by heart, so that its translations are words and end."""
    translator = new_translator()
    tokenizer, model = translator.saved.tokenizer, translator.saved.model
    pairs = [(KOREAN, ENGLISH), *corpus()[20:22]]
    sources = [tokenizer.encode_source(ko, "en") for ko, _ in pairs]
    sources += [tokenizer.encode_source(en, "ko") for _, en in pairs]
    targets = [tokenizer.encode_target(text) for side in (1, 0) for text in (pair[side] for pair in pairs)]
    source, target = pad_rows(sources, 0), pad_rows(targets, 0)
    read = pad_rows([[1, *row[:-1]] for row in targets], 0)
    adam = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(40):
        loss = F.cross_entropy(model(source, read).flatten(0, 1), target.flatten(), ignore_index=0)
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert loss.item() < 0.1
    return translator


@pytest.fixture(scope="module")
def inspection(translator: Translator) -> Inspection:
    return inspect(translator, KOREAN, to="en")


@pytest.fixture
def bundled_fonts_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose only fonts are those that come with matplotlib, none of them with Hangul."""
    bundled = [f for f in font_manager.fontManager.ttflist if str(f.fname).startswith(get_data_path())]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", bundled)
    monkeypatch.setattr(font_manager, "findSystemFonts", list)


def every_map(inspection: Inspection) -> list[AttentionMap]:
    return [
        inspection.attention(part, layer, head, words=words)
        for part, layers in LAYERS.items()
        for layer in (None, *range(layers))
        for head in (None, *range(HEADS))
        for words in (True, False)
    ]


def columns_of(text: str) -> int:
    """What a terminal makes of a text without combining marks."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def svg_words(path: Path) -> list[str]:
    return [element.text or "" for element in ElementTree.parse(path).iter(f"{SVG}text")]


# -- the numbers ------------------------------------------------------------------------------------------------------


def test_weights_are_those_of_a_forward_pass_computed_by_hand(
    translator: Translator, inspection: Inspection
) -> None:
    model, tokenizer = translator.saved.model, translator.saved.tokenizer
    assert isinstance(model, Transformer)
    seen: dict[str, torch.Tensor] = {}
    hooks = [
        module.register_forward_hook(lambda _m, _in, out, name=name: seen.update({name: out[0]}))
        for name, module in model.named_modules()
        if name.endswith((".query", ".key"))
    ]
    source = torch.tensor([tokenizer.encode_source(KOREAN, "en")])
    target = torch.tensor([[1, *tokenizer.encode_target(inspection.translation)[:-1]]])
    with torch.no_grad():
        model(source, target)  # without a probe: the fused kernel
    for hook in hooks:
        hook.remove()

    assert len(inspection.weights) == LAYERS["encoder"] + 2 * LAYERS["decoder"]
    for place, weights in inspection.weights.items():
        side, kind = place.part.split(".")
        name = f"{side}.layers.{place.layer}.{kind}_attention"
        query, key = (seen[f"{name}.{what}"].unflatten(-1, (HEADS, -1)) for what in ("query", "key"))
        for head in range(HEADS):
            scores = query[:, head] @ key[:, head].T / math.sqrt(32 / HEADS)
            if place.part == "decoder.self":
                scores = scores.masked_fill(torch.ones_like(scores).triu(1).bool(), -torch.inf)
            np.testing.assert_allclose(weights[head], scores.softmax(-1).numpy(), atol=1e-5)


def test_weights_have_a_row_per_token_made_and_a_column_per_token_read(inspection: Inspection) -> None:
    s, t = len(inspection.source.pieces), len(inspection.target.pieces)
    assert len(inspection.read.pieces) == t
    assert inspection.read.pieces[1:] == inspection.target.pieces[:-1]
    shapes = {"encoder.self": (HEADS, s, s), "decoder.self": (HEADS, t, t), "decoder.cross": (HEADS, t, s)}
    for place, weights in inspection.weights.items():
        assert weights.shape == shapes[place.part]


def test_every_map_has_rows_that_sum_to_one(inspection: Inspection) -> None:
    maps = every_map(inspection)
    assert len(maps) == 2 * 5 * (3 + 4 + 4)
    for attention in maps:
        assert attention.weights.shape == (len(attention.rows), len(attention.columns))
        np.testing.assert_allclose(attention.weights.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("part", LAYERS)
def test_joining_sums_over_keys_and_averages_over_queries(inspection: Inspection, part: str) -> None:
    fine, joined = (
        inspection.attention(part, 1, 2, words=False),
        inspection.attention(part, 1, 2),
    )
    rows = {"cross": inspection.target, "encoder": inspection.source, "decoder": inspection.target}[part]
    columns = {"cross": inspection.source, "encoder": inspection.source, "decoder": inspection.read}[part]
    raw = inspection.weights[Place({"cross": "decoder.cross"}.get(part, f"{part}.self"), 1)][2]
    for attention, row_units, column_units in (
        (fine, rows.subwords, columns.subwords),
        (joined, rows.words, columns.words),
    ):
        for t, row in enumerate(row_units):
            for s, column in enumerate(column_units):
                cell = raw[row.first : row.last, column.first : column.last].sum(1).mean()
                assert attention.weights[t, s] == pytest.approx(cell, abs=1e-6)
    assert len(joined.rows) < len(fine.rows)


def test_means_are_over_all_layers_and_heads(inspection: Inspection) -> None:
    single = [
        [inspection.attention("cross", n, m).weights for m in range(HEADS)] for n in range(LAYERS["cross"])
    ]
    mean = np.array(single).mean((0, 1))
    np.testing.assert_allclose(inspection.attention("cross").weights, mean, atol=1e-6)
    np.testing.assert_allclose(
        inspection.attention("cross", 1).weights, np.array(single[1]).mean(0), atol=1e-6
    )


def test_a_word_being_made_sees_no_later_word(inspection: Inspection) -> None:
    attention = inspection.attention("decoder")
    assert attention.columns[0] == "(start)"
    assert (np.triu(attention.weights, 2) == 0).all()


def test_the_translation_is_the_translators(translator: Translator) -> None:
    search = SearchConfig(beam_size=2)
    for text, to in ((KOREAN, "en"), (ENGLISH, "")):
        assert inspect(translator, text, to=to, search=search).translation == (
            translator.translate(text, to=to, search=search).text
        )


# -- the words --------------------------------------------------------------------------------------------------------


def test_words_are_those_of_the_text_and_signs_are_marked(inspection: Inspection) -> None:
    source = ("(to en)", *KOREAN.split(), "(end)")
    target = (*inspection.translation.split(), "(end)")
    cross, decoder = inspection.attention("cross"), inspection.attention("decoder")
    assert (cross.rows, cross.columns) == (target, source)
    assert (cross.special_rows, cross.special_columns) == ((len(target) - 1,), (0, len(source) - 1))
    assert decoder.columns == ("(start)", *inspection.translation.split())
    assert decoder.special_columns == (0,)


def test_pieces_show_neither_the_sign_for_a_space_nor_broken_bytes(translator: Translator) -> None:
    inspection = inspect(translator, "저는 갂뷁 마셔요.", to="en")
    assert "<0xEA>" in inspection.source.pieces
    attention = inspection.attention("encoder", words=False)
    shown = "".join(attention.columns)
    assert shown == "(to en)저는갂뷁마셔요.(end)"
    assert {"갂", "뷁"} < set(attention.columns)
    assert attention.row_name == "source piece"
    assert inspection.attention("encoder").columns[2] == "갂뷁"


def test_a_language_without_spaces_is_shown_in_pieces() -> None:
    inspection = inspect(new_translator((("ja", "en"),)), "커피를커피를")
    assert inspection.source.words == inspection.source.subwords
    assert len(inspection.source.words) > 2


def test_a_translation_that_was_cut_off_has_no_end() -> None:
    inspection = inspect(new_translator((("ko", "en"),)), "커피", search=SearchConfig(max_length_extra=1))
    assert any("unfinished" in warning for warning in inspection.warnings)
    assert "(end)" not in inspection.attention("cross").rows
    assert inspection.attention("cross").columns == ("커피", "(end)")


def test_titles_name_part_layer_head_and_mean_and_count_from_one(inspection: Inspection) -> None:
    assert inspection.attention("cross", 1).title == "cross-attention, layer 2, mean of 4 heads"
    assert inspection.attention("encoder", 0, 3).title == "encoder self-attention, layer 1, head 4"
    assert (
        inspection.attention("decoder").title == "decoder self-attention, mean of 3 layers, mean of 4 heads"
    )
    assert inspection.size("encoder") == (2, 4)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (
            {"layer": 3},
            "there is no layer 4 in cross-attention; layers are 1 to 3 (in Python 0 to 2)",
        ),
        ({"head": -1}, "there is no head 0 in cross-attention; heads are 1 to 4 (in Python 0 to 3)"),
        ({"part": "middle"}, "there is no attention part 'middle'; choose one of cross, encoder, decoder"),
    ],
)
def test_a_choice_out_of_range_names_the_range(
    inspection: Inspection, choice: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        inspection.attention(**choice)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (" \u200b\n", DataError, "no text"),
        ("커피를 마셔요.\n물을 마셔요.", DataError, "one sentence"),
        ("커피를 마셔요. " * 9, LengthError, "inspect takes one sentence.* at most 48; give one"),
    ],
)
def test_only_one_sentence_is_taken(
    translator: Translator, text: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        inspect(translator, text, to="en")


def test_an_unknown_language_is_refused(translator: Translator) -> None:
    with pytest.raises(LanguageError, match="choose one of"):
        inspect(translator, KOREAN, to="fr")


def test_json_holds_everything(inspection: Inspection) -> None:
    attention = inspection.attention("cross", 2, 0)
    values = json.loads(json.dumps(attention.as_dict()))
    assert values["note"] == NOTE
    assert (values["title"], tuple(values["rows"])) == (attention.title, attention.rows)
    assert (tuple(values["columns"]), values["special_columns"]) == (attention.columns, [0, 5])
    np.testing.assert_allclose(values["weights"], attention.weights, atol=1e-5)
    whole = json.loads(json.dumps(inspection.as_dict()))
    assert whole["translation"] == inspection.translation
    assert whole["parts"]["encoder"] == {"layers": 2, "heads": 4}


# -- in the terminal --------------------------------------------------------------------------------------------------

SMALL = AttentionMap(
    "cross-attention, layer 2, mean of 4 heads",
    "word being made",
    "source word",
    ("I", "drink", "coffee.", "(end)"),
    ("커피를", "마셔요.", "(end)"),
    np.array([[0.2, 0.5, 0.3], [0.25, 0.74, 0.01], [0.71, 0.25, 0.04], [0, 0, 1]], dtype=np.float32),
    (3,),
    (2,),
)


def test_the_terminal_shows_a_table_and_the_most_looked_at() -> None:
    assert terminal(SMALL).splitlines() == [
        "cross-attention, layer 2, mean of 4 heads",
        "word being made ↓  source word →",
        "",
        "         커피를  마셔요.   (end)",
        "I        ░░  20   ▓▓  50  ▒▒  30",
        "drink    ░░  25   ██  74  ··   1",
        "coffee.  ▓▓  71   ░░  25  ··   4",
        "(end)                     ██ 100",
        "",
        "I        ← 마셔요. 50 %, (end) 30 %, 커피를 20 %",
        "drink    ← 마셔요. 74 %, 커피를 25 %",
        "coffee.  ← 커피를 71 %, 마셔요. 25 %",
        "(end)    ← (end) 100 %",
        "",
        f"(percent: {NOTE})",
    ]


def test_tables_are_aligned_for_words_of_any_script(translator: Translator) -> None:
    for text, to in ((KOREAN, "en"), (ENGLISH, "ko")):
        attention = inspect(translator, text, to=to).attention("cross")
        lines = terminal(attention).splitlines()
        table = lines[3 : lines.index("", 3)]
        assert len(table) == 1 + len(attention.rows)
        assert len({columns_of(line) for line in table}) == 1
        arrows = {columns_of(line.split("←")[0]) for line in lines if "←" in line}
        assert len(arrows) == 1


def test_a_long_sentence_has_the_ranked_lines_only_and_fits() -> None:
    words = tuple(f"{'아주' * (n % 5)}{n}번째긴낱말" for n in range(30))
    weights = np.full((30, 30), 1 / 30, dtype=np.float32)
    lines = terminal(AttentionMap("title", "word", "word", words, words, weights)).splitlines()
    assert sum("←" in line for line in lines) == 30
    assert len(lines) == 3 + 30 + 2
    assert max(map(columns_of, lines)) <= 80


# -- pictures ---------------------------------------------------------------------------------------------------------


def test_an_svg_holds_the_words_as_text_and_the_honest_label(inspection: Inspection, tmp_path: Path) -> None:
    path = tmp_path / "attention.svg"
    draw([inspection.attention("cross", 1), inspection.attention("encoder")], path)
    words = svg_words(path)
    for word in ("커피를", "마셔요.", "(end)", "cross-attention, layer 2, mean of 4 heads"):
        assert word in words
    assert any(NOTE in word for word in words)


def test_the_same_map_gives_the_same_file(inspection: Inspection, tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        draw([inspection.attention()], tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_numbers_are_in_the_cells_and_a_dollar_begins_no_formula(tmp_path: Path) -> None:
    weights = np.array([[0.375, 0.625, 0]], dtype=np.float32)
    draw([AttentionMap("t", "r", "c", ("$1_000$",), ("a$b", "<&>", "c"), weights)], tmp_path / "a.svg")
    words = svg_words(tmp_path / "a.svg")
    assert {"$1_000$", "a$b", "<&>", "38", "62"} <= set(words)
    assert "0" not in words


def test_all_heads_are_in_one_picture(inspection: Inspection, tmp_path: Path) -> None:
    path = tmp_path / "heads.svg"
    draw_all_heads(inspection, "encoder", path)
    words = svg_words(path)
    assert {"encoder self-attention, every layer and head", "layer 1", "layer 2", "head 1", "head 4"} <= set(
        words
    )
    assert {"layer 3", "head 5"}.isdisjoint(words)
    assert words.count("커피를") == LAYERS["encoder"] + HEADS
    assert any(NOTE in word for word in words)


def test_a_png_is_drawn_with_fonts_that_have_its_characters(inspection: Inspection, tmp_path: Path) -> None:
    if best_picture_suffix(KOREAN) != ".png":
        pytest.skip("no font with Hangul on this machine")
    path = tmp_path / "attention.PNG"
    draw([inspection.attention()], path)  # a missing glyph would be a warning, and warnings are errors here
    written = path.read_bytes()
    assert written.startswith(b"\x89PNG\r\n")
    width, height = struct.unpack(">II", written[16:24])
    assert width > 600
    assert height > 300


@pytest.mark.usefixtures("bundled_fonts_only")
def test_without_a_hangul_font_a_png_is_refused_and_an_svg_is_right(
    inspection: Inspection, tmp_path: Path
) -> None:
    assert best_picture_suffix(KOREAN) == ".svg"
    assert best_picture_suffix(ENGLISH) == ".png"
    with pytest.raises(ConfigError, match=r"a\.png: no installed font has .*\.svg.*Nanum Gothic"):
        draw([inspection.attention()], tmp_path / "a.png")
    with pytest.raises(ConfigError, match="no installed font has"):
        draw_all_heads(inspection, "cross", tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []
    draw([inspection.attention()], tmp_path / "a.svg")
    assert "커피를" in svg_words(tmp_path / "a.svg")


@pytest.mark.usefixtures("bundled_fonts_only")
def test_fonts_are_chosen_by_what_they_hold(tmp_path: Path) -> None:
    def held(family: str) -> set[int]:
        return set(font_manager.get_font(font_manager.findfont(family)).get_charmap())

    rare = chr(
        min(held("STIXGeneral") - held("DejaVu Sans") - held("DejaVu Serif") - held("DejaVu Sans Mono"))
    )
    assert best_picture_suffix(rare) == ".png"
    weights = np.ones((1, 1), dtype=np.float32)
    draw([AttentionMap("t", "r", "c", (f"a{rare}",), ("b",), weights)], tmp_path / "rare.png")
    assert (tmp_path / "rare.png").exists()


@pytest.mark.parametrize("name", ["attention.jpg", "attention"])
def test_another_suffix_is_refused(inspection: Inspection, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"end its name in \.png or \.svg"):
        draw([inspection.attention()], tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(inspection: Inspection, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.a\.svg: cannot be written"):
        draw([inspection.attention()], tmp_path / "nowhere" / "a.svg")


def test_matplotlib_is_an_extra(
    inspection: Inspection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for attempt in (
        lambda: draw([inspection.attention()], tmp_path / "a.svg"),
        lambda: draw_all_heads(inspection, "cross", tmp_path / "a.svg"),
        lambda: best_picture_suffix(KOREAN),
    ):
        with pytest.raises(MissingExtraError, match=r"onmal\[plots\]"):
            attempt()


def test_drawing_leaves_matplotlib_as_it_was(
    inspection: Inspection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    before = rcParams["svg.fonttype"], rcParams["svg.hashsalt"]
    draw([inspection.attention()], tmp_path / "a.svg")
    assert "matplotlib.pyplot" not in sys.modules
    assert (rcParams["svg.fonttype"], rcParams["svg.hashsalt"]) == before


def test_an_endless_word_makes_no_endless_picture(tmp_path: Path) -> None:
    weights = np.ones((1, 1), dtype=np.float32)
    attention = AttentionMap("t", "r", "c", ("ha" * 1000,), ("b" * 1000,), weights)
    assert max(map(columns_of, terminal(attention).splitlines())) <= 80
    draw([attention], tmp_path / "a.svg")
    words = svg_words(tmp_path / "a.svg")
    assert "b" * 23 + "…" in words
    assert max(map(len, words)) < 100
