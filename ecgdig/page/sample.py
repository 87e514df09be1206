"""Pages of random layout and style, drawn from a generator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecgdig.page.layout import (
    PAPERS,
    Layout,
    LeadPlan,
    Paper,
    Placement,
    arrange,
    cabrera_leads,
    lead_plan,
    limb_plan,
    pulse_width_mm,
)
from ecgdig.page.page import Page
from ecgdig.page.render import render
from ecgdig.page.style import Rng, Style, sample_style
from ecgdig.recording import Recording
from ecgdig.units import LEADS


def sample_layout(
    recording: Recording, style: Style, rng: Rng, plan: LeadPlan | None = None, usual_scale: bool = False
) -> Layout:
    """Draw a layout for a recording: order of the leads, paper, speed, gain and where the rows stand.

    Args:
        plan: the order of the leads, where it is given.
        usual_scale: 25 mm/s and 10 mm/mV on letter or A4 paper, one column after the other in time.
    """
    for _ in range(20):
        leads = _sample_plan(rng) if plan is None else plan
        paper = PAPERS[str(rng.choice(["letter", "a4"]))] if usual_scale else _sample_paper(rng, leads)
        speed = 25.0 if usual_scale else float(rng.choice([25.0, 50.0, 12.5], p=[0.86, 0.1, 0.04]))
        gain = 10.0 if usual_scale else float(rng.choice([10.0, 5.0, 20.0], p=[0.86, 0.09, 0.05]))
        mixed = not usual_scale and gain == 10.0 and rng.random() < 0.04
        placement = _sample_placement(rng, leads, paper, style, speed)
        try:
            return arrange(
                leads,
                paper,
                replace(placement, sequential=True) if usual_scale else placement,
                duration_s=recording.duration_s,
                speed_mm_per_s=speed,
                gain_mm_per_mv=gain,
                chest_gain_mm_per_mv=5.0 if mixed else None,
            )
        except ValueError:  # this plan does not fit that paper: draw again
            continue
    return arrange(
        plan or lead_plan("3x4+1"), PAPERS["letter"], Placement(18, 8, 70, 32), duration_s=recording.duration_s
    )


def sample_page(recording: Recording, rng: Rng, dpi: float | None = None) -> Page:
    """A clean page of random layout, style and (unless given) resolution; a pure function of the generator's state."""
    style = sample_style(rng)
    layout = sample_layout(recording, style, rng)
    if dpi is None:
        dpi = float(np.exp(rng.uniform(np.log(110), np.log(330))))
    return render(recording, layout, style, dpi, rng)


def _sample_plan(rng: Rng) -> LeadPlan:
    names = {
        "3x4+1": 5.0,
        "3x4": 2.0,
        "3x4+3": 1.5,
        "3x4+2": 0.5,
        "6x2": 1.6,
        "6x2+1": 0.8,
        "12x1": 1.2,
        "4x3": 0.3,
        "2x6": 0.2,
        "6x1": 0.4,
    }
    p = np.array(list(names.values()))
    name = list(names)[int(rng.choice(len(names), p=p / p.sum()))]
    if name == "6x1":
        return limb_plan()
    n_rhythm = int(name.partition("+")[2] or 0)
    rhythm = None
    if n_rhythm and rng.random() < 0.35:
        rhythm = tuple(str(lead) for lead in rng.permutation(list(LEADS))[:n_rhythm])
    cabrera = name in {"6x2", "6x2+1", "12x1", "3x4"} and rng.random() < 0.12
    return lead_plan(name, rhythm, cabrera_leads() if cabrera else LEADS)


def _sample_paper(rng: Rng, plan: LeadPlan) -> Paper:
    weights = {"letter": 4.0, "a4": 4.0, "roll-210": 1.0, "long-sheet": 0.3}
    if plan.n_rows >= 6:
        weights |= {"a4-portrait": 1.5, "letter-portrait": 1.0}
    if plan.n_rows <= 4:
        weights |= {"roll-112": 1.0, "a5": 0.7}
    p = np.array(list(weights.values()))
    return PAPERS[list(weights)[int(rng.choice(len(weights), p=p / p.sum()))]]


def _sample_placement(rng: Rng, plan: LeadPlan, paper: Paper, style: Style, speed: float) -> Placement:
    pulses = {"left": 1, "double-left": 2}.get(style.furniture.pulse, 0)
    left = float(rng.uniform(3, 14)) + pulses * 1.6 * pulse_width_mm(speed)
    if style.lettering.place == "left":
        left += 4 * style.lettering.lead_mm
    right = float(rng.uniform(2, 10)) + (1.6 * pulse_width_mm(speed) if style.furniture.pulse == "right" else 0)
    row = float(min(rng.uniform(16, 38), (paper.height_mm - 22) / plan.n_rows))
    free = paper.height_mm - row * (plan.n_rows - 1)
    top = float(rng.uniform(0.3, 0.75)) * free
    top = float(np.clip(top, min(14, free / 2), max(free - 10, free / 2)))
    return Placement(left, right, top, row, sequential=bool(rng.random() < 0.85))
