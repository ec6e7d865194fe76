"""The model and the text that the tests of adapting share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tiny_model import save_tiny_model, sentence_pairs


@pytest.fixture(scope="session")
def both_ways(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder of both directions between Korean and English; its card names no text."""
    return save_tiny_model(tmp_path_factory.mktemp("models") / "general", both_directions=True)


@pytest.fixture(scope="session")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with new.ko, new.en and both as new.ko-en.tsv (60 pairs), valid.* (12) and old.* (28); news.en, a line blank."""
    folder = tmp_path_factory.mktemp("text")
    pairs = sentence_pairs(100)
    for name, chosen in (("new", pairs[:60]), ("valid", pairs[60:72]), ("old", pairs[72:])):
        for suffix, lines in (
            ("ko", [pair.source for pair in chosen]),
            ("en", [pair.target for pair in chosen]),
            ("ko-en.tsv", [f"{pair.source}\t{pair.target}" for pair in chosen]),
        ):
            (folder / f"{name}.{suffix}").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    news = [pair.target for pair in pairs[72:84]]
    (folder / "news.en").write_text("\n".join([*news[:5], "", *news[5:], ""]), "utf-8")
    return folder
