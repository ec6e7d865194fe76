"""A training step's matrix products and nothing else: what an update would take if all else were free.

The shapes are those of onmal's batches; each product is done forward, for the gradient of its input and for the
gradient of its weight, by the same library as in onmal, into memory that is there already or was freed before. Options: `rank` and `processes` share the rows of each batch out,
`precision` is that of all products but attention's, which are in float32.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

CHUNK_CELLS = 1 << 21  # logits at once, as in onmal's loss


class Shape(NamedTuple):
    """One padded batch."""

    rows: int
    source: int
    target: int
    tokens: int
    """Target tokens that are not padding."""


class Product(NamedTuple):
    """`count` x [m,k] times [k,n], forward; the gradients take as much again for each of the two factors."""

    count: int
    m: int
    k: int
    n: int
    attention: bool = False

    @property
    def flops(self) -> int:
        """Floating-point operations, forward and backward."""
        return 6 * self.count * self.m * self.k * self.n


def products(network: dict[str, Any], words: int, shape: Shape) -> Iterator[Product]:
    """All products of a batch through the Transformer; `words` is the size of the vocabulary."""
    d, f, heads = network["d_model"], network["feed_forward"], network["num_heads"]
    rows, source, target, tokens = shape

    def linear(m: int, k: int, n: int, times: int = 1) -> Iterator[Product]:
        return itertools.repeat(Product(1, m, k, n), times)

    def attention(queries: int, keys: int) -> Iterator[Product]:
        yield Product(rows * heads, queries, d // heads, keys, True)
        yield Product(rows * heads, queries, keys, d // heads, True)

    for _ in range(network["encoder_layers"]):
        yield from linear(rows * source, d, d, 4)
        yield from attention(source, source)
        yield from linear(rows * source, d, f)
        yield from linear(rows * source, f, d)
    for _ in range(network["decoder_layers"]):
        yield from linear(rows * target, d, d, 6)  # queries twice, keys, values, outputs twice
        yield from attention(target, target)
        yield from linear(rows * source, d, d, 2)
        yield from attention(target, source)
        yield from linear(rows * target, d, f)
        yield from linear(rows * target, f, d)
    chunk = max(1, CHUNK_CELLS // words)
    for start in range(0, tokens, chunk):
        yield Product(1, min(chunk, tokens - start), d, words)


def multiply(
    p: Product, words: int, factors: tuple[Tensor, Tensor, Tensor], gradients: tuple[Tensor, Tensor, Tensor]
) -> None:
    """The three multiplications of one product: `factors` are input, weight and output."""
    import torch

    from onmal.products import linear

    (x, w, y), (grad_x, grad_w, grad_y) = factors, gradients
    if p.attention or x.dtype != torch.float32:
        torch.matmul(x, w.mT, out=y)
        torch.matmul(grad_y, w, out=grad_x)
        torch.matmul(grad_y.mT, x, out=grad_w)
        return
    with torch.no_grad():
        linear(x, w)
        linear(grad_y, w.mT)
        if p.n == words:
            torch.matmul(grad_y.mT, x, out=grad_w)  # as in onmal's loss
        else:
            linear(grad_y.mT, x.mT)


def main() -> None:
    """Multiply until stopped."""
    import torch
    from progress import Progress, Spec

    from onmal.allocator import keep_freed_memory

    keep_freed_memory()
    spec = Spec.read()
    torch.set_num_threads(spec.threads)
    rank, processes = spec.options["rank"], spec.options["processes"]
    progress = Progress(spec, "torch", rank=rank)
    words = len(spec.vocabulary())
    batches = []
    for shape in json.loads(Path(spec.out, "shapes.json").read_text("utf-8")):
        rows, source, target, tokens = shape
        rows, tokens = (len(range(rank, number, processes)) for number in (rows, tokens))
        found = products(spec.network, words, Shape(rows, source, target, tokens))
        batches.append(
            ([p for p in found if p.flops], tokens)
        )  # none where a batch has fewer rows than processes
    largest = max(p.count * max(p.m * p.k, p.k * p.n, p.m * p.n) for batch, _ in batches for p in batch)
    memory = {
        attention: [torch.full((largest,), 0.01, dtype=dtype) for _ in range(6)]
        for attention, dtype in ((True, torch.float32), (False, getattr(torch, spec.options["precision"])))
    }
    for batch, tokens in itertools.cycle(batches):
        for p in batch:
            sizes = [
                (p.m, p.k),
                (p.n, p.k),
                (p.m, p.n),
            ] * 2  # input, weight, output; then the gradient of each
            x, w, y, grad_x, grad_w, grad_y = (
                cells[: p.count * a * b].view((p.count, a, b) if p.count > 1 else (a, b))
                for cells, (a, b) in zip(memory[p.attention], sizes, strict=True)
            )
            multiply(p, words, (x, w, y), (grad_x, grad_w, grad_y))
        progress.updated(tokens)


if __name__ == "__main__":
    main()
