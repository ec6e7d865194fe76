"""A MarianMT checkpoint comes in by one command, and everything works on it that works on a folder of onmal's own."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "serving"))

pytest.importorskip("fastapi", reason="needs the extra serve: pip install onmal[serve]")

from marian_checkpoint import save_marian, sentences
from served import ask, service_of

import onmal
from onmal.cli import app
from onmal.config import SearchConfig
from onmal.saved_model import load_model

for package in ("transformers", "google.protobuf", "onnxruntime", "onnxscript", "ctranslate2"):
    pytest.importorskip(package, reason=f"needs {package}, from the extras interop and fast")

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "onnx_translate.py"
GREEDY = SearchConfig(beam_size=1)
TEXTS = sentences("source", 20)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `onmal import hf` makes of a checkpoint whose start is its padding, as OPUS-MT's is."""
    place = tmp_path_factory.mktemp("marian")
    save_marian(place / "opus-mt-en-de")
    done("import", "hf", place / "opus-mt-en-de", place / "model")
    return place / "model"


def done(*command: object) -> Result:
    """One command that ends well."""
    result = CliRunner().invoke(app, [str(word) for word in command])
    assert result.exit_code == 0, result.output
    return result


def in_torch(folder: Path) -> list[str]:
    """Its translations, without guards, which would search again for what a random network repeats."""
    translator = onmal.load(folder, engine="torch")
    return [said.text for said in unguarded(translator).translate(TEXTS, search=GREEDY)]


def unguarded(translator: onmal.Translator) -> onmal.Translator:
    return onmal.Translator(translator.saved, translator.engine, guards=())


def test_every_engine_says_the_same(imported: Path) -> None:
    assert load_model(imported).model.vocabulary.start == load_model(imported).model.vocabulary.pad
    expected = in_torch(imported)
    for engine in ("ctranslate2", "exact"):
        translator = unguarded(onmal.load(imported, engine=engine))
        assert [said.text for said in translator.translate(TEXTS, search=GREEDY)] == expected
    assert len(set(expected)) > 10


def test_it_is_scored_and_looked_into(imported: Path, tmp_path: Path) -> None:
    for name, side in (("test.en", "source"), ("test.de", "target")):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in sentences(side, 12)), "utf-8")
    scored = done("evaluate", imported, tmp_path / "test.en", tmp_path / "test.de")
    assert "12 sentences, en-de" in scored.stdout
    assert "BLEU: nrefs:1" in scored.stdout
    done("inspect", imported, TEXTS[0], "--page", tmp_path / "page.html", "--beam-size", 1)
    assert TEXTS[0] in (tmp_path / "page.html").read_text("utf-8")


def test_it_is_served_and_the_page_looks_into_it(imported: Path) -> None:
    async def scene(client: httpx.AsyncClient) -> None:
        said = await client.post("/v1/translate", json={"text": TEXTS[0], "target": "de"})
        assert said.json()["text"]
        looked = (await client.post("/v1/inspect", json={"text": TEXTS[0], "to": "de", "include": []})).json()
        assert (
            looked["tgt"]["text"] == unguarded(onmal.load(imported, engine="torch")).translate(TEXTS[0]).text
        )
        assert looked["src"]["pieces"][0].startswith("▁")
        assert (await client.get("/")).status_code == 200

    ask(service_of(imported), scene)


def test_it_goes_on_learning(imported: Path, tmp_path: Path) -> None:
    for name, side in (("new.en", "source"), ("new.de", "target")):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in sentences(side, 60)), "utf-8")
    text = (tmp_path / "new.en", tmp_path / "new.de")
    end = ("--set", "train.minutes=0", "--set", "train.max_updates=2", "--set", "train.processes=1")
    old = ("--old-test", tmp_path / "new.en", "--old-test", tmp_path / "new.de")
    done("finetune", imported, *text, *old, *end, "--set", "search.beam_size=1", "--out", tmp_path / "tuned")
    compared = json.loads((tmp_path / "tuned" / "card.json").read_text("utf-8"))["compared"]
    assert compared.keys() == {"new", "old"}
    assert compared["old"]["scores"]["en-de"]["BLEU"].keys() >= {"before", "after", "p_value"}


def test_it_goes_out_again(imported: Path, tmp_path: Path) -> None:
    import ctranslate2
    from sentencepiece import SentencePieceProcessor
    from transformers import MarianMTModel, MarianTokenizer

    for kind in ("hf", "ctranslate2", "onnx"):
        done("export", kind, imported, tmp_path / kind)
    model, subwords = (each.from_pretrained(tmp_path / "hf") for each in (MarianMTModel, MarianTokenizer))
    rows = [subwords([text], return_tensors="pt") for text in TEXTS]
    made = [model.generate(**row, num_beams=1, max_length=60)[0] for row in rows]
    source, target = (
        SentencePieceProcessor(model_file=str(tmp_path / "ctranslate2" / f"{side}.model"))
        for side in ("source", "target")
    )
    pieces = [[*source.encode(text, out_type=str), "</s>"] for text in TEXTS]
    found = ctranslate2.Translator(str(tmp_path / "ctranslate2")).translate_batch(
        pieces, beam_size=1, max_decoding_length=60
    )
    onnx = runpy.run_path(str(EXAMPLE))["Translator"](tmp_path / "onnx")
    said = {
        "hf": subwords.batch_decode(made, skip_special_tokens=True),
        "ctranslate2": [target.decode(each.hypotheses[0]) for each in found],
        "onnx": [onnx.translate(text) for text in TEXTS],
    }
    for expected, *theirs in zip(in_torch(imported), *said.values(), strict=True):
        for kind, other in zip(said, theirs, strict=True):  # each ends at a limit of its own
            shorter = min(len(expected), len(other.strip()))
            assert other.strip()[:shorter] == expected[:shorter], kind
