from __future__ import annotations

import numpy as np
import pytest

from ecgdig.degrade.folds import Crease, Folds, folds
from ecgdig.page import Paper

X, Y = np.arange(0.0, 200.0, 0.5), np.arange(0.0, 100.0, 20.0)


def test_a_crease_is_a_tent() -> None:
    z = Folds((Crease((1.0, 0.0, 80.0), 6.0, (30.0, 60.0), 0.01),)).displace(X, Y)[..., 2]
    assert z[:, X == 80].max() == pytest.approx(6.0, abs=0.01)
    np.testing.assert_allclose(z[0], 6 * np.exp(-np.abs(X - 80) / np.where(X < 80, 30, 60)), atol=0.01)
    np.testing.assert_array_equal(z[0], z[-1])  # straight
    valley = Folds((Crease((1.0, 0.0, 80.0), -6.0, (30.0, 60.0), 0.01),)).displace(X, Y)[..., 2]
    np.testing.assert_allclose(valley, -z, atol=1e-5)


def test_slopes_are_foreshortened() -> None:
    moved = Folds((Crease((1.0, 0.0, 80.0), 6.0, (30.0, 60.0), 0.01),)).displace(X, Y)[0]
    slope = np.gradient(moved[:, 2].astype(float), X)
    slope[np.abs(X - 80) < 1] = 0.0
    shorter = np.cumsum(np.sqrt(1 + slope**2) - 1) * 0.5  # the path along the paper against its picture
    shorter -= shorter[X == 80]
    np.testing.assert_allclose(moved[:, 0], -shorter, atol=0.02)
    assert (moved[:, 1] == 0).all()


def test_folded_in_four_a_ridge_becomes_a_valley() -> None:
    z = Folds((Crease((0.0, 1.0, 40.0), 5.0, (50.0, 50.0), 0.5, (1.0, 0.0, 100.0)),)).displace(X, Y)[Y == 40, :, 2][0]
    assert z[0] < -4
    assert z[-1] > 4
    assert np.abs(np.diff(z)).max() / 0.5 < 1 / 5  # no cliff between them


@pytest.mark.parametrize("paper", [Paper(279.4, 215.9), Paper(210.0, 297.0), Paper(300.0, 112.0)])
def test_folds_cross_the_sheet_and_are_as_strong_as_they_say(paper: Paper) -> None:
    numbers = set()
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * [paper.width_mm, paper.height_mm]
    for seed in range(60):
        (relief,) = folds(paper, 0.5, np.random.default_rng(seed)).reliefs
        assert isinstance(relief, Folds)
        numbers.add(len(relief.creases))
        for crease in relief.creases:
            nx, ny, offset = crease.line
            assert np.hypot(nx, ny) == pytest.approx(1)
            sides = corners @ [nx, ny] - offset
            assert sides.min() < 0 < sides.max()
            assert abs(crease.rise_mm) / min(crease.reach_mm) <= 0.175 + 1e-9
    assert numbers == {1, 2, 3}


def test_without_strength_the_sheet_is_flat() -> None:
    (relief,) = folds(Paper(279.4, 215.9), 0.0, np.random.default_rng(0)).reliefs
    assert not relief.displace(X, Y).any()
