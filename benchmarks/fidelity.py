"""What comes through a translation unharmed: a generated challenge set, with a score for each class of it.

Sentences of the phrasebook's test in both directions, or those of two aligned files, with something in them that must stay:
placeholders, addresses, tags, numbers, names, capitals, white space, the number of sentences, and traps that make a network say the
same again and again. onmal, guards and all, beside the same weights in CTranslate2 with nothing around them, which is what a toolkit
that hands text to its network gives.

    python benchmarks/fidelity.py runs/phrasebook
    python benchmarks/fidelity.py runs/multi30k-en-de --pairs val.en val.de

kept: cases in which all that must stay is there as often as before, letter by letter (a number: or in words). beside: of the cases
whose rest was translated exactly as the reference, those in which it stands next to a word that the gold alignment names. rest: chrF of
what is around it, less chrF of the same sentences without it. The result goes to benchmarks/results/fidelity.json, or, for files, to
fidelity-NAME.json.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import challenge
import recording
from challenge import Case, Sentence

import onmal
from onmal.data.corpus import read_pairs
from onmal.evaluation import score
from onmal.interop.ctranslate2_engine import CTranslate2Engine
from onmal.text.normalize import normalize
from onmal.translating.translator import Translator

Translate = Callable[[Sequence[str], str], list[str]]


def plain(translator: Translator) -> Translate:
    """The network and its search alone; text beyond the lengths of training is cut off, as toolkits do."""
    saved = translator.saved
    engine = CTranslate2Engine(saved)

    def translate(texts: Sequence[str], to: str) -> list[str]:
        longest = saved.trained_lengths[0]
        sources = [saved.tokenizer.encode_source(text, to) for text in texts]
        sources = [[*ids[:-1][: longest - 1], ids[-1]] for ids in sources]
        found = engine.translate(sources, saved.search)
        return [normalize(saved.tokenizer.target.decode(best[0].tokens)) for best in found]

    return translate


def whole(translator: Translator) -> Translate:
    """onmal as people have it."""
    return lambda texts, to: [translation.text for translation in translator.translate(texts, to=to)]


def from_files(paths: Sequence[Path], translator: Translator) -> Iterator[Case]:
    """The classes that any sentences will do for."""
    source, target = translator.directions[0]
    pairs = islice(read_pairs(paths, source_language=source, target_language=target), challenge.PAIRS)
    return challenge.with_fragments([Sentence(target, pair.source, pair.target) for pair in pairs])


def measure(translate: Translate, challenge: Sequence[Case]) -> dict[str, dict[str, Any]]:
    """Each class's scores."""
    classes: dict[str, list[Case]] = defaultdict(list)
    for case in challenge:
        classes[case.kind].append(case)
    found: dict[str, dict[str, Any]] = {}
    for kind, members in classes.items():
        kept, copied, placed, beside = 0, 0, 0, 0
        rests: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for to in sorted({case.to for case in members}):
            chosen = [case for case in members if case.to == to]
            translations = translate([case.text for case in chosen], to)
            bases = translate([case.base for case in chosen], to)
            for case, translation, base in zip(chosen, translations, bases, strict=True):
                kept += case.kept(translation)
                copied += translation.strip() == case.text.strip()
                rest = re.sub(
                    r"</?[bi]>", "", translation.replace(case.fragment, " ") if case.fragment else translation
                )
                if case.reference:
                    rests[to].append((" ".join(rest.split()), base, case.reference))
                if case.beside and base == case.reference and translation.count(case.fragment) == 1:
                    placed += 1
                    words = len(translation[: translation.index(case.fragment)].split())
                    beside += bool(case.beside & {words - 1, words})
        losses = [
            chrf([base for _, base, _ in rows], [r for *_, r in rows], to)
            - chrf([rest for rest, *_ in rows], [r for *_, r in rows], to)
            for to, rows in rests.items()
        ]
        found[kind] = {
            "cases": len(members),
            "kept": round(100 * kept / len(members), 2),
            "beside": round(100 * beside / placed, 1) if placed else None,
            "chrf_lost": round(sum(losses) / len(losses), 2) if losses else None,
            "copied": round(100 * copied / len(members), 2),
        }
    return found


def chrf(translations: Sequence[str], references: Sequence[str], language: str) -> float:
    """Of a whole class."""
    return score(translations, references, target_language=language, metrics=["chrF"], bootstrap=0)[0].value


def main() -> None:
    """Generate, translate, print, record."""
    parser = recording.arguments(__doc__)
    parser.add_argument(
        "--pairs", type=Path, nargs=2, metavar=("SOURCE", "TARGET"), help="sentences [the phrasebook's]"
    )
    options = parser.parse_args()
    translator = onmal.load(options.model)
    cases = list(from_files(options.pairs, translator) if options.pairs else challenge.phrases())
    systems = {"onmal": whole(translator), "network": plain(translator)}
    result = {name: measure(translate, cases) for name, translate in systems.items()}
    clean = [case for case in cases if case.kind == "placeholders"]
    warned = sum(
        bool(translation.warnings)
        for to in sorted({case.to for case in clean})
        for translation in translator.translate([case.base for case in clean if case.to == to], to=to)
    )
    rows = [
        (kind, name, *(str(scores[key]) for key in ("cases", "kept", "beside", "chrf_lost", "copied")))
        for kind in result["onmal"]
        for name, scores in ((name, classes[kind]) for name, classes in result.items())
    ]
    recording.show(("class", "system", "cases", "kept %", "beside %", "chrF lost", "copied %"), rows)
    card = translator.saved.card
    recorded = {
        "model": card["name"],
        "config_hash": card["config_sha256"],
        "minutes": card["minutes"],
        "cases": len(cases),
        "systems": result,
        "signature": score(["a"], ["a"], target_language="en", metrics=["chrF"], bootstrap=0)[0].signature,
        "warned_on_clean": round(100 * warned / len(clean), 2),
        "machine": recording.this_machine(),
    }
    recording.record(f"fidelity-{card['name']}" if options.pairs else "fidelity", recorded, options.results)


if __name__ == "__main__":
    recording.main(main)
