"""Signal-to-noise ratios in dB: plain, as the PhysioNet Challenge 2024 and as the competition of 2025 count.

Everywhere: NaN in the reference = not printed = not scored; NaN in the estimate = not read; a longer estimate is cut,
a shorter one is missing at its end. No value is floored: an estimate worse than a straight line is negative.
An estimate equal to the reference gives +inf, one with no known sample 0 dB (whatever the reference), and a
reference without power that is not met exactly 0 dB. A lead (or page) without reference samples gives NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ecgdig.metrics.alignment import align_challenge, align_kaggle
from ecgdig.metrics.pairing import Array, paired, per_lead

IDENTICAL_MV = 1e-9  # an RMS below this is rounding: far below the 1e-3 mV step of clinical recorders


def snr_db(reference_mv: ArrayLike, estimate_mv: ArrayLike) -> Any:
    """Plain SNR of each lead: 10 log10(Σr² / Σ(r-e)²) over the scored samples, without any alignment.

    The mean of r over the scored samples and that of e over those of them it has are removed first; where e is
    missing it then counts as 0.

    Args:
        reference_mv, estimate_mv: `(n_samples,)` or `(n_leads, n_samples)` in mV, at the same rate.

    Returns:
        a float for one lead, else `(n_leads,)`, in dB.
    """
    return per_lead(lambda r, e: _power_ratio_db(*_plain_powers(r, e)), reference_mv, estimate_mv)


def snr_page_db(reference_mv: ArrayLike, estimate_mv: ArrayLike) -> float:
    """Plain SNR of a whole page: as `snr_db`, signal and noise each summed over the leads before dividing."""
    reference, estimate = (np.atleast_2d(signal) for signal in paired(reference_mv, estimate_mv))
    return _pooled_db([_plain_powers(r, e) for r, e in zip(reference, estimate, strict=True)])


def snr_challenge_db(reference_mv: ArrayLike, estimate_mv: ArrayLike, fs: float) -> Any:
    """SNR of each lead by the rule of the PhysioNet Challenge 2024.

    After `align_challenge`: 10 log10(mean r² / mean (r-e)²) over the samples finite in both, times the share of scored
    samples that e then has. Means are not removed. The share also shrinks a negative value, as in the Challenge.

    Args:
        reference_mv, estimate_mv: `(n_samples,)` or `(n_leads, n_samples)` in mV.
        fs: sampling rate of both in Hz.

    Returns:
        a float for one lead, else `(n_leads,)`, in dB. The Challenge averages over leads, then over records.

    Source: https://physionetchallenges.org/2024/ (scoring).
    """
    return per_lead(lambda r, e: _challenge_lead_db(r, align_challenge(r, e, fs)), reference_mv, estimate_mv)


def snr_kaggle_db(reference_mv: ArrayLike, estimate_mv: ArrayLike, fs: float) -> float:
    """SNR of one record by the rule of the PhysioNet digitization competition 2025 on Kaggle.

    Each lead is aligned by `align_kaggle`; then 10 log10(Σr² / Σ(r-e)²) with both sums over all scored samples of all
    leads. r is taken as it is (its mean stays in Σr²), and e is 0 mV where it is missing after the alignment, which
    includes what the time shift moved in.

    Args:
        reference_mv, estimate_mv: `(n_samples,)` or `(n_leads, n_samples)` in mV.
        fs: sampling rate of both in Hz.

    Source: https://www.kaggle.com/code/metric/physionet-ecg-signal-extraction-metric
    """
    reference, estimate = (np.atleast_2d(signal) for signal in paired(reference_mv, estimate_mv))
    return _pooled_db([_kaggle_powers(r, e, fs) for r, e in zip(reference, estimate, strict=True)])


# Powers of one lead: (Σ signal², Σ noise², scored samples, of them known in the estimate)
_Powers = tuple[float, float, int, int]


def _plain_powers(reference: Array, estimate: Array) -> _Powers:
    scored = np.isfinite(reference)
    r, e = reference[scored], estimate[scored]
    known = np.isfinite(e)
    if r.size:
        r = r - r.mean()
    if known.any():
        e = e - e[known].mean()
    return _sum_squares(r, np.where(known, e, 0.0), known)


def _kaggle_powers(reference: Array, estimate: Array, fs: float) -> _Powers:
    scored = np.isfinite(reference)
    e = align_kaggle(reference, estimate, fs)[scored]
    known = np.isfinite(e)
    return _sum_squares(reference[scored], np.where(known, e, 0.0), known)


def _sum_squares(r: Array, e: Array, known: np.ndarray[Any, np.dtype[np.bool_]]) -> _Powers:
    return float(np.sum(r**2)), float(np.sum((r - e) ** 2)), r.size, int(known.sum())


def _challenge_lead_db(reference: Array, aligned: Array) -> float:
    scored = np.isfinite(reference)
    known = scored & np.isfinite(aligned)
    r, e = reference[known], aligned[known]
    powers = _sum_squares(r, e, np.ones(r.size, bool))
    return 0.0 if not r.size else _power_ratio_db(*powers) * r.size / int(scored.sum())


def _pooled_db(leads: list[_Powers]) -> float:
    signal, noise, scored, known = (sum(values) for values in zip(*leads, strict=True))
    return _power_ratio_db(signal, noise, int(scored), int(known)) if scored else float("nan")


def _power_ratio_db(signal: float, noise: float, scored: int, known: int) -> float:
    rounding = scored * IDENTICAL_MV**2
    if not known:
        return 0.0
    if noise <= rounding:
        return float("inf")
    return 10 * float(np.log10(signal / noise)) if signal > rounding else 0.0
