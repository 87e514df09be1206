"""`Page`: an image of an ECG sheet together with everything true about it, in paper millimetres."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgdig.page.cover import Box as Box  # also for those that import it from here
from ecgdig.page.cover import Cover
from ecgdig.page.layout import Layout, Segment
from ecgdig.page.strokes import draw_polyline
from ecgdig.page.style import Style
from ecgdig.page.warp import Warp
from ecgdig.recording import Recording
from ecgdig.units import LARGE_SQUARE_MM, LEADS, OUTPUT_FS

MarkKind = Literal[
    "lead-name", "header", "footer", "pulse", "separator", "interpretation", "institution", "page-number", "qr-code",
    "barcode", "signature",
]  # fmt: skip


@dataclass(frozen=True)
class Mark:
    """Something printed that is not a trace, with its box in mm."""

    kind: MarkKind
    text: str
    box_mm: Box
    row: int = -1
    column: int = -1


@dataclass(frozen=True)
class Trace:
    """One segment as it was drawn: the pen's path, `(n,)` float64 in paper mm; NaN lifts the pen.

    `inked` `(n,)`: where ink came out; None: everywhere.
    """

    segment: Segment
    x_mm: NDArray[np.float64]
    y_mm: NDArray[np.float64]
    inked: NDArray[np.bool_] | None = None

    def y_at(self, x_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Height of the pen's path at `x_mm`, straight between its points; NaN where nothing is printed."""
        if self.x_mm.size == 0:  # the recording ends before this segment begins
            return np.full(np.shape(x_mm), np.nan)
        return np.interp(x_mm, self.x_mm, self.y_mm, left=np.nan, right=np.nan)

    def lacks_ink_at(self, x_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether no ink came out of the pen at `x_mm`, as at the nearest point; false beyond the trace."""
        if self.inked is None or self.x_mm.size == 0:
            return np.zeros(np.shape(x_mm), bool)
        return np.asarray(np.interp(x_mm, self.x_mm, ~self.inked, left=0.0, right=0.0) > 0.5, bool)

    def mv_at(self, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """The printed value in mV at recording times `time_s`; NaN where nothing is printed."""
        return self.segment.mv_of(self.y_at(self.segment.x_of(time_s)))


@dataclass(frozen=True)
class Page:
    """An ECG page and its truth.

    Attributes:
        image: uint8 RGB `(H, W, 3)`.
        warp: paper mm <-> image px; every label below goes through it.
        traces: one for each segment of the layout, in its order.
        marks: lead names, text, pulses and separators.
        window_mm: the part of the sheet that was drawn; the whole of it unless only a window was asked for.
        name: the recording's name.
        cover: what lies on the sheet and hides it; None: nothing does.
        source: the recording that was drawn, all of it.
        degradations: what was done to the clean page, and how strongly, 0 to 1.
        degradation_values: what was drawn inside them, `blur.sigma_px` -> each value that it had (a fold's
            `folds.angle_deg` has one for each crease).
        jpeg_quality: the picture is still to become a JPEG of this quality, 1 to 100; None: it is as it shall be.
    """

    image: NDArray[np.uint8]
    warp: Warp
    layout: Layout
    style: Style
    traces: tuple[Trace, ...]
    marks: tuple[Mark, ...]
    window_mm: Box
    name: str = ""
    cover: Cover | None = None
    source: Recording | None = None
    degradations: Mapping[str, float] = field(default_factory=dict)
    degradation_values: Mapping[str, tuple[float | str, ...]] = field(default_factory=dict)
    jpeg_quality: int | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return int(self.image.shape[0]), int(self.image.shape[1])

    @property
    def is_window(self) -> bool:
        """Whether only a part of the sheet was drawn."""
        return self.window_mm != (0.0, 0.0, self.layout.paper.width_mm, self.layout.paper.height_mm)

    def with_image(self, image: NDArray[np.uint8], warp: Warp | None = None) -> Page:
        return replace(self, image=image, warp=self.warp if warp is None else warp)

    def hide(self, polygon_mm: ArrayLike, opacity: float = 1.0) -> Page:
        """The page with a polygon `(n, 2)`, in paper mm, that can not be seen through."""
        return replace(self, cover=self._covered().with_polygon(polygon_mm, opacity))

    def hide_seen(self, opacity_px: NDArray[np.uint8]) -> Page:
        """The page where what is seen over it hides it (glare, a finger): opacity uint8 `(H, W)`, 0 clear to 255.

        Raises:
            ValueError: not of the image's shape.
        """
        if opacity_px.shape != self.shape or opacity_px.dtype != np.uint8:
            raise ValueError(f"opacity {opacity_px.dtype} {opacity_px.shape}; want uint8 {self.shape}, as the image")
        return replace(self, cover=self._covered().with_picture(opacity_px, self.warp))

    def _covered(self) -> Cover:
        return Cover.clear(self.window_mm) if self.cover is None else self.cover

    def hides(self, points_mm: ArrayLike) -> NDArray[np.bool_]:
        """Whether points `(..., 2)` of the paper are hidden, `(...)`."""
        points = np.asarray(points_mm, np.float64)
        return np.zeros(points.shape[:-1], bool) if self.cover is None else self.cover.hides(points)

    def hidden(self, index: int) -> NDArray[np.bool_]:
        """Which samples of trace `index` can not be seen, `(n,)`: something covers them, or no ink came out there."""
        trace = self.traces[index]
        covered = self.hides(np.stack([trace.x_mm, trace.y_mm], axis=1))
        return covered if trace.inked is None else covered | ~trace.inked

    def polyline_px(self, index: int) -> NDArray[np.float64]:
        """The path of trace `index` in image px, `(n, 2)`, one point a drawn sample."""
        trace = self.traces[index]
        return self.warp.to_px(np.stack([trace.x_mm, trace.y_mm], axis=1))

    def mask(self, index: int) -> NDArray[np.uint8]:
        """Ink coverage of trace `index` alone, hidden stretches too, uint8 `(H, W)`; traces may overlap."""
        canvas = np.zeros(self.shape, np.uint8)
        points = self.polyline_px(index)
        known = np.isfinite(points).all(axis=1)
        if known.any():
            trace = self.traces[index]
            middle = np.array([np.nanmean(trace.x_mm), np.nanmean(trace.y_mm)])
            width = self.style.ink.width_mm * float(self.warp.px_per_mm(middle))
            draw_polyline(canvas, points, width, np.ones(len(points), np.float32))
        return canvas

    def keypoints_px(self) -> NDArray[np.float64]:
        """Baseline start and end of each segment in image px, `(n_segments, 2, 2)`."""
        ends = [[(s.x_mm, s.baseline_mm), (s.end_mm, s.baseline_mm)] for s in self.layout.segments]
        return self.warp.to_px(np.array(ends))

    def boxes_px(self) -> NDArray[np.float64]:
        """The four corners of each mark in image px, `(n_marks, 4, 2)`, clockwise from the top left."""
        boxes = [[(x0, y0), (x1, y0), (x1, y1), (x0, y1)] for x0, y0, x1, y1 in (m.box_mm for m in self.marks)]
        return self.warp.to_px(np.array(boxes).reshape(-1, 4, 2))

    def mm_field(self, step: int = 1) -> NDArray[np.float32]:
        """Paper mm (x, y) of every `step`-th pixel, float32 `(h, w, 2)`."""
        return self.warp.mm_field(self.shape, step)

    def grid_px(self) -> NDArray[np.float64]:
        """Crossings of the printed 5 mm lines in image px, `(rows, columns, 2)`."""
        grid, paper = self.style.grid, self.layout.paper
        left, top, right, bottom = grid.box_mm
        x = np.arange(grid.phase_mm[0], paper.width_mm, LARGE_SQUARE_MM)
        y = np.arange(grid.phase_mm[1], paper.height_mm, LARGE_SQUARE_MM)
        x = x[(x >= left) & (x <= paper.width_mm - right)]
        y = y[(y >= top) & (y <= paper.height_mm - bottom)]
        return self.warp.to_px(np.stack(np.meshgrid(x, y), axis=-1))

    def recording(self, fs: float = OUTPUT_FS, leads: tuple[str, ...] = LEADS) -> Recording:
        """What is printed, on the page's common time axis from 0 s; NaN where a lead is not printed.

        A lead printed twice (in the grid and as a rhythm strip) has the samples of both; -aVR is given as aVR.
        """
        n = int(np.ceil(self.layout.duration_s * fs - 1e-6))
        time = np.arange(n) / fs
        names = list(leads)
        names += [lead for lead in dict.fromkeys(s.lead.lstrip("-") for s in self.layout.segments) if lead not in names]
        signal = np.full((len(names), n), np.nan, np.float32)
        for trace in self.traces:
            s = trace.segment
            inside = (time >= s.start_s - 1e-9) & (time < s.start_s + s.duration_s - 1e-9)
            sign = -1.0 if s.lead.startswith("-") else 1.0
            row = signal[names.index(s.lead.lstrip("-"))]
            value = sign * trace.mv_at(time[inside])
            row[inside] = np.where(np.isnan(value), row[inside], value)
        return Recording(tuple(names), fs, signal, name=self.name)

    def whole_recording(self, fs: float = OUTPUT_FS, leads: tuple[str, ...] = LEADS) -> Recording:
        """The recording that the page was drawn from, printed or not, in the order of leads of `recording`.

        Raises:
            ValueError: the page has lost it.
        """
        if self.source is None:
            raise ValueError(f"page {self.name!r} does not hold the recording it was drawn from")
        names = list(leads) + [lead for lead in self.source.leads if lead not in leads]
        return self.source.select(names).resample(fs)
