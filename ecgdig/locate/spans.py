"""From where to where the traces of a page may be printed: where rows begin and end, and spans of usual length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgdig.locate.ink import INK_PX_PER_MM
from ecgdig.locate.rows import Rows
from ecgdig.locate.sheet import STRIDE

Odds = tuple[tuple[float, ...], tuple[float, ...]]  # chances, and the log odds that they mean

_R = INK_PX_PER_MM
USUAL_S = 10.0
_MOST_PLACES = 4
_LEAST_SHARE = 0.24  # of the rows that begin at a place
_PRINTED, _BLANK = 0.1, 0.3  # what a mm with ink in all rows speaks for lying in the span; the share that says nothing
_FOOT_WIDTHS, _JOINED = 0.6, 0.6
_MEASURED = 1.0
_AGREE, _AGREE_MM = 4.0, 0.5
_ALL_AGREE, _ALL_AGREE_MM, _LEAST_ROWS = 10.0, 0.15, 3  # if every row shows it: more than one clear seam elsewhere
# what the network says of a place: log odds by the mean chance over the rows
_START_ODDS = ((0.0, 0.03, 0.1, 0.4, 0.8), (-1.0, 0.0, 1.5, 3.0, 5.0))
_END_ODDS = ((0.0, 0.02, 0.1, 0.3), (-0.3, 0.5, 2.0, 3.0))
_LEAST_SEEN = 0.05
_APART_MM = 1.0  # of a place that the ink shows, which is more exact
_SAME_MM, _SAME_SPAN_MM = 0.7, 0.25


@dataclass(frozen=True)
class Span:
    """x of the first and of the last printed sample, and how well the ink fits that (log odds, about)."""

    start_mm: float
    end_mm: float
    fit: float


class Ends:
    """Where the ink of the rows begins and ends."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.on = np.isfinite(rows.paths_mm)
        self.begins = _begins(self.on)
        self.ends = _begins(self.on[:, ::-1])[:, ::-1]
        every = range(len(rows.baselines_mm))
        self.seams, self.stopped = (
            np.mean([rows.bars(cells, r) for r in every], axis=0) for cells in (rows.sheet.seam, rows.sheet.end)
        )

    def starts(self) -> list[float]:
        """Places in mm, the likeliest first, at which many rows begin."""
        low, high = self._columns(self.rows.start_mm - 15.0, self.rows.start_mm + 60.0)
        return [float(self.rows.columns_mm[x]) + 0.5 * self.rows.stroke_mm for x in _places(self.begins, low, high)]

    def stops(self) -> list[float]:
        low, high = self._columns(self.rows.end_mm - 60.0, self.rows.end_mm + 60.0)
        return [float(self.rows.columns_mm[x]) - 0.5 * self.rows.stroke_mm for x in _places(self.ends, low, high)]

    def fit(self, start_mm: float, end_mm: float) -> float:
        """How well the ink fits a span: rows begin and end there, with ink all the way and none beside."""
        low, high = self._columns(start_mm, end_mm)
        if high - low < 10 * _R:
            return -20.0
        printed = _PRINTED * float((self.on[:, low:high].mean(axis=0) - _BLANK).sum()) / _R
        start = self._share(self.begins, start_mm - 0.5 * self.rows.stroke_mm)
        end = self._share(self.ends, end_mm + 0.5 * self.rows.stroke_mm)
        pulse = self.rows.pulse
        if pulse is not None and 0 <= start_mm - pulse.end_mm < _FOOT_WIDTHS * pulse.width_mm:
            start = max(start, _JOINED)  # the foot of the pulse may touch the trace
        inside = (self.on[:, low : low + 4 * _R], self.on[:, max(high - 4 * _R, 0) : high])
        short = sum(1.0 - float((part.mean(axis=1) > 0.5).mean()) for part in inside if part.size)
        before, after = self.on[:, max(low - 5 * _R, 0) : max(low - _R, 0)], self.on[:, high + _R : high + 5 * _R]
        beyond = [float((part.mean(axis=1) > 0.95).mean()) for part in (before, after) if part.size]
        seen = self._seen(self.seams, start_mm, _START_ODDS) + self._seen(self.stopped, end_mm, _END_ODDS)
        return seen + printed + 2.5 * start + 1.5 * end - 1.5 * sum(beyond) - 2.0 * short

    def likely(self, start: bool) -> list[float]:
        """Where the network sees all rows begin, or end, in mm: the likeliest place, if there is one."""
        chances = self.seams if start else self.stopped
        low, high = self._columns(*((self.rows.start_mm + d) if start else (self.rows.end_mm + d) for d in (-40, 40)))
        part = chances[low // STRIDE : high // STRIDE]
        if not part.size or part.max() < _LEAST_SEEN:
            return []
        # the middle of a bar of 1 mm
        middle = float(
            np.average(np.arange(len(part)), weights=np.where(part > 0.5 * part.max(), part, 0) * _near(part))
        )
        return [float(self.rows.ink.x_mm((low // STRIDE + middle + 0.5) * STRIDE - 0.5))]

    def _seen(self, chances: NDArray[np.float32], x_mm: float, odds: Odds) -> float:
        x = round(float(self.rows.ink.column(x_mm))) // STRIDE
        near = chances[max(x - 3, 0) : max(x + 4, 0)]  # within 1 mm the ink knows better
        return float(np.interp(near.max(), *odds)) if near.size else 0.0

    def _share(self, edges: NDArray[np.bool_], x_mm: float) -> float:
        x = round(float(self.rows.ink.column(x_mm)))
        part = edges[:, max(x - 2, 0) : max(x + 3, 0)]
        return float(part.any(axis=1).mean()) if part.size else 0.0

    def _columns(self, start_mm: float, end_mm: float) -> tuple[int, int]:
        low, high = (round(float(c)) for c in self.rows.ink.column([start_mm, end_mm]))
        return max(low, 0), min(max(high, 0), self.on.shape[1])


def spans_of(
    rows: Rows, speed: float, lengths_mm: tuple[float, ...] = (), places_mm: Sequence[tuple[float, float]] = ()
) -> list[Span]:
    """The spans worth trying: as found; from each start to each stop; and from either, as long as is usual.

    Args:
        lengths_mm: more lengths that are likely.
        places_mm: more starts and stops, moved to where the ink begins if that is near.
    """
    ends = Ends(rows)
    starts, stops = [rows.start_mm, *ends.starts()], [rows.end_mm, *ends.stops()]
    starts = starts[:3] + [x for x in ends.likely(True) if min(abs(x - y) for y in starts) > _APART_MM] + starts[3:]
    stops = stops[:3] + [x for x in ends.likely(False) if min(abs(x - y) for y in stops) > _APART_MM] + stops[3:]
    first, last = -np.inf, np.inf  # no trace reaches over a pulse
    pulse = rows.pulse
    if pulse is not None and pulse.x_mm < 0.5 * (rows.start_mm + rows.end_mm):
        starts.append(pulse.end_mm)
        first = pulse.end_mm - _SAME_MM if pulse.is_sure else first
    elif pulse is not None:
        last = pulse.x_mm + _SAME_MM if pulse.is_sure else last
    usual = USUAL_S * speed
    pairs = [(a, b) for a in starts[:4] for b in stops[:4]]
    for length in (usual, *lengths_mm):
        pairs += [(a, a + length) for a in starts] + [(b - length, b) for b in stops]
    for a, b in places_mm:
        ink = min(starts, key=lambda x: abs(x - a))
        pairs += [(ink, b + ink - a)] if abs(ink - a) < _APART_MM else [(a, b)]
    kept: list[tuple[float, float]] = []
    for a, b in pairs:
        if (
            b - a > 8.0
            and a >= first
            and b <= last
            and all(max(abs(a - c), abs(b - d)) > _SAME_SPAN_MM for c, d in kept)
        ):
            kept.append((a, b))
    return [
        Span(a, b, ends.fit(a, b) + _measured(a, b, rows, usual)) for a, b in kept or [(rows.start_mm, rows.end_mm)]
    ]


def _measured(start_mm: float, end_mm: float, rows: Rows, usual_mm: float) -> float:
    """What it counts that a start was measured, and with an end measured by itself as far off as is usual."""
    measured = _MEASURED if start_mm == rows.start_mm else 0.0  # others are whole px of the ink map
    found = start_mm == rows.start_mm and end_mm == rows.end_mm
    if not found or abs(end_mm - start_mm - usual_mm) >= _AGREE_MM:
        return measured
    every = np.ptp([rows.starts_mm, rows.ends_mm], axis=1).max()  # NaN if a row shows none
    return measured + (_ALL_AGREE if len(rows.starts_mm) >= _LEAST_ROWS and every < _ALL_AGREE_MM else _AGREE)


def _begins(on: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where 2 mm of nearly unbroken ink begin after a gap, `(rows, w)`."""
    n = 2 * _R
    total = np.cumsum(np.pad(on, ((0, 0), (1, n))), axis=1)
    solid = (total[:, n:] - total[:, :-n])[:, : on.shape[1]] >= 0.9 * n
    before = np.pad(on, ((0, 0), (1, 0)))[:, :-1]
    return on & ~before & solid


def _near(part: NDArray[np.float32]) -> NDArray[np.bool_]:
    """What lies within 1 mm of the highest."""
    return np.asarray(np.abs(np.arange(len(part)) - int(part.argmax())) <= _R // STRIDE, np.bool_)


def _places(edges: NDArray[np.bool_], low: int, high: int) -> list[int]:
    """Columns between `low` and `high` at which most rows have an edge, give or take 2 px."""
    share = np.convolve(edges.mean(axis=0), np.ones(5), "same")
    share[:low] = share[high:] = 0.0
    found: list[int] = []
    while len(found) < _MOST_PLACES and share.max(initial=0.0) >= _LEAST_SHARE:
        x = int(np.argmax(share))
        near = np.flatnonzero(edges[:, max(x - 2, 0) : x + 3].any(axis=0)) + max(x - 2, 0)
        found.append(int(np.median(near)))
        share[max(x - 4, 0) : x + 5] = 0.0
    return found
