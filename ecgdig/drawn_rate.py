"""Pages drawn from few samples a second: the kinks of their ink give the samples back.

Much is printed from recordings of 100 Hz (PTB-XL has a version of each), as straight lines from sample to sample. Such
ink has a kink every 10 ms (0.25 mm at 25 mm/s), and reading it as it stands loses what the heart did in between: on
PTB-XL no more than about 20 dB can be had of straight lines, 25 and more of a smooth curve through the same samples.
So where a reading is bent in that rhythm, its samples are fitted and a smooth curve is laid through them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.linalg import solveh_banded

from ecgdig.page.layout import Layout, Segment
from ecgdig.vectorize import RowReading

Array = NDArray[np.float64]

DRAWN_HZ = 100.0  # slower recordings are not printed, faster ones show no kinks
_STEPS = 16  # places a sample interval at which the bend is looked at
_HZ = DRAWN_HZ * _STEPS
_PERIODS = 1000  # spectra are of so many sample intervals, or a multiple: the usual page's 10 s
_NEIGHBOURHOOD = 0.2  # rhythms this much faster and slower say how strong chance is
_CLOSE = 0.02  # nearer to the rate they may be the rhythm itself
_LEAST_SUPPORT = 4.0  # times the median of that neighbourhood; chance alone reaches it once in 2,000 pages
# of straight lines at this rate over those at twice the rate; 2.5 to 10.4 if it is right, else 9.4 to 25
_MOST_MISFIT = 12.0
_SHIFTS_S = np.arange(-8, 9) / (16 * DRAWN_HZ)  # where the samples are looked for, half an interval either way
_CLEARLY_BETTER = 1.45  # the kinks of thick pens seem half an interval off; lines that fit little better mean nothing
_MOST_BEND = 0.98  # quantile; QRS complexes are cut off here, or a few of them would decide
_BESIDE_S = 0.02  # what is left out beside the ends of a segment
_LEAST_COLUMNS, _LEAST_CURVE_S = 50, 0.2  # of one segment
_MOST_OFF = 0.995  # quantile of what columns differ from the lines
_LEAST_S = 2.0  # of ink for an answer
_FLOOR_MM = 0.03  # error of one column, beside its spread
_STIFFNESS = 1e-3  # how much the second differences of samples weigh against the columns: for gaps


@dataclass(frozen=True)
class DrawnRate:
    """The rhythm of a page's kinks.

    Attributes:
        fs: samples a second.
        shift_s: how much later than at whole intervals of the layout's time axis the samples are; 0 if that is unclear.
        support: how many times stronger than chance the rhythm is.
    """

    fs: float
    shift_s: float
    support: float


def drawn_rate(rows: Sequence[RowReading], layout: Layout) -> DrawnRate | None:
    """Whether the traces are straight lines between samples at `DRAWN_HZ`; None if they show no such rhythm.

    Args:
        rows: the reading of each row of the layout.
    """
    first, bends = [], []
    half = _STEPS // 2  # a straight line between samples has no bend over half an interval but at its ends
    for segment in layout.segments:
        row = rows[segment.row]
        inside = _inside(row, segment)
        if inside.sum() < _LEAST_COLUMNS:
            continue
        time, mm = segment.time_of(row.x_mm[inside]), row.y_mm[inside]
        if time[-1] - time[0] < _LEAST_CURVE_S:
            continue
        steps = np.arange(np.ceil(time[0] * _HZ), np.floor(time[-1] * _HZ) + 1)  # the same places in every row
        y = np.interp(steps / _HZ, time, mm)
        first.append(int(steps[half]))
        bends.append(np.abs(y[2 * half :] - 2 * y[half:-half] + y[: -2 * half]))
    if sum(bend.size for bend in bends) < _LEAST_S * _HZ:
        return None
    together = np.concatenate(bends)
    most = float(np.quantile(together, _MOST_BEND))
    mean = float(np.minimum(together, most).mean())
    last = max(start + bend.size for start, bend in zip(first, bends, strict=True))
    total = np.zeros(_PERIODS * _STEPS * -(-last // (_PERIODS * _STEPS)))
    for start, bend in zip(first, bends, strict=True):
        total[start : start + bend.size] += np.minimum(bend, most) - mean
    wave = np.fft.rfft(total)
    rhythm = np.fft.rfftfreq(total.size, 1 / _HZ) / DRAWN_HZ
    away = np.abs(rhythm - 1)
    chance = float(np.median(np.abs(wave[(away > _CLOSE) & (away < _NEIGHBOURHOOD)])))
    own = wave[int(np.argmin(away))]
    support = float(np.abs(own) / max(chance, 1e-12))
    if support < _LEAST_SUPPORT:
        return None
    misfits = np.array([_misfit(rows, layout, DRAWN_HZ, shift) for shift in _SHIFTS_S])
    best = int(np.argmin(misfits))
    near = _SHIFTS_S[max(best - 1, 0) : best + 2]
    if misfits[best] > _MOST_MISFIT * min(_misfit(rows, layout, 2 * DRAWN_HZ, shift) for shift in near):
        return None
    unclear = misfits[len(_SHIFTS_S) // 2] < _CLEARLY_BETTER * misfits[best]
    return DrawnRate(DRAWN_HZ, 0.0 if unclear else float(_SHIFTS_S[best]), support)


def _misfit(rows: Sequence[RowReading], layout: Layout, fs: float, shift_s: float) -> float:
    """Weighted squares of what the readings differ from straight lines between samples; the worst columns cut off."""
    total = 0.0
    for segment in layout.segments:
        row = rows[segment.row]
        inside = _inside(row, segment)
        if inside.sum() < _LEAST_COLUMNS:
            continue
        time, mm, weight = segment.time_of(row.x_mm[inside]), row.y_mm[inside], _weight(row.spread_mm[inside])
        start = _first_sample(float(time[0]), fs, shift_s)
        samples = fit_samples(time, mm, weight, start, fs)
        off = weight * (mm - np.interp(time, start + np.arange(samples.size) / fs, samples)) ** 2
        total += float(np.minimum(off, np.quantile(off, _MOST_OFF)).sum())
    return total


def through_samples(rows: Sequence[RowReading], layout: Layout, rate: DrawnRate) -> tuple[RowReading, ...]:
    """The readings with each segment replaced by a smooth curve through the samples it was drawn from.

    Columns that were not read stay NaN; columns outside all segments stay as they are.
    """
    out = []
    for r, row in enumerate(rows):
        y = row.y_mm.copy()
        for segment in layout.row(r):
            inside = (row.x_mm >= segment.x_mm) & (row.x_mm < segment.end_mm) & np.isfinite(row.y_mm)
            if inside.sum() < _LEAST_COLUMNS:
                continue
            time = segment.time_of(row.x_mm[inside])
            start = _first_sample(float(time[0]), rate.fs, rate.shift_s)
            samples = fit_samples(time, row.y_mm[inside], _weight(row.spread_mm[inside]), start, rate.fs)
            y[inside] = CubicSpline(start + np.arange(samples.size) / rate.fs, samples)(time)
        out.append(RowReading(row.x_mm, y, row.spread_mm, row.present))
    return tuple(out)


def _weight(spread_mm: Array) -> Array:
    return 1 / (np.nan_to_num(spread_mm, nan=1.0) ** 2 + _FLOOR_MM**2)


def _first_sample(time: float, fs: float, shift_s: float) -> float:
    """Time of the last sample not after `time`."""
    return float(np.floor((time - shift_s) * fs + 1e-9) / fs + shift_s)


def fit_samples(time: Array, value: Array, weight: Array, start: float, fs: float) -> Array:
    """The samples whose straight connections pass nearest to the values, by weighted least squares.

    Args:
        time: s, increasing, `(n,)`; value, weight: `(n,)`.
        start: time of the first sample, not after `time[0]`; fs: samples a second.

    Returns:
        `(m,)`, up to the first sample not before `time[-1]`. Samples without values around them go on straight.
    """
    place = (time - start) * fs
    first = np.floor(place).astype(np.int64)
    after = place - first
    n = int(first.max()) + 2
    weight = weight / np.median(weight)
    band = np.zeros((3, n))  # diagonal, and the two beside it
    np.add.at(band[0], first, weight * (1 - after) ** 2)
    np.add.at(band[0], first + 1, weight * after**2)
    np.add.at(band[1], first, weight * after * (1 - after))
    right = np.zeros(n)
    np.add.at(right, first, weight * (1 - after) * value)
    np.add.at(right, first + 1, weight * after * value)
    for a, x in enumerate((1.0, -2.0, 1.0)):
        for b, z in enumerate((1.0, -2.0, 1.0)):
            if b >= a:
                band[b - a, a : a + n - 2] += _STIFFNESS * x * z
    solution: Array = solveh_banded(band, right, lower=True)
    return solution


def _inside(row: RowReading, segment: Segment) -> NDArray[np.bool_]:
    """The columns of a segment that were read, its ends left out."""
    time = segment.time_of(row.x_mm)
    end = segment.start_s + segment.duration_s
    return (time > segment.start_s + _BESIDE_S) & (time < end - _BESIDE_S) & np.isfinite(row.y_mm)
