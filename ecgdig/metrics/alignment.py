"""The two alignments that the competitions allow before they compare; both work on one lead."""

from __future__ import annotations

import numba
import numpy as np

from ecgdig.metrics.pairing import Array

KAGGLE_MAX_SHIFT_S = 0.2

CHALLENGE_LEVELS = 256
CHALLENGE_SIGMA_PX = 0.5
CHALLENGE_MAX_SHIFT_S = 0.5
CHALLENGE_MAX_SHIFT_MV = 1.0

_TIE = 1e-9  # correlations this close to the peak, relatively, are ties: the smallest shift wins


def shifted(lead_mv: Array, lag: int) -> Array:
    """`lead_mv` `(n_samples,)`, later by `lag` samples (earlier if negative); NaN where nothing moves in."""
    out = np.full_like(lead_mv, np.nan)
    n = lead_mv.size
    if abs(lag) < n:
        out[max(lag, 0) : n + min(lag, 0)] = lead_mv[max(-lag, 0) : n - max(lag, 0)]
    return out


def align_kaggle(reference_mv: Array, estimate_mv: Array, fs: float) -> Array:
    """The estimate, shifted in time and then vertically as the PhysioNet digitization competition 2025 does.

    Both leads, each less the mean of its own known samples and with 0 for the unknown ones, are correlated at every
    whole lag up to 0.2 s; the largest correlation wins, the smallest shift among ties (then the earlier one). The
    vertical shift is the mean difference over the samples that both then have.

    Args:
        reference_mv, estimate_mv: `(n_samples,)` in mV, NaN = not known.
        fs: sampling rate in Hz.
    """
    if not (np.isfinite(reference_mv).any() and np.isfinite(estimate_mv).any()):
        return estimate_mv
    max_lag = int(KAGGLE_MAX_SHIFT_S * fs + 1e-9)
    reference, estimate = _centred(reference_mv), _centred(estimate_mv)
    correlation = np.correlate(np.pad(reference, max_lag), estimate, mode="valid")  # (2 * max_lag + 1,)
    lags = np.arange(-max_lag, max_lag + 1)
    tie = _TIE * float(np.linalg.norm(reference) * np.linalg.norm(estimate))
    best = lags[correlation >= correlation.max() - tie]
    aligned = shifted(estimate_mv, int(best[np.argmin(np.abs(best))]))
    both = np.isfinite(reference_mv) & np.isfinite(aligned)
    return aligned + np.mean(reference_mv[both] - aligned[both]) if both.any() else aligned


def align_challenge(reference_mv: Array, estimate_mv: Array, fs: float) -> Array:
    """The estimate, shifted in time and amplitude as the PhysioNet Challenge 2024 does; see `challenge_shift`.

    The shift is used only where it is at most 0.5 s and at most 1 mV; else the estimate comes back as it is.
    """
    lag, offset_mv = challenge_shift(reference_mv, estimate_mv)
    if abs(lag) > CHALLENGE_MAX_SHIFT_S * fs or abs(offset_mv) > CHALLENGE_MAX_SHIFT_MV:
        return estimate_mv
    return shifted(estimate_mv, lag) + offset_mv


def challenge_shift(reference_mv: Array, estimate_mv: Array) -> tuple[int, float]:
    """The shift (samples, mV) that brings the estimate onto the reference, by 2-D correlation of their pictures.

    Both leads are drawn as rasters with one dot a sample and 256 levels between the smallest and the largest value
    of the two, smoothed by a Gaussian of 0.5 px cut at 2 px, and correlated at all shifts. Smoothing both rasters
    equals smoothing their correlation with the Gaussian's own autocorrelation, and the correlation of two dotted
    rasters is a count of sample pairs, so no raster is ever made and no FFT rounds. Public implementations reflect
    the smoothing at the raster's edge; here nothing is cut there. Ties go to the smallest time shift, then to the
    smallest amplitude shift, then to the negative one.

    Source: https://physionetchallenges.org/2024/ (scoring).
    """
    known_r, known_e = np.isfinite(reference_mv), np.isfinite(estimate_mv)
    if not (known_r.any() and known_e.any()):
        return 0, 0.0
    low = float(min(reference_mv[known_r].min(), estimate_mv[known_e].min()))
    high = float(max(reference_mv[known_r].max(), estimate_mv[known_e].max()))
    if high == low:
        return 0, 0.0
    used = np.flatnonzero(known_r | known_e)
    window = slice(int(used[0]), int(used[-1]) + 1)
    pairs = _count_pairs(_levels(reference_mv[window], low, high), _levels(estimate_mv[window], low, high))
    lag, level = _smoothed_peak(pairs)
    return lag, level * (high - low) / (CHALLENGE_LEVELS - 1)


def _centred(lead: Array) -> Array:
    return np.where(np.isfinite(lead), lead - np.nanmean(lead), 0.0)


def _levels(lead: Array, low: float, high: float) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """The raster row of every sample, `(n_samples,)`; -1 = not known."""
    row = np.round((CHALLENGE_LEVELS - 1) * (lead - low) / (high - low))
    return np.where(np.isfinite(lead), row, -1).astype(np.int32)


@numba.njit  # type: ignore[untyped-decorator, unused-ignore]  # no cache: it raises where nothing is writable
def _count_pairs(reference, estimate):  # type: ignore[no-untyped-def]
    """How many sample pairs lie (lag, level difference) apart: `(2 * n - 1, 511)`, zero shift in the middle."""
    n = reference.size
    counts = np.zeros((2 * n - 1, 2 * CHALLENGE_LEVELS - 1), np.int32)
    for lag in range(1 - n, n):
        row = counts[lag + n - 1]
        for t in range(max(0, -lag), min(n, n - lag)):
            if reference[t + lag] >= 0 and estimate[t] >= 0:
                row[reference[t + lag] - estimate[t] + CHALLENGE_LEVELS - 1] += 1
    return counts


def _smoothed_peak(pairs: np.ndarray[tuple[int, int], np.dtype[np.int32]]) -> tuple[int, int]:
    """Lag and level difference where the smoothed counts peak; rows that cannot hold the peak are not smoothed."""
    weights = _gaussian_autocorrelation()
    half = weights.size // 2
    bound = np.convolve(pairs.max(axis=1), weights)[half:-half]  # no value of the smoothed row exceeds it
    padded = np.pad(pairs, ((half, half), (0, 0)))
    middle_lag, middle_level = pairs.shape[0] // 2, pairs.shape[1] // 2
    peak, ties = 0.0, list[tuple[float, int, int]]()
    for i in np.argsort(-bound, kind="stable"):
        if bound[i] < peak * (1 - 2 * _TIE):
            break
        row = np.convolve(weights @ padded[i : i + weights.size], weights)[half:-half]
        peak = max(peak, float(row.max()))
        close = np.flatnonzero(row >= peak * (1 - _TIE))
        ties += [(float(row[j]), int(i) - middle_lag, int(j) - middle_level) for j in close]
    best = [(lag, level) for value, lag, level in ties if value >= peak * (1 - _TIE)]
    return min(best, key=lambda shift: (abs(shift[0]), abs(shift[1]), shift))


def _gaussian_autocorrelation() -> Array:
    radius = int(4 * CHALLENGE_SIGMA_PX + 0.5)
    gaussian = np.exp(-0.5 * (np.arange(-radius, radius + 1) / CHALLENGE_SIGMA_PX) ** 2)
    gaussian /= gaussian.sum()
    return np.convolve(gaussian, gaussian)
