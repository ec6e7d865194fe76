"""What all settings have in common: they never change, unknown keys are refused, and every mistake is one line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from onmal.errors import ConfigError

__all__ = ["Settings", "Text", "unknown_setting"]


def _utf8(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:  # a file name in another encoding
        raise ValueError(f"{text!r} is not UTF-8 text; rename it") from None
    return text


Text = Annotated[str, AfterValidator(_utf8)]
"""Text that a file can hold."""


class Settings(BaseModel):
    """Base of all settings: frozen, unknown keys refused, and every mistake one ConfigError line."""

    # Strict: TOML and JSON have types of their own, so "4" for 4 is a mistake, and so is true.
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    def __init__(self, /, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _explain(type(self), error) from None

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, checked like a new one."""
        return type(self)(**{**{name: getattr(self, name) for name in self.model_fields_set}, **changes})


_REMEDIES = {
    "int": "give a whole number",
    "float": "give a number",
    "finite_number": "give a finite number",
    "bool": "give true or false",
    "string": "give text, in quotes",
    "list": 'give a list, such as ["a", "b"]',
    "model": "give a section",
    "literal_error": "choose {expected}",
    "greater_than": "give more than {gt}",
    "greater_than_equal": "give at least {ge}",
    "less_than": "give less than {lt}",
    "less_than_equal": "give at most {le}",
}
"""Kind of mistake, as pydantic calls it or how that begins -> what to do."""


_WHOLE_FILES = {"run", "serve"}
"""Settings that stand at the top of their file, in no section."""


def _explain(settings: type[BaseModel], error: ValidationError) -> ConfigError:
    """Turn pydantic's first complaint into one line that names the option, the value and the remedy."""
    first = error.errors()[0]
    kind, context = first["type"], first.get("ctx", {})
    parts = re.findall("[A-Z][a-z]+", settings.__name__.removesuffix("Config"))
    section = ".".join(parts).lower()
    section = "" if section in _WHOLE_FILES else section
    key = ".".join(part for part in first["loc"] if isinstance(part, str))
    option = ".".join(filter(None, (section, key)))
    if kind == "extra_forbidden":
        return unknown_setting(option, key, settings.model_fields)
    if kind == "missing":
        return ConfigError(f"setting {option!r} is missing", "give it in the file or with --set")
    if kind == "value_error":  # a rule of ours between several settings
        what, _, remedy = str(context["error"]).partition("; ")
        return ConfigError(f"[{section}]: {what}" if section else what, remedy)
    remedy = _REMEDIES.get(kind) or _REMEDIES.get(kind.split("_")[0], "give another value")
    return ConfigError(f"setting {option!r} cannot be {first['input']!r}", remedy.format(**context))


def unknown_setting(option: str, key: str, known: Iterable[str]) -> ConfigError:
    """The error for a key that does not exist, with the nearest of those that do."""
    close = difflib.get_close_matches(key, known, n=1)
    remedy = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
    return ConfigError(f"unknown setting {option!r}", remedy)
