"""Antialiased pen strokes and grid lines, drawn to 1/100 px; compiled with numba."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Canvas = NDArray[np.uint8]  # (H, W) coverage, 0 to 255
_BLOCK_PX = 64
_COVERS = 128  # how finely the cover of a grid line is told apart along rows


@njit(cache=True, nogil=True)
def draw_polyline(canvas: Canvas, points: NDArray[np.float64], width_px: float, strength: NDArray[np.float32]) -> None:
    """Draw a round-capped stroke into `canvas` in place; where strokes meet, the darker one stays.

    Args:
        canvas: uint8 `(H, W)`.
        points: `(n, 2)` x, y in px; a NaN point lifts the pen.
        width_px: pen width. A pen under one pixel leaves paler ink, as it should.
        strength: `(n,)` ink strength at each point, 0 to 1.
    """
    height, width = canvas.shape
    half = 0.5 * width_px
    reach = half + 0.5
    for i in range(points.shape[0] - 1):
        ax, ay, bx, by = points[i, 0], points[i, 1], points[i + 1, 0], points[i + 1, 1]
        if not (np.isfinite(ax) and np.isfinite(ay) and np.isfinite(bx) and np.isfinite(by)):
            continue
        ink = 255.0 * min(1.0, 0.5 * (strength[i] + strength[i + 1]))
        dx, dy = bx - ax, by - ay
        squared = dx * dx + dy * dy
        x0 = max(0, int(np.ceil(max(min(ax, bx) - reach, -1.0))))
        x1 = min(width - 1, int(np.floor(min(max(ax, bx) + reach, width + 1.0))))
        y0 = max(0, int(np.ceil(max(min(ay, by) - reach, -1.0))))
        y1 = min(height - 1, int(np.floor(min(max(ay, by) + reach, height + 1.0))))
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                px, py = x - ax, y - ay
                t = 0.0
                if squared > 0.0:
                    t = min(1.0, max(0.0, (px * dx + py * dy) / squared))
                ex, ey = px - t * dx, py - t * dy
                away = ex * ex + ey * ey
                if away < reach * reach:
                    cover = reach - np.sqrt(away)
                    value = np.uint8(ink * min(cover, 1.0, width_px) + 0.5)
                    if value > canvas[y, x]:
                        canvas[y, x] = value


@njit(cache=True, nogil=True)
def line_profile(n_px: int, first_px: float, step_px: float, width_px: float) -> NDArray[np.float32]:
    """Coverage `(n_px,)`, 0 to 1, of equally spaced lines across one axis: exact overlap of line and pixel."""
    out = np.zeros(n_px, np.float32)
    if step_px <= 0.0 or width_px <= 0.0:
        return out
    first = first_px - np.ceil((first_px + width_px) / step_px) * step_px
    k = 0
    while True:
        centre = first + k * step_px
        if centre - 0.5 * width_px > n_px:
            break
        low, high = centre - 0.5 * width_px, centre + 0.5 * width_px
        for x in range(max(0, int(np.floor(low - 0.5))), min(n_px, int(np.ceil(high + 0.5)) + 1)):
            overlap = min(high, x + 0.5) - max(low, x - 0.5)
            if overlap > 0.0:
                out[x] = min(1.0, out[x] + overlap)
        k += 1
    return out


def paint_grid(
    image: NDArray[np.uint8],
    across: NDArray[np.float32],
    down: NDArray[np.float32],
    rgb: NDArray[np.float32],
    dots: NDArray[np.bool_],
    corner: tuple[int, int] = (0, 0),
) -> None:
    """Blend layers of grid lines, one over the other, into `image` `(H, W, 3)` in place: paper of one colour before.

    `across` `(layers, w)` and `down` `(layers, h)` are coverages along x and y from pixel `corner` (x, y) on, `rgb`
    `(layers, 3)` the colours; a layer whose `dots` `(layers,)` is true keeps the crossings only.
    """
    flat = image.reshape(len(image), -1)
    down = np.round(down * _COVERS).astype(np.float32) / np.float32(_COVERS)  # rows of equal cover are copies
    _grid_rows(flat, np.repeat(across, 3, axis=1), down, np.tile(rgb, across.shape[1]), dots, 3 * corner[0], corner[1])


@njit(cache=True, nogil=True)
def _grid_rows(
    flat: NDArray[np.uint8],
    across: NDArray[np.float32],
    down: NDArray[np.float32],
    ink: NDArray[np.float32],
    dots: NDArray[np.bool_],
    left: int,
    top: int,
) -> None:
    """`paint_grid` on rows of bytes: `across` and `ink` `(layers, 3 w)`."""
    one, half = np.float32(1), np.float32(0.5)
    n = across.shape[1]
    alike = np.full((_COVERS + 1) ** down.shape[0], -1, np.int32)  # the first row of each cover
    for y in range(down.shape[1]):
        row = flat[top + y, left : left + n]
        cover_key = 0
        for k in range(down.shape[0]):
            cover_key = cover_key * (_COVERS + 1) + int(down[k, y] * _COVERS + half)
        if alike[cover_key] >= 0:
            same = flat[alike[cover_key], left : left + n]
            for i in range(n):  # ten times as fast as an assignment of slices, which may overlap
                row[i] = same[i]
            continue
        alike[cover_key] = top + y
        for k in range(down.shape[0]):
            line, cross, colour = down[k, y], across[k], ink[k]
            if dots[k] and line > 0:
                for i in range(n):
                    cover = cross[i] * line
                    row[i] = np.uint8(row[i] * (one - cover) + colour[i] * cover + half)
            elif not dots[k]:
                for i in range(n):
                    cover = max(cross[i], line)
                    row[i] = np.uint8(row[i] * (one - cover) + colour[i] * cover + half)


def fill(image: NDArray[np.uint8], rgb: tuple[int, int, int]) -> None:
    """Every pixel of `image` `(H, W, 3)` becomes `rgb`."""
    image.reshape(len(image), -1)[:] = np.tile(np.array(rgb, np.uint8), image.shape[1])


def paint_ink(
    image: NDArray[np.uint8],
    cover: Canvas,
    rgb: NDArray[np.float32],
    opacity: float,
    corner: tuple[int, int] = (0, 0),
) -> None:
    """Blend ink of colour `rgb` and `opacity` (0 to 1) into `image` `(H, W, 3)` where `cover` `(h, w)` says, the first
    of which is pixel `corner` (x, y)."""
    flat = image.reshape(len(image), -1)
    _ink_rows(flat, cover, np.asarray(rgb, np.float32), np.float32(opacity / 255.0), 3 * corner[0], corner[1])


@njit(cache=True, nogil=True)
def _ink_rows(
    flat: NDArray[np.uint8], cover: Canvas, rgb: NDArray[np.float32], share: np.float32, left: int, top: int
) -> None:
    """`paint_ink` on rows of bytes."""
    half = np.float32(0.5)
    r, g, b = rgb[0], rgb[1], rgb[2]
    for y in range(cover.shape[0]):
        row = flat[top + y, left : left + 3 * cover.shape[1]]
        for first in range(0, cover.shape[1], _BLOCK_PX):
            last = min(first + _BLOCK_PX, cover.shape[1])
            any_ink = np.uint8(0)  # most of a page is without: looked at in blocks
            for x in range(first, last):
                any_ink |= cover[y, x]
            if any_ink == 0:
                continue
            shares, part = cover[y, first:last], row[3 * first : 3 * last]
            for x in range(shares.shape[0]):
                a = np.float32(shares[x]) * share
                red, green, blue = np.float32(part[3 * x]), np.float32(part[3 * x + 1]), np.float32(part[3 * x + 2])
                part[3 * x] = np.uint8(red + (r - red) * a + half)
                part[3 * x + 1] = np.uint8(green + (g - green) * a + half)
                part[3 * x + 2] = np.uint8(blue + (b - blue) * a + half)
