"""Where a curve may be believed: ink that goes on where none was seen, or is not there; bars that hide a seam."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ecgdig.inkfit.paper import InkShares, Map
from ecgdig.inkfit.pen import Pen
from ecgdig.inkfit.strokes import Near, ink_along
from ecgdig.page.layout import Segment

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_ADJOINS_MM = 0.05  # segments nearer to each other than this adjoin
_LEAST_INK = 0.6  # of what a drawn curve would have
_SMOOTH = 9  # columns
_BARE, _BARE_INK = 31, 0.2  # columns that have less than this of the ink of a drawn curve are read without ink
_EDGE_FIRST_MM, _EDGE_MOST_MM = 0.3, 1.0  # where a pulse's edge begins after the start of a row, and how far it goes
_EDGE_SLOPE = 5.0  # mm down per mm to the right, or more
_EDGE_OVER_MM = 0.5  # no edge of a pulse is taller than the pulse by more
_LEVEL_MM = 25.0  # of the row after its start, to know its level
_BAR_REACH_MM = 0.7  # a bar's half width, at most
_BAR_LOOK_MM = 4.0  # above and below the trace
_BAR_LEAST_MM = 2.5  # of ink there that is not the traces'
_BAR_INK = 0.5


def goes_on(known: Flags, inked: Flags, near: Near, seen: InkShares, strength: Map, pen: Pen) -> Flags:
    """Columns beside known ones along which the ink goes on, as far as it does, `(columns,)`."""
    here = near.rows
    ink, drawn = ink_along(
        known.size, near.distance, near.segment, seen.share[here], seen.weight[here], strength[here], 0.8 * pen.half
    )
    window = np.ones(_SMOOTH)
    whole = np.convolve(drawn, window, "same")
    there = inked & (whole > 0) & (np.convolve(ink, window, "same") > _LEAST_INK * whole)
    out = np.zeros(known.size, bool)
    for way in (1, -1):
        run = False
        for k in range(known.size)[::way]:
            run = known[k] or (run and bool(there[k]))
            out[k] |= run
    return out & ~known


def without_ink(known: Flags, near: Near, seen: InkShares, strength: Map, pen: Pen) -> Flags:
    """Known columns along which there is hardly any ink: something covers it, it faded, or there never was any."""
    here = near.rows
    ink, drawn = ink_along(
        known.size, near.distance, near.segment, seen.share[here], seen.weight[here], strength[here], 0.8 * pen.half
    )
    window = np.ones(_BARE)
    whole = np.convolve(drawn, window, "same")
    return np.asarray(known & (whole > 0) & (np.convolve(ink, window, "same") < _BARE_INK * whole), np.bool_)


def barred(segments: Sequence[Segment], x_mm: Array, x: Array, y: Array, other: Map, px_per_mm: float) -> Flags:
    """Columns at the seam of two leads that are hidden behind an upright bar, `(columns,)`.

    Args:
        segments: of the row, from left to right.
        x_mm, x, y: of its columns, in mm and in px of `other`.
        other: `(H, W)`, ink that no trace explains.
    """
    out = np.zeros(x.size, bool)
    reach = round(_BAR_LOOK_MM * px_per_mm)
    for before, after in pairwise(segments):
        if abs(after.x_mm - before.end_mm) > _ADJOINS_MM:
            continue
        beside = np.flatnonzero(np.abs(x_mm - after.x_mm) < _BAR_REACH_MM)
        dark = np.zeros(beside.size, bool)
        for n, k in enumerate(beside):
            column, row = round(float(x[k])), round(float(y[k]))
            if 0 <= column < other.shape[1]:
                part = other[max(0, row - reach) : max(0, row + reach + 1), column]
                dark[n] = (part > _BAR_INK).sum() > _BAR_LEAST_MM * px_per_mm
        # a stroke of a letter beside the seam is no bar: the dark columns hold the seam itself
        at = np.abs(x_mm[beside] - after.x_mm) < 1.5 / px_per_mm
        if dark[at].any():
            out[beside[dark]] = True
    return out


def on_edge(first: Segment, x_mm: Array, y_mm: Array) -> Flags:
    """Columns at the start of a row that climb the edge of the calibration pulse before it, `(columns,)`.

    Args:
        first: the row's first segment.
        x_mm, y_mm: of its columns, y NaN where there is none.
    """
    start_mm = first.x_mm
    out = np.zeros(x_mm.size, bool)
    steep = np.gradient(y_mm, np.arange(x_mm.size)) > _EDGE_SLOPE * np.maximum(np.gradient(x_mm), 1e-6)
    after = np.flatnonzero((x_mm >= start_mm) & (x_mm < start_mm + _EDGE_MOST_MM))
    soon = after[x_mm[after] < start_mm + _EDGE_FIRST_MM]
    beyond = y_mm[(x_mm >= start_mm + _EDGE_MOST_MM) & (x_mm < start_mm + _LEVEL_MM)]
    if not steep[soon].any() or not np.isfinite(beyond).any():
        return out
    level = float(np.nanmedian(beyond))
    begin = int(soon[np.argmax(steep[soon])])
    for k in after[after >= begin]:
        if not steep[k]:
            # the edge of a pulse comes down to the level of the row, a wave leaves it
            away = abs(y_mm[begin] - level)
            out[after[after < k]] = abs(y_mm[k] - level) < away < first.gain_mm_per_mv + _EDGE_OVER_MM
            return out
    return out  # steep all the way: a wave that begins at once
