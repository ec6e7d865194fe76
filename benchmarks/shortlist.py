"""What a shortlist gives in speed and takes in quality: the same weights, looking at all words and at those that the source suggests.

Text in, text out, in onmal's torch engine and as it comes, by turns within one run as in translate_speed.py: sentences a second in batch,
milliseconds for one, BLEU, and how many translations are letter by letter those without a shortlist in torch.

    onmal shortlist runs/multi30k-en-de --data multi30k=FOLDER
    python benchmarks/shortlist.py runs/multi30k-en-de --data multi30k=FOLDER

The result goes to benchmarks/results/shortlist.json.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import recording
from translate_speed import FIRST, RIVALS, Contestant, measure_all, test_text

from onmal.evaluation import score
from onmal.saved_model import load_model
from onmal.shortlist.table import listed

CONTESTANTS = {
    FIRST: ("torch", "all"), f"{FIRST}, shortlist": ("torch", "shortlist"),
    "onmal, auto": ("auto", "all"), "onmal, auto, shortlist": ("auto", "shortlist"),
}  # fmt: skip


def main() -> None:
    """Measure by turns, record."""
    begun, parser = time.monotonic(), recording.arguments(__doc__)
    parser.add_argument("--data", action="append", metavar="NAME=FOLDER", help="where the model's corpus is")
    parser.add_argument("--sentences", type=int, default=1000, metavar="N")
    parser.add_argument("--beams", type=int, nargs="+", default=[5, 1], metavar="K")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slice", type=float, default=8.0, metavar="SECONDS")
    parser.add_argument("--single", type=int, default=200, metavar="N", help="sentences one at a time")
    options = parser.parse_args()
    saved = load_model(options.model)
    shortlist = listed(saved.shortlist)
    sources, references, language = test_text(options, saved.card)
    with tempfile.TemporaryDirectory(prefix="shortlist-") as scratch:
        text = Path(scratch, "sources")
        text.write_text("".join(f"{sentence}\n" for sentence in sources), "utf-8")
        running = [
            Contestant(
                name,
                [sys.executable, RIVALS / "engines.py", "onmal", options.model, engine, "float32", words],
                text,
                len(sources),
            )
            for name, (engine, words) in CONTESTANTS.items()
        ]
        found = measure_all(options, running, references, language)
    result = {
        "model": saved.card.get("name", options.model.name),
        "config_hash": saved.card.get("config_sha256", ""),
        "sentences": len(sources),
        "rounds": options.rounds,
        "slice_seconds": options.slice,
        "beams": found,
        "common_words": len(shortlist.common),
        "words_a_source_word": round(len(shortlist.words) / (len(shortlist.starts) - 1), 1),
        "vocabulary": saved.model.vocabulary.target_size,
        "signature": score([""], [""], target_language=language, metrics=("BLEU",))[0].signature,
        "versions": {name: version for each in running for name, version in each.facts.items()},
        "machine": recording.this_machine(),
        "minutes": round((time.monotonic() - begun) / 60, 1),
    }
    recording.record("shortlist", result, options.results)


if __name__ == "__main__":
    recording.main(main)
