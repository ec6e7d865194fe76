"""What a run begins with: nothing, or a trained model that it goes on from, all of it or by low-rank updates."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onmal.config import RunConfig, Vocabulary
from onmal.data.prepare import tags_of
from onmal.errors import ConfigError, LanguageError
from onmal.low_rank import add_low_rank, merge_low_rank
from onmal.models import Seq2Seq, Transformer, build
from onmal.saved_model import SavedModel, load_model
from onmal.shallower import leave_out_layers
from onmal.text.tokenizer import Tokenizer

__all__ = ["Origin", "TrainedModel", "origin_of", "weights_sha256"]

NOISE = ("dropout", "attention_dropout", "feed_forward_dropout")
"""What may be otherwise than when a network was trained before: it changes no weight's place or meaning."""
DEPTHS = ("encoder_layers", "decoder_layers")
"""What may be less in a Transformer."""


class Origin:
    """Nothing: the tokenizer is learned from the text, and the network's weights are random."""

    tokenizer: Tokenizer | None = None
    """The one that the run has to keep."""

    def __init__(self, config: RunConfig) -> None:
        self.config = config

    @property
    def tags(self) -> tuple[str, ...]:
        """The control symbols of the tokenizer."""
        return tags_of(self.config.data)

    @property
    def directions(self) -> tuple[tuple[str, str], ...]:
        """(source, target) languages of the model that will be saved."""
        return self.config.data.directions

    def network(self, vocabulary: Vocabulary) -> Seq2Seq:
        """What is trained, as it is before the first update; random numbers come from torch."""
        return build(self.config.model, vocabulary)

    def teacher(self) -> Seq2Seq | None:
        """A network with the same words, from whose expectations the trained one learns, too."""
        return None

    def facts(self, model: Seq2Seq) -> dict[str, Any]:
        """What is told of it when the run begins."""
        return {}

    def whole(self, model: Seq2Seq) -> Seq2Seq:
        """What has been trained, as an ordinary network."""
        return model

    def card(self, card: Mapping[str, Any]) -> dict[str, Any]:
        """The card of the model that will be saved."""
        return dict(card)


class TrainedModel(Origin):
    """The model in a folder: tokenizer, languages and sizes stay what they are; of a Transformer's layers some may be left out.

    Where both languages share one tokenizer and one table of words it may be a model of the other direction, which learns to say what it has read.

    Raises ModelFolderError; ConfigError for settings of another network, LanguageError for a direction that it does not know.
    """

    def __init__(self, config: RunConfig) -> None:
        super().__init__(config)
        self.folder = Path(config.train.start)
        self.saved = load_model(self.folder)
        self.tokenizer = self.saved.tokenizer
        self.turned = _turned(config, self.saved)
        _refuse_misfits(config, self.saved, turned=self.turned)

    @property
    def tags(self) -> tuple[str, ...]:
        return self.saved.tokenizer.tags

    @property
    def directions(self) -> tuple[tuple[str, str], ...]:
        """Those of the model; without some of its layers, or turned round, the network knows those that it is taught."""
        before, now = self.saved.config, self.config.model
        whole = all(getattr(before, depth) == getattr(now, depth) for depth in DEPTHS)
        return self.saved.directions if whole and not self.turned else super().directions

    def network(self, vocabulary: Vocabulary) -> Seq2Seq:
        model = super().network(vocabulary)
        trained = self.saved.model
        if isinstance(trained, Transformer):
            leave_out_layers(trained, self.config.model.encoder_layers, self.config.model.decoder_layers)
        model.load_state_dict(trained.state_dict())
        if rank := self.config.train.lora:
            add_low_rank(model, rank)
        return model

    def teacher(self) -> Seq2Seq | None:
        """The model as it was, whole."""
        if not self.config.train.distillation:
            return None
        return load_model(self.folder).model.requires_grad_(False).eval()

    def facts(self, model: Seq2Seq) -> dict[str, Any]:
        trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
        return {"goes on from": str(self.folder), "trained parameters": trained}

    def whole(self, model: Seq2Seq) -> Seq2Seq:
        if self.config.train.lora:
            merge_low_rank(model)
        return model

    def card(self, card: Mapping[str, Any]) -> dict[str, Any]:
        # Short new text takes nothing from what the model has seen before.
        seen = card["trained_lengths"]
        sides = ("target", "source") if self.turned else ("source", "target")
        before = dict(zip(sides, self.saved.trained_lengths, strict=True))
        # Where the tokenizer came from stays true of it, and export needs it.
        kept = {"imported": self.saved.card["imported"]} if "imported" in self.saved.card else {}
        return {
            **card,
            **kept,
            "trained_lengths": {side: max(longest, before[side]) for side, longest in seen.items()},
            "started_from": {"folder": str(self.folder), "weights_sha256": weights_sha256(self.folder)},
        }


def origin_of(config: RunConfig) -> Origin:
    """What a run with these settings begins with. Raises ConfigError for one that shall learn from a model and names none."""
    if config.train.distillation and not config.train.start:
        raise ConfigError(
            "train.distillation learns from the model that the run goes on from",
            "give --teacher MODEL --from-teacher, or name its folder as train.start",
        )
    return TrainedModel(config) if config.train.start else Origin(config)


def _turned(config: RunConfig, saved: SavedModel) -> bool:
    """Whether the model translates the other way round, and can be taught this one: both languages have one tokenizer and one table of words."""
    directions = tuple((target, source) for source, target in config.data.directions)
    joint = saved.tokenizer.joint and saved.config.tie == "all"
    return joint and len(directions) == 1 and directions == saved.directions


def _refuse_misfits(config: RunConfig, saved: SavedModel, *, turned: bool) -> None:
    """ConfigError or LanguageError for settings that are not those of the model to go on from."""
    start = config.train.start
    own, asked = saved.config.model_dump(), config.model.model_dump()
    for option, value in asked.items():
        if option in DEPTHS and isinstance(saved.model, Transformer) and value < own[option]:
            continue
        if own.get(option) != value and option not in NOISE:
            raise ConfigError(
                f"model.{option} = {value!r}, but {start} has {own.get(option)!r}",
                "leave it away, or train a new model without train.start",
            )
    if turned and config.train.distillation:
        raise ConfigError(
            f"train.distillation learns what a model expects, and {start} translates the other way round",
            "set train.distillation = 0",
        )
    for source, target in config.data.directions:
        if (source, target) not in saved.directions and not turned:
            raise LanguageError(
                f"{start} does not translate from {source or '?'} to {target or '?'}",
                f"its directions are {', '.join(map('-'.join, saved.directions))}; another one needs a new model: onmal train",
            )
    for text in config.data.mix:
        if text.tag and f"<{text.tag}>" not in saved.tokenizer.tags:
            raise ConfigError(
                f"{start} has no tag {text.tag!r}, which data.mix gives a text",
                "leave the tag away, or train a new model without train.start",
            )
    kinds = saved.tokenizer.source.kind, saved.tokenizer.target.kind
    if config.data.subword_sampling and "imported" in saved.card and "bpe" in kinds:
        raise ConfigError(
            "data.subword_sampling goes by the order in which merges were learned, which an imported tokenizer does not tell",
            "set data.subword_sampling = 0",
        )


def weights_sha256(folder: Path) -> str:
    """The fingerprint of a model's weights."""
    with (folder / "weights.safetensors").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
