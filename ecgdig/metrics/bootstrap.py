"""How far a mean over pages could be off: percentile bootstrap with a fixed seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

RESAMPLES = 2000
SEED = 20250101
_BLOCK = 4_000_000  # drawn pages held at a time: 32 MB


def bootstrap_interval(
    values: ArrayLike, level: float = 0.95, resamples: int = RESAMPLES, seed: int = SEED
) -> tuple[float, float]:
    """The central interval of `level` of the mean of `values`, pages drawn with replacement.

    Args:
        values: one a page, `(n_pages,)`; NaN = not defined on that page, left out.
        resamples: how many times as many pages are drawn.
        seed: the same numbers give the same interval.

    Returns:
        (low, high) in the unit of `values`; NaN twice where fewer than two are known: one page says nothing of others.

    Raises:
        ValueError: a level outside (0, 1), or no resamples.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13, the percentile interval.
    """
    if not 0 < level < 1:
        raise ValueError(f"interval level {level}; want a share between 0 and 1, such as 0.95")
    if resamples < 1:
        raise ValueError(f"{resamples} resamples; want at least 1, usually {RESAMPLES}")
    known = np.asarray(values, np.float64).ravel()
    known = known[np.isfinite(known)]
    if known.size < 2:
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    rows = max(1, _BLOCK // known.size)
    means = [
        known[rng.integers(0, known.size, (min(rows, resamples - done), known.size))].mean(axis=1)
        for done in range(0, resamples, rows)
    ]
    low, high = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
