"""Where a page's time axis begins, to about a hundredth of a millimetre.

A shift of 0.02 mm (0.8 ms at 25 mm/s) alone limits the plain SNR of real recordings to 24 dB, so every place at which
the layout says that a lead begins or ends is measured in the image itself: the ends of the ink, half a pen width from
the first and last sample, and the separators between leads. The densest cluster of what these say is the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.page.layout import Layout, Segment
from ecgdig.page.warp import Warp
from ecgdig.strip import Strip, StripSpec, cut
from ecgdig.units import LARGE_SQUARE_MM
from ecgdig.vectorize import RowReading

Array = NDArray[np.float64]
Image = NDArray[np.uint8]

_END_PATCH = StripSpec(half_height_mm=3.0, px_per_mm_x=16.0, px_per_mm_y=16.0, sub_columns=1)
_BEYOND_MM, _WITHIN_MM = 3.0, 5.0  # what is cut around an end of ink: beyond it and of the trace
_SEPARATOR_PATCH = StripSpec(half_height_mm=7.0, px_per_mm_x=16.0, px_per_mm_y=8.0, sub_columns=1)
_SEPARATOR_BANDS_MM = ((-6.3, -3.3), (-3.3, -0.9), (0.9, 3.3), (3.3, 6.3))  # about the baseline: ticks and bars
_STEEPEST_MM = 2.5  # rise of a trace over its first 0.35 mm at which its end can still be measured
REACH_MM = 1.0  # ends and separators are looked for this near to where the layout has them
_PROFILE_STEP_MM = 1 / 32
_LEAST_CONTRAST = 20.0  # grey levels between paper and ink
_WIDEST_LINE_MM = 0.55  # of a printed grid
_LEAST_DARK = 0.35  # of a separator; dotted ones are partly paper
_SURELY_DARK = 0.8  # one that shows in a single band only
FOUND_MM = 0.3  # a layout that was found has its start this well
_CLUSTER_MM = 0.05  # measurements that agree lie within this of each other ...
# ... and separators within this: they are drawn at whole pixels, at 200 dpi up to 0.064 mm beside where a lead begins
_SEPARATOR_CLUSTER_MM = 0.1
_SEPARATOR_STEP_MM = 0.035  # the standard error from that; it is no smaller for many of them
# standard error of one measurement, found on rendered pages, and how much it counts in finding the cluster
_ERROR_MM = {"layout": 0.08, "start": 0.02, "seam": 0.02, "inner": 0.025, "separator": 0.02}
_COMMON_MM = 0.012  # standard error that all share: how pens end; 53 clean pages were 0.015 off, their own errors 0.010
_LEAST_SUPPORT, _LEAST_SUPPORT_FAR = 2.0, 3.0  # one measurement alone is wrong too often
_MANY_SEPARATORS = 4.0  # where nothing is seen at the layout's own place, so many decide
_SHARE = {"layout": 1.6, "start": 1.5, "seam": 2.0, "inner": 0.5, "separator": 1.0}


@dataclass(frozen=True)
class TimeZero:
    """How far the layout's x is to be moved, its standard error, and how many measurements agree on it."""

    shift_mm: float
    error_mm: float
    n: int


@dataclass(frozen=True)
class _Measurement:
    kind: str
    shift_mm: float


def time_zero(
    image: Image, warp: Warp, layout: Layout, rows: Sequence[RowReading], within_mm: float = FOUND_MM
) -> TimeZero | None:
    """Measure where the traces of a page begin.

    Args:
        image: uint8 RGB `(H, W, 3)`; warp: paper mm <-> px.
        layout: segments within 1 mm of their place along x.
        rows: the reading of each row of the layout.
        within_mm: how well the layout has its start, at most `REACH_MM`.

    Returns:
        the shift of the time axis, or None where too few ends of traces can be measured.
    """
    pen, contrast = pen_width(image, warp, rows)
    if not np.isfinite(pen):
        return None
    found: list[_Measurement] = []
    for r, reading in enumerate(rows):
        segments = layout.row(r)
        # the last end of a row is left out: how many samples are printed there differs between carts
        for k, segment in enumerate(segments):
            near = segment.x_mm
            separator = _separator(image, warp, reading, segment, contrast) if k else None
            if separator is not None:
                found.append(_Measurement("separator", separator[0] - near))
            edges = [(way, ink_end(image, warp, reading, near, way)) for way in ((1, -1) if k else (1,))]
            ends = [e + 0.5 * way * pen - near for way, e in edges if e is not None and not _beside(e, separator)]
            if k == 0:
                found += [_Measurement("start", end) for end in ends]
            elif len(ends) == 2 and abs(ends[0] - ends[1]) < _CLUSTER_MM:
                found.append(_Measurement("seam", 0.5 * (ends[0] + ends[1])))
            elif len(ends) == 2 and separator is None and 0.2 < ends[1] - ends[0] + pen < 2.0:
                # the old lead goes on beyond where the new one begins: both end at the sides of a separator
                found.append(_Measurement("separator", 0.5 * (ends[0] + ends[1])))
            elif len(ends) == 1 and separator is None:
                found.append(_Measurement("inner", ends[0]))
    return _agreement(found, within_mm)


def _beside(end_mm: float, separator: tuple[float, float] | None) -> bool:
    """Whether an end of ink is the side of a separator."""
    return separator is not None and abs(abs(end_mm - separator[0]) - 0.5 * separator[1]) < 0.15


def _agreement(found: list[_Measurement], within_mm: float = FOUND_MM) -> TimeZero | None:
    """The densest cluster near the layout's own place, unless far more speaks for a place at which most rows begin."""
    nearby = [m for m in found if abs(m.shift_mm) <= within_mm]
    _, near = _cluster(nearby)
    # separators alone may all stand beside where the leads begin
    begins = [m.shift_mm for m in found if m.kind in ("start", "seam")]
    backed = [m for m in found if any(abs(m.shift_mm - shift) <= _SEPARATOR_CLUSTER_MM for shift in begins)]
    far, begun = _cluster(backed)
    if begun >= _LEAST_SUPPORT_FAR and begun > 1.4 * near:
        return far
    lines, marked = _cluster([m for m in found if m.kind == "separator"])
    if near < _LEAST_SUPPORT and marked >= _MANY_SEPARATORS:
        return lines
    # where the rows were seen to begin counts too: separators may be columns of dots
    close, near = _cluster([_Measurement("layout", 0.0), *nearby])
    return close if near >= _LEAST_SUPPORT else None


def _cluster(found: list[_Measurement]) -> tuple[TimeZero | None, float]:
    """The weighted mean of the densest cluster of measurements, and its support."""
    if not found:
        return None, 0.0
    shift = np.array([m.shift_mm for m in found])
    each = np.array([_ERROR_MM[m.kind] for m in found])
    drawn = np.array([m.kind == "separator" for m in found])
    reach = np.where(drawn[:, None] | drawn, _SEPARATOR_CLUSTER_MM, _CLUSTER_MM)
    near = np.abs(shift[:, None] - shift[None, :]) <= reach
    support = near @ np.array([_SHARE[m.kind] for m in found])
    best = near[int(np.argmax(support))]
    weight = np.where(best, 1 / each**2, 0.0)
    lines = best & drawn
    if lines.any():
        together = 1 / (1 / weight[lines].sum() + _SEPARATOR_STEP_MM**2)
        weight[lines] *= together / weight[lines].sum()
    mean = float((weight * shift).sum() / weight.sum())
    scatter = float(np.sqrt((weight * (shift - mean) ** 2).sum() / weight.sum()))
    n = int(best.sum())
    error = float(np.hypot(max(weight.sum() ** -0.5, scatter / np.sqrt(n)), _COMMON_MM))
    return TimeZero(mean, error, n), float(support.max())


def pen_width(image: Image, warp: Warp, rows: Sequence[RowReading]) -> tuple[float, float]:
    """Pen width in mm and grey levels between paper and ink, medians across level stretches of the traces; or NaN."""
    offset = np.arange(-1.5, 1.5 + 1e-9, _PROFILE_STEP_MM)
    found: list[tuple[float, float]] = []
    for reading in rows:
        at = _level_columns(reading, 80)
        if len(at) < 20:
            continue
        y = reading.y_mm[at][:, None] + offset
        paper = np.stack([np.broadcast_to(reading.x_mm[at][:, None], y.shape), y], axis=-1)
        px = warp.to_px(paper).astype(np.float32)
        profiles = cv2.remap(image, px[..., 0], px[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        found += [w for p in profiles.astype(np.float64) if (w := _stroke(p, offset)) is not None]
    if len(found) < 20:
        return float("nan"), float("nan")
    width, contrast = np.median(np.array(found), axis=0)
    return float(width), float(contrast)


def _level_columns(reading: RowReading, n: int) -> NDArray[np.int64]:
    """Up to `n` columns, evenly spread, around which the trace stays within 0.12 mm for 1 mm."""
    half = 8
    if len(reading.y_mm) < 2 * half + 1:
        return np.empty(0, np.int64)
    around = np.ptp(np.lib.stride_tricks.sliding_window_view(reading.y_mm, 2 * half + 1), axis=1)
    level = np.flatnonzero(around < 0.12) + half
    picked: NDArray[np.int64] = level[np.linspace(0, len(level) - 1, min(n, len(level))).astype(int)]
    return picked


def _stroke(profile: Array, offset: Array) -> tuple[float, float] | None:
    """Width of a stroke at half of its darkness, and that in grey levels, from a profile `(n, 3)` across it."""
    near = np.abs(offset) < 0.35
    paper = np.median(profile[np.abs(offset) > 0.8], axis=0)
    darkest = int(np.argmin(np.where(near, profile.sum(1), np.inf)))
    step = paper - profile[darkest]
    if np.linalg.norm(step) < _LEAST_CONTRAST:
        return None
    sides = _half_width(((paper - profile) @ step) / float(step @ step), darkest)
    return None if sides is None else ((sides[1] - sides[0]) * _PROFILE_STEP_MM, float(step.mean()))


def _half_width(profile: Array, peak: int) -> tuple[float, float] | None:
    """Where a profile falls through half of its value at `peak`, left and right, in samples; None at its border."""
    half = 0.5 * profile[peak]
    below = profile <= half
    left, right = np.flatnonzero(below[:peak]), np.flatnonzero(below[peak:])
    if not left.size or not right.size:
        return None
    a, b = int(left[-1]), peak + int(right[0])
    return (
        a + (half - profile[a]) / (profile[a + 1] - profile[a]),
        b - 1 + (profile[b - 1] - half) / (profile[b - 1] - profile[b]),
    )


def ink_end(image: Image, warp: Warp, reading: RowReading, near_mm: float, way: int) -> float | None:
    """The x in mm at which the ink of a trace begins (`way` 1) or ends (-1), at half darkness, near `near_mm`.

    None where it cannot be told: the trace is very steep there or not read, or other ink touches its end.
    """
    within = way * (reading.x_mm - near_mm)
    known = np.isfinite(reading.y_mm)
    own = (within > 0.3) & (within < 3.5) & known
    first = (within > 0.1) & (within < 0.45) & known
    if own.sum() < 20 or first.sum() < 4 or np.ptp(reading.y_mm[first]) > _STEEPEST_MM:
        return None
    # a pen's round end reaches half its width beyond the sample, whichever way the trace goes from there
    top, bottom = float(reading.y_mm[first].min()), float(reading.y_mm[first].max())
    level = 0.5 * (top + bottom)
    left = near_mm - (_BEYOND_MM if way > 0 else _WITHIN_MM)
    strip = Strip(_END_PATCH, left, level, round((_BEYOND_MM + _WITHIN_MM) * _END_PATCH.px_per_mm_x))
    patch = cut(image, warp, strip).astype(np.float64)[:, ::way]
    x = strip.columns_mm()[::way]
    inside = way * (x - near_mm)
    order = np.argsort(within[own])
    path = np.interp(inside, within[own][order], reading.y_mm[own][order], left=level)
    y = strip.y_mm(x[None], np.arange(patch.shape[0], dtype=np.float64)[:, None])
    offset = y - path
    sure = (inside > 0.5) & (inside < 3.0)
    dark = _darkness(patch, offset, sure)
    if dark is None:
        return None
    at_end = (inside < 0.45) & (y > top - 0.4) & (y < bottom + 0.4)
    peak = np.where((np.abs(offset) < 0.4) | at_end, dark, -1).max(0)
    full = float(np.median(peak[sure]))
    if full < 0.1:  # the reading is not on ink
        return None
    share = peak / full
    above = share >= 0.5
    free = round(0.15 * _END_PATCH.px_per_mm_x)
    ends = [
        i
        for i in np.flatnonzero(~above[:-1] & above[1:])
        if abs(inside[i]) < REACH_MM
        and i >= free
        and (share[i - free + 1 : i] < 0.4).all()
        and above[i + 1 : i + 12].all()
    ]
    if not ends:
        return None
    i = min(ends, key=lambda k: abs(float(inside[k])))
    return float(x[i] + (0.5 - share[i]) / (share[i + 1] - share[i]) * (x[i + 1] - x[i]))


def _darkness(patch: Array, offset: Array, sure: NDArray[np.bool_]) -> Array | None:
    """0 for paper to 1 for the ink of the trace, from patch colours `(h, w, 3)` and mm below the trace `(h, w)`."""
    beside = np.abs(offset[:, sure])
    aside, core = patch[:, sure][(beside > 1.0) & (beside < 2.5)], patch[:, sure][beside < 0.06]
    if not len(aside) or not len(core):  # the trace runs outside of the patch
        return None
    paper = np.median(aside, axis=0)
    step = paper - np.percentile(core, 20, axis=0)
    if np.linalg.norm(step) < _LEAST_CONTRAST:
        return None
    dark: Array = ((paper - patch) @ step) / float(step @ step)
    return dark


def _separator(
    image: Image, warp: Warp, reading: RowReading, segment: Segment, contrast: float
) -> tuple[float, float] | None:
    """Centre and width in mm of an upright mark where a segment begins, as dark as the trace, above it and below it."""
    near, level = segment.x_mm, segment.baseline_mm
    strip = Strip(_SEPARATOR_PATCH, near - 2.5, level, round(5.0 * _SEPARATOR_PATCH.px_per_mm_x))
    patch = cut(image, warp, strip).astype(np.float64).mean(-1)
    x = strip.columns_mm()
    away = np.abs(reading.x_mm - near)
    known = np.isfinite(reading.y_mm) & (away > 0.15) & (away < 4)
    if known.sum() < 20:
        return None
    y = strip.y_mm(x[None], np.arange(patch.shape[0], dtype=np.float64)[:, None])
    free = np.abs(y - np.interp(x, reading.x_mm[known], reading.y_mm[known])) > 1.0
    dark = (np.median(patch) - patch) / contrast
    from_line = np.abs((x + LARGE_SQUARE_MM / 2) % LARGE_SQUARE_MM - LARGE_SQUARE_MM / 2)
    marks = []
    for low, high in _SEPARATOR_BANDS_MM:
        band = (y[:, 0] >= level + low) & (y[:, 0] <= level + high)
        seen = free[band].sum(0)
        if (seen < 0.25 * band.sum()).any():
            continue
        profile = np.where(free[band], dark[band], 0).sum(0) / seen
        profile = profile - np.median(profile)
        peak = int(np.argmax(np.where(np.abs(x - near) < 2 * FOUND_MM, profile, -np.inf)))
        sides = _half_width(profile, peak) if profile[peak] > _LEAST_DARK else None
        if sides is None:
            continue
        a, b = (float(x[0]) + side / _SEPARATOR_PATCH.px_per_mm_x for side in sides)
        wide = b - a > _WIDEST_LINE_MM
        # printed lines may be nearly as dark as a separator; one that is wider than any line is told from them by that
        elsewhere = profile[((x < a - 0.3) | (x > b + 0.3)) & ((from_line > _WIDEST_LINE_MM) | (not wide))]
        is_line = from_line[peak] < 0.2 and not wide
        if not is_line and b - a < 2.2 and elsewhere.max(initial=-np.inf) < 0.6 * profile[peak]:
            marks.append(((a + b) / 2, b - a, float(profile[peak])))
    if not marks or np.ptp([centre for centre, _, _ in marks]) > 0.1:
        return None
    centre, width, darkest = (float(v) for v in np.mean(marks, axis=0))
    sure = len(marks) > 1 or (darkest > _SURELY_DARK and width > _WIDEST_LINE_MM)
    return (centre, width) if sure else None
