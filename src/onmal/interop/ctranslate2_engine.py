"""Runs a Transformer in CTranslate2: C++ on plain CPUs, several sentences at once, int8 where asked for.

The model is converted once and kept in the cache; so is how many workers of how many threads are fastest on this machine.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Lock, RLock
from typing import Any

import torch

from onmal.config import SearchConfig
from onmal.decoding.scoring import LengthPenalty
from onmal.decoding.search import Hypothesis
from onmal.errors import ConfigError, MissingExtraError
from onmal.interop.ctranslate2 import converted, inexpressible
from onmal.saved_model import SavedModel
from onmal.shortlist.table import listed
from onmal.translating.engine import NONE, Constraints, Precision
from onmal.translating.torch_engine import TorchEngine

__all__ = ["CTranslate2Engine", "installed"]

BATCH_TOKENS = {"float32": 1024, "bfloat16": 1024, "int8": 512}  # of the sources in a batch, padding included
BATCH_CELLS = {"float32": 8192, "bfloat16": 8192, "int8": 1024}  # the same times the hypotheses of each
MOST_AT_ONCE = 8  # portions, besides one that Python has in hand
ENOUGH = 100  # sentences that make it worth while to find out how they are translated fastest
TRIED = 64  # sentences that each way is tried on
TRIES = 3  # as often, where the usual way does not win at once
SCORED = 4  # translations at once, with the probabilities of all words


def installed() -> bool:
    """Whether CTranslate2 is there."""
    try:
        import ctranslate2  # noqa: F401
    except ImportError:
        return False
    return True


class CTranslate2Engine:
    """The fast engine for Transformers on CPUs. `threads` is how many cores it may use, as many as torch if 0.

    Raises ConfigError for a network that CTranslate2 cannot express, MissingExtraError where it is not installed.
    """

    def __init__(self, saved: SavedModel, *, precision: Precision = "float32", threads: int = 0) -> None:
        if not installed():
            raise MissingExtraError("ctranslate2", "fast", "the engine ctranslate2")
        if what := inexpressible(saved):
            raise ConfigError(f"CTranslate2 does not know {what}", "translate with the torch engine")
        self.saved, self.precision = saved, precision
        self.threads = threads or torch.get_num_threads()
        self.source_pieces = saved.tokenizer.source.pieces(range(len(saved.tokenizer.source)))
        target = saved.tokenizer.target
        self.target_pieces = target.pieces(range(len(target)))
        self.ids = {piece: number for number, piece in enumerate(self.target_pieces)}
        self.workers = self.threads
        self.calibrated = self.threads == 1
        self.lock = RLock()
        self.calls, self.counting = 0, Lock()

    def at_once(self, config: SearchConfig, constraints: Constraints = NONE) -> int:
        """A call for each thread and one in advance, so that none has to wait for Python, which has the next words ready."""
        return min(self.threads, MOST_AT_ONCE) + 1

    def describe(self, config: SearchConfig, constraints: Constraints = NONE) -> str:
        """With its precision, and the workers that it has."""
        return f"ctranslate2, {self.precision}, {self.workers} x {self.threads // self.workers} threads"

    def refuses(self, config: SearchConfig, constraints: Constraints = NONE) -> str:
        """What CTranslate2 does not do, or scores in another way: without the words that are forbidden."""
        asked = {
            "sampling with a seed for each sentence": config.sample,
            "minimum length": config.min_length_ratio,
            "coverage": config.coverage_penalty,
            "diversity": config.diversity,
            "given beginning": any(constraints.prefixes),
            "words that must be said": any(constraints.must),
            "words that must not be said": any(constraints.never),
        }
        return next((what for what, wanted in asked.items() if wanted), "")

    def translate(
        self, sources: Sequence[Sequence[int]], config: SearchConfig, constraints: Constraints = NONE
    ) -> list[list[Hypothesis]]:
        """The n best hypotheses of each source, in the order of the sources.

        Raises ConfigError for what `refuses` names.
        """
        if what := self.refuses(config, constraints):
            others = " and the precision float32" if self.precision == "int8" else ""  # which torch has not
            raise ConfigError(
                f"CTranslate2 has no {what}", f"translate with the engine auto or torch{others}"
            )
        if config.shortlist:
            listed(self.saved.shortlist)
        with self.lock:
            _ = self.translator  # which brings along what was found out before
        if len(sources) >= ENOUGH and not self.calibrated:
            with self.lock:
                if not self.calibrated:
                    self._calibrate(sources[:TRIED], config)
        with self._called():
            return self._translate(sources, config)

    @contextmanager
    def _called(self) -> Iterator[None]:
        """While a call is under way: those that are share the workers, and cut their batches no smaller than that."""
        with self.counting:
            self.calls += 1
        try:
            yield
        finally:
            with self.counting:
                self.calls -= 1

    def align(self, source: Sequence[int], target: Sequence[int]) -> list[list[float]]:
        """In torch: CTranslate2 shows the attention of a single layer."""
        return TorchEngine(self.saved.model).align(source, target)

    def _translate(self, sources: Sequence[Sequence[int]], config: SearchConfig) -> list[list[Hypothesis]]:
        order = sorted(range(len(sources)), key=lambda i: -len(sources[i]))
        free = max(1, self.workers // max(1, self.calls))
        fair = -(-len(order) // free)  # so that each worker has something to do
        tokens = min(BATCH_TOKENS[self.precision], BATCH_CELLS[self.precision] // config.beam_size)
        batches: list[list[int]] = []
        while (done := sum(map(len, batches))) < len(order):
            batches.append(order[done:][: max(1, min(fair, tokens // len(sources[order[done]])))])
        found = self._search(sources, batches, config)
        alike: dict[int, list[int]] = defaultdict(list)
        for i, hypotheses in found.items():
            if max(len(h.tokens) + h.ended for h in hypotheses) > self._limit(len(sources[i]), config):
                alike[len(sources[i])].append(i)  # not by the limit of a longer batch mate
        found.update(self._search(sources, list(alike.values()), config))
        inorder = [found[i] for i in range(len(sources))]
        return self._scored_anew(sources, inorder, config) if config.no_repeat_ngram else inorder

    def _search(
        self, sources: Sequence[Sequence[int]], batches: Sequence[Sequence[int]], config: SearchConfig
    ) -> dict[int, list[Hypothesis]]:
        """The hypotheses of the sources that are named in batches; what a batch may say at most goes by its longest source."""
        waiting: dict[int, Any] = {}
        for rows in batches:
            results = self.translator.translate_batch(
                [[self.source_pieces[token] for token in sources[i]] for i in rows],
                asynchronous=True,
                beam_size=config.beam_size,
                patience=config.patience,
                num_hypotheses=config.n_best,
                length_penalty=config.length_penalty,
                max_input_length=0,
                max_decoding_length=self._limit(max(len(sources[i]) for i in rows), config),
                min_decoding_length=0,
                no_repeat_ngram_size=config.no_repeat_ngram,
                use_vmap=config.shortlist,
                return_end_token=True,
                return_scores=True,
            )
            waiting.update(zip(rows, results, strict=True))
        return {i: self._hypotheses(result.result(), config) for i, result in waiting.items()}

    def _scored_anew(
        self, sources: Sequence[Sequence[int]], found: list[list[Hypothesis]], config: SearchConfig
    ) -> list[list[Hypothesis]]:
        """By the network alone: where words may not be repeated, the search shares their probability out among the others."""
        penalty, longest = LengthPenalty(config.length_penalty), self.saved.model.longest_target
        told = [(source, each.tokens) for source, some in zip(sources, found, strict=True) for each in some]
        told = [(source, tokens) for source, tokens in told if len(tokens) < longest]
        scored = iter(
            self.translator.score_batch(
                [[self.source_pieces[token] for token in source] for source, _ in told],
                [[self.target_pieces[token] for token in tokens] for _, tokens in told],
                max_batch_size=SCORED,
                max_input_length=0,
            )
        )

        def anew(source: Sequence[int], each: Hypothesis) -> Hypothesis:
            said = len(each.tokens) + each.ended
            if len(each.tokens) < longest:
                total = sum(next(scored).log_probs[:said])  # without the end that CTranslate2 adds to all
            else:  # there is no place for it
                [total] = TorchEngine(self.saved.model).log_probabilities([source], [each.tokens])
            return replace(each, log_probability=total, score=penalty(total, max(1, said)))

        scores = [[anew(source, each) for each in some] for source, some in zip(sources, found, strict=True)]
        return [sorted(some, key=lambda each: -each.score) for some in scores]

    def _limit(self, words: int, config: SearchConfig) -> int:
        """Most tokens, end included, of a translation of so many."""
        limit = int(words * config.max_length_ratio) + config.max_length_extra
        return min(limit, self.saved.model.longest_target)

    def _hypotheses(self, result: Any, config: SearchConfig) -> list[Hypothesis]:
        found = []
        for pieces, score in zip(result.hypotheses, result.scores, strict=True):
            tokens = tuple(self.ids[piece] for piece in pieces)
            ended = not tokens or tokens[-1] == self.saved.model.vocabulary.end  # no source, no end token
            total = score * len(tokens) ** config.length_penalty
            found.append(Hypothesis(tokens[:-1] if ended else tokens, total, score, ended))
        return [hypothesis for hypothesis in found if hypothesis.ended] or found

    @cached_property
    def translator(self) -> Any:
        """CTranslate2's own, with as many workers as were fastest on this machine, if that was found out."""
        with converted(self.saved) as folder:
            with suppress(OSError, ValueError, KeyError, TypeError):
                chosen = json.loads(self._choice(folder).read_text("utf-8"))["workers"]
                self.workers, self.calibrated = min(max(1, int(chosen)), self.threads), True
            return self._start(folder)

    def _choice(self, folder: Path) -> Path:
        return folder / f"workers-{self.precision}-{self.threads}.json"

    def _start(self, folder: Path) -> Any:
        import ctranslate2

        try:
            return ctranslate2.Translator(
                str(folder),
                compute_type=self.precision,
                inter_threads=self.workers,
                intra_threads=self.threads // self.workers,
                max_queued_batches=-1,
            )
        except ValueError as error:  # a processor without such numbers
            raise ConfigError(f"CTranslate2 cannot run here: {error}", "use --precision float32") from None

    def _calibrate(self, sources: Sequence[Sequence[int]], config: SearchConfig) -> None:
        """Try one worker for each thread, one with all threads, and the middle; the fastest stays, here and in the cache.

        One for each thread is what is fastest as a rule. Another number has to win again and again, each by its best time: on a busy
        machine any of them wins by chance, and it would stay.
        """
        ways = sorted({1, max(1, self.threads // 2), self.threads}, reverse=True)
        seconds = dict.fromkeys(ways, math.inf)
        with converted(self.saved) as folder:
            started = {}
            for self.workers in ways:
                started[self.workers] = self._start(folder)
            for _ in range(TRIES):
                for self.workers, self.translator in started.items():
                    self._translate(sources[: len(sources) // 4], config)  # the first time is slower
                    begin = time.perf_counter()
                    self._translate(sources, config)
                    seconds[self.workers] = min(seconds[self.workers], time.perf_counter() - begin)
                self.workers = min(seconds, key=seconds.__getitem__)
                if self.workers == self.threads:
                    break
            self.translator, self.calibrated = started[self.workers], True
            with suppress(OSError):
                part = self._choice(folder).with_suffix(f".{os.getpid()}")
                part.write_text(json.dumps({"workers": self.workers, "seconds": seconds}), "utf-8")
                part.replace(self._choice(folder))
