"""Image -> `Digitization`: geometry, layout, the trace of every row, samples in millivolts, error bars and warnings."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ecgdig.drawn_rate import drawn_rate, through_samples
from ecgdig.grid.lines import Refined, moved, refine, refine_flat, with_field
from ecgdig.hub import TraceModel
from ecgdig.inkfit import fit_ink
from ecgdig.locate.naming import LeadNames
from ecgdig.locate.place import place
from ecgdig.locate.time_zero import time_zero
from ecgdig.page.layout import Layout
from ecgdig.page.warp import Warp
from ecgdig.plausible import doubts_about
from ecgdig.quality import Quality, quality_of
from ecgdig.recording import FloatArray, Recording
from ecgdig.strip import Strip, cut
from ecgdig.units import LEADS, OUTPUT_FS
from ecgdig.vectorize import RowReading, resample_curve, trace_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TILE_PX = 512  # width of the strips that the network sees at a time
_OVERLAP_PX = 64  # what neighbouring strips share; each is trusted up to the middle of it
_BEYOND_MM = 6.0  # how far beyond a row's ends the network looks
_BRIDGE_S = 0.02  # shorter gaps are bridged
_HELD_S = 0.1  # gaps at a segment's ends up to this long take the nearest value, with a sigma that grows ...
_WANDERS_MV_PER_S = 1.8  # ... as much: nine calm stretches in ten of 150 recordings then stay within 1.645 sigma
SEAM_MM = (0.1, 0.1)  # of a segment's start and end, where another lead adjoins, columns show the jump between them
_ADJOINS_MM = 0.02  # segments nearer to each other than this adjoin
_OFF_BY_SCALE = 0.2  # of a page's width times the scale's error: rms over the leads, of which scores leave the mean out
FIELD_ERROR = 2.0  # the field's error, in what single grid lines differ from it
_TIME_ERROR_MM = 0.05  # of a time axis that could not be measured
_PARTLY = "only a part was readable of "

Told = Callable[[str], None]  # hears what is being done, in words


@dataclass(frozen=True)
class Digitization:
    """What was read from one image.

    Attributes:
        recording: 12 leads at 500 Hz in mV on the page's common time axis, NaN where nothing is printed or readable;
            `sigma_mv` is the standard error of each sample.
        layout: the segments, in the mm of `warp`.
        warp: paper mm <-> image px.
        rows: the traces as read, one for each row of the layout.
        warnings: what a user should look at, in words.
        checkpoint: name and SHA-256 of the network.
        image: what it was read from, uint8 RGB `(H, W, 3)`, turned upright; `warp` leads to its px.
        turned_deg: by how much the given image was turned anticlockwise for that.
        drawn_hz: samples a second that the page was drawn from, where they are so few that the ink shows it; the
            recording is then a smooth curve through these samples, not the straight lines on the paper.
        doubts: why the whole reading is not to be trusted, in words; they are among the warnings too.
        time_error_mm: standard error of the time axis, which is part of sigma.
        field_error_mm: standard error of the geometry, which is part of both.
        edits: what was corrected by hand (`ecgdig.corrections`), as plain JSON, in order.
    """

    recording: Recording
    layout: Layout
    warp: Warp
    rows: tuple[RowReading, ...]
    warnings: tuple[str, ...]
    checkpoint: tuple[str, str]
    image: NDArray[np.uint8] = field(repr=False)
    turned_deg: int = 0
    drawn_hz: float | None = None
    doubts: tuple[str, ...] = ()
    time_error_mm: float = 0.0
    field_error_mm: float = 0.0
    edits: tuple[Mapping[str, Any], ...] = ()

    @property
    def sigma_mv(self) -> FloatArray:
        """Standard error of each sample in mV, `(n_leads, n_samples)`; NaN where there is none."""
        sigma = self.recording.sigma_mv
        return np.full_like(self.recording.signal_mv, np.nan) if sigma is None else sigma

    @property
    def quality(self) -> dict[str, Quality]:
        """`good`, `usable`, `poor` or `unreadable` for each lead that the layout says is printed."""
        return quality_of(self.recording, self.coverage(), self.printed)

    @property
    def printed(self) -> tuple[str, ...]:
        """The leads that the layout says are printed, -aVR as aVR, in the order of the recording."""
        there = {s.lead.lstrip("-") for s in self.layout.segments}
        return tuple(lead for lead in self.recording.leads if lead in there)

    def save(self, path: str | os.PathLike[str], formats: Sequence[str] = ("wfdb", "csv", "npz")) -> list[Path]:
        """Write the recording, PATH.json and PATH_overlay.png, each file whole or not at all; returns what was written.

        Args:
            formats: of `wfdb`, `csv`, `npz`, `parquet`, `dicom`, `aecg`, `fhir`, `edf` and `pdf`.

        Raises:
            ValueError: an unknown format, or a library that one needs is not installed.
            OSError: the folder cannot be written to.
        """
        from ecgdig.report.save import save

        return save(self, path, formats)

    def overlay(self) -> NDArray[np.uint8]:
        """The reading drawn over the image, uint8 RGB `(H, W, 3)`."""
        from ecgdig.report.overlay import overlay

        return overlay(self.image, self)

    def plot(self) -> Figure:
        """The leads with their error bands on ECG paper, as a matplotlib figure."""
        from ecgdig.report.plot import plot

        return plot(self)

    def coverage(self) -> dict[str, float]:
        """Of what the layout says is printed of each lead, the share that was read."""
        printed = dict.fromkeys(self.recording.leads, 0.0)
        time = np.arange(self.recording.n_samples) / self.recording.fs
        for lead in printed:
            where = np.zeros(time.shape, bool)
            for s in self.layout.segments:
                if s.lead.lstrip("-") == lead:
                    where |= (time >= s.start_s) & (time < s.start_s + s.duration_s)
            if where.any():
                printed[lead] = float(np.isfinite(self.recording.lead(lead)[where]).mean())
        return printed


def digitize(
    image: NDArray[np.uint8],
    model: TraceModel,
    *,
    layout: str | None = None,
    speed_mm_per_s: float | None = None,
    gain_mm_per_mv: float | None = None,
    chest_gain_mm_per_mv: float | None = None,
    leads: LeadNames | None = None,
    name: str = "",
    told: Told = lambda stage: None,
) -> Digitization:
    """Read a page: a scan, a screenshot, a rendered page, or a photo on which the printed grid can be followed.

    Args:
        image: uint8 RGB `(H, W, 3)`.
        model: from `hub.load`.
        layout, speed_mm_per_s, gain_mm_per_mv, leads: what the user knows is obeyed; the rest is found.
        chest_gain_mm_per_mv: of V1 to V6, where it differs from that of the other leads.
        told: hears what is being done.

    Raises:
        GeometryError: no grid or no traces; the message says what to do.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"image of shape {image.shape} and type {image.dtype}; want uint8 RGB (H, W, 3)")
    told("finding the grid and the leads")
    placed = place(
        image,
        layout=layout,
        speed_mm_per_s=speed_mm_per_s,
        gain_mm_per_mv=gain_mm_per_mv,
        chest_gain_mm_per_mv=chest_gain_mm_per_mv,
        leads=leads,
    )
    image, warp = placed.image, with_field(placed.warp, placed.size_mm)
    rows = read_rows(image, warp, placed.found.layout, model, told)
    told("measuring the lines of the grid")
    # the traces are known now: what single grid lines say between them is better than what the whole grid said
    if placed.scale_error is None:
        better = (refine_flat if placed.flat else refine)(image, warp, rows)
    else:
        better = Refined(warp, 0.0)
    told("fitting the traces to the ink")
    rows = fit_ink(image, better.warp, placed.found.layout, moved(rows, warp, better.warp))
    if not placed.flat:  # a field that bends gets nearer to its lines with each pass
        bent, better = better, refine(image, better.warp, rows)
        rows = moved(rows, bent.warp, better.warp)
    error_mm = FIELD_ERROR * better.residual_mm + (placed.scale_error or 0.0) * _OFF_BY_SCALE * placed.size_mm[0]
    read = assemble(image, better.warp, placed.found.layout, rows, model, placed.warnings, name, error_mm)
    return judged(replace(read, turned_deg=placed.turned_deg))


def judged(read: Digitization) -> Digitization:
    """A reading with its doubts and what is missing from it said anew, after whatever was done to it."""
    kept = [w for w in read.warnings if w not in read.doubts and not w.startswith(_PARTLY)]
    doubts = doubts_about(read.recording, read.layout, read.rows)
    return replace(read, doubts=doubts, warnings=(*kept, *_missing(read), *doubts))


def read_traces(
    image: NDArray[np.uint8],
    warp: Warp,
    layout: Layout,
    model: TraceModel,
    *,
    warnings: tuple[str, ...] = (),
    name: str = "",
    adjust: bool = True,
) -> Digitization:
    """Read the traces of a page whose geometry and layout are known.

    Args:
        adjust: move the time axis to where the traces begin in the image (a found layout), or leave it as it is (the
            true one).
    """
    rows = fit_ink(image, warp, layout, read_rows(image, warp, layout, model))
    return assemble(image, warp, layout, rows, model, warnings, name, 0.0 if adjust else None)


def read_rows(
    image: NDArray[np.uint8], warp: Warp, layout: Layout, model: TraceModel, told: Told = lambda stage: None
) -> tuple[RowReading, ...]:
    """The trace of every row of a layout as the network sees it, in the mm of `warp`."""
    rows = []
    for r in range(layout.n_rows):
        told(f"following the traces, row {r + 1} of {layout.n_rows}")
        rows.append(read_row(image, warp, layout, r, model))
    return tuple(rows)


def assemble(
    image: NDArray[np.uint8],
    warp: Warp,
    layout: Layout,
    rows: tuple[RowReading, ...],
    model: TraceModel,
    warnings: tuple[str, ...],
    name: str,
    field_error_mm: float | None,
) -> Digitization:
    """Samples and error bars; the time axis is measured where the geometry was found (`field_error_mm` not None)."""
    time_error_mm, height_error_mm = 0.0, field_error_mm or 0.0
    if field_error_mm is not None:
        zero = time_zero(image, warp, layout, rows)
        time_error_mm = float(np.hypot(_TIME_ERROR_MM if zero is None else zero.error_mm, field_error_mm))
        if zero is not None:
            layout = _moved(layout, zero.shift_mm)
    rate = drawn_rate(rows, layout)
    if rate is not None:
        rows = through_samples(rows, layout, rate)
    recording = recording_of(layout, rows, model.sigma, name, time_error_mm, height_error_mm)
    read = Digitization(
        recording,
        layout,
        warp,
        rows,
        warnings,
        (model.name, model.sha256),
        image,
        time_error_mm=time_error_mm,
        field_error_mm=height_error_mm,
    )
    return replace(read, warnings=(*warnings, *_missing(read)), drawn_hz=None if rate is None else rate.fs)


def _missing(read: Digitization) -> list[str]:
    covered = read.coverage()
    poor = [f"{lead} ({covered[lead]:.0%})" for lead in read.printed if covered[lead] < 0.9]
    return [_PARTLY + ", ".join(poor)] if poor else []


def _moved(layout: Layout, by_mm: float) -> Layout:
    return replace(layout, segments=tuple(replace(s, x_mm=s.x_mm + by_mm) for s in layout.segments))


@dataclass(frozen=True, eq=False)
class RowChances:
    """What the network says of one row: `chance` `(heights, columns)`, `present` and `x_mm` `(columns,)`.

    `strip` turns heights into mm.
    """

    chance: NDArray[np.float32]
    present: NDArray[np.float32]
    x_mm: NDArray[np.float64]
    strip: Strip


def row_chances(
    image: NDArray[np.uint8],
    warp: Warp,
    layout: Layout,
    row: int,
    model: TraceModel,
    between_mm: tuple[float, float] | None = None,
) -> RowChances:
    """Ask the network about a row, over the whole width of it or between two x."""
    spec = model.spec
    segments = layout.row(row)
    left, right = segments[0].x_mm - _BEYOND_MM, segments[-1].end_mm + _BEYOND_MM
    if between_mm is not None:
        left, right = max(left, between_mm[0]), min(right, between_mm[1])
    width = right - left
    step = _TILE_PX - _OVERLAP_PX
    n_tiles = max(1, -(-round(width * spec.px_per_mm_x - _OVERLAP_PX) // step))
    strips = [
        Strip(spec, left + i * step / spec.px_per_mm_x, segments[0].baseline_mm, _TILE_PX) for i in range(n_tiles)
    ]
    pictures = np.stack([cut(image, warp, strip).transpose(2, 0, 1) for strip in strips])
    answers = [model.chances(pictures[i : i + 2]) for i in range(0, n_tiles, 2)]
    height, present = (np.concatenate(part) for part in zip(*answers, strict=True))
    # tile i is trusted from the middle of the overlap with the one before to the middle of that with the next
    half = _OVERLAP_PX // 2 * spec.sub_columns
    keep = [slice(0 if i == 0 else half, None if i == n_tiles - 1 else height.shape[2] - half) for i in range(n_tiles)]
    chance = np.ascontiguousarray(np.concatenate([height[i][:, keep[i]] for i in range(n_tiles)], axis=1))
    seen = np.concatenate([present[i][keep[i]] for i in range(n_tiles)])
    x = np.concatenate([strips[i].columns_mm()[keep[i]] for i in range(n_tiles)])
    return RowChances(chance, seen, x, strips[0])


def read_row(image: NDArray[np.uint8], warp: Warp, layout: Layout, row: int, model: TraceModel) -> RowReading:
    """Follow the trace of one row with the network, over the whole width of the row."""
    said = row_chances(image, warp, layout, row, model)
    y_px, spread, known = trace_path(said.chance, said.present)
    path = said.strip.y_mm(said.x_mm, y_px.astype(np.float64))
    spread_mm = np.asarray(spread / model.spec.px_per_mm_y, np.float64)
    return RowReading(said.x_mm, np.where(known, path, np.nan), np.where(known, spread_mm, np.nan), said.present, path)


def recording_of(
    layout: Layout,
    rows: tuple[RowReading, ...],
    sigma_rule: tuple[float, float],
    name: str,
    time_error_mm: float = 0.0,
    field_error_mm: float = 0.0,
    seam_mm: tuple[float, float] = SEAM_MM,
) -> Recording:
    """Samples of every segment on the common time axis; a lead that is printed twice is averaged by its error bars.

    Args:
        sigma_rule: (factor, floor in mm): sigma² = (factor · spread)² + floor² + (slope · time_error_mm)² +
            field_error_mm².
        time_error_mm, field_error_mm: standard errors of the time axis and of the page's geometry.
        seam_mm: from a segment's start, and before its end, so much is not believed where another lead adjoins.
    """
    n = round(layout.duration_s * OUTPUT_FS)
    time = np.arange(n) / OUTPUT_FS
    leads = LEADS + tuple(dict.fromkeys(s.lead for s in layout.segments if s.lead.lstrip("-") not in LEADS))
    total, weight = np.zeros((len(leads), n)), np.zeros((len(leads), n))
    factor, floor_mm = sigma_rule
    for s in layout.segments:
        reading = rows[s.row]
        inside = (time >= s.start_s - 1e-9) & (time < s.start_s + s.duration_s - 1e-9)
        left = seam_mm[0] if any(abs(t.end_mm - s.x_mm) < _ADJOINS_MM for t in layout.row(s.row)) else 0.0
        right = seam_mm[1] if any(abs(t.x_mm - s.end_mm) < _ADJOINS_MM for t in layout.row(s.row)) else 0.0
        columns = (reading.x_mm >= s.x_mm + left) & (reading.x_mm < s.end_mm - right)
        if columns.sum() < 2:
            continue
        seconds = s.time_of(reading.x_mm[columns])
        sign = -1.0 if s.lead.startswith("-") else 1.0
        value = sign * resample_curve(seconds, s.mv_of(reading.y_mm[columns]), time[inside], bridge=_BRIDGE_S)
        value, held_s = _held_at_ends(value, *_longest_held_s(reading, columns))
        slope = np.nan_to_num(np.gradient(reading.y_mm[columns], reading.x_mm[columns]))
        spread = np.hypot(factor * np.nan_to_num(reading.spread_mm[columns], nan=1.0), slope * time_error_mm)
        sigma = (
            np.hypot(np.interp(time[inside], seconds, spread), np.hypot(floor_mm, field_error_mm)) / s.gain_mm_per_mv
        )
        sigma = np.hypot(sigma, _WANDERS_MV_PER_S * held_s)
        known = np.isfinite(value)
        row = leads.index(s.lead.lstrip("-") if s.lead.lstrip("-") in LEADS else s.lead)
        at = np.flatnonzero(inside)[known]
        total[row, at] += value[known] / sigma[known] ** 2
        weight[row, at] += 1 / sigma[known] ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        signal = np.where(weight > 0, total / weight, np.nan)
        error = np.where(weight > 0, 1 / np.sqrt(weight), np.nan)
    return Recording(leads, OUTPUT_FS, signal.astype(np.float32), error.astype(np.float32), name=name)


def _longest_held_s(reading: RowReading, columns: NDArray[np.bool_]) -> tuple[float, float]:
    """How long a gap at the start and at the end of a segment may be held: hardly, where a hand marked it."""
    known, marked = np.isfinite(reading.y_mm[columns]), reading.present[columns] <= 0
    first, last = int(np.argmax(known)), known.size - int(np.argmax(known[::-1]))
    return _BRIDGE_S if marked[:first].any() else _HELD_S, _BRIDGE_S if marked[last:].any() else _HELD_S


def _held_at_ends(
    value: NDArray[np.float64], first_s: float, last_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gaps at either end, if they are no longer than this, repeat the first or last known sample.

    Returns:
        the samples, and how far each is from the first that is held, in s; 0 elsewhere.
    """
    out, held_s = value.copy(), np.zeros(value.shape)
    known = np.flatnonzero(np.isfinite(value))
    if known.size == 0:
        return out, held_s
    first, last = int(known[0]), int(known[-1])
    if first <= round(first_s * OUTPUT_FS):
        out[:first] = value[first]
        held_s[:first] = np.arange(first)[::-1] / OUTPUT_FS
    if value.size - 1 - last <= round(last_s * OUTPUT_FS):
        out[last + 1 :] = value[last]
        held_s[last + 1 :] = np.arange(value.size - 1 - last) / OUTPUT_FS
    return out, held_s
