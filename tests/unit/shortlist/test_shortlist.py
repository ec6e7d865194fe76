"""A shortlist in a model folder, as a person makes and uses it; and what is told of one that is damaged, or not there."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

import onmal
from onmal.cli import app
from onmal.config import SearchConfig
from onmal.errors import ConfigError, ModelFolderError
from onmal.interop.ctranslate2 import write_ctranslate2
from onmal.interop.ctranslate2_engine import CTranslate2Engine
from onmal.saved_model import load_model, save_model
from onmal.shortlist.learning import learn_shortlist
from onmal.shortlist.table import SHORTLIST, Shortlist
from onmal.translating.translator import choose_engine
from onmal.translating.wishes import Wishes

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from random_model import random_model, sources, tokenizer
from tiny_model import save_tiny_model, sentence_pairs

TEXT = "선생님은 오늘 학교에 간다."


def run(*command: object) -> Any:
    return CliRunner().invoke(app, [str(each) for each in command], prog_name="onmal")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("listed")
    files = [parent / "a.ko", parent / "a.en"]
    for path, side in zip(files, ("source", "target"), strict=True):
        path.write_text("".join(f"{getattr(pair, side)}\n" for pair in sentence_pairs()), "utf-8")
    folder = save_tiny_model(parent / "model", both_directions=True)
    done = run("shortlist", folder, *files)
    assert done.exit_code == 0, done.output
    assert "learning from 200 pairs" in done.stderr
    assert "of 200 are the same" in done.stderr
    return folder


@pytest.fixture
def listed(made: Path, tmp_path: Path) -> Path:
    """A model folder with a shortlist, for one test to change."""
    return Path(shutil.copytree(made, tmp_path / "model"))


def test_it_is_made_used_and_removed(listed: Path) -> None:
    translator = onmal.load(listed, engine="torch")
    shortlist = translator.saved.shortlist
    assert shortlist is not None
    assert translator.saved.search.shortlist
    vocabulary = translator.saved.model.vocabulary
    for text, to in ((TEXT, "en"), ("The teacher goes to school today.", "ko")):
        ids = translator.saved.tokenizer.encode_source(text, to)
        own = shortlist.allowed(torch.tensor([ids]), vocabulary)[0]
        assert 3 < own.sum() < vocabulary.target_size / 2
        right = translator.saved.tokenizer.encode_target(
            {"en": "The teacher goes to school today.", "ko": TEXT}[to]
        )
        assert own[right].all()
        with_it = translator.engine.translate([ids], translator.saved.search)[0][0]
        assert own[list(with_it.tokens)].all()
    plain = translator.saved.search.replace(shortlist=False)
    assert translator.translate(TEXT, to="en") != translator.translate(TEXT, to="en", search=plain)
    assert "words for every source" in run("info", listed).stdout
    assert run("shortlist", listed, "--remove").exit_code == 0
    assert "words for every source" not in run("info", listed).stdout
    assert not (listed / SHORTLIST).exists()
    assert not load_model(listed).search.shortlist


def test_what_is_written_is_what_is_read(listed: Path, tmp_path: Path) -> None:
    saved = load_model(listed)
    save_model(tmp_path / "copy", saved)
    assert (tmp_path / "copy" / SHORTLIST).read_bytes() == (listed / SHORTLIST).read_bytes()
    assert (listed / SHORTLIST).stat().st_mode == (listed / "config.json").stat().st_mode
    save_model(tmp_path / "copy", replace(saved, shortlist=None))  # another model in its place
    assert not (tmp_path / "copy" / SHORTLIST).exists()


def test_ctranslate2_looks_among_the_same_words(tmp_path: Path) -> None:
    plain = random_model(tokenizer(joint=True))
    read, unknown = sources(plain, 60), plain.tokenizer.target.unknown  # which CTranslate2 has always at hand
    found = learn_shortlist(read, read[::-1], plain.model.vocabulary, per_word=3, common=5, always=[unknown])
    saved = replace(plain, shortlist=found)
    write_ctranslate2(saved, tmp_path / "converted")
    lines = (tmp_path / "converted" / "vmap.txt").read_text("utf-8").splitlines()
    assert lines[0] == "\t" + " ".join(saved.tokenizer.target.pieces(found.common.tolist()))
    search, other = SearchConfig(n_best=4, shortlist=True), 0
    for each in read[:30]:  # alone, as those of a batch share their words there
        [[fast, *_]] = CTranslate2Engine(saved).translate([each], search)
        [[slow, *_]] = choose_engine(saved, "torch").translate([each], search)
        assert fast.tokens == slow.tokens
        assert fast.score == pytest.approx(slow.score, abs=1e-3)
        [[whole, *_]] = CTranslate2Engine(saved).translate([each], search.replace(shortlist=False))
        other += whole.tokens != fast.tokens
    assert other > 10


def test_what_is_wished_for_is_looked_for_among_all_words(listed: Path) -> None:
    translator = onmal.load(listed, engine="torch")
    said = translator.translate(TEXT, to="en", wishes=Wishes(prefix="Zebra", must=("qxj",)))
    assert said.text.startswith("Zebra")
    assert "qxj" in said.text
    plain = translator.saved.search.replace(shortlist=False)
    wishes = Wishes(never=("school",))
    assert translator.translate(TEXT, to="en", wishes=wishes) == translator.translate(
        TEXT, to="en", wishes=wishes, search=plain
    )


@pytest.mark.parametrize("engine", ["torch", "exact", "ctranslate2", "auto"])
def test_a_model_without_one_says_how_to_make_it(engine: str, tmp_path: Path) -> None:
    translator = onmal.load(save_tiny_model(tmp_path / "model"), engine=engine)
    with pytest.raises(ConfigError, match=r"has no shortlist; make one: onmal shortlist"):
        translator.translate(TEXT, search=SearchConfig(shortlist=True))


def test_several_models_together_have_none(listed: Path) -> None:
    assert onmal.load(listed, together_with=[listed]).saved.shortlist is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda tensors: tensors.pop("words"),
        lambda tensors: tensors.update(more=torch.zeros(1)),
        lambda tensors: tensors.update(starts=tensors["starts"][:-1]),
        lambda tensors: tensors.update(words=tensors["words"] + 1000),
        lambda tensors: tensors.update(words=tensors["words"] - 1000),
        lambda tensors: tensors.update(words=tensors["words"][:-1]),
        lambda tensors: tensors.update(starts=tensors["starts"].flip(0)),
        lambda tensors: tensors.update(common=tensors["common"][:1]),
        lambda tensors: tensors.update(starts=tensors["starts"][:0]),
    ],
)
def test_one_that_is_damaged_is_told(damage: Any, listed: Path) -> None:
    tensors = load_file(listed / SHORTLIST)
    damage(tensors)
    save_file({name: each.clone() for name, each in tensors.items()}, listed / SHORTLIST)
    with pytest.raises(ModelFolderError, match=r"shortlist\.safetensors.*make it again: onmal shortlist"):
        load_model(listed)


def test_one_that_is_cut_off_is_told(listed: Path) -> None:
    whole = (listed / SHORTLIST).read_bytes()
    (listed / SHORTLIST).write_bytes(whole[: len(whole) // 2])
    told = run("translate", listed, "--text", TEXT)
    assert told.exit_code == 1
    assert "cannot be read, it is damaged" in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ([], "the card names no training text, or shards of it; give parallel text"),
        (["gone.ko", "gone.en"], "gone.ko: there is no such file"),
        (["empty.ko", "empty.en"], "no text to learn from; give parallel text"),
    ],
)
def test_without_text_nothing_is_made(given: list[str], line: str, tmp_path: Path) -> None:
    folder = save_tiny_model(tmp_path / "model")
    for name in ("empty.ko", "empty.en"):
        (tmp_path / name).write_text("")
    told = run("shortlist", folder, *(tmp_path / name for name in given))
    assert told.exit_code in (1, 2)
    assert line in told.stderr
    assert load_model(folder).shortlist is None


def test_the_words_of_a_source_are_those_of_its_words() -> None:
    shortlist = Shortlist(torch.tensor([0, 1, 2]), torch.tensor([7, 5, 6]), torch.tensor([0, 0, 0, 0, 2, 3]))
    assert [shortlist.of(word).tolist() for word in range(5)] == [[], [], [], [7, 5], [6]]
    assert [*shortlist.lines("abcde", "tuvwxyz!")] == ["\tt u v", "d\t! y", "e\tz"]
