"""The printed grid of a photo, and the page that it brings upright."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.grid.lattice import darkest_channel
from ecgdig.grid.offsets import NODE_MM
from ecgdig.grid.upright import resampled
from ecgdig.page.warp import Warp

Image = NDArray[np.uint8]  # (H, W, 3) RGB

_DARKEST_PAPER = 0.55  # of the median light on the paper


@dataclass(frozen=True, eq=False)
class PhotoGrid:
    """The printed grid of a photo.

    Attributes:
        warp: paper mm -> image px; its zero is a crossing of grid lines up and left of all that was seen.
        size_mm: width and height of what was seen of the grid.
        seen: where lines were seen in the end, bool `(rows, columns)`, node (i, j) at (j, i) · 2 mm.
        residual_mm: rms of the last correction.
    """

    warp: Warp
    size_mm: tuple[float, float]
    seen: NDArray[np.bool_]
    residual_mm: float

    @property
    def support(self) -> float:
        """0 to 1, the share of the area in which lines were seen."""
        return float(self.seen.mean())

    def upright(self, image: Image, px_per_mm: float = 8.0) -> tuple[Image, Warp]:
        """The page as a scanner sees it, `(H, W, 3)`, and its warp in the same mm; plain where no grid was seen."""
        shape = (round(self.size_mm[1] * px_per_mm), round(self.size_mm[0] * px_per_mm))
        page = resampled(image, self.warp, shape, px_per_mm).copy()
        near = cv2.morphologyEx(self.seen.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
        # wood and cloth may look like lines; they are darker than any paper, shadows included
        light = cv2.resize(darkest_channel(page), near.shape[::-1], interpolation=cv2.INTER_AREA)
        light = cv2.blur(light, (5, 5))
        if near.any():
            near = near & (light > _DARKEST_PAPER * np.median(light[near > 0])).astype(np.uint8)
        scale = NODE_MM * px_per_mm
        to_nodes = np.array([[1 / scale, 0, 0.5 / scale], [0, 1 / scale, 0.5 / scale]])
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        known = cv2.warpAffine(near, to_nodes, (shape[1], shape[0]), flags=flags)
        some = page.reshape(-1, 3)[np.flatnonzero(known)[::97]]
        page[known == 0] = np.median(some, axis=0) if len(some) else 255
        return page, Warp.flat(px_per_mm)
