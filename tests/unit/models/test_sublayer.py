"""Dropout: what is left keeps the mean, p is what was asked for to 1/256, and a random state gives one mask."""

from __future__ import annotations

import pytest
import torch

from onmal.models.sublayer import Dropout, dropout_mask


@pytest.mark.parametrize(
    ("p", "dropped"), [(0.1, 26), (0.2, 51), (0.3, 77), (0.5, 128), (0.9, 230), (0.999, 255)]
)
def test_as_many_components_are_dropped_as_asked_for_and_the_mean_stays(p: float, dropped: int) -> None:
    torch.manual_seed(1)
    share, size = dropped / 256, 200_000
    mask = dropout_mask(torch.Size((200, 1000)), p)
    assert mask.unique().tolist() == [0, pytest.approx(1 / (1 - share))]
    assert float((mask == 0).float().mean()) == pytest.approx(
        share, abs=5 * (share * (1 - share) / size) ** 0.5
    )
    assert float(mask.mean()) == pytest.approx(1, abs=5 * (share / (1 - share) / size) ** 0.5)


def test_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(1)
    gone = (dropout_mask(torch.Size((1 << 18,)), 0.5) == 0).float()
    for distance in range(1, 17):  # within one draw of eight bytes and across two
        both = float((gone[distance:] * gone[:-distance]).mean())
        assert both == pytest.approx(0.25, abs=5 * (0.25 * 0.75 / len(gone)) ** 0.5)


def test_it_is_a_product_with_the_mask_and_so_is_its_gradient() -> None:
    dropout = Dropout(0.3)
    x = torch.randn(3, 5, 7, requires_grad=True)
    torch.manual_seed(2)
    y = dropout(x)
    torch.manual_seed(2)
    mask = dropout_mask(x.shape, 0.3)
    upstream = torch.randn_like(x)
    y.backward(upstream)
    assert torch.equal(y, x * mask)
    assert x.grad is not None
    assert torch.equal(x.grad, upstream * mask)


def test_a_random_state_gives_the_same_mask_again_and_then_another() -> None:
    dropout, x = Dropout(0.5), torch.ones(1000)
    torch.manual_seed(3)
    dropout(x)
    state = torch.get_rng_state()
    first, second = dropout(x), dropout(x)
    assert not torch.equal(first, second)
    torch.set_rng_state(state)
    assert torch.equal(dropout(x), first)
    assert torch.equal(dropout(x), second)


@pytest.mark.parametrize("shape", [(0,), (1,), (7,), (8,), (9,), (3, 1, 5)])
def test_any_shape_stays(shape: tuple[int, ...]) -> None:
    assert Dropout(0.5)(torch.ones(shape)).shape == shape


def test_nothing_is_dropped_outside_training_or_at_zero() -> None:
    x = torch.randn(4, 4)
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x
