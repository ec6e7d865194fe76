"""What says that a request is refused, as the API expects it whose path was asked: for the layers around all of them."""

from __future__ import annotations

from typing import Any

__all__ = ["LIBRETRANSLATE", "error_body", "problem"]

LIBRETRANSLATE = (
    "/translate",
    "/detect",
    "/languages",
    "/translate_file",
    "/download_file",
    "/suggest",
    "/frontend/settings",
)
_DEEPL = ("/v2", "/v3", "/deepl")


def error_body(path: str, code: str, message: str) -> dict[str, Any]:
    """DeepL's clients look for a message and a detail, LibreTranslate's for a text; all others are told as those of /v1 are."""
    if _is_below(path, _DEEPL):
        return {"message": message, "detail": ""}
    if _is_below(path, LIBRETRANSLATE):
        return {"error": message}
    return problem(code, message)


def problem(code: str, message: str) -> dict[str, Any]:
    """The same as /v1 tells it: a code for programs, a message for people."""
    return {"error": {"code": code, "message": message}}


def _is_below(path: str, tops: tuple[str, ...]) -> bool:
    return any(path == top or path.startswith(f"{top}/") for top in tops)
