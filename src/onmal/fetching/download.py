"""One file from the network: over https alone, no larger than expected, and as long as the server said it would be."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from contextlib import closing
from typing import IO, BinaryIO

from onmal.errors import DataError

__all__ = ["Opener", "download", "open_https"]

_SECONDS = 30.0
_BLOCK = 1 << 20
_REMEDY = "check the address and the connection to the network, and try again"

Opener = Callable[[str], http.client.HTTPResponse]
"""Turns an address into an answer that can be read."""


def open_https(address: str) -> http.client.HTTPResponse:
    """The answer from an https address, also after redirects. Raises DataError for any other address."""
    if not address.startswith("https://"):
        raise DataError(f"{address} is no https address", _REMEDY)
    request = urllib.request.Request(address, headers={"User-Agent": "onmal"})
    answer: http.client.HTTPResponse = urllib.request.build_opener(HttpsOnly).open(request, timeout=_SECONDS)
    return answer


class HttpsOnly(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https addresses and refuses all others."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The request to go on with. Raises URLError."""
        if not newurl.startswith("https://"):
            raise urllib.error.URLError(f"it leads to {newurl}, which is no https address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(
    address: str,
    file: BinaryIO,
    *,
    largest: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
    opener: Opener = open_https,
) -> str:
    """Write what is at an address to a file; its SHA-256.

    `progress` is told the bytes so far and in all, or 0. Raises DataError, also beyond `largest` bytes.
    """
    digest, done = hashlib.sha256(), 0
    with closing(_blocks(address, opener, progress)) as blocks:
        for block in blocks:
            done += file.write(block)
            digest.update(block)
            if done > largest:
                raise DataError(
                    f"{address} is larger than {largest:,} bytes", "that cannot be the right file"
                )
    return digest.hexdigest()


def _blocks(
    address: str, opener: Opener, progress: Callable[[int, int], None]
) -> Generator[bytes, None, None]:
    done = 0
    try:
        with opener(address) as answer:
            total = int(answer.headers.get("Content-Length") or 0)
            progress(0, total)
            while block := answer.read(_BLOCK):
                yield block
                done += len(block)
                progress(done, total)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it is the answer, too
        raise DataError(f"{address} cannot be fetched ({error})", _REMEDY) from None
    if total and done != total:
        raise DataError(f"{address} broke off after {done:,} of {total:,} bytes", "try again")
