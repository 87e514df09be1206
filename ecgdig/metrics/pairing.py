"""Bringing a reference and an estimate to one shape, and one metric to every lead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def paired(reference_mv: ArrayLike, estimate_mv: ArrayLike) -> tuple[Array, Array]:
    """Float64 copies of both, each with the shape of the reference; NaN wherever a sample is not known.

    Args:
        reference_mv: `(n_samples,)` or `(n_leads, n_samples)` in mV, NaN = not scored.
        estimate_mv: the same leads in mV. Samples beyond the end of the reference are cut; samples missing at
            the end become NaN.

    Raises:
        ValueError: more than two dimensions, or not the same leads.
    """
    reference, estimate = _known(reference_mv), _known(estimate_mv)
    if reference.ndim not in (1, 2) or reference.shape[:-1] != estimate.shape[:-1]:
        raise ValueError(
            f"reference of shape {reference.shape} and estimate of shape {estimate.shape}; "
            "want (n_samples,) or (n_leads, n_samples) for both, with the same number of leads"
        )
    fitted = np.full_like(reference, np.nan)
    n = min(reference.shape[-1], estimate.shape[-1])
    fitted[..., :n] = estimate[..., :n]
    return reference, fitted


def per_lead(metric: Callable[[Array, Array], float], reference_mv: ArrayLike, estimate_mv: ArrayLike) -> Any:
    """`metric(reference, estimate)` of every lead: `(n_leads,)`, or one number for `(n_samples,)`.

    A lead whose reference is NaN throughout is not scored: NaN.
    """
    reference, estimate = paired(reference_mv, estimate_mv)
    leads = zip(np.atleast_2d(reference), np.atleast_2d(estimate), strict=True)
    values = [metric(r, e) if np.isfinite(r).any() else np.nan for r, e in leads]
    return np.array(values) if reference.ndim == 2 else float(values[0])


def _known(values: ArrayLike) -> Array:
    array = np.array(values, dtype=np.float64)
    array[~np.isfinite(array)] = np.nan
    return array
