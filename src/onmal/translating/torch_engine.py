"""Runs a model in PyTorch: sorted by length into batches, searched, put back in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import torch
from torch import Tensor

from onmal.config import SearchConfig
from onmal.data.batching import pad_rows
from onmal.decoding.constrained import constrained_search
from onmal.decoding.rules import Never, Prefix, Rule
from onmal.decoding.scoring import next_words
from onmal.decoding.search import Hypothesis, beam_search, word_by_word
from onmal.errors import ConfigError
from onmal.models.contract import Place, Probe, Seq2Seq
from onmal.products import LaidOut, unchanging
from onmal.shortlist.narrowed import narrowed_search
from onmal.shortlist.table import Shortlist, listed
from onmal.threads import in_threads, one_thread
from onmal.translating.engine import NONE, Constraints, Phrase, Precision

__all__ = ["ExactEngine", "TorchEngine"]

BATCH_CELLS = 16384  # source tokens, padding and hypotheses included, searched together
FEW_CELLS = 1024  # that one thread searches as fast as two, which wait for each other's Python
SMALL = 30_000_000  # parameters: in products of a smaller network there is nothing for threads to share
NARROWEST = 16  # words of a batch's sources: over fewer, torch's attention on a CPU takes twice as long
FEW = 8  # things said that are read together, for their probability
MOST_AT_ONCE = 8  # batches: what Python does between the products is done by one after the other


class TorchEngine:
    """The engine that everything works with: any network, any device, attention open to look at.

    On a CPU several batches are searched at once, on one thread each, for threads have little to share in small products.
    """

    def __init__(
        self, model: Seq2Seq, *, precision: Precision = "float32", shortlist: Shortlist | None = None
    ) -> None:
        if precision == "int8":
            raise ConfigError("the torch engine has no int8", "pip install 'onmal[fast]', or use bfloat16")
        self.model, self.precision, self.shortlist = model, precision, shortlist
        self.device = next(model.parameters()).device
        self.small = sum(weights.numel() for weights in model.parameters()) < SMALL

    def describe(self, config: SearchConfig, constraints: Constraints = NONE) -> str:
        """With its precision."""
        return f"torch, {self.precision}, {torch.get_num_threads()} threads"

    def refuses(self, config: SearchConfig, constraints: Constraints = NONE) -> str:
        """Nothing."""
        return ""

    def at_once(self, config: SearchConfig, constraints: Constraints = NONE) -> int:
        """One: it shares the cores out itself."""
        return 1

    def translate(
        self, sources: Sequence[Sequence[int]], config: SearchConfig, constraints: Constraints = NONE
    ) -> list[list[Hypothesis]]:
        """The n best hypotheses of each source, in the order of the sources."""
        at_once = min(torch.get_num_threads(), MOST_AT_ONCE) if self.device.type == "cpu" else 1
        bound = {i for i, phrases in enumerate(constraints.must) if phrases}  # to what they have to say
        batches: list[list[int]] = []
        for alike in (bound, set(range(len(sources))) - bound):
            order = sorted(alike, key=lambda i: -len(sources[i]))
            beams = config.beam_size * (4 if alike is bound else 1)  # more where words are looked for
            cells = sum(len(sources[i]) for i in order) * beams
            rounds = max(1, -(-cells // (at_once * BATCH_CELLS)))
            fair = max(FEW_CELLS, -(-cells // (at_once * rounds)))  # so that each thread has as much to do
            while order:
                batches.append(order[: max(1, fair // (len(sources[order[0]]) * beams))])
                order = order[len(batches[-1]) :]

        laid_out: LaidOut = {}

        def search(rows: Sequence[int]) -> list[list[Hypothesis]]:
            with unchanging(laid_out):
                return self._search([sources[i] for i in rows], rows, config, constraints)

        threads = at_once if self.small else min(at_once, len(batches))
        searched = in_threads(search, batches, threads, len(batches)) if threads > 1 else map(search, batches)
        found = dict(zip(chain.from_iterable(batches), chain.from_iterable(searched), strict=True))
        return [found[i] for i in range(len(sources))]

    def _search(
        self,
        sources: Sequence[Sequence[int]],
        numbers: Sequence[int],
        config: SearchConfig,
        constraints: Constraints,
    ) -> list[list[Hypothesis]]:
        """One batch; `numbers` are those of its sources among the constraints."""
        source = pad_rows(sources, self.model.vocabulary.pad, NARROWEST).to(self.device)  # [B,S]
        rules = self._rules(constraints, numbers)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            if constraints.must and constraints.must[numbers[0]]:
                phrases = [constraints.must[i] for i in numbers]
                return constrained_search(self.model, source, config, phrases, rules)
            if config.shortlist and not (constraints.prefixes or constraints.never):  # which name any words
                return narrowed_search(self.model, source, config, listed(self.shortlist), rules)
            return beam_search(self.model, source, config, rules)

    def word_by_word(
        self, source: Sequence[int], config: SearchConfig, constraints: Constraints = NONE
    ) -> Iterator[int]:
        """The words of one source's translation as they are found, and the end token if it ends."""
        return word_by_word(self.model, self._row(source), config, self._rules(constraints, [0]))

    def _rules(self, constraints: Constraints, rows: Sequence[int]) -> list[Rule]:
        unsaid: dict[tuple[Phrase, ...], list[int]] = {}
        for row, phrases in enumerate(constraints.never[i] for i in rows if constraints.never):
            unsaid.setdefault(phrases, []).append(row)
        rules: list[Rule] = [*constraints.watchers, *(Never(*each) for each in unsaid.items())]
        if constraints.prefixes:
            rules.append(Prefix([constraints.prefixes[i] for i in rows], self.device))
        return rules

    @torch.inference_mode()
    def log_probabilities(
        self, sources: Sequence[Sequence[int]], said: Sequence[Sequence[int]], probe: Probe | None = None
    ) -> list[float]:
        """How likely it is that each of these things is said, token by token, of a source of its own [nats]."""
        special, device, totals = self.model.vocabulary, self.device, list[float]()
        for some in (slice(first, first + FEW) for first in range(0, len(said), FEW)):
            rows = (sources[some], [[special.start, *words[:-1]] for words in said[some]])
            source, before = (pad_rows(each, special.pad, 1).to(device) for each in rows)  # [B,S] [B,T]
            states = self.model.hidden(source, before, probe=probe)  # [B,T,D]
            for row, words in zip(states, said[some], strict=True):
                likely = next_words(self.model, row[: len(words)])  # [t,V], large if for all at once
                right = torch.tensor(words, dtype=torch.long, device=device)  # [t]
                totals.append(float(likely.gather(1, right[:, None]).sum()))
        return totals

    def align(self, source: Sequence[int], target: Sequence[int]) -> list[list[float]]:
        """Cross-attention of the translation, mean over layers and heads: [T][S], rows sum to one.

        A network without attention knows all words of the source alike.
        """
        probe = _CrossAttention()
        alike = torch.full((len(target), len(source)), 1 / len(source))
        words = [self.model.vocabulary.start, *target[:-1]]
        with torch.inference_mode():
            self.model.hidden(self._row(source), self._row(words), probe=probe)
        mean: list[list[float]] = torch.stack(probe.layers or [alike]).mean(0).tolist()  # [T,S]
        return mean

    def _row(self, ids: Sequence[int]) -> Tensor:
        return torch.tensor([list(ids)], device=self.device)


class ExactEngine(TorchEngine):
    """The same, each source alone and on one thread: to the bit what it is with other batch mates and thread counts.

    Products of other shapes, or summed up by other threads, differ in their last bits, and a search may turn on that.
    """

    def describe(self, config: SearchConfig, constraints: Constraints = NONE) -> str:
        """With its precision."""
        return f"torch, {self.precision}, exact: one sentence at a time on one thread"

    def translate(
        self, sources: Sequence[Sequence[int]], config: SearchConfig, constraints: Constraints = NONE
    ) -> list[list[Hypothesis]]:
        """The n best hypotheses of each source, in the order of the sources."""
        with one_thread(), unchanging({}):
            return [self._search([source], [n], config, constraints)[0] for n, source in enumerate(sources)]

    def word_by_word(
        self, source: Sequence[int], config: SearchConfig, constraints: Constraints = NONE
    ) -> Iterator[int]:
        """The words of one source's translation as they are found, and the end token if it ends."""
        words = super().word_by_word(source, config, constraints)

        def next_word() -> int | None:
            with one_thread():  # others may have it between two words
                return next(words, None)

        yield from iter(next_word, None)

    def align(self, source: Sequence[int], target: Sequence[int]) -> list[list[float]]:
        """Cross-attention of the translation, mean over layers and heads: [T][S], rows sum to one."""
        with one_thread():
            return super().align(source, target)


class _CrossAttention(Probe):
    def __init__(self) -> None:
        self.layers: list[Tensor] = []

    def attention(
        self, place: Place, scores: Tensor, mask: Tensor | None, weights: Tensor, values: Tensor
    ) -> Tensor:
        if place.part == "decoder.cross":
            self.layers.append(weights[0].mean(0))  # [B,H,T,S] -> [T,S]
        return weights
