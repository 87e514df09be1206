"""Which lead each curve of a page is: rows and columns by where the curves are, names by the words beside them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ecgdig.grid.flat import GeometryError
from ecgdig.locate.names import Word
from ecgdig.locate.plans import named_plan, plans_of
from ecgdig.page.plan import LeadPlan, column_plan
from ecgdig.recording import canonical_lead
from ecgdig.units import (
    GAIN_RANGE_MM_PER_MV,
    LEADS,
    SPEED_RANGE_MM_PER_S,
    STANDARD_GAIN_MM_PER_MV,
    STANDARD_SPEED_MM_PER_S,
)
from ecgdig.vector.curves import Curve, Pulse
from ecgdig.vector.grid import Grid
from ecgdig.vector.paths import Text

_WIDE = 0.75  # of the page's traces, from which a curve is a whole row's
_COLUMN_MM = 1.5  # starts and ends of one column differ no more
_LEVEL_MM = 9.0  # curves of one row lie no further apart in height, where nothing else tells
_OVERLAP_MM = 1.0  # curves of one row overlap no more
_BEFORE_MM, _AFTER_MM = 26.0, 4.0  # of a name's left edge, from the start of its curve: in the margin, or just inside
_HIGHEST_MM, _LOWEST_MM = 26.0, 12.0  # of a name above and below its row
_REACH = 0.4  # of the distance between rows, by which a name may be off
_NEARER = 0.01  # a mm: among equals the names that are nearer to their rows
_WEIGHT = 4.0  # log odds of a name where a plan has it
_CLOSE = 0.12  # relative, of a pulse's size and a usual one
_SPEEDS, _GAINS = (25.0, 50.0, 12.5, 100.0, 10.0), (10.0, 5.0, 20.0, 2.5, 40.0)
_NUMBER = r"(\d+(?:[.,]\d+)?)\s*"
_PER_MV = r"mm\s*/\s*mV"
_MIXED_GAIN = re.compile(
    rf"{_NUMBER}/\s*{_NUMBER}{_PER_MV}|limb\W*{_NUMBER}{_PER_MV}\W*chest\W*{_NUMBER}{_PER_MV}", re.IGNORECASE
)


@dataclass(frozen=True, eq=False)
class Cell:
    """What is printed of one lead in one row: its curves, from left to right, and from where to where, in mm."""

    lead: str
    row: int
    column: int
    curves: tuple[Curve, ...]
    start_mm: float
    end_mm: float


@dataclass(frozen=True)
class Scale:
    """Paper speed in mm/s, gain of limb and of chest leads in mm/mV, and what is uncertain about them, in words."""

    speed: float
    gain: float
    warnings: tuple[str, ...]
    chest_gain: float


def rows_of(curves: Sequence[Curve]) -> list[list[Curve]]:
    """The curves by rows from the top, each from left to right."""
    left, right = min(c.start_mm for c in curves), max(c.end_mm for c in curves)
    wide = [c for c in curves if c.end_mm - c.start_mm > _WIDE * (right - left)]
    narrow = [c for c in curves if c.end_mm - c.start_mm <= _WIDE * (right - left)]
    columns: list[list[Curve]] = []
    for curve in sorted(narrow, key=lambda c: c.start_mm):
        if columns and abs(curve.start_mm - columns[-1][0].start_mm) < _COLUMN_MM:
            columns[-1].append(curve)
        else:
            columns.append([curve])
    if len({len(column) for column in columns}) == 1 and _side_by_side(
        columns
    ):  # a full grid: the order within each column is that of the rows
        stacks = [sorted(column, key=lambda c: c.middle_mm) for column in columns]
        rows = [list(row) for row in zip(*stacks, strict=True)] + [[curve] for curve in wide]
        return sorted(rows, key=lambda row: float(np.median([c.middle_mm for c in row])))
    rows = []
    for curve in sorted(curves, key=lambda c: c.middle_mm):
        level = np.median([c.middle_mm for c in rows[-1]]) if rows else np.inf
        if abs(curve.middle_mm - level) < _LEVEL_MM and all(_apart(curve, other) for other in rows[-1]):
            rows[-1].append(curve)
        else:
            rows.append([curve])
    return [sorted(row, key=lambda c: c.start_mm) for row in rows]


def _side_by_side(columns: Sequence[Sequence[Curve]]) -> bool:
    """Whether all columns share some height: leads one under the other may be printed at different times too."""
    lowest = max(min(c.middle_mm for c in column) for column in columns)
    highest = min(max(c.middle_mm for c in column) for column in columns)
    return lowest < highest + _LEVEL_MM


def _apart(a: Curve, b: Curve) -> bool:
    return a.start_mm > b.end_mm - _OVERLAP_MM or b.start_mm > a.end_mm - _OVERLAP_MM


def baselines_of(rows: Sequence[Sequence[Curve]], pulses: Sequence[Pulse]) -> tuple[list[float], list[Pulse | None]]:
    """The height of 0 mV in each row, in mm: the foot of its calibration pulse, else what its traces keep longest."""
    levels = [_level(row) for row in rows]
    spacing = float(np.min(np.diff(levels))) if len(levels) > 1 else 30.0
    of_row: list[Pulse | None] = []
    for i, level in enumerate(levels):
        near = [p for p in pulses if abs(p.foot_mm - level) < max(0.5 * spacing, 3.0)]
        of_row.append(min(near, key=lambda p: abs(p.foot_mm - level)) if near else None)
        found = of_row[-1]
        if found is not None:
            levels[i] = found.foot_mm
    return levels, of_row


def _level(row: Sequence[Curve]) -> float:
    """The mode of the heights of a row, over time."""
    heights = np.concatenate([np.interp(np.arange(c.start_mm, c.end_mm, 0.2), *c.points.T) for c in row])
    low = float(heights.min())
    count = np.bincount(np.round((heights - low) / 0.2).astype(int), minlength=5)
    smooth = np.convolve(count, [1, 2, 3, 2, 1], "same")
    return low + 0.2 * float(np.argmax(smooth))


def words_of(texts: Sequence[Text], grid: Grid) -> tuple[Word, ...]:
    """The names of leads among what is written, where their left edges stand in mm."""
    words = []
    for text in texts:
        lead = canonical_lead(text.text.strip(" :.;,()[]"))
        if lead in LEADS or (lead.startswith("-") and lead[1:] in LEADS):
            corners = grid.mm(np.array([text.box[:2], text.box[2:]]))
            words.append(Word(lead, float(corners[0, 0]), float(corners[:, 1].mean()), 1.0))
    return tuple(words)


def cells_of(
    rows: Sequence[Sequence[Curve]], baselines: Sequence[float], words: Sequence[Word], layout: str | None
) -> tuple[list[Cell], str, list[str]]:
    """Every printed lead, the layout's name, and what is uncertain, in words.

    Raises:
        GeometryError: `layout` has other rows than the page.
        ValueError: it is not known.
    """
    start = min(row[0].start_mm for row in rows)
    names = _placed(words, baselines, start)
    warnings: list[str] = []
    if layout is not None:
        plan = named_plan(layout)
        if plan.n_rows != len(rows):
            raise GeometryError(
                f"layout {layout} has {plan.n_rows} rows, the page shows {len(rows)}; name another layout or none"
            )
    else:
        named = _named(rows, names)
        if named is None:
            plan = _usual(rows, names)
            warnings.append(
                f"no lead names beside the traces: read as {plan.name}; name the --layout or --leads if wrong"
            )
        else:
            plan = named
    cells = []
    grid = (*plan.grid, *((lead,) for lead in plan.rhythm))
    for r, (row, leads) in enumerate(zip(rows, grid, strict=True)):
        for c, (lead, (curves, first, last)) in enumerate(zip(leads, _divided(row, len(leads)), strict=True)):
            cells.append(Cell(lead, r, c, tuple(curves), first, last))
    return cells, plan.name, warnings


def _named(rows: Sequence[Sequence[Curve]], names: Sequence[Sequence[Word]]) -> LeadPlan | None:
    """The plan that the names beside the curves give; None where a row has none, or two curves have one."""
    leads: list[tuple[str, ...]] = []
    for r, row in enumerate(rows):
        here = sorted(names[r], key=lambda w: w.x_mm)
        if not here:
            return None
        if len(row) > 1:  # one name a curve, where each has one
            own = [_beside(c, here, i == 0) for i, c in enumerate(row)]
            here = [word for word in own if word is not None] if None not in own else here
        leads.append(tuple(w.token for w in here))
    columns = max(len(row) for row in leads)
    n_grid = len(leads)
    while columns > 1 and n_grid and len(leads[n_grid - 1]) == 1:
        n_grid -= 1
    grid, strips = tuple(leads[:n_grid]), tuple(row[0] for row in leads[n_grid:])
    flat = [lead for row in grid for lead in row]
    if not grid or len(set(flat)) < len(flat):
        return None
    return LeadPlan(f"{n_grid}x{columns}" + (f"+{len(strips)}" if strips else ""), grid, strips)


def _placed(words: Sequence[Word], baselines: Sequence[float], start_mm: float) -> list[list[Word]]:
    """The names of each row: those of a page stand equally high over their rows, in the margin lower than elsewhere."""
    levels = np.array(baselines)
    reach = _REACH * float(np.diff(levels).min()) if len(levels) > 1 else _HIGHEST_MM
    placed: list[list[Word]] = [[] for _ in baselines]
    for together in ([w for w in words if w.x_mm < start_mm], [w for w in words if w.x_mm >= start_mm]):
        best: tuple[float, list[tuple[int, Word]]] = (0.0, [])
        for over in np.arange(-_HIGHEST_MM, _LOWEST_MM, 0.5):
            pairs = [(int(np.argmin(np.abs(levels + over - w.y_mm))), w) for w in together]
            off = [abs(levels[r] + over - w.y_mm) for r, w in pairs]
            value = sum(1 - 0.3 * d / reach for d in off if d < reach) - _NEARER * abs(float(over))
            if value > best[0]:
                best = value, [pair for pair, d in zip(pairs, off, strict=True) if d < reach]
        for row, word in best[1]:
            placed[row].append(word)
    return placed


def _beside(curve: Curve, words: Sequence[Word], is_first: bool) -> Word | None:
    """The name nearest to where a curve starts: of the first curve of a row it may stand in the margin."""
    low = curve.start_mm - (_BEFORE_MM if is_first else _AFTER_MM)
    high = curve.start_mm + 0.5 * (curve.end_mm - curve.start_mm)
    near = [word for word in words if low < word.x_mm < high]
    return min(near, key=lambda word: abs(word.x_mm - curve.start_mm)) if near else None


def _usual(rows: Sequence[Sequence[Curve]], names: Sequence[Sequence[Word]]) -> LeadPlan:
    """The commonest plan of so many rows and columns; leads one under the other if there is none."""
    columns = [len(row) for row in rows]
    fits = []
    for plan, prior in plans_of(len(rows)):
        wanted = [len(row) for row in plan.grid] + [1] * len(plan.rhythm)
        continuous = max(columns) == 1  # the pen may go on from lead to lead
        if columns == wanted or continuous:
            fits.append((prior + _WEIGHT * _support(plan, rows, names), plan))
    if fits:
        return max(fits, key=lambda fit: fit[0])[1]
    return column_plan([LEADS[i] if i < len(LEADS) else f"row {i + 1}" for i in range(len(rows))])


def _support(plan: LeadPlan, rows: Sequence[Sequence[Curve]], names: Sequence[Sequence[Word]]) -> int:
    """How many more of the names stand where a plan has them than elsewhere."""
    left, right = min(row[0].start_mm for row in rows), max(row[-1].end_mm for row in rows)
    total = 0
    for leads, words in zip((*plan.grid, *((lead,) for lead in plan.rhythm)), names, strict=True):
        for word in words:
            column = int((word.x_mm + _AFTER_MM - left) / (right - left) * len(leads))
            total += 1 if word.token == leads[min(max(column, 0), len(leads) - 1)] else -1
    return total


def _divided(row: Sequence[Curve], n: int) -> list[tuple[list[Curve], float, float]]:
    """The curves of each of `n` leads of a row, and from where to where they are."""
    if len(row) == n:
        return [([c], c.start_mm, c.end_mm) for c in row]
    first, last = row[0].start_mm, row[-1].end_mm
    edges = np.linspace(first, last, n + 1)
    if len(row) > n:  # pieces: a lead begins where one of them does
        starts = np.array([c.start_mm for c in row])
        edges[1:-1] = [starts[int(np.argmin(np.abs(starts - edge)))] for edge in edges[1:-1]]
    divided = []
    for a, b in pairwise(edges):
        inside = [c for c in row if c.start_mm < b - 1e-6 and c.end_mm > a + 1e-6]
        x = np.concatenate([*(c.points[:, 0] for c in inside), [np.inf]])  # corners: an edge may lie between two
        x = x[(x >= a - 1e-6) & (x < (b - 1e-6 if b < last else np.inf))]
        divided.append((inside, float(x.min(initial=b)), float(x.max(initial=a))))
    return divided


def scale_of(
    texts: Sequence[Text],
    pulses: Sequence[Pulse],
    speed: float | None,
    gain: float | None,
    chest_gain: float | None = None,
) -> Scale:
    """Speed and gain: as given, as written on the page, by the calibration pulse, or as usual."""
    written = " ".join(text.text for text in texts)
    warnings: list[str] = []

    def settle(what: str, given: float | None, pattern: str, sizes: list[float], usual: tuple[float, ...]) -> float:
        if given is not None:
            return given
        said = [float(n.replace(",", ".")) for n in re.findall(_NUMBER + pattern, written)]
        low, high = SPEED_RANGE_MM_PER_S if what == "speed" else GAIN_RANGE_MM_PER_MV
        said = [value for value in said if low <= value <= high]
        measured = float(np.median(sizes)) if sizes else None
        shown = None
        if measured is not None:
            near = min(usual, key=lambda value: abs(np.log(value / measured)))
            shown = near if abs(near / measured - 1) < _CLOSE else None
        unit = "mm/s" if what == "speed" else "mm/mV"
        if said:
            if len(set(said)) > 1 or (shown is not None and abs(shown / said[0] - 1) > _CLOSE):
                warnings.append(f"more than one {what} is shown: {said[0]:g} {unit} taken; give --{what} if wrong")
            return said[0]
        if shown is not None:
            return shown
        value = STANDARD_SPEED_MM_PER_S if what == "speed" else STANDARD_GAIN_MM_PER_MV
        warnings.append(f"no calibration pulse: {value:g} {unit} assumed")
        return value

    widths = [p.speed_mm_per_s for p in pulses]
    heights = [p.height_mm for p in pulses]
    found_speed = settle("speed", speed, r"mm\s*/\s*s", widths, _SPEEDS)
    mixed = _MIXED_GAIN.search(written) if gain is None else None
    limb, chest = (float(n.replace(",", ".")) for n in mixed.groups() if n is not None) if mixed else (0.0, 0.0)
    low, high = GAIN_RANGE_MM_PER_MV
    if not (low <= limb <= high and low <= chest <= high):
        limb = chest = settle("gain", gain, _PER_MV, heights, _GAINS)
    if limb != chest:
        warnings.append(f"limb leads are read at {limb:g} mm/mV, chest leads at {chest:g}")
    return Scale(found_speed, limb, tuple(warnings), chest_gain or chest)
