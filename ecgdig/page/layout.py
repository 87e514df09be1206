"""`Layout`: which stretch of which lead is printed where on the sheet, in paper millimetres."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgdig.page.plan import LeadPlan as LeadPlan  # also for those that import plans from here
from ecgdig.page.plan import by_columns as by_columns
from ecgdig.page.plan import cabrera_leads as cabrera_leads
from ecgdig.page.plan import lead_plan as lead_plan
from ecgdig.page.plan import limb_plan as limb_plan
from ecgdig.units import CHEST_LEADS, PULSE_S


@dataclass(frozen=True)
class Paper:
    """A sheet, in mm as it is held to be read."""

    width_mm: float
    height_mm: float

    def __post_init__(self) -> None:
        if not (0 < self.width_mm < 1e5 and 0 < self.height_mm < 1e5):
            raise ValueError(f"paper of {self.width_mm:g} x {self.height_mm:g} mm; want two lengths above 0")


PAPERS = {
    "letter": Paper(279.4, 215.9),
    "a4": Paper(297.0, 210.0),
    "a4-portrait": Paper(210.0, 297.0),
    "letter-portrait": Paper(215.9, 279.4),
    "a5": Paper(210.0, 148.0),
    "a5-portrait": Paper(148.0, 210.0),
    "roll-210": Paper(300.0, 210.0),  # thermal rolls, cut to what was recorded
    "roll-112": Paper(290.0, 112.0),
    "roll-80": Paper(290.0, 80.0),
    "long-sheet": Paper(540.0, 210.0),
    "narrow": Paper(112.0, 290.0),  # a roll held upright
}


def paper_of(size: str | Paper | tuple[float, float]) -> Paper:
    """A sheet from the name of one of `PAPERS`, from (width, height) in mm, or as it is.

    Raises:
        ValueError: no paper of that name.
    """
    if isinstance(size, Paper):
        return size
    if isinstance(size, str):
        if size not in PAPERS:
            raise ValueError(f"unknown paper {size!r}; use {', '.join(PAPERS)} or (width, height) in mm")
        return PAPERS[size]
    return Paper(float(size[0]), float(size[1]))


@dataclass(frozen=True)
class Segment:
    """One printed stretch of one lead.

    `start_s` is recording time; x is `x_mm` there and grows with `speed_mm_per_s`; y is `baseline_mm` at 0 mV and
    *decreases* by `gain_mm_per_mv` for each mV.
    """

    lead: str
    row: int
    column: int
    start_s: float
    duration_s: float
    x_mm: float
    baseline_mm: float
    gain_mm_per_mv: float
    speed_mm_per_s: float

    @property
    def width_mm(self) -> float:
        return self.duration_s * self.speed_mm_per_s

    @property
    def end_mm(self) -> float:
        return self.x_mm + self.width_mm

    def x_of(self, time_s: ArrayLike) -> NDArray[np.float64]:
        return self.x_mm + (np.asarray(time_s, dtype=np.float64) - self.start_s) * self.speed_mm_per_s

    def time_of(self, x_mm: ArrayLike) -> NDArray[np.float64]:
        return self.start_s + (np.asarray(x_mm, dtype=np.float64) - self.x_mm) / self.speed_mm_per_s

    def y_of(self, mv: ArrayLike) -> NDArray[np.float64]:
        return self.baseline_mm - np.asarray(mv, dtype=np.float64) * self.gain_mm_per_mv

    def mv_of(self, y_mm: ArrayLike) -> NDArray[np.float64]:
        return (self.baseline_mm - np.asarray(y_mm, dtype=np.float64)) / self.gain_mm_per_mv


@dataclass(frozen=True)
class Layout:
    """Every printed segment of one sheet; rows count from the top, columns from the left.

    `page` counts the sheets of a long recording, from 0.
    """

    name: str
    paper: Paper
    segments: tuple[Segment, ...]
    page: int = 0

    @property
    def n_rows(self) -> int:
        return 1 + max(segment.row for segment in self.segments)

    def row(self, index: int) -> tuple[Segment, ...]:
        """The segments of one row, left to right."""
        return tuple(sorted((s for s in self.segments if s.row == index), key=lambda s: s.x_mm))

    @property
    def gains_mm_per_mv(self) -> tuple[float, ...]:
        """The gains that occur; where there are two, that of the limb leads first."""
        limb_first = sorted(self.segments, key=lambda s: s.lead in CHEST_LEADS)
        return tuple(dict.fromkeys(s.gain_mm_per_mv for s in limb_first))

    @property
    def duration_s(self) -> float:
        """Recording time of the last printed sample."""
        return max(s.start_s + s.duration_s for s in self.segments)


@dataclass(frozen=True)
class Placement:
    """Where the rows stand on the sheet.

    Attributes:
        left_mm: x of the first printed sample (after the calibration pulse, where there is one).
        right_mm: free paper to the right of the last sample, at least.
        top_mm: y of the first baseline; `row_mm`: from one baseline to the next.
        sequential: columns follow each other in time (as 12-lead carts print); otherwise all start at 0 s.
    """

    left_mm: float
    right_mm: float
    top_mm: float
    row_mm: float
    sequential: bool = True


def arrange(
    plan: LeadPlan,
    paper: Paper,
    placement: Placement,
    *,
    duration_s: float,
    speed_mm_per_s: float = 25.0,
    gain_mm_per_mv: float = 10.0,
    chest_gain_mm_per_mv: float | None = None,
    start_s: float = 0.0,
) -> Layout:
    """Place a plan on paper; what does not fit to the right is not printed (`pages_of` prints it on further sheets).

    Args:
        duration_s: seconds of the recording to print; shortened to what the paper holds.
        start_s: recording time of the first printed sample.
        chest_gain_mm_per_mv: another gain for V1 to V6 (mixed gain), where a cart prints so.

    Raises:
        ValueError: less than half a second a column fits, or speed or gain is not positive.
    """
    if not (speed_mm_per_s > 0 and gain_mm_per_mv > 0):
        raise ValueError(
            f"{speed_mm_per_s:g} mm/s and {gain_mm_per_mv:g} mm/mV; want numbers above 0, such as 25 and 10"
        )
    room_s = (paper.width_mm - placement.left_mm - placement.right_mm) / speed_mm_per_s
    # a whole number of 0.1 s a column, as carts print: 4 x 2.5 s
    column_s = np.floor(min(duration_s, room_s) / plan.n_columns * 10 + 1e-6) / 10
    if column_s < 0.5:
        raise ValueError(
            f"layout {plan.name} at {speed_mm_per_s:g} mm/s leaves {column_s:.1f} s a column on {paper.width_mm:g} mm "
            "wide paper; use wider paper, a slower speed or fewer columns"
        )

    def gain(lead: str) -> float:
        return chest_gain_mm_per_mv if chest_gain_mm_per_mv and lead in CHEST_LEADS else gain_mm_per_mv

    segments = []
    for r, row in enumerate((*plan.grid, *((lead,) for lead in plan.rhythm))):
        rhythm = r >= len(plan.grid)
        for c, lead in enumerate(row):
            segments.append(
                Segment(
                    lead=lead,
                    row=r,
                    column=c,
                    start_s=start_s + (float(c * column_s) if placement.sequential and not rhythm else 0.0),
                    duration_s=float(column_s * (plan.n_columns if rhythm else 1)),
                    x_mm=float(placement.left_mm + c * column_s * speed_mm_per_s),
                    baseline_mm=placement.top_mm + r * placement.row_mm,
                    gain_mm_per_mv=gain(lead),
                    speed_mm_per_s=speed_mm_per_s,
                )
            )
    return Layout(plan.name, paper, tuple(segments))


def pulse_width_mm(speed_mm_per_s: float) -> float:
    """Width of the calibration pulse's top: 0.2 s."""
    return PULSE_S * speed_mm_per_s


def ending_at(layout: Layout, end_s: float) -> Layout:
    """The layout without what lies after recording time `end_s`: segments end there, later ones are left out."""
    kept = [
        replace(s, duration_s=min(s.duration_s, end_s - s.start_s)) for s in layout.segments if s.start_s < end_s - 1e-9
    ]
    return replace(layout, segments=tuple(kept))
