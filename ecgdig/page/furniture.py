"""What stands beside the traces, in their rows: pulses, separators and lead names."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgdig.page.layout import Layout, Segment, pulse_width_mm
from ecgdig.page.looks import Lettering, Style
from ecgdig.page.page import Mark
from ecgdig.page.pen import Box, Pen, Press
from ecgdig.units import PULSE_MV

_SPACE_MM = 0.5  # between a pulse and its trace
_FOOT = 0.3  # of a pulse's width, at each side of it
_LETTERS = 3.2  # the widest lead name, in its height
_IBERIAN = {"I": "D1", "II": "D2", "III": "D3"}
_NUMERALS = ("I", "II", "III")


def pulse_room_mm(style: Style, speed_mm_per_s: float) -> float:
    """What the pulses left of the traces take up, 0 if there are none."""
    n = {"left": 1, "double-left": 2, "first-row": 1}.get(style.furniture.pulse, 0)
    width = pulse_width_mm(speed_mm_per_s)
    if style.furniture.pulse == "notch":
        return 0.5 * width + _SPACE_MM
    return n * (1 + 2 * _FOOT) * width + _SPACE_MM if n else 0.0


def name_room_mm(style: Style) -> float:
    """What lead names left of the traces take up, 0 if they stand elsewhere."""
    return _LETTERS * style.lettering.lead_mm if style.lettering.place in {"left", "between"} else 0.0


def pulses(pen: Pen, layout: Layout, style: Style) -> list[Mark]:
    place = style.furniture.pulse
    marks: list[Mark] = []
    if place == "none":
        return marks
    rows = sorted({s.row for s in layout.segments})
    before = name_room_mm(style) if style.lettering.place == "between" else 0.0
    for row in rows[:1] if place == "first-row" else rows:
        segment = layout.row(row)[0]
        top, foot = pulse_width_mm(segment.speed_mm_per_s), _FOOT * pulse_width_mm(segment.speed_mm_per_s)
        if place == "notch":
            top, foot = 0.5 * top, 0.0
        height = PULSE_MV * segment.gain_mm_per_mv
        n = 2 if place == "double-left" else 1
        span = 2 * foot + top
        end = layout.row(row)[-1].end_mm
        start = end + _SPACE_MM if place == "right" else segment.x_mm - n * span - _SPACE_MM - before
        for i in range(n):
            x = start + i * span
            dx = np.array([0, foot, foot, foot + top, foot + top, span])
            dy = np.array([0, 0, -height, -height, 0, 0])
            pen.line(np.stack([x + dx, segment.baseline_mm + dy], axis=1), style.ink.width_mm)
            box = (x, segment.baseline_mm - height, x + span, segment.baseline_mm)
            marks.append(Mark("pulse", f"{PULSE_MV:g} mV", box, row))
    return marks


def separators(pen: Pen, layout: Layout, style: Style) -> list[Mark]:
    kind = style.furniture.separator
    if kind in {"none", "gap"}:
        return []
    marks = []
    thick = max(style.ink.width_mm, 0.25)
    heights = [s.baseline_mm for s in layout.segments]
    low, high = min(heights) - 10, max(heights) + 10
    through: set[int] = set()  # columns whose line through all rows is drawn
    for segment in (s for s in layout.segments if s.column > 0):
        x, y = segment.x_mm, segment.baseline_mm
        if kind in {"dotted", "line"}:
            box = (x - thick, low, x + thick, high)
            if segment.column not in through:
                pen.line(_dots(x, low, high) if kind == "dotted" else np.array([(x, low), (x, high)]), thick)
                through.add(segment.column)
        else:
            reach, width = {"tick": (3.5, 2 * thick), "notch": (1.2, thick), "bars": (6.5, thick)}[kind]
            box = (x - thick, y - reach, x + thick, y + reach)
            path = [(x, y - reach), (x, y + reach)]
            if kind == "bars":
                path[1:1] = [(x, y - 3.0), (np.nan, np.nan), (x, y + 3.0)]
            pen.line(np.array(path), width)
        marks.append(Mark("separator", kind, box, segment.row, segment.column))
    return marks


def _dots(x: float, low: float, high: float) -> NDArray[np.float64]:
    at = np.arange(low, high, 2.0)
    return np.stack([np.full(3 * len(at), x), np.repeat(at, 3) + np.tile([0, 0.6, np.nan], len(at))], axis=1)


def printed_name(lead: str, lettering: Lettering) -> str:
    """A lead's name as this cart spells it."""
    if lettering.spelling == "upper":
        return lead.upper()
    if lettering.spelling == "lower":
        return lead if lead in _NUMERALS else lead.lower()
    return _IBERIAN.get(lead, lead) if lettering.spelling == "iberian" else lead


def lead_names(press: Press, layout: Layout, style: Style) -> list[Mark]:
    if style.lettering.place == "none":
        return []
    marks = []
    for s in layout.segments:
        name = printed_name(s.lead, style.lettering)
        box = _lead_name(press, s, style, name.replace("-", "\N{MINUS SIGN}"))
        if box is not None:
            marks.append(Mark("lead-name", name, box, s.row, s.column))
    return marks


def _lead_name(press: Press, s: Segment, style: Style, name: str) -> Box | None:
    letters, place = style.lettering, style.lettering.place
    size, colour = letters.lead_mm, letters.lead_rgb
    left, top, right_aligned = s.x_mm + 1.0, s.baseline_mm - 7.0 - size, False
    if place == "below-start":
        top = s.baseline_mm + 4.0
    elif place == "over-start":
        left, top = s.x_mm + 0.4, s.baseline_mm - size - 0.6
    elif place == "left" and s.column == 0:
        left, top, right_aligned = s.x_mm - pulse_room_mm(style, s.speed_mm_per_s) - 1.0, s.baseline_mm - size / 2, True
    elif place == "between" and s.column == 0:
        left, top, right_aligned = s.x_mm - 0.6, s.baseline_mm - size / 2, True
    font = letters.numeral_font if s.lead in _NUMERALS else ""
    box = press.word(name, size, left, top, align="right" if right_aligned else "left", font=font, rgb=colour)
    if box is None or letters.frame == "none" or right_aligned:
        return box
    x0, y0, x1, y1 = box
    if letters.frame == "box":
        framed = (x0 - 0.7, y0 - 0.7, x1 + 0.7, y1 + 0.7)
        press.rectangle(framed, 0.15, colour)
        return x0 - 0.8, y0 - 0.8, x1 + 0.8, y1 + 0.8
    middle, tip = 0.5 * (y0 + y1), x1 + 4.0
    path = [(x1 + 0.8, middle), (tip, middle), (tip - 1, middle - 0.7), (np.nan, np.nan), (tip, middle)]
    press.line(np.array([*path, (tip - 1, middle + 0.7)]), 0.2, colour)
    return x0, min(y0, middle - 0.8), tip + 0.1, max(y1, middle + 0.8)
