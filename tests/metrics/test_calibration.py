from __future__ import annotations

import numpy as np
import pytest

from ecgdig.metrics import SIGMA_STEPS, calibration_curve, expected_shares, interval_coverage, sigma_hits


def test_honest_gaussian_errors_lie_on_the_diagonal() -> None:
    rng = np.random.default_rng(0)
    sigma = rng.uniform(0.01, 0.2, (4, 5000))
    reference = rng.normal(size=sigma.shape)
    estimate = reference + sigma * rng.normal(size=sigma.shape)
    levels = (0.1, 0.5, 0.9, 0.99)
    assert calibration_curve(reference, estimate, sigma, levels) == pytest.approx(levels, abs=0.02)
    assert interval_coverage(reference, estimate, sigma / 2) < 0.65
    assert interval_coverage(reference, estimate, sigma * 2) > 0.99


def test_only_samples_known_in_all_three_count() -> None:
    nan = float("nan")
    reference, estimate, sigma = [nan, 0.0, 0.0, 0.0, 0.0], [0.0, nan, 0.0, 0.0, 5.0], [1.0, 1.0, nan, 1.0, 1.0]
    assert interval_coverage(reference, estimate, sigma) == 0.5
    assert np.isnan(interval_coverage(reference, estimate, [nan] * 5))


@pytest.mark.parametrize("level", [0.0, 1.0, 90.0])
def test_a_level_that_is_no_share_is_an_error(level: float) -> None:
    with pytest.raises(ValueError, match="want shares between 0 and 1"):
        interval_coverage([0.0], [0.0], [1.0], level)


def test_hits_are_those_of_a_normal_distribution() -> None:
    rng = np.random.default_rng(5)
    truth = rng.normal(size=(2, 20_000))
    sigma = rng.uniform(0.01, 0.1, truth.shape)
    sigma[0, :100] = np.nan
    *hits, counted = sigma_hits(truth, truth + sigma * rng.normal(size=truth.shape), sigma)
    assert counted == 39_900
    np.testing.assert_allclose(np.array(hits) / counted, expected_shares(), atol=0.01)
    assert sigma_hits(truth * np.nan, truth, sigma) == (0,) * (len(SIGMA_STEPS) + 1)
