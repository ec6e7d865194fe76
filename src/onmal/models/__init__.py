"""The networks: ids in, logits out.

     source words                               target words so far
          |                                            |
     (1) source word embedding             (5) target word embedding
          +                                            +
     (2) source position embedding         (6) target position embedding
          |                                            |
     (3) ENCODER                           (7) DECODER  ------------> next target word
         multi-head self-attention             masked multi-head self-attention
         feed-forward                          attention over the encoder's output
          |                                    feed-forward
          +------(4) hand-over: memory ----------------^

(1) (2) (5) (6) embedding.py    (3) encoder.py    (4) contract.py, Memory    (7) decoder.py
the whole: transformer.py       attention: attention.py       what surrounds it: sublayer.py

Beside it, behind the same contract, so that what the Transformer changed can be measured: gru.py (Cho 2014, Bahdanau 2015)
and convolution.py (Gehring 2017).

Letters of every shape comment, in the whole package:
B batch (sources), S source length, T target length, D d_model, H heads, E head size = D/H, F feed-forward size,
V vocabulary, K beam (hypotheses per source), R = B*K rows; of the classical networks G width inside, C encoder states.
"""

from __future__ import annotations

from onmal.config import ModelConfig, Vocabulary
from onmal.models.contract import DecoderState, Memory, Place, Probe, Seq2Seq
from onmal.models.convolution import Convolution
from onmal.models.gru import GRU
from onmal.models.transformer import Transformer

__all__ = ["DecoderState", "Memory", "Place", "Probe", "Seq2Seq", "Transformer", "build"]


def build(config: ModelConfig, vocabulary: Vocabulary) -> Seq2Seq:
    """The network that a configuration names, freshly initialised from torch's random state."""
    match config.network:
        case "transformer":
            return Transformer(config, vocabulary)
        case "gru" | "gru-attention":
            return GRU(config, vocabulary)
        case "convolution":
            return Convolution(config, vocabulary)
