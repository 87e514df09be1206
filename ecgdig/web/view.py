"""What the page needs to show a reading: plain JSON, and the samples as bytes."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.corrections.geometry import corner_places_mm
from ecgdig.digitizer import Digitization
from ecgdig.page.layout import Segment
from ecgdig.report.save import describe
from ecgdig.units import LARGE_SQUARE_MM

_SHOWN_PX = 2600  # long side of the picture that the page gets
_BAND = 1.64  # standard errors on both sides: 90 % of the samples
_LINE_STEP, _BAND_STEP = 2, 4  # every second sample is drawn, every fourth of the band
_HANDLE_MM = 5 * LARGE_SQUARE_MM
_GRID_STEP_MM = LARGE_SQUARE_MM

Array = NDArray[np.float64]


def view(read: Digitization) -> dict[str, Any]:
    """The reading in the px of its image: where each lead runs, its 90 % band, corners and grid points to drag."""
    height, width = read.image.shape[:2]
    corners = corner_places_mm(read.layout)
    xs, ys = (np.arange(a, b + 0.1, _HANDLE_MM) for a, b in zip(corners[0], corners[2], strict=True))
    points = np.stack(np.meshgrid(xs[1:-1], ys[1:-1]), -1).reshape(-1, 2)
    return {
        **describe(read),
        "width": width,
        "height": height,
        "printed": list(read.printed),
        "traces": [_trace(read, s) for s in read.layout.segments],
        "corners": {"mm": corners.tolist(), "px": _rounded(read.warp.to_px(corners))},
        "points": {"mm": points.tolist(), "px": _rounded(read.warp.to_px(points)) if len(points) else []},
        "grid": _grid(read, xs, ys),
    }


def samples(read: Digitization) -> bytes:
    """Signal, then sigma, float32 little-endian `(leads, samples)` in mV, in the order of the recording."""
    return np.stack([read.recording.signal_mv, read.sigma_mv]).astype("<f4").tobytes()


def picture(image: NDArray[np.uint8], long_side_px: int = _SHOWN_PX) -> bytes:
    """The image as JPEG without any metadata, reduced to what a screen shows."""
    shrink = long_side_px / max(image.shape[:2])
    if shrink < 1:
        image = np.asarray(cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
    done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    if not done:
        raise OSError("the picture cannot be encoded")
    return bytes(data.tobytes())


def _trace(read: Digitization, s: Segment) -> dict[str, Any]:
    recording = read.recording
    first, last = (round(t * recording.fs) for t in (s.start_s, s.start_s + s.duration_s))
    time = np.arange(first, min(last, recording.n_samples)) / recording.fs
    sign = -1.0 if s.lead.startswith("-") and s.lead not in recording.leads else 1.0
    row = recording.leads.index(s.lead if sign > 0 else s.lead.lstrip("-"))
    here = slice(first, first + len(time))
    mv = sign * recording.signal_mv[row, here].astype(np.float64)
    error = _BAND * read.sigma_mv[row, here].astype(np.float64)
    lines, bands = [], []
    for run in _runs(np.isfinite(mv)):
        t, v, e = time[run], mv[run], np.nan_to_num(error[run])
        at = read.warp.to_px(np.stack([s.x_of(t), s.y_of(v)], 1))[::_LINE_STEP]
        lines.append([[*p, round(float(when), 4)] for p, when in zip(_rounded(at), t[::_LINE_STEP], strict=True)])
        sparse = slice(None, None, _BAND_STEP)
        upper, lower = (
            read.warp.to_px(np.stack([s.x_of(t[sparse]), s.y_of(v[sparse] + by * e[sparse])], 1)) for by in (1, -1)
        )
        bands.append(_rounded(np.concatenate([upper, lower[::-1]])))
    return {
        "lead": s.lead,
        "row": s.row,
        "column": s.column,
        "start_s": s.start_s,
        "duration_s": s.duration_s,
        "x_mm": s.x_mm,
        "speed_mm_per_s": s.speed_mm_per_s,
        "lines": lines,
        "bands": bands,
        "label": _rounded(read.warp.to_px([[s.x_mm + 1, s.baseline_mm - 7]]))[0],
    }


def _grid(read: Digitization, xs: Array, ys: Array) -> list[list[list[float]]]:
    """Every fifth of the 5 mm lines, as the program believes them to run."""
    along_x, along_y = (np.arange(v[0], v[-1] + 0.1, _GRID_STEP_MM) for v in (xs, ys))
    upright = [np.stack([np.full(len(along_y), x), along_y], 1) for x in xs]
    level = [np.stack([along_x, np.full(len(along_x), y)], 1) for y in ys]
    return [_rounded(read.warp.to_px(line)) for line in (*upright, *level)]


def _rounded(points: Array) -> list[list[float]]:
    out: list[list[float]] = np.round(points, 1).tolist()
    return out


def _runs(known: NDArray[np.bool_]) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(np.int8), [0]]))).reshape(-1, 2)
    return [slice(a, b) for a, b in edges.tolist()]
