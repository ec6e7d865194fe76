"""Models of Hugging Face by name, through its own client."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from onmal.errors import ConfigError, DataError, MissingExtraError, ModelFolderError

__all__ = ["Checkpoint", "checkpoint"]

FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer_config.json",
    "vocab.json",
    "target_vocab.json",
    "source.spm",
    "target.spm",
    "model.safetensors",
)
NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


class Checkpoint(NamedTuple):
    """A model's files."""

    folder: Path
    name: str
    """What it is called."""
    commit: str
    """Of Hugging Face's repository; empty for a folder."""


def checkpoint(place: str, revision: str = "") -> Checkpoint:
    """The files of a model: a folder as it is, a name such as Helsinki-NLP/opus-mt-en-de once fetched.

    `revision` is a branch, tag, commit or pull request (refs/pr/1) of what has a name. Only the files that are read are fetched,
    into the client's own cache. Raises ModelFolderError, DataError; ConfigError for a folder's revision.
    """
    folder = Path(place)
    if os.path.isdir(folder):  # False for what cannot be a path, too
        if revision:
            raise ConfigError(
                "a folder has no revisions", "leave --revision away, or give a name on Hugging Face"
            )
        return Checkpoint(folder, folder.absolute().name, "")
    if not NAME.fullmatch(place) or os.path.exists(folder):
        raise ModelFolderError(
            "there is no such folder",
            "check the path, or give a name such as Helsinki-NLP/opus-mt-en-de",
            path=place,
        )
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise MissingExtraError("huggingface_hub", "interop", "a model by its name") from None
    try:
        fetched = Path(snapshot_download(place, revision=revision or None, allow_patterns=list(FILES)))
    except Exception as error:  # those of the network, of the client and of the disk have no common base
        reason = str(error).split("\n")[0]
        remedy = "check the name, the revision and the network, or fetch it elsewhere and give its folder"
        raise DataError(f"cannot be fetched from Hugging Face ({reason})", remedy, path=place) from None
    return Checkpoint(fetched, place, fetched.name)
