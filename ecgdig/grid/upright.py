"""A page brought upright: what a scanner would see of it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgdig.page.warp import Homography, Warp, coarse_to_fine

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
    middle = low + np.array([shape[1] / 2, shape[0] / 2]) / px_per_mm
    image, warp = shrunk(image, warp, px_per_mm, middle)
    y, x = np.mgrid[0 : shape[0] + _COARSE : _COARSE, 0 : shape[1] + _COARSE : _COARSE]
    px = warp.to_px(low + (np.stack([x, y], -1) + 0.5) / px_per_mm).astype(np.float32)
    fine = coarse_to_fine(px, _COARSE, shape)
    # x and y side by side, as they are; the stubs of cv2 know no map of both
    page = cv2.remap(image, fine, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(page, np.uint8)


def shrunk(image: Image, warp: Warp, px_per_mm: float, at_mm: ArrayLike) -> tuple[Image, Warp]:
    """An image that is finer than `px_per_mm` about a point, reduced to that, and its warp; else what was given."""
    scale = float(warp.px_per_mm(np.asarray(at_mm, np.float64)[None])[0]) / px_per_mm
    if scale <= _SHRINK:
        return image, warp
    size = (round(image.shape[1] / scale), round(image.shape[0] / scale))
    x, y = size[0] / image.shape[1], size[1] / image.shape[0]
    smaller = Homography.of([[x, 0, 0.5 * x - 0.5], [0, y, 0.5 * y - 0.5], [0, 0, 1]])
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), warp.then(smaller)
