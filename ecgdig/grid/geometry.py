"""The geometry of any page: a glance at it first, then its printed grid, flat or followed piece by piece."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.grid.flat import FlatGrid, GeometryError, NotFlatError, find_grid
from ecgdig.grid.overview import Overview, overview
from ecgdig.grid.photo import PhotoGrid, find_photo_grid
from ecgdig.page.warp import Homography, Warp

Image = NDArray[np.uint8]  # (H, W, 3) RGB

_STRAIGHT_DEG = 10.0  # a page turned by more is turned back before its grid is sought
_SCALE_OFF = 1.3  # a scale that differs by this factor from the one seen at a glance ...
_SURE = 0.7  # ... by one that is so sure is not that of the page
_LEAST_CELLS = 30  # of paper that a glance must show to be believed


@dataclass(frozen=True, eq=False)
class Geometry:
    """Where the paper's millimetres are in an image.

    Attributes:
        warp: paper mm -> px of the image.
        size_mm: width and height of the page, from the zero of `warp`.
        flat: whether one flat grid fits, as on scans; photos are followed piece by piece.
        page: the page as rows are sought in it, uint8 RGB, and `upright`: paper mm -> its px.
        seen: what a glance at the image showed.
    """

    warp: Warp
    size_mm: tuple[float, float]
    flat: bool
    page: Image
    upright: Warp
    seen: Overview


def find_geometry(image: Image) -> Geometry:
    """Find the printed grid of a page in any position.

    Args:
        image: uint8 RGB `(H, W, 3)`.

    Raises:
        GeometryError: no grid that can be followed; the message says what to do.
    """
    seen = overview(image)
    given, back, near = image, None, seen
    if believed(seen) and abs(seen.angle_rad) > np.radians(_STRAIGHT_DEG):
        given, back = turned(image, seen.angle_rad)
        near = overview(given)
    grid = _grid(given, near)
    if isinstance(grid, FlatGrid):
        warp = grid.warp() if back is None else grid.warp().then(back)
        size_mm = grid.size_mm
        return Geometry(warp, size_mm, True, image, warp, seen)
    if back is not None:
        grid = PhotoGrid(grid.warp.then(back), grid.size_mm, grid.seen, grid.residual_mm)
    page, upright = grid.upright(image)
    return Geometry(grid.warp, grid.size_mm, False, page, upright, seen)


def _grid(image: Image, seen: Overview) -> FlatGrid | PhotoGrid:
    sure = believed(seen)
    try:
        flat = find_grid(image)
        if not sure or _agree(flat.warp(), seen):
            return flat
    except NotFlatError:
        flat = None
    except GeometryError:
        if not sure:
            raise
        flat = None
    try:
        return find_photo_grid(image, seen if sure else None)
    except GeometryError:
        if flat is not None:
            return flat
        if not sure:
            raise
    return find_photo_grid(image)


def believed(seen: Overview) -> bool:
    """Whether a glance shows a page with a grid at a scale that is sure."""
    on = seen.on_paper
    return bool(on.sum() >= _LEAST_CELLS and np.median(seen.grid[on]) > 0.5 and np.median(seen.sure[on]) > _SURE)


def _agree(warp: Warp, seen: Overview) -> bool:
    """Whether a warp has about the scale that was seen, over the paper (median)."""
    i, j = np.nonzero(seen.on_paper)
    px = (np.stack([j, i], axis=1) + 0.5) * seen.cell_px - 0.5
    ratio = warp.px_per_mm(warp.to_mm(px)) / seen.px_per_mm[i, j]
    return bool(abs(np.log(np.median(ratio))) < np.log(_SCALE_OFF))


def turned(image: Image, angle_rad: float) -> tuple[Image, Homography]:
    """The whole image turned anticlockwise by an angle, and the map of its px to those of the image."""
    h, w = image.shape[:2]
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    size = int(np.ceil(w * abs(cos) + h * abs(sin))), int(np.ceil(w * abs(sin) + h * abs(cos)))
    matrix = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1.0]])
    matrix[:2, 2] = 0.5 * np.array(size) - 0.5 - matrix[:2, :2] @ [0.5 * w - 0.5, 0.5 * h - 0.5]
    out = cv2.warpAffine(image, matrix[:2], size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8), Homography.of(np.linalg.inv(matrix))
