"""Loss: the fast form equals the plain one and the formula on paper, and padding has no part in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from onmal.config import ModelConfig, Vocabulary
from onmal.models import build
from onmal.models.contract import Seq2Seq
from onmal.training import loss as module
from onmal.training.loss import (
    TeacherRows,
    Teaching,
    TranslationLoss,
    chunked_cross_entropy,
    smoothed_cross_entropy,
)

ROWS, WIDTH, WORDS = 7, 5, 11
SMOOTHINGS = (0.0, 0.1, 0.9)
LABELS = {"any": [3, 0, 10, 10, 5, 0, 7], "first": [0] * ROWS, "last": [WORDS - 1] * ROWS}

Entropy = Callable[[Tensor, Tensor, Tensor | None, Tensor, float], tuple[Tensor, Tensor]]


def relative(found: Tensor, expected: Tensor) -> float:
    found, expected = found.detach().double(), expected.detach().double()
    return float((found - expected).norm() / expected.norm().clamp(min=1e-12))


def inputs(*, bias: bool) -> tuple[Tensor, Tensor, Tensor | None]:
    """States, weight and bias, the same each time."""
    torch.manual_seed(1)
    states = torch.randn(ROWS, WIDTH, requires_grad=True)
    weight = torch.randn(WORDS, WIDTH, requires_grad=True)
    return states, weight, torch.randn(WORDS, requires_grad=True) if bias else None


def results(entropy: Entropy, labels: Tensor, smoothing: float, *, bias: bool) -> list[Tensor]:
    """Loss, likelihood and, from a loss that is scaled as in a mean, the gradients."""
    leaves = inputs(bias=bias)
    loss, likelihood = entropy(*leaves, labels, smoothing)
    assert not likelihood.requires_grad
    (0.37 * loss).backward()
    gradients = [leaf.grad for leaf in leaves if leaf is not None]
    assert None not in gradients
    return [loss.detach(), likelihood, *(g for g in gradients if g is not None)]


def by_definition(
    states: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor, smoothing: float
) -> tuple[Tensor, Tensor]:
    """- sum of q log p, where q is the reference mixed with the uniform distribution; in float64."""
    logits = states.double() @ weight.double().T + (0.0 if bias is None else bias.double())
    log_p = logits - logits.exp().sum(-1, keepdim=True).log()
    reference = torch.eye(len(weight), dtype=torch.float64)[labels]
    mixed = (1 - smoothing) * reference + smoothing / len(weight)
    return -(mixed * log_p).sum(), -(reference * log_p).sum().detach()


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("entropy", [chunked_cross_entropy, smoothed_cross_entropy])
def test_both_forms_follow_the_definition(
    entropy: Entropy, labels: list[int], smoothing: float, bias: bool
) -> None:
    found = results(entropy, torch.tensor(labels), smoothing, bias=bias)
    expected = results(by_definition, torch.tensor(labels), smoothing, bias=bias)
    assert len(found) == len(expected) == (5 if bias else 4)
    assert max(map(relative, found, expected)) <= 1e-5


@pytest.mark.parametrize("rows", [0, 1, 2, 3, ROWS - 1, ROWS, ROWS + 1, 100])
@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_where_chunks_end_makes_no_difference(
    rows: int, smoothing: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = torch.tensor(LABELS["any"])
    plain = results(smoothed_cross_entropy, labels, smoothing, bias=True)
    monkeypatch.setattr(module, "CHUNK_CELLS", {"cpu": rows * WORDS + 3})
    chunked = results(chunked_cross_entropy, labels, smoothing, bias=True)
    assert max(map(relative, chunked, plain)) <= 1e-5


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_smoothing_is_torchs_own(smoothing: float) -> None:
    states, weight, bias = inputs(bias=True)
    labels = torch.tensor(LABELS["any"])
    expected = F.cross_entropy(
        F.linear(states, weight, bias), labels, reduction="sum", label_smoothing=smoothing
    )
    assert relative(chunked_cross_entropy(states, weight, bias, labels, smoothing)[0], expected) <= 1e-5


def drawn_together(
    states: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor, smoothing: float, r_drop: float
) -> Tensor:
    """R-Drop in its plain form: the smoothed loss of every row, and the two divergences of rows 0-1, 2-3, ..."""
    loss, _ = smoothed_cross_entropy(states, weight, bias, labels, smoothing)
    one, two = F.linear(states, weight, bias).log_softmax(-1).unflatten(0, (-1, 2)).unbind(1)
    divergences = [F.kl_div(a, b, reduction="sum", log_target=True) for a, b in ((one, two), (two, one))]
    return loss + r_drop * sum(divergences) / 2


@pytest.mark.parametrize("rows", [0, 1, 2, 3, ROWS, 100])
@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("bias", [False, True])
def test_r_drop_in_chunks_is_r_drop(
    rows: int, smoothing: float, bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = torch.tensor(LABELS["any"][:3]).repeat_interleave(2)
    gradients = []
    monkeypatch.setattr(module, "CHUNK_CELLS", {"cpu": rows * WORDS + 3})
    for chunked in (False, True):
        states, weight, shift = inputs(bias=bias)
        leaves = [states, weight, *([] if shift is None else [shift])]
        if chunked:
            loss, likelihood = chunked_cross_entropy(states[:6], weight, shift, labels, smoothing, 5.0)
            expected = smoothed_cross_entropy(states[:6], weight, shift, labels, smoothing)[1]
            assert relative(likelihood, expected) <= 1e-5
        else:
            loss = drawn_together(states[:6], weight, shift, labels, smoothing, 5.0)
        gradients.append([loss, *torch.autograd.grad(0.37 * loss, leaves)])
    assert max(map(relative, gradients[1], gradients[0])) <= 1e-5


@pytest.mark.parametrize("rows", [0, 1, 2, 3, ROWS, 100])
@pytest.mark.parametrize("share", [0.3, 1.0])
@pytest.mark.parametrize("r_drop", [0.0, 5.0])
@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_a_share_of_the_reference_is_what_the_teacher_expects(
    rows: int, share: float, r_drop: float, smoothing: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against the definition and autograd's own gradient; a teacher has other sizes, but the same words."""
    monkeypatch.setattr(module, "CHUNK_CELLS", {"cpu": rows * WORDS + 3})
    labels = torch.tensor(LABELS["any"][:3]).repeat_interleave(2)
    leaves = inputs(bias=True)
    states, weight, bias = leaves
    taught = TeacherRows(torch.randn(6, 3), torch.randn(WORDS, 3), torch.randn(WORDS), share)
    expected = F.linear(taught.states, taught.weight, taught.bias).softmax(-1)
    log_p = F.linear(states[:6], weight, bias).log_softmax(-1)
    people, likelihood = smoothed_cross_entropy(states[:6], weight, bias, labels, smoothing)
    together = drawn_together(states[:6], weight, bias, labels, smoothing, r_drop) - people
    plain = (1 - share) * people - share * (expected * log_p).sum() + together
    found, told = chunked_cross_entropy(states[:6], weight, bias, labels, smoothing, r_drop, taught)
    assert relative(told, likelihood) <= 1e-5
    assert relative(found, plain) <= 1e-5
    slow, fast = (torch.autograd.grad(0.37 * each, leaves) for each in (plain, found))
    assert max(map(relative, fast, slow)) <= 1e-5


@pytest.mark.parametrize("share", [0.0, 0.5])
@pytest.mark.parametrize("r_drop", [0.0, 5.0])
def test_no_rows_are_no_loss(r_drop: float, share: float) -> None:
    states, weight = torch.zeros(0, WIDTH, requires_grad=True), torch.randn(WORDS, WIDTH, requires_grad=True)
    taught = TeacherRows(torch.zeros(0, 3), torch.randn(WORDS, 3), None, share) if share else None
    loss, likelihood = chunked_cross_entropy(
        states, weight, None, torch.zeros(0, dtype=torch.long), 0.1, r_drop, taught
    )
    loss.backward()
    assert (loss.item(), likelihood.item()) == (0, 0)
    assert weight.grad is not None
    assert weight.grad.count_nonzero() == 0


def test_a_second_derivative_is_not_there_rather_than_wrong() -> None:
    states, weight, _ = inputs(bias=False)
    loss, _ = chunked_cross_entropy(states, weight, None, torch.tensor(LABELS["any"]), 0.1)
    (gradient,) = torch.autograd.grad(loss, states, create_graph=True)
    assert not gradient.requires_grad


def test_extreme_logits_stay_finite() -> None:
    states = torch.tensor([[1e4, 0.0, 0.0, 0.0, 0.0]], requires_grad=True)
    weight = torch.eye(WORDS, WIDTH, requires_grad=True)
    loss, _ = chunked_cross_entropy(states, weight, None, torch.tensor([1]), 0.1)
    loss.backward()
    assert states.grad is not None
    assert torch.isfinite(loss)
    assert torch.isfinite(states.grad).all()


def test_bfloat16_is_close_and_keeps_its_sums_in_float32() -> None:
    labels = torch.randint(WORDS, (64,))
    gradients, losses = [], []
    for enabled in (False, True):
        torch.manual_seed(2)
        states, weight = (torch.randn(n, 32, requires_grad=True) for n in (64, WORDS))
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            loss, likelihood = chunked_cross_entropy(states, weight, None, labels, 0.1)
        loss.backward()
        assert loss.dtype == likelihood.dtype == torch.float32
        assert weight.grad is not None
        assert weight.grad.dtype == torch.float32
        losses.append(loss)
        gradients.append(weight.grad)
    assert 0 < relative(losses[1], losses[0]) < 0.01
    assert 0 < relative(gradients[1], gradients[0]) < 0.02


# The module around a network


VOCABULARY = Vocabulary(source_size=13, target_size=13)
PAIRS = (([5, 6, 2], [1, 7, 8, 9, 2]), ([3, 4, 5, 6, 2], [1, 4, 2]), ([9, 2], [1, 10, 11, 12, 3, 2]))


def network(**settings: object) -> Seq2Seq:
    torch.manual_seed(3)
    config = {
        "d_model": 12, "num_heads": 2, "feed_forward": 16, "encoder_layers": 1, "decoder_layers": 2, "dropout": 0,
    }  # fmt: skip
    model = build(ModelConfig(**{**config, **settings}), VOCABULARY)
    for name, parameter in model.named_parameters():
        if "bias" in name:  # which begin as zeros
            nn.init.normal_(parameter)
    return model


def batch(pairs: tuple[tuple[list[int], list[int]], ...] = PAIRS) -> tuple[Tensor, Tensor, Tensor]:
    source, target = (
        nn.utils.rnn.pad_sequence([torch.tensor(pair[side]) for pair in pairs], batch_first=True)
        for side in (0, 1)
    )
    return source, target, torch.tensor([len(target) - 1 for _, target in pairs])


def gradients(model: Seq2Seq, loss: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    loss.backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("tie", ["all", "output", "none"])
@pytest.mark.parametrize("output_bias", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_every_gradient_equals_the_naive_one(tie: str, output_bias: bool, smoothing: float) -> None:
    model = network(tie=tie, output_bias=output_bias)
    source, target, lengths = batch()
    found = TranslationLoss(model, smoothing)(source, target, lengths)
    logits = model(source, target[:, :-1])
    real = torch.arange(logits.shape[1]) < lengths[:, None]
    labels = target[:, 1:].where(real, -100)
    naive = F.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=-100, reduction="sum", label_smoothing=smoothing
    )
    assert found.tokens == int(lengths.sum()) == 11
    assert relative(found.loss, naive) <= 1e-5
    fast, slow = gradients(model, found.loss), gradients(model, naive)
    assert fast.keys() == slow.keys() == dict(model.named_parameters()).keys()
    # A bias of keys moves all scores of a query alike: its gradient is zero but for rounding.
    wrong = {n: relative(fast[n], slow[n]) for n in slow if slow[n].norm() > 1e-4}
    assert max(wrong.values()) <= 1e-5, wrong
    assert all(fast[n].norm() <= 2e-4 for n in slow.keys() - wrong.keys())


def test_a_padded_batch_is_the_sum_of_its_sentences() -> None:
    model = network()
    together = TranslationLoss(model, 0.1)(*batch())
    alone = [TranslationLoss(model, 0.1)(*batch((pair,))) for pair in PAIRS]
    assert together.tokens == sum(each.tokens for each in alone)
    assert relative(together.loss, torch.stack([each.loss for each in alone]).sum()) <= 1e-5
    likelihoods = torch.stack([each.negative_log_likelihood for each in alone])
    assert relative(together.negative_log_likelihood, likelihoods.sum()) <= 1e-5
    found = gradients(model, together.loss)
    expected = gradients(model, torch.stack([each.loss for each in alone]).sum())
    assert max(relative(found[n], expected[n]) for n in expected if expected[n].norm() > 1e-4) <= 1e-5


def test_what_stands_in_the_padding_of_the_target_is_never_read() -> None:
    model = network()
    source, target, lengths = batch()
    padding = torch.arange(target.shape[1]) > lengths[:, None]
    assert padding.any()
    expected = TranslationLoss(model, 0.1)(source, target, lengths)
    found = TranslationLoss(model, 0.1)(source, target.masked_fill(padding, 12), lengths)
    assert relative(found.loss, expected.loss) <= 1e-6


def test_without_gradients_the_loss_is_the_same() -> None:
    model = network(output_bias=True)
    learning = TranslationLoss(model, 0.1)(*batch())
    with torch.no_grad():
        scoring = TranslationLoss(model, 0.1)(*batch())
    assert relative(scoring.loss, learning.loss.detach()) <= 1e-5
    assert relative(scoring.negative_log_likelihood, learning.negative_log_likelihood) <= 1e-5


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_r_drop_takes_two_passes_and_draws_them_together(smoothing: float) -> None:
    """Against the formula of the paper, halved, and autograd's own gradient."""
    model = network(dropout=0.3, attention_dropout=0.3, feed_forward_dropout=0.3, output_bias=True)
    source, target, lengths = batch()
    torch.manual_seed(4)
    found = TranslationLoss(model, smoothing, r_drop=5.0)(source, target, lengths)
    torch.manual_seed(4)
    logits = model(torch.cat((source, source)), torch.cat((target, target))[:, :-1])
    real = torch.arange(logits.shape[1]) < lengths[:, None]
    labels = target[:, 1:][real]
    passes = [half[real].log_softmax(-1) for half in logits.chunk(2)]
    assert relative(*passes) > 0.01
    entropies = [F.cross_entropy(p, labels, reduction="sum", label_smoothing=smoothing) for p in passes]
    divergences = [(p.exp() * (p - q)).sum() for p, q in (passes, passes[::-1])]
    paper = sum(entropies) + 5.0 * sum(divergences) / 2
    assert found.tokens == len(labels)
    assert relative(found.loss, paper / 2) <= 1e-5
    likelihoods = [F.nll_loss(p, labels, reduction="sum") for p in passes]
    assert relative(found.negative_log_likelihood, sum(likelihoods) / 2) <= 1e-5
    fast, slow = gradients(model, found.loss), gradients(model, paper / 2)
    assert fast.keys() == slow.keys() == dict(model.named_parameters()).keys()
    wrong = {n: relative(fast[n], slow[n]) for n in slow if slow[n].norm() > 1e-3}
    assert len(wrong) > len(slow) - 10
    assert max(wrong.values()) <= 1e-5, wrong


@pytest.mark.parametrize("r_drop", [0.0, 5.0])
def test_a_teacher_is_read_once_without_noise_and_not_trained(r_drop: float) -> None:
    model, teacher = network(dropout=0.3), network(d_model=8, dropout=0.3).eval()
    read: list[int] = []
    teacher.source.register_forward_pre_hook(lambda _, inputs: read.append(len(inputs[0])))
    loss = TranslationLoss(model, 0.1, r_drop, Teaching(teacher, 1.0))
    assert dict(loss.named_parameters()).keys() == {f"model.{name}" for name, _ in model.named_parameters()}
    torch.manual_seed(4)
    found = loss.train()(*batch())
    assert read == [3]
    source, target, lengths = batch()
    real = torch.arange(target.shape[1] - 1) < lengths[:, None]
    with torch.no_grad():
        expected = teacher(source, target[:, :-1])[real].softmax(-1)
    if not r_drop:
        torch.manual_seed(4)
        naive = -(expected * model(source, target[:, :-1])[real].log_softmax(-1)).sum()
        assert relative(found.loss, naive) <= 1e-5
        fast, slow = gradients(model, found.loss), gradients(model, naive)
        assert max(relative(fast[n], slow[n]) for n in slow if slow[n].norm() > 1e-3) <= 1e-5
    assert all(weight.grad is None for weight in teacher.parameters())


def test_a_network_that_is_its_own_teacher_is_where_it_wants_to_be() -> None:
    model = network()
    found = TranslationLoss(model, 0.1, teaching=Teaching(model, 1.0))(*batch())
    assert max(gradient.norm() for gradient in gradients(model, found.loss).values()) <= 1e-5
    assert found.loss > 0


def test_what_is_scored_is_people_alone() -> None:
    model, teacher = network(), network(d_model=8)
    with torch.no_grad():
        found = TranslationLoss(model, 0.1, teaching=Teaching(teacher, 0.5))(*batch())
        assert relative(found.loss, TranslationLoss(model, 0.1)(*batch()).loss) == 0


def test_without_noise_r_drop_changes_nothing() -> None:
    model = network()
    plain, twice = (TranslationLoss(model, 0.1, r_drop)(*batch()) for r_drop in (0.0, 5.0))
    assert plain.tokens == twice.tokens
    assert relative(twice.loss, plain.loss) <= 1e-5
    expected, found = gradients(model, plain.loss), gradients(model, twice.loss)
    assert max(relative(found[n], expected[n]) for n in expected if expected[n].norm() > 1e-3) <= 1e-5


def test_r_drop_is_for_learning_alone() -> None:
    model = network(dropout=0.3).eval()
    read: list[int] = []
    model.source.register_forward_pre_hook(lambda _, inputs: read.append(len(inputs[0])))
    loss = TranslationLoss(model, 0.1, r_drop=5.0)
    scored = loss(*batch())
    model.train()
    with torch.no_grad():
        loss(*batch())
    learned = loss(*batch())
    assert read == [3, 3, 6]
    assert scored.tokens == learned.tokens
    assert relative(scored.loss, TranslationLoss(model.eval(), 0.1)(*batch()).loss) <= 1e-6


def test_a_sentence_of_which_nothing_counts_adds_nothing_to_r_drop() -> None:
    """What a process gets for which no sentence of a batch is left."""
    model = network(dropout=0.3)
    source, target, lengths = batch()
    found = TranslationLoss(model, 0.1, r_drop=5.0)(source, target, lengths * 0)
    assert (found.loss.item(), found.tokens) == (0, 0)
    assert not any(gradient.any() for gradient in gradients(model, found.loss).values())
