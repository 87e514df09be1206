"""What draws on a page: a `Pen` for ink on a canvas of its own, a `Press` for print straight onto the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ecgdig.page.looks import RGB
from ecgdig.page.strokes import draw_polyline, paint_ink
from ecgdig.page.text import word_ink

Box = tuple[float, float, float, float]  # left, top, right, bottom
Align = Literal["left", "centre", "right"]
_SHARE = {"left": 0.0, "centre": 0.5, "right": 1.0}


class Pen:
    """A coverage canvas that is drawn on in mm; `origin` is the paper position of its top left corner."""

    def __init__(self, shape: tuple[int, int], scale: float, origin: tuple[float, float]) -> None:
        self.canvas = np.zeros(shape, np.uint8)
        self.scale, self.origin = scale, np.array(origin)

    def line(
        self, points_mm: NDArray[np.float64], width_mm: float, strength: NDArray[np.float32] | None = None
    ) -> None:
        """A stroke through `points_mm` `(n, 2)`; NaN lifts the pen, `strength` `(n,)` is 0 to 1."""
        ones = np.ones(len(points_mm), np.float32) if strength is None else strength
        draw_polyline(self.canvas, (points_mm - self.origin) * self.scale - 0.5, width_mm * self.scale, ones)

    def sees(self, y_mm: NDArray[np.float64], margin_mm: float) -> bool:
        """Whether any of the heights comes within `margin_mm` of the canvas; NaN does not."""
        top = float(self.origin[1]) - margin_mm
        return bool(((y_mm > top) & (y_mm < top + self.canvas.shape[0] / self.scale + 2 * margin_mm)).any())


@dataclass(frozen=True)
class Press:
    """Prints words, codes and rules onto an image; places are in mm, `origin` is that of its top left corner."""

    image: NDArray[np.uint8]
    scale: float
    origin: tuple[float, float]
    rgb: RGB
    font: str

    def word(
        self,
        text: str,
        height_mm: float,
        left_mm: float,
        top_mm: float,
        *,
        align: Align = "left",
        font: str = "",
        rgb: RGB | None = None,
    ) -> Box | None:
        """Write `text` with the top of its capitals at `top_mm` and its left, centre or right at `left_mm`.

        Returns:
            its box in mm, None above or below what the image shows.
        """
        x, y = self._corner(left_mm, top_mm)
        if y > self.image.shape[0] or y + 2 * height_mm * self.scale < 0:
            return None
        mask, drop = word_ink(text, font or self.font, max(3, round(height_mm * self.scale)))
        # a corner between two pixels: the same in any window
        return self.stamp(
            mask, int(np.floor(x - _SHARE[align] * mask.shape[1] + 1e-6)), int(np.floor(y + 1e-6)) + drop, rgb
        )

    def modules(self, dark: NDArray[np.uint8], left_mm: float, top_mm: float, width_mm: float, height_mm: float) -> Box:
        """Print a matrix `(h, w)` of dark (255) and clear (0) modules, on white with a quiet zone of two modules."""
        padded = np.pad(dark, 2)
        shape = (max(1, round(height_mm * self.scale)), max(1, round(width_mm * self.scale)))
        row, column = (np.arange(n) * size // n for n, size in zip(shape, padded.shape, strict=True))
        mask = np.ascontiguousarray(padded[row[:, None], column])
        x, y = (int(np.floor(v + 1e-6)) for v in self._corner(left_mm, top_mm))
        self.stamp(np.full(shape, 255, np.uint8), x, y, (255, 255, 255))
        return self.stamp(mask, x, y, None)

    def line(self, points_mm: NDArray[np.float64], width_mm: float, rgb: RGB | None = None) -> None:
        """A stroke through `points_mm` `(n, 2)`, painted where the image shows it."""
        px = (points_mm - np.array(self.origin)) * self.scale - 0.5
        reach = width_mm * self.scale + 2
        low = np.clip(np.floor(np.nanmin(px, 0) - reach), 0, self.image.shape[1::-1]).astype(int)
        high = np.clip(np.ceil(np.nanmax(px, 0) + reach), 0, self.image.shape[1::-1]).astype(int)
        if (high <= low).any():
            return
        canvas = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        draw_polyline(canvas, px - low, width_mm * self.scale, np.ones(len(px), np.float32))
        self._paint(canvas, int(low[0]), int(low[1]), rgb)

    def rectangle(self, box: Box, width_mm: float, rgb: RGB | None = None) -> None:
        """The outline of a box in mm."""
        x0, y0, x1, y1 = box
        self.line(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]), width_mm, rgb)

    def stamp(self, mask: NDArray[np.uint8], x: int, y: int, rgb: RGB | None) -> Box:
        """Print a mask with its top left corner at pixel (x, y); returns its box in mm."""
        height, width = self.image.shape[:2]
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + mask.shape[1], width), min(y + mask.shape[0], height)
        if x1 > x0 and y1 > y0:
            self._paint(np.ascontiguousarray(mask[y0 - y : y1 - y, x0 - x : x1 - x]), x0, y0, rgb)
        # its pixels reach from x - 0.5 to x + width - 0.5; the image begins at -0.5
        left, top = self.origin[0] + x / self.scale, self.origin[1] + y / self.scale
        return left, top, left + mask.shape[1] / self.scale, top + mask.shape[0] / self.scale

    def _paint(self, mask: NDArray[np.uint8], x: int, y: int, rgb: RGB | None) -> None:
        paint_ink(self.image, mask, np.array(self.rgb if rgb is None else rgb, np.float32), 1.0, (x, y))

    def _corner(self, left_mm: float, top_mm: float) -> tuple[float, float]:
        return (left_mm - self.origin[0]) * self.scale, (top_mm - self.origin[1]) * self.scale
