"""What a rival's driver is told, and what it tells: the text in pieces, and one line of JSON per update.

Imported inside the rivals' own virtual environments, so it needs nothing but Python. A driver is started as
`python DRIVER.py SPEC.json` and trains until it is stopped from outside.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAD, START, END, UNKNOWN = "<pad>", "<s>", "</s>", "<unk>"


@dataclass(frozen=True)
class Spec:
    """One contestant's task."""

    text: str
    """Folder with train.source, train.target, valid.source, valid.target (pieces, a sentence a line) and vocabulary.txt."""
    out: str
    """Folder of this contestant: progress-RANK.jsonl, and whatever its toolkit writes."""
    network: dict[str, Any]
    """d_model, num_heads, feed_forward, encoder_layers, decoder_layers, dropout, max_length."""
    batch_tokens: int
    sentences: int
    """Sentences that fill a batch on average, for a toolkit that counts those."""
    label_smoothing: float
    threads: int
    learning_rate: float
    warmup: int
    validate_every: int
    """Updates between translations of the validation text; 0 never."""
    options: dict[str, Any]
    """What one variant of a driver does differently from another."""

    @classmethod
    def read(cls) -> Spec:
        """The task that the command line names."""
        return cls(**json.loads(Path(sys.argv[1]).read_text("utf-8")))

    def pieces(self, name: str) -> list[list[str]]:
        """A file of the text, such as "train.source"."""
        lines = Path(self.text, name).read_text("utf-8").split("\n")
        return [line.split(" ") for line in lines[:-1]]

    def vocabulary(self) -> list[str]:
        """All pieces by id: <pad>, <s>, </s>, <unk>, then the others."""
        return Path(self.text, "vocabulary.txt").read_text("utf-8").split("\n")[:-1]


class Progress:
    """One process's account of its training."""

    def __init__(self, spec: Spec, *packages: str, rank: int = 0) -> None:
        self.folder = Path(spec.out)
        self.log = self.folder / f"progress-{rank}.jsonl"
        self.begun = time.monotonic()
        self.validating = 0.0  # seconds that went into translating the validation text
        versions = {name: importlib.metadata.version(name) for name in packages}
        self._write(event="begun", pid=os.getpid(), versions=versions)

    def updated(self, tokens: int, real: int | None = None, cells: int | None = None) -> None:
        """After an update: its target tokens; its tokens of both sides, without padding and with."""
        self._write(event="update", tokens=tokens, real=real, cells=cells)

    def validated(self, update: int, translations: list[str], began: float) -> None:
        """After translating the validation text, which began at `began`; a translation is pieces with spaces between."""
        self.validating += time.monotonic() - began
        path = self.folder / f"valid-{update}.pieces"
        path.write_text("".join(f"{line}\n" for line in translations), "utf-8")
        seconds = time.monotonic() - self.begun - self.validating
        self._write(event="validation", update=update, seconds=seconds, file=path.name)

    def _write(self, **values: Any) -> None:
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"time": time.monotonic(), **values}) + "\n")
