"""The laboratory: what is said of the Transformer and of the networks before it, each claim as an experiment that can be run.

    onmal lab                      lists the experiments
    onmal lab mask                 runs one: progress, verdict, result as JSON, picture
    onmal lab all --quick          every check that is exact and needs no training

An experiment is one module with an `EXPERIMENT`: a claim, what would refute it (written before it was run), how it is set up,
what is measured, and how the numbers are judged. Verdict and picture are made from the result's file alone.
"""

from __future__ import annotations

from importlib import import_module

from onmal.errors import ConfigError
from onmal.lab.experiment import Experiment, Result, Verdict, run

__all__ = ["EXPERIMENTS", "Experiment", "Result", "Verdict", "experiment_named", "run"]

EXPERIMENTS = (
    "reach", "senses", "length", "speed", "attention", "order", "roles", "positions", "heads", "mask", "unmasked", "scaling", "softmax",
    "importance",
)  # fmt: skip
"""Module names, in the order in which the introduction makes its claims."""


def experiment_named(name: str) -> Experiment:
    """The experiment of a name; ConfigError for one that there is not."""
    if name not in EXPERIMENTS:
        raise ConfigError(f"there is no experiment {name!r}", f"choose one of: {', '.join(EXPERIMENTS)}, all")
    found = import_module(f"onmal.lab.{name}").EXPERIMENT
    assert isinstance(found, Experiment)
    return found
