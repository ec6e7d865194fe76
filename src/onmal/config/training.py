"""`[train]`: how a network learns, for how long, and on what."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from onmal.settings import Settings, Text

__all__ = ["TrainConfig"]


class TrainConfig(Settings):
    """The training loop. Times are in seconds where nothing else is said."""

    seed: int = Field(default=1, ge=0, lt=2**63)
    """Same seed, same data, same machine: same weights."""
    batch_tokens: int = Field(default=1024, ge=16)
    """Tokens per batch, padding included; all processes of a run share it out among them."""
    accumulate: int = Field(default=1, ge=1)
    """Batches whose gradients are summed before each update."""
    optimizer: Literal["adam", "muon"] = "adam"
    """What turns gradients into updates: Adam (Kingma & Ba 2015), or Muon (Jordan 2024) for the matrices inside the network."""
    learning_rate: float = Field(default=0.002, gt=0)
    """The highest rate, reached after warm-up."""
    warmup: int = Field(default=1000, ge=0)
    """Updates over which the rate rises linearly from 0; no more than a tenth of the run."""
    schedule: Literal["inverse-sqrt", "cosine", "linear"] = "inverse-sqrt"
    """How the rate falls after warm-up; cosine and linear reach 0 at the end of the run."""
    cooldown: float = Field(default=0.0, ge=0, le=1)
    """Share of the run at its end over which the rate falls to 0, whatever the schedule."""
    beta1: float = Field(default=0.9, ge=0, lt=1)
    """Adam's decay of the mean gradient."""
    beta2: float = Field(default=0.98, ge=0, lt=1)
    """Adam's decay of the squared gradient."""
    weight_decay: float = Field(default=0.0, ge=0)
    """Decoupled weight decay (AdamW), on matrices only."""
    clip_norm: float = Field(default=1.0, ge=0)
    """Gradients are scaled down to this norm; 0 never."""
    sampled_share: float = Field(default=1.0, ge=0, le=1)
    """Share of the run, in whole pools, in which data.subword_sampling is at work; then text is segmented as in translation."""
    reversed_share: float = Field(default=0.0, ge=0, le=1)
    """Share of the run, in whole epochs, in which at first each pair is learned the other way round, too (Ding 2021: a third)."""
    label_smoothing: float = Field(default=0.1, ge=0, lt=1)
    """Probability mass spread over all words (Szegedy 2016)."""
    r_drop: float = Field(default=0.0, ge=0)
    """How much two passes over a batch, with other dropout, must agree (Liang 2021: 5); doubles an update's time."""
    distillation: float = Field(default=0.0, ge=0, le=1)
    """Share of each word's reference that is what the model of train.start expects there (Hinton 2015, Kim & Rush 2016: 0.5)."""
    word_dropout: float = Field(default=0.0, ge=0, lt=1)
    """Probability that the network does not see a word of the source, or of the target so far (Sennrich 2016: 0.1)."""
    ema: float = Field(default=0.0, ge=0, lt=1)
    """Decay per update of a moving average of the weights, which is then what is validated and saved; about 0.999."""
    max_updates: int = Field(default=0, ge=0)
    """Stop after so many updates; 0 leaves it to max_epochs and time."""
    max_epochs: int = Field(default=0, ge=0)
    """Stop after so many passes over the training text; 0 leaves it to max_updates and time."""
    minutes: float = Field(default=0.0, ge=0)
    """Stop after so many minutes of training; the schedule is planned for them."""
    validate_every: int = Field(default=500, ge=1)
    """Updates between validations."""
    patience: int = Field(default=0, ge=0)
    """Stop after so many validations without a better score; 0 never stops early."""
    average: int = Field(default=10, ge=1)
    """The saved model is the mean of the weights at the last so many validations, or the best alone if that scores higher."""
    save_every: int = Field(default=600, ge=1)
    """Seconds between checkpoints from which `--resume` continues."""
    spike: float = Field(default=20.0, ge=0)
    """An update whose gradient norm is so many times the usual one is skipped; 0 never."""
    max_skipped: int = Field(default=20, ge=0)
    """After more skipped updates in a row than this the run goes back to its last checkpoint, at half the rate."""
    max_rollbacks: int = Field(default=3, ge=0)
    """Give up when the run has gone back so often."""
    processes: int = Field(default=0, ge=0)
    """Processes that share each batch; 0 chooses by cores or GPUs. The number is kept when a run is resumed."""
    sharded: bool = False
    """Each process keeps only its share of weights and optimizer (FSDP2), for networks that do not fit with these."""
    threads: int = Field(default=0, ge=0)
    """Processor threads of each process; 0 shares out all cores."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of matrix products; weights and sums stay in float32. auto: bfloat16 where the processor has units for it."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where the network runs."""
    start: Text = ""
    """Folder of the model that training goes on from, with its tokenizer and languages, a Transformer with all its layers or fewer; empty begins with random weights."""
    lora: int = Field(default=0, ge=0)
    """Rank of the low-rank updates of the projections that alone are trained (Hu 2021); 0 trains all weights."""

    @model_validator(mode="after")
    def _low_rank_has_a_start(self) -> Self:
        if self.lora and not self.start:
            raise ValueError("lora changes a model that is trained already; name its folder as train.start")
        if self.lora and self.sharded:
            raise ValueError("the updates of lora are small enough for each process; set sharded = false")
        return self

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if not (self.max_updates or self.max_epochs or self.minutes):
            raise ValueError("the run would never end; give max_updates, max_epochs or minutes")
        return self

    @model_validator(mode="after")
    def _muon_has_whole_matrices(self) -> Self:
        if self.optimizer == "muon" and self.sharded:
            raise ValueError('muon needs whole matrices, and sharded shares them out; set optimizer = "adam"')
        return self
