"""Models of Hugging Face by name, through its own client."""

from __future__ import annotations

import os
import re
from pathlib import Path

from onmal.errors import DataError, MissingExtraError, ModelFolderError

__all__ = ["checkpoint"]

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


def checkpoint(place: str) -> tuple[Path, str]:
    """The folder of a model and what it is called: a folder as it is, a name such as Helsinki-NLP/opus-mt-en-de once fetched.

    Only the files that are read are fetched, into the client's own cache. Raises ModelFolderError or DataError.
    """
    folder = Path(place)
    if os.path.isdir(folder):  # False for what cannot be a path, too
        return folder, folder.absolute().name
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
        fetched = snapshot_download(place, allow_patterns=list(FILES))
    except Exception as error:  # those of the network, of the client and of the disk have no common base
        reason = str(error).split("\n")[0]
        remedy = "check the name and the network, or fetch it elsewhere and give its folder"
        raise DataError(f"cannot be fetched from Hugging Face ({reason})", remedy, path=place) from None
    return Path(fetched), place
