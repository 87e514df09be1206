"""The ink map of a page: dark trace ink on an upright raster in mm, the printed grid taken out by its known phase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from ecgdig.grid.lattice import brightest_channel
from ecgdig.page.warp import Warp, coarse_to_fine
from ecgdig.units import LARGE_SQUARE_MM

Image = NDArray[np.uint8]  # (H, W, 3) RGB
Map = NDArray[np.float32]  # (H, W)

LEAST_CONTRAST = 0.1  # of ink beyond noise, as a share of the paper's brightness
INK_PX_PER_MM = 6  # a whole number of px in 5 mm
_CELL = round(LARGE_SQUARE_MM * INK_PX_PER_MM)
_REGION = 10  # squares of 5 mm: the grid's look is taken as constant over 50 mm
_MOST_CELLS = 50
_LEAST_CELLS = 8
_LINE_MM = 100.0  # over that length a line is drawn throughout, a trace or a column of pulses is not
_LEAST_LIKENESS = 0.35
_COARSE = 16


@dataclass(frozen=True, eq=False)
class InkMap:
    """Ink on a raster of `INK_PX_PER_MM`, upright with the paper.

    Attributes:
        ink: float32 `(h, w)`, 0 none, 1 full ink. Pixel (0, 0) has its centre at `origin_mm`.
        inside: bool `(h, w)`, where the image covers the raster.
        origin_mm: x, y.
        picture: the page on the same raster, uint8 RGB `(h, w, 3)`.
    """

    ink: Map
    inside: NDArray[np.bool_]
    origin_mm: tuple[float, float]
    picture: Image

    def x_mm(self, column: ArrayLike) -> NDArray[np.float64]:
        return self.origin_mm[0] + np.asarray(column, np.float64) / INK_PX_PER_MM

    def y_mm(self, row: ArrayLike) -> NDArray[np.float64]:
        return self.origin_mm[1] + np.asarray(row, np.float64) / INK_PX_PER_MM

    def column(self, x_mm: ArrayLike) -> NDArray[np.float64]:
        return (np.asarray(x_mm, np.float64) - self.origin_mm[0]) * INK_PX_PER_MM

    def row(self, y_mm: ArrayLike) -> NDArray[np.float64]:
        return (np.asarray(y_mm, np.float64) - self.origin_mm[1]) * INK_PX_PER_MM


def ink_map(image: Image, warp: Warp) -> InkMap:
    """Find the ink on a page.

    Of the colour channels and their mixtures the one is used in which ink stands out most from the grid; what is left
    of the grid there is subtracted as the median look of a 5 mm square in the neighbourhood.

    Args:
        image: uint8 RGB `(H, W, 3)`.
        warp: paper mm -> px, its zero on the grid.
    """
    h, w = image.shape[:2]
    edge = [(x, y) for x in (-0.5, w / 2, w - 0.5) for y in (-0.5, h / 2, h - 0.5)]
    mm = warp.to_mm(np.array(edge))
    low = np.floor(mm.min(axis=0) / LARGE_SQUARE_MM) * LARGE_SQUARE_MM
    squares = np.maximum(np.ceil((mm.max(axis=0) - low) / LARGE_SQUARE_MM), 1).astype(int)
    flat, inside = _upright(image, warp, low, (int(squares[1]) * _CELL, int(squares[0]) * _CELL))
    channels: list[NDArray[Any]] = [*cv2.split(flat), brightest_channel(flat), cv2.cvtColor(flat, cv2.COLOR_RGB2GRAY)]
    best = max(channels, key=lambda channel: _contrast(_middle(channel), _middle(inside)))
    residual, look, doubt = _beyond_grid(best, inside)
    noise, level = _levels(residual, inside & (doubt < 0.08))
    # on a grid line the same ink makes less of a difference
    reach = np.maximum(np.minimum(level, level - (1 - look)), 0.3 * level)
    floor = np.maximum(noise * reach / level, np.minimum(doubt, 0.8 * reach))
    ink = np.clip((residual - floor) / np.maximum(reach - floor, 1e-3), 0, 1)
    ink[~inside] = 0
    return InkMap(np.asarray(ink, np.float32), inside, (float(low[0]), float(low[1])), flat)


def _upright(
    image: Image, warp: Warp, low: NDArray[np.float64], shape: tuple[int, int]
) -> tuple[Image, NDArray[np.bool_]]:
    """The image resampled to `shape` at `INK_PX_PER_MM` with its top left at `low` mm, and where it is defined."""
    middle = low + np.array([shape[1], shape[0]]) / 2 / INK_PX_PER_MM
    shrink = float(warp.px_per_mm(middle[None])[0]) / INK_PX_PER_MM
    source: NDArray[Any] = image
    factor = 1.0
    if shrink > 1.5:
        source = cv2.resize(image, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
        factor = source.shape[1] / image.shape[1]
    y, x = np.mgrid[0 : shape[0] + _COARSE : _COARSE, 0 : shape[1] + _COARSE : _COARSE]
    px = warp.to_px(low + np.stack([x, y], axis=-1) / INK_PX_PER_MM)
    px = ((px + 0.5) * factor - 0.5).astype(np.float32)
    fine = coarse_to_fine(px, _COARSE, shape)
    out = cv2.remap(source, fine[..., 0], fine[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    h, w = source.shape[:2]
    inside = (fine[..., 0] > -0.5) & (fine[..., 0] < w - 0.5) & (fine[..., 1] > -0.5) & (fine[..., 1] < h - 0.5)
    return np.asarray(out, np.uint8), inside


def _middle(channel: NDArray[np.generic]) -> NDArray[np.generic]:
    """The central part, whole squares, of at most 24 by 24 squares."""
    parts = []
    for n in channel.shape:
        squares = n // _CELL
        take = min(squares, 24)
        first = (squares - take) // 2
        parts.append(slice(first * _CELL, (first + take) * _CELL))
    return channel[parts[0], parts[1]]


def _contrast(channel: NDArray[np.generic], inside: NDArray[np.generic]) -> float:
    known = np.asarray(inside, np.bool_)
    residual, _, _ = _beyond_grid(np.asarray(channel, np.uint8), known)
    noise, level = _levels(residual, known)
    spread = float(np.asarray(channel, np.float32)[known].std()) if known.any() else 1.0
    return (level - noise) / (noise + 0.15 * spread / 255 + 0.01)


def _beyond_grid(channel: NDArray[np.uint8], inside: NDArray[np.bool_]) -> tuple[Map, Map, Map]:
    """Darkness beyond the grid's; brightness of the grid alone; 2.5 sigma of that: shares of the paper's, `(h, w)`."""
    value = channel.astype(np.float32)
    n_y, n_x = value.shape[0] // _CELL, value.shape[1] // _CELL
    cells = value.reshape(n_y, _CELL, n_x, _CELL).transpose(0, 2, 1, 3)  # (ny, nx, cell, cell)
    paper = np.percentile(cells.reshape(n_y, n_x, -1)[..., ::4], 80, axis=2).astype(np.float32)
    light = cv2.GaussianBlur(cv2.medianBlur(paper, 5) if min(paper.shape) > 4 else paper, (0, 0), 1.5)
    light = cv2.resize(light, (value.shape[1], value.shape[0]), interpolation=cv2.INTER_LINEAR)
    value = (value / np.maximum(light, 8)).astype(np.float32)
    cells = value.reshape(n_y, _CELL, n_x, _CELL).transpose(0, 2, 1, 3)
    printed = _printed(cells, np.asarray(inside.reshape(n_y, _CELL, n_x, _CELL).all(axis=(1, 3)), np.bool_))
    grid, doubt = np.ones_like(value), np.zeros_like(value)
    everywhere = _look(cells[printed])
    for rows in np.array_split(np.arange(n_y), max(1, round(n_y / _REGION))):
        for columns in np.array_split(np.arange(n_x), max(1, round(n_x / _REGION))):
            region = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
            here = printed[region]
            look, off = everywhere if here.sum() < _LEAST_CELLS else _look(cells[region][here])
            for y, x in zip(*np.nonzero(here), strict=True):
                part = (
                    slice((rows[0] + y) * _CELL, (rows[0] + y + 1) * _CELL),
                    slice((columns[0] + x) * _CELL, (columns[0] + x + 1) * _CELL),
                )
                grid[part], doubt[part] = look, off
    residual = grid - value
    for turned in (residual, residual.T):  # single lines that differ from their kind: a line a pixel wide beats with it
        for part in np.array_split(turned, max(1, round(turned.shape[1] / INK_PX_PER_MM / _LINE_MM)), axis=1):
            part -= np.maximum(np.percentile(part[:, ::3], 20, axis=1, keepdims=True), 0).astype(np.float32)
    residual[~inside] = 0
    return residual, grid, doubt


def _printed(cells: Map, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which squares `(ny, nx)` hold the grid: white margins, a desk and black bars do not."""
    some = cells[inside] if inside.any() else cells.reshape(-1, _CELL, _CELL)
    look = np.median(some[:: max(1, len(some) // 200)], axis=0)
    shape = look - look.mean()
    power = float((shape**2).sum())
    if power < 1e-3:
        return np.ones(inside.shape, np.bool_)
    likeness = np.tensordot(np.clip(cells, 0, 1.2), shape, axes=([2, 3], [0, 1])) / power
    alike = (likeness > _LEAST_LIKENESS).astype(np.uint8)
    return np.asarray(cv2.medianBlur(alike, 3) > 0, np.bool_)  # a word does not hide the grid around it


def _look(cells: Map) -> tuple[Map, Map]:
    """The usual look of squares `(n, cell, cell)`, and 2.5 sigma of it towards the dark."""
    if not len(cells):
        return np.ones((_CELL, _CELL), np.float32), np.zeros((_CELL, _CELL), np.float32)
    some = cells[:: max(1, len(cells) // _MOST_CELLS)]
    low, middle = round(0.15 * (len(some) - 1)), len(some) // 2
    ordered = np.partition(some, (low, middle), axis=0)
    spread = ordered[middle] - ordered[low]  # one sigma; or, where lines beat with the pixels, all of it
    return ordered[middle], np.asarray(np.minimum(2.4 * spread, 1.2 * spread + 0.06), np.float32)


def _levels(residual: Map, inside: NDArray[np.bool_]) -> tuple[float, float]:
    """What noise reaches (2.5 sigma) and what ink reaches, in a residual."""
    values = residual[::2, ::2][inside[::2, ::2]]
    if values.size < 100:
        return 0.0, 1.0
    noise = 2.5 * 1.48 * float(np.median(np.abs(values - np.median(values)))) + 0.01
    top = max(float(np.percentile(values, 99.6)), noise + LEAST_CONTRAST)
    # text and separators are darker than a faded trace: full ink is what half of the inked px reach
    inked = values[values > max(0.4 * top, 1.3 * noise, float(np.percentile(values, 97.5)))]
    return noise, max(float(np.median(inked)) if inked.size else top, noise + LEAST_CONTRAST)


@njit(cache=True, nogil=True)
def follow(ink: Map, centre: float, cost_per_px: float, pull: float) -> NDArray[np.int64]:
    """The path, one row index a column, with most ink: `(w,)`.

    Viterbi over columns; a step of n rows costs `n * cost_per_px`, standing d px off row `centre` costs `d * pull`.
    """
    h, w = ink.shape
    best = np.zeros(h, np.float32)
    back = np.zeros((w, h), np.int16)
    rest = np.empty(h, np.float32)
    for y in range(h):
        rest[y] = -pull * abs(y - centre)
    for x in range(w):
        source = np.arange(h).astype(np.int16)
        for y in range(1, h):  # L1 distance transform, down then up
            if best[y - 1] - cost_per_px > best[y]:
                best[y] = best[y - 1] - cost_per_px
                source[y] = source[y - 1]
        for y in range(h - 2, -1, -1):
            if best[y + 1] - cost_per_px > best[y]:
                best[y] = best[y + 1] - cost_per_px
                source[y] = source[y + 1]
        for y in range(h):
            back[x, y] = source[y]
            best[y] += ink[y, x] + rest[y]
    path = np.empty(w, np.int64)
    path[w - 1] = np.argmax(best)
    for x in range(w - 1, 0, -1):
        path[x - 1] = back[x, path[x]]
    return path
