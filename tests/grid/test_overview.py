import numpy as np
import pytest
import torch
from patient_pages import page_of

from ecgdig.degrade import apply
from ecgdig.grid import overview as module
from ecgdig.grid.overview import HEADS, SCALES, STRIDE, Overview, answers, overview, peak, pictured, spectra
from ecgdig.tasks.page_net import PageNet, save
from ecgdig.thumbnails import thumbnail, whole


def test_numpy_gives_what_torch_gives(tmp_path, monkeypatch):
    torch.manual_seed(1)
    net = PageNet()
    page = pictured(np.random.default_rng(0).integers(0, 255, (64, 96, 3)).astype(np.uint8))
    pages, bands = (torch.from_numpy(v.transpose(2, 0, 1)[None].copy()) for v in (page, spectra(page[..., 3])))
    with torch.no_grad():
        net.train()(pages, bands)  # the norms learn something
        net.eval()
        save(net, tmp_path / "page.safetensors")
        expected = net(pages, bands)
    monkeypatch.setattr(module, "WEIGHTS", tmp_path / "page.safetensors")
    found = answers(page)
    assert list(found) == list(HEADS)
    for name, value in found.items():
        wanted = expected[name][0].numpy().transpose(1, 2, 0)
        np.testing.assert_allclose(value, wanted, atol=0.02 * np.abs(wanted).max())  # weights in half precision


@pytest.mark.parametrize("at", [3.0, 17.5, 36.2])
def test_the_scale_is_the_middle_of_its_peak(at):
    chance = np.exp(-0.5 * ((np.arange(SCALES) - at) / 0.7) ** 2)
    chance = chance / chance.sum()
    chance = 0.7 * chance + 0.3 * np.roll(chance, -10 if at > 15 else 20)  # half or four times as large, less likely
    scale, sure = peak(chance.astype(np.float32)[None])
    assert scale[0] == pytest.approx(2 ** (at / 10), rel=0.01)
    assert sure[0] == pytest.approx(0.7, abs=0.02)


def test_the_fourth_colour_shows_lines_in_any_light():
    page = np.full((120, 200, 3), 220.0)
    page[::10] -= 40
    page[:, ::10] -= 40
    light = np.linspace(1.0, 0.4, 200)[None, :, None]
    bright, dim = (pictured(np.rint(p).astype(np.uint8))[..., 3].astype(float) for p in (page, page * light))
    assert np.abs(bright - dim)[20:-20, 20:-20].mean() < 8
    assert bright[60, 55] < 110 < 128 < bright[65, 55]


@pytest.mark.parametrize(("turns", "side_px"), [(0, 700), (1, 1400), (2, 2100), (3, 1000)])
def test_a_page_is_seen_in_any_direction_and_size(turns, side_px):
    page = page_of("3x4+1")
    h, w = page.shape
    shape = (side_px, round(side_px * h / w))[:: -1 if turns % 2 == 0 else 1]
    small = thumbnail(page, whole(page.shape, side_px, turns), shape)
    seen = overview(small.image)
    on = seen.on_paper
    assert on.mean() > 0.9
    true = float(small.warp.px_per_mm([[140.0, 90.0]])[0])
    assert np.median(seen.px_per_mm[on]) == pytest.approx(true, rel=0.1)
    assert seen.scale_at(np.array([[0.5 * small.shape[1], 0.5 * small.shape[0]]]))[0] == pytest.approx(true, rel=0.1)
    assert abs(np.degrees(seen.angle_rad)) < 2


def test_a_page_on_a_desk_is_told_from_it():
    page = apply(page_of("3x4+1"), {"rotation": 1.0}, np.random.default_rng(3), margin_mm=60, desk=True)
    seen = overview(page.image)
    y, x = (np.mgrid[0 : seen.paper.shape[0], 0 : seen.paper.shape[1]] + 0.5) * seen.cell_px - 0.5
    mm = page.warp.to_mm(np.stack([x, y], -1))
    on = (mm > 0).all(-1) & (mm < [279.4, 190.0]).all(-1)
    assert (seen.on_paper & on).sum() / (seen.on_paper | on).sum() > 0.8
    along = page.warp.to_px([[150.0, 95.0]]) - page.warp.to_px([[140.0, 95.0]])
    turned = np.degrees(np.arctan2(along[0, 1], along[0, 0]))
    assert np.degrees(seen.angle_rad) == pytest.approx(turned, abs=2)


def test_cells_beside_the_paper_say_nothing_of_its_scale():
    paper = np.zeros((20, 30), np.float32)
    paper[:, 20:] = 1
    scale = np.where(paper > 0, 8.0, 1.0).astype(np.float32)
    zero = np.zeros_like(paper)
    seen = Overview(STRIDE, paper, scale, paper, zero, zero, zero)
    at = seen.scale_at(np.array([[25.0 * STRIDE, 160], [18.0 * STRIDE, 160], [3.0 * STRIDE, 160], [1e6, 0]]))
    np.testing.assert_allclose(at[[0, 1, 3]], 8.0, rtol=1e-4)
    assert np.isnan(at[2])
