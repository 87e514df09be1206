"""The reading drawn over the image."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.units import LEADS, OUTPUT_FS

if TYPE_CHECKING:
    from ecgdig.digitizer import Digitization


def overlay(image: NDArray[np.uint8], digitized: Digitization) -> NDArray[np.uint8]:
    """The image, paled, with each lead's samples where they were read; uint8 RGB `(H, W, 3)`."""
    canvas = (128 + image // 2).astype(np.uint8)
    scale = float(digitized.warp.px_per_mm([[s.x_mm, s.baseline_mm] for s in digitized.layout.segments]).mean())
    thick = max(1, round(0.15 * scale))
    for s in digitized.layout.segments:
        lead = s.lead.lstrip("-")
        rgb = _colour(lead)
        first, last = round(s.start_s * OUTPUT_FS), round((s.start_s + s.duration_s) * OUTPUT_FS)
        mv = digitized.recording.lead(s.lead)[first:last].astype(np.float64)
        time = np.arange(first, first + len(mv)) / OUTPUT_FS
        points = digitized.warp.to_px(np.stack([s.x_of(time), s.y_of(mv)], axis=1))
        for run in _runs(np.asarray(np.isfinite(points).all(axis=1))):
            _line(canvas, points[run], rgb, thick)
        ends = digitized.warp.to_px([[s.x_mm, s.baseline_mm], [s.end_mm, s.baseline_mm]])
        _line(canvas, ends, (120, 120, 120), 1)
        for x, y in ends:
            _line(canvas, np.array([[x, y - 2 * scale], [x, y + 2 * scale]]), (0, 150, 0), thick)
        x, y = (int(v) for v in ends[0] + [0.5 * scale, -6 * scale])
        size = max(0.4, scale / 14)
        cv2.putText(canvas, s.lead, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, rgb, max(1, thick // 2), cv2.LINE_AA)
    return canvas


def _colour(lead: str) -> tuple[int, int, int]:
    hue = (LEADS.index(lead) if lead in LEADS else 0) * 5 % 12 / 12
    r, g, b = (round(255 * v) for v in colorsys.hsv_to_rgb(hue, 1.0, 0.78))
    return r, g, b


def _runs(known: NDArray[np.bool_]) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(np.int8), [0]]))).reshape(-1, 2)
    return [slice(start, stop) for start, stop in edges.tolist()]


def _line(canvas: NDArray[np.uint8], points: NDArray[np.float64], rgb: tuple[int, int, int], thick: int) -> None:
    fixed = np.round(points * 16).astype(np.int32)  # 4 fractional bits
    cv2.polylines(canvas, [fixed], False, rgb, thick, cv2.LINE_AA, 4)
