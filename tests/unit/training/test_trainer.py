"""The training loop on a copy task: it learns, it ends, it says what goes wrong, and it goes on exactly where it stood."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from onmal.config import ModelConfig, TrainConfig, Vocabulary
from onmal.data.batching import Batch, TrainingText
from onmal.errors import TrainingError
from onmal.models import build
from onmal.models.contract import Seq2Seq
from onmal.run_report.events import Progress, Update, Validation
from onmal.text.subword_sampling import EncodedSide, WordTable
from onmal.training.checkpoint import all_progress, latest_checkpoint, named_weights
from onmal.training.trainer import Trainer
from onmal.training.trial import largest_batches

SPECIAL, WORDS = 4, 12
VOCABULARY = Vocabulary(source_size=SPECIAL + WORDS, target_size=SPECIAL + WORDS)


def copy_task(pairs: int = 60, *, sampled: bool = False, longest: int = 6) -> TrainingText:
    """Sentences of random words whose translation they are; sampled, each word has two spellings."""
    random = np.random.default_rng(0)
    offsets = np.concatenate(([0], np.cumsum(random.integers(2, longest + 1, pairs))))
    words = random.integers(0, WORDS, offsets[-1]).astype(np.int32)
    spellings = [
        [[SPECIAL + word], [SPECIAL + (word + 1) % WORDS, SPECIAL + (word + 5) % WORDS]][: 1 + sampled]
        for word in range(WORDS)
    ]
    flat = [spelling for candidates in spellings for spelling in candidates]
    table = WordTable(
        pieces=np.array([piece for spelling in flat for piece in spelling], np.int32),
        starts=np.cumsum([0, *map(len, flat)]),
        first=np.arange(WORDS + 1) * (1 + sampled),
        shares=np.tile([0.5, 1.0] if sampled else [1.0], WORDS),
    )
    side = EncodedSide(table, words, offsets)
    return TrainingText(side, side, [[]], sampled, max_length=40)


class Listener:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.updates: list[Update] = []
        self.validations: list[int] = []
        self.notes: list[str] = []

    def begun(self, facts: dict[str, Any]) -> None:
        raise AssertionError("it is not the trainer that begins a run")

    ended = begun

    def updated(self, update: Update) -> None:
        self.updates.append(update)

    def validated(self, validation: Validation, progress: Progress) -> None:
        self.validations.append(progress.update)

    def note(self, text: str) -> None:
        self.notes.append(text)


class Watched(Trainer):
    """A trainer that lets a test look, or step in, after each update."""

    after: Callable[[Watched], None] = staticmethod(lambda trainer: None)

    def update(self, batches: list[Batch]) -> None:
        super().update(batches)
        self.after(self)


def weigh(model: Seq2Seq) -> Validation:
    """A score that is a function of the weights."""
    return Validation(0.0, float(model.output.weight.detach().double().square().sum()) % 1, {})


def trainer(
    folder: Path,
    text: TrainingText | None = None,
    *,
    after: Callable[[Watched], None] = lambda trainer: None,
    validate: Callable[[Seq2Seq], Validation] = weigh,
    dropout: float = 0.0,
    model_seed: int = 1,
    **settings: Any,
) -> Watched:
    torch.manual_seed(model_seed)
    config = ModelConfig(
        d_model=16, num_heads=2, feed_forward=32, encoder_layers=1, decoder_layers=1, dropout=dropout,
        attention_dropout=dropout, feed_forward_dropout=dropout, max_source_length=40, max_target_length=40,
    )  # fmt: skip
    plan = {
        "batch_tokens": 64, "learning_rate": 0.01, "warmup": 5, "validate_every": 1000, "precision": "float32",
        "max_updates": 20, "label_smoothing": 0.0,
    }  # fmt: skip
    made = Watched(
        build(config, VOCABULARY), copy_task() if text is None else text, TrainConfig(**{**plan, **settings}),
        validate=validate, reporter=Listener(), folder=folder, device=torch.device("cpu"),
    )  # fmt: skip
    made.after = after
    return made


def stop_at(*updates: int) -> Callable[[Watched], None]:
    def after(trainer: Watched) -> None:
        trainer.interrupted = trainer.progress.update in updates

    return after


def heard(trainer: Trainer) -> Listener:
    assert isinstance(trainer.reporter, Listener)
    return trainer.reporter


def likelihood(trainer: Trainer) -> float:
    """Negative log-likelihood of the training text, per token."""
    batches = list(trainer.text.pool(0, 0, 0, 512, start=1, end=2, pad=0))
    trainer.model.eval()
    with torch.no_grad():
        found = [trainer.loss(batch.source, batch.target, batch.lengths) for batch in batches]
    return sum(float(each.negative_log_likelihood) for each in found) / sum(each.tokens for each in found)


def same_weights(one: Trainer, other: Trainer) -> bool:
    others = named_weights(other.model)
    return all(torch.equal(weight, others[name]) for name, weight in named_weights(one.model).items())


# Learning


def test_it_learns_to_copy(tmp_path: Path) -> None:
    run = trainer(tmp_path, copy_task(200, longest=4), max_updates=200, learning_rate=0.02, warmup=20)
    before = likelihood(run)
    run.run()
    assert before > 2
    assert likelihood(run) < 0.5 * before
    assert run.progress.update == 200
    assert heard(run).notes == []
    assert not run.model.training  # as a validation leaves it


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_gradients_are_those_of_the_mean_over_tokens_however_batches_are_split(
    precision: str, tmp_path: Path
) -> None:
    """One batch, or two of unequal token counts whose gradients are summed: the same step."""
    gradients = []
    for cuts in ([], [3]):
        run = trainer(tmp_path, clip_norm=0, precision=precision, batch_tokens=128)
        (whole,) = next(run.updates())
        parts = np.split(np.arange(len(whole.pairs)), cuts)
        batches = [Batch(whole.source[p], whole.target[p], whole.lengths[p], whole.pairs[p]) for p in parts]
        run.optimizer.register_step_pre_hook(
            lambda *_, model=run.model: gradients.append([p.grad.clone() for p in model.parameters()])
        )
        run.update(batches)
        assert run.progress.target_tokens == whole.target_tokens
    tolerance = 1e-5 if precision == "float32" else 0.02
    for one, two in zip(*gradients, strict=True):
        assert float((one - two).norm()) <= tolerance * float(one.norm()) + 1e-6


def test_accumulation_takes_as_many_batches_and_what_is_left_of_an_epoch(tmp_path: Path) -> None:
    run = trainer(tmp_path, accumulate=4, max_epochs=1, max_updates=0)
    taken: list[int] = []
    for batches in run.updates():
        taken.append(len(batches))
        run.update(batches)
    assert sum(taken) == len(run.text.pool(1, 0, 0, 64, start=1, end=2, pad=0))
    assert set(taken[:-1]) == {4}
    assert 1 <= taken[-1] <= 4


def test_gradients_are_clipped_only_where_asked(tmp_path: Path) -> None:
    norms = {}
    for clip in (0.0, 0.01):
        run = trainer(tmp_path, clip_norm=clip, max_updates=1)
        run.optimizer.register_step_pre_hook(
            lambda *_, model=run.model, clip=clip: norms.update(
                {clip: math.sqrt(sum(float(p.grad.square().sum()) for p in model.parameters()))}
            )
        )
        run.run()
    assert norms[0.01] == pytest.approx(0.01, rel=1e-3)
    assert norms[0.0] > 0.1


def test_each_epoch_shows_every_pair_once(tmp_path: Path) -> None:
    run = trainer(tmp_path, max_epochs=2, max_updates=0)
    seen: list[list[int]] = [[], []]
    for batches in run.updates():
        seen[run.progress.epoch] += [int(pair) for batch in batches for pair in batch.pairs]
        run.update(batches)
    assert sorted(seen[0]) == sorted(seen[1]) == list(range(60))
    assert seen[0] != seen[1]


def test_at_the_beginning_each_pair_is_there_the_other_way_round_too(tmp_path: Path) -> None:
    text = replace(copy_task(), target=copy_task(longest=9).source)
    run = trainer(tmp_path, text, batch_tokens=128, max_epochs=4, max_updates=0, reversed_share=0.5)
    seen: dict[int, set[tuple[tuple[int, ...], ...]]] = defaultdict(set)
    for batches in run.updates():
        assert run.progress.reversed == (run.progress.epoch < 2)
        special = (VOCABULARY.pad, VOCABULARY.start, VOCABULARY.end)
        for batch in batches:
            seen[run.progress.epoch] |= {
                tuple(tuple(word for word in row if word not in special) for row in pair)
                for pair in zip(batch.source.tolist(), batch.target.tolist(), strict=True)
            }
        run.update(batches)
    assert len(seen[2]) == 60
    assert seen[2] == seen[3]
    assert seen[0] == seen[1] == seen[2] | {(target, source) for source, target in seen[2]}


# Seeds


def test_the_seed_alone_decides(tmp_path: Path) -> None:
    text = copy_task(sampled=True)
    runs = []
    for number, seed in enumerate((3, 3, 4)):
        (tmp_path / str(number)).mkdir()
        runs.append(trainer(tmp_path / str(number), text, seed=seed, dropout=0.2))
        runs[-1].run()
    assert same_weights(runs[0], runs[1])
    assert not same_weights(runs[0], runs[2])


# Going on


EXACT = {
    "max_updates": 23, "validate_every": 4, "average": 3, "accumulate": 2, "dropout": 0.2, "weight_decay": 0.01,
    "schedule": "cosine", "label_smoothing": 0.1, "batch_tokens": 48,
}  # fmt: skip


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    run = trainer(tmp_path_factory.mktemp("uninterrupted"), copy_task(sampled=True), **EXACT)
    run.run()
    assert run.progress.epoch > 2
    return run


def assert_same_run(one: Trainer, other: Trainer) -> None:
    """Weights, optimizer, random state, place and snapshots, all to the bit."""
    assert same_weights(one, other)
    states = [run.optimizer.state_dict()["state"] for run in (one, other)]
    for index, state in states[0].items():
        for key, value in state.items():
            assert torch.equal(value, states[1][index][key]), (index, key)
    places = [{**asdict(run.progress), "seconds": 0} for run in (one, other)]
    assert places[0] == places[1]
    for name, weight in one.snapshots.mean(one.progress.snapshots).items():
        assert torch.equal(weight, other.snapshots.mean(other.progress.snapshots)[name])
    assert other.snapshots.path(other.progress.best_update).exists()
    newest = [latest_checkpoint(run.folder) for run in (one, other)]
    assert newest[0] is not None
    assert newest[1] is not None
    assert newest[0].name == newest[1].name


def go_on(folder: Path, after: Callable[[Watched], None], **settings: Any) -> Watched:
    """A new process, as it were: other weights and random numbers, until the checkpoint is read."""
    run = trainer(folder, copy_task(sampled=True), after=after, model_seed=99, **settings)
    checkpoint = latest_checkpoint(folder)
    if checkpoint:
        run.resume(checkpoint)
    return run


@pytest.mark.parametrize("stops", [(1,), (4,), (7,), (10, 11, 12), (22,), (23,), (3, 8, 13, 21)], ids=str)
def test_interrupted_and_resumed_is_uninterrupted(
    stops: Sequence[int], uninterrupted: Watched, tmp_path: Path
) -> None:
    run = trainer(tmp_path, copy_task(sampled=True), after=stop_at(*stops), **EXACT)
    places = []
    for stop in stops:
        run.run()
        assert run.progress.update == stop
        assert run.interrupted
        places.append((run.progress.epoch, run.progress.batch))
        run = go_on(tmp_path, stop_at(*stops), **EXACT)
        assert (run.progress.epoch, run.progress.batch) == places[-1]
    run.run()
    assert any(batch > 0 for _, batch in places)  # in the middle of an epoch
    assert_same_run(uninterrupted, run)


def both_ways(
    folder: Path, stops: Sequence[int], settings: dict[str, Any]
) -> tuple[list[Watched], list[int]]:
    """A run left alone and one that is stopped and resumed; and at which batch of its pool that one was stopped."""
    runs, places = [], []
    for name, when in (("uninterrupted", ()), ("interrupted", stops)):
        (folder / name).mkdir()
        run = trainer(folder / name, copy_task(sampled=True), after=stop_at(*when), **settings)
        run.run()
        for stop in when:
            assert (run.progress.update, run.interrupted) == (stop, True)
            places.append(run.progress.batch)
            run = go_on(folder / name, stop_at(*when), **settings)
            run.run()
        runs.append(run)
    return runs, places


@pytest.mark.parametrize(
    "extra", [{"r_drop": 5.0}, {"word_dropout": 0.2}, {"ema": 0.9}, {"reversed_share": 0.7}], ids=str
)
def test_regularised_interrupted_and_resumed_is_uninterrupted(extra: dict[str, Any], tmp_path: Path) -> None:
    settings = {**EXACT, "max_updates": 12, **extra}
    runs, _ = both_ways(tmp_path, (3, 8), settings)
    assert runs[0].progress.update == 12
    assert_same_run(*runs)
    (tmp_path / "plain").mkdir()
    plain = trainer(tmp_path / "plain", copy_task(sampled=True), **{**settings, **dict.fromkeys(extra, 0.0)})
    plain.run()
    assert same_weights(plain, runs[0]) == ("ema" in extra)  # which only looks on


def test_with_muon_interrupted_and_resumed_is_uninterrupted(tmp_path: Path) -> None:
    runs, _ = both_ways(tmp_path, (3, 8), {**EXACT, "max_updates": 12, "optimizer": "muon", "ema": 0.9})
    assert runs[0].progress.update == 12
    assert_same_run(*runs)


def test_the_moving_average_is_what_is_validated_and_kept(tmp_path: Path) -> None:
    seen: list[dict[str, torch.Tensor]] = []

    def validate(model: Seq2Seq) -> Validation:
        seen.append({name: weight.clone() for name, weight in named_weights(model).items()})
        return weigh(model)

    run = trainer(tmp_path, validate=validate, ema=0.9, validate_every=5, max_updates=10, average=2)
    run.run()
    kept = [run.snapshots.mean([update]) for update in run.progress.snapshots]
    assert run.progress.snapshots == [5, 10]
    for name, weight in named_weights(run.model).items():
        assert all(torch.equal(before[name], after[name]) for before, after in zip(seen, kept, strict=True))
        assert not torch.equal(seen[-1][name], weight)


def test_a_skipped_update_is_not_averaged(tmp_path: Path) -> None:
    run = trainer(tmp_path, ema=0.9, max_updates=6, spike=0)
    poison(run, lambda update: update == 4)
    averages = []
    run.after = lambda run: averages.append(
        [state["average"].clone() for state in run.optimizer.state.values()]
    )
    run.run()
    same = [all(map(torch.equal, one, two)) for one, two in pairwise(averages)]
    assert same == [False, False, True, False, False]


class Killed(Exception):
    """What no process can catch."""


@pytest.mark.parametrize(
    ("saved", "killed"), [((2,), 3), ((6,), 22), ((5, 9), 21), ((13,), 14), ((), 9)], ids=str
)
def test_killed_and_resumed_is_uninterrupted(
    saved: Sequence[int], killed: int, uninterrupted: Watched, tmp_path: Path
) -> None:
    """What happened after the last checkpoint happens again, validations and their snapshots included."""

    def after(run: Watched) -> None:
        if run.progress.update in saved:
            run.save()
        if run.progress.update == killed:
            raise Killed

    with pytest.raises(Killed):
        trainer(tmp_path, copy_task(sampled=True), after=after, **EXACT).run()
    run = (
        trainer(tmp_path, copy_task(sampled=True), **EXACT)
        if not saved
        else go_on(tmp_path, stop_at(), **EXACT)
    )
    assert run.progress.update == (saved[-1] if saved else 0)
    run.run()
    assert_same_run(uninterrupted, run)


def test_every_checkpoint_that_stays_has_its_snapshots(tmp_path: Path) -> None:
    """Validations after a checkpoint take nothing from it: it may have to be resumed from, and end at once."""
    settings = {**EXACT, "validate_every": 1, "max_updates": 20, "average": 2}

    def after(run: Watched) -> None:
        if run.progress.update in (5, 10):
            run.save()
        if run.progress.update == 18:
            raise Killed

    with pytest.raises(Killed):
        trainer(tmp_path, copy_task(sampled=True), after=after, **settings).run()
    assert [progress.update for progress in all_progress(tmp_path)] == [5, 10]
    for damaged in (False, True):
        if damaged:
            (tmp_path / "checkpoint-000000010.safetensors").write_bytes(b"")
        run = go_on(tmp_path, stop_at(), **settings)
        needed = {*run.progress.snapshots, run.progress.best_update}
        assert [update for update in needed if not run.snapshots.path(update).exists()] == []


def test_snapshots_that_nothing_needs_go(tmp_path: Path) -> None:
    run = trainer(tmp_path, max_updates=20, validate_every=2, average=3)
    run.run()
    updates = {int(path.stem.removeprefix("snapshot-")) for path in tmp_path.glob("snapshot-*")}
    assert updates == {16, 18, 20, run.progress.best_update}


def test_a_run_planned_in_epochs_goes_on_at_the_same_rate(tmp_path: Path) -> None:
    """How much of it is done, by which the rate falls, is known in the middle of an epoch, too."""
    settings = {**EXACT, "max_updates": 0, "max_epochs": 2}
    runs, places = both_ways(tmp_path, (3, 7), settings)
    assert all(batch > 0 for batch in places)
    assert_same_run(*runs)


def test_a_finished_run_that_is_resumed_stays_as_it_is(uninterrupted: Watched) -> None:
    run = go_on(uninterrupted.folder, stop_at(), **EXACT)
    run.run()
    assert heard(run).validations == []
    assert_same_run(uninterrupted, run)


def test_a_finished_run_can_go_on_to_a_later_end(uninterrupted: Watched, tmp_path: Path) -> None:
    short = {**EXACT, "schedule": "inverse-sqrt", "warmup": 0, "validate_every": 5}
    trainer(tmp_path, copy_task(sampled=True), **{**short, "max_updates": 10}).run()
    longer = go_on(tmp_path, stop_at(), **{**short, "max_updates": 15})
    longer.run()
    (tmp_path / "at once").mkdir()
    at_once = trainer(tmp_path / "at once", copy_task(sampled=True), **{**short, "max_updates": 15})
    at_once.run()
    assert_same_run(at_once, longer)


# What goes wrong


def poison(run: Trainer, updates: Callable[[int], bool]) -> None:
    """Makes the gradients of chosen updates not finite (1 is the first)."""
    run.model.output.weight.register_hook(
        lambda gradient: gradient * (math.nan if updates(run.progress.update + 1) else 1)
    )


def test_an_update_whose_gradient_is_not_finite_is_left_out_counted_and_said(tmp_path: Path) -> None:
    weights: dict[int, list[torch.Tensor]] = {}
    run = trainer(
        tmp_path,
        after=lambda run: weights.update(
            {run.progress.update: [p.detach().clone() for p in run.model.parameters()]}
        ),
        max_updates=6,
    )
    poison(run, lambda update: update in (3, 5))
    run.run()
    assert heard(run).notes == [f"update {number}: gradient not finite, update skipped" for number in (3, 5)]
    assert (run.progress.skipped, run.progress.skipped_in_a_row) == (2, 0)
    changed = {
        number: any(not torch.equal(a, b) for a, b in zip(weights[number - 1], weights[number], strict=True))
        for number in range(2, 7)
    }
    assert changed == {2: True, 3: False, 4: True, 5: False, 6: True}
    assert all(torch.isfinite(p).all() for p in run.model.parameters())


@pytest.mark.parametrize("most", [0, 3])
def test_too_many_in_a_row_end_the_run_with_one_line(most: int, tmp_path: Path) -> None:
    run = trainer(tmp_path, max_skipped=most, max_rollbacks=0)
    poison(run, lambda update: update > 4)
    with pytest.raises(TrainingError, match=rf"^{most + 1} updates in a row.* lower train\.learning_rate"):
        run.run()
    assert run.progress.update == 5 + most
    assert len(heard(run).notes) == most + 1


def test_a_run_that_has_lost_its_way_goes_back_at_half_the_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    run = trainer(tmp_path, after=lambda run: [clock.tick(run), clock.tick(run)], save_every=1, max_skipped=3)
    poison(run, lambda update: update > 7 and run.progress.rollbacks == 0)
    run.run()
    assert heard(run).notes[-1] == "back to update 7 and on at 0.5 times the rate"
    assert (run.progress.update, run.progress.skipped, run.progress.rollbacks) == (20, 4, 1)
    rate = run.config.learning_rate * math.sqrt(5 / 20)
    assert run.optimizer.param_groups[0]["lr"] == pytest.approx(rate / 2)
    assert all_progress(tmp_path)[-1].rate_factor == 0.5


def test_a_run_that_loses_its_way_at_once_goes_back_to_its_beginning(tmp_path: Path) -> None:
    run = trainer(tmp_path, max_skipped=1, max_updates=8)
    poison(run, lambda update: update > 4 and run.progress.rollbacks == 0)
    run.run()
    assert heard(run).notes[-1] == "back to update 0 and on at 0.5 times the rate"
    assert (run.progress.update, run.progress.skipped, run.progress.rollbacks) == (8, 2, 1)


def test_a_run_that_goes_back_too_often_gives_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    run = trainer(
        tmp_path,
        after=lambda run: [clock.tick(run), clock.tick(run)],
        save_every=1,
        max_skipped=0,
        max_rollbacks=2,
    )
    poison(run, lambda update: update > 4)
    with pytest.raises(TrainingError, match=r"^1 updates in a row.*the last good checkpoint is kept"):
        run.run()
    assert run.progress.rollbacks == 2
    assert all_progress(tmp_path)[-1].update == 4


def test_a_spike_is_skipped_and_said(tmp_path: Path) -> None:
    run = trainer(tmp_path, max_updates=120, spike=5.0)
    run.model.output.weight.register_hook(
        lambda gradient: gradient * (1e4 if run.progress.update + 1 == 110 else 1)
    )
    run.run()
    assert run.progress.skipped == 1
    (note,) = heard(run).notes
    assert note.startswith("update 110: gradient norm ")


def test_a_batch_that_memory_cannot_hold_is_known_before_the_first_update(tmp_path: Path) -> None:
    run = trainer(tmp_path, batch_tokens=10**16)
    with pytest.raises(
        TrainingError, match=r"memory is too small for batches of train\.batch_tokens"
    ) as caught:
        run.run()
    assert "\n" not in str(caught.value)
    assert run.progress.update == 0


def everything(run: Trainer) -> dict[str, torch.Tensor]:
    """What an update depends on or changes, copied."""
    states = run.optimizer.state_dict()["state"]
    found = {f"{index}.{key}": value for index, state in states.items() for key, value in state.items()}
    found |= {**named_weights(run.model), "chance": torch.random.get_rng_state()}
    return {name: tensor.clone() for name, tensor in found.items()}


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("done", [0, 3])
@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_the_trial_of_the_largest_batch_changes_nothing(
    optimizer: str, done: int, accumulate: int, tmp_path: Path
) -> None:
    run = trainer(tmp_path, optimizer=optimizer, accumulate=accumulate, dropout=0.2, after=stop_at(done))
    if done:
        run.run()
        run = trainer(tmp_path, optimizer=optimizer, accumulate=accumulate, dropout=0.2, ema=0.9)
        run.resume(tmp_path / f"checkpoint-{done:09d}.safetensors")
    before = everything(run)
    run.try_largest()
    after = everything(run)
    assert before.keys() == after.keys()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert bool(run.optimizer.state) == bool(done)
    assert all(parameter.grad is None for parameter in run.model.parameters())


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_the_trial_holds_at_once_what_an_update_does(
    optimizer: str, accumulate: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each pass: rows and their length, gradients from before, and numbers that the optimizer remembers."""
    run = trainer(
        tmp_path, optimizer=optimizer, accumulate=accumulate, ema=0.9, batch_tokens=70, max_updates=4
    )
    seen: list[tuple[tuple[int, ...], int, int]] = []
    forward = run._forward

    def look(batch: Batch) -> Any:
        held = [parameter.grad.numel() for parameter in run.model.parameters() if parameter.grad is not None]
        remembered = [t.numel() for state in run.optimizer.state.values() for t in state.values()]
        seen.append((tuple(batch.source.shape), sum(held), sum(remembered)))
        return forward(batch)

    monkeypatch.setattr(run, "_forward", look)
    run.try_largest()
    tried = seen.copy()
    run.run()
    later = seen[2 * len(tried) :]
    gradients, remembered = (max(each[index] for each in later) for index in (1, 2))
    assert bool(gradients) == (accumulate > 1)
    assert remembered > 2 * sum(parameter.numel() for parameter in run.model.parameters())
    assert [each[2] for each in tried] == [remembered] * len(tried)
    assert {shape for shape, held, _ in tried if held == gradients} == {(1, 40), (2, 35)}


@given(st.integers(1, 5000), st.integers(1, 500), st.integers(1, 500))
def test_no_batch_is_larger_than_those_that_are_tried(budget: int, longest: int, length: int) -> None:
    tried = largest_batches(budget, longest)
    length = min(length, longest)
    rows = max(1, budget // length)
    assert any(rows * length <= most * width and rows * length**2 <= most * width**2 for most, width in tried)
    assert all(width <= longest for _, width in tried)
    assert all(most * width < max(budget, longest) + most for most, width in tried)  # and hardly larger


def test_a_disk_that_is_too_small_for_checkpoints_is_known_before_the_first_update(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trainer(tmp_path, ema=0.9, max_updates=1)
    run.run()
    tensors = load_file(*tmp_path.glob("checkpoint-*1.safe*"))
    weights = sum(tensor.nbytes for name, tensor in tensors.items() if name.startswith("model."))
    whole = sum(tensor.nbytes for tensor in tensors.values())
    enough = 3 * whole + (run.config.average + 3) * weights
    for free in (enough - 1, enough):
        (tmp_path / str(free)).mkdir()
        monkeypatch.setattr("shutil.disk_usage", lambda folder, free=free: SimpleNamespace(free=free))
        run = trainer(tmp_path / str(free), ema=0.9, max_updates=1)
        if free < enough:
            with pytest.raises(TrainingError, match=r"the disk has 1 MiB left.*choose another --out"):
                run.run()
            assert list(run.folder.iterdir()) == []
        else:
            run.run()


def test_a_few_in_a_row_do_not(tmp_path: Path) -> None:
    for most in (2, 3):
        run = trainer(tmp_path, max_skipped=most)
        poison(run, lambda update: update % 5 >= 2)  # three of five
        if most == 2:
            with pytest.raises(TrainingError):
                run.run()
    run.run()
    assert (run.progress.update, run.progress.skipped) == (20, 12)


def test_a_text_without_a_sentence_that_fits_is_one_line(tmp_path: Path) -> None:
    text = copy_task()
    run = trainer(tmp_path, TrainingText(text.source, text.target, text.tags, False, max_length=2))
    with pytest.raises(TrainingError, match=r"no sentence pair is short enough; raise data\.max_length"):
        run.run()


# The end


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 5000.0
        monkeypatch.setattr("onmal.training.trainer.time", SimpleNamespace(monotonic=lambda: self.now))

    def tick(self, run: Trainer) -> None:
        self.now += 1.0


def test_the_end_by_updates(tmp_path: Path) -> None:
    run = trainer(tmp_path, max_updates=7)
    run.run()
    assert run.progress.update == 7
    assert heard(run).validations == [7]


def test_the_end_by_epochs(tmp_path: Path) -> None:
    run = trainer(tmp_path, max_updates=0, max_epochs=2)
    run.run()
    batches = [len(run.text.pool(1, epoch, 0, 64, start=1, end=2, pad=0)) for epoch in (0, 1)]
    assert (run.progress.epoch, run.progress.batch) == (2, 0)
    assert run.progress.update == sum(batches)


def test_the_end_by_minutes_and_pauses_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    settings: dict[str, Any] = {"max_updates": 0, "minutes": 0.5, "save_every": 10_000}

    def stop_at_ten(run: Watched) -> None:
        clock.tick(run)
        run.interrupted = run.progress.update == 10

    run = trainer(tmp_path, after=stop_at_ten, **settings)
    run.run()
    assert (run.progress.update, run.progress.seconds) == (10, 10)
    clock.now += 86_400
    resumed = trainer(tmp_path, after=clock.tick, **settings)
    resumed.resume(tmp_path / "checkpoint-000000010.safetensors")
    resumed.run()
    assert (resumed.progress.update, resumed.progress.seconds) == (30, 30)


def test_the_end_by_lost_patience(tmp_path: Path) -> None:
    scores = iter([10.0, 30.0, 30.0, 20.0, 25.0, 99.0])
    run = trainer(
        tmp_path, validate=lambda model: Validation(0.0, next(scores), {}), patience=3, validate_every=2,
    )  # fmt: skip
    run.run()
    assert heard(run).validations == [2, 4, 6, 8, 10]
    assert (run.progress.best_score, run.progress.best_update) == (30.0, 4)


def test_whichever_comes_first(tmp_path: Path) -> None:
    run = trainer(tmp_path, max_updates=9, max_epochs=100, minutes=100)
    run.run()
    assert run.progress.update == 9


@pytest.mark.parametrize(
    "limits",
    [
        {"max_updates": 25},
        {"max_updates": 0, "max_epochs": 3},
        {"max_updates": 0, "minutes": 0.4},
        {"max_updates": 30, "max_epochs": 3, "minutes": 0.6, "patience": 4, "validate_every": 5},
    ],
    ids=str,
)
def test_the_share_done_only_grows_and_ends_at_one(
    limits: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, shares = Clock(monkeypatch), [0.0]

    def look(run: Watched) -> None:
        clock.tick(run)
        shares.append(run.share_done())

    run = trainer(tmp_path, copy_task(sampled=True), after=look, **limits)
    run.run()
    shares.append(run.share_done())
    assert all(a <= b for a, b in pairwise(shares))
    assert shares[-1] == 1
    assert max(b - a for a, b in pairwise(shares)) < 0.2


@pytest.mark.parametrize("limits", [{"max_updates": 40}, {"max_updates": 0, "max_epochs": 2}], ids=str)
@pytest.mark.parametrize("plan", [{"schedule": "cosine"}, {"schedule": "linear"}, {"cooldown": 0.5}], ids=str)
def test_the_rate_falls_to_nothing_towards_the_end_whatever_ends_it(
    limits: dict[str, Any], plan: dict[str, Any], tmp_path: Path
) -> None:
    rates: list[float] = []
    run = trainer(
        tmp_path,
        after=lambda run: rates.append(run.optimizer.param_groups[0]["lr"]),
        batch_tokens=32,
        **limits,
        **plan,
    )
    run.run()
    assert len(rates) > 15
    assert all(a > b > 0 for a, b in pairwise(rates[len(rates) // 2 :]))
    assert rates[-1] < 0.2 * max(rates)


# Saving and saying


def test_checkpoints_come_as_often_as_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, seen = Clock(monkeypatch), []

    def look(run: Watched) -> None:
        clock.tick(run)
        seen.append([progress.update for progress in all_progress(tmp_path)])

    trainer(tmp_path, after=look, save_every=4, max_updates=12).run()
    assert seen == [[0]] * 5 + [[0, 5]] * 5 + [[5, 10]] * 2


def test_none_is_written_while_updates_are_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights may be beyond help: those from before stay."""
    clock = Clock(monkeypatch)
    run = trainer(tmp_path, after=lambda run: [clock.tick(run), clock.tick(run)], save_every=1, max_skipped=3)
    poison(run, lambda update: update > 6)
    with pytest.raises(TrainingError):
        run.run()
    assert [progress.update for progress in all_progress(tmp_path)] == [5, 6]


def test_none_is_written_where_a_run_is_stopped_while_updates_are_skipped(tmp_path: Path) -> None:
    """Not even by stopping again and again: two checkpoints are kept."""
    trainer(tmp_path, max_updates=4).run()
    for _ in range(3):
        run = trainer(tmp_path, after=stop_at(7))
        run.resume(tmp_path / "checkpoint-000000004.safetensors")
        poison(run, lambda update: update > 5)
        run.run()
        assert (run.progress.update, run.progress.skipped_in_a_row, run.lost) == (7, 2, True)
        assert [progress.update for progress in all_progress(tmp_path)] == [0, 4]


def test_updates_are_reported_every_two_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    run = trainer(tmp_path, after=clock.tick, max_updates=12)
    run.run()
    told = heard(run).updates
    assert [each.update for each in told] == [4, 7, 10]
    assert [each.seconds for each in told] == [3, 6, 9]
    last = told[-1]
    assert last.share_done == 10 / 12
    assert 0 < last.loss < 5
    assert last.loss == pytest.approx(last.negative_log_likelihood)  # without label smoothing
    assert last.gradient_norm > 0
    assert last.learning_rate == run.config.learning_rate * math.sqrt(5 / 10)
    assert 0 < last.target_tokens < run.progress.target_tokens
