"""Whether a reading can be an ECG: what holds for every heart, lead system and page, checked on the result.

A network follows any curve with confidence, text and music included, so its error bars cannot tell that a picture is no
ECG. These checks need no truth. Measured: synchrony 0.85 to 0.99 on good readings of rendered pages, below 0.05 on
text, sine waves and share prices drawn on ECG paper; misfit of Einthoven's law 0.01 to 0.17 against 1.3 to 1.9.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from ecgdig.page.layout import Layout, Segment
from ecgdig.recording import Recording
from ecgdig.vectorize import RowReading

Signal = NDArray[np.float64]

LEAST_OVERLAP_S = 0.8  # of leads that are compared
MOST_MISFIT = 0.6
LEAST_TWIN = 0.7
LARGEST_MV, SMALLEST_MV = 15.0, 0.1  # peak to peak
LEAST_SYNCHRONY = 0.3
LEAST_CREST = 2.0
BEATS_PER_MIN = (15.0, 350.0)
LEAST_COVERAGE = 0.6
MOST_SPREAD_MM = 0.6
LEAST_PRINTED_S, LEAST_COLUMN_S = 2.0, 1.1  # 250 mm at 50 mm/s in four columns: 1.25 s
_SLOPE_S, _ACTIVITY_S = 0.006, 0.03  # Gaussian sigmas
# sums of leads that are zero at all times: Einthoven 1912, Goldberger 1942
LAWS = (
    ("II = I + III", {"I": 1.0, "III": 1.0, "II": -1.0}),
    ("aVR + aVL + aVF = 0", {"aVR": 1.0, "aVL": 1.0, "aVF": 1.0}),
    ("aVR = -(I + II) / 2", {"aVR": 1.0, "I": 0.5, "II": 0.5}),
)


def doubts_about(recording: Recording, layout: Layout, rows: tuple[RowReading, ...]) -> tuple[str, ...]:
    """Why a reading as a whole is not to be trusted, in words; empty if it may be an ECG.

    Args:
        recording: on the page's common time axis.
        layout, rows: what it was made from.
    """
    return (*_extent(recording, layout, rows), *_laws(recording), *_twins(layout, rows), *_beats(recording))


def misfit(recording: Recording, weights: dict[str, float]) -> float:
    """Rms of a weighted sum of leads that should be zero over the rms of its terms, means removed; NaN if not known.

    Leads are compared where all of them are known, for `LEAST_OVERLAP_S` at least. Unrelated leads give 1.
    """
    if not set(weights) <= set(recording.leads):
        return float("nan")
    terms = np.stack([w * recording.lead(lead).astype(np.float64) for lead, w in weights.items()])
    known = np.isfinite(terms).all(axis=0)
    if known.sum() < LEAST_OVERLAP_S * recording.fs:
        return float("nan")
    terms = terms[:, known] - terms[:, known].mean(axis=1, keepdims=True)
    power = float((terms**2).sum(axis=0).mean())
    return float(np.sqrt((terms.sum(axis=0) ** 2).mean() / max(power, 1e-6)))


def synchrony(recording: Recording) -> float:
    """Median correlation of the activity of leads over the time at which two are known; NaN where none overlap."""
    activity = _activities(recording)
    values = []
    for a, b in combinations(activity, 2):
        both = np.isfinite(a) & np.isfinite(b)
        if both.sum() >= LEAST_OVERLAP_S * recording.fs and a[both].std() > 0 and b[both].std() > 0:
            values.append(float(np.corrcoef(a[both], b[both])[0, 1]))
    return float(np.median(values)) if values else float("nan")


def crest(recording: Recording) -> float:
    """How much the activity of QRS complexes stands out: its 97th percentile over its median, median over the leads."""
    values = []
    for activity in _activities(recording):
        known = activity[np.isfinite(activity)]
        if known.size >= LEAST_OVERLAP_S * recording.fs:
            values.append(float(np.percentile(known, 97) / max(np.median(known), 1e-9)))
    return float(np.median(values)) if values else float("nan")


def beats_per_min(recording: Recording) -> float:
    """Bursts of activity of all leads together, a minute of what is known; NaN if that is less than 2 s."""
    activity = np.stack(_activities(recording))
    known = np.isfinite(activity).any(axis=0)
    if known.sum() < 2 * recording.fs:
        return float("nan")
    scale = np.nanmax(np.where(np.isfinite(activity), activity, 0), axis=1, keepdims=True)
    together = np.nan_to_num(activity / np.maximum(scale, 1e-9)).sum(axis=0) / np.maximum(
        np.isfinite(activity).sum(axis=0), 1
    )
    height = 0.35 * float(np.percentile(together[known], 99))
    peaks, _ = find_peaks(together, height=height, prominence=0.6 * height, distance=round(0.15 * recording.fs))
    return float(60.0 * len(peaks) / (known.sum() / recording.fs))


def _activities(recording: Recording) -> list[Signal]:
    """Smoothed steepness of each lead in mV/s, NaN where it is not known."""
    found = []
    for lead in recording.signal_mv.astype(np.float64):
        known = np.flatnonzero(np.isfinite(lead))
        activity = np.full(lead.shape, np.nan)
        if known.size > 2:
            filled = np.interp(np.arange(lead.size), known, lead[known])
            slope = np.gradient(gaussian_filter1d(filled, _SLOPE_S * recording.fs)) * recording.fs
            activity[known] = gaussian_filter1d(np.abs(slope), _ACTIVITY_S * recording.fs)[known]
        found.append(activity)
    return found


def _extent(recording: Recording, layout: Layout, rows: tuple[RowReading, ...]) -> Iterator[str]:
    """Too little, too short, too large, too small, too uncertain."""
    printed = sum(s.duration_s for s in layout.segments) * recording.fs
    read = float(np.isfinite(recording.signal_mv).sum()) / max(printed, 1.0)
    repeated = len(layout.segments) / len({s.lead for s in layout.segments})
    if read * repeated < LEAST_COVERAGE:
        yield f"only {read * repeated:.0%} of what the layout prints could be read"
    shortest = min(s.duration_s for s in layout.segments)
    if layout.duration_s < LEAST_PRINTED_S or shortest < LEAST_COLUMN_S:
        yield f"{shortest:.1f} s a lead are less than a cart prints: the page is cut, or the layout or speed is wrong"
    known = [lead[np.isfinite(lead)] for lead in recording.signal_mv]
    ranges = [float(np.ptp(np.percentile(lead, [0.1, 99.9]))) for lead in known if lead.size > 10]
    if ranges and max(ranges) > LARGEST_MV:
        yield f"{max(ranges):.0f} mV from lowest to highest are more than a heart gives: the gain or scale is wrong"
    if ranges and max(ranges) < SMALLEST_MV:
        yield "all leads are nearly flat: these may be lines of the grid or frame"
    spread = np.concatenate([row.spread_mm for row in rows])
    spread = spread[np.isfinite(spread)]
    if not spread.size or spread.mean() > MOST_SPREAD_MM:
        yield "the network is unsure along most of the rows: these may be no traces"


def _laws(recording: Recording) -> Iterator[str]:
    for law, weights in LAWS:
        size = misfit(recording, weights)
        if size > MOST_MISFIT:
            yield f"{law} does not hold (off by {size:.0%}): a limb lead is misread, or the leads are wrongly named"


def _twins(layout: Layout, rows: tuple[RowReading, ...]) -> Iterator[str]:
    """A lead printed twice must be the same curve twice."""
    for a, b in combinations(layout.segments, 2):
        if a.lead == b.lead and a.row != b.row:
            alike = _likeness(a, b, rows)
            if alike < LEAST_TWIN:
                yield f"{a.lead} is printed twice, but the two differ (correlation {alike:.2f}): wrong layout or names"


def _likeness(a: Segment, b: Segment, rows: tuple[RowReading, ...]) -> float:
    """Correlation of two segments over the time that both print; NaN if that is too short or not read."""
    start, end = max(a.start_s, b.start_s) + 0.05, min(a.start_s + a.duration_s, b.start_s + b.duration_s) - 0.05
    if end - start < LEAST_OVERLAP_S:
        return float("nan")
    time = np.arange(start, end, 0.004)
    both = np.stack([np.interp(s.x_of(time), rows[s.row].x_mm, rows[s.row].y_mm) for s in (a, b)])
    both = both[:, np.isfinite(both).all(axis=0)]
    if both.shape[1] < 0.5 * time.size or both.std(axis=1).min() < 1e-6:
        return float("nan")
    return float(np.corrcoef(both[0], both[1])[0, 1])


def _beats(recording: Recording) -> Iterator[str]:
    """Complexes that stand out, in all leads at once, at a rate that hearts have."""
    together, stands_out, rate = synchrony(recording), crest(recording), beats_per_min(recording)
    if together < LEAST_SYNCHRONY:
        yield "the leads do not beat together: these may be no ECG traces, or the rows are not simultaneous"
    if stands_out < LEAST_CREST:
        yield "no QRS complexes stand out: these may be no ECG traces"
    elif not np.isnan(rate) and not BEATS_PER_MIN[0] <= rate <= BEATS_PER_MIN[1]:
        yield f"{rate:.0f} beats a minute: these may be no ECG traces, or the paper speed is wrong"
