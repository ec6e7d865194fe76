"""What all settings have in common: they never change, unknown keys are refused, and every mistake is one line.

They are read from TOML, and changed by `section.key=value`.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from onmal.errors import ConfigError

__all__ = ["Settings", "Text", "apply_overrides", "read_toml", "unknown_setting"]


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


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a TOML file; a missing, unreadable or broken one is a ConfigError that names it."""
    try:
        return tomllib.loads(Path(path).read_text("utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not valid TOML: {error}", "correct it there", path=path) from None
    except UnicodeDecodeError:
        raise ConfigError("not UTF-8 text", "save it as UTF-8", path=path) from None
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror})", "check the path", path=path) from None


def apply_overrides(
    values: Mapping[str, Any],
    overrides: Iterable[str],
    *,
    option: str = "--set",
    form: str = "section.key=value",
) -> dict[str, Any]:
    """Apply `section.key=value` strings, the value read as TOML and else as plain text; errors name the option."""
    result: dict[str, Any] = {k: dict(v) if isinstance(v, Mapping) else v for k, v in values.items()}
    for override in overrides:
        key, equals, text = override.partition("=")
        path = key.strip().split(".")
        if not equals or not all(path):
            raise ConfigError(f"{option} {override!r} is not of the form {form}", "give it that form")
        value: Any = text.strip()
        with suppress(tomllib.TOMLDecodeError):
            value = tomllib.loads(f"value = {value}")["value"]
        place = result
        for part in path[:-1]:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise ConfigError(f"{option} {override!r}: {part!r} is not a section", f"write {form}")
        place[path[-1]] = value
    return result
