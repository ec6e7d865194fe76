"""The settings of `onmal serve`, from a TOML file and the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from pydantic import Field

from onmal.settings import Settings, Text, apply_overrides, read_toml

__all__ = ["ServeConfig"]


class ServeConfig(Settings):
    """Address, limits and keys of a server. Whatever a stranger can send has a limit."""

    host: Text = "127.0.0.1"
    """Address to listen at: 127.0.0.1 is for programs of this machine alone, 0.0.0.0 for everybody who can reach it."""
    port: int = Field(default=5000, ge=0, le=65535)
    """Port to listen at; 0 takes a free one."""
    names: list[Text] = Field(default=[])
    """Host names that requests may be for besides this machine's own, such as "translate.example.org"; ["*"] takes all."""
    proxies: list[Text] = Field(default=[])
    """Addresses of reverse proxies, whose word on who the client is (X-Forwarded-For) is taken."""

    body_bytes: int = Field(default=512 * 1024, ge=1024)
    """Most bytes of a request's body."""
    document_bytes: int = Field(default=10 * 1024 * 1024, ge=1024)
    """The same where the body is a document."""
    characters: int = Field(default=20_000, ge=1)
    """Most characters of all texts of a request; what they must say counts for each of them."""
    document_characters: int = Field(default=500_000, ge=1)
    """The same of a document."""
    texts: int = Field(default=256, ge=1)
    """Most texts of a request."""
    beam_size: int = Field(default=12, ge=1)
    """Most hypotheses per text that a request may ask for, and so the most alternatives."""
    queue: int = Field(default=1024, ge=1)
    """Most texts that wait, and of a client half as many as the others leave room for; further ones are told to come again."""
    body_seconds: float = Field(default=30.0, gt=0)
    """Longest time for a request's head to arrive, and for its body; and for which a client may read nothing of an answer."""
    seconds: float = Field(default=60.0, gt=0)
    """Longest time for a translation, of a text with markup too."""
    document_seconds: float = Field(default=600.0, gt=0)
    """The same for a document."""
    connections: int = Field(default=512, ge=1)
    """Most connections at the same time: a further one takes the place of one that is silent. So many requests may be under way,
    half of them from one address; further ones are told to come again."""
    at_once: int = Field(default=64, ge=1)
    """Most requests of a client under way at the same time."""
    requests_per_minute: int = Field(default=0, ge=0)
    """Most requests of a client; 0 does not count them."""
    characters_per_minute: int = Field(default=0, ge=0)
    """Most characters of a client; 0 does not count them."""

    require_keys: bool = False
    """Answer only to those who have a key; see `onmal keys`."""
    keys: Text = ""
    """File of the keys; the one that `onmal keys` uses if left away."""
    state: Text = ""
    """Folder for what clients leave here to stay, their glossaries, and their documents while the server is stopped; beside the keys if left
    away."""
    cors_origins: list[Text] = Field(default=[])
    """Other sites whose pages may ask this server, such as "https://example.org"; none if left away."""
    metrics: bool = False
    """Answer GET /metrics, for Prometheus."""
    access_log: bool = True
    """Write a line of JSON to standard output for each request: who, which route, how long; never the text."""

    @classmethod
    def read(cls, path: str | Path | None = None, overrides: Iterable[str] = ()) -> Self:
        """The settings of a TOML file, if any, changed as each `key=value` says. Raises ConfigError."""
        return cls(**apply_overrides(read_toml(path) if path else {}, overrides, form="key=value"))

    @property
    def keys_file(self) -> Path:
        """Where the keys are: in the file that is set, else in ONMAL_KEYS, else in the user's own folder for settings."""
        if chosen := self.keys or os.environ.get("ONMAL_KEYS"):
            return Path(chosen).expanduser()
        if sys.platform == "win32":
            return (
                Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming") / "onmal" / "keys.json"
            )
        xdg = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
        return (xdg if xdg.is_absolute() else Path.home() / ".config") / "onmal" / "keys.json"

    @property
    def state_folder(self) -> Path:
        """Where what clients leave here stays."""
        return Path(self.state).expanduser() if self.state else self.keys_file.parent
