"""JoeyNMT: its own training loop, driven by the configuration that its documentation shows for a Transformer."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from joeynmt import training
from progress import END, PAD, START, UNKNOWN, Progress, Spec


def configuration(spec: Spec) -> dict[str, Any]:
    """JoeyNMT's configuration file, as a dict. The text is in pieces already, which it takes for words."""
    network, text, out = spec.network, Path(spec.text), Path(spec.out)
    specials = (UNKNOWN, PAD, START, END)
    pieces = out / "pieces.txt"
    pieces.write_text("".join(f"{piece}\n" for piece in spec.vocabulary() if piece not in specials), "utf-8")
    for split in ("train", "valid"):
        for side in ("source", "target"):  # it knows the sides of a corpus by its files' suffixes
            (out / f"{split}.{side}").symlink_to((text / f"{split}.{side}").resolve())
    side = {"level": "word", "lowercase": False, "voc_file": str(pieces), "max_length": network["max_length"]}
    layers = {
        "type": "transformer", "num_heads": network["num_heads"], "hidden_size": network["d_model"],
        "embeddings": {"embedding_dim": network["d_model"], "scale": True, "dropout": network["dropout"]},
        "ff_size": network["feed_forward"], "dropout": network["dropout"], "layer_norm": "pre",
    }  # fmt: skip
    never = 10**9
    return {
        "name": "benchmark", "model_dir": str(out / "model"), "use_cuda": False, "random_seed": 1,
        "data": {
            "train": str(out / "train"), "dev": str(out / "valid"), "dataset_type": "plain",
            "src": {"lang": "source", **side}, "trg": {"lang": "target", **side},
        },
        "training": {
            "optimizer": "adam", "adam_betas": [0.9, 0.98], "normalization": "tokens",
            "scheduling": "warmupinversesquareroot", "learning_rate": spec.learning_rate,
            "learning_rate_warmup": spec.warmup, "learning_rate_min": 0.0, "clip_grad_norm": 1.0,
            "label_smoothing": spec.label_smoothing, "loss": "crossentropy", "epochs": 10_000,
            "batch_size": spec.batch_tokens, "batch_type": "token", "shuffle": True,
            "validation_freq": spec.validate_every or never, "logging_freq": spec.validate_every or never,
            "early_stopping_metric": "loss", "keep_best_ckpts": 1, "print_valid_sents": [],
        },
        "testing": {"beam_size": 1, "batch_size": 64, "batch_type": "sentence", "eval_metrics": []},
        "model": {
            "tied_embeddings": True, "tied_softmax": True,
            "initializer": "xavier_uniform", "bias_initializer": "zeros", "embed_initializer": "xavier_uniform",
            "encoder": {**layers, "num_layers": network["encoder_layers"]},
            "decoder": {**layers, "num_layers": network["decoder_layers"]},
        },
    }  # fmt: skip


class WatchedManager(training.TrainManager):
    """Joey's training loop as it is; it only tells how far it is."""

    spec: Spec
    progress: Progress

    def train_and_validate(self, train_data: Any, valid_data: Any) -> None:
        self.progress = Progress(self.spec, "joeynmt", "torch")
        super().train_and_validate(train_data, valid_data)

    def _train_step(self, batch: Any) -> Any:
        cells = batch.src.numel() + batch.trg.numel()
        found = super()._train_step(batch)
        # The optimizer's step, a tenth of the time, follows: it is counted with the next batch.
        self.progress.updated(batch.ntokens, batch.ntokens + int(batch.src_length.sum()), cells)
        return found

    def _validate(self, valid_data: Any) -> None:
        began = time.monotonic()
        super()._validate(valid_data)
        translations = (self.model_dir / f"{self.stats.steps}.hyps").read_text("utf-8").splitlines()
        self.progress.validated(self.stats.steps, translations, began)


def main() -> None:
    """Train until stopped."""
    spec = Spec.read()
    torch.set_num_threads(spec.threads)
    config = configuration(spec)
    Path(config["model_dir"]).mkdir()
    WatchedManager.spec = spec
    training.TrainManager = WatchedManager
    training.train(rank=0, world_size=None, cfg=config, skip_test=True)


if __name__ == "__main__":
    main()
