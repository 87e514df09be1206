"""What a tile tells of the lines in it, against plain sums and a plain search."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from ecgdig.grid.tiles import _STEPS_NEARER, _climbed, tooth_sums


@pytest.mark.parametrize("side", [31, 128])
def test_sums_over_the_teeth_agree_with_the_direct_sum(side: int) -> None:
    rng, n = np.random.default_rng(0), 5
    tile, window = rng.standard_normal((side, 200)).astype(np.float32)[:, 17 : 17 + side], np.hanning(side)
    k = np.array([[0.031, 0.002], [-0.0015, 0.03]])
    at = np.arange(side) - 0.5 * (side - 1)
    cycles = k[:, 0, None, None] * at + k[:, 1, None, None] * at[:, None]
    weighted = tile * window * window[:, None]
    expected = [[(weighted * np.exp(-2j * np.pi * m * c)).sum() for m in range(1, n + 1)] for c in cycles]
    found = tooth_sums(tile, window.astype(np.float32), k, n)
    np.testing.assert_allclose(found, np.array(expected), atol=1e-4)


def test_waves_climb_as_a_plain_search_climbs() -> None:
    rng, side, teeth = np.random.default_rng(0), 128, np.arange(1, 5)
    rise = cv2.GaussianBlur(rng.standard_normal((side, side // 2 + 1)).astype(np.float32), (0, 0), 2.0) * 5

    def score(k: np.ndarray) -> float:  # type: ignore[type-arg]
        x, y = teeth * side * k[0], teeth * side * k[1]
        at = [np.where(x < 0, -y, y) % side, np.abs(x)]
        return float(map_coordinates(rise, at, order=1, mode="grid-wrap").clip(-1, 7).mean())

    start = np.array([[0.0312, 0.0021], [-0.0017, 0.0303]])
    found, scores = _climbed(rise, start, _STEPS_NEARER, 4, 7.0)
    for own, top, best in zip(found, scores, start, strict=True):
        for stretch, turn, n in _STEPS_NEARER:
            steps = np.linspace(-1, 1, int(n))
            turns = [np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) for t in turn * steps]
            best = max(((1 + stretch * s) * t @ best for s in steps for t in turns), key=score)
        np.testing.assert_allclose(own, best, rtol=1e-9)
        assert top == pytest.approx(score(best), abs=1e-5)
