"""Recording -> clean `Page`: grid, traces, pulses, separators and lettering, drawn once in paper millimetres."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ecgdig.page.furniture import lead_names, pulses, separators
from ecgdig.page.header import codes, footer, header
from ecgdig.page.ink import draw_trace
from ecgdig.page.layout import Layout, Paper, Segment
from ecgdig.page.page import Box, Page, Trace
from ecgdig.page.pen import Pen, Press
from ecgdig.page.strokes import fill, line_profile, paint_grid, paint_ink
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
    segments = tuple(s for s in layout.segments if _has(recording, s.lead))
    if not segments:
        raise ValueError(f"{recording.name or 'recording'} has none of the leads of layout {layout.name}")
    layout = replace(layout, segments=segments)
    drawn = recording.resample(style.ink.fs)
    traces = tuple(_trace(drawn, segment) for segment in segments)
    if style.furniture.separator == "gap":
        traces = tuple(_shortened(trace, 0.6) if trace.segment.column else trace for trace in traces)

    image = np.empty((height, width, 3), np.uint8)
    fill(image, style.paper_rgb)
    _paint_grid(image, style.grid, layout.paper, scale, window)
    pen = Pen((height, width), scale, window[:2])
    press = Press(image, scale, window[:2], style.lettering.rgb, style.lettering.font)
    traces = tuple(draw_trace(pen, trace, style.ink, rng) for trace in traces)
    marks = [
        *pulses(pen, layout, style),
        *separators(pen, layout, style),
        *lead_names(press, layout, style),
        *header(press, layout, style, recording, rng),
        *footer(press, layout, style, rng),
        *codes(press, layout, style, rng),
    ]
    paint_ink(image, pen.canvas, np.array(style.ink.rgb, np.float32), style.ink.opacity)
    warp = Warp.flat(scale, window[:2])
    return Page(image, warp, layout, style, traces, tuple(marks), window, recording.name, source=recording)


def _has(recording: Recording, lead: str) -> bool:
    opposite = lead[1:] if lead.startswith("-") else f"-{lead}"
    return lead in recording.leads or opposite in recording.leads


def _trace(drawn: Recording, segment: Segment) -> Trace:
    lead = drawn.lead(segment.lead)
    first = int(np.ceil(segment.start_s * drawn.fs - 1e-6))
    last = min(int(np.floor((segment.start_s + segment.duration_s) * drawn.fs + 1e-6)), drawn.n_samples - 1)
    index = np.arange(first, last + 1)
    return Trace(segment, segment.x_of(index / drawn.fs), segment.y_of(lead[first : last + 1]))


def _shortened(trace: Trace, by_mm: float) -> Trace:
    keep = trace.x_mm >= trace.segment.x_mm + by_mm
    return Trace(trace.segment, trace.x_mm[keep], trace.y_mm[keep])


def _paint_grid(image: NDArray[np.uint8], grid: Grid, paper: Paper, scale: float, window: Box) -> None:
    if grid.kind == "none":
        return
    left, top, right, bottom = grid.box_mm
    ends = np.array([[left, paper.width_mm - right], [top, paper.height_mm - bottom]])
    ends = np.round((ends - np.array(window[:2])[:, None]) * scale).astype(int)
    (x0, x1), (y0, y1) = (np.clip(ends[axis], 0, image.shape[1 - axis]) for axis in (0, 1))

    layers: list[tuple[tuple[int, int, int], float, float, bool]] = []  # colour, step and width in mm, dots
    spots = grid.kind in {"dots", "dots-only"}
    if grid.kind != "major-only":
        layers.append((grid.minor_rgb, SMALL_SQUARE_MM, grid.minor_mm * (2.5 if spots else 1.0), spots))
    only = grid.kind == "dots-only"
    layers.append((grid.major_rgb, LARGE_SQUARE_MM, grid.major_mm * (2.5 if only else 1.0), only))

    def profiles(axis: int, first: int, last: int) -> NDArray[np.float32]:
        centre = (grid.phase_mm[axis] - window[axis]) * scale - 0.5 - first
        return np.stack([line_profile(last - first, centre, s * scale, w * scale) for _, s, w, _ in layers])

    rgb = np.array([colour for colour, *_ in layers], np.float32)
    dots = np.array([dots for *_, dots in layers])
    paint_grid(image, profiles(0, x0, x1), profiles(1, y0, y1), rgb, dots, (x0, y0))
