"""What DeepL's API says where it refuses: {"message": ..., "detail": ...}, and a status that its clients act on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from onmal.errors import OnmalError
from onmal.serving.clients import Client
from onmal.serving.kept_files import Full
from onmal.serving.parameters import Malformed, Parameters, read_parameters
from onmal.serving.refusals import KeyMissing, KeyWrong, Refusal
from onmal.serving.service import Service

__all__ = ["Handler", "Routes", "Wrong", "asked_by", "not_here", "owner_of", "unsupported", "worded"]

Handler = Callable[[Request], Awaitable[Response]]
Routes = list[tuple[str, list[str], Handler]]
"""Paths, methods, and what answers them."""

_MESSAGES = {
    400: "Bad request",
    403: "Forbidden",
    404: "Not found",
    413: "Request Entity Too Large",
    429: "Too many requests",
    503: "Service unavailable",
    504: "Gateway timeout",
}


class Wrong(Exception):
    """A request that is answered with an error, and with which; `detail` says more where the message is not enough."""

    def __init__(self, message: str, detail: str = "", status: int = 400) -> None:
        super().__init__(message)
        self.message, self.detail, self.status = message, detail, status


def unsupported(parameter: str) -> Wrong:
    """The refusal of a value, as DeepL words it."""
    return Wrong(f"Value for '{parameter}' not supported.")


def worded(handler: Handler) -> Handler:
    """The same with DeepL's words and statuses for whatever is refused."""

    async def endpoint(request: Request) -> Response:
        try:
            return await handler(request)
        except Wrong as wrong:
            return _error(wrong.status, wrong.message, wrong.detail)
        except Malformed as error:
            return _error(400, _MESSAGES[400], str(error))
        except OnmalError as error:
            if error.path:  # a file of the server's own, which is for its log alone
                raise
            return _error(400, _MESSAGES[400], str(error))
        except Full as full:
            detail = "as many documents are here as may be; try again later"
            return _error(429, _MESSAGES[429], detail, full.retry_after)
        except Refusal as refusal:
            status = 403 if isinstance(refusal, KeyMissing | KeyWrong) else refusal.status
            message = _MESSAGES.get(status, _MESSAGES[400])
            return _error(status, message, refusal.message, refusal.retry_after)

    return endpoint


def _error(status: int, message: str, detail: str, retry_after: int = 0) -> Response:
    headers = {"Retry-After": str(retry_after)} if retry_after else None
    return JSONResponse({"message": message, "detail": detail}, status, headers)


async def not_here(request: Request) -> Response:
    """The answer to all that is no route of onmal's."""
    raise Wrong(
        "Not found", "onmal answers translate, languages, usage, document and glossaries of version 2", 404
    )


async def asked_by(request: Request, service: Service) -> tuple[Parameters, Client]:
    """What a request asks for, and who does. Raises Malformed, KeyMissing, KeyWrong."""
    client = service.client(request)  # before its body is read, which may be large
    return await read_parameters(request), client


def owner_of(client: Client) -> str:
    """Whose documents and glossaries a client's are: its key's; those without a key share theirs."""
    return client.name if client.has_key else ""
