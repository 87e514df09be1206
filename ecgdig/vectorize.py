"""From the network's column distributions to a curve: best path, sub-pixel height, spread; then samples in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

FloatArray = NDArray[np.float32]
_JUMP_COST = 0.05  # nats per strip pixel between neighbouring columns ...
_JUMP_LIMIT = 4.0  # ... and at most: QRS flanks jump by many pixels
_WINDOW_PX = 100  # the local mean around the path reaches this far at most
_SHORTEST_RUN = 3  # columns; shorter stretches are dropped
_SAID = (0.35, 0.01)  # (factor, floor in mm): the standard error of a path, of its distribution's spread


@dataclass(frozen=True, eq=False)
class RowReading:
    """The trace of one row.

    Attributes:
        x_mm: paper x of its columns, `(columns,)`, as all of these.
        y_mm: height; NaN where nothing is printed or readable.
        spread_mm: as the network gives it, the standard deviation of its distribution over heights; of a reading that
            was fitted to the ink, or drawn by hand, the standard error of the height.
        present: how probable it is that something of this row is printed; 0 where a hand marked it as unreadable.
        path_mm: where the best path runs, also where nothing seems to be printed; None if that is not known.
    """

    x_mm: NDArray[np.float64]
    y_mm: NDArray[np.float64]
    spread_mm: NDArray[np.float64]
    present: NDArray[np.float32]
    path_mm: NDArray[np.float64] | None = None


@njit(cache=True, nogil=True)
def best_path(cost: FloatArray, jump_cost: float, jump_limit: float) -> NDArray[np.int64]:
    """The row at each column that makes the least Σ cost + Σ min(jump_cost·|Δrow|, jump_limit) (Viterbi, exact).

    Args:
        cost: `(rows, columns)`, e.g. negative log probabilities.

    Returns:
        int64 `(columns,)` row numbers. O(rows·columns): a linear penalty is a distance transform (Felzenszwalb and
        Huttenlocher 2012).
    """
    rows, columns = cost.shape
    total = cost[:, 0].astype(np.float64)
    back = np.zeros((columns, rows), np.int32)
    reach, origin = np.empty(rows), np.empty(rows, np.int32)
    for c in range(1, columns):
        best = 0
        for r in range(rows):
            reach[r], origin[r] = total[r], r
            if total[r] < total[best]:
                best = r
        for r in range(1, rows):
            if reach[r - 1] + jump_cost < reach[r]:
                reach[r], origin[r] = reach[r - 1] + jump_cost, origin[r - 1]
        for r in range(rows - 2, -1, -1):
            if reach[r + 1] + jump_cost < reach[r]:
                reach[r], origin[r] = reach[r + 1] + jump_cost, origin[r + 1]
        anywhere = total[best] + jump_limit
        for r in range(rows):
            if anywhere < reach[r]:
                reach[r], origin[r] = anywhere, best
            back[c, r] = origin[r]
            total[r] = reach[r] + cost[r, c]
    path = np.empty(columns, np.int64)
    path[columns - 1] = np.argmin(total)
    for c in range(columns - 1, 0, -1):
        path[c - 1] = back[c, path[c]]
    return path


@njit(cache=True, nogil=True)
def local_mean(p: FloatArray, path: NDArray[np.int64], half: int) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of that part of each column's distribution which hangs together with the path.

    On steep flanks a column holds many heights, so the part may be long; it ends where the probability stays below
    1/1000 of that on the path for four rows, or `half` rows away.

    Args:
        p: `(rows, columns)` probabilities (any positive scale per column).

    Returns:
        float32 `(columns,)` mean and standard deviation, in rows.
    """
    rows, columns = p.shape
    mean, spread = np.empty(columns, np.float32), np.empty(columns, np.float32)
    for c in range(columns):
        middle = path[c]
        least = 1e-3 * p[middle, c]
        s0, s1, s2 = float(p[middle, c]), 0.0, 0.0
        for way in (-1, 1):
            below = 0
            for d in range(1, half + 1):
                r = middle + way * d
                if r < 0 or r >= rows or below >= 4:
                    break
                below = below + 1 if p[r, c] < least else 0
                s0 += p[r, c]
                s1 += p[r, c] * way * d
                s2 += p[r, c] * d * d
        s0 = max(s0, 1e-30)
        mean[c] = middle + s1 / s0
        spread[c] = np.sqrt(max(s2 / s0 - (s1 / s0) ** 2, 0.0))
    return mean, spread


def trace_path(p: FloatArray, present: FloatArray) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """The curve in a strip.

    Args:
        p: `(rows, columns)` probability of each height, given that something is printed.
        present: `(columns,)` probability that something of this row is printed.

    Returns:
        float32 `(columns,)` height and its standard deviation in rows, and where something is printed.

    Raises:
        ValueError: the shapes do not fit.
    """
    if p.ndim != 2 or present.shape != p.shape[1:]:
        raise ValueError(f"distributions of shape {p.shape} and presence of shape {present.shape} do not fit")
    # where little is printed the heights say little: their cost fades with the probability of ink
    cost = -np.log(np.maximum(p, 1e-7)) * present[None]
    path = best_path(cost.astype(np.float32), _JUMP_COST, _JUMP_LIMIT)
    mean, spread = local_mean(p, path, _WINDOW_PX)
    return mean, spread, _long_runs(present > 0.5, _SHORTEST_RUN)


def said_error(spread_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """The standard error of a network's path where its distribution has this spread, in mm; NaN counts as 1 mm."""
    factor, floor_mm = _SAID
    return np.asarray(np.hypot(factor * np.nan_to_num(spread_mm, nan=1.0), floor_mm), np.float64)


def resample_curve(
    x: NDArray[np.float64], y: NDArray[np.float64], at: NDArray[np.float64], bridge: float = 0.0
) -> NDArray[np.float64]:
    """Values at `at` of a curve sampled at increasing `x`: a cubic spline through each stretch without gap.

    Args:
        x, y: `(n,)`; NaN in y is a gap.
        at: `(m,)` where values are wanted.
        bridge: gaps up to this long (in units of x) are bridged by a straight line.

    Returns:
        float64 `(m,)`; NaN outside the stretches. A stretch reaches half a step of x beyond its first and last value.
    """
    out = np.full(at.shape, np.nan)
    known = np.flatnonzero(np.isfinite(y))
    if known.size == 0:
        return out
    step = float(np.median(np.diff(x))) if x.size > 1 else 1.0
    breaks = np.flatnonzero(np.diff(x[known]) > max(bridge, 1.5 * step))
    for run in np.split(known, breaks + 1):
        inside = (at >= x[run[0]] - 0.5 * step) & (at <= x[run[-1]] + 0.5 * step)
        if not inside.any():
            continue
        wanted = np.clip(at[inside], x[run[0]], x[run[-1]])
        if run.size < 4:
            out[inside] = np.interp(wanted, x[run], y[run])
        else:
            out[inside] = CubicSpline(x[run], y[run])(wanted)
            gap = np.flatnonzero(np.diff(x[run]) > 1.5 * step)
            for g in gap:  # a spline would swing across a gap
                across = (at > x[run[g]]) & (at < x[run[g + 1]])
                out[across] = np.interp(at[across], x[run], y[run])
    return out


def _long_runs(flags: NDArray[np.bool_], shortest: int) -> NDArray[np.bool_]:
    padded = np.concatenate([[False], flags, [False]])
    edges = np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2)
    out = np.zeros_like(flags)
    for start, stop in edges:
        out[start:stop] = stop - start >= shortest
    return out
