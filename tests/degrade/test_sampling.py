from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ecgdig.degrade.sampling import resampled, shade

STEP = 8
SHAPE = (90, 130)
PICTURE = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (120, 160, 3)).astype(np.uint8), (0, 0), 1.2)


def places(a: float, b: float, dx: float, dy: float) -> NDArray[np.float32]:
    """x, y = a·column - b·row + dx, b·column + a·row + dy at every 8th pixel and beyond."""
    y, x = np.mgrid[0 : SHAPE[0] + 2 * STEP : STEP, 0 : SHAPE[1] + 2 * STEP : STEP]
    return np.stack([a * x - b * y + dx, b * x + a * y + dy], -1).astype(np.float32)


@pytest.mark.parametrize(
    "place",
    [
        (1.0, 0.0, 0.0, 0.0),
        (0.93, 0.11, 12.3, 4.6),
        (-0.8, 0.3, 140.0, 60.0),
        (0.9998, 0.02, 7.3, 3.6),  # nearly level: neighbours share their rows
        (1.03, -0.025, 3.2, 9.7),  # some of them are two columns apart
    ],
)
def test_it_is_opencvs_cubic_remap(place: tuple[float, float, float, float]) -> None:
    at = places(*place)
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]].astype(np.float32)
    a, b, dx, dy = place
    theirs = cv2.remap(
        PICTURE, a * x - b * y + dx, b * x + a * y + dy, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    difference = resampled(PICTURE, at, STEP, SHAPE).astype(int) - theirs
    assert np.abs(difference).max() <= 6  # fractions of a 64th against a 32nd of a pixel
    assert difference.std() < 0.8
    assert abs(difference.mean()) < 0.05


def test_nothing_moves_where_pixels_stay() -> None:
    np.testing.assert_array_equal(resampled(PICTURE, places(1, 0, 3, 5), STEP, SHAPE), PICTURE[5:95, 3:133])


def test_far_outside_the_border_goes_on_and_no_number_is_no_harm() -> None:
    far = places(1, 0, 1e6, -1e6)
    assert (resampled(PICTURE, far, STEP, SHAPE) == PICTURE[0, -1]).all()
    assert resampled(PICTURE, np.full_like(far, np.nan), STEP, SHAPE).shape == (*SHAPE, 3)


def test_beside_the_sheet_the_desk_is_seen() -> None:
    white, desk = np.full_like(PICTURE, 250), np.full((*SHAPE, 3), 50, np.uint8)
    # the left edge runs through the middle of pixel 20, the lower one between pixels 69 and 70
    out = resampled(white, places(1, 0, 0, 0), STEP, SHAPE, (20.0, -np.inf, np.inf, 69.5), desk)
    assert (out[:, :20] == 50).all()
    assert (out[:70, 20] == 150).all()
    assert (out[:70, 21:] == 250).all()
    assert (out[70:] == 50).all()


def test_the_shadow_of_a_sheet_fades_beside_it() -> None:
    desk = np.full((*SHAPE, 3), 200, np.uint8)
    shade(desk, places(1, 0, 0, 0), STEP, (-np.inf, -np.inf, 60.0, np.inf), (4.0, 0.0), 0.4, 10.0)
    x = np.arange(61, SHAPE[1])
    expected = 200 * (1 - 0.4 * np.exp(-np.maximum(x - 64.5, 0) / 10))
    np.testing.assert_allclose(desk[40, 61:, 0][x < 118], expected[x < 118], atol=6)
    assert (desk[:, -1] == 200).all()
    assert (desk[:, :40] == 200).all()  # below the sheet nothing is seen of it
