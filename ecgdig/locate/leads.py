"""Which lead is printed where on a flat page: rows, column boundaries and the known layouts put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ecgdig.grid.flat import GeometryError
from ecgdig.locate.ink import INK_PX_PER_MM, Image
from ecgdig.locate.pulse import Pulse
from ecgdig.locate.rows import Rows, find_rows
from ecgdig.page.layout import Layout, LeadPlan, Paper, Segment, lead_plan, limb_plan
from ecgdig.page.warp import Warp
from ecgdig.units import LEADS, STANDARD_GAIN_MM_PER_MV, STANDARD_SPEED_MM_PER_S

__all__ = ["LayoutReading", "Pulse", "Rows", "find_layout", "find_rows"]

_R = INK_PX_PER_MM
COLUMN_STEP_S = 0.1  # columns last a whole number of these
STANDARD_DURATION_S = 10.0

# layouts by number of rows, with the log of how common they are
KNOWN_LAYOUTS: dict[int, dict[str, float]] = {
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


@dataclass(frozen=True, eq=False)
class LayoutReading:
    """What was read of a page's layout.

    Attributes:
        layout: exact segments in the mm of the warp it was read with.
        rows: the rows it was read from.
        warnings: what is uncertain, in words.
        support: 0 to 1, how much better the layout explains the columns than the next best.
    """

    layout: Layout
    rows: Rows
    warnings: tuple[str, ...]
    support: float


def find_layout(
    image: Image,
    warp: Warp,
    *,
    layout: str | None = None,
    rhythm: Sequence[str] | None = None,
    speed_mm_per_s: float | None = None,
    gain_mm_per_mv: float | None = None,
) -> LayoutReading:
    """Read the layout of a flat page; what the caller names is obeyed.

    Args:
        image: uint8 RGB `(H, W, 3)`.
        warp: paper mm -> px with its zero on the grid, as `FlatGrid.warp()` gives it.
        layout: a name such as `3x4+1`; rhythm: the leads of its rhythm strips.

    Raises:
        GeometryError: there are no traces, or not the rows of the layout that was named.
        ValueError: the layout is not known.
    """
    rows = find_rows(image, warp)
    warnings: list[str] = []
    speed = speed_mm_per_s or _read_speed(rows, warnings)
    gain = gain_mm_per_mv or _read_gain(rows, warnings)
    n = len(rows.baselines_mm)
    if layout is not None:
        plans = {layout: 0.0}
        wanted = _plan(layout, rhythm).n_rows
        if wanted != n:
            raise GeometryError(f"layout {layout} has {wanted} rows, the page shows {n}; name another layout or none")
    else:
        plans = KNOWN_LAYOUTS.get(n, {})
    if not plans:
        warnings.append(f"{n} rows fit no known layout: lead names are guesses; name the layout with --layout")
        plan, support = LeadPlan(f"{n}x1", tuple((lead,) for lead in _names(n))), 0.0
        start, column_s = rows.start_mm, (rows.end_mm - rows.start_mm) / speed
    else:
        plan, start, column_s, support = _choose(plans, rhythm, rows, speed)
        if layout is None and len(plans) > 1 and support < 0.5:
            others = ", ".join(name for name in plans if name != plan.name)
            warnings.append(f"layout read as {plan.name}, but {others} is possible; name it with --layout if wrong")
    paper = _paper(warp, image)
    segments = _segments(plan, rows.baselines_mm, start, column_s, speed, gain)
    return LayoutReading(Layout(plan.name, paper, segments), rows, tuple(warnings), support)


def _names(n: int) -> list[str]:
    return [LEADS[i] if i < len(LEADS) else f"row {i + 1}" for i in range(n)]


def _plan(name: str, rhythm: Sequence[str] | None = None) -> LeadPlan:
    return limb_plan() if name == "6x1" else lead_plan(name, rhythm)


def _paper(warp: Warp, image: Image) -> Paper:
    h, w = image.shape[:2]
    corners = warp.to_mm(np.array([(-0.5, -0.5), (w - 0.5, -0.5), (-0.5, h - 0.5), (w - 0.5, h - 0.5)]))
    return Paper(float(corners[:, 0].max()), float(corners[:, 1].max()))


def _segments(
    plan: LeadPlan, baselines_mm: Sequence[float], start_mm: float, column_s: float, speed: float, gain: float
) -> tuple[Segment, ...]:
    segments = []
    for r, row in enumerate((*plan.grid, *((lead,) for lead in plan.rhythm))):
        strip = r >= len(plan.grid)
        for c, lead in enumerate(row):
            segments.append(
                Segment(
                    lead=lead,
                    row=r,
                    column=c,
                    start_s=0.0 if strip else c * column_s,
                    duration_s=column_s * (plan.n_columns if strip else 1),
                    x_mm=start_mm + c * column_s * speed,
                    baseline_mm=baselines_mm[r],
                    gain_mm_per_mv=gain,
                    speed_mm_per_s=speed,
                )
            )
    return tuple(segments)


def _read_speed(rows: Rows, warnings: list[str]) -> float:
    if rows.pulse is not None:
        return rows.pulse.speed_mm_per_s
    width = rows.end_mm - rows.start_mm
    if abs(width / 50.0 - STANDARD_DURATION_S) < 0.06:
        return 50.0
    warnings.append(f"no calibration pulse: {STANDARD_SPEED_MM_PER_S:g} mm/s assumed")
    return STANDARD_SPEED_MM_PER_S


def _read_gain(rows: Rows, warnings: list[str]) -> float:
    if rows.pulse is not None:
        return rows.pulse.gain_mm_per_mv
    warnings.append(f"no calibration pulse: {STANDARD_GAIN_MM_PER_MV:g} mm/mV assumed")
    return STANDARD_GAIN_MM_PER_MV


def _choose(
    plans: dict[str, float], rhythm: Sequence[str] | None, rows: Rows, speed: float
) -> tuple[LeadPlan, float, float, float]:
    """The plan that explains the column boundaries best; x of time zero, seconds a column, and its lead as 0 to 1."""
    best = -np.inf
    for span in (rows, *_usual_spans(rows, speed)):
        trial = _Boundaries(span)
        tried = []
        for name, prior in plans.items():
            plan = _plan(name, rhythm if len(rhythm or ()) == int(name.partition("+")[2] or 0) else None)
            tried.append((prior + trial.score(plan, speed), plan))
        tried.sort(key=lambda item: -item[0])
        if tried[0][0] > best + (0.0 if span is rows else _SPAN_MARGIN):
            best, evidence, rated, rows = tried[0][0], trial, tried, span
    score, plan = rated[0]
    lead = 1.0 if len(rated) == 1 else float(1 - np.exp(-(score - rated[1][0]) / 3))
    column_s, _ = _column_seconds(plan, rows, speed)
    start = rows.start_mm
    if rhythm is None and plan.rhythm and plan.n_columns > 1:
        twins = evidence.twins(plan, column_s * speed)
        named = tuple(new if r > TWIN_CORRELATION else old for (new, r), old in zip(twins, plan.rhythm, strict=True))
        plan = replace(plan, rhythm=named)
    return plan, start, column_s, lead


def _usual_spans(rows: Rows, speed: float) -> list[Rows]:
    """The rows as they would be if 10 s were printed, where what was found is longer: a frame was taken for an end."""
    usual = STANDARD_DURATION_S * speed
    if rows.end_mm - rows.start_mm < usual + _LEAST_FRAME_MM:
        return []
    starts = [rows.start_mm]
    if rows.pulse is not None and rows.pulse.x_mm < rows.start_mm + 1.0:
        starts.append(rows.pulse.end_mm)
    return [replace(rows, start_mm=start, end_mm=start + usual) for start in starts]


def _column_seconds(plan: LeadPlan, rows: Rows, speed: float) -> tuple[float, float]:
    """Seconds a column, a whole number of `COLUMN_STEP_S`, and by how many mm the page's width differs from that."""
    width = rows.end_mm - rows.start_mm
    step = COLUMN_STEP_S * speed * plan.n_columns
    n = max(1, round((width + 0.1) / step))
    return n * COLUMN_STEP_S, float(width - n * step)


_LEAST_FRAME_MM = 3.0  # beyond the traces' usual end
_SPAN_MARGIN = 2.0  # log odds by which another span of the traces must explain the seams better
TWIN_CORRELATION = 0.98  # the same lead printed twice; other leads of one heart reach about 0.95
BREAKS_AT_SEAMS = 0.45  # two leads seldom meet at the same height


class _Boundaries:
    """How much each place on each row looks like the seam of two leads."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        ink = rows.ink.ink
        dark = (ink > 0.3).astype(np.uint8)
        self.fat = cv2.dilate(ink, np.ones((1, 3), np.float32))
        self.dark = dark
        self.levels = [round(float(rows.ink.row(b))) for b in rows.baselines_mm]
        self.names = self._name_band()
        self.chance = self._chance_of_break()

    def score(self, plan: LeadPlan, speed: float) -> float:
        """Sum of the evidence at the seams of a plan; seams that show nothing count against it."""
        column_s, misfit = _column_seconds(plan, self.rows, speed)
        width = column_s * speed
        if width < 8.0:
            return -50.0
        total = -min(max(abs(misfit) - 0.3, 0.0) / 0.3, 6.0) if plan.n_columns > 1 else 0.0
        total += 1.0 if abs(column_s * plan.n_columns - STANDARD_DURATION_S) < 0.01 else 0.0
        seams = [(r, c) for r in range(len(plan.grid)) for c in range(1, plan.n_columns)]
        values = [self.seam(r, self.rows.start_mm + c * width) for r, c in seams]
        strips = 0.0
        if plan.rhythm and plan.n_columns > 1:
            match = self.twins(plan, width)
            strips = 2.5 * sum(r > TWIN_CORRELATION for _, r in match) - 0.4 * len(match)
        return total + float(np.sum(values)) + strips

    def twins(self, plan: LeadPlan, column_mm: float) -> list[tuple[str, float]]:
        """For each rhythm strip, the lead of the grid whose trace is the strip's in the same column, and r."""
        found = []
        for strip in range(len(plan.grid), plan.n_rows):
            best = ("", 0.0)
            for r, row in enumerate(plan.grid):
                for c, lead in enumerate(row):
                    r_value = self._alike(r, strip, self.rows.start_mm + c * column_mm, column_mm)
                    best = max(best, (lead, r_value), key=lambda item: item[1])
            found.append(best)
        return found

    def _alike(self, row: int, strip: int, x_mm: float, width_mm: float) -> float:
        """Correlation of two rows' traces between x and x + width."""
        low, high = (round(float(c)) for c in self.rows.ink.column([x_mm + 1.0, x_mm + width_mm - 1.0]))
        a, b = self.rows.paths_mm[row, max(low, 0) : high], self.rows.paths_mm[strip, max(low, 0) : high]
        known = np.isfinite(a) & np.isfinite(b)
        if known.sum() < 0.5 * max(high - low, 1) or a[known].std() < 0.15 or b[known].std() < 0.15:
            return 0.0
        return float(np.corrcoef(a[known], b[known])[0, 1])

    def seam(self, row: int, x_mm: float) -> float:
        """Log odds that a new lead begins on `row` at `x_mm`, give or take half a mm."""
        x = round(float(self.rows.ink.column(x_mm)))
        evidence = -0.1
        if self._tick(row, x):
            evidence += 2.0
        if self._broken(row, x):
            evidence += float(np.log(BREAKS_AT_SEAMS / self.chance))
        else:
            evidence += float(np.log((1 - BREAKS_AT_SEAMS) / (1 - self.chance)))
        evidence += 1.5 * self._dotted(x)
        evidence += self._named(row, x)
        return evidence

    def _chance_of_break(self) -> float:
        """How often a trace seems broken where no seam is: at odd places along the rows."""
        places = np.linspace(self.rows.start_mm, self.rows.end_mm, 31)[1:-1:2] + 1.7
        columns = [round(float(c)) for c in self.rows.ink.column(places)]
        broken = [self._broken(row, x) for row in range(len(self.levels)) for x in columns]
        return float(np.clip(np.mean(broken), 0.03, 0.5)) if broken else 0.1

    def _dotted(self, x: int) -> bool:
        """A dotted or dashed line through all rows."""
        top, bottom = max(self.levels[0] - 8 * _R, 0), self.levels[-1] + 8 * _R
        part = self.dark[top:bottom, max(x - 2 * _R, 0) : x + 2 * _R + 1]
        if part.shape[1] < 4 * _R + 1:
            return False
        share = part.mean(axis=0)
        middle = float(share[2 * _R - 3 : 2 * _R + 4].max())
        return middle > 0.22 and middle > float(np.median(share)) + 0.15

    def _tick(self, row: int, x: int) -> bool:
        """A thick upright stroke or two bars about the baseline."""
        level = self.levels[row]
        for low, high in ((-3.3, 3.3), (-6.3, -3.3)):
            part = self.fat[
                max(level + round((low - 2) * _R), 0) : level + round((high + 2) * _R) + 1, max(x - 4, 0) : x + 5
            ]
            length = round((high - low) * _R)
            if part.shape[0] >= length and part.size:
                run = cv2.blur(part, (1, length), borderType=cv2.BORDER_CONSTANT)
                if run[length // 2 : part.shape[0] - length // 2 + 1].max(initial=0.0) > 0.75:
                    return True
        return False

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

    def _name_band(self) -> tuple[int, int] | None:
        """Rows (px) about a baseline in which lead names stand at the start of the page, if they do."""
        zero = round(float(self.rows.ink.column(self.rows.start_mm)))
        bands = [(round(4.2 * _R), round(6.5 * _R)), (round(-9.5 * _R), round(-7.4 * _R))]
        amounts = [float(np.mean([self._word(level, band, zero) for level in self.levels])) for band in bands]
        best = int(np.argmax(amounts))
        return bands[best] if amounts[best] > 0.2 else None

    def _word(self, level: int, band: tuple[int, int], x: int) -> float:
        """Share of the 4 mm right of x with ink in a band above or below a row."""
        top, bottom = max(level + band[0], 0), max(level + band[1], 0)
        part = self.dark[top:bottom, max(x + 4, 0) : max(x + 5 * _R, 0)]
        return float(part.max(axis=0).mean()) if part.size else 0.0

    def _named(self, row: int, x: int) -> float:
        """Evidence of a lead name right of x, where the names of the first leads stand too."""
        if self.names is None:
            return 0.0
        level = self.levels[row]
        here, before = self._word(level, self.names, x), self._word(level, self.names, x - 7 * _R)
        if here > 0.25 and before < 0.15:
            return 1.4
        return -0.8 if here < 0.1 else 0.0
