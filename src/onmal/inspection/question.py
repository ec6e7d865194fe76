"""What can be asked about a sentence, and the key under which the answer can be kept."""

from __future__ import annotations

import hashlib
import json
from weakref import WeakKeyDictionary

from pydantic import Field

from onmal.config import SearchConfig
from onmal.errors import ConfigError
from onmal.inspection.switches import Switches
from onmal.models.contract import Seq2Seq
from onmal.saved_model import SavedModel
from onmal.settings import Settings, Text

__all__ = ["WIDEST", "Question", "identity"]

WIDEST = 16
"""Hypotheses that a search may keep to be shown."""

WANTED = ("topk", "beam", "effect", "heads")


class Question(Settings):
    """One sentence, how it is translated, and what is wanted of it. A mistake is a ConfigError of one line."""

    text: Text
    """The sentence."""
    to: Text = ""
    """The target language; left away, it follows from the script of the text."""
    beam: int = 0
    """Hypotheses that the search keeps, up to 16; 0 as the model's recipe does."""
    prefix: list[int] = Field(default=[])
    """Ids of the tokens that the translation begins with: decode on from here."""
    ablate: Switches = Switches()
    """What is switched off."""
    include: list[str] = Field(default=["topk", "beam", "effect"])
    """What is wanted: topk, beam, effect, heads, and the attention of layers, such as "attn:cross:2"."""

    def search(self, usual: SearchConfig) -> SearchConfig:
        """How the sentence is searched: as usual, but never by chance, and with all that is found."""
        if not 0 <= self.beam <= WIDEST:
            raise ConfigError(f"beam = {self.beam} cannot be shown", f"choose 1 to {WIDEST}")
        beams = self.beam or min(usual.beam_size, WIDEST)
        return usual.replace(beam_size=beams, n_best=beams, sample=False)

    def layers(self) -> list[tuple[str, int]]:
        """The layers whose attention is asked for; ConfigError for what nobody can include."""
        found = []
        for wanted in self.include:
            kind, _, place = wanted.partition(":")
            part, _, layer = place.partition(":")
            if kind == "attn" and layer.isascii() and layer.isdigit():
                found.append((part, int(layer[:9])))
            elif wanted not in WANTED:
                raise ConfigError(
                    f"include cannot be {wanted!r}", f"choose of {', '.join(WANTED)} and attn:cross:2"
                )
        return found

    def key(self, model: str) -> str:
        """A digest of the question and of what `identity` says of the model: equal keys, equal answers."""
        asked = json.dumps([model, self.model_dump()], ensure_ascii=True, sort_keys=True)
        return hashlib.sha256(asked.encode()).hexdigest()


_identities: WeakKeyDictionary[Seq2Seq, str] = WeakKeyDictionary()


def identity(saved: SavedModel) -> str:
    """A digest of all that a model's answers depend on: network, weights, tokenizer and directions.

    It is worked out once for each model that is loaded.
    """
    if saved.model not in _identities:
        about = [saved.config.model_dump(), saved.directions, saved.tokenizer.tags, saved.search.model_dump()]
        digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
        digest.update(saved.tokenizer.source.serialized + saved.tokenizer.target.serialized)
        for weights in saved.model.parameters():
            digest.update(weights.detach().float().cpu().contiguous().numpy().data)
        _identities[saved.model] = digest.hexdigest()
    return _identities[saved.model]
