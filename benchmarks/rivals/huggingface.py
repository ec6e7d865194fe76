"""Hugging Face: MarianMTModel with random weights, trained by Seq2SeqTrainer.

Options: `sampling` is the trainer's train_sampling_strategy, `bf16` its bf16.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch
from progress import END, PAD, START, Progress, Spec
from torch.nn.utils.rnn import pad_sequence
from transformers import (
    MarianConfig,
    MarianMTModel,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    TrainerCallback,
)
from transformers.models.marian.modeling_marian import shift_tokens_right

VALIDATION_BATCH = 64
IGNORED = -100  # labels that the loss leaves out


class CountingTrainer(Seq2SeqTrainer):
    """The trainer as it is; it only remembers how many tokens its last batch had."""

    def training_step(self, model: Any, inputs: dict[str, torch.Tensor], *rest: Any) -> torch.Tensor:
        labels, mask = inputs["labels"], inputs["attention_mask"]
        self.tokens = int((labels != IGNORED).sum())
        self.real, self.cells = self.tokens + int(mask.sum()), labels.numel() + mask.numel()
        return super().training_step(model, inputs, *rest)


class Watch(TrainerCallback):
    """Tells the progress after every update, and translates the validation text now and then."""

    def __init__(self, spec: Spec, ids: dict[str, int]) -> None:
        self.spec, self.pieces, self.ids = spec, list(ids), ids
        self.progress: Progress
        self.trainer: CountingTrainer

    def on_train_begin(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        self.progress = Progress(self.spec, "transformers", "accelerate", "torch")

    def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        trainer = self.trainer
        self.progress.updated(trainer.tokens, trainer.real, trainer.cells)
        every = self.spec.validate_every
        if every and state.global_step % every == 0:
            began = time.monotonic()
            self.progress.validated(state.global_step, self.translate(trainer.model), began)

    @torch.no_grad()
    def translate(self, model: MarianMTModel) -> list[str]:
        """Greedy translations, in batches of sentences of like length."""
        sources = encoded(self.spec.pieces("valid.source"), self.ids)
        order = sorted(range(len(sources)), key=lambda index: len(sources[index]))
        found = [""] * len(sources)
        special = {self.ids[PAD], self.ids[START], self.ids[END]}
        model.eval()
        for start in range(0, len(order), VALIDATION_BATCH):
            chosen = order[start : start + VALIDATION_BATCH]
            source = pad_sequence([torch.tensor(sources[index]) for index in chosen], True, self.ids[PAD])
            longest = int(1.5 * source.shape[1]) + 10
            rows = model.generate(
                input_ids=source, attention_mask=(source != self.ids[PAD]).long(), num_beams=1, do_sample=False, max_new_tokens=longest,
            )  # fmt: skip
            for index, row in zip(chosen, rows.tolist(), strict=True):
                found[index] = " ".join(self.pieces[i] for i in row if i not in special)
        model.train()
        return found


def encoded(sentences: Sequence[Sequence[str]], ids: dict[str, int]) -> list[list[int]]:
    """Ids of sentences, end token included."""
    return [[*(ids[piece] for piece in sentence), ids[END]] for sentence in sentences]


def collate(rows: Sequence[dict[str, list[int]]], pad: int, start: int) -> dict[str, torch.Tensor]:
    """Padded to the longest of the batch; the decoder's inputs are the labels, one to the right, as label smoothing needs."""
    source = pad_sequence([torch.tensor(row["input_ids"]) for row in rows], True, pad)
    labels = pad_sequence([torch.tensor(row["labels"]) for row in rows], True, IGNORED)
    inputs = shift_tokens_right(labels, pad, start)
    mask = (source != pad).long()
    return {"input_ids": source, "attention_mask": mask, "labels": labels, "decoder_input_ids": inputs}


def build(spec: Spec, ids: dict[str, int]) -> MarianMTModel:
    """The same sizes as onmal's network; Marian's own places for the norms (after), positions by sines."""
    network = spec.network
    config = MarianConfig(
        vocab_size=len(ids), d_model=network["d_model"], max_position_embeddings=network["max_length"],
        encoder_layers=network["encoder_layers"], decoder_layers=network["decoder_layers"],
        encoder_attention_heads=network["num_heads"], decoder_attention_heads=network["num_heads"],
        encoder_ffn_dim=network["feed_forward"], decoder_ffn_dim=network["feed_forward"],
        activation_function="relu", dropout=network["dropout"], scale_embedding=True,
        share_encoder_decoder_embeddings=True, tie_word_embeddings=True,
        init_std=network["d_model"] ** -0.5, decoder_start_token_id=ids[START],
        pad_token_id=ids[PAD], bos_token_id=ids[START], eos_token_id=ids[END], forced_eos_token_id=None,
    )  # fmt: skip
    return MarianMTModel(config)


def main() -> None:
    """Train until stopped."""
    spec = Spec.read()
    torch.set_num_threads(spec.threads)
    torch.manual_seed(1)
    ids = {piece: number for number, piece in enumerate(spec.vocabulary())}
    sides = [encoded(spec.pieces(f"train.{side}"), ids) for side in ("source", "target")]
    rows = [{"input_ids": source, "labels": target} for source, target in zip(*sides, strict=True)]
    arguments = Seq2SeqTrainingArguments(
        output_dir=spec.out, use_cpu=True, per_device_train_batch_size=spec.sentences,
        train_sampling_strategy=spec.options.get("sampling", "random"), bf16=spec.options.get("bf16", False),
        num_train_epochs=10_000, learning_rate=spec.learning_rate, adam_beta2=0.98,
        lr_scheduler_type="inverse_sqrt", warmup_steps=spec.warmup,
        label_smoothing_factor=spec.label_smoothing, save_strategy="no", eval_strategy="no",
        logging_strategy="no", report_to=[], disable_tqdm=True, seed=1,
    )  # fmt: skip
    watch = Watch(spec, ids)
    watch.trainer = CountingTrainer(
        build(spec, ids),
        arguments,
        lambda batch: collate(batch, ids[PAD], ids[START]),
        rows,
        callbacks=[watch],
    )
    watch.trainer.train()


if __name__ == "__main__":
    main()
