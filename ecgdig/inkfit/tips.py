"""Waves that were cut short where they run into the ink of another row: drawn longer wherever that explains the ink.

Where tall waves of two rows meet, a network that follows one row often turns back too early: the ink beyond may be the
other's. The picture knows better. Wherever ink goes on beyond the tip of a wave, the wave is drawn with longer and
longer tips, and the one that explains ink best stays. Each row is drawn beside all others as they are, so that ink
which another explains alone gives no reason to go on.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ecgdig.inkfit.paper import InkShares, Map
from ecgdig.inkfit.pen import Pen, stroke
from ecgdig.inkfit.strokes import Near, take_away

if TYPE_CHECKING:
    from ecgdig.inkfit.curves import Curve

Array = NDArray[np.float64]

_WAVE_MM = 2.0  # a wave rises so much on both sides of its tip, within ...
_FLANK_MM = 2.0  # ... so much of it
_FLAT_MM = 0.3  # below it belongs to a tip, whose middle is its column, or one of ...
_SIDEWAYS = 2  # ... so many beside it
_NARROWEST_MM = 0.28  # of flanks there: the spike of a pacemaker is narrower than columns tell
_NEIGHBOURS = 6  # columns on both sides that a tip stands out from
_BEYOND_PX = 4  # of ink beyond the pen's edge make a tip worth trying
_BEYOND = 0.5  # as much ink there, of the pen's own
_LONGEST_MM, _STEP_MM = 14.0, 0.5  # tips that are tried
_SHORTEST_MM = 0.4  # others are left to the fit
_PER_MM = 0.02  # of misfit that a mm of tip must explain: of tips that explain the same the shortest stays
_LEAST = 1.5  # of misfit that a longer tip must explain, in pixels of full ink
_HOPELESS = 10.0  # of misfit more than a shorter tip had: it runs over bare paper, and so do all that are longer
_DOUBT_MM = 0.5  # standard error of a flank that was drawn anew, for the fit that follows
_CAP = 0.3  # of ink; pixels that differ by more are something else
_SURROUND = 8  # columns drawn on both sides of a wave


@dataclass(frozen=True)
class _Wave:
    """A wave of a curve by its columns: its tip and the ends of its flanks; `down` 1 where it points down, else -1."""

    left: int
    tip: int
    right: int
    down: int


@dataclass(frozen=True, eq=False)
class _Window:
    """What is seen around a wave, and what the other rows leave open there; `top` and `left` px are its corner."""

    share: Map
    weight: Map
    open_: Map
    strength: Map
    top: int
    left: int
    pen: Pen

    def near(self, x: Array, y: Array) -> Array:
        """Squared distances in px of a curve through these points, `(rows, columns)`; infinite without a piece."""
        out = np.full(self.share.shape, np.inf)
        _bring_near(out, x - self.left, y - self.top)
        return out

    def misfit(self, near: Array, x: Array, y: Array) -> float:
        """Squares of what is seen less what is drawn, of a curve through these points and whatever is `near` too."""
        return _misfit(
            near, x - self.left, y - self.top, self.share, self.weight, self.open_, self.strength,
            self.pen.half, self.pen.blur, _CAP,
        )  # fmt: skip


def lengthen_tips(
    curves: Sequence[Curve],
    near: Sequence[Near],
    seen: InkShares,
    pen: Pen,
    strength: Map,
    still: Collection[int],
    scale: float,
) -> int:
    """Draw the waves of all curves longer that explain more ink so; returns how many.

    Args:
        curves: one a row; their `y`, `said` and `doubt` change.
        near: the pixels near each.
        seen, pen, strength: what is seen and how it is drawn.
        still: numbers of the curves that stay as they are.
        scale: px a mm.
    """
    left_open = []
    for one in near:
        clear = np.ones(strength.shape, np.float32)
        take_away(clear[one.rows], one.distance, strength[one.rows], pen.half, pen.blur)
        left_open.append(clear)
    longer = 0
    for r, curve in enumerate(curves):
        if r in still:
            continue
        others = np.ones(strength.shape, np.float32)
        for q, clear in enumerate(left_open):
            if q != r:
                others *= clear
        for wave in list(_waves(curve, seen, pen, strength, scale)):
            longer += _lengthen(curve, wave, _window(curve, wave, seen, others, strength, pen, scale), scale)
    return longer


def _waves(curve: Curve, seen: InkShares, pen: Pen, strength: Map, scale: float) -> Iterator[_Wave]:
    """The waves beyond whose tips ink goes on."""
    flank = round(_FLANK_MM * scale / max(float(np.median(np.diff(curve.x))), 1e-3))
    n, w = curve.y.size, _NEIGHBOURS
    inked = np.convolve(curve.inked, np.ones(2 * w + 1), "same") > 2 * w
    for down in (1, -1):
        height = down * curve.y
        around = np.lib.stride_tricks.sliding_window_view(np.pad(height, w, mode="edge"), 2 * w + 1).max(axis=1)
        k = w
        for tip in np.flatnonzero(inked & (height >= around)).tolist():
            if tip < k or tip >= n - w:
                continue
            left = _flank_end(height, curve.inked, tip, -1, flank, _WAVE_MM * scale)
            right = _flank_end(height, curve.inked, tip, 1, flank, _WAVE_MM * scale)
            if left is None or right is None or curve.x[right] - curve.x[left] < _NARROWEST_MM * scale:
                continue
            if not _ink_beyond(curve, tip, down, seen, pen, strength):
                continue
            k = tip + w
            top = left + np.flatnonzero(height[left : right + 1] > height[tip] - _FLAT_MM * scale)
            yield _Wave(left, int(np.median(top)), right, down)


def _flank_end(height: Array, inked: NDArray[np.bool_], tip: int, way: int, most: int, rise: float) -> int | None:
    """The first column beside a tip that is lower by `rise`; None where there is none within `most` columns."""
    for k in range(tip + way, tip + way * (most + 1), way):
        if not 0 <= k < height.size or not inked[k]:
            return None
        if height[tip] - height[k] >= rise:
            return k
    return None


def _ink_beyond(curve: Curve, tip: int, down: int, seen: InkShares, pen: Pen, strength: Map) -> bool:
    column = round(float(curve.x[tip]))
    rows = np.round(curve.y[tip] + down * (pen.half + np.arange(2, 2 + _BEYOND_PX))).astype(int)
    if not (0 <= column < strength.shape[1] and rows.min() >= 0 and rows.max() < strength.shape[0]):
        return False
    return float((seen.share[rows, column] / strength[rows, column]).mean()) > _BEYOND


def _window(curve: Curve, wave: _Wave, seen: InkShares, others: Map, strength: Map, pen: Pen, scale: float) -> _Window:
    """As much of the picture as the longest tip reaches."""
    reach = pen.half + 4 * pen.blur
    ends = curve.y[[wave.left, wave.right]]
    base = float(ends.min() if wave.down > 0 else ends.max())
    low, high = sorted((base, float(curve.y[wave.tip]) + wave.down * (_LONGEST_MM * scale + reach)))
    rows = slice(max(0, int(low)), max(0, int(high) + 2))
    columns = slice(max(0, int(curve.x[wave.left] - reach)), max(0, int(curve.x[wave.right] + reach) + 2))
    share, weight, open_, dark = (
        np.ascontiguousarray(part[rows, columns], np.float32) for part in (seen.share, seen.weight, others, strength)
    )
    return _Window(share, weight, open_, dark, rows.start, columns.start, pen)


def _lengthen(curve: Curve, wave: _Wave, window: _Window, scale: float) -> bool:
    """Draw a wave with the tip that explains most; whether it is longer than it was."""
    x, y = curve.x, curve.y
    left, right = wave.left, wave.right
    before, after = slice(max(0, left - _SURROUND), left), slice(right + 1, right + 1 + _SURROUND)
    around = slice(before.start, after.stop)
    was = window.misfit(window.near(x[:0], y[:0]), x[around], y[around])
    still = window.near(x[before.start : left + 1], y[before.start : left + 1])
    still = np.minimum(still, window.near(x[right : after.stop], y[right : after.stop]))
    best, tip, longest = was, wave.tip, 0.0
    for k in range(max(wave.tip - _SIDEWAYS, left + 1), min(wave.tip + _SIDEWAYS, right - 1) + 1):
        least = np.inf
        for length in np.arange(0.0, _LONGEST_MM + _STEP_MM, _STEP_MM):
            height = y[wave.tip] + wave.down * length * scale
            misfit = window.misfit(still, x[[left, k, right]], np.array([y[left], height, y[right]]))
            least = min(least, misfit)
            if misfit > least + _HOPELESS:
                break
            if misfit + _PER_MM * length < best:
                best, tip, longest = misfit + _PER_MM * length, k, float(length)
    if was - best < _LEAST or longest < _SHORTEST_MM:
        return False
    corners = [left, tip, right]
    heights = [y[left], y[wave.tip] + wave.down * longest * scale, y[right]]
    whole = slice(left, right + 1)
    curve.y = y.copy()
    curve.y[whole] = np.interp(x[whole], x[corners], heights)
    curve.said[whole] = curve.y[whole]
    curve.doubt[whole] = np.maximum(curve.doubt[whole], _DOUBT_MM * scale)
    return True


@njit(cache=True, nogil=True)
def _squared(i: int, j: int, x: Array, y: Array) -> float:
    """The squared distance of a pixel from a curve through points; infinite from a single point."""
    nearest = np.inf
    for k in range(x.size - 1):
        dx, dy = x[k + 1] - x[k], y[k + 1] - y[k]
        squared = max(dx * dx + dy * dy, 1e-12)
        t = min(1.0, max(0.0, ((j - x[k]) * dx + (i - y[k]) * dy) / squared))
        ex, ey = x[k] + t * dx - j, y[k] + t * dy - i
        nearest = min(nearest, ex * ex + ey * ey)
    return nearest


@njit(cache=True, nogil=True)
def _bring_near(near: Array, x: Array, y: Array) -> None:
    for i in range(near.shape[0]):
        for j in range(near.shape[1]):
            near[i, j] = min(near[i, j], _squared(i, j, x, y))


@njit(cache=True, nogil=True)
def _misfit(
    near: Array, x: Array, y: Array, share: Map, weight: Map, open_: Map, strength: Map, half: float, blur: float,
    cap: float,
) -> float:  # fmt: skip
    total, reach = 0.0, half + 4 * blur
    for i in range(share.shape[0]):
        for j in range(share.shape[1]):
            squared = min(near[i, j], _squared(i, j, x, y))
            own = 0.0
            if squared < reach * reach:
                own = min(0.98, strength[i, j] * stroke(math.sqrt(squared), half, blur)[0])
            rest = share[i, j] - (1 - open_[i, j] * (1 - own))
            total += weight[i, j] * min(rest * rest, cap * cap)
    return total
