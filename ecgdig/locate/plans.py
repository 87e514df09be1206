"""Which orders of leads a page of so many rows may have, and how well the names printed on it speak for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ecgdig.locate.names import Word
from ecgdig.page.layout import LeadPlan, lead_plan, limb_plan
from ecgdig.page.plan import cabrera_leads, column_plan
from ecgdig.units import CABRERA_LIMB_LEADS, CHEST_LEADS, LEADS

# layouts by number of rows, with the log of how common they are
KNOWN_LAYOUTS: dict[int, dict[str, float]] = {
    1: {"1x1": 0.0},
    2: {"2x6": 0.0},
    3: {"3x4": 0.0, "2x6+1": -3.0},
    4: {"3x4+1": 0.0, "4x3": -2.5, "2x6+2": -4.0},
    5: {"3x4+2": 0.0, "4x3+1": -2.5},
    6: {"3x4+3": 0.0, "6x2": 0.0, "6x1": -3.0, "4x3+2": -4.0},
    7: {"6x2+1": 0.0, "4x3+3": -3.0},
    8: {"6x2+2": 0.0},
    9: {"6x2+3": 0.0},
    12: {"12x1": 0.0},
    13: {"12x1+1": 0.0},
    14: {"12x1+2": 0.0},
    15: {"12x1+3": 0.0},
}
CABRERA, CHEST_ONLY, AS_NAMED = -2.5, -1.5, -2.5  # log odds against the usual order
_HIGHEST_MM, _LOWEST_MM = 26.0, 12.0  # of a name's middle above and below its row
_BEFORE_MM, _AFTER_MM, _LEFT_MM = 3.0, 24.0, 24.0  # of a name's middle about the start of its lead, and of its row
_TOGETHER_MM = 1.6  # the names of a page stand at one height over their rows, give or take
_NEARER = 0.004  # a mm
_FIRST_MM = 20.0  # right of the start of the rows: names of the first column
_SURE, _HINT = 0.4, 0.25
_WEIGHT, _UNNAMED, _UNEXPLAINED = 4.0, 1.2, 2.0
_NAMELESS = -3.0  # log of how seldom a page has no names


def named_plan(name: str, rhythm: Sequence[str] | None = None) -> LeadPlan:
    """`lead_plan`, with the limb leads for `6x1` and lead II for `1x1`.

    Raises:
        ValueError: the layout is not known.
    """
    if name in {"6x1", "1x1"}:
        return limb_plan() if name == "6x1" else column_plan(("II",))
    return lead_plan(name, rhythm)


def plans_of(n_rows: int, rhythm: Sequence[str] | None = None) -> Iterator[tuple[LeadPlan, float]]:
    """Plans of so many rows and the log of how common they are."""
    for name, prior in KNOWN_LAYOUTS.get(n_rows, {}).items():
        strips = rhythm if len(rhythm or ()) == int(name.partition("+")[2] or 0) else None
        yield named_plan(name, strips), prior
        if name == "6x1":
            yield column_plan(CHEST_LEADS), prior + CHEST_ONLY
            yield column_plan(CABRERA_LIMB_LEADS), prior + CABRERA
        elif name != "1x1":
            yield lead_plan(name, strips, cabrera_leads()), prior + CABRERA


@dataclass(frozen=True)
class _Placed:
    word: Word
    row: int


def _says(word: Word, lead: str) -> bool:
    """Whether a word may be the name of a lead; a minus sign is easily overlooked."""
    return word.token == lead or (lead == "-aVR" and word.token == "aVR")


def _at_one_height(words: Sequence[Word], baselines_mm: Sequence[float]) -> list[_Placed]:
    """The words that stand equally high over their rows, each with its row: as many as possible.

    In narrow rows a name stands as near to the row above its own: where the names follow a known plan decides.
    """
    pairs = [
        (word, r, word.y_mm - level)
        for word in words
        for r, level in enumerate(baselines_mm)
        if -_HIGHEST_MM < word.y_mm - level < _LOWEST_MM
    ]
    plans = [plan for plan, _ in plans_of(len(baselines_mm))]
    best: list[_Placed] = []
    most = 0.0
    for _, _, height in pairs:
        here = [(word, r) for word, r, off in pairs if abs(off - height) < _TOGETHER_MM]
        # as many names in as many rows as possible; among equals those nearer to their rows
        named = {r: max(word.chance**2 for word, at in here if at == r) for r in {r for _, r in here}}
        value = sum(word.chance**2 for word, _ in here) + 0.5 * sum(named.values())
        value += max((_in_rows_of(plan, here) for plan in plans), default=0.0)
        value *= 1 - _NEARER * abs(height)
        if value > most:
            most, best = value, [_Placed(word, r) for word, r in here]
    return best


def _in_rows_of(plan: LeadPlan, placed: Sequence[tuple[Word, int]]) -> float:
    """How many of the words stand in the row that a plan has their lead in, by their chances squared."""
    rows = (*plan.grid, *((lead,) for lead in plan.rhythm))
    return sum(word.chance**2 for word, r in placed if any(_says(word, lead) for lead in rows[r]))


class Names:
    """The lead names of a page, each with the row it belongs to."""

    def __init__(self, words: Sequence[Word], baselines_mm: Sequence[float], start_mm: float) -> None:
        self.n_rows = len(baselines_mm)
        leads = [word for word in words if word.token in LEADS or word.token == "-aVR"]
        # names left of the rows, or between pulse and trace, stand lower than those of the other columns
        first = [word for word in leads if word.x_mm < start_mm + _FIRST_MM]
        later = [word for word in leads if word.x_mm >= start_mm + _FIRST_MM]
        self.placed = [*_at_one_height(first, baselines_mm), *_at_one_height(later, baselines_mm)]

    @property
    def amount(self) -> float:
        """How many names were read, by their chances."""
        return sum(p.word.chance for p in self.placed)

    def score(self, plan: LeadPlan, start_mm: float, column_mm: float) -> float:
        """Log odds, about, that the names speak for a plan whose first column begins at `start_mm`."""
        if self.amount < 1.0:
            return 0.0
        total, explained = 0.0, set()
        for r, row in enumerate((*plan.grid, *((lead,) for lead in plan.rhythm))):
            free = r >= len(plan.grid)  # any lead may be a rhythm strip
            for c, lead in enumerate(row):
                near = self._near(r, start_mm, column_mm, c)
                explained |= {id(p) for p in near}
                right = max((p.word.chance for p in near if _says(p.word, lead)), default=0.0)
                wrong = max((p.word.chance for p in near if not _says(p.word, lead)), default=0.0)
                if free:
                    total += 0.5 * _WEIGHT * max(right, wrong)
                elif max(right, wrong) > 0:
                    total += _WEIGHT * (right - wrong)
                else:
                    total -= _UNNAMED * min(self.amount / self.n_rows, 1.0)
        sure = [p for p in self.placed if p.word.chance > _SURE]
        rest = sum(p.word.chance for p in sure if id(p) not in explained)
        # or there are no names on the page, and none of the words is one
        nameless = _NAMELESS - _UNEXPLAINED * sum(p.word.chance for p in sure)
        return max(total - _UNEXPLAINED * rest, nameless)

    def matched(self, plan: LeadPlan, start_mm: float, column_mm: float) -> float:
        """How many leads of a plan have their own name beside them, by the chances of these."""
        total = 0.0
        for r, row in enumerate((*plan.grid, *((lead,) for lead in plan.rhythm))):
            for c, lead in enumerate(row):
                near = self._near(r, start_mm, column_mm, c)
                total += max((p.word.chance for p in near if _says(p.word, lead)), default=0.0)
        return total

    def of_strip(self, plan: LeadPlan, strip: int, start_mm: float, column_mm: float) -> dict[str, float]:
        """Leads whose names stand beside a rhythm strip, counted from 0, and how sure that is."""
        near = self._near(len(plan.grid) + strip, start_mm, column_mm * plan.n_columns, 0)
        return {p.word.token: p.word.chance for p in sorted(near, key=lambda p: p.word.chance)}

    def plan(self) -> LeadPlan | None:
        """The plan that the names alone give: one, or as many as in the other rows, for each row; None if some lack."""
        return self._plan(_SURE) or self._plan(_HINT)

    def _plan(self, least: float) -> LeadPlan | None:
        rows: list[list[Word]] = [[] for _ in range(self.n_rows)]
        for p in sorted(self.placed, key=lambda p: -p.word.chance):
            row = rows[p.row]
            apart = all(abs(p.word.x_mm - w.x_mm) > 12.0 and p.word.token != w.token for w in row)
            if p.word.chance > least and apart:
                row.append(p.word)
        if not all(rows):
            return None
        names = [tuple(w.token for w in sorted(row, key=lambda w: w.x_mm)) for row in rows]
        n_columns = max(len(row) for row in names)
        n_grid = len(names)
        while n_columns > 1 and n_grid and len(names[n_grid - 1]) == 1:
            n_grid -= 1
        grid, strips = tuple(names[:n_grid]), tuple(row[0] for row in names[n_grid:])
        leads = [lead for row in grid for lead in row]
        if not grid or any(len(row) != n_columns for row in grid) or len(set(leads)) < len(leads):
            return None
        return LeadPlan(f"{n_grid}x{n_columns}" + (f"+{len(strips)}" if strips else ""), grid, strips)

    def _near(self, row: int, start_mm: float, column_mm: float, column: int) -> list[_Placed]:
        x = start_mm + column * column_mm
        low = x - (_BEFORE_MM if column else _LEFT_MM)
        high = x + min(_AFTER_MM, 0.5 * column_mm)
        return [p for p in self.placed if p.row == row and low < p.word.x_mm < high]


def column_step_mm(names: Names) -> float:
    """From one column of names to the next: the median distance within the rows; NaN if there are none."""
    steps = []
    for r in range(names.n_rows):
        x = sorted(p.word.x_mm for p in names.placed if p.row == r and p.word.chance > _SURE)
        steps += [b - a for a, b in pairwise(x[1:]) if b - a > 12.0]
    return float(np.median(steps)) if steps else float("nan")
