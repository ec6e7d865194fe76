"""What comes through a translation unharmed: a generated challenge set, with a score for each class of it.

Sentences of the phrasebook's test, both directions, with something in them that must stay: placeholders, addresses, tags, white
space, the number of sentences (the phrasebook spells its numbers in words). onmal, guards and all, beside the same network and search with nothing around them, which is what a
toolkit that hands text to its network gives.

    python benchmarks/fidelity.py runs/phrasebook

kept: cases in which all that must stay is there as often as before, letter by letter. beside: of the cases whose rest was translated
exactly as the reference, those in which it stands next to a word that the gold alignment names. rest: chrF of what is around it,
less chrF of the same sentences without it. The result goes to benchmarks/results/fidelity.json.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import recording

import onmal
from onmal import phrasebook
from onmal.evaluation import score
from onmal.text.normalize import normalize
from onmal.translating.translator import Translator

FRAGMENTS = {
    "placeholders": ("{name}", "%s", "{{ user.id }}", "${count}", "%1$d", "$HOME"),
    "addresses": ("https://example.com/a_b?c=1&d=2#e", "www.example.org/x", "me.you@mail.example.com"),
    "tags": ('<x id="1"/>', "<br/>", "&nbsp;"),
}
PAIRS = 250  # sentences of a direction in each class
SENTENCES = 8  # of a paragraph
SPACE = ("  ", "\t", "\u3000", " ")

Translate = Callable[[Sequence[str], str], list[str]]


@dataclass(frozen=True)
class Case:
    """A text, and what of it must stay."""

    kind: str
    to: str
    text: str
    base: str
    """The same without."""
    reference: str
    kept: Callable[[str], bool]
    """Whether a translation has all of it."""
    fragment: str = ""
    beside: frozenset[int] = frozenset()
    """Words of the reference beside which the fragment should stand."""


def cases() -> Iterator[Case]:
    """The challenge set."""
    for to in ("en", "ko"):
        drawn = phrasebook.phrases("test", PAIRS)
        for number, phrase in enumerate(drawn):
            source, reference = _sides(phrase, to)
            links = [(i, j) if to == "en" else (j, i) for i, j in phrase.alignment]
            words = source.split()
            at = crc32(source.encode()) % len(words)
            beside = frozenset(j for i, j in links if i in (at - 1, at))
            for kind, fragments in FRAGMENTS.items():
                fragment = fragments[number % len(fragments)]
                text = " ".join((*words[:at], fragment, *words[at:]))
                yield Case(kind, to, text, source, reference, _has(fragment), fragment, beside)
            word = re.fullmatch(r"(.*?)([.?!,]*)", words[at])
            assert word is not None
            text = " ".join((*words[:at], f"<b>{word[1]}</b>{word[2]}", *words[at + 1 :]))
            yield Case("pairs of tags", to, text, source, reference, _has_pair)
            before, after = SPACE[number % 4], SPACE[number // 4 % 4]
            yield Case(
                "white space", to, before + source + after, source, reference, _has_space(before, after)
            )
        for first in range(0, PAIRS, SENTENCES):
            chosen = drawn[first : first + SENTENCES]
            sides = [_sides(phrase, to) for phrase in chosen]
            source, reference = (" ".join(side[n] for side in sides) for n in (0, 1))
            yield Case("paragraphs", to, source, source, reference, _has_ends(len(chosen)))


def _sides(phrase: phrasebook.Phrase, to: str) -> tuple[str, str]:
    return (phrase.korean, phrase.english) if to == "en" else (phrase.english, phrase.korean)


def _has(fragment: str) -> Callable[[str], bool]:
    return lambda translation: translation.count(fragment) == 1


def _has_pair(translation: str) -> bool:
    return re.fullmatch(r"[^<>]*<b>[^<>]+</b>[^<>]*", translation) is not None


def _has_space(before: str, after: str) -> Callable[[str], bool]:
    return lambda translation: (
        translation.startswith(before)
        and translation.endswith(after)
        and translation == before + translation.strip() + after
    )


def _has_ends(count: int) -> Callable[[str], bool]:
    return lambda translation: len(re.findall(r"[.?!]+(?=\s|$)", translation)) == count


def plain(translator: Translator) -> Translate:
    """The network and its search alone; text beyond the lengths of training is cut off, as toolkits do."""
    saved = translator.saved

    def translate(texts: Sequence[str], to: str) -> list[str]:
        longest = saved.trained_lengths[0]
        sources = [saved.tokenizer.encode_source(text, to) for text in texts]
        sources = [[*ids[:-1][: longest - 1], ids[-1]] for ids in sources]
        found = translator.engine.translate(sources, saved.search)
        return [normalize(saved.tokenizer.target.decode(best[0].tokens)) for best in found]

    return translate


def whole(translator: Translator) -> Translate:
    """onmal as people have it."""
    return lambda texts, to: [translation.text for translation in translator.translate(texts, to=to)]


def measure(translate: Translate, challenge: Sequence[Case]) -> dict[str, dict[str, Any]]:
    """Each class's scores."""
    classes: dict[str, list[Case]] = defaultdict(list)
    for case in challenge:
        classes[case.kind].append(case)
    found: dict[str, dict[str, Any]] = {}
    for kind, members in classes.items():
        kept, copied, placed, beside = 0, 0, 0, 0
        rests: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for to in ("en", "ko"):
            chosen = [case for case in members if case.to == to]
            translations = translate([case.text for case in chosen], to)
            bases = translate([case.base for case in chosen], to)
            for case, translation, base in zip(chosen, translations, bases, strict=True):
                kept += case.kept(translation)
                copied += translation.strip() == case.text.strip()
                rest = re.sub(
                    r"</?b>", "", translation.replace(case.fragment, " ") if case.fragment else translation
                )
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
            "chrf_lost": round(sum(losses) / len(losses), 2),
            "copied": round(100 * copied / len(members), 2),
        }
    return found


def chrf(translations: Sequence[str], references: Sequence[str], language: str) -> float:
    """Of a whole class."""
    return score(translations, references, target_language=language, metrics=["chrF"], bootstrap=0)[0].value


def main() -> None:
    """Generate, translate, print, record."""
    options = recording.arguments(__doc__).parse_args()
    translator = onmal.load(options.model, engine="torch")
    challenge = list(cases())
    systems = {"onmal": whole(translator), "network": plain(translator)}
    result = {name: measure(translate, challenge) for name, translate in systems.items()}
    clean = [case for case in challenge if case.kind == "placeholders"]
    warned = sum(
        bool(translation.warnings)
        for to in ("en", "ko")
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
        "cases": len(challenge),
        "systems": result,
        "signature": score(["a"], ["a"], target_language="en", metrics=["chrF"], bootstrap=0)[0].signature,
        "warned_on_clean": round(100 * warned / len(clean), 2),
        "machine": recording.this_machine(),
    }
    recording.record("fidelity", recorded, options.results)


if __name__ == "__main__":
    recording.main(main)
