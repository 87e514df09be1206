"""`Cover`: what of a sheet cannot be seen, as a coarse raster of opacity in paper millimetres."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgdig.page.warp import Warp

Box = tuple[float, float, float, float]  # left, top, right, bottom

STEP_MM = 0.25
OPAQUE = 128  # from here on nothing can be read through it
LEGIBLE = 0.25  # of the contrast: with less left, ink counts as hidden
_LATTICE = 8  # cells between points whose place in the image is computed exactly; the rest is interpolated


@dataclass(frozen=True, eq=False)
class Cover:
    """Opacity of what lies on a sheet.

    Attributes:
        opacity: uint8 `(rows, columns)`, 0 clear to 255; cell (i, j) is centred at
            (`left_mm` + (j + 0.5)·`STEP_MM`, `top_mm` + (i + 0.5)·`STEP_MM`). Beyond the raster everything is clear.
    """

    opacity: NDArray[np.uint8]
    left_mm: float
    top_mm: float

    @staticmethod
    def clear(window_mm: Box) -> Cover:
        """Nothing is hidden; the raster covers `window_mm`."""
        left, top, right, bottom = window_mm
        shape = (max(1, int(np.ceil((bottom - top) / STEP_MM))), max(1, int(np.ceil((right - left) / STEP_MM))))
        return Cover(np.zeros(shape, np.uint8), left, top)

    def with_polygon(self, points_mm: ArrayLike, opacity: float = 1.0) -> Cover:
        """Also covered by a polygon `(n, 2)` in mm, of the given opacity (0 to 1)."""
        cells = (np.asarray(points_mm, np.float64) - [self.left_mm, self.top_mm]) / STEP_MM - 0.5
        new = np.zeros_like(self.opacity)
        fixed = np.round(np.clip(cells, -1e5, 1e5) * 16).astype(np.int32)
        cv2.fillPoly(new, [fixed], round(255 * opacity), lineType=cv2.LINE_8, shift=4)
        return Cover(np.maximum(self.opacity, new), self.left_mm, self.top_mm)

    def with_picture(self, opacity_px: NDArray[np.uint8], warp: Warp) -> Cover:
        """Also covered by what an image shows: its opacity, uint8 `(H, W)`; `warp` brings paper mm to its pixels."""
        rows, columns = self.opacity.shape
        i, j = np.mgrid[0 : rows + _LATTICE : _LATTICE, 0 : columns + _LATTICE : _LATTICE]
        at = np.stack([self.left_mm + (j + 0.5) * STEP_MM, self.top_mm + (i + 0.5) * STEP_MM], axis=-1)
        px = warp.to_px(at).astype(np.float32)
        to_lattice = np.array([[1 / _LATTICE, 0, 0], [0, 1 / _LATTICE, 0]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        fine = np.asarray(cv2.warpAffine(px, to_lattice, (columns, rows), flags=flags), np.float32)
        seen = cv2.remap(opacity_px, fine[..., 0], fine[..., 1], cv2.INTER_LINEAR, borderValue=(0.0,))
        return Cover(np.maximum(self.opacity, seen), self.left_mm, self.top_mm)

    def hides(self, points_mm: ArrayLike) -> NDArray[np.bool_]:
        """Whether points `(..., 2)` in mm are hidden, `(...)`; NaN is not."""
        cells = np.floor((np.asarray(points_mm, np.float64) - [self.left_mm, self.top_mm]) / STEP_MM)
        rows, columns = self.opacity.shape
        inside = ((cells >= 0) & (cells < [columns, rows])).all(-1)  # a comparison with NaN is false
        j, i = (np.where(inside, cells[..., axis], 0).astype(int) for axis in (0, 1))
        return np.asarray(inside & (self.opacity[i, j] >= OPAQUE), bool)
