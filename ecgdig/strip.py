"""Strips: what the trace network sees. One row of a page, cut from the image through the warp, and its truth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.page.page import Page, Trace
from ecgdig.page.strokes import draw_polyline
from ecgdig.page.warp import Warp

Image = NDArray[np.uint8]
_COARSE = 16  # strip pixels between points of the map that are computed exactly; the rest is interpolated


@dataclass(frozen=True)
class StripSpec:
    """Size and resolution of strips; a network is trained for one of these.

    Attributes:
        half_height_mm: a strip reaches from this far above its row's baseline to as far below.
        px_per_mm_x, px_per_mm_y: resolution along time and along voltage.
        sub_columns: values read per pixel column.
    """

    half_height_mm: float = 38.4
    px_per_mm_x: float = 8.0
    px_per_mm_y: float = 5.0
    sub_columns: int = 2

    @property
    def height_px(self) -> int:
        return round(2 * self.half_height_mm * self.px_per_mm_y)

    @property
    def columns_per_mm(self) -> float:
        return self.px_per_mm_x * self.sub_columns


@dataclass(frozen=True)
class Strip:
    """Where a strip lies on the paper: its left edge and its middle (the row's baseline), in mm.

    `slope` (mm down per mm to the right) and `scale_x`, `scale_y` say how a badly found geometry is off; a strip of
    a well found page has 0, 1 and 1.
    """

    spec: StripSpec
    left_mm: float
    middle_mm: float
    width_px: int
    slope: float = 0.0
    scale_x: float = 1.0
    scale_y: float = 1.0

    def x_mm(self, x_px: NDArray[np.float64]) -> NDArray[np.float64]:
        """Paper x of strip pixel positions (0 = centre of the first pixel)."""
        return self.left_mm + self.scale_x * (x_px + 0.5) / self.spec.px_per_mm_x

    def y_mm(self, x_mm: NDArray[np.float64], y_px: NDArray[np.float64]) -> NDArray[np.float64]:
        """Paper y of strip rows `y_px` at paper x."""
        offset = (y_px + 0.5) / self.spec.px_per_mm_y - self.spec.half_height_mm
        return self.middle_mm + self.scale_y * offset + self.slope * (x_mm - self.left_mm)

    def y_px(self, x_mm: NDArray[np.float64], y_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Strip rows of paper positions: the inverse of `y_mm`."""
        offset = (y_mm - self.middle_mm - self.slope * (x_mm - self.left_mm)) / self.scale_y
        return (offset + self.spec.half_height_mm) * self.spec.px_per_mm_y - 0.5

    def columns_mm(self) -> NDArray[np.float64]:
        """Paper x at the centre of each value column, `(width_px * sub_columns,)`."""
        n = self.width_px * self.spec.sub_columns
        return self.x_mm((np.arange(n) + 0.5) / self.spec.sub_columns - 0.5)


def cut(image: Image, warp: Warp, strip: Strip) -> Image:
    """The strip's picture, uint8 RGB `(height_px, width_px, 3)`, in one resampling; beyond the image its edge goes on.

    Where the image is finer than the strip it is averaged first.
    """
    height, width = strip.spec.height_px, strip.width_px
    x = np.arange(0, width + _COARSE, _COARSE, dtype=np.float64)
    y = np.arange(0, height + _COARSE, _COARSE, dtype=np.float64)
    x_mm = np.broadcast_to(strip.x_mm(x), (len(y), len(x)))
    paper = np.stack([x_mm, strip.y_mm(x_mm, y[:, None])], axis=-1)
    coarse = warp.to_px(paper)
    low = np.floor(coarse.reshape(-1, 2).min(0)).astype(int) - 8
    high = np.ceil(coarse.reshape(-1, 2).max(0)).astype(int) + 9
    low = np.clip(low, 0, [image.shape[1] - 1, image.shape[0] - 1])
    high = np.clip(high, low + 1, [image.shape[1], image.shape[0]])
    part = image[low[1] : high[1], low[0] : high[0]]
    coarse = coarse - low
    centre = np.array([[strip.left_mm + width / 2 / strip.spec.px_per_mm_x, strip.middle_mm]])
    shrink = float(warp.px_per_mm(centre)[0]) / max(strip.spec.px_per_mm_x, strip.spec.px_per_mm_y)
    if shrink > 1.4:
        size = (max(1, round(part.shape[1] / shrink)), max(1, round(part.shape[0] / shrink)))
        ratio = np.array([size[0] / part.shape[1], size[1] / part.shape[0]])
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
        coarse = (coarse + 0.5) * ratio - 0.5
    to_coarse = np.array([[1 / _COARSE, 0, 0], [0, 1 / _COARSE, 0]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    fine = np.asarray(cv2.warpAffine(coarse.astype(np.float32), to_coarse, (width, height), flags=flags), np.float32)
    picture = cv2.remap(part, fine[..., 0], fine[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(picture, np.uint8)


def trace_px(page: Page, row: int, strip: Strip) -> NDArray[np.float32]:
    """The true height of row `row` at each value column, in strip px, float32 `(columns,)`.

    NaN where nothing of the row is printed, or the trace is outside the strip.
    """
    columns = strip.columns_mm()
    y_mm = np.full(columns.shape, np.nan)
    for trace in _row(page, row):
        s = trace.segment
        here = (columns >= s.x_mm) & (columns < s.end_mm)
        y_mm[here] = trace.y_at(columns[here])
    y = strip.y_px(columns, y_mm)
    return np.where((y >= 0) & (y <= strip.spec.height_px - 1), y, np.nan).astype(np.float32)


def trace_hidden(page: Page, row: int, strip: Strip) -> NDArray[np.bool_]:
    """At which value columns row `row` is covered by something opaque, or the pen gave no ink, bool `(columns,)`."""
    columns = strip.columns_mm()
    hidden = np.zeros(columns.shape, bool)
    for trace in _row(page, row):
        s = trace.segment
        here = (columns >= s.x_mm) & (columns < s.end_mm)
        x = columns[here]
        hidden[here] = page.hides(np.stack([x, trace.y_at(x)], axis=1)) | trace.lacks_ink_at(x)
    return hidden


def trace_mask(page: Page, row: int, strip: Strip) -> NDArray[np.uint8]:
    """Ink coverage of row `row` in the strip, uint8 `(height_px, width_px)`; the pen is taken round in strip px."""
    canvas = np.zeros((strip.spec.height_px, strip.width_px), np.uint8)
    for trace in _row(page, row):
        x = (trace.x_mm - strip.left_mm) / strip.scale_x * strip.spec.px_per_mm_x - 0.5
        points = np.stack([x, strip.y_px(trace.x_mm, trace.y_mm)], axis=1)
        near = (x > -20) & (x < strip.width_px + 20)
        if near.any():
            width = page.style.ink.width_mm * 0.5 * (strip.spec.px_per_mm_x + strip.spec.px_per_mm_y)
            draw_polyline(canvas, points[near], width, np.ones(int(near.sum()), np.float32))
    return canvas


def _row(page: Page, row: int) -> list[Trace]:
    return [trace for trace in page.traces if trace.segment.row == row]
