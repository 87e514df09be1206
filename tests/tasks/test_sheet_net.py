import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from torch import nn

from ecgdig.locate.sheet import DEEP_STRIDE, MAPS, QUARTERS, STRIDE, layers, shapes
from ecgdig.tasks.sheet_net import SheetNet, save


@pytest.fixture
def net():
    """Whose norms have seen something."""
    torch.manual_seed(4)
    made = SheetNet()
    with torch.no_grad():
        for _ in range(3):
            made.train()(torch.randint(0, 256, (2, 3, 64, 96), dtype=torch.uint8))
    return made.eval()


def test_there_is_an_answer_for_each_cell_and_quarter_turn(net):
    with torch.no_grad():
        maps, quarters = net(torch.zeros(2, 3, 64, 96, dtype=torch.uint8))
    assert maps.shape == (2, len(MAPS), 64 // STRIDE, 96 // STRIDE)
    assert quarters.shape == (2, QUARTERS, 64 // DEEP_STRIDE, 96 // DEEP_STRIDE)


def test_it_begins_with_an_empty_page():
    torch.manual_seed(0)
    with torch.no_grad():
        maps, _ = SheetNet().eval()(torch.full((1, 3, 32, 32), 240, dtype=torch.uint8))
    assert float(torch.sigmoid(maps).mean()) < 0.15


@pytest.mark.parametrize(("rows", "columns"), [(16, 0), (0, 16), (-16, 32)])
def test_what_stands_elsewhere_moves_the_answers_along(net, rows, columns):
    page = torch.full((1, 3, 1024, 1024), 230, dtype=torch.uint8)
    page[:, :, 506:514, 476:556] = 20
    with torch.no_grad():
        (maps, quarters), (there, turned) = net(page), net(torch.roll(page, (rows, columns), (2, 3)))
    for here, moved, stride in ((maps, there, STRIDE), (quarters, turned, DEEP_STRIDE)):
        expected = torch.roll(here, (rows // stride, columns // stride), (2, 3))
        # the zeros around the page do not move with it, but do not reach its middle
        inside = (..., *(slice(480 // stride, 544 // stride),) * 2)
        torch.testing.assert_close(moved[inside], expected[inside], atol=1e-5, rtol=1e-5)
        assert float((here - moved)[inside].abs().max()) > 0.005


def test_colours_and_places_within_a_cell_are_told_apart(net):
    answers = []
    for colour, row, column in ((0, 0, 0), (1, 0, 0), (2, 0, 0), (0, 1, 0), (0, 0, 1)):
        page = torch.full((1, 3, 64, 64), 200, dtype=torch.uint8)
        page[:, colour, 32 + row, 32 + column] = 0
        with torch.no_grad():
            answers.append(net(page)[0])
    for i, one in enumerate(answers):
        for other in answers[:i]:
            assert float((one - other).abs().max()) > 1e-3


def test_saved_weights_do_what_the_network_does(net, tmp_path):
    save(net, tmp_path / "sheet.safetensors")
    kept = load_file(tmp_path / "sheet.safetensors")
    assert {name.rpartition(".")[0] for name in kept} == {*shapes(), "maps", "quarters"}
    assert {value.dtype for value in kept.values()} == {np.dtype(np.float16)}
    state = {name: torch.from_numpy(value).float() for name, value in kept.items()}

    def layer(name, value, stride, dilation):  # a convolution alone: its norm is in it
        weight = state[f"{name}.weight"]
        reach = dilation * (weight.shape[2] // 2)
        return torch.relu(nn.functional.conv2d(value, weight, state[f"{name}.bias"], stride, reach, dilation))

    page = torch.randint(0, 256, (1, 3, 64, 96), dtype=torch.uint8)
    cells = nn.functional.pixel_unshuffle(page.float() / 255 - 0.5, STRIDE)  # colours, then rows and columns of a cell
    cells = cells.view(1, 3, STRIDE**2, 32, 48).transpose(1, 2).flatten(1, 2)
    value, deep = layers(cells, layer, lambda v, _: nn.functional.interpolate(v, scale_factor=2.0, mode="nearest"))
    found = [
        nn.functional.conv2d(v, state[f"{n}.weight"], state[f"{n}.bias"])
        for n, v in (("maps", value), ("quarters", deep))
    ]
    with torch.no_grad():
        wanted = net(page)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, atol=0.03, rtol=0.02)
