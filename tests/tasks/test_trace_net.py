from __future__ import annotations

import pytest
import torch

from ecgdig.tasks import TraceNet
from ecgdig.tasks.trace_net import normalise


@pytest.mark.parametrize("block, depth, sub_columns", [(4, 2, 2), (2, 3, 1), (1, 2, 4)])
def test_there_is_an_answer_for_each_row_and_value_column(block: int, depth: int, sub_columns: int) -> None:
    channels = [16, 12, 8][:depth]
    net = TraceNet("resnet18", depth, channels, block, sub_columns, features=3, refine=4).eval()
    strips = torch.randint(0, 256, (2, 3, 32, 64), dtype=torch.uint8)
    with torch.no_grad():
        out = net(strips)
    assert out.height.shape == (2, 32, 64 * sub_columns)
    assert out.mask.shape == (2, 32, 64)
    assert out.present.shape == (2, 64 * sub_columns)
    assert all(part.dtype == torch.float32 and torch.isfinite(part).all() for part in out)


@pytest.mark.parametrize("height, width", [(40, 64), (64, 40)])
def test_other_sizes_are_refused(height: int, width: int) -> None:
    net = TraceNet("resnet18", 2, [8, 8])
    with pytest.raises(ValueError, match=rf"strips of {height} x {width} px; want multiples of 16"):
        net(torch.zeros(1, 3, height, width))


def test_shuffling_puts_each_block_back_in_its_place() -> None:
    net = TraceNet("resnet18", 2, [8, 8], block=2, sub_columns=2, features=2)
    # channel = ((feature, row in the block), column in the block); blocks are 2 rows by 4 value columns
    coarse = torch.arange(2 * 2 * 4 * 3 * 5).float().view(1, 16, 3, 5)
    fine = net._shuffle(coarse)
    assert fine.shape == (1, 4, 6, 10)  # channel = (value column within the pixel, feature)
    for feature, y, x in ((0, 0, 0), (1, 5, 19), (0, 3, 6), (1, 2, 9)):
        channel = feature * 8 + (y % 2) * 4 + x % 4
        assert fine[0, (x % 2) * 2 + feature, y, x // 2] == coarse[0, channel, y // 2, x // 4]


def test_strips_are_normalised_whatever_their_light() -> None:
    strips = torch.rand(2, 3, 20, 30) * 100
    x = normalise(strips)
    torch.testing.assert_close(x.mean((2, 3)), torch.zeros(2, 3), atol=1e-5, rtol=0)
    assert 0.8 < float(x.std()) < 1.0
    torch.testing.assert_close(normalise(strips + 50), x, atol=1e-4, rtol=0)
    assert not normalise(torch.full((1, 3, 8, 8), 200, dtype=torch.uint8)).any()  # an empty strip stays quiet
