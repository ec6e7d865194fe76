"""Products of words and weights, by whichever of torch's two libraries is faster on this processor.

On a CPU torch multiplies float32 by Intel's MKL, which leaves half of an AMD processor unused that has AVX-512. oneDNN, which torch has
for other precisions, uses all of it: 224 to 250 GFLOP/s on one core where MKL has 100 to 110. It takes 10 microseconds more to
begin, so small products stay with MKL. It wants weights in an order of its own, in which a search of hundreds of products keeps them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from onmal.processor import processor

__all__ = ["LaidOut", "Linear", "linear", "unchanging"]

WORTH_IT = 1 << 20  # multiplications

LaidOut = dict[int, tuple[Tensor, Tensor]]
"""Weights, by their id, each beside itself in oneDNN's order."""
_here = threading.local()


class Linear(nn.Linear):
    """torch's, with `linear` for its product."""

    def forward(self, x: Tensor) -> Tensor:
        """[...,D] -> [...,N]."""
        return linear(x, self.weight, self.bias)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x [...,D] times weight [N,D] transposed, plus bias [N]: [...,N]."""
    if not (x.numel() * weight.shape[0] >= WORTH_IT and _by_onednn(x, weight)):
        return F.linear(x, weight, bias)
    if not torch.is_grad_enabled():
        return _onednn(x, weight, bias)
    product: Tensor = _Product.apply(x, weight, bias)  # type: ignore[no-untyped-call]
    return product


class _Product(torch.autograd.Function):
    """The product and its gradients, which are products too."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _onednn(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        rows, of_rows = x.flatten(0, -2), grad.flatten(0, -2)  # [R,D], [R,N]
        return (
            _onednn(grad, weight.t()) if wanted[0] else None,
            _onednn(of_rows.t(), rows.t()) if wanted[1] else None,
            of_rows.sum(0) if wanted[2] else None,
        )


@contextmanager
def unchanging(laid_out: LaidOut) -> Iterator[None]:
    """In this thread no parameter changes within it: what is put in oneDNN's order for one product is kept for the next."""
    before, _here.laid_out = getattr(_here, "laid_out", None), laid_out
    try:
        yield
    finally:
        _here.laid_out = before


def _onednn(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    laid_out: LaidOut | None = getattr(_here, "laid_out", None)
    alone = x.numel() == x.shape[-1]  # a product with one vector reads the weights as they are
    if laid_out is not None and isinstance(weight, nn.Parameter) and not alone:
        if id(weight) not in laid_out:
            laid_out[id(weight)] = weight, torch.ops.mkldnn._reorder_linear_weight(weight.detach())
        weight = laid_out[id(weight)][1]
    product: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return product


def _by_onednn(x: Tensor, weight: Tensor) -> bool:
    return (
        x.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()  # nor written for another engine
        and mkl_holds_back()
    )


@cache
def mkl_holds_back() -> bool:
    """Whether this is an AMD processor with AVX-512, and torch has both libraries."""
    both = torch.backends.mkl.is_available() and torch.backends.mkldnn.is_available()
    if not both or torch.backends.cpu.get_cpu_capability() != "AVX512":
        return False
    known = ("_linear_pointwise", "_reorder_linear_weight")
    return "AMD" in processor() and all(hasattr(torch.ops.mkldnn, name) for name in known)
