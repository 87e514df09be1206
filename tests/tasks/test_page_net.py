import pytest
import torch
from safetensors.numpy import load_file

from ecgdig.grid.overview import ANGLES, HEADS, RADII, shapes
from ecgdig.tasks.page_net import PageNet, save


@pytest.mark.parametrize("width", [1.0, 0.5])
def test_it_answers_for_every_cell(width, tmp_path):
    net = PageNet(width)
    # 80 px are two and a half steps of the spectra
    out = net(torch.zeros(2, 4, 80, 96, dtype=torch.uint8), torch.zeros(2, ANGLES * RADII, 3, 3, dtype=torch.uint8))
    assert {name: tuple(value.shape) for name, value in out.items()} == {n: (2, k, 5, 6) for n, k in HEADS.items()}
    save(net.eval(), tmp_path / "net.safetensors")
    kept = load_file(tmp_path / "net.safetensors")
    assert {name.partition(".")[0] for name in kept} == {*shapes(width), "heads"}
    assert kept["stem.weight"].shape == (round(32 * width), 64, 3, 3)
