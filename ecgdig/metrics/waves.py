"""QRS duration and QT interval of the median beat of a lead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgdig.metrics.pairing import Array

_BEFORE_S, _AFTER_RR = 0.25, 0.8  # what of a beat is looked at: before its QRS complex, and after it in RR intervals
_JITTER_S = 0.03  # the detector's places are moved by up to this, so that complexes lie on each other
_KNOWN = 0.95  # a beat of which less is known takes no part
_SMOOTH_S = 0.012
_QUIET_S = 0.016  # QRS ends where the slope stays small for this long ...
_QUIET_SLOPE = 0.08  # ... below this share of its steepest
_QRS_HALF_S = 0.12  # it reaches this far from its steepest place at most
_T_WINDOW_S, _T_LEVEL_S = 0.128, 0.016  # Zhang's W and p
_T_AFTER_S, _T_AFTER_RR, _T_UNTIL_S, _T_UNTIL_RR = 0.148, 0.15, -0.036, 0.7  # where T may end after R, as Zhang has it
_BIPHASIC = 6.0  # Zhang's lambda: areas of both signs, alike within this factor, are those of two waves
_FLAT_MV = 0.02  # a T wave lower than this, in the mean of the window, has no end


@dataclass(frozen=True)
class BeatIntervals:
    """Of the median beat of a lead, in s; NaN where it has none or it cannot be seen."""

    qrs_s: float
    qt_s: float


NO_INTERVALS = BeatIntervals(float("nan"), float("nan"))


def beat_intervals(lead: Array, beats: NDArray[np.int64], rr_s: float, fs: float) -> BeatIntervals:
    """QRS duration and QT interval.

    QRS reaches as far as the slope is steep. The T wave ends where the area of the signal above its end is largest:
    Zhang et al. 2006, IEEE Trans Biomed Eng 53(12):2544, https://doi.org/10.1109/TBME.2006.884644.

    Args:
        lead: `(n_samples,)` in mV, NaN = not known.
        beats: samples of its QRS complexes.
        rr_s: mean RR interval, which says how far from QRS the T wave is sought.
        fs: sampling rate in Hz.
    """
    beat = _median_beat(lead, beats, rr_s, fs) if np.isfinite(rr_s) else None
    if beat is None:
        return NO_INTERVALS
    beat, place = _smooth(beat, _SMOOTH_S * fs), round(_BEFORE_S * fs)
    begin, end = _qrs(beat, place, fs)
    t_end = _t_end(beat, place, rr_s, fs)
    return BeatIntervals((end - begin) / fs, (t_end - begin) / fs)


def _median_beat(lead: Array, beats: NDArray[np.int64], rr_s: float, fs: float) -> Array | None:
    """The beats laid on each other by their QRS complexes; None without one that is known as a whole."""
    before, after, jitter = (round(seconds * fs) for seconds in (_BEFORE_S, _AFTER_RR * rr_s, _JITTER_S))
    known = np.isfinite(lead)
    whole = [
        b for b in beats
        if b >= before + jitter and b + after + jitter <= lead.size and known[b - before : b + after].mean() >= _KNOWN
    ]  # fmt: skip
    if not whole:
        return None
    filled = np.interp(np.arange(lead.size), np.flatnonzero(known), lead[known])
    complexes = slice(before - 2 * jitter, before + 2 * jitter)
    model = np.median([filled[b - before : b + after][complexes] for b in whole], axis=0)
    model -= model.mean()

    def fits(b: int) -> float:
        here = filled[b - before : b + after][complexes]
        return float(((here - here.mean() - model) ** 2).sum())

    placed = [min(range(b - jitter, b + jitter + 1), key=fits) for b in whole]
    beat: Array = np.median([filled[b - before : b + after] for b in placed], axis=0)
    return beat


def _qrs(beat: Array, place: int, fs: float) -> tuple[int, int]:
    """First and last sample of the complex near `place`."""
    slope = np.abs(np.gradient(beat))
    near = slice(max(place - round(_QRS_HALF_S / 2 * fs), 0), place + round(_QRS_HALF_S / 2 * fs))
    steepest = near.start + int(np.argmax(slope[near]))
    quiet, reach = max(round(_QUIET_S * fs), 1), round(_QRS_HALF_S * fs)
    steep = slope > _QUIET_SLOPE * slope[steepest]

    def edge(way: int) -> int:
        last = steepest
        for i in range(steepest, steepest + way * reach, way):
            if not 0 <= i < beat.size or abs(i - last) >= quiet:
                break
            last = i if steep[i] else last
        return last

    return edge(-1), edge(1)


def _t_end(beat: Array, place: int, rr_s: float, fs: float) -> float:
    """Sample at which the T wave after the complex at `place` ends; NaN where none can be seen."""
    window, level = round(_T_WINDOW_S * fs), max(round(_T_LEVEL_S * fs), 1)
    first = place + round((_T_AFTER_S + _T_AFTER_RR * rr_s) * fs)
    last = min(place + round((_T_UNTIL_S + _T_UNTIL_RR * rr_s) * fs), beat.size - level - 1)
    ends = np.arange(first, last)
    if ends.size < 3:
        return float("nan")
    total = np.concatenate([[0.0], np.cumsum(beat)])
    levels = (total[ends + level + 1] - total[ends - level]) / (2 * level + 1)
    areas = (total[ends + 1] - total[ends + 1 - window]) / window - levels  # mean height above the end, mV
    up, down = int(np.argmax(areas)), int(np.argmin(areas))
    tallest = max(areas[up], -areas[down])
    both = min(areas[up], -areas[down]) * _BIPHASIC > tallest
    at = max(up, down) if both else (up if areas[up] > -areas[down] else down)
    seen = tallest >= _FLAT_MV and 0 < at < ends.size - 1  # at an edge it may go on beyond
    return float(ends[at]) if seen else float("nan")


def _smooth(lead: Array, width: float) -> Array:
    half = max(round(width / 2), 0)
    padded = np.pad(lead, half, mode="edge")
    smooth: Array = np.convolve(padded, np.full(2 * half + 1, 1 / (2 * half + 1)), mode="valid")
    return smooth
