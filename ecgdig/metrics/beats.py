"""Do the beats agree? QRS complexes, RR, QRS and QT intervals of reference and estimate, found by the same detector."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgdig.metrics.pairing import Array, paired
from ecgdig.metrics.waves import beat_intervals

MATCH_WINDOW_S = 0.15  # ANSI/AAMI EC57: a beat within 150 ms of the reference's is the same beat
MIN_DURATION_S = 1.0  # the detector's filters need this much; shorter leads have no beats
MIN_FS = 50.0  # Hz; its band-pass ends at 20 Hz; slower leads have no beats


@dataclass(frozen=True)
class BeatAgreement:
    """Agreement of the QRS complexes of one lead; NaN where the beats do not suffice.

    Attributes:
        sensitivity: share of the reference's beats that the estimate has.
        precision: share of the estimate's beats that the reference has; 0 where it has none but should.
        rr_error_s: mean absolute difference of the RR intervals between neighbouring beats matched in both.
        heart_rate_error_bpm: estimate less reference, each 60 / mean RR interval.
        qrs_duration_error_s, qt_error_s: absolute difference of QRS duration and QT interval of the median beats.
        n_reference, n_estimate: beats found.
    """

    sensitivity: float
    precision: float
    rr_error_s: float
    heart_rate_error_bpm: float
    qrs_duration_error_s: float
    qt_error_s: float
    n_reference: int
    n_estimate: int


def beat_agreement(reference_mv: ArrayLike, estimate_mv: ArrayLike, fs: float) -> BeatAgreement:
    """Compares the beats that XQRS (`wfdb.processing`) finds in a lead and in its estimate.

    Only the stretch from the first to the last scored sample counts. Gaps are bridged by straight lines, so a beat
    lost in a gap is a beat missed. Beats within 150 ms of each other are matched, nearest first.

    Args:
        reference_mv, estimate_mv: one lead each, `(n_samples,)` in mV, NaN = not known.
        fs: sampling rate of both in Hz.

    Raises:
        ValueError: arrays with more than one dimension.
    """
    reference, estimate = paired(reference_mv, estimate_mv)
    if reference.ndim != 1:
        raise ValueError(f"reference of shape {reference.shape}; beats are compared one lead at a time: (n_samples,)")
    scored = np.flatnonzero(np.isfinite(reference))
    window = slice(int(scored[0]), int(scored[-1]) + 1) if scored.size else slice(0)
    beats_r, beats_e = _find_beats(reference[window], fs), _find_beats(estimate[window], fs)
    matches = _match(beats_r, beats_e, MATCH_WINDOW_S * fs)
    neighbours = [(a, b) for a, b in pairwise(matches) if b[0] == a[0] + 1 and b[1] == a[1] + 1]
    rr_errors = [
        abs(float(beats_r[b[0]] - beats_r[a[0]]) - float(beats_e[b[1]] - beats_e[a[1]])) / fs for a, b in neighbours
    ]
    rr_s = float(np.mean(np.diff(beats_r))) / fs if beats_r.size > 1 else float("nan")
    of_r, of_e = (
        beat_intervals(lead[window], beats, rr_s, fs) for lead, beats in ((reference, beats_r), (estimate, beats_e))
    )
    return BeatAgreement(
        sensitivity=len(matches) / beats_r.size if beats_r.size else float("nan"),
        precision=len(matches) / beats_e.size if beats_e.size else (0.0 if beats_r.size else float("nan")),
        rr_error_s=float(np.mean(rr_errors)) if rr_errors else float("nan"),
        heart_rate_error_bpm=_heart_rate_bpm(beats_e, fs) - _heart_rate_bpm(beats_r, fs),
        qrs_duration_error_s=abs(of_e.qrs_s - of_r.qrs_s),
        qt_error_s=abs(of_e.qt_s - of_r.qt_s),
        n_reference=beats_r.size,
        n_estimate=beats_e.size,
    )


def _find_beats(lead: Array, fs: float) -> NDArray[np.int64]:
    """Samples of the QRS complexes, ascending."""
    known = np.isfinite(lead)
    if fs < MIN_FS or known.sum() < MIN_DURATION_S * fs or np.ptp(lead[known]) == 0:
        return np.zeros(0, np.int64)
    from wfdb.processing import XQRS  # takes 2 s to import (pandas, aiohttp): only where it is needed

    position = np.arange(lead.size)
    detector = XQRS(sig=np.interp(position, position[known], lead[known]), fs=fs)
    detector.detect(verbose=False)
    return np.sort(np.asarray(detector.qrs_inds, np.int64))


def _match(reference: NDArray[np.int64], estimate: NDArray[np.int64], window: float) -> list[tuple[int, int]]:
    """Index pairs of the beats that match, each beat once, the closest pairs first; ordered in time."""
    distance = np.abs(reference[:, None] - estimate[None, :])
    pairs = sorted((int(distance[i, j]), int(i), int(j)) for i, j in np.argwhere(distance <= window))
    matches: dict[int, int] = {}
    for _, i, j in pairs:
        if i not in matches and j not in matches.values():
            matches[i] = j
    return sorted(matches.items())


def _heart_rate_bpm(beats: NDArray[np.int64], fs: float) -> float:
    return 60 * fs / float(np.mean(np.diff(beats))) if beats.size > 1 else float("nan")
