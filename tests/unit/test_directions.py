"""Which direction of a model is meant, where it has two variants of one language."""

from __future__ import annotations

import pytest

from onmal.cli.options import direction_of
from onmal.errors import ConfigError, LanguageError

VARIANTS = [("en", "zh"), ("en", "zh-Hant"), ("en", "pt"), ("en", "pt-BR")]


def nothing_known() -> tuple[str, str]:
    raise ConfigError("the name of the text does not say its languages", "give --from")


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        (("en", "zh"), ("en", "zh")),
        (("en", "zh-Hant"), ("en", "zh-Hant")),
        (("en", "zh_hant"), ("en", "zh-Hant")),
        (("en", "pt"), ("en", "pt")),
        (("", "pt-BR"), ("en", "pt-BR")),
        (("en-US", "pt-BR"), ("en", "pt-BR")),
    ],
)
def test_a_variant_that_is_asked_for_exactly_is_meant(asked: tuple[str, str], meant: tuple[str, str]) -> None:
    assert direction_of(VARIANTS, asked, nothing_known) == meant


def test_a_variant_that_the_text_says_is_meant() -> None:
    assert direction_of(VARIANTS, ("", ""), lambda: ("en", "zh-Hant")) == ("en", "zh-Hant")


def test_another_region_is_the_same_language_where_there_is_one_of_it() -> None:
    assert direction_of([("ko", "en"), ("en", "ko")], ("ko", "en-GB"), nothing_known) == ("ko", "en")


def test_a_variant_that_could_be_either_has_to_be_chosen() -> None:
    with pytest.raises(
        LanguageError, match="its directions are en-zh, en-zh-Hant, en-pt, en-pt-BR: choose one"
    ):
        direction_of(VARIANTS, ("en", "zh-HK"), lambda: ("en", "zh-HK"))
