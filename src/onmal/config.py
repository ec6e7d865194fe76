"""Every setting of onmal in one place: the network, the data, the training run and the search.

All classes are frozen and refuse unknown keys. A run is described by one TOML file with the sections `[model]`, `[data]`,
`[train]` and `[search]`; `size = "tiny" | "small" | "base" | "big"` at its top fills in what `[model]` leaves open.
The docstring under each field is its help text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from math import exp, log
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from onmal.errors import ConfigError
from onmal.settings import Settings, Text, apply_overrides, read_toml, unknown_setting

__all__ = [
    "OPTIONS",
    "SIZES",
    "DataConfig",
    "DataMixConfig",
    "ModelConfig",
    "RunConfig",
    "SearchConfig",
    "Size",
    "TrainConfig",
    "Vocabulary",
]

Size = Literal["tiny", "small", "base", "big"]
PositionKind = Literal["learned", "sinusoidal", "sinusoidal-halves", "rotary", "none"]
Activation = Literal["relu", "gelu", "swish", "swiglu"]
Network = Literal["transformer", "gru", "gru-attention", "convolution"]

_POSITIONS = {"source_positions", "target_positions"}
_RECURRENT = {"hidden_size", "bidirectional"}
OPTIONS: dict[Network, set[str]] = {
    "transformer": {
        *_POSITIONS, "num_heads", "feed_forward", "norm", "norm_order", "activation", "attention_dropout",
        "feed_forward_dropout",
    },
    "gru": _RECURRENT,
    "gru-attention": {*_RECURRENT, "attention", "input_feeding"},
    "convolution": {*_POSITIONS, "hidden_size", "kernel_size"},
}  # fmt: skip
"""What each network has of the settings that not all of them have; a network refuses those of the others."""


class Vocabulary(Settings):
    """What a network must know of its tokenizers: sizes and special ids, no strings."""

    source_size: int = Field(gt=0)
    target_size: int = Field(gt=0)
    pad: int = 0
    """Fills rows up to the longest; the source mask is `source != pad`."""
    start: int = 1
    """First token fed to the decoder; may be the pad id (Marian)."""
    end: int = 2
    """Ends every source and target sentence."""


class ModelConfig(Settings):
    """The network. Sizes are in units of vector components, tokens or layers."""

    network: Network = "transformer"
    """Which network translates."""
    d_model: int = Field(default=256, gt=0)
    """Width of every word vector, and of the states that words are chosen by."""
    num_heads: int = Field(default=4, gt=0)
    """Attention heads; d_model is split evenly among them."""
    feed_forward: int = Field(default=1024, gt=0)
    """Width of the hidden layer of each feed-forward network."""
    encoder_layers: int = Field(default=4, ge=1)
    """Layers of the encoder."""
    decoder_layers: int = Field(default=4, ge=1)
    """Layers of the decoder."""
    source_positions: PositionKind = "learned"
    """How the encoder is told the order of words."""
    target_positions: PositionKind = "learned"
    """How the decoder is told the order of words."""
    max_source_length: int = Field(default=256, gt=1)
    """Longest source sentence in tokens, its end token included: the size of the position table."""
    max_target_length: int = Field(default=256, gt=1)
    """Longest target sentence in tokens, its end token included: the size of the position table."""
    norm: Literal["layer", "rms"] = "layer"
    """Normalisation: LayerNorm (Ba 2016) or RMSNorm (Zhang 2019)."""
    norm_order: Literal["pre", "post"] = "pre"
    """Normalise before each sublayer (pre) or after the residual sum (post, as in Vaswani 2017)."""
    activation: Activation = "relu"
    """Non-linearity of the feed-forward networks; swiglu has a gate beside it (Shazeer 2020)."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout on embeddings and on what each sublayer adds to its residual."""
    attention_dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout on attention weights."""
    feed_forward_dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout on the hidden layer of the feed-forward networks."""
    tie: Literal["all", "output", "none"] = "all"
    """Shared tables: source + target embedding + output projection, only the latter two, or none."""
    output_bias: bool = False
    """Add a learned bias to the logits."""
    hidden_size: int = Field(default=0, ge=0)
    """Width inside a GRU (of each direction) or a convolutional network; 0 takes d_model."""
    bidirectional: bool = True
    """Whether a GRU reads the source from both ends."""
    attention: Literal["additive", "dot"] = "additive"
    """How gru-attention compares: by a small network (Bahdanau 2015), or by a scaled product (Luong 2015)."""
    input_feeding: bool = False
    """Whether gru-attention reads with each word what it made of the word before (Luong 2015)."""
    kernel_size: int = Field(default=3, ge=1)
    """Words that a convolution sees at once; odd."""

    @model_validator(mode="after")
    def _only_options_of_the_network(self) -> Self:
        for option in ModelConfig.model_fields:
            if option in self.model_fields_set and not self.knows(option):
                owners = " or ".join(network for network, options in OPTIONS.items() if option in options)
                raise ValueError(
                    f"{option} is no option of network = {self.network!r}; leave it away, or take {owners}"
                )
        return self

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if self.knows("num_heads") and self.d_model % self.num_heads:
            raise ValueError(
                f"d_model = {self.d_model} cannot be split evenly into num_heads = {self.num_heads}; "
                "make d_model a multiple of num_heads"
            )
        if self.d_model % 2:
            raise ValueError(f"d_model = {self.d_model} is odd; make it even")
        rotary = "rotary" in (self.source_positions, self.target_positions)
        if rotary and not self.knows("num_heads"):
            raise ValueError(
                f"rotary positions turn queries and keys, which {self.network} does not have; choose others"
            )
        if rotary and (self.d_model // self.num_heads) % 2:
            raise ValueError("rotary positions turn pairs of components; make d_model / num_heads even")
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size = {self.kernel_size} has no word in its middle; make it odd")
        return self

    @model_serializer(mode="wrap")
    def _own_options(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {option: value for option, value in dump(self).items() if self.knows(option)}

    @property
    def width(self) -> int:
        """Of what is inside a GRU or a convolutional network."""
        return self.hidden_size or self.d_model

    @property
    def compares_by_products(self) -> bool:
        """Whether attention's scores are products of queries and keys, divided by the root of their size."""
        return not (self.knows("attention") and self.attention == "additive")

    def knows(self, option: str) -> bool:
        """Whether a setting means anything to this network."""
        return option in OPTIONS[self.network] or not any(option in own for own in OPTIONS.values())


SIZES: dict[str, dict[str, Any]] = {
    "tiny": {"d_model": 128, "num_heads": 4, "feed_forward": 256, "encoder_layers": 4, "decoder_layers": 4},
    "small": {"d_model": 256, "num_heads": 4, "feed_forward": 1024, "encoder_layers": 4, "decoder_layers": 4},
    "base": {"d_model": 512, "num_heads": 8, "feed_forward": 2048, "encoder_layers": 6, "decoder_layers": 6},
    "big": {"d_model": 1024, "num_heads": 16, "feed_forward": 4096, "encoder_layers": 6, "decoder_layers": 6},
}
"""The one dial for newcomers; every field stays open beside it. A network takes of it what it knows."""


class DataMixConfig(Settings):
    """One of several texts that training mixes: a `[[data.mix]]` of TOML."""

    corpus: Text = ""
    """Name of a public corpus; then `train` names its splits."""
    train: list[Text]
    """The text: split names of the corpus, or files."""
    weight: float = Field(default=1.0, gt=0)
    """How often each of its pairs is seen, beside those of the other texts."""
    share: float = Field(default=0.0, ge=0, lt=1)
    """Its share of an epoch, whatever its size; 0 goes by weight and size, as do all texts without a share among them."""
    tag: Text = ""
    """Its sources begin with <tag>, as <back> for text that was translated back (Caswell 2019)."""

    @model_validator(mode="after")
    def _tag_is_free(self) -> Self:
        # A letter first, as <2ko> asks for a language; <s>, <unk> and <pad> are every tokenizer's.
        if self.tag and (not re.fullmatch(r"[A-Za-z][\w-]*", self.tag) or self.tag in ("s", "unk", "pad")):
            raise ValueError(
                f"tag = {self.tag!r} cannot be told from the tokenizer's own symbols; "
                'take a word that begins with a letter, such as "back"'
            )
        return self


class DataConfig(Settings):
    """Which parallel text, in which languages, and how it becomes tokens."""

    source_language: Text = ""
    """BCP 47 code of the language to translate from."""
    target_language: Text = ""
    """BCP 47 code of the language to translate to."""
    both_directions: bool = False
    """Train one model for both directions, told apart by a tag of the target language."""
    corpus: Text = ""
    """Name of a public corpus (see `onmal corpus`); then train, valid and tests name its splits."""
    train: list[Text] = Field(default=["train"])
    """Training text: split names of the corpus, or files (two aligned, or one TSV, JSONL, TMX or PO)."""
    mix: list[DataMixConfig] = Field(default=[])
    """Several training texts instead of one. An epoch has as many pairs as all of them together: a text that gives more pairs
    than it has is gone through again, one that gives fewer gives others in the next epoch, all of them equally often."""
    temperature: float = Field(default=1.0, ge=1)
    """A text's share of an epoch is as (weight * size) ** (1 / temperature): a high one makes all alike (Arivazhagan 2019)."""
    valid: list[Text] = Field(default=["valid"])
    """Validation text, likewise; empty holds out `valid_size` pairs of the (first) training text."""
    tests: list[Text] = Field(default=[])
    """Splits of the corpus, or files, that `onmal evaluate` scores for a recipe."""
    valid_size: int = Field(default=500, ge=1)
    """Pairs that are scored at each validation."""
    clean: bool = True
    """Apply the default filters of `onmal doctor` to the training text."""
    max_pairs: int = Field(default=0, ge=0)
    """Read at most so many pairs of each training text; 0 reads all."""
    shards: Text = ""
    """Folder that `onmal prepare CONFIG.toml` wrote; training reads it instead of `train`."""
    tokenizer: Literal["unigram", "bpe"] = "unigram"
    """Kind of SentencePiece model."""
    joint: bool = True
    """One vocabulary for both languages; false learns one for each."""
    vocabulary_size: int = Field(default=0, ge=0)
    """Pieces per vocabulary; 0 chooses from the size of the corpus."""
    subword_sampling: float = Field(default=0.0, ge=0, le=1)
    """How freely words are segmented in training: 0 always the best way; about 0.1 to 0.5 samples (Kudo 2018)."""
    max_length: int = Field(default=128, gt=1)
    """Longest sentence in tokens that training uses; longer pairs are left out and counted."""

    @model_validator(mode="before")
    @classmethod
    def _one_or_several(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not values.get("mix"):
            return values
        if values.get("train"):
            raise ValueError("train and mix both say what to train on; leave one of them away")
        return {**values, "train": []}

    @model_validator(mode="after")
    def _shares_leave_something(self) -> Self:
        if self.mix and (sum(text.share for text in self.mix) >= 1 or all(text.share for text in self.mix)):
            raise ValueError(
                "the shares of mix leave nothing to a text without one; lower one, or leave it away"
            )
        return self

    @property
    def names(self) -> str:
        """The training text as a person knows it."""
        return " + ".join(" ".join(filter(None, (text.corpus, *text.train))) for text in self.texts)

    @property
    def texts(self) -> list[Self]:
        """Settings for each text that is mixed, with its own `corpus` and `train`; these ones where it is only one."""
        one = [{"mix": [], "corpus": text.corpus, "train": text.train} for text in self.mix]
        return [self.model_copy(update=changes) for changes in one] or [self]

    @property
    def directions(self) -> tuple[tuple[str, str], ...]:
        """(source, target) languages that are learned."""
        forward = (self.source_language, self.target_language)
        return (forward, forward[::-1]) if self.both_directions else (forward,)

    def drawn(self, sizes: Sequence[int]) -> list[int]:
        """How many pairs of each text of `mix` an epoch has, where they have so many: its share, rounded up or down."""
        shares = [text.share for text in self.mix]
        logs = [
            (log(text.weight) + log(n)) / self.temperature for text, n in zip(self.mix, sizes, strict=True)
        ]
        top = max(each for each, share in zip(logs, shares, strict=True) if not share)
        # Logs, as powers may overflow.
        parts = [0.0 if share else exp(each - top) for each, share in zip(logs, shares, strict=True)]
        whole = sum(parts) / (1 - sum(shares))
        bounds = list(accumulate(share * whole or part for share, part in zip(shares, parts, strict=True)))
        ends = [round(bound / bounds[-1] * sum(sizes)) for bound in bounds]
        return [end - begin for begin, end in pairwise([0, *ends])]


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
    """Folder of the model that training goes on from, with its tokenizer and languages; empty begins with random weights."""
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


class SearchConfig(Settings):
    """How the best translation is looked for."""

    beam_size: int = Field(default=4, ge=1, le=256)
    """Hypotheses kept per sentence; 1 is greedy."""
    patience: float = Field(default=1.0, ge=1)
    """A sentence is done with so many times beam_size finished translations; more may find a better one (Kasai 2022)."""
    length_penalty: float = Field(default=1.0, ge=0)
    """Scores are divided by length ** this; 0 favours short, 1 is the mean log-probability."""
    max_length_ratio: float = Field(default=2.0, gt=0)
    """A translation ends at this many times the source's tokens, plus `max_length_extra`."""
    max_length_extra: int = Field(default=16, ge=1)
    """Tokens granted beyond the ratio."""
    n_best: int = Field(default=1, ge=1)
    """Translations returned per sentence; at most beam_size."""
    min_length_ratio: float = Field(default=0.0, ge=0)
    """A translation has at least this many times the source's tokens."""
    coverage_penalty: float = Field(default=0.0, ge=0)
    """Scores fall with every source token that the translation hardly looked at (Wu 2016, equation 14)."""
    diversity: float = Field(default=0.0, ge=0)
    """How much [nats] a hypothesis' second continuation is set back behind its first, the third behind the second."""
    no_repeat_ngram: int = Field(default=0, ge=0)
    """No so many tokens in a row come twice in a translation; 0 lets them."""
    sample: bool = False
    """Draw the words by chance instead: beam_size translations per sentence, of which the n_best are returned."""
    temperature: float = Field(default=1.0, gt=0)
    """Below 1 the likely words are drawn more often than the network says, above 1 less."""
    top_k: int = Field(default=0, ge=0)
    """Draw among the k likeliest words only; 0 among all."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Draw among the likeliest words that have this probability together."""
    seed: int = Field(default=0, ge=0)
    """Of the drawing: the same sentence and seed give the same translations."""

    @model_validator(mode="after")
    def _n_best_fits(self) -> Self:
        if self.n_best > self.beam_size:
            raise ValueError(
                f"n_best = {self.n_best} is more than beam_size = {self.beam_size}; raise beam_size"
            )
        return self


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
