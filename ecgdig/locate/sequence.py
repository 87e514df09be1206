"""Whether the columns of a page follow each other in time, as on most, or all begin at the same moment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from ecgdig.locate.ink import INK_PX_PER_MM
from ecgdig.locate.rows import Rows
from ecgdig.page.plan import LeadPlan

Array = NDArray[np.float64]

_SMOOTH_S = 0.015
_SAME_S = 0.014  # beats of simultaneous columns agree this well
_NEARLY = 0.06
_ALIKE = 0.6  # correlation of the activity of simultaneous columns
_TWIN, _TWIN_MARGIN = 0.7, 0.3  # correlation of a strip with the lead that it repeats, and beyond the other place's
_STRIP_MARGIN = 0.2  # by which a strip must agree better with the columns set to its start
_OFF_BEAT = 0.08  # share of the RR interval by which the beat across a seam must be off


def begin_together(rows: Rows, plan: LeadPlan, start_mm: float, column_mm: float, speed: float) -> bool:
    """Whether all columns show the same seconds; told by the beats, and only where they leave no doubt.

    Args:
        start_mm, column_mm: where the first column begins, and how wide a column is; speed in mm/s.
    """
    n = plan.n_columns
    width = round(column_mm * INK_PX_PER_MM)
    first = round(float(rows.ink.column(start_mm)))
    if n < 2 or first < 0 or first + n * width > rows.paths_mm.shape[1] + 2:
        return False
    columns_per_s = speed * INK_PX_PER_MM
    moving = _activity(rows.paths_mm[: len(plan.grid)], columns_per_s)
    moving = np.pad(moving, (0, 4), mode="edge")
    columns = [moving[first + c * width : first + (c + 1) * width] for c in range(n)]
    if plan.rhythm:
        strip = np.pad(_activity(rows.paths_mm[len(plan.grid) : plan.n_rows], columns_per_s), (0, 4), mode="edge")
        strips = [strip[first + c * width : first + (c + 1) * width] for c in range(n)]
        twins = _twins(rows.paths_mm[: plan.n_rows], plan, first, width)
        if twins is not None and max(twins) > _TWIN and abs(twins[0] - twins[1]) > _TWIN_MARGIN:
            return twins[1] > twins[0]
        then = float(np.mean([_alike(columns[c], strips[c]) for c in range(1, n)]))
        at_once = float(np.mean([_alike(columns[c], strips[0]) for c in range(1, n)]))
        return at_once > max(then + _STRIP_MARGIN, _ALIKE)
    reach = round(_SAME_S * columns_per_s)
    same = all(_alike(columns[0], c) > _ALIKE and _aligned(columns[0], c, reach) for c in columns[1:])
    return same and _off_beat(columns)


def _twins(paths: Array, plan: LeadPlan, first: int, width: int) -> tuple[float, float] | None:
    """How much a lead of a later column is like the strip that repeats it: at its own place, and at the strip's start.

    The median over such leads; None where no strip repeats one.
    """
    found = []
    for k, lead in enumerate(plan.rhythm):
        strip = paths[len(plan.grid) + k]
        for r, row in enumerate(plan.grid):
            for c in (c for c, name in enumerate(row) if c and name == lead):
                part = paths[r, first + c * width : first + (c + 1) * width]
                places = (strip[first + q * width :][: len(part)] for q in (c, 0))
                found.append([_alike_where_known(part, place) for place in places])
    if not found:
        return None
    then, at_once = np.median(found, axis=0)
    return float(then), float(at_once)


def _alike_where_known(a: Array, b: Array) -> float:
    n = min(len(a), len(b))
    known = np.isfinite(a[:n]) & np.isfinite(b[:n])
    return _alike(a[:n][known], b[:n][known]) if known.sum() > n // 2 else 0.0


def _activity(paths: Array, columns_per_s: float) -> Array:
    """How much the rows move together at each column."""
    total = np.zeros(paths.shape[1])
    for path in paths:
        known = np.flatnonzero(np.isfinite(path))
        if known.size > 2:
            filled = np.interp(np.arange(path.size), known, path[known])
            steep = gaussian_filter1d(np.abs(np.gradient(filled)), _SMOOTH_S * columns_per_s)
            total += steep / max(float(np.percentile(steep, 99)), 1e-6)
    return total


def _alike(a: Array, b: Array) -> float:
    if a.std() < 1e-9 or b.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _aligned(a: Array, b: Array, reach: int) -> bool:
    """Whether two columns fit best, or nearly so, as they stand, give or take `reach` px: a beat later they may too."""
    n, most = len(a), len(a) // 3
    lags = range(-most, most + 1)
    fits = np.array([_alike(a[max(-k, 0) : n - max(k, 0)], b[max(k, 0) : n - max(-k, 0)]) for k in lags])
    return bool(fits[most - reach : most + reach + 1].max() > fits.max() - _NEARLY)


def _off_beat(columns: list[Array]) -> bool:
    """Whether the interval across the seams is none of the rhythm's: regular beats may fit the columns by chance."""
    mean = np.mean(columns, axis=0)
    beats, _ = find_peaks(mean, height=0.4 * float(mean.max()), distance=max(len(mean) // 20, 1))
    if len(beats) < 2:
        return False
    rr = float(np.median(np.diff(beats)))
    across = len(mean) - beats[-1] + beats[0]
    return bool(abs(across / rr - 1) > _OFF_BEAT)
