"""How finished hypotheses of different lengths are compared: small objects, so that the search stays a loop."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LengthPenalty"]


@dataclass(frozen=True)
class LengthPenalty:
    """Divide the log-probability [nats] by length ** alpha: 0 favours short translations, 1 is the mean per token."""

    alpha: float

    def __call__(self, log_probability: float, length: int) -> float:
        """Score of a hypothesis of `length` tokens, its end token included."""
        return log_probability / float(length) ** self.alpha
