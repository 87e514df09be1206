from __future__ import annotations

import numpy as np

from ecgdig.grid.upright import resampled, shrunk
from ecgdig.page import Page
from ecgdig.page.warp import Homography, Warp


def test_a_flat_page_at_its_own_scale_is_itself(flat_page: Page) -> None:
    scale = float(flat_page.warp.px_per_mm([[0.0, 0.0]])[0])
    image = flat_page.image
    off = resampled(image, flat_page.warp, image.shape[:2], scale).astype(int) - image
    assert np.abs(off).max() <= 1


def test_a_part_of_a_turned_page_is_that_part(flat_page: Page) -> None:
    scale = float(flat_page.warp.px_per_mm([[0.0, 0.0]])[0])
    width = flat_page.shape[1]
    turned = np.ascontiguousarray(np.rot90(flat_page.image))
    warp = flat_page.warp.then(Homography.of([[0, 1, 0], [-1, 0, width - 1], [0, 0, 1]]))
    low = np.array([40, 30])  # px of the flat page
    part = resampled(turned, warp, (60, 80), scale, low / scale)
    assert np.abs(part.astype(int) - flat_page.image[30:90, 40:120]).max() <= 1


def test_a_finer_image_is_averaged() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (400, 400, 3), np.uint8)
    small = resampled(image, Warp.flat(40.0), (40, 40), 4.0)
    assert small.std() < 0.3 * image.std()


def test_a_reduced_image_shows_the_same_places(flat_page: Page) -> None:
    scale = float(flat_page.warp.px_per_mm([[0.0, 0.0]])[0])
    small, warp = shrunk(flat_page.image, flat_page.warp, scale / 2, [50.0, 50.0])
    assert abs(small.shape[0] - flat_page.shape[0] / 2) <= 1
    px, small_px = (w.to_px([[30.0, 20.0], [200.0, 150.0]]) for w in (flat_page.warp, warp))
    np.testing.assert_allclose(small_px, (px + 0.5) / 2 - 0.5, atol=0.5)
    same, _ = shrunk(flat_page.image, flat_page.warp, scale, [50.0, 50.0])
    assert same is flat_page.image
