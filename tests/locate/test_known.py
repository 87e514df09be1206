import numpy as np
import pytest
from patient_pages import page_of

from ecgdig.locate.known import as_scanned, on_grid
from ecgdig.page.warp import Homography


def test_the_zero_is_on_a_crossing_up_and_left_of_the_image():
    page = page_of("3x4", dpi=100)
    zero = page.warp.to_mm(on_grid(page).to_px(np.array([[0.0, 0.0]])))[0]
    np.testing.assert_allclose((zero - page.style.grid.phase_mm) % 5.0 % 5.0, 0.0, atol=1e-6)
    assert (on_grid(page).to_mm(np.array([[-0.5, -0.5]])) >= 0).all()


def test_a_tilted_page_is_brought_upright_and_plain_beyond_the_photo():
    page = page_of("3x4", dpi=100)
    tilt = Homography.of(np.array([[0.98, -0.1, 90.0], [0.1, 0.98, -20.0], [0, 0, 1.0]]))
    scanned = as_scanned(page.with_image(page.image, page.warp.then(tilt)))
    height, width = scanned.image.shape[:2]
    assert (width, height) == pytest.approx((8 * 279.4, 8 * 190.0), abs=1)
    assert np.ptp(scanned.image[:40, -40:].reshape(-1, 3), axis=0).max() == 0  # the photo does not show this corner
    assert scanned.warp.px_per_mm([[0.0, 0.0]])[0] == pytest.approx(8.0)
