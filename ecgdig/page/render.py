"""Recording -> clean `Page`: grid, traces, pulses, separators and lettering, drawn once in paper millimetres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgdig.page.layout import (
    PAPERS,
    LeadPlan,
    Layout,
    Paper,
    Placement,
    Segment,
    arrange,
    cabrera_leads,
    lead_plan,
    limb_plan,
    pulse_width_mm,
)
from ecgdig.page.page import Box, Mark, MarkKind, Page, Trace
from ecgdig.page.strokes import draw_polyline, line_profile, paint_grid, paint_ink
from ecgdig.page.style import Grid, Rng, Style, sample_style
from ecgdig.page.text import stamp, word_mask
from ecgdig.page.warp import Warp
from ecgdig.recording import Recording
from ecgdig.units import LARGE_SQUARE_MM, LEADS, PULSE_MV, SMALL_SQUARE_MM, px_per_mm

MAX_PIXELS = 60_000_000


def render(recording: Recording, layout: Layout, style: Style, dpi: float, rng: Rng) -> Page:
    """Draw a clean page.

    Args:
        recording: leads named by the layout; a missing lead is left out of the page, NaN lifts the pen.
        layout: what is printed where.
        style: what it looks like.
        dpi: image resolution, 30 to 1200.
        rng: for what the style leaves open (invented header text, fading along the trace).

    Raises:
        ValueError: the resolution is out of range, the image would be too large, or no lead of the layout is there.
    """
    if not 30 <= dpi <= 1200:
        raise ValueError(f"{dpi:g} dpi; a page is drawn at 30 to 1200 dpi")
    scale = px_per_mm(dpi)
    width, height = round(layout.paper.width_mm * scale), round(layout.paper.height_mm * scale)
    if width * height > MAX_PIXELS:
        raise ValueError(f"a page of {width} x {height} px; lower the dpi to stay below {MAX_PIXELS / 1e6:.0f} megapixels")
    pen = _Pen(np.zeros((height, width), np.uint8), Warp.flat(scale), scale)
    text = _Pen(np.zeros((height, width), np.uint8), pen.warp, scale)

    segments = tuple(s for s in layout.segments if s.lead.lstrip("-") in recording.leads)
    if not segments:
        raise ValueError(f"{recording.name or 'recording'} has none of the leads of layout {layout.name}")
    layout = Layout(layout.name, layout.paper, segments)
    drawn = recording.resample(style.ink.fs)
    traces = tuple(_trace(drawn, segment) for segment in segments)
    if style.furniture.separator == "gap":
        traces = tuple(_shortened(trace, 0.6) if trace.segment.column else trace for trace in traces)
    for trace in traces:
        strength = _fading(rng, len(trace.x_mm), style.ink.fading)
        pen.line(np.stack([trace.x_mm, trace.y_mm], axis=1), style.ink.width_mm, strength)

    marks = [
        *_pulses(pen, layout, style),
        *_separators(pen, layout, style),
        *_lead_names(text, layout, style),
        *_header(text, layout, style, recording, rng),
        *_footer(text, layout, style, rng),
    ]
    image = np.empty((height, width, 3), np.uint8)
    image[:] = style.paper_rgb
    _paint_paper(image, style.grid, layout.paper, scale)
    paint_ink(image, text.canvas, np.array(style.lettering.rgb, np.float32), 1.0)
    paint_ink(image, pen.canvas, np.array(style.ink.rgb, np.float32), style.ink.opacity)
    return Page(image, pen.warp, layout, style, traces, tuple(marks), recording.name)


def sample_layout(recording: Recording, style: Style, rng: Rng) -> Layout:
    """Draw a layout for a recording: order of the leads, paper, speed, gain and where the rows stand."""
    for _ in range(20):
        plan = _sample_plan(rng)
        paper = _sample_paper(rng, plan)
        speed = float(rng.choice([25.0, 50.0, 12.5], p=[0.86, 0.1, 0.04]))
        gain = float(rng.choice([10.0, 5.0, 20.0], p=[0.86, 0.09, 0.05]))
        try:
            return arrange(
                plan,
                paper,
                _sample_placement(rng, plan, paper, style, speed),
                duration_s=recording.duration_s,
                speed_mm_per_s=speed,
                gain_mm_per_mv=gain,
                chest_gain_mm_per_mv=5.0 if gain == 10.0 and rng.random() < 0.04 else None,
            )
        except ValueError:  # this plan does not fit that paper: draw again
            continue
    return arrange(lead_plan("3x4+1"), PAPERS["letter"], Placement(18, 8, 70, 32), duration_s=recording.duration_s)


def sample_page(recording: Recording, rng: Rng, dpi: float | None = None) -> Page:
    """A clean page of random layout, style and (unless given) resolution; a pure function of the generator's state."""
    style = sample_style(rng)
    layout = sample_layout(recording, style, rng)
    if dpi is None:
        dpi = float(np.exp(rng.uniform(np.log(110), np.log(330))))
    return render(recording, layout, style, dpi, rng)


class _Pen:
    """A coverage canvas that is drawn on in mm."""

    def __init__(self, canvas: NDArray[np.uint8], warp: Warp, scale: float) -> None:
        self.canvas, self.warp, self.scale = canvas, warp, scale

    def line(self, points_mm: NDArray[np.float64], width_mm: float, strength: NDArray[np.float32] | None = None) -> None:
        ones = np.ones(len(points_mm), np.float32) if strength is None else strength
        draw_polyline(self.canvas, self.warp.to_px(points_mm), width_mm * self.scale, ones)

    def word(self, text: str, style: Style, height_mm: float, left_mm: float, top_mm: float) -> Box:
        """Write `text` with its top left corner at (left, top); returns its box in mm."""
        mask = word_mask(text, style.lettering.font, max(3, round(height_mm * self.scale)))
        x, y = round(left_mm * self.scale - 0.5), round(top_mm * self.scale - 0.5)
        stamp(self.canvas, mask, x, y)
        left, top = (x + 0.5 - 0.5) / self.scale, (y + 0.5 - 0.5) / self.scale
        return left, top, left + mask.shape[1] / self.scale, top + mask.shape[0] / self.scale


def _trace(drawn: Recording, segment: Segment) -> Trace:
    lead = drawn.lead(segment.lead)
    first = int(np.ceil(segment.start_s * drawn.fs - 1e-6))
    last = min(int(np.floor((segment.start_s + segment.duration_s) * drawn.fs + 1e-6)), drawn.n_samples - 1)
    index = np.arange(first, last + 1)
    return Trace(segment, segment.x_of(index / drawn.fs), segment.y_of(lead[first : last + 1]))


def _shortened(trace: Trace, by_mm: float) -> Trace:
    keep = trace.x_mm >= trace.segment.x_mm + by_mm
    return Trace(trace.segment, trace.x_mm[keep], trace.y_mm[keep])


def _fading(rng: Rng, n: int, fading: float) -> NDArray[np.float32]:
    """Slow changes of ink strength along a trace, `(n,)`, 1 - fading to 1."""
    if fading <= 0 or n == 0:
        return np.ones(n, np.float32)
    knots = rng.uniform(0, 1, max(4, n // 120))
    along = np.interp(np.linspace(0, 1, n), np.linspace(0, 1, len(knots)), knots)
    return (1 - fading * along).astype(np.float32)


def _row_starts(layout: Layout) -> list[Segment]:
    return [layout.row(r)[0] for r in sorted({s.row for s in layout.segments})]


def _pulses(pen: _Pen, layout: Layout, style: Style) -> list[Mark]:
    place = style.furniture.pulse
    if place == "none":
        return []
    marks = []
    for segment in _row_starts(layout):
        top, foot = pulse_width_mm(segment.speed_mm_per_s), 0.3 * pulse_width_mm(segment.speed_mm_per_s)
        height = PULSE_MV * segment.gain_mm_per_mv
        n = 2 if place == "double-left" else 1
        span = 2 * foot + top
        end = layout.row(segment.row)[-1].end_mm
        start = end + 0.5 if place == "right" else segment.x_mm - n * span - 0.5
        for i in range(n):
            x = start + i * span
            dx = np.array([0, foot, foot, foot + top, foot + top, span])
            dy = np.array([0, 0, -height, -height, 0, 0])
            pen.line(np.stack([x + dx, segment.baseline_mm + dy], axis=1), style.ink.width_mm)
            box = (x, segment.baseline_mm - height, x + span, segment.baseline_mm)
            marks.append(Mark("pulse", f"{PULSE_MV:g} mV", box, segment.row))
    return marks


def _separators(pen: _Pen, layout: Layout, style: Style) -> list[Mark]:
    kind = style.furniture.separator
    if kind in {"none", "gap"}:
        return []
    marks = []
    thick = max(style.ink.width_mm, 0.25)
    tops = [s.baseline_mm for s in layout.segments]
    for segment in (s for s in layout.segments if s.column > 0):
        x, y = segment.x_mm, segment.baseline_mm
        if kind == "tick":
            box = (x - thick, y - 3.5, x + thick, y + 3.5)
            pen.line(np.array([(x, y - 3.5), (x, y + 3.5)]), 2 * thick)
        elif kind == "bars":
            box = (x - thick, y - 6.5, x + thick, y + 6.5)
            pen.line(np.array([(x, y - 6.5), (x, y - 3.0), (np.nan, np.nan), (x, y + 3.0), (x, y + 6.5)]), thick)
        else:
            low, high = min(tops) - 10, max(tops) + 10
            box = (x - thick, low, x + thick, high)
            if segment.row == 0:
                dots = np.arange(low, high, 2.0)
                path = np.stack([np.full(3 * len(dots), x), np.repeat(dots, 3) + np.tile([0, 0.6, np.nan], len(dots))], axis=1)
                pen.line(path, thick)
        marks.append(Mark("separator", kind, box, segment.row, segment.column))
    return marks


def _lead_names(text: _Pen, layout: Layout, style: Style) -> list[Mark]:
    place, size = style.lettering.place, style.lettering.lead_mm
    if place == "none":
        return []
    marks = []
    for s in layout.segments:
        left, top = s.x_mm + 1.0, s.baseline_mm - 7.0 - size
        if place == "below-start":
            top = s.baseline_mm + 4.0
        elif place == "left" and s.column == 0:
            left, top = max(0.5, s.x_mm - 9.0 - 2 * size), s.baseline_mm - size / 2
        name = s.lead.replace("-", "\N{MINUS SIGN}")
        box = text.word(name, style, size, left, top)
        marks.append(Mark("lead-name", s.lead, box, s.row, s.column))
    return marks


def _header(text: _Pen, layout: Layout, style: Style, recording: Recording, rng: Rng) -> list[Mark]:
    room = min(s.baseline_mm for s in layout.segments) - 12.0
    if not style.furniture.header or room < 3 * style.lettering.text_mm:
        return []
    born = rng.integers(1925, 2015)
    lines = [
        f"ID: {rng.integers(10**4, 10**8)}",
        f"Age: {recording.metadata.get('Age', 2020 - born)} yrs",
        f"Sex: {recording.metadata.get('Sex', rng.choice(['Male', 'Female']))}",
        f"Date: {rng.integers(1985, 2026)}-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}, {rng.integers(24):02d}:{rng.integers(60):02d}",
        f"Height: {rng.integers(148, 199)} cm",
        f"Weight: {rng.integers(45, 120)} kg",
        f"Vent. rate {rng.integers(45, 140)} bpm",
        f"PR interval {rng.integers(110, 240)} ms",
        f"QRS duration {rng.integers(70, 160)} ms",
        f"QT/QTc {rng.integers(320, 460)}/{rng.integers(360, 480)} ms",
        str(rng.choice(["Sinus rhythm", "Normal ECG", "Abnormal ECG", "Unconfirmed", "Nonspecific T wave abnormality"])),
    ]
    keep = rng.permutation(len(lines))[: int(rng.integers(2, len(lines) + 1))]
    columns = int(rng.integers(1, 4))
    step = style.lettering.text_mm * 1.6
    per_column = max(1, int((room - 3) / step))
    marks = []
    for i, k in enumerate(np.sort(keep)[: columns * per_column]):
        column, line = divmod(i, per_column)
        left = 4 + column * layout.paper.width_mm / columns
        marks.append(Mark("header", lines[k], text.word(lines[k], style, style.lettering.text_mm, left, 3 + line * step)))
    return marks


def _footer(text: _Pen, layout: Layout, style: Style, rng: Rng) -> list[Mark]:
    top = layout.paper.height_mm - 2.5 * style.lettering.text_mm
    if not style.furniture.footer or top < max(s.baseline_mm for s in layout.segments) + 3:
        return []
    s = layout.segments[0]
    words = [f"{s.speed_mm_per_s:g} mm/s", f"{s.gain_mm_per_mv:g} mm/mV", str(rng.choice(["0.05-150 Hz", "0.5-40 Hz", "F 50~ 0.15-100 Hz"]))]
    if rng.random() < 0.3:
        words = [word.replace(" ", "") for word in words]
    left, gap = rng.uniform(5, 60), rng.uniform(8, 60)
    marks = []
    for word in words[: int(rng.integers(2, 4))]:
        box = text.word(word, style, style.lettering.text_mm, left, top)
        marks.append(Mark("footer", word, box))
        left = box[2] + gap
    return marks


def _paint_paper(image: NDArray[np.uint8], grid: Grid, paper: Paper, scale: float) -> None:
    if grid.kind == "none":
        return
    left, top, right, bottom = grid.box_mm
    box = image[
        round(top * scale) : round((paper.height_mm - bottom) * scale),
        round(left * scale) : round((paper.width_mm - right) * scale),
    ]
    x0, y0 = round(left * scale), round(top * scale)

    def lines(rgb: tuple[int, int, int], step_mm: float, width_mm: float, dots: bool) -> None:
        profiles = [
            line_profile(n, grid.phase_mm[axis] * scale - 0.5 - offset, step_mm * scale, width_mm * scale)
            for axis, (n, offset) in enumerate([(box.shape[1], x0), (box.shape[0], y0)])
        ]
        paint_grid(box, profiles[0], profiles[1], np.array(rgb, np.float32), dots)

    if grid.kind != "major-only":
        width = grid.minor_mm * (2.5 if grid.kind == "dots" else 1.0)
        lines(grid.minor_rgb, SMALL_SQUARE_MM, width, grid.kind == "dots")
    lines(grid.major_rgb, LARGE_SQUARE_MM, grid.major_mm, False)


def _sample_plan(rng: Rng) -> LeadPlan:
    names = {"3x4+1": 5.0, "3x4": 2.0, "3x4+3": 1.5, "3x4+2": 0.5, "6x2": 1.6, "6x2+1": 0.8, "12x1": 1.2, "4x3": 0.3, "2x6": 0.2, "6x1": 0.4}
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
