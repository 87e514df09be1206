"""Which lead is printed where on a flat page: rows, seams, names and the known layouts put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ecgdig.grid.flat import GeometryError
from ecgdig.locate.ink import Image
from ecgdig.locate.limbs import IN_I_AND_II, misfit_of
from ecgdig.locate.names import Word, read_words
from ecgdig.locate.plans import AS_NAMED, KNOWN_LAYOUTS, Names, column_step_mm, named_plan, plans_of
from ecgdig.locate.pulse import Pulse
from ecgdig.locate.rows import Rows, find_rows
from ecgdig.locate.seams import TWIN_CORRELATION, Seams
from ecgdig.locate.sequence import begin_together
from ecgdig.locate.spans import USUAL_S, Span, spans_of
from ecgdig.page.layout import Layout, LeadPlan, Paper, Segment
from ecgdig.page.plan import column_plan
from ecgdig.page.warp import Warp
from ecgdig.units import CHEST_LEADS, LEADS, PULSE_S

__all__ = ["KNOWN_LAYOUTS", "LayoutReading", "Pulse", "Rows", "find_layout", "find_rows"]

COLUMN_STEP_S = 0.1  # columns last a whole number of these
STANDARD_DURATION_S = USUAL_S
_LAWS = 2.5  # how much the laws of the limb leads count
_LEAST_MISFIT = 0.12  # what the ink of good pages leaves
_LEAST_COLUMN_MM = 8.0
# log of how common speeds (mm/s) and gains (mm/mV) are, and what pulses and print count beside that
_SPEEDS = {25.0: 0.0, 50.0: -2.0, 12.5: -3.5, 100.0: -5.0}
_GAINS = {10.0: 0.0, 5.0: -1.5, 20.0: -2.0, 2.5: -4.0}
_MIXED, _MIXED_PRIOR = (10.0, 5.0), -2.0  # of limb and chest leads
_IN_LINE_MM, _NEXT_WORD_MM = 2.0, 60.0  # words that are printed side by side
_USUAL_STRIP, _TWIN = 0.45, 0.6  # beside the chance of a name
_PULSE, _DOUBTFUL_PULSE, _NOTCH, _PRINTED, _LEAST_PRINTED = 9.0, 2.5, 4.0, 6.0, 0.5


@dataclass(frozen=True, eq=False)
class LayoutReading:
    """What was read of a page's layout.

    Attributes:
        layout: exact segments in the mm of the warp it was read with.
        rows: the rows it was read from.
        warnings: what is uncertain, in words.
        support: 0 to 1, how much better the layout explains the columns than the next best.
        words: what was read of the print: names of leads, speed and gain.
        named: how many leads have their own name beside them, by the chances of these.
    """

    layout: Layout
    rows: Rows
    warnings: tuple[str, ...]
    support: float
    words: tuple[Word, ...] = ()
    named: float = 0.0


def find_layout(
    image: Image,
    warp: Warp,
    *,
    layout: str | None = None,
    rhythm: Sequence[str] | None = None,
    speed_mm_per_s: float | None = None,
    gain_mm_per_mv: float | None = None,
    chest_gain_mm_per_mv: float | None = None,
) -> LayoutReading:
    """Read the layout of a flat page; what the caller names is obeyed.

    Args:
        image: uint8 RGB `(H, W, 3)`.
        warp: paper mm -> px with its zero on the grid, as `FlatGrid.warp()` gives it.
        layout: a name such as `3x4+1`; rhythm: the leads of its rhythm strips.
        chest_gain_mm_per_mv: of V1 to V6, where it differs from that of the other leads.

    Raises:
        GeometryError: there are no traces, or not the rows of the layout that was named.
        ValueError: the layout is not known.
    """
    rows = find_rows(image, warp)
    words = read_words(rows.ink)
    names = Names(words, rows.baselines_mm, rows.start_mm)
    plans = _plans(len(rows.baselines_mm), layout, rhythm, names)
    speed = speed_mm_per_s or _read_speed(rows, words)
    chosen = _choose(plans, rows, speed, names, rhythm is None)
    if rows.pulse is not None and chosen.start_mm < rows.pulse.x_mm < chosen.end_mm:
        rows = replace(rows, pulse=None)  # it was a part of the traces
        if speed_mm_per_s is None and _read_speed(rows, words) != speed:
            speed = _read_speed(rows, words)
            chosen = _choose(plans, rows, speed, names, rhythm is None)
    limb, chest = _read_gain(rows, words) if gain_mm_per_mv is None else (gain_mm_per_mv, gain_mm_per_mv)
    chest = chest_gain_mm_per_mv or chest
    plan, start, column_s = chosen.plan, chosen.start_mm, chosen.column_s
    guessed = len(rows.baselines_mm) not in KNOWN_LAYOUTS and layout is None and names.plan() is None
    told = [f"{speed:g} mm/s"] if speed_mm_per_s is None else []
    told += [f"{limb:g} mm/mV"] if gain_mm_per_mv is None else []
    warnings = [f"no calibration pulse: {t} assumed" for t in told if rows.pulse is None and not _printed(words, t)]
    warnings += _doubts(chosen, plans, guessed) if layout is None else []
    if limb != chest:
        warnings.append(f"limb leads are read at {limb:g} mm/mV, chest leads at {chest:g}")
    together = begin_together(rows, plan, start, column_s * speed, speed)
    if together:
        warnings.append("the columns show the same beats: read as beginning together")
    segments = _segments(plan, rows.baselines_mm, start, column_s, speed, (limb, chest))
    if together:
        segments = tuple(replace(s, start_s=0.0) for s in segments)
    return LayoutReading(
        Layout(plan.name, _paper(warp, image), segments),
        rows,
        tuple(warnings),
        0.0 if guessed else chosen.support,
        words,
        names.matched(plan, start, column_s * speed),
    )


@dataclass(frozen=True)
class _Choice:
    """The plan that explains a page best, where it begins, and its lead over the others, 0 to 1."""

    plan: LeadPlan
    start_mm: float
    column_s: float
    speed_mm_per_s: float
    support: float

    @property
    def end_mm(self) -> float:
        return self.start_mm + self.column_s * self.plan.n_columns * self.speed_mm_per_s


def _doubts(chosen: _Choice, plans: list[tuple[LeadPlan, float]], guessed: bool) -> list[str]:
    """Warnings of a layout that is a guess, or hardly better than another."""
    if guessed:
        n = chosen.plan.n_rows
        return [f"{n} rows fit no known layout: lead names are guesses; name the layout with --layout"]
    others = ", ".join(dict.fromkeys(p.name for p, _ in plans if p.name != chosen.plan.name))
    if len(plans) < 2 or chosen.support >= 0.5 or not others:
        return []
    return [f"layout read as {chosen.plan.name}, but {others} is possible; name it with --layout if wrong"]


def _plans(n: int, layout: str | None, rhythm: Sequence[str] | None, names: Names) -> list[tuple[LeadPlan, float]]:
    """The plans to choose from, with the log of how common they are.

    Raises:
        GeometryError: the layout that was named has another number of rows.
        ValueError: it is not known.
    """
    if layout is not None:
        wanted = named_plan(layout, rhythm)
        if wanted.n_rows != n:
            raise GeometryError(
                f"layout {layout} has {wanted.n_rows} rows, the page shows {n}; name another layout or none"
            )
        return [(wanted, 0.0)]
    plans = list(plans_of(n, rhythm))
    as_named = names.plan()
    # a minus sign is easily overlooked, and in the Cabrera order it is never missing
    if as_named is not None and all(_unsigned(as_named) != _unsigned(plan) for plan, _ in plans):
        plans.append((as_named, AS_NAMED))
    if not plans:
        plans = [(column_plan([LEADS[i] if i < len(LEADS) else f"row {i + 1}" for i in range(n)]), 0.0)]
    return plans


def _unsigned(plan: LeadPlan) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(lead.lstrip("-") for lead in row) for row in plan.grid)


def _paper(warp: Warp, image: Image) -> Paper:
    h, w = image.shape[:2]
    corners = warp.to_mm(np.array([(-0.5, -0.5), (w - 0.5, -0.5), (-0.5, h - 0.5), (w - 0.5, h - 0.5)]))
    return Paper(float(corners[:, 0].max()), float(corners[:, 1].max()))


def _segments(
    plan: LeadPlan,
    baselines_mm: Sequence[float],
    start_mm: float,
    column_s: float,
    speed: float,
    gains: tuple[float, float],
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
                    gain_mm_per_mv=gains[lead in CHEST_LEADS],
                    speed_mm_per_s=speed,
                )
            )
    return tuple(segments)


def _read_speed(rows: Rows, words: Sequence[Word]) -> float:
    """Paper speed by the pulse, the print and what would be printed then: seldom more than 10 s."""
    width = rows.end_mm - rows.start_mm
    score = dict(_SPEEDS)
    for speed in score:
        if rows.pulse is not None:
            weight = _PULSE if rows.pulse.is_sure else _DOUBTFUL_PULSE
            score[speed] += weight * (rows.pulse.speed_mm_per_s == speed)
            notch = abs(np.log(rows.pulse.width_mm / (0.5 * PULSE_S * speed))) < 0.2  # half as wide as a pulse
            score[speed] += _NOTCH * notch * rows.pulse.is_sure
        score[speed] -= 3.0 if width / speed > STANDARD_DURATION_S + 0.6 else 0.0
        score[speed] += 2.0 if abs(width / speed - STANDARD_DURATION_S) < 0.2 else 0.0
        score[speed] += _PRINTED * _printed(words, f"{speed:g} mm/s")
    return max(score, key=lambda speed: score[speed])


def _read_gain(rows: Rows, words: Sequence[Word]) -> tuple[float, float]:
    """The gain of limb and of chest leads, by the pulse and the print."""
    score = {(gain, gain): prior for gain, prior in _GAINS.items()} | {_MIXED: _MIXED_PRIOR}
    for limb, chest in score:
        if rows.pulse is not None:
            weight = _PULSE if rows.pulse.is_sure else _DOUBTFUL_PULSE
            score[limb, chest] += weight * (rows.pulse.gain_mm_per_mv == limb)
        score[limb, chest] += _PRINTED * (
            _printed(words, f"{limb:g} mm/mV") if limb == chest else _printed_apart(words, limb, chest)
        )
    return max(score, key=lambda gains: score[gains])


def _printed_apart(words: Sequence[Word], limb: float, chest: float) -> float:
    """How sure it is that two gains are printed in a line, as in `Limb: 10 mm/mV  Chest: 5 mm/mV`.

    They count as two words: each alone speaks for one gain.
    """
    said = [[w for w in words if w.token == f"{g:g} mm/mV" and w.chance > _LEAST_PRINTED] for g in (limb, chest)]
    in_line = [a.chance + b.chance for a in said[0] for b in said[1] if _follows(a, b)]
    return max(in_line, default=0.0)


def _follows(a: Word, b: Word) -> bool:
    return abs(a.y_mm - b.y_mm) < _IN_LINE_MM and 0 < b.x_mm - a.x_mm < _NEXT_WORD_MM


def _printed(words: Sequence[Word], token: str) -> float:
    """How sure it is that a speed or gain is printed; 0 where there are only hints of it."""
    chance = max((word.chance for word in words if word.token == token), default=0.0)
    return chance if chance > _LEAST_PRINTED else 0.0


def _choose(plans: list[tuple[LeadPlan, float]], rows: Rows, speed: float, names: Names, name_strips: bool) -> _Choice:
    seams = Seams(rows)
    step = COLUMN_STEP_S * speed
    column_mm = column_step_mm(names)
    best: dict[int, tuple[float, Span]] = {}
    common = spans_of(rows, speed)
    for k, (plan, prior) in enumerate(plans):
        spans = common
        if plan.n_columns > 1:
            seen = seams.spaced(len(plan.grid), plan.n_columns, step)
            lengths = (plan.n_columns * step * round(column_mm / step),) if np.isfinite(column_mm) else ()
            spans = spans_of(rows, speed, lengths, [(x, x + plan.n_columns * width) for x, width in seen])
        for span in spans:
            score = prior + _score(plan, span, speed, seams, names)
            if k not in best or score > best[k][0]:
                best[k] = score, span
    order = sorted(best, key=lambda k: -best[k][0])
    (score, span), plan = best[order[0]], plans[order[0]][0]
    others = [best[k][0] for k in order[1:] if plans[k][0].name != plan.name]
    lead = float(1 - np.exp(-(score - others[0]) / 3)) if others else 1.0
    column_s, _ = _column_seconds(plan, span, speed)
    if name_strips and plan.rhythm and plan.n_columns > 1:
        strips = range(len(plan.rhythm))
        plan = replace(
            plan, rhythm=tuple(_strip(plan, k, span.start_mm, column_s * speed, names, seams) for k in strips)
        )
    return _Choice(plan, span.start_mm, column_s, speed, lead)


def _strip(plan: LeadPlan, k: int, start_mm: float, column_mm: float, names: Names, seams: Seams) -> str:
    """The lead of a rhythm strip: by its name, the lead of the grid that it repeats, and what is usual."""
    sure = names.of_strip(plan, k, start_mm, column_mm)
    sure[plan.rhythm[k]] = sure.get(plan.rhythm[k], 0.0) + _USUAL_STRIP
    for lead, r in seams.twins(plan, k, start_mm, column_mm).items():
        sure[lead] = sure.get(lead, 0.0) + _TWIN * float(np.clip((r - 0.75) / (TWIN_CORRELATION - 0.75), 0, 1))
    return max(sure, key=lambda lead: sure[lead])


def _score(plan: LeadPlan, span: Span, speed: float, seams: Seams, names: Names) -> float:
    """The evidence for a plan over a span: its seams, names, laws and strips; what shows nothing counts against it."""
    column_s, misfit = _column_seconds(plan, span, speed)
    width = column_s * speed
    if width < _LEAST_COLUMN_MM:
        return -50.0
    total = span.fit - min(max(abs(misfit) - 0.3, 0.0) / 0.3, 6.0)
    total += 2.0 if abs(column_s * plan.n_columns - STANDARD_DURATION_S) < 0.01 else 0.0
    total += sum(seams.column(len(plan.grid), span.start_mm + c * width) for c in range(1, plan.n_columns))
    if plan.rhythm and plan.n_columns > 1:
        alike = [max(seams.twins(plan, k, span.start_mm, width).values()) for k in range(len(plan.rhythm))]
        total += 2.5 * sum(r > TWIN_CORRELATION for r in alike) - 0.4 * len(alike)
        # a strip goes on where the rows above it change leads
        inner = (span.start_mm + c * width for c in range(1, plan.n_columns))
        total -= sum(max(seams.below(len(plan.grid), x), 0.0) for x in inner)
    return total + names.score(plan, span.start_mm, width) + _lawful(plan, span.start_mm, width, seams.rows)


def _lawful(plan: LeadPlan, start_mm: float, column_mm: float, rows: Rows) -> float:
    """How well the limb leads of each column obey their laws; 0 where they are too few."""
    total = 0.0
    for c in range(plan.n_columns):
        limbs = [(r, row[c]) for r, row in enumerate(plan.grid) if c < len(row) and row[c] in IN_I_AND_II]
        low, high = (
            max(round(float(x)), 0)
            for x in rows.ink.column([start_mm + c * column_mm + 1.0, start_mm + (c + 1) * column_mm - 1.0])
        )
        size = misfit_of([lead for _, lead in limbs], -rows.paths_mm[[r for r, _ in limbs], low:high])
        if np.isfinite(size):
            total -= _LAWS * float(np.log(np.clip(size, _LEAST_MISFIT, 1.0)))
    return total


def _column_seconds(plan: LeadPlan, span: Span, speed: float) -> tuple[float, float]:
    """Seconds a column, a whole number of `COLUMN_STEP_S`, and by how many mm the page's width differs from that."""
    width = span.end_mm - span.start_mm
    step = COLUMN_STEP_S * speed * plan.n_columns
    n = max(1, round((width + 0.1) / step))
    return n * COLUMN_STEP_S, float(width - n * step)
