"""How many sentences are translated the same whatever they are translated with: other batch mates, another number of threads.

    python benchmarks/sameness.py MODEL FILE [--sentences 3000]

The engine `exact` is not measured: it is the same by construction, and tested. Each other engine translates the first sentences of FILE in their order, and again shuffled, in small portions and with one thread; with the model's shortlist, too, if it has one. The result
goes to benchmarks/results/sameness.json: the share of sentences whose text is the same in all of them.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import recording
import torch

from onmal.config import SearchConfig
from onmal.data.corpus import read_lines
from onmal.interop.ctranslate2_engine import CTranslate2Engine
from onmal.saved_model import SavedModel, load_model
from onmal.translating.engine import Engine
from onmal.translating.torch_engine import TorchEngine
from onmal.translating.translator import Translator

PORTION = 7
ENGINES: dict[str, Callable[[SavedModel], Engine]] = {
    "torch": lambda saved: TorchEngine(saved.model, shortlist=saved.shortlist),
    "ctranslate2": CTranslate2Engine,
    "ctranslate2, int8": lambda saved: CTranslate2Engine(saved, precision="int8"),
}


def main() -> None:
    """Translate again and again, compare, record."""
    parser = recording.arguments(__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="sentences")
    parser.add_argument("--sentences", type=int, default=3000, metavar="N")
    options = parser.parse_args()
    saved = load_model(options.model)
    sentences = [line.rstrip("\n") for line in islice(read_lines(options.file), options.sentences)]
    print(f"{len(sentences):,} sentences", flush=True)
    begun = time.monotonic()
    found = {}
    for shortlist in (False, True)[: 2 if saved.shortlist else 1]:
        search = saved.search.replace(shortlist=shortlist)
        for name, engine in ENGINES.items():
            ways = translated(lambda engine=engine: Translator(saved, engine(saved)), sentences, search)
            same = sum(len(set(each)) == 1 for each in zip(*ways, strict=True))
            name += ", shortlist" * shortlist
            found[name] = {"same": same, "share": round(same / len(sentences), 5)}
            print(f"{name}: {same:,} of {len(sentences):,}", flush=True)
    result = {
        "model": saved.card.get("name", options.model.name),
        "config_hash": saved.card.get("config_sha256", ""),
        "sentences": len(sentences),
        "engines": found,
        "minutes": round((time.monotonic() - begun) / 60, 1),
        "machine": recording.this_machine(),
    }
    recording.record("sameness", result, options.results)


def translated(
    translator: Callable[[], Translator], sentences: Sequence[str], search: SearchConfig
) -> list[list[str]]:
    """The translations in their order, found in four ways."""
    threads = torch.get_num_threads()
    whole = translator()
    ways = [[each.text for each in whole.translate(sentences, search=search)]]
    order = random.Random(1).sample(range(len(sentences)), len(sentences))
    mixed = whole.translate([sentences[n] for n in order], search=search)
    shuffled = {n: each.text for n, each in zip(order, mixed, strict=True)}
    ways.append([shuffled[n] for n in range(len(sentences))])
    portions = (sentences[first : first + PORTION] for first in range(0, len(sentences), PORTION))
    ways.append([each.text for portion in portions for each in whole.translate(portion, search=search)])
    torch.set_num_threads(1)
    ways.append([each.text for each in translator().translate(sentences, search=search)])
    torch.set_num_threads(threads)
    return ways


if __name__ == "__main__":
    recording.main(main)
