"""Is the error estimate of every sample honest?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from ecgdig.metrics.pairing import Array, paired

SIGMA_STEPS = tuple(k / 4 for k in range(1, 17))  # 0.25 to 4 standard errors
CURVE_LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


def interval_coverage(
    reference_mv: ArrayLike, estimate_mv: ArrayLike, sigma_mv: ArrayLike, level: float = 0.9
) -> float:
    """The share of samples whose reference lies in the central Gaussian interval of `level`; ideally `level`.

    Args:
        reference_mv, estimate_mv, sigma_mv: `(n_samples,)` or `(n_leads, n_samples)` in mV; samples known in all
            three count, all leads pooled. The half width of the interval is sigma * Φ⁻¹((1 + level) / 2).
        level: wanted share, in (0, 1).

    Returns:
        a share in [0, 1]; NaN where no sample counts.

    Raises:
        ValueError: a level outside (0, 1), or shapes that do not fit.
    """
    return float(calibration_curve(reference_mv, estimate_mv, sigma_mv, (level,))[0])


def calibration_curve(
    reference_mv: ArrayLike,
    estimate_mv: ArrayLike,
    sigma_mv: ArrayLike,
    levels: Sequence[float] = CURVE_LEVELS,
) -> Array:
    """`interval_coverage` at every one of `levels`: `(n_levels,)`. Perfect calibration is the diagonal."""
    wanted = np.asarray(levels, np.float64)
    if not np.all((wanted > 0) & (wanted < 1)):
        raise ValueError(f"interval levels {list(levels)}; want shares between 0 and 1, such as 0.9")
    reference, estimate = paired(reference_mv, estimate_mv)
    _, sigma = paired(reference_mv, sigma_mv)
    error = np.abs(reference - estimate)
    counted = np.isfinite(error) & np.isfinite(sigma)
    if not counted.any():
        return np.full(wanted.size, np.nan)
    half_widths = norm.ppf((1 + wanted) / 2)
    return np.array([np.mean(error[counted] <= z * sigma[counted]) for z in half_widths])


def sigma_hits(reference_mv: ArrayLike, estimate_mv: ArrayLike, sigma_mv: ArrayLike) -> tuple[int, ...]:
    """How many samples lie within each of `SIGMA_STEPS` standard errors of the estimate, and last how many count.

    Counts, not shares, so that pages can be added up. Shapes and what counts: `interval_coverage`.

    Returns:
        `(len(SIGMA_STEPS) + 1,)` whole numbers; all 0 where no sample counts.
    """
    reference, estimate = paired(reference_mv, estimate_mv)
    _, sigma = paired(reference_mv, sigma_mv)
    error = np.abs(reference - estimate)
    counted = np.isfinite(error) & np.isfinite(sigma)
    error, sigma = error[counted], sigma[counted]
    return (*(int(np.count_nonzero(error <= k * sigma)) for k in SIGMA_STEPS), int(error.size))


def expected_shares() -> Array:
    """The shares of a normal distribution within `SIGMA_STEPS` standard errors of its mean, `(len(SIGMA_STEPS),)`."""
    return np.asarray(2 * norm.cdf(SIGMA_STEPS) - 1, np.float64)
