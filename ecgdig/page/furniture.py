"""What stands on a page beside traces and grid: pulses, separators, lead names, header and footer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgdig.page.layout import Layout, Segment, pulse_width_mm
from ecgdig.page.page import Box, Mark
from ecgdig.page.strokes import draw_polyline
from ecgdig.page.style import Rng, Style
from ecgdig.page.text import stamp, word_mask
from ecgdig.recording import Recording
from ecgdig.units import PULSE_MV


class Pen:
    """A coverage canvas that is drawn on in mm; `origin` is the paper position of its top left corner."""

    def __init__(self, shape: tuple[int, int], scale: float, origin: tuple[float, float]) -> None:
        self.canvas = np.zeros(shape, np.uint8)
        self.scale, self.origin = scale, np.array(origin)

    def line(
        self, points_mm: NDArray[np.float64], width_mm: float, strength: NDArray[np.float32] | None = None
    ) -> None:
        ones = np.ones(len(points_mm), np.float32) if strength is None else strength
        draw_polyline(self.canvas, (points_mm - self.origin) * self.scale - 0.5, width_mm * self.scale, ones)

    def word(self, text: str, style: Style, height_mm: float, left_mm: float, top_mm: float) -> Box | None:
        """Write `text` with its top left corner at (left, top); returns its box in mm, None above or below a window."""
        corner = (np.array([left_mm, top_mm]) - self.origin) * self.scale
        left, top = (int(v) for v in np.floor(corner + 1e-6))  # a corner between two pixels: the same in any window
        if top > self.canvas.shape[0] or top + 2 * height_mm * self.scale < 0:
            return None
        mask = word_mask(text, style.lettering.font, max(3, round(height_mm * self.scale)))
        stamp(self.canvas, mask, left, top)
        # its pixels reach from left - 0.5 to left + width - 0.5; the canvas begins at -0.5
        x0, y0 = self.origin + np.array([left, top]) / self.scale
        return float(x0), float(y0), float(x0 + mask.shape[1] / self.scale), float(y0 + mask.shape[0] / self.scale)


def _row_starts(layout: Layout) -> list[Segment]:
    return [layout.row(r)[0] for r in sorted({s.row for s in layout.segments})]


def pulses(pen: Pen, layout: Layout, style: Style) -> list[Mark]:
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


def separators(pen: Pen, layout: Layout, style: Style) -> list[Mark]:
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
                path = np.stack(
                    [np.full(3 * len(dots), x), np.repeat(dots, 3) + np.tile([0, 0.6, np.nan], len(dots))], axis=1
                )
                pen.line(path, thick)
        marks.append(Mark("separator", kind, box, segment.row, segment.column))
    return marks


def lead_names(text: Pen, layout: Layout, style: Style) -> list[Mark]:
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
        if box is not None:
            marks.append(Mark("lead-name", s.lead, box, s.row, s.column))
    return marks


def header(text: Pen, layout: Layout, style: Style, recording: Recording, rng: Rng) -> list[Mark]:
    room = min(s.baseline_mm for s in layout.segments) - 12.0
    if not style.furniture.header or room < 3 * style.lettering.text_mm:
        return []
    born = rng.integers(1925, 2015)
    lines = [
        f"ID: {rng.integers(10**4, 10**8)}",
        f"Age: {recording.metadata.get('Age', 2020 - born)} yrs",
        f"Sex: {recording.metadata.get('Sex', rng.choice(['Male', 'Female']))}",
        f"Date: {rng.integers(1985, 2026)}-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}",
        f"Time: {rng.integers(24):02d}:{rng.integers(60):02d}:{rng.integers(60):02d}",
        f"Height: {rng.integers(148, 199)} cm",
        f"Weight: {rng.integers(45, 120)} kg",
        f"Vent. rate {rng.integers(45, 140)} bpm",
        f"PR interval {rng.integers(110, 240)} ms",
        f"QRS duration {rng.integers(70, 160)} ms",
        f"QT/QTc {rng.integers(320, 460)}/{rng.integers(360, 480)} ms",
        str(rng.choice(["Sinus rhythm", "Normal ECG", "Abnormal ECG", "Unconfirmed", "Nonspecific T abnormality"])),
    ]
    keep = rng.permutation(len(lines))[: int(rng.integers(2, len(lines) + 1))]
    columns = int(rng.integers(1, 4))
    step = style.lettering.text_mm * 1.6
    per_column = max(1, int((room - 3) / step))
    marks = []
    for i, k in enumerate(np.sort(keep)[: columns * per_column]):
        column, line = divmod(i, per_column)
        left = 4 + column * layout.paper.width_mm / columns
        box = text.word(lines[k], style, style.lettering.text_mm, left, 3 + line * step)
        if box is not None:
            marks.append(Mark("header", lines[k], box))
    return marks


def footer(text: Pen, layout: Layout, style: Style, rng: Rng) -> list[Mark]:
    top = layout.paper.height_mm - 2.5 * style.lettering.text_mm
    if not style.furniture.footer or top < max(s.baseline_mm for s in layout.segments) + 3:
        return []
    s = layout.segments[0]
    words = [
        f"{s.speed_mm_per_s:g} mm/s",
        f"{s.gain_mm_per_mv:g} mm/mV",
        str(rng.choice(["0.05-150 Hz", "0.5-40 Hz", "F 50~ 0.15-100 Hz"])),
    ]
    if rng.random() < 0.3:
        words = [word.replace(" ", "") for word in words]
    words = words[: int(rng.integers(2, 4))]
    left, gap = rng.uniform(5, 60), rng.uniform(40, 90)
    boxes = [text.word(word, style, style.lettering.text_mm, left + i * gap, top) for i, word in enumerate(words)]
    return [Mark("footer", word, box) for word, box in zip(words, boxes, strict=True) if box is not None]
