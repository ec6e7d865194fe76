"""A trained model as a folder: everything needed to translate, nothing else, no pickle.

config.json           format version, languages, network, vocabulary
tokenizer.model       or source.model and target.model
weights.safetensors
shortlist.safetensors which words a source suggests, if that was learned
card.json             what it was trained on, for how long, and how well it does
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from onmal.config import ModelConfig, SearchConfig, Vocabulary
from onmal.errors import ConfigError, LanguageError, ModelFolderError
from onmal.models import Seq2Seq, build
from onmal.shortlist.table import SHORTLIST, Shortlist
from onmal.text.language import canonical
from onmal.text.tokenizer import Tokenizer

__all__ = ["FORMAT", "SavedModel", "load_model", "read_folder", "read_json", "save_model", "write_json"]

FORMAT = 1
"""Version of the folder's layout; an older one is migrated when read, a newer one refused."""

TOKENIZERS = ("tokenizer.model", "source.model", "target.model")
FILES = ("config.json", "card.json", *TOKENIZERS, "weights.safetensors", SHORTLIST)


@dataclass(frozen=True)
class SavedModel:
    """A network with its tokenizer, its directions and its card."""

    model: Seq2Seq
    tokenizer: Tokenizer
    config: ModelConfig
    directions: tuple[tuple[str, str], ...]
    """(source language, target language), BCP 47."""
    card: dict[str, Any] = field(default_factory=dict)
    shortlist: Shortlist | None = None

    @property
    def trained_lengths(self) -> tuple[int, int]:
        """Longest source and target [tokens, end included] seen in training; the network's own limits if not recorded."""
        longest = self.card.get("trained_lengths", {})
        source, target = self.model.longest_source, self.model.longest_target
        return min(longest.get("source") or source, source), min(longest.get("target") or target, target)

    @property
    def search(self) -> SearchConfig:
        """How its recipe looks for the best translation; the usual way if not recorded."""
        return SearchConfig(**self.card.get("run", {}).get("search", {}))


def save_model(folder: Path, saved: SavedModel) -> None:
    """Write the folder whole or not at all: made beside its place, then moved there."""
    description = {
        "format": FORMAT,
        "directions": [list(direction) for direction in saved.directions],
        "tags": list(saved.tokenizer.tags),
        "model": saved.config.model_dump(),
        "vocabulary": saved.model.vocabulary.model_dump(),
    }
    weights = {name: p.detach().cpu().contiguous() for name, p in saved.model.named_parameters()}
    folder = folder.absolute()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise ModelFolderError(
            f"cannot be written ({error.strerror})", "choose another place", path=folder
        ) from None
    try:
        write_json(beside / "config.json", description)
        write_json(beside / "card.json", saved.card)
        saved.tokenizer.save(beside)
        if saved.shortlist:
            saved.shortlist.save(beside)
        save_file(weights, beside / "weights.safetensors")
        # Temporary folders and safetensors files are their owner's alone; a model may be read by whoever may read the rest.
        beside.chmod(0o755)
        for tensors in beside.glob("*.safetensors"):
            tensors.chmod((beside / "config.json").stat().st_mode & 0o777)
        _move_into_place(beside, folder)
    except (OSError, SafetensorError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise ModelFolderError(
            f"cannot be written ({reason})", "free some space or choose another place", path=folder
        ) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _move_into_place(beside: Path, folder: Path) -> None:
    """Rename file by file into an existing folder (which may hold a run's other files), or the folder as one."""
    if not folder.exists():
        beside.rename(folder)
        return
    moved: list[tuple[Path, Path]] = []

    def move(name: str, origin: Path, goal: Path) -> None:
        if (origin / name).exists():
            os.replace(origin / name, goal / name)
            moved.append((origin / name, goal / name))

    before = beside / "before"
    before.mkdir()
    try:
        # The description goes first and comes last: a power cut may leave no model, but never a mixture of two.
        for name in FILES:
            move(name, folder, before)
        for name in reversed(FILES):
            move(name, beside, folder)
    except BaseException:
        for origin, goal in reversed(moved):
            os.replace(goal, origin)
        raise


def read_folder(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """A folder's description and card, checked; anything else is a ModelFolderError of one line."""
    try:
        found = folder.exists()
    except OSError:  # a name too long, as of a text given for a folder, or a place one may not look into
        found = False
    if not found:
        raise ModelFolderError(
            "there is no such model folder", "check the path, or train one: onmal train", path=folder
        )
    if not folder.is_dir() or not (folder / "config.json").exists():
        raise ModelFolderError(
            "is not an onmal model folder (it has no config.json)",
            "give the folder that onmal train wrote",
            path=folder,
        )
    description = read_json(folder / "config.json")
    version = description.get("format")
    if not isinstance(version, int) or not {"model", "vocabulary", "directions"} <= description.keys():
        raise ModelFolderError(
            "is not an onmal model description", "give an onmal folder", path=folder / "config.json"
        )
    if version > FORMAT:
        raise ModelFolderError(
            f"has format {version}, newer than this onmal's {FORMAT}",
            "upgrade: pip install -U onmal",
            path=folder,
        )
    card = read_json(folder / "card.json") if (folder / "card.json").exists() else {}
    return description, card


def load_model(folder: str | Path, device: str | torch.device = "cpu") -> SavedModel:
    """Read a model folder, ready to translate (`eval` mode)."""
    folder = Path(folder)
    description, card = read_folder(folder)
    try:
        config = ModelConfig(**description["model"])
        vocabulary = Vocabulary(**description["vocabulary"])
        pairs = description["directions"]
        directions = tuple((canonical(source), canonical(target)) for source, target in pairs)
        tags = tuple(map(str, description.get("tags", ())))
        if not directions:
            raise ValueError("it names no direction")
        model = build(config, vocabulary)
    except (ConfigError, LanguageError, AttributeError, TypeError, ValueError) as error:
        raise ModelFolderError(
            f"is damaged: {error}", "copy the folder again", path=folder / "config.json"
        ) from None
    except (MemoryError, RuntimeError) as error:  # torch's, for sizes that no machine has
        told = str(error).partition("\n")[0]
        raise ModelFolderError(
            f"its network does not fit into memory ({told})",
            "copy the folder again",
            path=folder / "config.json",
        ) from None
    tokenizer = Tokenizer.load(folder, tags)
    if (own := tokenizer.vocabulary) != vocabulary:
        raise ModelFolderError(
            f"its tokenizer has {own} and its network {vocabulary}", "copy both again", path=folder
        )
    _load_weights(model, folder / "weights.safetensors")
    shortlist = Shortlist.load(folder, vocabulary)
    saved = SavedModel(model.to(device).eval(), tokenizer, config, directions, card, shortlist)
    try:
        _ = saved.trained_lengths, saved.search
    except (ConfigError, AttributeError, TypeError) as error:
        raise ModelFolderError(f"is damaged: {error}", "copy it again", path=folder / "card.json") from None
    return saved


def _load_weights(model: Seq2Seq, path: Path) -> None:
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelFolderError(
            f"cannot be read, it is missing or damaged ({error})", "copy it again", path=path
        ) from None
    wanted = dict(model.named_parameters())
    wrong = [
        *(f"{name} is missing" for name in sorted(wanted.keys() - weights.keys())),
        *(f"{name} is unknown" for name in sorted(weights.keys() - wanted.keys())),
        *(
            f"{name} has shape {list(weights[name].shape)} instead of {list(wanted[name].shape)}"
            for name in sorted(wanted.keys() & weights.keys())
            if wanted[name].shape != weights[name].shape
        ),
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise ModelFolderError(
            f"does not fit config.json: {', '.join(wrong[:3])}{more}", "copy both again", path=path
        )
    with torch.no_grad():
        for name, parameter in wanted.items():
            parameter.copy_(weights[name])


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file of a folder. Raises ModelFolderError."""
    try:
        values = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ModelFolderError(
            f"cannot be read ({error.strerror})", "copy the folder again", path=path
        ) from None
    except (ValueError, RecursionError) as error:
        raise ModelFolderError(f"is not valid JSON ({error})", "copy the folder again", path=path) from None
    if not isinstance(values, dict):
        raise ModelFolderError("is not a JSON object", "copy the folder again", path=path)
    return values


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """An object, as people can read it."""
    path.write_text(json.dumps(values, ensure_ascii=False, indent=2) + "\n", "utf-8")
