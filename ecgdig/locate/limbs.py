"""What the six limb leads owe to one another: two of them give the others (Einthoven 1912, Goldberger 1942)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# of leads I and II
IN_I_AND_II = {
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "-aVR": (0.5, 0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}


def misfit_of(leads: Sequence[str], traces: NDArray[np.float64]) -> float:
    """How far simultaneous traces are from obeying the laws of the limb leads that they are said to be.

    Args:
        leads: names in `IN_I_AND_II`, three or more, one a row of `traces` `(leads, n)` in any common unit.

    Returns:
        rms of the sums that should be zero over the rms of their terms, mean over these sums: 0 where all laws hold,
        about 1 for unrelated traces; NaN for fewer than three leads or 30 samples, or where nothing moves.
    """
    known = np.isfinite(traces).all(axis=0)
    if len(leads) < 3 or known.sum() < 30:
        return float("nan")
    x = traces[:, known] - traces[:, known].mean(axis=1, keepdims=True)
    weights = np.array([IN_I_AND_II[lead] for lead in leads])
    laws = np.linalg.svd(weights.T)[2][2:]  # each a combination of the leads that is zero at all times
    terms = np.sqrt((laws**2) @ (x**2).mean(axis=1))
    if terms.min() < 1e-6:
        return float("nan")
    return float(np.mean(np.sqrt(((laws @ x) ** 2).mean(axis=1)) / terms))
