"""The geometry of any page: a glance at it first, then its printed grid, flat or followed piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.grid.flat import FlatGrid, GeometryError, NotFlatError, find_grid
from ecgdig.grid.overview import Overview, overview
from ecgdig.grid.photo import find_photo_grid
from ecgdig.grid.photo_grid import PhotoGrid
from ecgdig.page.warp import Homography, Warp

Image = NDArray[np.uint8]  # (H, W, 3) RGB

_SURE = 0.7  # chance of the scale from which a glance is believed ...
_SCALE_OFF, _LINES_OFF_DEG = 0.2, 6.0  # ... against a grid of another scale (log) and other directions
_MOST, _ALONG_MM = 75, 5.0  # percent of the paper that should fit; directions are measured over so much to either side
_FITS, _WORSE = 0.7, 0.15
_LEAST_CELLS = 60  # of known scale that a glance must show to be believed


@dataclass(frozen=True, eq=False)
class Geometry:
    """Where the paper's millimetres are in an image.

    Attributes:
        warp: paper mm -> px of the image.
        size_mm: width and height of the page, from the zero of `warp`.
        flat: whether one flat grid fits, as on scans; photos are followed piece by piece.
        page: the page as rows are sought in it, uint8 RGB, and `upright`: paper mm -> its px.
        seen: what a glance at the image showed; None if it was not asked.
    """

    warp: Warp
    size_mm: tuple[float, float]
    flat: bool
    page: Image
    upright: Warp
    seen: Overview | None


def find_geometry(image: Image) -> Geometry:
    """Find the printed grid of a page in any position.

    Args:
        image: uint8 RGB `(H, W, 3)`.

    Raises:
        GeometryError: no grid that can be followed; the message says what to do.
    """
    seen = overview(image)
    grid, back = _grid(image, seen)
    warp = grid.warp() if isinstance(grid, FlatGrid) else grid.warp
    warp = warp if back is None else warp.then(back)
    if isinstance(grid, FlatGrid):
        return Geometry(warp, grid.size_mm, True, image, warp, seen)
    grid = replace(grid, warp=warp)
    page, upright = grid.upright(image)
    return Geometry(warp, grid.size_mm, False, page, upright, seen)


Found = tuple[FlatGrid | PhotoGrid, Homography | None]  # a grid of the image, or of the image turned; and the way back


def _grid(image: Image, seen: Overview) -> Found:
    """The grid that agrees best with what was seen at a glance; where nothing sure was seen, the first one."""
    sure = believed(seen)
    found: list[tuple[float, Found]] = []
    refusal: GeometryError | None = None
    for look, most_deg in _LOOKS if sure else (_LOOKS[0], _LOOKS[-1]):
        given, back, near = image, None, seen
        if sure and abs(seen.angle_rad) > np.radians(most_deg):
            given, back = turned(image, seen.angle_rad)
            near = overview(given)
        try:
            grid = look(given, near)
        except GeometryError as error:
            refusal = refusal or error
            if not sure and not isinstance(error, NotFlatError):
                break
            continue
        off = misfit(grid.warp() if isinstance(grid, FlatGrid) else grid.warp, near) if sure else 0.0
        if off < _FITS:
            return grid, back
        # what was sought first is simpler, and stays unless the next one is clearly better
        found.append((off + _WORSE * len(found), (grid, back)))
    if found:
        return min(found, key=lambda each: each[0])[1]
    assert refusal is not None
    raise refusal


def _flat(image: Image, seen: Overview) -> FlatGrid:
    return find_grid(image)


def _followed(image: Image, seen: Overview) -> PhotoGrid:
    return find_photo_grid(image, seen)


def _followed_alone(image: Image, seen: Overview) -> PhotoGrid:
    return find_photo_grid(image)


# what is tried, and how far a page may be turned for it; one that is turned farther is turned back first
_LOOKS: tuple[tuple[Callable[[Image, Overview], FlatGrid | PhotoGrid], float], ...] = (
    (_flat, 8.0),
    (_followed, 30.0),
    (_followed_alone, 30.0),
)


def believed(seen: Overview) -> bool:
    """Whether a glance shows a page at a scale that is sure."""
    on = seen.known
    return bool(on.sum() >= _LEAST_CELLS and np.median(seen.sure[on]) > _SURE)


def misfit(warp: Warp, seen: Overview) -> float:
    """How far a warp is from scale and directions as they were seen over the paper; about 1 where it is doubtful."""
    i, j = np.nonzero(seen.known)
    if not i.size:
        return np.inf
    mm = warp.to_mm((np.stack([j, i], axis=1) + 0.5) * seen.cell_px - 0.5)
    scale = np.abs(np.log(warp.px_per_mm(mm) / seen.px_per_mm[i, j]))
    step = np.array([_ALONG_MM, 0.0])
    along, down = (warp.to_px(mm + v) - warp.to_px(mm - v) for v in (step, step[::-1]))
    # the mean of the directions of x and y, but for quarter turns
    axes = np.exp(4j * np.arctan2(along[:, 1], along[:, 0])) + np.exp(4j * np.arctan2(down[:, 1], down[:, 0]))
    turned = np.abs(np.angle(axes * np.exp(-4j * seen.lines_rad[i, j]))) / 4
    off = np.percentile(scale, _MOST) / _SCALE_OFF + np.degrees(np.percentile(turned, _MOST)) / _LINES_OFF_DEG
    return float(off)


def turned(image: Image, angle_rad: float) -> tuple[Image, Homography]:
    """The whole image turned anticlockwise by an angle, and the map of its px to those of the image."""
    h, w = image.shape[:2]
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    size = int(np.ceil(w * abs(cos) + h * abs(sin))), int(np.ceil(w * abs(sin) + h * abs(cos)))
    matrix = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1.0]])
    matrix[:2, 2] = 0.5 * np.array(size) - 0.5 - matrix[:2, :2] @ [0.5 * w - 0.5, 0.5 * h - 0.5]
    plain = np.median(image[::20, ::20].reshape(-1, 3), axis=0).tolist()  # edges that go on would look like lines
    out = cv2.warpAffine(image, matrix[:2], size, flags=cv2.INTER_LINEAR, borderValue=plain)
    return np.asarray(out, np.uint8), Homography.of(np.linalg.inv(matrix))
