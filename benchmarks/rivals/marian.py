"""Marian, from the wheel of pymarian: the trainer as a process of its own, whose log is read line by line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

from progress import END, UNKNOWN, Progress, Spec

UPDATE = re.compile(r"Up\. (\d+) .* after ([\d,]+) ")
VALIDATION = re.compile(r"\[valid\] Ep\. \d+ : Up\. (\d+) : translation")


def command(spec: Spec) -> list[str]:
    """The trainer's command line; threads train together on one batch, each on its share."""
    network, text, out = spec.network, Path(spec.text), Path(spec.out)
    specials = {piece: number for number, piece in enumerate((END, UNKNOWN))}
    pieces = [piece for piece in spec.vocabulary() if piece not in specials]
    vocabulary = out / "vocabulary.yml"  # JSON is YAML
    vocabulary.write_text(json.dumps({**specials, **{p: n + 2 for n, p in enumerate(pieces)}}), "utf-8")
    settings = {
        "type": "transformer", "model": out / "model.npz", "seed": 1,
        "train-sets": (text / "train.source", text / "train.target"), "vocabs": (vocabulary, vocabulary),
        "dim-emb": network["d_model"], "transformer-heads": network["num_heads"],
        "transformer-dim-ffn": network["feed_forward"], "transformer-ffn-activation": "relu",
        "enc-depth": network["encoder_layers"], "dec-depth": network["decoder_layers"],
        "transformer-dropout": network["dropout"], "max-length": network["max_length"],
        "label-smoothing": spec.label_smoothing, "optimizer-params": (0.9, 0.98, 1e-9), "clip-norm": 1,
        "learn-rate": spec.learning_rate, "lr-warmup": spec.warmup, "lr-decay-inv-sqrt": spec.warmup,
        "cpu-threads": spec.threads, "mini-batch": 1000, "maxi-batch": 1000, "workspace": 1024,
        "mini-batch-words": spec.batch_tokens // spec.threads, "mini-batch-round-up": "false",
        "disp-freq": "1u", "save-freq": f"{spec.validate_every or 1000000}u", "after": "10000e", "overwrite": "true",
    }  # fmt: skip
    if spec.validate_every:
        script = out / "no_score.sh"  # translations are scored by who reads them
        script.write_text("#!/bin/sh\necho 0\n")
        script.chmod(0o755)
        settings |= {
            "valid-sets": (text / "valid.source", text / "valid.target"), "valid-metrics": "translation",
            "valid-freq": f"{spec.validate_every}u", "valid-script-path": script, "beam-size": 1,
            "valid-translation-output": out / "valid-{U}.txt", "early-stopping": 0, "valid-mini-batch": 64,
        }  # fmt: skip
    words = [Path(sys.executable).with_name("pymarian"), "train", "--tied-embeddings-all", "--sync-sgd"]
    for name, value in settings.items():
        words += [f"--{name}", *(value if isinstance(value, tuple) else (value,))]
    return [str(word) for word in words]


def main() -> None:
    """Train until stopped."""
    spec = Spec.read()
    words = command(spec)
    progress = Progress(spec, "pymarian")
    trainer = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    assert trainer.stderr is not None
    seen, last = 0, time.monotonic()
    for line in trainer.stderr:
        if found := VALIDATION.search(line):
            file = Path(spec.out, f"valid-{found[1]}.txt")
            progress.validated(int(found[1]), file.read_text("utf-8").split("\n")[:-1], last)
        elif found := UPDATE.search(line):
            labels, last = int(found[2].replace(",", "")), time.monotonic()
            progress.updated(labels - seen)
            seen = labels
        else:
            print(line, end="", flush=True)
    sys.exit(trainer.wait())


if __name__ == "__main__":
    main()
