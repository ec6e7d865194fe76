"""Tables of numbers as text that a page unpacks at once: bytes in base64, a tenth of what JSON's own numbers take.

    {"shape": [4, 7, 6], "dtype": "u8", "scale": 0.00392, "b64": "..."}    value = byte * scale

The bytes are in C order. `u8` are weights from 0 to 1, `i8` are signed values whose largest is 127.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["pack_signed", "pack_weights", "unpack"]


def pack_weights(weights: ArrayLike) -> dict[str, Any]:
    """Weights from 0 to 1 in 255 steps; exactly 0 stays exactly 0."""
    values = np.asarray(weights, dtype=np.float32)
    return _packed(np.rint(values * 255).clip(0, 255).astype(np.uint8), "u8", 1 / 255)


def pack_signed(values: ArrayLike) -> dict[str, Any]:
    """Values of either sign in 127 steps up to the largest."""
    numbers = np.asarray(values, dtype=np.float32)
    scale = float(np.abs(numbers).max(initial=0.0)) / 127
    if scale < np.finfo(np.float32).tiny:
        scale = 1.0  # all are as good as 0
    return _packed(np.rint(numbers / scale).clip(-127, 127).astype(np.int8), "i8", scale)


def unpack(packed: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The numbers again, as far as the steps tell."""
    kinds = {"u8": np.uint8, "i8": np.int8}
    numbers = np.frombuffer(base64.b64decode(packed["b64"]), dtype=kinds[packed["dtype"]])
    return (numbers.reshape(packed["shape"]) * np.float32(packed["scale"])).astype(np.float32)


def _packed(numbers: np.ndarray[Any, Any], dtype: str, scale: float) -> dict[str, Any]:
    return {
        "shape": list(numbers.shape),
        "dtype": dtype,
        "scale": scale,
        "b64": base64.b64encode(numbers.tobytes()).decode("ascii"),
    }
