from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from two_processes import in_two

from ecgdig.tasks.losses import dice_loss, height_loss, present_loss, snr_loss

NAN = float("nan")
ROWS = torch.arange(24.0).view(1, -1, 1)


def gaussian(target: Tensor, sigma: float) -> Tensor:
    return -0.5 * ((ROWS - target.unsqueeze(1)) / sigma) ** 2


TARGET = torch.tensor([[5.0, 11.3, 17.8]])


def test_a_perfect_answer_costs_nothing() -> None:
    assert float(height_loss(gaussian(TARGET, 1.0), TARGET, 1.0)) == pytest.approx(0, abs=1e-6)
    assert float(present_loss(torch.tensor([[30.0, -30.0]]), torch.tensor([[3.0, NAN]]))) == pytest.approx(0, abs=1e-6)
    mask = torch.tensor([[1.0, 0.0, 1.0]])
    assert float(dice_loss((mask * 2 - 1) * 40, mask)) == pytest.approx(0, abs=1e-6)


def test_height_loss_is_the_divergence_of_the_distributions() -> None:
    logits = torch.randn(1, 24, 3, generator=torch.Generator().manual_seed(0))
    p = torch.softmax(gaussian(TARGET, 1.5), 1).numpy()
    q = torch.softmax(logits, 1).numpy()
    divergence = (p * np.log(p / q)).sum(1).mean()
    assert float(height_loss(logits, TARGET, 1.5)) == pytest.approx(divergence, rel=1e-4)
    # Gaussians of the same width, d apart: d^2 / (2 sigma^2)
    moved = gaussian(torch.tensor([[12.0]]), 1.5)
    assert float(height_loss(moved, torch.tensor([[10.0]]), 1.5)) == pytest.approx(4 / (2 * 1.5**2), rel=1e-3)


def test_snr_loss_is_the_noise_to_signal_ratio_of_each_strip() -> None:
    target = torch.tensor([[8.0, 12.0, 8.0, 12.0], [10.0, 10.0, 10.0, 10.0]])
    read = gaussian(target + torch.tensor([[1.0, -1.0, 1.0, -1.0], [2.0, 2.0, 2.0, 2.0]]), 1.0)
    # noise 1 over signal 4 and noise 4 over none, with the floors 0.5 (signal) and 0.05 (noise)
    expected = 0.5 * (np.log((1 + 0.05**2) / (4 + 0.5**2)) + np.log((4 + 0.05**2) / 0.5**2))
    assert float(snr_loss(read, target, 0.5)) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("loss", [height_loss, snr_loss])
def test_columns_where_nothing_is_printed_do_not_count(loss) -> None:  # type: ignore[no-untyped-def]
    logits = torch.randn(1, 24, 3, generator=torch.Generator().manual_seed(1), requires_grad=True)
    holed = torch.tensor([[5.0, NAN, 17.8]])
    some = loss(logits, holed, 1.0)
    torch.testing.assert_close(some, loss(logits[:, :, [0, 2]], holed[:, [0, 2]], 1.0))
    some.backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert not logits.grad[:, :, 1].any()
    nothing = loss(logits, torch.full((1, 3), NAN), 1.0)
    assert float(nothing.detach()) == 0


def _height(logits: Tensor, target: Tensor) -> Tensor:
    return height_loss(logits, target, 1.0)


def _snr(logits: Tensor, target: Tensor) -> Tensor:
    return snr_loss(logits, target, 1.0)


def _present(logits: Tensor, target: Tensor) -> Tensor:
    return present_loss(logits[:, 0], target)


def _dice(logits: Tensor, target: Tensor) -> Tensor:
    return dice_loss(logits, torch.sigmoid(gaussian(torch.nan_to_num(target), 1.0) + 3))


@pytest.mark.parametrize("loss", [_height, _snr, _present, _dice])
def test_two_processes_have_the_loss_and_the_gradient_of_one(loss) -> None:  # type: ignore[no-untyped-def]
    logits = torch.randn(4, 24, 3, generator=torch.Generator().manual_seed(2), requires_grad=True)
    # the first process has five columns in two strips, the second one column
    target = torch.tensor([[5.0, NAN, 17.8], [2.0, 9.0, 8.5], [NAN, NAN, NAN], [NAN, 12.0, NAN]])
    whole = loss(logits, target)
    (slope,) = torch.autograd.grad(whole, logits)

    def share(rank: int) -> tuple[float, Tensor]:
        mine = logits.detach()[2 * rank : 2 * rank + 2].requires_grad_()
        value = loss(mine, target[2 * rank : 2 * rank + 2])
        return float(value.detach()), torch.autograd.grad(value, mine)[0]

    shares = in_two(share)
    assert [value for value, _ in shares] == pytest.approx([float(whole.detach())] * 2, rel=1e-5)
    # DDP takes the mean over the processes
    torch.testing.assert_close(torch.cat([g for _, g in shares]) / 2, slope, rtol=1e-4, atol=1e-7)


def test_present_and_dice_of_wrong_answers() -> None:
    wrong = present_loss(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, NAN]]))
    assert float(wrong) == pytest.approx(np.log(2))
    mask = torch.tensor([[1.0, 0.0] * 50])
    assert float(dice_loss((1 - 2 * mask) * 40, mask)) == pytest.approx(1 - 1 / 101)
    assert float(dice_loss(torch.zeros(1, 100), mask)) == pytest.approx(1 - 51 / 101)
    assert float(dice_loss(torch.full((1, 9), -40.0), torch.zeros(1, 9))) == pytest.approx(0, abs=1e-6)
