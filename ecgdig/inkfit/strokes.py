"""The pen's path against pixels: the nearest point of a curve, and what pixels near it say of its columns."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ecgdig.inkfit.pen import stroke

Array = NDArray[np.float64]
Map = NDArray[np.float32]

_MOST_COVER = 0.98  # of a pixel by one curve


@dataclass(frozen=True, eq=False)
class Near:
    """For each pixel of a band of the picture the nearest point of one curve.

    Attributes:
        top: the band's first row.
        distance: `(rows, W)` px; infinite where the curve is far.
        segment: the column that begins the nearest piece of the curve; -1 where it is far.
        place: how far along that piece, 0 to 1.
    """

    top: int
    distance: Map
    segment: NDArray[np.int32]
    place: Map

    @property
    def rows(self) -> slice:
        return slice(self.top, self.top + len(self.distance))


def nearest(x: Array, y: Array, inked: NDArray[np.bool_], shape: tuple[int, ...], reach: float) -> Near:
    """The pixels within `reach` px of a curve.

    Args:
        x, y: `(n,)` px; x increases wherever neighbours are both inked.
        inked: `(n,)`; a piece is drawn between two neighbours that are.
        shape: of the picture, (H, W).
    """
    if not inked.any():
        none = np.zeros((0, shape[1]), np.float32)
        return Near(0, none, none.astype(np.int32), none)
    top = int(np.clip(np.floor(y[inked].min() - reach), 0, shape[0]))
    bottom = int(np.clip(np.ceil(y[inked].max() + reach) + 1, top, shape[0]))
    size = (bottom - top, shape[1])
    distance, segment = np.full(size, np.inf, np.float32), np.full(size, -1, np.int32)
    place = np.zeros(size, np.float32)
    _find_nearest(x, y - top, inked, reach, distance, segment, place)
    return Near(top, distance, segment, place)


@njit(cache=True, nogil=True)
def _find_nearest(
    x: Array,
    y: Array,
    inked: NDArray[np.bool_],
    reach: float,
    distance: NDArray[np.float32],
    segment: NDArray[np.int32],
    place: NDArray[np.float32],
) -> None:
    """Fill in, for each pixel within reach of the curve, its distance, and the segment and place (0 to 1) nearest."""
    height, width = distance.shape
    for i in range(x.size - 1):
        if not (inked[i] and inked[i + 1]):
            continue
        ax, ay, dx, dy = x[i], y[i], x[i + 1] - x[i], y[i + 1] - y[i]
        squared = dx * dx + dy * dy
        left, right = max(0, math.ceil(ax - reach)), min(width - 1, math.floor(ax + dx + reach))
        low, high = min(ay, ay + dy), max(ay, ay + dy)
        for row in range(max(0, math.ceil(low - reach)), min(height - 1, math.floor(high + reach)) + 1):
            for column in range(left, right + 1):
                px, py = column - ax, row - ay
                t = min(1.0, max(0.0, (px * dx + py * dy) / squared))
                ex, ey = px - t * dx, py - t * dy
                d = math.sqrt(ex * ex + ey * ey)
                if d < reach and d < distance[row, column]:
                    distance[row, column] = d
                    segment[row, column] = i
                    place[row, column] = t


@njit(cache=True, nogil=True)
def take_away(
    clear: NDArray[np.float32], distance: NDArray[np.float32], strength: NDArray[np.float32], half: float, blur: float
) -> None:
    """Multiply in what a curve leaves open."""
    for i in range(distance.shape[0]):
        for j in range(distance.shape[1]):
            if distance[i, j] < np.inf:
                clear[i, j] *= 1 - min(_MOST_COVER, strength[i, j] * stroke(distance[i, j], half, blur)[0])


@njit(cache=True, nogil=True)
def normal_equations(
    x: Array,
    y: Array,
    distance: NDArray[np.float32],
    segment: NDArray[np.int32],
    place: NDArray[np.float32],
    left: NDArray[np.float32],
    weight: NDArray[np.float32],
    clear: NDArray[np.float32],
    strength: NDArray[np.float32],
    half: float,
    blur: float,
    cap: float,
) -> tuple[Array, Array, Array, float, float]:
    """What the pixels near a curve say of its columns' heights.

    Returns:
        diagonal and first off-diagonal of the normal matrix, its right side, the weighted squares of what is left
        (capped) and the weight of the pixels.
    """
    diagonal, beside, pull = np.zeros(x.size), np.zeros(x.size), np.zeros(x.size)
    misfit = count = 0.0
    for i in range(distance.shape[0]):
        for j in range(distance.shape[1]):
            k = segment[i, j]
            if k < 0:
                continue
            d = distance[i, j]
            own, slope = stroke(d, half, blur)
            # what the other curves leave open here
            open_ = clear[i, j] / (1 - min(_MOST_COVER, strength[i, j] * own))
            rest = left[i, j]
            w = weight[i, j]
            misfit += w * min(rest * rest, cap * cap)
            count += w
            if d < 1e-4:
                continue
            w /= (1 + (rest / cap) ** 2) ** 2
            t = place[i, j]
            up = -(i - (y[k] + t * (y[k + 1] - y[k]))) / d
            gain = strength[i, j] * open_ * slope * up
            a, b = gain * (1 - t), gain * t
            diagonal[k] += w * a * a
            diagonal[k + 1] += w * b * b
            beside[k] += w * a * b
            pull[k] += w * a * rest
            pull[k + 1] += w * b * rest
    return diagonal, beside, pull, misfit, count


@njit(cache=True, nogil=True)
def ink_along(
    n: int,
    distance: NDArray[np.float32],
    segment: NDArray[np.int32],
    share: NDArray[np.float32],
    weight: NDArray[np.float32],
    strength: NDArray[np.float32],
    within: float,
) -> tuple[Array, Array]:
    """Of the pixels within so many px of each piece of a curve: their ink, and what it would be if all were drawn."""
    seen, drawn = np.zeros(n), np.zeros(n)
    for i in range(distance.shape[0]):
        for j in range(distance.shape[1]):
            if segment[i, j] >= 0 and distance[i, j] <= within:
                w = weight[i, j]
                seen[segment[i, j]] += w * min(share[i, j], strength[i, j])
                drawn[segment[i, j]] += w * strength[i, j]
    return seen, drawn
