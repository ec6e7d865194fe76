"""All sections of a run together: what must fit from one to another, and TOML in and out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import model_validator

from onmal.config.data import DataConfig
from onmal.config.network import SIZES, ModelConfig, Size
from onmal.config.search import SearchConfig
from onmal.config.training import TrainConfig
from onmal.errors import ConfigError
from onmal.settings import Settings, Text, apply_overrides, read_toml, unknown_setting

__all__ = ["SECTIONS", "RunConfig"]

SECTIONS: dict[str, type[Settings]] = {
    "model": ModelConfig,
    "data": DataConfig,
    "train": TrainConfig,
    "search": SearchConfig,
}


class RunConfig(Settings):
    """A whole run: what `onmal train CONFIG.toml` reads and what its folder records."""

    name: Text = "model"
    size: Size | None = None
    model: ModelConfig
    data: DataConfig
    train: TrainConfig
    search: SearchConfig

    @model_validator(mode="after")
    def _sentences_fit(self) -> Self:
        shortest = min(("max_source_length", "max_target_length"), key=lambda side: getattr(self.model, side))
        limit = getattr(self.model, shortest)
        if self.data.max_length > limit:
            raise ValueError(
                f"data.max_length = {self.data.max_length} is more than model.{shortest} = {limit}; "
                f"make model.{shortest} as large"
            )
        return self

    @model_validator(mode="after")
    def _texts_can_be_read_again(self) -> Self:
        if not self.data.shards and any("-" in text.train for text in self.data.mix):
            raise ValueError("a text of data.mix cannot be standard input; make shards: onmal prepare --help")
        return self

    @model_validator(mode="after")
    def _the_start_has_the_tokenizer(self) -> Self:
        if self.train.start and self.data.shards:
            raise ValueError(
                "data.shards have a tokenizer of their own, and train.start has another; name the text as data.train"
            )
        return self

    @model_validator(mode="after")
    def _both_ways(self) -> Self:
        if self.train.reversed_share and not self.data.joint:
            raise ValueError(
                "train.reversed_share needs one vocabulary for both languages; set data.joint = true"
            )
        if self.train.reversed_share and self.data.both_directions:
            raise ValueError(
                "data.both_directions has each pair the other way round already; leave train.reversed_share away"
            )
        return self

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunConfig:
        """Build from nested mappings as TOML gives them; `size` fills what `[model]` leaves open."""
        for key, value in values.items():
            if key not in cls.model_fields:
                raise unknown_setting(key, key, cls.model_fields)
            if key in SECTIONS and not isinstance(value, Mapping):
                raise ConfigError(
                    f"{key!r} should be a section, not {value!r}", f"write [{key}] and its settings below"
                )
        size = values.get("size")
        if size is not None and size not in list(SIZES):
            raise ConfigError(f"size cannot be {size!r}", f"choose one of {', '.join(SIZES)}")
        sections = {name: dict(values.get(name, {})) for name in SECTIONS}
        sections["model"] = {**_sizes(size or "", sections["model"]), **sections["model"]}
        return cls(
            name=values.get("name", "model"),
            size=size,
            model=ModelConfig(**sections["model"]),
            data=DataConfig(**sections["data"]),
            train=TrainConfig(**sections["train"]),
            search=SearchConfig(**sections["search"]),
        )

    @classmethod
    def from_toml(cls, path: str | Path, overrides: Iterable[str] = ()) -> RunConfig:
        """Read a TOML file, then apply `a.b=c` overrides."""
        return cls.from_dict(apply_overrides(read_toml(path), overrides))

    def to_toml(self) -> str:
        """The run as TOML, every field spelled out, so that a later default cannot change it."""
        lines = [f"name = {_toml_value(self.name)}"]
        if self.size:
            lines.append(f"size = {_toml_value(self.size)}")
        for section in SECTIONS:
            lines += ["", f"[{section}]"]
            lines += [
                f"{key} = {_toml_value(value)}" for key, value in getattr(self, section).model_dump().items()
            ]
        return "\n".join(lines) + "\n"


def _sizes(size: str, model: Mapping[str, Any]) -> dict[str, Any]:
    """What a size fills in of a network's settings."""
    network = ModelConfig(network=model.get("network", "transformer"))
    return {option: value for option, value in SIZES.get(size, {}).items() if network.knows(option)}


def _toml_value(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_toml_value(each)}' for key, each in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml_value, value))}]"
    # JSON's strings, numbers, booleans and lists are valid TOML as they stand, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
