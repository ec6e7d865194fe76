"""type_out: the pieces of a translation, joined, are the translation that greedy search finds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from onmal.config import SearchConfig
from onmal.saved_model import load_model
from onmal.translating.translator import Translator
from onmal.translating.wishes import Wishes

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tiny_model import save_tiny_model

TEXTS = (
    "친구는 오늘 학교에 간다.",
    "동생은 매일 시장에 간다.\n\n  언니는 혼자 공원에 간다. ",
    "",
    "https://example.com/a 선생님은 자주 병원에 간다.",
    " ".join(["동생은 매일 시장에 간다."] * 12),
    '> "친구는 학교에 간다!!!"\n(매일 간다...)',
)


@pytest.fixture(scope="module")
def translator(tmp_path_factory: pytest.TempPathFactory) -> Translator:
    folder = save_tiny_model(tmp_path_factory.mktemp("models") / "ko-en")
    return Translator(load_model(folder), guards=())


@pytest.mark.parametrize(
    "search", [SearchConfig(), SearchConfig(sample=True, seed=5)], ids=["greedy", "sample"]
)
@pytest.mark.parametrize("wishes", [Wishes(), Wishes(prefix="My"), Wishes(never=("market",))], ids=str)
@pytest.mark.parametrize("text", TEXTS)
def test_joined_they_are_the_translation(
    translator: Translator, text: str, wishes: Wishes, search: SearchConfig
) -> None:
    pieces = list(translator.type_out(text, search=search, wishes=wishes))
    whole = translator.translate(text, search=search.replace(beam_size=1), wishes=wishes).text
    assert "".join(pieces) == whole


def test_the_guards_see_what_was_typed(translator: Translator) -> None:
    told: list[str] = []

    def typed() -> Iterator[str]:
        told.extend((yield from Translator(translator.saved).type_out("7 친구는 간다.")))

    assert "".join(typed())
    assert any(warning.startswith("numbers: lost 7") for warning in told)


def test_words_come_one_by_one(translator: Translator) -> None:
    pieces = [piece for piece in translator.type_out(TEXTS[0]) if piece]
    assert len(pieces) > 3
