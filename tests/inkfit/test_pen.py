from __future__ import annotations

import cv2
import numpy as np
import pytest

from ecgdig.inkfit.pen import find_pen, stroke
from ecgdig.inkfit.strokes import nearest
from ecgdig.page.strokes import draw_polyline


@pytest.mark.parametrize(("width", "blur"), [(1.5, 0.0), (2.4, 0.0), (2.4, 1.2), (4.0, 0.8)])
def test_width_and_blur_are_found(width: float, blur: float) -> None:
    x = np.arange(10.0, 390.0, 0.5)
    y = 40 + 15 * np.sin(x / 25)
    canvas = np.zeros((80, 400), np.uint8)
    draw_polyline(canvas, np.stack([x, y], 1), width, np.ones(x.size, np.float32))
    share = (canvas / 255).astype(np.float32)
    if blur:
        share = np.asarray(cv2.GaussianBlur(share, (0, 0), blur), np.float32)
    near = nearest(x, y, np.ones(x.size, bool), share.shape, 8.0)
    distance = np.full(share.shape, np.inf, np.float32)
    distance[near.rows] = near.distance
    pen = find_pen(distance, share, 8.0)
    assert pen is not None
    # thin pens under a wide blur: width and strength are told together only
    assert 2 * pen.half * pen.strength == pytest.approx(width, rel=0.15)
    assert pen.blur == pytest.approx(np.hypot(blur, 0.4), abs=0.2)


def test_no_ink_gives_no_pen_at_all() -> None:
    assert find_pen(np.full((50, 50), np.inf, np.float32), np.zeros((50, 50), np.float32), 8.0) is None


def test_the_slope_of_a_stroke_is_its_derivative() -> None:
    for d in (0.1, 0.7, 1.3, 2.5):
        up, down = stroke(d + 1e-4, 1.2, 0.6)[0], stroke(d - 1e-4, 1.2, 0.6)[0]
        assert stroke(d, 1.2, 0.6)[1] == pytest.approx((up - down) / 2e-4, rel=1e-4)


def test_the_nearest_point_is_that_of_brute_force() -> None:
    rng = np.random.default_rng(3)
    x = np.cumsum(rng.uniform(0.2, 2, 30)) + 3
    y = 20 + np.cumsum(rng.normal(0, 2, 30))
    inked = rng.random(30) > 0.1
    near = nearest(x, y, inked, (60, 45), 4.0)
    fine = [
        np.stack([np.linspace(x[i], x[i + 1], 400), np.linspace(y[i], y[i + 1], 400)], 1)
        for i in range(29)
        if inked[i] and inked[i + 1]
    ]
    points = np.concatenate(fine)
    full = np.full((60, 45), np.inf)
    full[near.rows] = near.distance
    for row, column in rng.integers(0, (60, 45), (300, 2)):
        d = float(np.hypot(points[:, 0] - column, points[:, 1] - row).min())
        if d < 3.99:
            assert full[row, column] == pytest.approx(d, abs=0.01)
        elif d > 4.01:
            assert np.isinf(full[row, column])
