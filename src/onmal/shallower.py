"""A trained Transformer with fewer layers: the first, the last, and those that lie evenly between (Shleifer & Rush 2020).

Each layer adds a little to what it is given, so that what is left of a stack still does most of its work, and soon learns the rest.
"""

from __future__ import annotations

from torch import nn

from onmal.models import Transformer

__all__ = ["leave_out_layers"]


def leave_out_layers(model: Transformer, encoder_layers: int, decoder_layers: int) -> None:
    """So many layers of each stack stay; there are as many or more."""
    model.encoder.layers = _spread(model.encoder.layers, encoder_layers)
    model.decoder.layers = _spread(model.decoder.layers, decoder_layers)


def _spread(layers: nn.ModuleList, count: int) -> nn.ModuleList:
    last = len(layers) - 1
    return nn.ModuleList(layers[round(place * last / max(1, count - 1))] for place in range(count))
