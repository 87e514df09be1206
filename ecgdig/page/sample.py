"""Pages of random layout and style, drawn from a generator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecgdig.page.furniture import name_room_mm, pulse_room_mm
from ecgdig.page.layout import PAPERS, Layout, Paper, Placement, arrange, pulse_width_mm
from ecgdig.page.page import Page
from ecgdig.page.plan import LeadPlan, by_columns, cabrera_leads, column_plan, lead_plan
from ecgdig.page.render import render
from ecgdig.page.split import Split, allowed
from ecgdig.page.style import Rng, Style, pick, sample_style
from ecgdig.recording import Recording
from ecgdig.units import CHEST_LEADS, LEADS, LIMB_LEADS

# how often pages of twelve leads look so; half have no rhythm strip
_PLANS = {
    "3x4+1": 4.5, "3x4": 3.5, "3x4+3": 1.5, "3x4+2": 0.5, "6x2": 2.0, "6x2+1": 0.9, "12x1": 1.3, "4x3": 0.3,
    "4x3+1": 0.1, "2x6": 0.2, "limb": 0.5, "chest": 0.2, "few": 0.3,
}  # fmt: skip
_LONG_S = 14.0  # a longer recording may be printed from any of its sheets


def sample_layout(
    recording: Recording,
    style: Style,
    rng: Rng,
    plan: LeadPlan | None = None,
    usual_scale: bool = False,
    split: Split = "all",
) -> Layout:
    """Draw a layout for a recording: order of the leads, paper, speed, gain and where the rows stand.

    Args:
        plan: the order of the leads, where it is given.
        usual_scale: 25 mm/s and 10 mm/mV on letter or A4 paper, one column after the other in time.
        split: `train`, `val` or `all`, as for `sample_style`.
    """
    for _ in range(20):
        leads = sample_plan(recording, rng, split) if plan is None else plan
        paper = PAPERS[str(rng.choice(["letter", "a4"]))] if usual_scale else _sample_paper(rng, leads)
        speed = 25.0 if usual_scale else float(rng.choice([25.0, 50.0, 12.5, 100.0], p=[0.86, 0.1, 0.035, 0.005]))
        gain = 10.0 if usual_scale else float(rng.choice([10.0, 5.0, 20.0, 2.5], p=[0.86, 0.09, 0.045, 0.005]))
        mixed = not usual_scale and gain == 10.0 and rng.random() < 0.04
        placement = _sample_placement(rng, leads, paper, style, speed)
        late = not usual_scale and recording.duration_s > _LONG_S
        start_s = float(rng.integers(0, int(recording.duration_s - 10) + 1)) if late else 0.0
        try:
            return arrange(
                leads,
                paper,
                replace(placement, sequential=True) if usual_scale else placement,
                duration_s=recording.duration_s - start_s,
                speed_mm_per_s=speed,
                gain_mm_per_mv=gain,
                chest_gain_mm_per_mv=5.0 if mixed else None,
                start_s=start_s,
            )
        except ValueError:  # this plan does not fit that paper: draw again
            continue
    some = plan or (column_plan(recording.leads[:12]) if recording.duration_s < 2.5 else sample_plan(recording, rng))
    row_mm = min(32.0, 180.0 / some.n_rows)
    sheet = Placement(18, 8, 200 - row_mm * (some.n_rows - 0.5), row_mm)
    try:
        return arrange(some, PAPERS["letter"], sheet, duration_s=recording.duration_s)
    except ValueError:  # too short for several columns: they all begin together
        whole = recording.duration_s * some.n_columns
        return arrange(some, PAPERS["letter"], replace(sheet, sequential=False), duration_s=max(whole, 0.5))


def sample_page(recording: Recording, rng: Rng, dpi: float | None = None, split: Split = "all") -> Page:
    """A clean page of random layout, style and (unless given) resolution; a pure function of the generator's state."""
    style = sample_style(rng, split)
    layout = sample_layout(recording, style, rng, split=split)
    if dpi is None:
        dpi = float(np.exp(rng.uniform(np.log(110), np.log(330))))
    return render(recording, layout, style, dpi, rng)


def sample_plan(recording: Recording, rng: Rng, split: Split = "all") -> LeadPlan:
    """Draw an order of leads that a recording can fill; of leads with unusual names all that fit, in its own order."""
    name = pick(rng, allowed("layout", _PLANS, split))
    strips, cabrera, odd = rng.random(), rng.random() < 0.12, rng.random() < 0.5
    order = [str(lead) for lead in rng.permutation(list(LEADS))]
    has_all = all(lead in recording.leads for lead in LEADS)
    if not has_all or (len(recording.leads) > len(LEADS) and odd):
        return _plan_of_any(recording.leads, name, rng)
    if name in {"limb", "chest", "few"}:
        few = tuple(order[: 1 + int(4 * strips)])
        return column_plan({"limb": LIMB_LEADS, "chest": CHEST_LEADS, "few": few}[name])
    n_rhythm = int(name.partition("+")[2] or 0)
    rhythm: tuple[str, ...] | None = None
    if n_rhythm == 1 and strips < 0.45:
        rhythm = ("V1",) if strips < 0.2 else (order[0],)
    elif n_rhythm > 1 and strips < 0.35:
        rhythm = tuple(order[:n_rhythm])
    return lead_plan(name, rhythm, cabrera_leads() if cabrera else LEADS)


def _plan_of_any(leads: tuple[str, ...], name: str, rng: Rng) -> LeadPlan:
    """All of up to 16 leads in one to four columns, now and then with one of them as a rhythm strip."""
    shown = leads[:16]
    columns = int(rng.integers(1, min(4, -(-len(shown) // 2)) + 1))
    if len(shown) > 12:
        columns = max(columns, 2)
    rows = -(-len(shown) // columns)
    grid = by_columns(shown, rows)
    strips = (str(rng.choice(list(shown))),) if "+" in name and columns > 1 else ()
    title = f"{rows}x{max(len(row) for row in grid)}" + ("+1" if strips else "")
    return LeadPlan(title, grid, strips)


def _sample_paper(rng: Rng, plan: LeadPlan) -> Paper:
    weights = {"letter": 4.0, "a4": 4.0, "roll-210": 1.0, "long-sheet": 0.3, "custom": 0.5}
    if plan.n_rows >= 6:
        weights |= {"a4-portrait": 1.5, "letter-portrait": 1.0}
    if plan.n_rows <= 4:
        weights |= {"roll-112": 1.0, "a5": 0.7}
    if plan.n_rows <= 2:
        weights |= {"roll-80": 2.0, "custom": 4.0}  # a few leads close up
    if plan.n_columns == 1 and plan.n_rows <= 7:
        weights |= {"narrow": 3.0, "a5-portrait": 1.0}
    width, height = float(rng.uniform(110, 330)), float(rng.uniform(0.5, 1.0))
    name = pick(rng, weights)
    return Paper(width, max(60.0, height * width)) if name == "custom" else PAPERS[name]


def _sample_placement(rng: Rng, plan: LeadPlan, paper: Paper, style: Style, speed: float) -> Placement:
    left = float(rng.uniform(3, 14)) + pulse_room_mm(style, speed) + name_room_mm(style)
    right = float(rng.uniform(2, 10)) + (1.6 * pulse_width_mm(speed) if style.furniture.pulse == "right" else 0)
    # 20 to 35 mm from row to row, less where many share a sheet
    row = float(min(rng.triangular(16, 27, 38), (paper.height_mm - 22) / plan.n_rows))
    free = paper.height_mm - row * (plan.n_rows - 1)
    top = float(rng.uniform(0.3, 0.75)) * free
    top = float(np.clip(top, min(14, free / 2), max(free - 10, free / 2)))
    return Placement(left, right, top, row, sequential=bool(rng.random() < 0.85))
