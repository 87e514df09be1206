from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from patient_pages import page_of, patient

from ecgdig.locate import sheet
from ecgdig.locate.ink import InkMap, ink_map
from ecgdig.locate.sheet import MAPS, STRIDE, SheetMaps, levelled, page_maps, sheet_maps
from ecgdig.page import PLAIN, render
from ecgdig.sheets import crop_picture, crop_truth
from ecgdig.tasks.sheet_net import SheetNet, save


def test_numpy_gives_what_torch_gives(tmp_path, monkeypatch):
    torch.manual_seed(1)
    net = SheetNet()
    page = np.random.default_rng(0).integers(0, 255, (64, 96, 3)).astype(np.uint8)
    pages = torch.from_numpy(levelled(page).transpose(2, 0, 1)[None].copy())
    with torch.no_grad():
        net.train()(pages)  # the norms learn something
        net.eval()
        save(net, tmp_path / "sheet.safetensors")
        expected = torch.sigmoid(net(pages)[0])[0].numpy()
    monkeypatch.setattr(sheet, "WEIGHTS", tmp_path / "sheet.safetensors")
    found = sheet_maps(page)
    for name, chance in zip(MAPS, expected, strict=True):
        np.testing.assert_allclose(getattr(found, name), chance, atol=0.01)  # the weights are kept in half precision
    assert found.quarters.sum() == pytest.approx(1.0)


def test_pale_and_shaded_pages_look_alike_when_levelled():
    rng = np.random.default_rng(3)
    page = np.full((300, 420, 3), 225.0)
    page[::30] = page[:, ::30] = (230, 160, 160)
    page[rng.integers(0, 300, 900), rng.integers(0, 420, 900)] = 20.0
    light = np.linspace(1.0, 0.45, 420)[None, :, None]
    pale = (255 - 0.5 * (255 - page)) * light
    flat, dim = (levelled(np.rint(p).astype(np.uint8)).astype(float) for p in (page, pale))
    assert np.abs(pale - page).mean() > 40
    assert np.abs(dim - flat).mean() < 6


def test_a_page_of_any_size_has_maps_of_half_of_it():
    found = sheet_maps(np.full((75, 101, 3), 240, np.uint8))
    assert found.trace.shape == found.end.shape == (38, 51)


def test_traces_rows_and_pulses_are_seen_where_they_are():
    page = page_of("3x4+1")
    affine = np.diag([1 / 6, 1 / 6, 1.0])
    shape = (1184, 1584)
    truth = crop_truth(page, affine, shape)
    found = sheet_maps(crop_picture(page.image, page.warp, affine, shape))
    for name, least in (("trace", 0.75), ("row", 0.6), ("pulse", 0.6)):
        seen, true = getattr(found, name) > 0.5, truth[MAPS.index(name)] > 0
        assert 2 * (seen & true).sum() / (seen.sum() + true.sum()) > least, name


@pytest.mark.parametrize("turns", range(4))
def test_whether_a_page_lies_on_its_side(turns):
    page = page_of("3x4+1")
    picture = ink_map(page.image, page.warp).picture
    quarters = sheet_maps(np.rot90(picture, turns)).quarters
    assert (quarters[1] + quarters[3] > 0.5) == (turns % 2 == 1)


def test_blank_paper_shows_nothing():
    found = sheet_maps(np.full((640, 960, 3), 245, np.uint8))
    assert max(float(getattr(found, name)[8:-8, 8:-8].max()) for name in ("trace", "pulse", "row")) < 0.5
    assert STRIDE * found.row.shape[0] == 640


def test_the_page_and_its_ink_count_by_how_much_of_rows_each_shows(monkeypatch):
    def seen(picture):
        chance = 0.4 if picture.any() else 0.2  # the ink map is full of ink, so its picture is black
        flat = np.full((4, 6), chance, np.float32)
        return SheetMaps(*(flat,) * len(MAPS), quarters=np.array([1, 0, 0, 0], np.float32))

    monkeypatch.setattr(sheet, "sheet_maps", seen)
    page = InkMap(np.ones((8, 12), np.float32), np.ones((8, 12), bool), (0.0, 0.0), np.full((8, 12, 3), 200, np.uint8))
    found = page_maps(page)
    np.testing.assert_allclose(found.trace, (16 * 0.4 + 0.2) / 17, rtol=1e-5)
    assert found.quarters.sum() == pytest.approx(1.0)


def test_rows_are_seen_through_a_grid_as_dark_as_the_trace():
    grid = replace(PLAIN.grid, minor_rgb=(70, 70, 70), major_rgb=(40, 40, 40), minor_mm=0.2, major_mm=0.3)
    plain = page_of("3x4+1")
    page = render(patient(), plain.layout, replace(PLAIN, grid=grid), 130, np.random.default_rng(0))
    found = page_maps(ink_map(page.image, page.warp))
    shown = [
        found.row[round(s.baseline_mm * 3), round(s.x_mm * 3) + 30 : round(s.end_mm * 3) - 30]
        for s in page.layout.segments
    ]
    assert min(np.mean(part > 0.5) for part in shown) > 0.5


def test_levelled_pages_are_in_units_of_their_contrast():
    rng = np.random.default_rng(1)
    page = rng.integers(0, 256, (90, 140, 3)).astype(np.uint8)

    def mean(of, side):
        return cv2.blur(of.astype(np.float64), (side, side), borderType=cv2.BORDER_REFLECT)

    contrast = mean(np.abs(page - mean(page, 19)).mean(axis=2), 73)  # 3 and 12 mm
    expected = np.clip((page - mean(page, 73)) * (24 / np.maximum(contrast, 2))[..., None] + 128, 0, 255)
    assert np.abs(levelled(page) - expected).max() < 0.51


def test_a_grey_page_is_levelled_as_one_of_three_equal_colours():
    grey = np.random.default_rng(2).integers(0, 256, (60, 80, 1)).astype(np.uint8)
    off = levelled(np.repeat(grey, 3, axis=2)).astype(int) - levelled(grey)
    assert np.abs(off).max() <= 1
    found, expected = sheet_maps(grey), sheet_maps(np.repeat(grey, 3, axis=2))
    np.testing.assert_allclose(found.trace, expected.trace, atol=0.01)
