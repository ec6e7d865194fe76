"""onmal (온말): parallel text in, your own translator out.

    import onmal

    translator = onmal.load("runs/phrasebook")
    print(translator.translate("내일 학교에 가요.").text)

Names load what they need when they are first used, so `import onmal` itself is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from onmal import errors

if TYPE_CHECKING:
    from onmal.evaluation import evaluate
    from onmal.training.run import train
    from onmal.translating.translator import Translation, Translator, load

__all__ = ["Translation", "Translator", "__version__", "errors", "evaluate", "load", "train"]

__version__ = "0.1.0"

_HOME = {
    "Translation": "onmal.translating.translator",
    "Translator": "onmal.translating.translator",
    "evaluate": "onmal.evaluation",
    "load": "onmal.translating.translator",
    "train": "onmal.training.run",
}


def __getattr__(name: str) -> object:
    """Import a public name from its module when it is first asked for (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
