"""A page brought upright: what a scanner would see of it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgdig.page.warp import Warp, coarse_to_fine

Image = NDArray[np.uint8]  # (H, W, 3) RGB

_COARSE = 8  # the map is computed on every 8th pixel and interpolated
_SHRINK = 1.3  # where the image is finer than this it is averaged first


def resampled(
    image: Image, warp: Warp, shape: tuple[int, int], px_per_mm: float, low_mm: ArrayLike = (0.0, 0.0)
) -> Image:
    """The page at `px_per_mm`, `shape` (height, width) px, from the corner `low_mm` on; the image's edge goes on.

    Args:
        image: uint8 RGB `(H, W, 3)`.
        warp: paper mm -> px of `image`.
    """
    low = np.asarray(low_mm, np.float64)
    y, x = np.mgrid[0 : shape[0] + _COARSE : _COARSE, 0 : shape[1] + _COARSE : _COARSE]
    px = warp.to_px(low + (np.stack([x, y], -1) + 0.5) / px_per_mm).astype(np.float32)
    fine = coarse_to_fine(px, _COARSE, shape)
    middle = low + np.array([shape[1] / 2, shape[0] / 2]) / px_per_mm
    scale = float(warp.px_per_mm(middle[None])[0]) / px_per_mm
    if scale > _SHRINK:
        size = (round(image.shape[1] / scale), round(image.shape[0] / scale))
        ratio = np.array([size[0] / image.shape[1], size[1] / image.shape[0]], np.float32)
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        fine = (fine + 0.5) * ratio - 0.5
    return np.asarray(
        cv2.remap(image, fine[..., 0], fine[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
