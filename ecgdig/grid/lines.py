"""Single printed grid lines: where each runs, to a hundredth of a millimetre, and the raster they were drawn on.

The geometry of a page, found from the grid as a whole, is corrected line by line, with the ink of the traces left out:
a QRS complex beside a line would pull it by 0.05 mm. Lines are often drawn at whole pixels of a raster (200 dpi:
0.127 mm) on which the traces are not: they stand up to half a pixel beside where they should. The pattern of these
steps tells the raster, and is taken out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.grid.lattice import Map, darkness, thin
from ecgdig.grid.upright import resampled
from ecgdig.page.warp import Displacement, Warp
from ecgdig.units import LARGE_SQUARE_MM
from ecgdig.vectorize import RowReading

Image = NDArray[np.uint8]  # (H, W, 3) RGB
Array = NDArray[np.float64]

NODE_MM = 2.0  # of the fields of shifts that are corrected
_PX_PER_MM = 12
_REACH_MM = 0.7  # lines are looked for this far from where they should be
_ALONG_MM = 2.5  # half of the stretch of a line that is averaged
_BLUR_MM = 0.1
_WIDEST_MM = 0.8  # what is wider is no line: the edge of a shadow, a fold
_INK_MM = 0.5  # around the traces nothing is measured
_LEAST_SEEN = 0.35  # share of a stretch that must be free of ink
_LEAST_CONTRAST = 0.12  # of the darkness that lines of this page have
_OUTLIER_MM = 0.2
_SMOOTH_MM = (4.0, 3.0)  # the correction of a photo is smoothed over this much across the lines and along them
_BOW_MM = (12.0, 12.0)  # how slow the bow of a flat page is, at first
_LEAST_BOW_MM = 0.03  # rms; less is not believed of a flat page
_HIGH_PASS_LINES = 1.6
_LEAST_LINES = 16
_LEAST_FRACTION = 0.03  # of a pixel by which the steps of neighbouring lines differ, to be told from a bent page
# of n lines the best raster explains 11.4 / n of pure noise; so much more is wanted
_CHANCE, _LEAST_EXPLAINED = 11.4, 0.12
_COARSEST_MM, _FINEST_MM = 0.3, 0.04  # pixels of such a raster
_ROUNDS = 3
_LEAST_STEP = 0.3  # of the usual one, between columns of a reading that was moved


@dataclass(frozen=True)
class Raster:
    """The pixels at which lines were drawn: line k stands `step_mm(k)` beside its place.

    Attributes:
        fraction, start: line k is at whole pixels nearest to fraction · k + start (whole pixels a line left out).
        pixel_mm: size of a pixel.
        explained: 0 to 1, the share of the variance of the lines' steps.
    """

    fraction: float
    start: float
    pixel_mm: float
    explained: float

    def step_mm(self, line: NDArray[np.integer]) -> Array:
        return self.pixel_mm * _steps(self.fraction, self.start, line)


def with_field(warp: Warp, size_mm: tuple[float, float]) -> Warp:
    """A warp whose first stage is a field of shifts, as `refine` needs it; one that has none gets an empty one.

    Args:
        size_mm: the page reaches from 0 to there.
    """
    if isinstance(warp.stages[0], Displacement):
        return warp
    columns, rows = (int(np.ceil(v / NODE_MM)) + 1 for v in size_mm)
    return warp.after(Displacement(np.zeros((rows, columns, 2)), NODE_MM))


@dataclass(frozen=True, eq=False)
class Refined:
    """A corrected warp, and the rms in mm by which single lines still differ from it (0 where none was corrected)."""

    warp: Warp
    residual_mm: float


def refine_flat(image: Image, warp: Warp, rows: Sequence[RowReading]) -> Refined:
    """`refine` for scans: only where the sheet is bowed, as scanners and printers make it."""
    better = _refined(image, warp, rows, _BOW_MM).warp
    before, after = warp.stages[0], better.stages[0]
    assert isinstance(before, Displacement)
    assert isinstance(after, Displacement)
    bow = float(np.sqrt(((after.shift_mm - before.shift_mm) ** 2).mean()))
    return refine(image, better, moved(rows, warp, better)) if bow > _LEAST_BOW_MM else Refined(warp, 0.0)


def refine(image: Image, warp: Warp, rows: Sequence[RowReading]) -> Refined:
    """The warp of a photo, corrected by what single lines say, where traces were read.

    Args:
        image: uint8 RGB `(H, W, 3)`.
        warp: paper mm -> px; its first stage is a `Displacement`, and zero is on a 5 mm line in x and y.
        rows: the traces as read with that warp; the area around them is corrected.
    """
    return _refined(image, warp, rows, _SMOOTH_MM)


def _refined(image: Image, warp: Warp, rows: Sequence[RowReading], smooth_mm: tuple[float, float]) -> Refined:
    field = warp.stages[0]
    if not isinstance(field, Displacement):
        raise TypeError(f"the first stage of the warp is {type(field).__name__}, not a Displacement")
    paths = [np.stack([row.x_mm, row.y_mm], 1)[np.isfinite(row.y_mm)] for row in rows]
    known = [path for path in paths if len(path)]
    if not known:
        return Refined(warp, 0.0)
    points = np.concatenate(known)
    limit = (np.array(field.shift_mm.shape[1::-1]) - 1) * field.step_mm
    low = np.clip(points.min(0) - 2 * LARGE_SQUARE_MM, 0, limit)
    high = np.clip(points.max(0) + 2 * LARGE_SQUARE_MM, 0, limit)
    low = np.ceil(low / LARGE_SQUARE_MM) * LARGE_SQUARE_MM
    if (high - low < 4 * LARGE_SQUARE_MM).any():
        return Refined(warp, 0.0)
    seen, free = _upright(image, warp, known, low, high)
    families = [_Lines.measure(seen, free, low, axis) for axis in range(2)]
    rasters: list[Raster | None] = [None, None]
    residual = 0.0
    for turn in range(_ROUNDS):
        change = np.zeros(field.shift_mm.shape)
        for axis, lines in enumerate(families):
            if lines is None:
                continue
            if turn < _ROUNDS - 1:
                rasters[axis] = _raster(lines, field, axis)
            change[..., axis] = lines.field(field, rasters[axis], smooth_mm)
            if axis == 0:
                residual = lines.rms_mm(rasters[axis])
        moves = Displacement(change, field.step_mm)
        families = [None if lines is None else lines.after(moves) for lines in families]
        field = field.plus(change)
    return Refined(Warp((field, *warp.stages[1:])), residual)


def moved(rows: Sequence[RowReading], old: Warp, new: Warp) -> tuple[RowReading, ...]:
    """Readings made with the warp `old`, in the mm of `new`: x still increases, but is no longer evenly spaced.

    Where a trace jumps, the new x may go back; such columns are left out (NaN).
    """
    out = []
    for row in rows:
        known = np.isfinite(row.y_mm)
        if not known.any():
            out.append(row)
            continue
        level = np.interp(row.x_mm, row.x_mm[known], row.y_mm[known])
        at = new.to_mm(old.to_px(np.stack([row.x_mm, level], 1)))
        least = _LEAST_STEP * float(np.median(np.diff(row.x_mm))) * np.arange(len(at))
        x = np.maximum.accumulate(at[:, 0] - least) + least
        y = np.where(known & (x - at[:, 0] < 1e-6), at[:, 1], np.nan)
        path = row.path_mm
        if path is not None:
            path = new.to_mm(old.to_px(np.stack([row.x_mm, path], 1)))[:, 1]
        out.append(RowReading(x, y, row.spread_mm, row.present, path))
    return tuple(out)


def _upright(image: Image, warp: Warp, paths: Sequence[Array], low: Array, high: Array) -> tuple[Map, Map]:
    """Darkness of the page between two corners in mm, at `_PX_PER_MM`, and 1 where there is no ink of traces."""
    r = _PX_PER_MM
    shape = (round((high[1] - low[1]) * r), round((high[0] - low[0]) * r))
    dark = darkness(resampled(image, warp, shape, r, low), round(LARGE_SQUARE_MM * r) | 1)
    free = np.ones(shape, np.uint8)
    for path in paths:
        at = np.round(((path - low) * r - 0.5) * 8).astype(np.int32)
        cv2.polylines(free, [at.reshape(-1, 1, 2)], False, 0, round(2 * _INK_MM * r), cv2.LINE_8, 3)
    return dark, free.astype(np.float32)


@dataclass(frozen=True, eq=False)
class _Lines:
    """Offsets of the 5 mm lines of one family along their length.

    `offset_mm` `(n, m)`: how far line i is from its place at `along_mm[j]`, NaN where it was not seen; `weight` alike.
    """

    axis: int
    number: NDArray[np.int64]  # (n,): the line's place is number · 5 mm
    along_mm: Array  # (m,)
    offset_mm: Array
    weight: Array

    @staticmethod
    def measure(dark: Map, free: Map, low: Array, axis: int) -> _Lines | None:
        """Find the lines across `axis` (0: upright lines, at x) in a darkness map whose corner is at `low` mm."""
        r = _PX_PER_MM
        across, along = dark.shape[1 - axis], dark.shape[axis]
        low = low[::-1] if axis else low
        rows = np.arange(round(_ALONG_MM * r), along - round(_ALONG_MM * r), round(NODE_MM * r))
        number = np.arange(np.ceil((low[0] + 1) / LARGE_SQUARE_MM), (low[0] + across / r - 1) / LARGE_SQUARE_MM)
        if len(number) < 4 or len(rows) < 4:
            return None
        share = _means_along(free, rows, axis)
        mean = _means_along(dark * free, rows, axis) / np.maximum(share, 0.05)
        mean = thin(cv2.GaussianBlur(mean, (0, 0), _BLUR_MM * r, sigmaY=0.01), _WIDEST_MM * r).astype(np.float64)
        half = round(_REACH_MM * r)
        # place of line i in columns, to a fraction; looked at from the nearest column on
        place = (number * LARGE_SQUARE_MM - low[0]) * r - 0.5
        first = np.round(place).astype(int)
        columns = first[:, None] + np.arange(-half - 1, half + 2)
        columns = np.clip(columns, 0, across - 1)
        profile = mean[:, columns]  # (m, n, 2·half + 3)
        inner = profile[..., 1:-1]
        top = inner.argmax(-1)
        at = np.take_along_axis(inner, top[..., None], -1)[..., 0]
        before = np.take_along_axis(profile, top[..., None], -1)[..., 0]
        after = np.take_along_axis(profile, top[..., None] + 2, -1)[..., 0]
        bend = before - 2 * at + after
        shift = np.where(bend < -1e-6, 0.5 * (before - after) / np.minimum(bend, -1e-6), 0.0)
        offset = (top - half + shift + (first - place)) / r
        contrast = at - np.median(profile, -1)
        usual = float(np.percentile(contrast, 75))
        seen = (share[:, np.clip(first, 0, across - 1)] > _LEAST_SEEN) & (contrast > max(0.35 * usual, _LEAST_CONTRAST))
        seen &= (top > 0) & (top < 2 * half)
        offset = np.where(seen, offset, np.nan).T
        # a word beside a line, or the wrong line: unlike what is around it
        around = _nan_median(offset, 2, 5)
        offset[~(np.abs(offset - around) < _OUTLIER_MM)] = np.nan
        weight = np.where(np.isfinite(offset), np.clip(contrast.T / max(usual, 1e-3), 0, 1), 0.0)
        if np.isfinite(offset).mean() < 0.2:
            return None
        return _Lines(axis, number.astype(np.int64), low[1] + (rows + 0.5) / r, offset, weight)

    def after(self, moves: Displacement) -> _Lines:
        """What is left of the offsets when the page has been moved back so far."""
        at = np.stack([part.ravel() for part in self.places()], 1)
        return replace(self, offset_mm=self.offset_mm - moves.displacement(at)[:, self.axis].reshape(self.weight.shape))

    def rms_mm(self, raster: Raster | None) -> float:
        """By how much the lines differ from where they should be, the steps of a raster aside."""
        step = np.zeros(len(self.number)) if raster is None else raster.step_mm(self.number)
        off = (self.offset_mm - step[:, None])[np.isfinite(self.offset_mm)]
        return float(np.sqrt((off**2).mean()))

    def places(self) -> tuple[Array, Array]:
        """x and y in mm, `(n, m)`, of all places looked at."""
        across = np.broadcast_to((self.number * LARGE_SQUARE_MM)[:, None], self.offset_mm.shape)
        along = np.broadcast_to(self.along_mm, self.offset_mm.shape)
        return (across, along) if self.axis == 0 else (along, across)

    def field(self, old: Displacement, raster: Raster | None, smooth_mm: tuple[float, float]) -> Array:
        """The correction at the nodes of `old`, `(rows, columns)`, smoothed; 0 far from all lines that were seen."""
        step = np.zeros(len(self.number)) if raster is None else raster.step_mm(self.number)
        value = np.where(np.isfinite(self.offset_mm), self.offset_mm - step[:, None], 0.0)
        rows, columns = old.shift_mm.shape[:2]
        x, y = self.places()
        total, mass = np.zeros((rows, columns)), np.zeros((rows, columns))
        i = np.clip(np.round(y / old.step_mm).astype(int), 0, rows - 1)
        # a line lies between two nodes: each gets its share
        at = np.clip(x / old.step_mm, 0, columns - 1.001)
        j = at.astype(int)
        if self.axis:
            j = np.clip(np.round(at).astype(int), 0, columns - 1)
            at = np.clip(y / old.step_mm, 0, rows - 1.001)
            i = at.astype(int)
        part = at - (i if self.axis else j)
        for near, share in ((0, 1 - part), (1, part)):
            where = (i + near, j) if self.axis else (i, j + near)
            np.add.at(total, where, share * self.weight * value)
            np.add.at(mass, where, share * self.weight)
        sigma = np.array(smooth_mm) / old.step_mm
        sx, sy = (sigma[0], sigma[1]) if self.axis == 0 else (sigma[1], sigma[0])
        total, mass = (
            np.asarray(cv2.GaussianBlur(v, (0, 0), float(sx), sigmaY=float(sy)), np.float64) for v in (total, mass)
        )
        out: Array = total / np.maximum(mass, 1e-3 * max(float(mass.max()), 1e-9))
        return out


def _means_along(values: Map, places: NDArray[np.int64], axis: int) -> Map:
    """The mean of `values` over `_ALONG_MM` to either side of each place along an axis (0: y), `(places, length)`."""
    half = round(_ALONG_MM * _PX_PER_MM)
    if axis:
        means = [cv2.reduce(values[:, at - half : at + half + 1], 1, cv2.REDUCE_AVG)[:, 0] for at in places]
    else:
        means = [cv2.reduce(values[at - half : at + half + 1], 0, cv2.REDUCE_AVG)[0] for at in places]
    return np.asarray(means, np.float32)


def _nan_median(values: Array, across: int, along: int) -> Array:
    """Median over a window of ±across lines and ±along places."""
    padded = np.pad(values, ((across, across), (along, along)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * across + 1, 2 * along + 1))
    flat = windows.reshape(*values.shape, -1)
    known = np.isfinite(flat)
    # sorting puts NaN last: the median of the known ones without a warning where there are none
    ordered = np.sort(flat, -1)
    n = known.sum(-1)
    middle: Array = np.take_along_axis(ordered, np.maximum(n - 1, 0)[..., None] // 2, -1)[..., 0]
    return middle


def _raster(lines: _Lines, field: Displacement, axis: int) -> Raster | None:
    """The raster whose steps the lines show, over all of their length; None where they show none."""
    n_known = np.isfinite(lines.offset_mm).sum(1)
    seen = n_known >= 0.3 * lines.offset_mm.shape[1]
    if seen.sum() < _LEAST_LINES:
        return None
    x, y = lines.places()
    shift = field.displacement(np.stack([x.ravel(), y.ravel()], 1))[:, axis].reshape(x.shape)
    steps = []
    for values in (lines.offset_mm, lines.offset_mm + shift):
        # what differs from the neighbours, in each place; the median over the line's length
        high = values - _across(values)
        step = np.array([np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else 0.0 for row in high])
        most = 3 * float(np.median(np.abs(step)))
        steps.append(np.clip(step, -most, most))
    weight = seen.astype(np.float64)
    # the steps that the field has not followed yet say which raster; those with what it has followed, how coarse it is
    fraction, start, model = _rough_rasters(int(lines.number[0]), len(lines.number))
    for finer in (1, 10):
        model = _relative_steps(fraction, start, lines.number) if finer > 1 else model
        cover, power = (model * steps[0] * weight).sum(-1), (model**2 * weight).sum(-1) + 1e-9
        explained = np.where(cover > 0, cover**2 / power, 0) / max(float((steps[0] ** 2 * weight).sum()), 1e-12)
        i, j = np.unravel_index(int(np.argmax(explained)), explained.shape)
        best = Raster(
            float(fraction[i]),
            float(start[j]),
            float((model[i, j] * steps[1] * weight).sum() / power[i, j]),
            float(explained[i, j]),
        )
        fraction = best.fraction + np.arange(-0.002, 0.0021, 0.002 / (10 * finer))
        start = best.start + np.arange(-0.1, 0.101, 0.005)
    if best.explained < _CHANCE / seen.sum() + _LEAST_EXPLAINED:
        return None
    return best if _FINEST_MM < best.pixel_mm < _COARSEST_MM else None


@lru_cache(maxsize=2)
def _rough_rasters(first: int, n: int) -> tuple[Array, Array, Array]:
    """Rasters all over, and the steps of `n` lines on each: fractions, starts, `(fractions, starts, n)`."""
    fraction, start = np.arange(_LEAST_FRACTION, 1 - _LEAST_FRACTION, 0.002), np.arange(0, 1, 0.025)
    return fraction, start, _relative_steps(fraction, start, np.arange(first, first + n))


def _relative_steps(fraction: Array, start: Array, line: NDArray[np.integer]) -> Array:
    """How far lines are beside their places, less what their neighbours are."""
    model = _steps(fraction[:, None, None], start[None, :, None], line)
    return model - _across(model.transpose(2, 0, 1)).transpose(1, 2, 0)


def _across(values: Array) -> Array:
    """Smoothed over neighbouring lines (first axis), NaN left out."""
    known = np.isfinite(values)
    flat = np.where(known, values, 0.0).reshape(len(values), -1)
    near = np.exp(-0.5 * ((np.arange(len(values))[:, None] - np.arange(len(values))) / _HIGH_PASS_LINES) ** 2)
    smooth: Array = ((near @ flat) / np.maximum(near @ known.reshape(len(values), -1), 1e-9)).reshape(values.shape)
    return smooth


def _steps(fraction: Array | float, start: Array | float, line: NDArray[np.integer]) -> Array:
    at = np.asarray(fraction * line + start, np.float64)
    out: Array = np.round(at) - at
    return out
