from __future__ import annotations

import numpy as np
import pytest

from ecgdig.degrade.roll import Cylinder, roll
from ecgdig.page import Paper


@pytest.mark.parametrize("radius", [60.0, -150.0])
@pytest.mark.parametrize("flat", [(0.0, 0.0), (np.inf, 30.0), (10.0, np.inf)])
def test_bent_paper_keeps_its_length(radius: float, flat: tuple[float, float]) -> None:
    x, y = np.arange(0.0, 200.0, 0.05), np.array([10.0])
    moved = Cylinder((1.0, 0.0), 100.0, flat, radius).displace(x, y)[0].astype(float)
    path = np.stack([x + moved[:, 0], moved[:, 2]], 1)
    np.testing.assert_allclose(np.linalg.norm(np.diff(path, axis=0), axis=1), 0.05, atol=2e-4)
    assert (np.diff(path[:, 0]) > 0).all()
    assert (np.sign(moved[:, 2]) * np.sign(radius) >= 0).all()
    assert not moved[np.abs(x - 100) < 0.02].any()
    assert (moved[:, 2] == 0)[(x > 100 - flat[0]) & (x < 100 + flat[1])].all()


def test_an_oblique_cylinder_moves_points_across_its_axis() -> None:
    moved = Cylinder((0.6, 0.8), 50.0, (0.0, 0.0), 80.0).displace(np.array([0.0, 100.0]), np.array([0.0, 100.0]))
    np.testing.assert_allclose(moved[..., 0] * 0.8, moved[..., 1] * 0.6, atol=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_rolls_bend_by_up_to_what_they_say(seed: int) -> None:
    (relief,) = roll(Paper(279.4, 215.9), 0.5, np.random.default_rng(seed)).reliefs
    x, y = np.arange(0.0, 280.0, 1.0), np.arange(0.0, 216.0, 1.0)
    z = relief.displace(x, y)[..., 2].astype(float)
    slope = np.hypot(*np.gradient(z))
    assert 0.02 < slope.max() < np.tan(0.65)
