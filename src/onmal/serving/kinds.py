"""In which ways texts can be translated: those that are asked for in the same one are translated together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from onmal.config import SearchConfig
from onmal.serving.models import Loaded
from onmal.translating.glossary import Glossary
from onmal.translating.translator import Options, Translation
from onmal.translating.wishes import NO_WISHES, Wishes

__all__ = ["Kind", "Unwanted"]

MOST_TEXTS = 64  # of a call: larger ones are hardly faster, and who comes next would wait for them
MOST_SLOW_TEXTS = 8  # of a call that takes several times as long
MOST_SEARCHED_TEXTS = 2  # of a call that looks for what must be said, perhaps in each sentence anew
# What of a search takes the longer, the larger it is.
COSTLY = (
    "beam_size",
    "min_length_ratio",
    "max_length_ratio",
    "max_length_extra",
    "coverage_penalty",
    "diversity",
    "no_repeat_ngram",
    "sample",
)


class Unwanted(Exception):
    """Nobody waits any more for what is being translated."""


@dataclass(frozen=True)
class Kind:
    """What texts must have in common to be translated together."""

    loaded: Loaded
    direction: tuple[str, str]
    """(source, target), as the model calls them."""
    search: SearchConfig
    wishes: Wishes = NO_WISHES
    glossary: Glossary | None = None
    alignment: bool = False
    omissions: bool = False

    @property
    def at_once(self) -> int:
        """How many calls of this kind may be under way: as many as its engine likes, which may not be the model's usual one."""
        translator = self.loaded.translator
        return min(self.loaded.calls, translator.engine.at_once(self.search, translator.asked(self.wishes)))

    @property
    def most_texts(self) -> int:
        """How many of them one call may have."""
        if self.wishes.must:
            return MOST_SEARCHED_TEXTS
        usual = self.loaded.translator.saved.search
        heavier = any(getattr(self.search, each) > getattr(usual, each) for each in COSTLY)
        return MOST_SLOW_TEXTS if heavier or self.omissions else MOST_TEXTS

    @property
    def searches(self) -> bool:
        """Whether there may be another search, a slow one, for what must be said."""
        return bool(self.wishes.must or self.glossary)

    def translate(self, texts: Sequence[str], watcher: Callable[..., None]) -> list[Translation | Exception]:
        """Translate together; where that fails, one by one, so that nobody's text fails for another's.

        The watcher is called before each word that torch searches for, and may raise Unwanted, which ends it all.
        """
        options: Options = {
            "to": self.direction[1],
            "search": self.search,
            "wishes": replace(self.wishes, watchers=(watcher,)),
            "alignment": self.alignment,
            "omissions": self.omissions,
        }
        translator = self.loaded.with_glossary(self.glossary)
        try:
            return list(translator.translate(list(texts), **options))
        except Unwanted as error:
            return [error] * len(texts)
        except Exception as error:
            return [error] if len(texts) == 1 else [self.translate([text], watcher)[0] for text in texts]
