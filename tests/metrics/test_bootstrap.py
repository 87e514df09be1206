from __future__ import annotations

import numpy as np
import pytest

from ecgdig.metrics import bootstrap_interval


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(0).normal(20, 4, 400)
    low, high = bootstrap_interval(values)
    half = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.05)


def test_it_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    hits = [low <= 5 <= high for low, high in (bootstrap_interval(rng.normal(5, 1, 60), 0.9) for _ in range(200))]
    assert np.mean(hits) == pytest.approx(0.9, abs=0.06)


def test_scipy_agrees() -> None:
    from scipy.stats import bootstrap

    values = np.random.default_rng(2).exponential(3, 50)
    theirs = bootstrap((values,), np.mean, method="percentile", n_resamples=5000, rng=3).confidence_interval
    assert bootstrap_interval(values, resamples=5000) == pytest.approx((theirs.low, theirs.high), abs=0.08)


@pytest.mark.parametrize("values", [[], [7.0], [np.nan, 7.0]])
def test_fewer_than_two_pages_say_nothing(values: list[float]) -> None:
    assert np.isnan(bootstrap_interval(values)).all()


def test_equal_pages_and_the_seed() -> None:
    assert bootstrap_interval([3.0, 3.0, np.nan]) == (3.0, 3.0)
    assert bootstrap_interval([1.0, 2.0, 4.0]) == bootstrap_interval([1.0, 2.0, 4.0])


def test_many_pages_are_drawn_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    from ecgdig.metrics import bootstrap

    values = np.random.default_rng(4).normal(size=30)
    whole = bootstrap_interval(values)
    monkeypatch.setattr(bootstrap, "_BLOCK", 100)
    assert bootstrap_interval(values) == pytest.approx(whole)


@pytest.mark.parametrize(("level", "resamples"), [(95.0, 10), (0.0, 10), (0.9, 0)])
def test_impossible_wishes_are_refused(level: float, resamples: int) -> None:
    with pytest.raises(ValueError, match=r"want"):
        bootstrap_interval([1.0, 2.0], level, resamples)
