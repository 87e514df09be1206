"""A PDF page with vector traces -> `Digitization`: the samples are the corners of its lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from ecgdig.digitizer import Digitization
from ecgdig.formats.about import NO_NETWORK
from ecgdig.io.pdf import pdf_document
from ecgdig.locate.naming import LeadNames, renamed
from ecgdig.page.layout import Layout, Paper, Segment
from ecgdig.page.warp import Homography, Warp
from ecgdig.plausible import doubts_about
from ecgdig.recording import Recording
from ecgdig.units import CHEST_LEADS, LEADS, OUTPUT_FS
from ecgdig.vector.curves import Curve, find_curves
from ecgdig.vector.grid import Grid, find_grid
from ecgdig.vector.layout import Cell, Scale, baselines_of, cells_of, rows_of, scale_of, words_of
from ecgdig.vector.paths import Drawing, drawing_of
from ecgdig.vectorize import RowReading

Array = NDArray[np.float64]

_MOST_PICTURE = 0.5  # share of the page; a scan with recognised text is no drawing
_LEAST_TRACE_MM = 40.0  # of traces in all
_LONGEST_MM = 20_000.0  # of a trace; more is no page, and more samples than fit in memory
_ERROR_MM = 0.01  # standard error of a corner: coordinates are rounded
_SIMPLIFIED_MM = 0.02  # across a trace some of whose corners were left out; matplotlib does so by default
_COLUMNS_PER_MM = 16  # of the curves that the overlay and the checks look at
_MOST_OFF, _MEAN_OFF = 0.25, 0.06  # of a step, by which corners that are samples stand off whole steps
_LEAST_SAMPLES = 20
_APART_MM = 1.5  # columns further apart than this do not share the page's time axis
_LONGEST_S = 12.0  # of a page whose columns follow each other
_STEP_S = 0.1  # columns of pages with margins between them last a whole number of these


def read_vectors(
    file: Path | bytes,
    page: int,
    image: NDArray[np.uint8],
    *,
    layout: str | None = None,
    speed_mm_per_s: float | None = None,
    gain_mm_per_mv: float | None = None,
    chest_gain_mm_per_mv: float | None = None,
    leads: LeadNames | None = None,
    name: str = "",
) -> Digitization | None:
    """Read a PDF page from its vector paths; None if it has no grid or no traces among them.

    Args:
        file: a PDF, or its bytes.
        page: from 1.
        image: the page as a picture, uint8 RGB `(H, W, 3)`, for the overlay.
        layout, speed_mm_per_s, gain_mm_per_mv, leads: what the user knows is obeyed; the rest is found.
        chest_gain_mm_per_mv: of V1 to V6, where it differs from that of the other leads.

    Raises:
        ImageError: damaged or locked.
        GeometryError: not the layout that was named.
        ValueError: the layout is not known, or there are not as many rows as lead names.
    """
    drawing = _drawing(file, page)
    grid = None if drawing is None else find_grid(drawing.strokes)
    if drawing is None or grid is None:
        return None
    every, pulses = find_curves(drawing.strokes, grid)
    curves = _alike(every)
    if not _are_traces(curves):
        return None
    rows = rows_of(curves)
    baselines, of_row = baselines_of(rows, pulses)
    seen = [p for p in of_row if p is not None] or pulses
    scale = scale_of(drawing.texts, seen, speed_mm_per_s, gain_mm_per_mv, chest_gain_mm_per_mv)
    cells, plan, warnings = cells_of(rows, baselines, words_of(drawing.texts, grid), layout)
    segments, remarks = _segments(cells, baselines, scale)
    found = Layout(plan, _paper(drawing, grid), segments)
    if leads is not None:
        found, warnings = renamed(found, leads), []
        cells = [_cell_of(s, rows[s.row]) for s in found.segments]
    rate = _drawn_rate(curves, scale.speed)
    if rate is None:
        remarks.append("the program that drew the page left out corners of its lines: samples are not exact")
    recording = _recording(found, cells, name)
    shown = tuple(_shown(row) for row in rows)
    doubts = doubts_about(recording, found, shown)
    told = (*warnings, *scale.warnings, *remarks, *doubts)
    read = Digitization(recording, found, _warp(drawing, grid, image), shown, told, (NO_NETWORK, ""), image)
    return replace(read, doubts=doubts, drawn_hz=rate if rate is not None and rate < 0.99 * OUTPUT_FS else None)


def _drawing(file: Path | bytes, page: int) -> Drawing | None:
    """The vectors of a page, from 1; None of one that is a picture, or has more lines than an ECG."""
    with pdf_document(file) as document:
        try:
            drawing = drawing_of(document[page - 1])
        except ValueError:
            return None
    return None if drawing.pictures > _MOST_PICTURE else drawing


def _are_traces(curves: Sequence[Curve]) -> bool:
    """Whether there is enough of them, and none longer than any page."""
    enough = sum(c.end_mm - c.start_mm for c in curves) >= _LEAST_TRACE_MM
    return enough and max(np.ptp(c.points, axis=0).max() for c in curves) <= _LONGEST_MM


def _alike(curves: Sequence[Curve]) -> list[Curve]:
    """The curves of the pens that draw most: a thin pen beside them draws marks."""
    total: dict[float, float] = {}
    for c in curves:
        total[c.look[1]] = total.get(c.look[1], 0.0) + c.end_mm - c.start_mm
    most = max(total.values(), default=0.0)
    return [c for c in curves if total[c.look[1]] > 0.2 * most]


def _segments(cells: Sequence[Cell], baselines: Sequence[float], scale: Scale) -> tuple[tuple[Segment, ...], list[str]]:
    """The segments, and what is uncertain about their times."""
    first = min(cell.start_mm for cell in cells)
    n_columns = 1 + max(cell.column for cell in cells)
    in_grid = [cell for cell in cells if n_columns == 1 or sum(c.row == cell.row for c in cells) > 1]
    left = [min((c.start_mm for c in in_grid if c.column == k), default=first) for k in range(n_columns)]
    right = [max((c.end_mm for c in in_grid if c.column == k), default=first) for k in range(n_columns)]
    starts = [(x - first) / scale.speed for x in left]
    remarks: list[str] = []
    if any(b - a > _APART_MM for a, b in zip(right[:-1], left[1:], strict=True)):
        widths = [(b - a) / scale.speed for a, b in zip(left, right, strict=True)]
        widths = [round(w / _STEP_S) * _STEP_S if abs(w / _STEP_S - round(w / _STEP_S)) < 0.1 else w for w in widths]
        starts = [float(sum(widths[:k])) for k in range(n_columns)]
        if sum(widths) > _LONGEST_S:
            starts = [0.0] * n_columns
            remarks.append(f"columns of {widths[0]:.3g} s: read as beginning together")
    segments = []
    for cell in cells:
        strip = cell not in in_grid
        late = (cell.start_mm - (first if strip else left[cell.column])) / scale.speed
        start = round(((0.0 if strip else starts[cell.column]) + late) * OUTPUT_FS) / OUTPUT_FS
        step = _step_mm(cell.curves)
        duration = (cell.end_mm - cell.start_mm + (step or scale.speed / OUTPUT_FS)) / scale.speed
        segments.append(
            Segment(
                cell.lead,
                cell.row,
                cell.column,
                start,
                duration,
                cell.start_mm,
                baselines[cell.row],
                scale.chest_gain if cell.lead in CHEST_LEADS else scale.gain,
                scale.speed,
            )
        )
    return tuple(segments), remarks


def _cell_of(segment: Segment, row: Sequence[Curve]) -> Cell:
    inside = tuple(c for c in row if c.start_mm < segment.end_mm - 0.1 and c.end_mm > segment.x_mm + 0.1)
    return Cell(segment.lead, segment.row, segment.column, inside, segment.x_mm, segment.end_mm)


def _recording(layout: Layout, cells: Sequence[Cell], name: str) -> Recording:
    """Samples at 500 Hz on the page's time axis; of a lead that is printed twice the longest one, then the others."""
    n = max(1, max(round((s.start_s + s.duration_s) * OUTPUT_FS) for s in layout.segments))
    extra = dict.fromkeys(s.lead for s in layout.segments if s.lead.lstrip("-") not in LEADS)
    leads = LEADS + tuple(extra)
    signal, sigma = (np.full((len(leads), n), np.nan) for _ in range(2))
    time = np.arange(n) / OUTPUT_FS
    for s, cell in sorted(zip(layout.segments, cells, strict=True), key=lambda pair: -pair[0].duration_s):
        lead = s.lead if s.lead in leads else s.lead.lstrip("-")
        sign = -1.0 if lead != s.lead else 1.0
        row = leads.index(lead)
        for curve in cell.curves:
            points = _within(curve.points, cell)
            if len(points) < 2:
                continue
            x = s.x_of(time)
            half = 0.5 * min(s.speed_mm_per_s / OUTPUT_FS, float(np.median(np.diff(points[:, 0]))))
            here = (x >= points[0, 0] - half) & (x <= points[-1, 0] + half) & np.isnan(signal[row])
            y = _through(points, np.clip(x[here], points[0, 0], points[-1, 0]))
            signal[row, here] = sign * s.mv_of(y)
            exact = evened(points) is not None
            error_mm = np.full(y.size, _ERROR_MM) if exact else _SIMPLIFIED_MM * _steep(x[here], y)
            sigma[row, here] = error_mm / s.gain_mm_per_mv
    return Recording(leads, OUTPUT_FS, signal.astype(np.float32), sigma.astype(np.float32), name=name)


def _within(points: Array, cell: Cell) -> Array:
    kept = (points[:, 0] >= cell.start_mm - 1e-6) & (points[:, 0] <= cell.end_mm + 1e-6)
    inside: Array = points[kept]
    return inside


def _through(points: Array, at_mm: Array) -> Array:
    """Heights at `at_mm`: a smooth curve through corners that are samples, straight lines between others."""
    samples = evened(points)
    if samples is None:
        return np.interp(at_mm, *points.T)
    start, step, y = samples
    return np.asarray(CubicSpline(start + step * np.arange(y.size), y)(at_mm))


def evened(points: Array) -> tuple[float, float, Array] | None:
    """Where the first sample stands, the step to the next, and the heights of all, where corners are samples; in mm.

    Corners stand at whole steps but for the rounding of coordinates; those left out lay on a straight line, as some
    programs save space. None for traces whose corners were chosen otherwise.
    """
    x, y = points.T
    if x.size < _LEAST_SAMPLES:
        return None
    steps = np.diff(x)
    step = float(np.median(steps))
    for _ in range(3):  # the median is rounded like any
        number = np.concatenate([[0.0], np.cumsum(np.round(steps / step))])
        if number[-1] < 1 or np.round(steps / step).min() < 1:
            return None
        step, start = (float(v) for v in np.polyfit(number, x, 1))
    off = np.abs(x - start - step * number) / step
    if off.max() > _MOST_OFF or off.mean() > _MEAN_OFF:
        return None
    return start, step, np.interp(np.arange(number[-1] + 1), number, y)


def _step_mm(curves: Sequence[Curve]) -> float | None:
    samples = [evened(c.points) for c in curves]
    steps = [found[1] for found in samples if found is not None]
    return float(np.median(steps)) if len(steps) == len(samples) > 0 else None


def _drawn_rate(curves: Sequence[Curve], speed: float) -> float | None:
    step = _step_mm(curves)
    return None if step is None else round(speed / step, 1)


def _shown(row: Sequence[Curve]) -> RowReading:
    """A row as a reading by a network would be: a column a sample where corners are samples, else many."""
    parts = [_columns(curve.points) for curve in row]
    x, y, spread = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(x, kind="stable")
    kept = order[np.concatenate([[True], np.diff(x[order]) > 1e-6])]
    return RowReading(x[kept], y[kept], spread[kept], np.ones(kept.size, np.float32))


def _columns(points: Array) -> tuple[Array, Array, Array]:
    """Places, heights and standard errors of a curve, in mm."""
    samples = evened(points)
    if samples is not None:
        start, step, y = samples
        return start + step * np.arange(y.size, dtype=np.float64), y, np.full(y.shape, _ERROR_MM)
    x = np.arange(points[0, 0], points[-1, 0], 1 / _COLUMNS_PER_MM, dtype=np.float64)
    y = np.interp(x, *points.T)
    return x, y, _SIMPLIFIED_MM * _steep(x, y)


def _steep(x: Array, y: Array) -> Array:
    """Length of a curve along 1 mm of x: room across a steep line is much along y."""
    return np.asarray(np.hypot(1, np.gradient(y, x)) if y.size > 1 else np.ones(y.size), np.float64)


def _paper(drawing: Drawing, grid: Grid) -> Paper:
    (right, bottom) = grid.mm(np.array([drawing.size]))[0]
    return Paper(max(float(right), 1.0), max(float(bottom), 1.0))


def _warp(drawing: Drawing, grid: Grid, image: NDArray[np.uint8]) -> Warp:
    """Paper mm -> px of the picture of the page."""
    h, w = image.shape[:2]
    kx, ky = w / drawing.size[0], h / drawing.size[1]
    matrix = [
        [grid.x.points_per_mm * kx, 0.0, grid.x.origin * kx - 0.5],
        [0.0, grid.y.points_per_mm * ky, grid.y.origin * ky - 0.5],
        [0.0, 0.0, 1.0],
    ]
    return Warp((Homography.of(matrix),))
