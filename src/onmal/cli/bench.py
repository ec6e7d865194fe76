"""`onmal bench`: how fast a model translates here, in each engine and precision, and what that costs in quality."""

from __future__ import annotations

import time
from itertools import product
from typing import TYPE_CHECKING, Annotated

from onmal.cli.evaluating import CorpusName, Files, Splits, pairs_to_score
from onmal.cli.options import BeamSize, CorpusFolders, From, Model, To, option, search_config
from onmal.cli.terminal import note, show, table
from onmal.errors import OnmalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onmal.config import SearchConfig
    from onmal.translating.translator import Translator

__all__ = ["bench", "measure"]

WAYS = (
    ("torch", "float32"),
    ("torch", "bfloat16"),
    ("ctranslate2", "float32"),
    ("ctranslate2", "bfloat16"),
    ("ctranslate2", "int8"),
)
ALONE = 50  # sentences translated one by one

Sentences = Annotated[int, option("N", "How many sentences to translate.  [default: 500]")]


def bench(
    model: Model,
    data: Files = None,
    corpus: CorpusName = "",
    splits: Splits = None,
    folders: CorpusFolders = None,
    source_language: From = "",
    target_language: To = "",
    beam_size: BeamSize = None,
    sentences: Sentences = 500,
) -> None:
    """Measure speed and quality in every engine.

    \b
    onmal bench runs/ko-en test.ko test.en
    onmal bench runs/multi30k-en-de --beam-size 1

    Speed is of one pass over the text after a first one, and of sentences one at a time; on a busy machine it means little.
    A model that has a shortlist is measured without it and with it. Quality is against the first line, float32 in torch. Without DATA and --corpus, the text is the recipe's first test set.
    """
    from onmal.evaluation import score
    from onmal.shortlist.table import SHORTLIST
    from onmal.translating.translator import load

    found = table("engine", "sentences/s", "times", "one, ms", "BLEU", "chrF", "same", numbers=6)
    first: tuple[float, list[str]] | None = None
    signatures: dict[str, str] = {}
    shortlists = (False, True) if (model / SHORTLIST).exists() else (False,)
    for (engine, precision), shortlist in product(WAYS, shortlists):
        name = f"{engine} {precision}{', shortlist' * shortlist}"
        try:
            translator = load(model, engine=engine, precision=precision)
            how = search_config(translator.saved.search, beam_size).replace(shortlist=shortlist)
            sets, languages = pairs_to_score(
                translator, data or [], corpus, splits or [], folders, (source_language, target_language)
            )
            pairs = next(iter(sets.values()))[:sentences]
            note(f"{name}: {len(pairs):,} sentences, beam {how.beam_size} ...")
            sources = [pair.source for pair in pairs]
            rate, alone, texts = measure(translator, sources, languages[1], how)
        except OnmalError as error:
            if first is None:
                raise
            note(f"{name}: {error}")
            continue
        first = first or (rate, texts)
        scores = score(
            texts,
            [pair.target for pair in pairs],
            target_language=languages[1],
            metrics=("BLEU", "chrF"),
            bootstrap=0,
        )
        signatures |= {each.name: each.signature for each in scores}
        same = sum(one == other for one, other in zip(texts, first[1], strict=True)) / len(texts)
        cells = (f"{rate:,.0f}", f"{rate / first[0]:.2f}", f"{1000 * alone:.1f}")
        found.add_row(name, *cells, *(f"{each.value:.2f}" for each in scores), f"{same:.1%}")
    show(found, *(f"{name}: {signature}" for name, signature in signatures.items()))


def measure(
    translator: Translator, sources: Sequence[str], to: str, search: SearchConfig
) -> tuple[float, float, list[str]]:
    """Sentences a second in batch, seconds for one alone (the median), and the translations."""
    translator.translate(sources, to=to, search=search)  # conversion, calibration, and a first time
    begun = time.perf_counter()
    texts = [found.text for found in translator.translate(sources, to=to, search=search)]
    rate = len(sources) / (time.perf_counter() - begun)
    seconds = []
    for source in sources[:ALONE]:
        begun = time.perf_counter()
        translator.translate(source, to=to, search=search)
        seconds.append(time.perf_counter() - begun)
    return rate, sorted(seconds)[len(seconds) // 2], texts
