"""`render`: a page from a recording in one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ecgdig.page.furniture import name_room_mm, pulse_room_mm
from ecgdig.page.layout import Layout, Paper, Placement, arrange, paper_of
from ecgdig.page.looks import Style
from ecgdig.page.page import Page
from ecgdig.page.plan import LeadPlan, parse_plan
from ecgdig.page.render import render as draw
from ecgdig.page.sample import sample_layout, sample_plan
from ecgdig.page.style import sample_style
from ecgdig.recording import Recording
from ecgdig.units import STANDARD_GAIN_MM_PER_MV, STANDARD_SPEED_MM_PER_S

_PARTS = ("grid", "ink", "lettering", "furniture")


@dataclass(frozen=True)
class _Wanted:
    layout: str | LeadPlan | Layout | None
    paper: str | Paper | tuple[float, float] | None
    speed: float | None
    gain: float | None


def render(
    recording: Recording,
    preset: str = "photo",
    seed: int = 0,
    *,
    layout: str | LeadPlan | Layout | None = None,
    paper: str | Paper | tuple[float, float] | None = None,
    speed: float | None = None,
    gain: float | None = None,
    dpi: float | None = None,
    style: Style | Mapping[str, Any] | None = None,
) -> Page:
    """Draw a recording as an ECG page and damage it by a preset; the same arguments give the same page.

    Args:
        preset: `clean`, `print`, `scan`, `photo` or `damaged`.
        seed: of everything that is not given.
        layout: a name (`3x4+1`), rows of leads (`"I,aVR/II,aVL"`, see `page.plan.parse_plan`), or a plan or layout.
        paper: a name of `page.layout.PAPERS` or (width, height) in mm. Where paper, speed or gain is given, the others
            are A4, 25 mm/s and 10 mm/mV unless given too.
        speed: mm/s.
        gain: mm/mV.
        dpi: of the clean page; default drawn between 110 and 330.
        style: all of it, or fields to change in the drawn one: `{"pulse": "left", "grid": {"kind": "dots"}}`.

    Raises:
        ValueError: something asked for does not exist or does not fit on the paper.
    """
    from ecgdig.degrade import degrade  # its kernels take a while to load, which drawing alone should not cost

    rng = np.random.default_rng(seed)
    look = sample_style(rng) if not isinstance(style, Style) else style
    if style is not None and not isinstance(style, Style):
        look = changed(look, style)
    placed = _layout(recording, look, _Wanted(layout, paper, speed, gain), rng)
    if dpi is None:
        dpi = float(np.exp(rng.uniform(np.log(110), np.log(330))))
    return degrade(draw(recording, placed, look, dpi, rng), preset, rng)


def changed(style: Style, changes: Mapping[str, Any]) -> Style:
    """`style` with other values of some fields, named alone or under their part (`grid`, `ink`, ...).

    Raises:
        ValueError: no such field, or one that several parts have.
    """
    for name, value in changes.items():
        if name == "paper_rgb":
            style = replace(style, paper_rgb=value)
        elif name in _PARTS and isinstance(value, Mapping):
            for inner, new in value.items():
                style = _with(style, name, inner, new)
        elif name in _PARTS:
            style = replace(style, **{name: value})
        else:
            parts = [part for part in _PARTS if name in _names(style, part)]
            if len(parts) != 1:
                where = f"is in {' and '.join(parts)}: name its part" if parts else "does not exist"
                raise ValueError(f"style field {name!r} {where}; there are {_all_names(style)}")
            style = _with(style, parts[0], name, value)
    return style


def _with(style: Style, part: str, name: str, value: Any) -> Style:
    if name not in _names(style, part):
        raise ValueError(f"no style field {name!r} in {part}; there are {', '.join(sorted(_names(style, part)))}")
    inner: Any = replace(getattr(style, part), **{name: value})
    return replace(style, **{part: inner})


def _names(style: Style, part: str) -> set[str]:
    return {field.name for field in fields(getattr(style, part))}


def _all_names(style: Style) -> str:
    return "; ".join(f"{part}: {', '.join(sorted(_names(style, part)))}" for part in _PARTS)


def _layout(recording: Recording, style: Style, wanted: _Wanted, rng: np.random.Generator) -> Layout:
    if isinstance(wanted.layout, Layout):
        return wanted.layout
    plan = parse_plan(wanted.layout) if isinstance(wanted.layout, str) else wanted.layout
    if wanted.paper is None and wanted.speed is None and wanted.gain is None:
        return sample_layout(recording, style, rng, plan)
    plan = plan or sample_plan(recording, rng)
    paper = paper_of(wanted.paper or "a4")
    speed = STANDARD_SPEED_MM_PER_S if wanted.speed is None else wanted.speed
    gain = STANDARD_GAIN_MM_PER_MV if wanted.gain is None else wanted.gain
    row = min(float(rng.uniform(22, 34)), (paper.height_mm - 10) / plan.n_rows)
    top = paper.height_mm - row * (plan.n_rows - 0.5)
    left = 5.0 + pulse_room_mm(style, speed) + name_room_mm(style)
    right = pulse_room_mm(changed(style, {"pulse": "left"}), speed) if style.furniture.pulse == "right" else 3.0
    return arrange(
        plan,
        paper,
        Placement(left, right, top if top < 0.6 * paper.height_mm else 0.5 * paper.height_mm, row),
        duration_s=recording.duration_s,
        speed_mm_per_s=speed,
        gain_mm_per_mv=gain,
    )
