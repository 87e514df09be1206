"""The grid of a page drawn with lines: straight, long, periodic; its squares give the scale, not the page's size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgdig.units import LARGE_SQUARE_MM, MM_PER_INCH, SMALL_SQUARE_MM
from ecgdig.vector.paths import Stroke

Array = NDArray[np.float64]

POINTS_PER_MM = 72 / MM_PER_INCH
_STRAIGHT = 1e-3  # of a line's length, by which it may lean; and points
_SAME = 0.05  # points: lines no further apart are one
_LEAST_SHARE = 0.3  # of the longest line's length, from which a line may belong to the grid
_LEAST_LINES = 8
_LEAST_FIT = 0.8  # share of the lines that stand at whole periods
_OFF = 0.06  # of a period, by which such a line may be off
_FIVE = (4.6, 5.4)  # large over small squares, as found
_BETWEEN_MM = 2.3  # of squares of one size only: smaller are 1 mm, larger 5 mm, within a factor 2.2 of the page's size


@dataclass(frozen=True)
class Axis:
    """Lines across one axis: where one of them lies, in points, and points a mm."""

    origin: float
    points_per_mm: float

    def mm(self, points: Array) -> Array:
        return (points - self.origin) / self.points_per_mm


@dataclass(frozen=True)
class Grid:
    """The scale of a page: `x` of the upright lines, `y` of the level ones."""

    x: Axis
    y: Axis

    def mm(self, points: Array) -> Array:
        """Points `(n, 2)` in mm from a crossing of large lines."""
        return np.stack([self.x.mm(points[:, 0]), self.y.mm(points[:, 1])], axis=1)


@dataclass(frozen=True, eq=False)
class _Lines:
    """Straight lines of one look across one axis: where each is, in points, ascending, and how long in all."""

    at: Array
    length: Array


def find_grid(strokes: Sequence[Stroke]) -> Grid | None:
    """The grid of a page, None if it shows none in both directions."""
    axes = [_axis([_lines_of(stroke, axis) for stroke in strokes], strokes) for axis in (0, 1)]
    if axes[0] is None or axes[1] is None:
        return None
    ratio = axes[0].points_per_mm / axes[1].points_per_mm
    if not 0.3 < ratio < 3.0:  # 5 mm taken for 1 mm in one direction
        return None
    return Grid(axes[0], axes[1])


def is_straight(line: Array) -> bool:
    """Whether all points lie on one level or upright line."""
    return bool(np.ptp(line, axis=0).min() <= _SAME + _STRAIGHT * np.ptp(line, axis=0).max())


def _lines_of(stroke: Stroke, axis: int) -> tuple[Array, Array]:
    """Where the straight pieces across `axis` stand, and how long each is; also those of rectangles."""
    at, length = [], []
    for line in stroke.lines:
        if len(line) > 5 and not is_straight(line):
            continue  # a curve
        a, b = line[:-1], line[1:]
        off, along = np.abs(b[:, axis] - a[:, axis]), np.abs(b[:, 1 - axis] - a[:, 1 - axis])
        straight = (off <= _SAME / 2 + _STRAIGHT * along) & (along > 0.5)
        at.append((a[straight, axis] + b[straight, axis]) / 2)
        length.append(along[straight])
    return (np.concatenate(at), np.concatenate(length)) if at else (np.zeros(0), np.zeros(0))


def _axis(lines: Sequence[tuple[Array, Array]], strokes: Sequence[Stroke]) -> Axis | None:
    looks: dict[tuple[tuple[int, int, int], float], list[tuple[Array, Array]]] = {}
    for stroke, found in zip(strokes, lines, strict=True):
        if found[0].size:
            looks.setdefault((stroke.rgb, round(stroke.width, 2)), []).append(found)
    grids = []
    for of_look in looks.values():
        merged = _merged(np.concatenate([at for at, _ in of_look]), np.concatenate([n for _, n in of_look]))
        fitted = _period(merged)
        if fitted is not None:
            grids.append(fitted)
    if not grids:
        return None
    small = min(grids, key=lambda g: g[1])
    others = [g for g in grids if _FIVE[0] < g[1] / small[1] < _FIVE[1]]
    if others:
        large = max(others, key=lambda g: g[2])  # the longest reach measures best
        return Axis(large[0], large[1] / LARGE_SQUARE_MM)
    best = max(grids, key=lambda g: g[2])
    square = SMALL_SQUARE_MM if best[1] / POINTS_PER_MM < _BETWEEN_MM else LARGE_SQUARE_MM
    return Axis(best[0], best[1] / square)


def _merged(at: Array, length: Array) -> _Lines:
    """Pieces that stand at one place as one line."""
    order = np.argsort(at)
    at, length = at[order], length[order]
    new = np.concatenate([[True], np.diff(at) > _SAME])
    group = np.cumsum(new) - 1
    total = np.bincount(group, length).astype(np.float64)
    return _Lines(np.bincount(group, at * length) / total, total)


def _period(lines: _Lines) -> tuple[float, float, int] | None:
    """(place of a line, points from one to the next, periods between the first and the last); None if not periodic."""
    at = lines.at[lines.length >= _LEAST_SHARE * lines.length.max()]
    if at.size < _LEAST_LINES:
        return None
    period = float(np.median(np.diff(at)))
    for _ in range(4):  # steps between neighbours, then over all of them
        number = np.round((at - at[0]) / period)
        near = np.abs(at - at[0] - number * period) < 0.25 * period
        if near.sum() < 2 or number[near].max() == 0:
            return None
        period = float(np.polyfit(number[near], at[near], 1)[0])
    number = np.round((at - at[0]) / period)
    slope, start = np.polyfit(number, at, 1)
    fits = np.abs(at - start - slope * number) < _OFF * slope
    if fits.mean() < _LEAST_FIT or np.unique(number).size < _LEAST_LINES:
        return None
    slope, start = np.polyfit(number[fits], at[fits], 1)
    return float(start), float(slope), int(number.max() - number.min())
