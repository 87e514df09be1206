"""A recording on one clean page of ECG paper: PDF, all of it vector paths and text."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from ecgdig.formats.about import About, runs
from ecgdig.io.atomic import whole_file
from ecgdig.page.layout import Layout, Paper, Segment
from ecgdig.recording import Recording
from ecgdig.units import (
    LARGE_SQUARE_MM,
    MM_PER_INCH,
    PULSE_MV,
    PULSE_S,
    SMALL_SQUARE_MM,
    STANDARD_GAIN_MM_PER_MV,
    STANDARD_SPEED_MM_PER_S,
)

_WIDTH_MM, _HEIGHT_MM = 297.0, 210.0  # A4 as it lies; longer recordings get a longer sheet
_EDGE_MM = 5.0  # free of grid
_LEFT_MM, _RIGHT_MM = 22.0, 10.0  # before the first sample: calibration pulse; behind the last
_TOP_MM, _BOTTOM_MM = 18.0, 24.0  # of the grid: header and what is said of the recording
_MOST_ROW_MM = 30.0
_CHARACTERS, _MOST_LINES = 240, 8  # of what is said below the traces
_POINTS_PER_MM = 72 / MM_PER_INCH
_MINOR, _MAJOR, _INK = "#f6cccc", "#e79a9a", "#101010"


def write_pdf(recording: Recording, about: About, path: str | os.PathLike[str]) -> Path:
    """Print at 25 mm/s and 10 mm/mV with the leads where the page had them, else a row a lead.

    Below stand what `About.pairs` says. Traces are paths with a corner at each sample; what is not known is left blank.
    """
    layout = reprinted(recording, about.layout)
    paper = layout.paper
    size = (paper.width_mm / MM_PER_INCH, paper.height_mm / MM_PER_INCH)
    # corners stay as they are, letters stay text; no date, so that the same recording gives the same bytes
    with mpl.rc_context({"path.simplify": False, "pdf.fonttype": 42, "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=size)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(0, paper.width_mm)
        axes.set_ylim(paper.height_mm, 0)
        axes.axis("off")
        _grid(axes, paper)
        for r in range(layout.n_rows):
            _pulse(axes, layout.row(r)[0])
        for segment in layout.segments:
            _trace(axes, recording, segment)
        _words(axes, recording, about, paper)
        with whole_file(path) as file:
            canvas: Any = FigureCanvasPdf(figure)
            canvas.print_pdf(file, metadata={"CreationDate": None, "Title": recording.name or "ECG"})
    return Path(path)


def reprinted(recording: Recording, layout: Layout | None) -> Layout:
    """The segments of a page, or a row a lead, at standard speed and gain on a sheet that holds them."""
    if layout is None:
        leads = recording.leads
        segments: Sequence[Segment] = [
            Segment(lead, r, 0, 0.0, recording.duration_s, 0.0, 0.0, 1.0, 1.0) for r, lead in enumerate(leads)
        ]
    else:
        segments = layout.segments
    speed, n_rows = STANDARD_SPEED_MM_PER_S, 1 + max(s.row for s in segments)
    first = min(s.x_mm for s in segments)
    placed = []
    height = _HEIGHT_MM - _TOP_MM - _BOTTOM_MM
    row_mm = min(_MOST_ROW_MM, height / n_rows)
    top = _TOP_MM + (height - row_mm * n_rows) / 2 + row_mm / 2
    for s in segments:
        x = _LEFT_MM + (s.x_mm - first) / s.speed_mm_per_s * speed
        y = top + s.row * row_mm
        placed.append(replace(s, x_mm=x, baseline_mm=y, speed_mm_per_s=speed, gain_mm_per_mv=STANDARD_GAIN_MM_PER_MV))
    width = max(_WIDTH_MM, max(s.end_mm for s in placed) + _RIGHT_MM)
    name = f"{n_rows}x1" if layout is None else layout.name
    return Layout(name, Paper(width, _HEIGHT_MM), tuple(placed))


def _grid(axes: Any, paper: Paper) -> None:
    x0, y0 = _EDGE_MM, _TOP_MM - 5.0
    x1 = x0 + LARGE_SQUARE_MM * ((paper.width_mm - _EDGE_MM - x0) // LARGE_SQUARE_MM)
    y1 = y0 + LARGE_SQUARE_MM * ((paper.height_mm - _BOTTOM_MM + 5.0 - y0) // LARGE_SQUARE_MM)
    for step, width_mm, colour in ((SMALL_SQUARE_MM, 0.08, _MINOR), (LARGE_SQUARE_MM, 0.18, _MAJOR)):
        lines = [[(x, y0), (x, y1)] for x in np.arange(x0, x1 + 0.5 * step, step)]
        lines += [[(x0, y), (x1, y)] for y in np.arange(y0, y1 + 0.5 * step, step)]
        axes.add_collection(LineCollection(lines, colors=colour, linewidths=width_mm * _POINTS_PER_MM), autolim=False)


def _pulse(axes: Any, segment: Segment) -> None:
    width, height = PULSE_S * segment.speed_mm_per_s, PULSE_MV * segment.gain_mm_per_mv
    x, y = segment.x_mm - 3 * SMALL_SQUARE_MM - width, segment.baseline_mm
    corners = [(x - 2, y), (x, y), (x, y - height), (x + width, y - height), (x + width, y), (x + width + 2, y)]
    _line(axes, np.array(corners))


def _trace(axes: Any, recording: Recording, segment: Segment) -> None:
    row = segment.lead if segment.lead.lstrip("-") in recording.leads else None
    axes.text(segment.x_mm + 1.0, segment.baseline_mm - 7.0, segment.lead, fontsize=8, color=_INK, va="bottom")
    if row is None:
        return
    first = round(segment.start_s * recording.fs)
    last = min(round((segment.start_s + segment.duration_s) * recording.fs), recording.n_samples)
    mv = recording.lead(segment.lead)[first:last].astype(np.float64)
    x = segment.x_of(np.arange(first, last) / recording.fs)
    for start, stop in runs(np.isfinite(mv)):
        _line(axes, np.stack([x[start:stop], segment.y_of(mv[start:stop])], axis=1))


def _line(axes: Any, points: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    width = 0.25 * _POINTS_PER_MM
    axes.plot(points[:, 0], points[:, 1], color=_INK, linewidth=width, solid_joinstyle="round", clip_on=False)


def _words(axes: Any, recording: Recording, about: About, paper: Paper) -> None:
    head = f"{STANDARD_SPEED_MM_PER_S:g} mm/s   {STANDARD_GAIN_MM_PER_MV:g} mm/mV"
    axes.text(_EDGE_MM, 9.0, recording.name or "ECG", fontsize=10, color=_INK, va="center")
    axes.text(paper.width_mm - _EDGE_MM, 9.0, head, fontsize=9, color=_INK, va="center", ha="right")
    lines = textwrap.wrap("  |  ".join(about.lines(recording)), _CHARACTERS)
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], "... (the other formats say the rest)"]
    axes.text(
        _EDGE_MM, paper.height_mm - _BOTTOM_MM + 7.0, "\n".join(lines), fontsize=4.5, color=_INK, va="top", wrap=False
    )
