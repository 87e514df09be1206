"""ECG pages as vectors, drawn by other libraries each in its own way, for tests of reading them."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator
from numpy.typing import NDArray
from reportlab.pdfgen.canvas import Canvas

from ecgdig.page.layout import Layout, LeadPlan, Segment
from ecgdig.recording import Recording

try:
    import cairocffi as cairo
except OSError:  # the machine has no libcairo, which the package does not carry
    cairo = None

WIDTH_MM, HEIGHT_MM = 290.0, 210.0
GRID = (10.0, 10.0, 280.0, 200.0)  # left, top, right, bottom in mm


def curve(recording: Recording, s: Segment) -> NDArray[np.float64]:
    """What a segment prints, `(n, 2)` in mm from the top left corner."""
    first, last = round(s.start_s * recording.fs), round((s.start_s + s.duration_s) * recording.fs)
    time = np.arange(first, min(last, recording.n_samples)) / recording.fs
    return np.stack([s.x_of(time), s.y_of(recording.lead(s.lead)[first:last])], axis=1)


def pulse(s: Segment) -> NDArray[np.float64]:
    x, y, up, wide = s.x_mm - 8, s.baseline_mm, s.gain_mm_per_mv, 0.2 * s.speed_mm_per_s
    corners = [(x - 1, y), (x, y), (x, y - up), (x + wide, y - up), (x + wide, y), (x + wide + 1, y)]
    return np.array(corners, np.float64)


def scale_words(layout: Layout) -> str:
    s = layout.segments[0]
    gains = dict.fromkeys(f"{s.gain_mm_per_mv:g}" for s in layout.segments)
    return f"{s.speed_mm_per_s:g} mm/s   {'/'.join(gains)} mm/mV   0.05-150 Hz"


def by_matplotlib(recording: Recording, layout: Layout, path: Path, size: float = 1.0, simplify: bool = True) -> Path:
    """Axes in mm with their own grid, a line a lead; the page is `size` times as large as it should be."""
    with mpl.rc_context({"path.simplify": simplify, "pdf.fonttype": 42}):
        figure = Figure(figsize=(size * WIDTH_MM / 25.4, size * HEIGHT_MM / 25.4))
        axes = figure.add_axes((GRID[0] / WIDTH_MM, 1 - GRID[3] / HEIGHT_MM, 270 / WIDTH_MM, 190 / HEIGHT_MM))
        axes.set_xlim(GRID[0], GRID[2])
        axes.set_ylim(GRID[3], GRID[1])
        for way in (axes.xaxis, axes.yaxis):
            way.set_major_locator(MultipleLocator(5))
            way.set_minor_locator(MultipleLocator(1))
        axes.grid(which="major", color="#dd9999", linewidth=0.6)
        axes.grid(which="minor", color="#f2cccc", linewidth=0.3)
        axes.tick_params(which="both", length=0, labelbottom=False, labelleft=False)
        for s in layout.segments:
            axes.plot(*curve(recording, s).T, color="black", linewidth=0.7)
            axes.text(s.x_mm + 1, s.baseline_mm - 6, s.lead, fontsize=8)
        for r in range(layout.n_rows):
            axes.plot(*pulse(layout.row(r)[0]).T, color="black", linewidth=0.7)
        figure.text(0.05, 0.01, scale_words(layout), fontsize=7)
        FigureCanvasPdf(figure).print_pdf(path)
    return path


def by_cairo(recording: Recording, layout: Layout, path: Path, size: float = 1.0) -> Path:
    """The whole grid as two paths, each row as one with the pen lifted between leads; 1 mm squares first."""
    if cairo is None:
        pytest.skip("needs libcairo")
    unit = size * 72 / 25.4
    surface = cairo.PDFSurface(str(path), WIDTH_MM * unit, HEIGHT_MM * unit)
    pen = cairo.Context(surface)
    pen.scale(unit, unit)
    for step, width, rgb in ((1, 0.08, (1, 0.8, 0.8)), (5, 0.2, (0.95, 0.6, 0.6))):
        for x in np.arange(GRID[0], GRID[2] + 0.1, step):
            pen.move_to(x, GRID[1])
            pen.line_to(x, GRID[3])
        for y in np.arange(GRID[1], GRID[3] + 0.1, step):
            pen.move_to(GRID[0], y)
            pen.line_to(GRID[2], y)
        pen.set_line_width(width)
        pen.set_source_rgb(*rgb)
        pen.stroke()
    pen.set_source_rgb(0.1, 0.1, 0.2)
    pen.set_line_width(0.25)
    pen.set_font_size(3.2)
    for r in range(layout.n_rows):
        for s in layout.row(r):
            points = curve(recording, s)
            pen.move_to(*points[0])
            for x, y in points[1:]:
                pen.line_to(x, y)
        pen.stroke()
        for s in layout.row(r):
            pen.move_to(s.x_mm + 1, s.baseline_mm - 6)
            pen.show_text(s.lead)
    pen.move_to(20, 206)
    pen.show_text(scale_words(layout))
    surface.finish()
    return path


def by_reportlab(recording: Recording, layout: Layout, path: Path, size: float = 1.0) -> Path:
    """The page held upright and turned by 90 degrees, y upwards; every step from sample to sample its own line."""
    unit = size * 72 / 25.4
    canvas = Canvas(str(path), pagesize=(WIDTH_MM * unit, HEIGHT_MM * unit), pageCompression=1)
    canvas.setPageRotation(90)  # which swaps the sides of the sheet
    canvas.translate(HEIGHT_MM * unit, 0)
    canvas.rotate(90)
    canvas.scale(unit, unit)
    for step, width, grey in ((1, 0.06, 0.85), (5, 0.15, 0.7)):
        canvas.setLineWidth(width)
        canvas.setStrokeGray(grey)
        canvas.grid(list(np.arange(GRID[0], GRID[2] + 0.1, step)), list(np.arange(GRID[1], GRID[3] + 0.1, step)))
    canvas.setStrokeGray(0)
    canvas.setLineWidth(0.3)
    canvas.setFont("Helvetica", 3)
    for s in layout.segments:
        points = curve(recording, s)
        up = HEIGHT_MM - points[:, 1]
        canvas.lines(list(zip(points[:-1, 0], up[:-1], points[1:, 0], up[1:], strict=True)))
        canvas.drawString(s.x_mm + 1, HEIGHT_MM - s.baseline_mm + 6, s.lead)
    canvas.drawString(20, 4, scale_words(layout))
    canvas.showPage()
    canvas.save()
    return path


def by_subplots(recording: Recording, plan: LeadPlan, seconds: float, path: Path) -> Path:
    """Axes for each lead in s and mV with a grid and a title of its own, margins between them: stretched squares."""
    with mpl.rc_context({"path.simplify": False}):
        figure = Figure(figsize=(14, 8))
        for axes, (c, lead) in zip(
            figure.subplots(len(plan.grid), plan.n_columns).ravel(),
            [(c, lead) for row in plan.grid for c, lead in enumerate(row)],
            strict=True,
        ):
            time = np.arange(round(seconds * recording.fs)) / recording.fs
            first = round(c * seconds * recording.fs)
            axes.plot(time, recording.lead(lead)[first : first + time.size], "k", linewidth=0.7)
            axes.set_title(f"Lead {lead}", loc="left", fontsize=8)
            axes.set(xlim=(0, seconds), ylim=(-2, 2))
            for way, large, small in ((axes.xaxis, 0.2, 0.04), (axes.yaxis, 0.5, 0.1)):
                way.set_major_locator(MultipleLocator(large))
                way.set_minor_locator(MultipleLocator(small))
            axes.grid(which="major", color="#dd9999", linewidth=0.6)
            axes.grid(which="minor", color="#f2cccc", linewidth=0.3)
            axes.tick_params(which="both", length=0, labelbottom=False, labelleft=False)
        FigureCanvasPdf(figure).print_pdf(path)
    return path


DRAWN_BY = {"matplotlib": by_matplotlib, "cairo": by_cairo, "reportlab": by_reportlab}
