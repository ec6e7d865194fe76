"""API keys: given out once, kept only as hashes, each with its own limits.

The file is JSON, readable by its owner alone. A key is 32 random bytes, so one round of SHA-256 hides it well: nobody can try
as many keys as there are. (A password would need a slow hash; a person never chooses a key.)
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from onmal.errors import ConfigError
from onmal.lock import locked_folder

__all__ = ["KEY_FORM", "Key", "KeyFile", "given_key"]

KEY_FORM = "onmal_"  # what keys begin with, so that scanners for leaked secrets can find them


@dataclass(frozen=True)
class Key:
    """What is kept of a key. A limit of 0 is the server's own."""

    name: str
    digest: str
    created: str
    requests_per_minute: int = 0
    characters_per_minute: int = 0
    characters: int = 0
    """Most of one request."""


def given_key(headers: Mapping[str, str], parameter: str = "") -> str:
    """The key that a request carries, or "": `Authorization: Bearer KEY` or `DeepL-Auth-Key KEY`, header `DeepL-Auth-Key`, or
    the parameter `api_key`, which the route has read."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() in ("bearer", "deepl-auth-key") and key.strip():
        return key.strip()
    return headers.get("deepl-auth-key", "").strip() or parameter.strip()


class KeyFile:
    """The keys of a file; a file that is not there has none. Raises ConfigError where it is damaged or cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[tuple[int, int, int] | None, list[Key]] = (None, [])

    def given_out(self) -> list[Key]:
        """All keys, in the order in which they were given out; read again where the file has changed."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ConfigError(
                f"cannot be read ({error.strerror})", "check the path", path=self.path
            ) from None
        version = (found.st_ino, found.st_size, found.st_mtime_ns)
        if self._read[0] != version:
            self._read = (version, self._load())
        return self._read[1]

    def find(self, key: str) -> Key | None:
        """The key that was given out as this text; all are compared, so that the time tells nothing of them."""
        digest, found = _digest(key), None
        for each in self.given_out():
            if hmac.compare_digest(each.digest, digest):
                found = each
        return found

    def add(self, name: str, **limits: int) -> str:
        """A new key, to be told to its holder now: it cannot be read again."""
        if not name.strip() or not name.isprintable() or len(name) > 100:
            raise ConfigError(
                f"a key cannot be called {name!r}", "give a name of up to 100 letters on one line"
            )
        with self._alone():
            keys = self.given_out()
            if any(key.name == name for key in keys):
                raise ConfigError(
                    f"there is a key called {name!r} already",
                    f"choose another name, or: onmal keys revoke {name}",
                )
            key = KEY_FORM + secrets.token_urlsafe(32)
            created = datetime.now(UTC).isoformat(timespec="seconds")
            self._write([*keys, Key(name, _digest(key), created, **limits)])
        return key

    def revoke(self, name: str) -> None:
        """The key of this name opens nothing any more, also on servers that run."""
        with self._alone():
            keys = self.given_out()
            if not any(key.name == name for key in keys):
                known = ", ".join(key.name for key in keys) or "none"
                raise ConfigError(f"there is no key called {name!r}", f"there are: {known}")
            self._write([key for key in keys if key.name != name])

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else changes the file meanwhile: what is read is still so when it is written."""
        with ExitStack() as lock:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                lock.enter_context(locked_folder(self.path.parent, wait=True))
            except OSError as error:
                raise self._unwritable(error) from None
            yield

    def _load(self) -> list[Key]:
        try:
            entries = json.loads(self.path.read_text("utf-8"))["keys"]
            keys = [_checked(entry) for entry in entries]
        except OSError as error:
            raise ConfigError(
                f"cannot be read ({error.strerror})", "check who may read it", path=self.path
            ) from None
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ConfigError(
                "is not a file of keys, or damaged",
                "remove it and give out new keys: onmal keys add",
                path=self.path,
            ) from None
        return keys

    def _write(self, keys: list[Key]) -> None:
        """Whole or not at all, and never readable by others, not even for a moment."""
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        try:
            with open(
                os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
            ) as file:
                json.dump({"keys": [asdict(key) for key in keys]}, file, ensure_ascii=False, indent=2)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
        except OSError as error:
            raise self._unwritable(error) from None
        finally:
            with suppress(OSError):
                part.unlink()

    def _unwritable(self, error: OSError) -> ConfigError:
        return ConfigError(
            f"cannot be written ({error.strerror})", "choose another place with --file", path=self.path
        )


def _checked(entry: Any) -> Key:
    """A key as the file has it. Raises ValueError, TypeError."""
    key = Key(**entry)
    limits = (key.requests_per_minute, key.characters_per_minute, key.characters)
    if (
        not all(isinstance(text, str) for text in (key.name, key.created))
        or len(bytes.fromhex(key.digest)) != 32
    ):
        raise ValueError
    if not all(type(limit) is int and limit >= 0 for limit in limits):
        raise ValueError
    return replace(key, digest=key.digest.lower())


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
