"""The words that each source word suggests, as two flat tables; a file of a model folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from onmal.config import Vocabulary
from onmal.errors import ConfigError, ModelFolderError

__all__ = ["SHORTLIST", "Shortlist", "listed"]

SHORTLIST = "shortlist.safetensors"


@dataclass(frozen=True)
class Shortlist:
    """What may be said of a source: the words that are always at hand, and those that its own words suggest."""

    common: Tensor
    """[C] target ids, among them all special ones."""
    words: Tensor
    """[N] target ids: those of source word 0, then those of source word 1, ..."""
    starts: Tensor
    """[source vocabulary + 1] where in `words` those of each source word begin; the last is N."""

    def of(self, source: int) -> Tensor:
        """The target ids that one source word suggests."""
        return self.words[self.starts[source] : self.starts[source + 1]]

    def allowed(self, source: Tensor, vocabulary: Vocabulary) -> Tensor:
        """Which target words [B,V] each source [B,S] may need; padding suggests none."""
        counts = self.starts[source + 1] - self.starts[source]  # [B,S]
        counts = counts.masked_fill(source == vocabulary.pad, 0)
        rows = (
            torch.arange(len(source))[:, None].expand_as(source).flatten().repeat_interleave(counts.flatten())
        )
        first = self.starts[source].flatten().repeat_interleave(counts.flatten())  # [n]
        before = (counts.flatten().cumsum(0) - counts.flatten()).repeat_interleave(counts.flatten())
        allowed = torch.zeros(len(source), vocabulary.target_size, dtype=torch.bool)
        allowed[:, self.common] = True
        allowed[rows, self.words[first + torch.arange(len(first)) - before]] = True
        return allowed

    def lines(self, source_pieces: Sequence[str], target_pieces: Sequence[str]) -> Iterator[str]:
        """As CTranslate2 reads it: a source piece, a tab, and target pieces; without a source piece those always at hand."""
        yield "\t" + " ".join(target_pieces[word] for word in self.common.tolist())
        for number, piece in enumerate(source_pieces):
            if suggested := self.of(number).tolist():
                yield f"{piece}\t{' '.join(target_pieces[word] for word in suggested)}"

    def save(self, folder: Path) -> None:
        """Write it into a model folder."""
        tensors = {"common": self.common, "words": self.words, "starts": self.starts}
        save_file({name: tensor.to(torch.int32) for name, tensor in tensors.items()}, folder / SHORTLIST)

    @classmethod
    def load(cls, folder: Path, vocabulary: Vocabulary) -> Shortlist | None:
        """That of a model folder, if it has one. Raises ModelFolderError for one that is damaged or of another vocabulary."""
        path = folder / SHORTLIST
        if not path.exists():
            return None
        try:
            tensors = {name: tensor.long() for name, tensor in load_file(path).items()}
            found = cls(**tensors)
        except (OSError, SafetensorError, TypeError) as error:
            raise ModelFolderError(
                f"cannot be read, it is damaged ({error})", "make it again: onmal shortlist", path=path
            ) from None
        starts, words = found.starts, torch.cat((found.common, found.words))
        fits = (
            starts.shape == (vocabulary.source_size + 1,)
            and starts[0] == 0
            and starts[-1] == len(found.words)
            and bool((starts[1:] >= starts[:-1]).all())
            and bool(((words >= 0) & (words < vocabulary.target_size)).all())
            and {vocabulary.pad, vocabulary.start, vocabulary.end} <= {*found.common.tolist()}
        )
        if not fits:
            raise ModelFolderError("is of another vocabulary", "make it again: onmal shortlist", path=path)
        return found


def listed(shortlist: Shortlist | None) -> Shortlist:
    """The shortlist of a model of which one was asked for. Raises ConfigError where there is none."""
    if shortlist is None:
        raise ConfigError(
            "search.shortlist: this model has no shortlist",
            "make one: onmal shortlist MODEL SOURCES TRANSLATIONS; or leave it away",
        )
    return shortlist
