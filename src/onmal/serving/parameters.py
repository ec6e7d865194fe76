"""What a request asks for, wherever it says so: in its query string, a form or a JSON body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from onmal.translating.plan import SURROGATE

__all__ = ["Malformed", "Parameters", "Upload", "read_parameters"]

_MOST_FIELDS = 2_000
_LARGEST_FIELD = 16 << 20  # bytes; the whole body has a limit of its own


class Malformed(ValueError):
    """A request that cannot be read, or a parameter of another kind than it has to be; says which and why."""


@dataclass(frozen=True)
class Upload:
    """A file that came in a form."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Parameters:
    """The parameters of a request: JSON counts more than a form, and a form more than the query string."""

    values: Mapping[str, Any] = field(default_factory=dict)
    """What each was given as: text, a list where it was given more than once, or anything that JSON knows."""
    upload: Upload | None = None
    """The file of a form, as its parameter `file`."""

    def text(self, name: str, default: str = "") -> str:
        """One text; of several the first. Raises Malformed for what is no text."""
        value = self.values.get(name)
        if isinstance(value, list):
            value = value[0] if value else None
        return default if value is None else _text(name, value)

    def texts(self, name: str) -> list[str]:
        """All texts given by this name, one or more or none. Raises Malformed."""
        value = self.values.get(name)
        several = value if isinstance(value, list) else [] if value is None else [value]
        return [_text(name, each) for each in several]

    def is_list(self, name: str) -> bool:
        """Whether a list was given, be it of one."""
        return isinstance(self.values.get(name), list)

    def number(self, name: str, default: int = 0) -> int:
        """A whole number, written as such or as text. Raises Malformed."""
        value = self.values.get(name)
        try:
            if isinstance(value, bool) or not isinstance(value, str | int | None):
                raise ValueError
            return default if value is None or value == "" else int(value)
        except ValueError:
            raise Malformed(f"Invalid request: {name} parameter is not a number") from None


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise Malformed(f"Invalid request: {name} parameter is not text")
    return SURROGATE.sub("\ufffd", value)  # half a character, which JSON can spell and no answer can


async def read_parameters(request: Request) -> Parameters:
    """The parameters of a request; line ends of forms are "\\n", whatever the browser made of them. Raises Malformed."""
    values = _folded(_pairs(request.scope["query_string"]))
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _multipart(request, values)
    body = await request.body()
    if kind == "application/x-www-form-urlencoded":
        values |= _folded(_pairs(body))
    elif kind.endswith(("/json", "+json")) and body.strip():
        values |= _json(body)
    return Parameters(values)


async def _multipart(request: Request, values: dict[str, Any]) -> Parameters:
    fields: dict[str, Any] = {}
    upload = None
    try:
        async with request.form(max_files=1, max_fields=_MOST_FIELDS, max_part_size=_LARGEST_FIELD) as form:
            for name, value in form.multi_items():
                if not isinstance(value, UploadFile):
                    _add(fields, name, value)
                elif name == "file":
                    upload = Upload(value.filename or "", await value.read())
    except MultiPartException as error:
        raise Malformed(f"Invalid request: {error.message}") from None
    except HTTPException as error:  # the same, within an application
        if (
            error.status_code != 400
        ):  # what another part of the server says, such as that the body is too large
            raise
        raise Malformed(f"Invalid request: {error.detail}") from None
    return Parameters(values | _folded(fields), upload)


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("Invalid JSON format") from None
    if not isinstance(found, dict):
        raise Malformed("Invalid JSON format")
    return found


def _pairs(encoded: bytes) -> dict[str, Any]:
    """Names and values of a form; characters that should have been escaped and were not are read as UTF-8."""
    found: dict[str, Any] = {}
    try:
        pairs = parse_qsl(
            encoded.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise Malformed(f"Invalid request: more than {_MOST_FIELDS:,} fields") from None
    for name, value in pairs:
        _add(found, name, value)
    return found


def _add(values: dict[str, Any], name: str, value: str) -> None:
    if name not in values:
        values[name] = value
    elif isinstance(values[name], list):
        values[name].append(value)
    else:
        values[name] = [values[name], value]


def _folded(values: Mapping[str, Any]) -> dict[str, Any]:
    def fold(value: Any) -> Any:
        return [fold(each) for each in value] if isinstance(value, list) else value.replace("\r\n", "\n")

    return {name: fold(value) for name, value in values.items()}
