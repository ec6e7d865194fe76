"""Products of words and weights are torch's own, whichever library makes them."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from onmal import products
from onmal.products import LaidOut, Linear, linear, mkl_holds_back, unchanging


@pytest.fixture(params=[False, True], ids=["by MKL", "by oneDNN"])
def by_onednn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if request.param and not torch.backends.mkldnn.is_available():
        pytest.skip("this torch has no oneDNN")
    monkeypatch.setattr(products, "mkl_holds_back", lambda: request.param)
    monkeypatch.setattr(products, "WORTH_IT", 0)
    return bool(request.param)


@pytest.mark.parametrize("shape", [(7, 24), (3, 5, 24), (0, 24), (2, 3, 5, 24)], ids=str)
@pytest.mark.parametrize("bias", [False, True])
def test_the_product_is_torchs_own(by_onednn: bool, shape: tuple[int, ...], bias: bool) -> None:
    torch.manual_seed(1)
    layer = Linear(24, 40, bias=bias)
    x = torch.randn(shape)
    with torch.inference_mode():
        found = layer(x)
        assert found.shape == (*shape[:-1], 40)
        torch.testing.assert_close(found, F.linear(x, layer.weight, layer.bias), rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(
            linear(x.transpose(0, -2), layer.weight),
            F.linear(x.transpose(0, -2), layer.weight),
            rtol=1e-5,
            atol=1e-5,
        )


@pytest.mark.parametrize("shape", [(7, 24), (3, 5, 24)], ids=str)
@pytest.mark.parametrize("bias", [False, True])
def test_gradients_are_torchs_own(by_onednn: bool, shape: tuple[int, ...], bias: bool) -> None:
    torch.manual_seed(2)
    layer, x, pull = (
        Linear(24, 40, bias=bias),
        torch.randn(shape, requires_grad=True),
        torch.randn(*shape[:-1], 40),
    )
    (layer(x) * pull).sum().backward()
    own = [x.grad, *(parameter.grad for parameter in layer.parameters())]
    x.grad = None
    layer.zero_grad()
    (F.linear(x, layer.weight, layer.bias) * pull).sum().backward()
    for found, expected in zip(
        own, [x.grad, *(parameter.grad for parameter in layer.parameters())], strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_what_is_frozen_has_no_gradient(by_onednn: bool) -> None:
    layer, x = Linear(24, 40).requires_grad_(False), torch.randn(7, 24, requires_grad=True)
    layer(x).sum().backward()
    torch.testing.assert_close(x.grad, layer.weight.sum(0).expand(7, -1))
    assert layer.weight.grad is None
    learning = Linear(24, 40)
    learning(torch.randn(7, 24)).sum().backward()
    assert learning.weight.grad is not None


@torch.inference_mode()
def test_weights_that_do_not_change_are_laid_out_once(by_onednn: bool) -> None:
    torch.manual_seed(3)
    layer, table, laid_out = Linear(24, 40), torch.randn(50, 24), LaidOut()
    one, many = torch.randn(1, 24), torch.randn(3, 70, 24)
    expected = [layer(one), layer(many), linear(many, table)]
    for _ in range(2):  # to the bit: a search must not depend on whether it was the first
        with unchanging(laid_out):
            assert all(map(torch.equal, [layer(one), layer(many), linear(many, table)], expected))
    assert [weight is layer.weight for weight, _ in laid_out.values()] == ([True] if by_onednn else [])


def test_weights_may_change_again_afterwards(by_onednn: bool) -> None:
    layer, x, laid_out = Linear(24, 40, bias=False), torch.randn(7, 24), LaidOut()
    with torch.inference_mode(), unchanging(laid_out), unchanging(LaidOut()):
        layer(x)
    assert not laid_out  # the inner one had it
    with torch.no_grad():
        layer.weight.mul_(2)
    torch.testing.assert_close(layer(x), F.linear(x, layer.weight), rtol=1e-5, atol=1e-5)


def test_autocast_and_other_precisions_are_torchs_own(by_onednn: bool) -> None:
    layer, x = Linear(24, 40), torch.randn(7, 24)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
    with torch.inference_mode():
        assert layer.double()(x.double()).dtype == torch.float64


def test_whether_mkl_holds_back_is_found_out_without_an_error() -> None:
    assert mkl_holds_back() in (True, False)
