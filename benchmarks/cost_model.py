"""What training a Transformer costs in arithmetic, memory, network and disk, by counting; pure functions, no clock.

Letters as in onmal.models: S source and T target tokens of a sentence pair, D d_model, H heads, F feed-forward size, V
vocabulary. P is the number of parameters, n that of processes. Sentences of a batch are taken to be equally long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from onmal.config import ModelConfig, Vocabulary

FLOAT32 = 4  # bytes
LOGITS = 10  # bytes for each logit on a GPU at once: it, its probability, and the latter for the products


def parameters(model: ModelConfig, words: Vocabulary) -> int:
    """How many weights the network has."""
    encoder, decoder = layer_parameters(model)
    tables = words.source_size + {"all": 0, "output": 1, "none": 2}[model.tie] * words.target_size
    positions = (model.source_positions == "learned") * model.max_source_length
    positions += (model.target_positions == "learned") * model.max_target_length
    last_norms = 2 * norm_parameters(model) if model.norm_order == "pre" else 0
    bias = words.target_size if model.output_bias else 0
    layers = model.encoder_layers * encoder + model.decoder_layers * decoder
    return (tables + positions) * model.d_model + layers + last_norms + bias


def layer_parameters(model: ModelConfig) -> tuple[int, int]:
    """Weights of one layer of the encoder, and of the decoder."""
    d, f, gates = model.d_model, model.feed_forward, expansions(model)
    attention = 4 * (d * d + d)
    feed_forward = gates * (d * f + f) + f * d + d
    norm = norm_parameters(model)
    return attention + feed_forward + 2 * norm, 2 * attention + feed_forward + 3 * norm


def norm_parameters(model: ModelConfig) -> int:
    """Weights of one normalisation."""
    return model.d_model * (2 if model.norm == "layer" else 1)


def expansions(model: ModelConfig) -> int:
    """Products from D to F in a feed-forward network."""
    return 2 if model.activation == "swiglu" else 1


def flops_per_pair(model: ModelConfig, words: Vocabulary, source: int, target: int) -> int:
    """Floating-point operations of the matrix products of one training update for one sentence pair.

    A product of [a,b] and [b,c] is 2abc; the backward pass has two such for each one of the forward pass. All of the [T,T]
    scores count, those that causality hides, too; softmax, norms, dropout and the optimizer do not.
    """
    d = model.d_model
    feed_forward = 2 * (expansions(model) + 1) * d * model.feed_forward  # for each token
    projections = 2 * d * d  # for each token, each of query, key, value and output
    encoder = source * (4 * projections + feed_forward + 4 * source * d)
    own = target * (4 * projections + feed_forward + 4 * target * d)
    across = target * (2 * projections + 4 * source * d) + source * 2 * projections
    output = target * 2 * d * words.target_size
    return 3 * (model.encoder_layers * encoder + model.decoder_layers * (own + across) + output)


def activation_bytes(
    model: ModelConfig, words: Vocabulary, source: int, target: int, *, product: int = 2, decision: int = 1
) -> int:
    """What the forward pass keeps for the backward pass, for `source` and `target` tokens in all.

    `product` is the bytes of a matrix product's operand, `decision` those of one component's dropout: 2 and 1 in bfloat16
    on a GPU, 4 and 4 in float32 on a CPU. Attention is fused, LayerNorm normalises first, and within attention and
    feed-forward nothing is dropped, as in all of onmal's sizes.
    """
    d, heads = model.d_model, model.num_heads
    mask = decision * d if model.dropout else 0
    copies = 1 if product == FLOAT32 else 3  # query, key and value each make their own of a float32 input
    norm = FLOAT32 * (d + 2)  # its input, mean and deviation
    attention = norm + copies * product * d + 4 * product * d + FLOAT32 * heads + mask
    hidden = {"relu": 1, "gelu": 2, "swiglu": 4}[model.activation] * model.feed_forward
    inputs = 1 if product == FLOAT32 else expansions(model)
    feed_forward = norm + inputs * product * d + product * hidden + mask
    across = norm + 3 * product * d + FLOAT32 * heads + mask
    # The memory, which every decoder layer turns into keys and values; in half the precision from copies of its own.
    shared, own = (product * d, 0) if product == FLOAT32 else (0, 2 * product * d)
    per_source = model.encoder_layers * (attention + feed_forward) + norm + mask + shared
    per_source += model.decoder_layers * (own + 2 * product * d)
    per_target = model.decoder_layers * (attention + across + feed_forward) + norm + mask
    per_target += FLOAT32 * d  # the states' gradient, which the loss knows already
    return source * per_source + target * per_target + FLOAT32 * d * words.target_size


class Memory(NamedTuple):
    """Bytes that one process holds at the height of an update."""

    weights: float
    """With shards also the whole network that validates."""
    gradients: float
    adam: float
    copies: float
    """Weights in the precision of the products; with shards also those that are gathered, and their gradients."""
    activations: float
    logits: float

    @property
    def total(self) -> float:
        """All of them."""
        return sum(self)


def memory(
    model: ModelConfig, words: Vocabulary, source: int, target: int, *, shards: int = 1, product: int = 2
) -> Memory:
    """Of the first process on a GPU: it holds everything (DDP), or its part of `shards` and a whole network to validate with.

    `source` and `target` are the tokens of its share of a batch, the only one of its update. With shards, tables and two layers
    are whole at a time.
    """
    count = parameters(model, words)
    encoder, decoder = layer_parameters(model)
    layers = model.encoder_layers * encoder + model.decoder_layers * decoder
    gathered = 0 if shards == 1 else count - layers + 2 * max(encoder, decoder)
    return Memory(
        weights=FLOAT32 * count * (1 / shards + (shards > 1)),
        gradients=FLOAT32 * count / shards,
        adam=2 * FLOAT32 * count / shards,
        copies=(product if product < FLOAT32 else 0) * layers + 2 * FLOAT32 * gathered,
        activations=activation_bytes(model, words, source, target, product=product),
        logits=LOGITS * target * words.target_size,
    )


def all_reduce_seconds(size: float, processes: int, bandwidth: float, hop: float) -> float:
    """Time to sum `size` bytes over a ring of processes; bandwidth in bytes/s each way, `hop` seconds for each of its steps.

    Each process sends its n-th part n-1 times to be summed and n-1 times to be passed on (Patarasuk & Yuan 2009).
    """
    if processes == 1:
        return 0.0
    return 2 * (processes - 1) * (size / processes / bandwidth + hop)


def sharded_seconds(size: float, processes: int, bandwidth: float, hop: float, *, batches: int = 1) -> float:
    """The same for FSDP2 and weights of `size` bytes: gathered for both passes of each batch, their gradients summed once."""
    steps = (2 * batches + 1) * (processes - 1)
    return steps * (size / processes / bandwidth + hop)


def exposed_seconds(exchange: float, last: float, backward: float) -> float:
    """What is left of an exchange that runs beside the backward pass; a share `last` of it can only begin at its end."""
    return exchange * last + max(0.0, exchange * (1 - last) - backward)


def last_share(model: ModelConfig, words: Vocabulary) -> float:
    """Share of the gradients that is ready only when the backward pass ends: that of the source's word table."""
    return words.source_size * model.d_model / parameters(model, words)


@dataclass(frozen=True)
class Cluster:
    """Machines and what joins them."""

    peak: float
    """FLOP/s of one process's products, by the data sheet."""
    share: float
    """How much of the peak an update reaches."""
    per_machine: int
    """Processes."""
    within: float
    """Bytes/s each way between processes of a machine."""
    between: float
    """Bytes/s each way between machines."""
    hop: float
    """Seconds for one step of a ring of GPUs."""
    message: float
    """Seconds for one step of a ring of processes that agree on a few numbers."""
    batching: float
    """Target tokens/s that a process makes into batches."""

    def link(self, processes: int) -> float:
        """Bandwidth of a ring's slowest link [bytes/s]."""
        return self.within if processes <= self.per_machine else self.between


class Update(NamedTuple):
    """Seconds of one update, part by part."""

    batching: float
    compute: float
    exchange: float
    """Whether or not it is hidden behind the backward pass."""
    exposed: float
    """What is not hidden."""
    agreement: float

    @property
    def least(self) -> float:
        """Where as much of the exchange is hidden as can be."""
        return self.batching + self.compute + self.exposed + self.agreement

    @property
    def most(self) -> float:
        """Where none is."""
        return self.batching + self.compute + self.exchange + self.agreement


def update(
    model: ModelConfig, words: Vocabulary, tokens: int, length: int, processes: int, cluster: Cluster
) -> Update:
    """One update on `tokens` target tokens in sentences of `length` tokens on both sides.

    Every process makes all batches and computes with its share of them; then all exchange gradients, and agree on a few
    numbers.
    """
    flops = flops_per_pair(model, words, length, length) / length * tokens
    compute = flops / processes / (cluster.peak * cluster.share)
    size = FLOAT32 * parameters(model, words)
    exchange = all_reduce_seconds(size, processes, cluster.link(processes), cluster.hop)
    exposed = exposed_seconds(exchange, last_share(model, words), 2 / 3 * compute)
    agreement = all_reduce_seconds(0, processes, cluster.between, cluster.message)
    return Update(tokens / cluster.batching, compute, exchange, exposed, agreement)


def efficiency(alone: float, together: float, processes: int) -> float:
    """Time of one process by the time of n, for each of them: 1 where n are n times as fast."""
    return alone / (processes * together)


def disk_bytes(pairs: int, words: float, distinct: int, pieces: float, letters: float) -> float:
    """Prepared text on disk: `words` a sentence, `distinct` words a language, each of so many pieces and letters [bytes].

    Four bytes for each word and eight for each sentence; for each distinct word its best segmentation, spelled and in ids.
    """
    side = pairs * (4 * words + 8) + distinct * (letters + 1 + 4 * pieces + 8 + 8 + 8)
    return 2 * side
