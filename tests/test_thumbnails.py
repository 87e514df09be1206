import numpy as np
import pytest

from ecgdig.degrade.geometry import View, resample
from ecgdig.page.warp import Homography
from ecgdig.sources import Simulator
from ecgdig.thumbnails import TRUTHS, PageDataModule, PageDataset, anywhere, thumbnail, truth_of, whole

PRESETS = {"clean": 1.0, "photo": 1.0}


def pages(seed: int = 0) -> PageDataset:
    return PageDataset(Simulator(6, seed=seed, duration_s=10.0), 96, 2, PRESETS, seed, 20)


def rms(errors):
    return float(np.sqrt(np.mean(errors**2)))


def test_an_item_is_the_same_for_the_same_seed_and_index(global_state):
    before = global_state()
    a, b, other = pages()[3], pages()[3], pages(1)[3]
    assert global_state() == before
    assert a["image"].shape == (2, 4, 96, 96)
    assert a["truth"].shape == (2, len(TRUTHS), 6, 6)
    assert all(np.array_equal(a[name], b[name], equal_nan=name == "truth") for name in a)
    assert not np.array_equal(a["image"], other["image"])
    assert not np.array_equal(a["image"][0], a["image"][1])


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("side_px", [1100, 2000])
def test_whole_pages_are_turned_with_their_truth(turns, side_px, flat_page, ink_error):
    h, w = (side_px, round(side_px * 215.9 / 279.4)) if turns % 2 else (round(side_px * 215.9 / 279.4), side_px)
    small = thumbnail(flat_page, whole(flat_page.shape, side_px, turns), (h, w))
    assert rms(ink_error(small)) < 0.1
    # turned anticlockwise: the top left corner goes to the bottom left, the bottom right, the top right
    x, y = small.warp.to_px([5.0, 5.0]) / [w, h]
    assert (x < 0.1, y < 0.1) == ((True, True), (True, False), (False, False), (False, True))[turns]
    angle = truth_of(small, np.ones((h // 16, w // 16), bool))[TRUTHS.index("angle")]
    assert np.nanmax(np.abs(np.exp(1j * angle) - np.exp(-0.5j * np.pi * turns))) < 1e-4


def test_parts_of_a_page_keep_their_ink_on_the_truth(flat_page, ink_error):
    rng = np.random.default_rng(2)
    for _ in range(4):
        part = thumbnail(flat_page, anywhere(rng, flat_page, 900), (900, 900))
        if (errors := ink_error(part)).size > 200:
            assert rms(errors) < 0.2  # px, some of 0.8 mm


def test_the_truth_of_a_leaning_page(flat_page):
    # along x 1.2 times as large as along y, both turned: x by 0.3 rad, y by 0.26
    along, down = 1.2 * np.array([np.cos(0.3), np.sin(0.3)]), np.array([-np.sin(0.26), np.cos(0.26)])
    bend = Homography.of([[along[0], down[0], 0], [along[1], down[1], 0], [0, 0, 1]])
    page = resample(flat_page, [View(image_stages=(bend,))], 3.0, 10.0, np.full((8, 8, 3), 60, np.uint8))
    seen = np.ones((page.shape[0] // 16, page.shape[1] // 16), bool)
    seen[:, :3] = False
    paper, scale, stretch, skew, angle = truth_of(page, seen)
    on = paper == 1
    y, x = (np.mgrid[0 : seen.shape[0], 0 : seen.shape[1]] + 0.5) * 16 - 0.5
    mm = page.warp.to_mm(np.stack([x, y], -1))
    assert np.array_equal(on, (mm > 0).all(-1) & (mm < [279.4, 215.9]).all(-1) & seen)
    assert np.isnan(paper[:, :3]).all()
    assert np.isnan(angle[~on]).all()
    np.testing.assert_allclose(scale[on], np.log2(3 * np.sqrt(1.2)), atol=1e-4)
    np.testing.assert_allclose(stretch[on], np.log(1.2), atol=1e-4)
    np.testing.assert_allclose(skew[on], -0.04, atol=1e-4)
    np.testing.assert_allclose(angle[on], 0.28, atol=1e-4)


def test_sides_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="100 px"):
        PageDataset(Simulator(2), 100, 1, PRESETS, 0, 2)


def test_the_module_makes_batches_and_held_out_pages_are_seen_whole():
    data = PageDataModule(side_px=64, views=3, batch_size=1, pages_per_epoch=1, val_pages=1, workers=0)
    (batch,) = data.train_dataloader()
    assert batch["image"].shape == (1, 3, 4, 64, 64)
    (held_out,) = data.val_dataloader()
    assert held_out["image"].shape == (1, 1, 4, 768, 768)
    assert held_out["truth"].shape == (1, 1, 5, 48, 48)
