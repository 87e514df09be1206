"""The traces among the lines of a page: pieces drawn one after another joined, calibration pulses told apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgdig.units import PULSE_S
from ecgdig.vector.grid import Grid
from ecgdig.vector.paths import Stroke

Array = NDArray[np.float64]

_JOIN_MM = 0.01  # ends this near to each other are one point
_GAP_MM, _STEP_MM = 0.6, 8.0  # from the last point of one piece to the first of the next, along and across
_LEAST_MM = 12.0  # of a trace; shorter curves are letters and marks
_LEAST_CORNERS = 14
_BACK_MM = 0.12  # by which a trace may go back in x: rounding, and round caps
_LEVEL_MM = 0.02  # by which a side of a pulse may lean
_PULSE_WIDTH_MM, _PULSE_HEIGHT_MM = (1.5, 22.0), (3.0, 42.0)
_PULSE_CORNERS = 12  # at most


@dataclass(frozen=True, eq=False)
class Curve:
    """A trace, or a piece of one: its corners in mm, x growing, `(n, 2)`; and the look of its pen."""

    points: Array
    look: tuple[tuple[int, int, int], float]

    @property
    def start_mm(self) -> float:
        return float(self.points[0, 0])

    @property
    def end_mm(self) -> float:
        return float(self.points[-1, 0])

    @property
    def middle_mm(self) -> float:
        """Median height over time, whatever the corners' distances."""
        x = np.linspace(self.start_mm, self.end_mm, 400)
        return float(np.median(np.interp(x, self.points[:, 0], self.points[:, 1])))


@dataclass(frozen=True)
class Pulse:
    """A calibration pulse: where it begins and ends, the height of its foot, and its size, in mm."""

    x_mm: float
    end_mm: float
    foot_mm: float
    width_mm: float
    height_mm: float

    @property
    def speed_mm_per_s(self) -> float:
        return self.width_mm / PULSE_S


def find_curves(strokes: Sequence[Stroke], grid: Grid) -> tuple[list[Curve], list[Pulse]]:
    """The traces and the calibration pulses of a page, in the mm of its grid."""
    curves: list[Curve] = []
    pulses: list[Pulse] = []
    for look, points in _joined(strokes, grid):
        if points[0, 0] > points[-1, 0]:
            points = points[::-1]
        pulse, rest = _pulse_of(points)
        if pulse is not None:
            pulses.append(pulse)
        if rest is not None and _is_trace(rest):
            curves.append(Curve(_growing(rest), look))
    return curves, pulses


def _joined(strokes: Sequence[Stroke], grid: Grid) -> Iterator[tuple[tuple[tuple[int, int, int], float], Array]]:
    """Lines of one pen, in mm, each joined to the one before where it goes on from it."""
    look: tuple[tuple[int, int, int], float] | None = None
    parts: list[Array] = []
    for stroke in strokes:
        here = (stroke.rgb, round(stroke.width, 2))
        ends = np.cumsum([len(points) for points in stroke.lines])
        for line in np.split(grid.mm(np.concatenate(stroke.lines)), ends[:-1]):
            if len(line) > 3 and np.array_equal(line[0], line[-1]):
                continue  # a closed figure
            gap = np.abs(line[0] - parts[-1][-1]).max() if parts and here == look else np.inf
            if gap < _JOIN_MM:
                parts.append(line[1:])
            elif gap < np.inf and _goes_on(parts, line):
                parts.append(line)
            else:
                if look is not None:
                    yield look, np.concatenate(parts)
                look, parts = here, [line]
    if look is not None:
        yield look, np.concatenate(parts)


def _goes_on(parts: Sequence[Array], line: Array) -> bool:
    """Whether a short piece begins just to the right of where the one before ends: a trace drawn in pieces."""
    last = parts[-1]
    dx, dy = line[0] - last[-1]
    short = max(line[-1, 0] - line[0, 0], last[-1, 0] - last[0, 0]) < _LEAST_MM
    bent = min(len(line), len(last)) > 2  # straight lines of two points each are a grid or marks
    return bool(short and bent and 0 < dx < _GAP_MM and abs(dy) < _STEP_MM and line[-1, 0] > line[0, 0])


def _is_trace(points: Array) -> bool:
    x, y = points[:, 0], points[:, 1]
    long = x[-1] - x[0] >= _LEAST_MM and len(points) >= _LEAST_CORNERS
    return bool(long and np.diff(x).min() > -_BACK_MM and np.ptp(y) < 5 * (x[-1] - x[0]))


def _growing(points: Array) -> Array:
    """The corners whose x is beyond all before; of those at one x the last, which the next line begins at."""
    x = points[:, 0]
    kept = np.concatenate([x[:-1] < np.minimum.accumulate(x[::-1])[::-1][1:] - 1e-7, [True]])
    growing: Array = points[kept]
    return growing


def _pulse_of(points: Array) -> tuple[Pulse | None, Array | None]:
    """A rectangular pulse that a line begins or ends with, and what is left of the line."""
    for from_end in (False, True):
        line = points[::-1] if from_end else points
        found = _leading_pulse(line)
        if found is not None:
            pulse, n = found
            rest = line[n:] if len(line) - n > 1 else None
            return pulse, rest if rest is None or not from_end else rest[::-1]
    return None, points


def _leading_pulse(line: Array) -> tuple[Pulse, int] | None:
    """The pulse at the start of a line and the number of its corners: up, along, down, each exactly straight."""
    corners, index = _corners(line[: 4 * _PULSE_CORNERS + 200])
    step = np.diff(corners, axis=0)
    level, upright = np.abs(step[:, 1]) < _LEVEL_MM, np.abs(step[:, 0]) < _LEVEL_MM
    for i in range(min(len(step) - 2, 3)):
        up, along, down = step[i : i + 3]
        if not (upright[i] and level[i + 1] and upright[i + 2]):
            continue
        width, height = abs(float(along[0])), -float(up[1])
        fits = _PULSE_WIDTH_MM[0] < width < _PULSE_WIDTH_MM[1] and _PULSE_HEIGHT_MM[0] < height < _PULSE_HEIGHT_MM[1]
        if fits and abs(up[1] + down[1]) < 0.1 * height:
            x0, x1 = sorted((float(corners[i, 0]), float(corners[i + 2, 0])))
            after = i + 3 + (1 if len(step) > i + 3 and level[i + 3] and abs(step[i + 3, 0]) > 0.5 else 0)
            return Pulse(x0, x1, float(corners[i, 1]), width, height), int(index[min(after, len(index) - 1)])
    return None


def _corners(line: Array) -> tuple[Array, NDArray[np.int64]]:
    """The points at which a line turns, and their numbers: points along a straight side are left out."""
    step = np.diff(line, axis=0)
    length = np.hypot(step[:, 0], step[:, 1])
    moving = np.concatenate([length > 1e-9, [True]])
    line, number = line[moving], np.flatnonzero(moving)
    if len(line) < 3:
        return line, number
    a, b = line[1:-1] - line[:-2], line[2:] - line[1:-1]
    turn = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) > 1e-3 * np.hypot(*a.T) * np.hypot(*b.T)
    kept = np.concatenate([[True], turn, [True]])
    return line[kept], number[kept]
