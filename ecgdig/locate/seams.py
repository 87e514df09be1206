"""How much each place on each row of a page looks like the seam of two leads: to the network, and by breaks."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from ecgdig.locate.ink import INK_PX_PER_MM
from ecgdig.locate.rows import Rows
from ecgdig.locate.sheet import STRIDE
from ecgdig.page.plan import LeadPlan

_R = INK_PX_PER_MM
TWIN_CORRELATION = 0.98  # the same lead printed twice; other leads of one heart reach about 0.95
BREAKS_AT_SEAMS = 0.45  # two leads seldom meet at the same height
_INDEPENDENT = 3  # rows: QRS complexes and grid lines look alike in all of them
_DOTTED, _MOST_LINES = 3.0, 0.04  # for a line through all rows; share of the columns that have one
_ODDS = ((0.0, 0.05, 0.1, 0.2, 0.5, 0.75, 0.9), (-1.4, 0.0, 1.5, 2.6, 3.2, 4.4, 6.0))
_COLUMN_MM, _MOST_SPACED = (10.0, 130.0), 3
_NEAR_CELLS = 2
_BREAK = 0.5  # what a broken trace says beside that


class Seams:
    """How much each place on each row looks like the seam of two leads."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        ink = rows.ink.ink
        dark = (ink > 0.3).astype(np.uint8)
        self.dark = dark
        self.levels = [round(float(rows.ink.row(b))) for b in rows.baselines_mm]
        self.lines = self._lines()
        self.bars = np.stack([rows.bars(rows.sheet.seam, r) for r in range(len(self.levels))])
        self.known: dict[tuple[range, int], float] = {}
        self.alike: dict[tuple[int, int, int, int], float] = {}
        self.chance = self._chance_of_break()

    def twins(self, plan: LeadPlan, strip: int, start_mm: float, column_mm: float) -> dict[str, float]:
        """How much each lead of the grid is like a rhythm strip (counted from 0) in the same column: correlations."""
        return {
            lead: self._alike(r, len(plan.grid) + strip, start_mm + c * column_mm, column_mm)
            for r, row in enumerate(plan.grid)
            for c, lead in enumerate(row)
        }

    def _alike(self, row: int, strip: int, x_mm: float, width_mm: float) -> float:
        """Correlation of two rows' traces between x and x + width."""
        low, high = (round(float(c)) for c in self.rows.ink.column([x_mm + 1.0, x_mm + width_mm - 1.0]))
        if (row, strip, low, high) not in self.alike:
            self.alike[row, strip, low, high] = self._correlation(row, strip, low, high)
        return self.alike[row, strip, low, high]

    def _correlation(self, row: int, strip: int, low: int, high: int) -> float:
        """Correlation of two rows' traces between two columns; 0 where little of them is known."""
        a, b = self.rows.paths_mm[row, max(low, 0) : high], self.rows.paths_mm[strip, max(low, 0) : high]
        known = np.isfinite(a) & np.isfinite(b)
        if known.sum() < 0.5 * max(high - low, 1) or a[known].std() < 0.15 or b[known].std() < 0.15:
            return 0.0
        return float(np.corrcoef(a[known], b[known])[0, 1])

    def column(self, n_rows: int, x_mm: float) -> float:
        """Log odds, about, that new leads begin at `x_mm` on the first `n_rows`."""
        x = round(float(self.rows.ink.column(x_mm)))
        dotted = _DOTTED if 0 <= x < len(self.lines) and self.lines[x] else 0.0
        return self._together(range(n_rows), x) + dotted

    def below(self, n_rows: int, x_mm: float) -> float:
        """The same for the rows under the first `n_rows`; a line through all rows says nothing of these."""
        return self._together(range(n_rows, len(self.levels)), round(float(self.rows.ink.column(x_mm))))

    def spaced(self, n_rows: int, n_columns: int, step_mm: float) -> list[tuple[float, float]]:
        """Start and width in mm of columns whose seams the network sees, the likeliest first; so many whole steps wide.

        Args:
            n_rows: of the grid of leads, from the top.
        """
        near = cv2.dilate(self.bars, np.ones((1, 2 * _NEAR_CELLS + 1), np.uint8))
        odds = np.interp(near, *_ODDS)
        inner = min(n_rows, _INDEPENDENT) * odds[:n_rows].mean(axis=0)
        first = odds.mean(axis=0)
        found: list[tuple[float, float, float]] = []
        for width in step_mm * np.arange(int(_COLUMN_MM[0] / step_mm), int(_COLUMN_MM[1] / step_mm) + 1):
            offsets = np.rint(width * np.arange(n_columns + 1) * _R / STRIDE).astype(int)
            n = len(inner) - offsets[-1]
            if n <= 0:
                break
            total = first[:n] + sum(inner[at : at + n] for at in offsets[1:-1])
            best = int(np.argmax(total))
            near = total[best : best + 2 * _R]  # the rest of a bar of 1 mm
            x = best + 0.5 * float(np.flatnonzero(near > total[best] - 0.1)[-1])
            found.append((float(total[best]), float(self.rows.ink.x_mm((x + 0.5) * STRIDE - 0.5)), float(width)))
        found.sort(reverse=True)
        return [(start, width) for odds_there, start, width in found[:_MOST_SPACED] if odds_there > 0]

    def _together(self, rows: range, x: int) -> float:
        """Log odds of several rows, which all say much the same."""
        if (rows, x) not in self.known:
            each = float(np.mean([self._seam(row, x) for row in rows])) if rows else 0.0
            self.known[rows, x] = min(len(rows), _INDEPENDENT) * each
        return self.known[rows, x]

    def _seam(self, row: int, x: int) -> float:
        broken = self._broken(row, x)
        there, missing = (BREAKS_AT_SEAMS, self.chance) if broken else (1 - BREAKS_AT_SEAMS, 1 - self.chance)
        return self._seen(row, x) + _BREAK * float(np.log(there / missing))

    def _seen(self, row: int, x: int) -> float:
        """What the network says of a seam there: log odds, as often as an earlier training of it was right."""
        # where exactly is for the ink to say
        bar = self.bars[row, max(x // STRIDE - _NEAR_CELLS, 0) : max(x // STRIDE + _NEAR_CELLS + 1, 0)]
        return float(np.interp(bar.max(), *_ODDS)) if bar.size else 0.0

    def _chance_of_break(self) -> float:
        """How often a trace seems broken where no seam is: at odd places along the rows."""
        places = np.linspace(self.rows.start_mm, self.rows.end_mm, 31)[1:-1:2] + 1.7
        columns = [round(float(c)) for c in self.rows.ink.column(places)]
        broken = [self._broken(row, x) for row in range(len(self.levels)) for x in columns]
        return float(np.clip(np.mean(broken), 0.03, 0.5)) if broken else 0.1

    def _lines(self) -> NDArray[np.bool_]:
        """Columns with a line, dotted or not, through all rows; none if there are as many as QRS complexes."""
        between = self._between()
        if between is None:
            return np.zeros(self.dark.shape[1], np.bool_)
        share = between.mean(axis=0)
        around = median_filter(share, 4 * _R + 1, mode="nearest")
        lines = cv2.dilate((share > np.maximum(0.22, around + 0.15)).astype(np.uint8)[None], np.ones((1, 5), np.uint8))[
            0
        ]
        return np.asarray(lines > 0, np.bool_) if lines.mean() < _MOST_LINES else np.zeros(len(share), np.bool_)

    def _between(self) -> NDArray[np.uint8] | None:
        """The ink halfway between the rows, `(px, w)`."""
        if len(self.levels) < 2:
            return None
        reach = round(0.2 * self.rows.spacing_mm * _R)
        middles = [(a + b) // 2 for a, b in pairwise(self.levels)]
        return np.concatenate([self.dark[max(m - reach, 0) : m + reach + 1] for m in middles])

    def _broken(self, row: int, x: int) -> bool:
        """No ink joins the left to the right of x within half a mm."""
        level, reach = self.levels[row], round(0.95 * self.rows.spacing_mm * _R)
        half = 4
        part = self.dark[max(level - reach, 0) : level + reach + 1, max(x - half, 0) : x + half + 1]
        if part.shape[1] < 2 * half + 1:
            return False
        _, labels = cv2.connectedComponents(part, connectivity=8)
        left, right = set(np.unique(labels[:, 0])) - {0}, set(np.unique(labels[:, -1])) - {0}
        return bool(left and right and not left & right)
