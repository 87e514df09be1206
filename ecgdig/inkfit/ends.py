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
_ASTRAY_MM = 2.5  # of a segment's ends, where a path may still be on other ink, or on none
_BARE_BEGINS = 3  # columns of an end at most before the bare ones
_JUMP_MM, _JUMP_SPREADS = 0.6, 3.0  # between two columns: more than a pen can rise within columns so sharply seen
_CALM, _CALM_SPREAD_MM, _CALM_STEP_MM = 4, 0.45, 0.25  # columns, or half as many as are cut: read surely, and level


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


def astray(segments: Sequence[Segment], x_mm: Array, y_mm: Array, spread_mm: Array, bare: Flags) -> Flags:
    """Columns at the ends of segments that are not the trace's: the path is on other ink there, or on none.

    Behind a bar and under a name a network is lost, and may come out of it on a letter, or on the level of the lead
    before. Where it finds its trace again there is a jump, or the end of bare paper, and a calm stretch after it.
    Steep waves are left as they are: their columns hold many heights, so that their spread is large.

    Args:
        segments: of the row.
        x_mm, y_mm, spread_mm: of its columns, y NaN where there is none, the spread as the network gives it.
        bare: where there is hardly any ink along the curve.

    Returns:
        `(columns,)`.
    """
    out = np.zeros(x_mm.size, bool)
    spread = np.nan_to_num(spread_mm, nan=1.0)
    for segment in segments:
        there = np.flatnonzero((x_mm >= segment.x_mm) & (x_mm < segment.end_mm) & np.isfinite(y_mm))
        for columns, end_mm in ((there, segment.x_mm), (there[::-1], segment.end_mm)):
            near = np.abs(x_mm[columns] - end_mm)
            step, calm = _steps(y_mm[columns], spread[columns])
            sharp = 0.5 * _JUMP_SPREADS * (spread[columns[1:]] + spread[columns[:-1]]) + _JUMP_MM
            jumps = np.flatnonzero((step > sharp) & (near[:-1] < _ASTRAY_MM)) + 1
            for found in (*jumps.tolist(), _bare_run(bare[columns], near, calm)):
                least = max(_CALM, found // 2)
                if calm[found : found + least].sum() == least:
                    out[columns[:found]] = True
    return out


def _steps(y_mm: Array, spread_mm: Array) -> tuple[Array, Flags]:
    """How far each column is from the next, and whether it is read surely and the next is hardly higher or lower."""
    step = np.abs(np.diff(y_mm))
    calm = spread_mm < _CALM_SPREAD_MM
    calm[:-1] &= step < _CALM_STEP_MM
    return step, calm


def _bare_run(bare: Flags, near_mm: Array, calm: Flags) -> int:
    """The number of columns up to the end of the bare ones with which an end begins; 0 if it does not.

    Whether a column is bare is seen from many, so that calm ones before the end of a run are not.
    """
    begins = np.flatnonzero(bare[: _BARE_BEGINS + 1])
    if begins.size == 0:
        return 0
    inked = np.flatnonzero(~bare[begins[0] :])
    end = int(begins[0] + inked[0]) if inked.size else bare.size
    if end == bare.size or near_mm[end] >= _ASTRAY_MM:
        return 0
    while end > 0 and calm[end - 1]:
        end -= 1
    return end


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
