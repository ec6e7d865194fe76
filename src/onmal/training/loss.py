"""How far the network's next words are from the reference's: label-smoothed cross-entropy, padding never projected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from onmal.models.contract import Seq2Seq
from onmal.products import linear

__all__ = [
    "LossSum", "TeacherRows", "Teaching", "TranslationLoss", "chunked_cross_entropy", "smoothed_cross_entropy",
]  # fmt: skip

CHUNK_CELLS = {"cpu": 1 << 21}  # logits held at once: on a CPU 8 MB, within its cache; elsewhere 1 GB


class LossSum(NamedTuple):
    """Sums over the N target tokens of a batch [nats]."""

    loss: Tensor
    """Label-smoothed; what is minimised."""
    negative_log_likelihood: Tensor
    """Plain; exp of its mean is the perplexity."""
    tokens: int


class Teaching(NamedTuple):
    """Another network with the same words, and how much what it expects counts beside the reference (Hinton 2015)."""

    teacher: Seq2Seq
    share: float


class TeacherRows(NamedTuple):
    """What a teacher expects at each of N words: softmax(states [N,D'] weight [V,D'] + bias [V]), and how much it counts."""

    states: Tensor
    weight: Tensor
    bias: Tensor | None
    share: float


class TranslationLoss(nn.Module):
    """A module around the model, so that every gradient passes through one forward (what DDP and FSDP2 wrap)."""

    def __init__(
        self,
        model: Seq2Seq,
        label_smoothing: float = 0.0,
        r_drop: float = 0.0,
        teaching: Teaching | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.label_smoothing = label_smoothing
        self.r_drop = r_drop
        self.teaching = teaching  # within a tuple, it is no part of this module, and nobody trains it

    def forward(self, source: Tensor, target: Tensor, lengths: Tensor) -> LossSum:
        """source [B,S]; target [B,T+1] from start to end token; lengths [B], how many of the T predictions count.

        With `r_drop` each sentence goes through the network twice, with other dropout, and the two predictions of a
        word are drawn together (Liang 2021): the mean of both losses, and half of r_drop times their divergence.
        With `teaching` a share of each word's reference is what the teacher, who hears no noise, expects there.
        """
        learning = torch.is_grad_enabled()
        r_drop = self.r_drop if learning and self.model.training else 0.0
        passes = 2 if r_drop else 1
        states = self.model.hidden(source.repeat(passes, 1), target[:, :-1].repeat(passes, 1))  # [PB,T,D]
        real = torch.arange(states.shape[1], device=lengths.device) < lengths[:, None]  # [B,T]
        states = states.unflatten(0, (passes, -1))[:, real].transpose(0, 1).flatten(0, 1)  # [NP,D]
        labels = target[:, 1:][real]  # [N]
        rows = (states, self.model.output.weight, self.model.output.bias, labels.repeat_interleave(passes))
        if learning:
            taught = _taught(self.teaching, source, target, real, passes) if self.teaching else None
            loss, likelihood = chunked_cross_entropy(*rows, self.label_smoothing, r_drop, taught)
        else:
            loss, likelihood = smoothed_cross_entropy(*rows, self.label_smoothing)
        return LossSum(loss / passes, likelihood / passes, len(labels))


@torch.no_grad()
def _taught(teaching: Teaching, source: Tensor, target: Tensor, real: Tensor, passes: int) -> TeacherRows:
    """What the teacher expects at each real word, once for each pass: rows as those of the student."""
    teacher = teaching.teacher
    states = teacher.hidden(source, target[:, :-1])[real]  # [N,D']
    return TeacherRows(
        states.repeat_interleave(passes, 0), teacher.output.weight, teacher.output.bias, teaching.share
    )


def smoothed_cross_entropy(
    states: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor, smoothing: float
) -> tuple[Tensor, Tensor]:
    """The plain form: states [N,D], weight [V,D], labels [N] -> (smoothed loss, negative log-likelihood), summed.

    The reference is mixed with the uniform distribution over all V words (Szegedy 2016).
    """
    log_p = F.linear(states, weight, bias).log_softmax(-1)  # [N,V]
    likelihood = -log_p.gather(1, labels[:, None]).sum()
    uniform = -log_p.mean(-1).sum()
    return (1 - smoothing) * likelihood + smoothing * uniform, likelihood.detach()


def chunked_cross_entropy(
    states: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor, smoothing: float, r_drop: float = 0.0,
    taught: TeacherRows | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The fast form of the same: a few rows at a time, their gradient in the same pass, [N,V] never held.

    `r_drop` times the mean of the divergences KL(p||q) and KL(q||p) is added for each two rows 0-1, 2-3, ...
    A share of each reference, smoothed as it is, is what `taught` says instead.
    """
    device = states.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else states.dtype
    loss, likelihood = _ChunkedCrossEntropy.apply(
        states, weight, bias, labels, smoothing, r_drop, taught, dtype
    )  # type: ignore[no-untyped-call]
    return loss, likelihood


class _ChunkedCrossEntropy(torch.autograd.Function):
    """Projection and loss as one function, whose gradient is known as soon as the loss is."""

    @staticmethod
    def forward(
        ctx: Any, states: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor, smoothing: float,
        r_drop: float, taught: TeacherRows | None, dtype: torch.dtype,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        words, device = weight.shape[0], states.device
        chunks = max(1, -(-len(states) * words // CHUNK_CELLS.get(device.type, 1 << 28)))
        rows = max(1, -(-len(states) // chunks))
        rows += rows % 2  # pairs stay together
        grad_states, grad_weight = torch.empty_like(states), torch.zeros_like(weight)
        grad_bias = None if bias is None else torch.zeros_like(bias)
        loss = likelihood = states.new_zeros((), dtype=torch.float32)
        factor, addend = weight.to(dtype), None if bias is None else bias.to(dtype)
        share = taught.share if taught else 0.0
        written = 1 - share  # how much of the reference is the text's
        expected = _expected(taught, dtype, rows) if taught else None
        with torch.autocast(device.type, enabled=False):
            for chunk, target, grad in zip(
                states.to(dtype).split(rows),
                labels[:, None].split(rows),
                grad_states.split(rows),
                strict=True,
            ):
                logits = linear(chunk, factor, addend).float()  # [n,V]
                delta = logits.softmax(-1)
                # log p = logit - log of the sum of exp; the likeliest word, whose p is at least 1/V, tells the latter.
                log_sum = logits.amax(-1, keepdim=True) - delta.amax(-1, keepdim=True).log()
                nll = (log_sum - logits.gather(1, target)).sum()
                uniform = log_sum.sum() - logits.sum() / words
                likelihood = likelihood + nll
                loss = loss + written * ((1 - smoothing) * nll + smoothing * uniform)
                if r_drop:
                    divergence, pull = _divergence(logits, delta)
                    loss = loss + r_drop / 2 * divergence
                    delta.add_(pull, alpha=r_drop / 2)
                # d loss / d logits = softmax - smoothed reference
                delta -= written * smoothing / words
                delta.scatter_add_(1, target, delta.new_full(target.shape, written * (smoothing - 1)))
                if expected:
                    by_teacher = next(expected)  # [n,V], which add up to the teacher's share
                    loss = loss + share * log_sum.sum() - (by_teacher * logits).sum()
                    delta -= by_teacher
                if grad_bias is not None:
                    grad_bias += delta.sum(0)
                delta = delta.to(dtype)
                grad.copy_(linear(delta, factor.t()))
                grad_weight += delta.T @ chunk
        ctx.save_for_backward(grad_states, grad_weight, grad_bias)
        ctx.mark_non_differentiable(likelihood)
        return loss, likelihood

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_loss: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        return *(None if g is None else g * grad_loss for g in ctx.saved_tensors), *[None] * 5


def _expected(taught: TeacherRows, dtype: torch.dtype, rows: int) -> Iterator[Tensor]:
    """The teacher's share of the reference, so many rows at a time: [n,V]."""
    weight, bias = taught.weight.to(dtype), None if taught.bias is None else taught.bias.to(dtype)
    for chunk in taught.states.to(dtype).split(rows):
        yield linear(chunk, weight, bias).float().softmax(-1).mul_(taught.share)


def _divergence(logits: Tensor, softmax: Tensor) -> tuple[Tensor, Tensor]:
    """KL(p||q) + KL(q||p), summed over rows p, q = 0-1, 2-3, ... [n,V], and its gradient by the logits [n,V].

    It is the sum of (p - q) d, where d = log p - log q. The gradient by p's logits is p - q + p (d - mean of d under p).
    """
    raw, (p, q) = logits.unflatten(0, (-1, 2)), softmax.unflatten(0, (-1, 2)).unbind(1)
    d = raw[:, 0] - raw[:, 1]  # but for a constant, which cancels out
    forward, backward = (p * d).sum(-1, keepdim=True), (q * d).sum(-1, keepdim=True)
    pull = torch.stack((p * (d - forward + 1) - q, q * (backward - d + 1) - p), 1)
    return (forward - backward).sum(), pull.flatten(0, 1)
