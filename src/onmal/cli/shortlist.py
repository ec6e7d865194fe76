"""`onmal shortlist`: learn which words a source suggests, so that a search need not look at all others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from onmal.cli.bench import measure
from onmal.cli.evaluating import Files
from onmal.cli.options import CorpusFolders, From, Model, To, corpus_folders, direction_of, flag, languages_of
from onmal.cli.terminal import note
from onmal.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onmal.data.pair import Pair
    from onmal.saved_model import SavedModel
    from onmal.shortlist.table import Shortlist

__all__ = ["shortlist"]

TRIED = 200  # sentences that are translated with and without it
Remove = Annotated[bool, flag("--remove", "Take the shortlist out of the folder again.")]


def shortlist(
    model: Model,
    data: Files = None,
    folders: CorpusFolders = None,
    source_language: From = "",
    target_language: To = "",
    remove: Remove = False,
) -> None:
    """Search faster: among the words that a source suggests.

    \b
    onmal shortlist runs/ko-en                      learn them from its training text
    onmal shortlist runs/opus-ko-en a.ko a.en       or from other parallel text
    onmal translate runs/ko-en --text "안녕하세요." --search shortlist=false

    What is learned is kept in the folder, and used from then on. A few sentences are translated with and without it, and
    what that changes is told.
    """
    from onmal.saved_model import load_model, save_model

    saved = load_model(model)
    if remove:
        save_model(model, replace(_using(saved, wanted=False), shortlist=None))
        note(f"{model} has no shortlist any more")
        return
    pairs, direction = _pairs(saved, data or [], folders, (source_language, target_language))
    note(f"learning from {len(pairs):,} pairs which words stand for which ...")
    saved = _using(replace(saved, shortlist=_learned(saved, pairs, direction)), wanted=True)
    note(f"translating {min(TRIED, len(pairs))} of them with and without it ...")
    note(
        _difference(
            saved, [pair.source for pair in pairs[:: max(1, len(pairs) // TRIED)]][:TRIED], direction[1]
        )
    )
    save_model(model, saved)
    note(f"saved in {model} and used from now on; without it: --search shortlist=false")


def _using(saved: SavedModel, *, wanted: bool) -> SavedModel:
    """The model, whose card says whether a search uses the shortlist."""
    run = saved.card.get("run", {})
    search = {**run.get("search", {}), "shortlist": wanted}
    return replace(saved, card={**saved.card, "run": {**run, "search": search}})


def _pairs(
    saved: SavedModel, files: Sequence[Path], folders: list[str] | None, asked: tuple[str, str]
) -> tuple[list[Pair], tuple[str, str]]:
    """Those of the files, or of the text that the model was trained on; and their languages."""
    from onmal.config import RunConfig
    from onmal.data.corpus import read_pairs
    from onmal.training.sources import training_pairs

    text = saved.card.get("run", {}).get("data", {})
    if files:
        direction = direction_of(saved.directions, asked, lambda: languages_of(files, *asked))
        source, target = direction
        found = list(read_pairs(files, source_language=source, target_language=target))
    elif text.get("train") or text.get("mix"):
        config = RunConfig.from_dict(saved.card["run"])
        direction = config.data.directions[0]
        found = list(training_pairs(config.data, corpus_folders(folders), config.train.seed).train)
    else:
        raise ConfigError(
            "the card names no training text, or shards of it", "give parallel text: SOURCES TRANSLATIONS"
        )
    if not found:
        raise ConfigError("there is no text to learn from", "give parallel text: SOURCES TRANSLATIONS")
    return found, direction


def _learned(saved: SavedModel, pairs: Sequence[Pair], direction: tuple[str, str]) -> Shortlist:
    """In both directions where the model knows both."""
    from onmal.config import DataConfig
    from onmal.data.prepare import encode_pairs
    from onmal.shortlist.learning import lexical_shortlist

    both = direction[::-1] in saved.directions
    data = DataConfig(source_language=direction[0], target_language=direction[1], both_directions=both)
    return lexical_shortlist(saved.tokenizer, encode_pairs(saved.tokenizer, pairs, data))


def _difference(saved: SavedModel, texts: Sequence[str], to: str) -> str:
    """How many translations are the same without the shortlist, and how much longer they take."""
    from onmal.translating.translator import Translator

    translator = Translator(saved)
    before, now = (
        measure(translator, texts, to, saved.search.replace(shortlist=used)) for used in (False, True)
    )
    same = sum(map(str.__eq__, before[2], now[2]))
    engine = translator.describe(saved.search)
    return f"{same} of {len(texts)} are the same, {now[0] / before[0]:.1f} times as fast ({engine})"
