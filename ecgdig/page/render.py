"""Recording -> clean `Page`: grid, traces, pulses, separators and lettering, drawn once in paper millimetres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgdig.page.furniture import Pen, footer, header, lead_names, pulses, separators
from ecgdig.page.layout import Layout, Paper, Segment
from ecgdig.page.page import Box, Page, Trace
from ecgdig.page.strokes import line_profile, paint_grid, paint_ink
from ecgdig.page.style import Grid, Rng, Style
from ecgdig.page.warp import Warp
from ecgdig.recording import Recording
from ecgdig.units import LARGE_SQUARE_MM, SMALL_SQUARE_MM, px_per_mm

MAX_PIXELS = 60_000_000


def render(
    recording: Recording, layout: Layout, style: Style, dpi: float, rng: Rng, window_mm: Box | None = None
) -> Page:
    """Draw a clean page, or what is seen of it through a window.

    Args:
        recording: leads named by the layout; a missing lead is left out of the page, NaN lifts the pen.
        layout: what is printed where.
        style: what it looks like.
        dpi: image resolution, 30 to 1200.
        rng: for what the style leaves open (invented header text, fading along the trace).
        window_mm: draw only this part; the pixels are those of the whole page where both fall on the same raster. It
            may reach beyond the sheet, where the paper's colour goes on.

    Raises:
        ValueError: the resolution is out of range, the image would be too large, or no lead of the layout is there.
    """
    if not 30 <= dpi <= 1200:
        raise ValueError(f"{dpi:g} dpi; a page is drawn at 30 to 1200 dpi")
    scale = px_per_mm(dpi)
    window = (0.0, 0.0, layout.paper.width_mm, layout.paper.height_mm) if window_mm is None else window_mm
    width, height = round((window[2] - window[0]) * scale), round((window[3] - window[1]) * scale)
    if not 0 < width * height <= MAX_PIXELS:
        raise ValueError(
            f"a page of {width} x {height} px; choose a dpi that gives 1 px to {MAX_PIXELS / 1e6:.0f} megapixels"
        )
    pen, text = (Pen((height, width), scale, window[:2]) for _ in range(2))

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
        *pulses(pen, layout, style),
        *separators(pen, layout, style),
        *lead_names(text, layout, style),
        *header(text, layout, style, recording, rng),
        *footer(text, layout, style, rng),
    ]
    image = np.empty((height, width, 3), np.uint8)
    image[:] = style.paper_rgb
    _paint_paper(image, style.grid, layout.paper, scale, window)
    paint_ink(image, text.canvas, np.array(style.lettering.rgb, np.float32), 1.0)
    paint_ink(image, pen.canvas, np.array(style.ink.rgb, np.float32), style.ink.opacity)
    return Page(image, Warp.flat(scale, window[:2]), layout, style, traces, tuple(marks), window, recording.name)


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


def _paint_paper(image: NDArray[np.uint8], grid: Grid, paper: Paper, scale: float, window: Box) -> None:
    if grid.kind == "none":
        return
    left, top, right, bottom = grid.box_mm
    ends = np.array([[left, paper.width_mm - right], [top, paper.height_mm - bottom]])
    ends = np.round((ends - np.array(window[:2])[:, None]) * scale).astype(int)
    (x0, x1), (y0, y1) = (np.clip(ends[axis], 0, image.shape[1 - axis]) for axis in (0, 1))
    box = image[y0:y1, x0:x1]

    def lines(rgb: tuple[int, int, int], step_mm: float, width_mm: float, dots: bool) -> None:
        profiles = [
            line_profile(n, (phase - edge) * scale - 0.5 - first, step_mm * scale, width_mm * scale)
            for phase, edge, n, first in zip(grid.phase_mm, window[:2], box.shape[1::-1], (x0, y0), strict=True)
        ]
        paint_grid(box, profiles[0], profiles[1], np.array(rgb, np.float32), dots)

    if grid.kind != "major-only":
        width = grid.minor_mm * (2.5 if grid.kind == "dots" else 1.0)
        lines(grid.minor_rgb, SMALL_SQUARE_MM, width, grid.kind == "dots")
    lines(grid.major_rgb, LARGE_SQUARE_MM, grid.major_mm, False)
