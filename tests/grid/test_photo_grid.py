import numpy as np
import pytest

from ecgdig.grid.photo_grid import PhotoGrid
from ecgdig.page.warp import Warp


def test_what_shows_no_grid_is_plain_when_brought_upright():
    rng = np.random.default_rng(0)
    image = rng.integers(200, 256, (400, 600, 3)).astype(np.uint8)  # 100 x 150 mm at 4 px a mm
    image[:, 400:] = 60  # a dark desk on the right
    seen = np.zeros((51, 76), bool)
    seen[:, :55] = True  # of which lines were thought to be seen up to 110 mm
    grid = PhotoGrid(Warp.flat(4.0), (150.0, 100.0), seen, 0.01)
    assert grid.support == pytest.approx(55 / 76)
    page, warp = grid.upright(image, 4.0)
    assert page.shape == (400, 600, 3)
    np.testing.assert_allclose(warp.to_px([[10.0, 20.0]]), [[39.5, 79.5]])
    np.testing.assert_array_equal(page[40:360, 40:360], image[40:360, 40:360])
    assert np.ptp(page[:, 480:].reshape(-1, 3), axis=0).max() == 0  # neither the desk nor what lies beyond is shown
    assert page[0, 590, 0] > 180


def test_nothing_seen_leaves_white_paper():
    grid = PhotoGrid(Warp.flat(4.0), (50.0, 40.0), np.zeros((21, 26), bool), 0.01)
    page, _ = grid.upright(np.zeros((160, 200, 3), np.uint8), 4.0)
    assert (page == 255).all()
