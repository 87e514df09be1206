"""How close an estimate lies to its reference, in mV and as correlation; nothing is aligned here.

Over the samples that both have: what is missing shows in `coverage`, not in the errors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ecgdig.metrics.pairing import Array, per_lead
from ecgdig.metrics.snr import IDENTICAL_MV
from ecgdig.recording import Recording


def pearson_r(reference_mv: ArrayLike, estimate_mv: ArrayLike) -> Any:
    """Pearson's correlation of each lead, -1 to 1; 0 where either is flat or nothing was read.

    Args:
        reference_mv, estimate_mv: `(n_samples,)` or `(n_leads, n_samples)`.

    Returns:
        a float for one lead, else `(n_leads,)`; NaN for a lead that is not scored.
    """
    return per_lead(_pearson_lead, reference_mv, estimate_mv)


def rmse_mv(reference_mv: ArrayLike, estimate_mv: ArrayLike) -> Any:
    """Root mean square error of each lead in mV, offset included; NaN where nothing was read. Shapes: `pearson_r`."""
    return per_lead(lambda r, e: _of_errors(r, e, lambda d: float(np.sqrt(np.mean(d**2)))), reference_mv, estimate_mv)


def error_95_mv(reference_mv: ArrayLike, estimate_mv: ArrayLike) -> Any:
    """The absolute error in mV that 95 % of each lead's samples stay below; NaN where nothing was read."""
    return per_lead(lambda r, e: _of_errors(r, e, lambda d: float(np.quantile(d, 0.95))), reference_mv, estimate_mv)


def coverage(reference_mv: ArrayLike, estimate_mv: ArrayLike) -> Any:
    """The share of each lead's scored samples that the estimate has, 0 to 1. Shapes: `pearson_r`."""
    return per_lead(lambda r, e: float(np.isfinite(e[np.isfinite(r)]).mean()), reference_mv, estimate_mv)


def einthoven_residual_mv(recording: Recording) -> float:
    """RMS of I + III - II in mV over the samples where all three are known; NaN where there are none.

    Needs no reference: Kirchhoff's law makes it 0 in a true recording of simultaneous limb leads.
    """
    limb = recording.select(("I", "II", "III")).signal_mv.astype(np.float64)
    residual = limb[0] + limb[2] - limb[1]
    residual = residual[np.isfinite(residual)]
    return float(np.sqrt(np.mean(residual**2))) if residual.size else float("nan")


def _pearson_lead(reference: Array, estimate: Array) -> float:
    both = np.isfinite(reference) & np.isfinite(estimate)
    if not both.any():
        return 0.0
    r, e = reference[both] - reference[both].mean(), estimate[both] - estimate[both].mean()
    rounding = both.sum() * IDENTICAL_MV**2
    if np.sum(r**2) <= rounding or np.sum(e**2) <= rounding:
        return 0.0
    return float(np.sum(r * e) / np.sqrt(np.sum(r**2) * np.sum(e**2)))


def _of_errors(reference: Array, estimate: Array, summary: Any) -> float:
    error = np.abs(reference - estimate)
    error = error[np.isfinite(error)]
    return float(summary(error)) if error.size else float("nan")
