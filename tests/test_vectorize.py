from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from ecgdig.vectorize import best_path, local_mean, resample_curve, trace_path


def cost_of(path: tuple[int, ...], cost: np.ndarray, jump: float, limit: float) -> float:
    steps = np.minimum(np.abs(np.diff(path)) * jump, limit).sum()
    return float(cost[list(path), range(len(path))].astype(np.float64).sum() + steps)


@pytest.mark.parametrize("seed", range(60))
def test_best_path_is_the_best_of_all_paths(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = int(rng.integers(1, 6)), int(rng.integers(1, 6))
    cost = rng.uniform(0, 3, (rows, columns)).astype(np.float32)
    jump, limit = float(rng.uniform(0, 1.5)), float(rng.uniform(0, 3))
    found = best_path(cost, jump, limit)
    least = min(cost_of(path, cost, jump, limit) for path in product(range(rows), repeat=columns))
    assert cost_of(tuple(found), cost, jump, limit) == pytest.approx(least, abs=1e-9)


@pytest.mark.parametrize("centre, sigma", [(20.0, 1.0), (20.3, 1.5), (19.55, 0.8)])
def test_local_mean_finds_the_middle_and_width_of_a_gaussian(centre: float, sigma: float) -> None:
    rows = np.arange(40)[:, None]
    p = np.exp(-0.5 * ((rows - centre) / sigma) ** 2) * np.array([[1.0, 7.0]])  # any scale
    mean, spread = local_mean(p.astype(np.float32), np.array([20, 20]), 5)
    np.testing.assert_allclose(mean, centre, atol=0.01)
    np.testing.assert_allclose(spread, sigma, rtol=0.02)


def test_local_mean_ignores_what_is_far_and_stays_finite_at_edges_and_on_nothing() -> None:
    p = np.zeros((40, 3), np.float32)
    p[10, 0], p[30, 0] = 0.3, 0.7
    p[0, 1] = 1.0
    mean, spread = local_mean(p, np.array([10, 0, 25]), 5)
    np.testing.assert_allclose(mean, [10, 0, 25])
    np.testing.assert_allclose(spread, 0)


def ridge(heights: np.ndarray, rows: int = 80, sigma: float = 1.0) -> np.ndarray:
    return np.exp(-0.5 * ((np.arange(rows)[:, None] - heights) / sigma) ** 2)


def test_the_trace_is_followed_past_a_stronger_blob_elsewhere() -> None:
    x = np.arange(120)
    heights = 30 + 12 * np.sin(x / 15)
    p = ridge(heights)
    p[:, 50:58] *= 0.4
    p[70:73, 50:58] += 0.6  # for eight columns something else is more likely
    p /= p.sum(0)
    height, sigma, _ = trace_path(p.astype(np.float32), np.ones(120, np.float32))
    np.testing.assert_allclose(height, heights, atol=0.05)
    assert p[:, 52].argmax() > 60
    np.testing.assert_allclose(sigma, 1.0, atol=0.05)


def test_a_steep_flank_is_followed() -> None:
    heights = np.where(np.arange(60) < 30, 20.0, 65.0)
    p = ridge(heights)
    height, _, _ = trace_path((p / p.sum(0)).astype(np.float32), np.ones(60, np.float32))
    np.testing.assert_allclose(height, heights, atol=0.01)


def test_columns_without_ink_and_short_runs_are_unknown() -> None:
    p = ridge(np.full(50, 33.0))
    present = np.ones(50, np.float32)
    present[10:20] = 0.2
    present[20:22] = 0.9  # two columns
    present[22:30] = 0.1
    height, _, known = trace_path((p / p.sum(0)).astype(np.float32), present)
    np.testing.assert_array_equal(known, np.r_[np.full(10, True), np.full(20, False), np.full(20, True)])
    np.testing.assert_allclose(height, 33.0, atol=1e-3)  # the path goes on where nothing is seen
    _, _, nothing = trace_path(np.zeros((8, 5), np.float32), np.zeros(5, np.float32))
    assert not nothing.any()


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(8, 5\) and presence of shape \(4,\)"):
        trace_path(np.zeros((8, 5), np.float32), np.zeros(4, np.float32))


def test_resampling_is_scipys_cubic_spline() -> None:
    x = np.sort(np.random.default_rng(0).uniform(0, 10, 60))
    x = np.linspace(0, 10, 60) + 0.02 * np.sin(x)
    y = np.cos(x)
    at = np.linspace(x[0], x[-1], 333)
    np.testing.assert_allclose(resample_curve(x, y, at), CubicSpline(x, y)(at), atol=1e-12)
    assert np.abs(resample_curve(x, y, at) - np.cos(at)).max() < 1e-3


def test_a_stretch_reaches_half_a_step_beyond_its_ends() -> None:
    x, y = np.arange(10.0), np.arange(10.0) ** 2
    out = resample_curve(x, y, np.array([-0.6, -0.4, 0.0, 9.4, 9.6]))
    np.testing.assert_allclose(out, [np.nan, 0, 0, 81, np.nan])


def test_gaps_stay_open_or_are_bridged_by_a_straight_line() -> None:
    x, y = np.arange(20.0), np.sin(np.arange(20.0))
    y[8:12] = np.nan
    at = np.linspace(0, 19, 191)
    open_gap = resample_curve(x, y, at)
    inside = (at > 7.51) & (at < 11.49)
    assert np.isnan(open_gap[inside]).all()
    np.testing.assert_allclose(open_gap[at < 7], CubicSpline(x[:8], y[:8])(at[at < 7]), atol=1e-12)
    np.testing.assert_allclose(open_gap[at > 12], CubicSpline(x[12:], y[12:])(at[at > 12]), atol=1e-12)
    bridged = resample_curve(x, y, at, bridge=5.0)
    between = (at >= 7) & (at <= 12)
    np.testing.assert_allclose(bridged[between], np.interp(at[between], [7, 12], y[[7, 12]]), atol=1e-12)
    np.testing.assert_array_equal(np.isnan(resample_curve(x, y, at, bridge=4.9)), np.isnan(open_gap))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_short_stretches_are_straight(n: int) -> None:
    y = np.full(9, np.nan)
    y[3 : 3 + n] = [2.0, 5.0, 1.0][:n]
    at = np.linspace(3, 2 + n, 7)
    np.testing.assert_allclose(
        resample_curve(np.arange(9.0), y, at), np.interp(at, np.arange(3.0, 3 + n), y[3 : 3 + n])
    )


def test_nothing_known_gives_nothing() -> None:
    assert np.isnan(resample_curve(np.arange(5.0), np.full(5, np.nan), np.arange(3.0))).all()
    assert np.isnan(resample_curve(np.empty(0), np.empty(0), np.arange(3.0))).all()
    assert resample_curve(np.arange(5.0), np.ones(5), np.empty(0)).shape == (0,)
