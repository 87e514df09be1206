import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from torch import nn

from ecgdig.locate.names import LAYERS, STRIDE, TOKENS
from ecgdig.tasks.name_net import NameNet, save


@pytest.fixture
def net():
    """Whose norms have seen something."""
    torch.manual_seed(2)
    made = NameNet()
    with torch.no_grad():
        for _ in range(3):
            made.train()(3 * torch.rand(2, 1, 32, 48))
    return made.eval()


def test_there_is_an_answer_for_each_cell_and_token(net):
    with torch.no_grad():
        assert net(torch.zeros(2, 1, 32, 48)).shape == (2, len(TOKENS), 32 // STRIDE, 48 // STRIDE)


def test_it_begins_by_seeing_no_name_anywhere():
    with torch.no_grad():
        chance = torch.sigmoid(NameNet().eval()(torch.zeros(1, 1, 32, 32)))
    assert float(chance.max()) < 0.02


def test_what_stands_elsewhere_moves_the_answer_along(net):
    ink = torch.zeros(1, 1, 256, 256)
    ink[..., 100:112, 120:140] = 1.0
    with torch.no_grad():
        here, there = net(ink), net(torch.roll(ink, (2 * STRIDE, -STRIDE), (2, 3)))
    moved = torch.roll(here, (2, -1), (2, 3))
    inside = (..., slice(20, -20), slice(20, -20))  # zeros around the picture reach in by 17 cells
    torch.testing.assert_close(there[inside], moved[inside], atol=1e-4, rtol=1e-4)
    assert float((there - here)[inside].abs().max()) > 0.01


def test_an_answer_sees_as_far_as_a_long_name(net):
    """What one input px reaches: Σ (kernel - 1) · dilation · strides before it, half of it each way."""
    ink = torch.zeros(1, 1, 512, 512, requires_grad=True)
    net(ink)[0, 0, 64, 64].backward()
    seen = ink.grad[0, 0].nonzero()
    first, last = seen.min(0).values, seen.max(0).values
    stride, reach = 1, 1
    for kernel, step, dilation, _ in LAYERS:
        reach += (kernel - 1) * dilation * stride
        stride *= step
    assert (last - first + 1).tolist() == [reach, reach]
    assert stride == STRIDE


def test_saved_weights_do_what_the_network_does(net, tmp_path):
    save(net, tmp_path / "names.safetensors")
    kept = load_file(tmp_path / "names.safetensors")
    assert set(kept) == {f"{i}.{part}" for i in (*range(len(LAYERS)), "head") for part in ("weight", "bias")}
    assert {value.dtype for value in kept.values()} == {np.dtype(np.float16)}
    ink = torch.rand(1, 1, 40, 56)
    value = ink
    for i, (kernel, stride, dilation, _) in enumerate(LAYERS):  # convolutions alone: the norms are in them
        weight, bias = (torch.from_numpy(kept[f"{i}.{part}"]).float() for part in ("weight", "bias"))
        after = torch.relu(nn.functional.conv2d(value, weight, bias, stride, dilation * (kernel // 2), dilation))
        value = after + value if i >= 2 else after
    weight, bias = (torch.from_numpy(kept[f"head.{part}"]).float() for part in ("weight", "bias"))
    with torch.no_grad():
        wanted = net(ink)
    torch.testing.assert_close(nn.functional.conv2d(value, weight, bias), wanted, atol=0.02, rtol=0.01)
