"""What the marks on a sheet are painted with: blending, noise and places on the drawn part of a flat page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from ecgdig.degrade.pixels import repeat
from ecgdig.page.page import Box, Page

Rng = np.random.Generator
Image = NDArray[np.uint8]  # (H, W, 3) RGB
Mask = NDArray[np.uint8]  # (h, w) coverage, 0 to 255
RGB = tuple[int, int, int]
TILE = 512
_BLOCK_PX = 64
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as OpenCV's grey


@dataclass(frozen=True)
class Region:
    """A box of a flat page that is drawn: columns x0 to x1, rows y0 to y1 of its image, and the same in mm."""

    x0: int
    y0: int
    x1: int
    y1: int
    box_mm: Box

    @property
    def shape(self) -> tuple[int, int]:
        return self.y1 - self.y0, self.x1 - self.x0

    def of(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return image[self.y0 : self.y1, self.x0 : self.x1]

    def mm(self, step_mm: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Paper x and y on a lattice of about `step_mm`, `(h, w)`, to be enlarged with `enlarge`."""
        left, top, right, bottom = self.box_mm
        h, w = (max(2, int(np.ceil(length / step_mm))) for length in (bottom - top, right - left))
        x = left + (right - left) * (np.arange(w, dtype=np.float32) + 0.5) / w
        y = top + (bottom - top) * (np.arange(h, dtype=np.float32) + 0.5) / h
        return np.broadcast_to(x, (h, w)), np.broadcast_to(y[:, None], (h, w))

    def enlarge(self, coarse: NDArray[np.float32]) -> Mask:
        """A coarse field, 0 to 1, as coverage of the region."""
        levels = np.clip(coarse * 255 + 0.5, 0, 255).astype(np.uint8)
        return np.asarray(cv2.resize(levels, self.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def scale_of(page: Page) -> float:
    """px per mm of a flat page."""
    return float(page.warp.px_per_mm([[page.window_mm[0], page.window_mm[1]]])[0])


def region(page: Page, box_mm: Box) -> Region | None:
    """What of `box_mm` is drawn; None: less than two pixels."""
    (x0, y0), (x1, y1) = page.warp.to_px([[box_mm[0], box_mm[1]], [box_mm[2], box_mm[3]]])
    height, width = page.shape
    left, top = max(0, int(np.floor(x0 + 0.5))), max(0, int(np.floor(y0 + 0.5)))
    right, bottom = min(width, int(np.ceil(x1 + 0.5))), min(height, int(np.ceil(y1 + 0.5)))
    if right - left < 2 or bottom - top < 2:
        return None
    a, b = page.warp.to_mm([[left - 0.5, top - 0.5], [right - 0.5, bottom - 0.5]])
    return Region(left, top, right, bottom, (float(a[0]), float(a[1]), float(b[0]), float(b[1])))


def drawn(page: Page) -> Box:
    """The part of the sheet that is drawn, in mm; at least a millimetre of it."""
    left, top, right, bottom = page.window_mm
    paper = page.layout.paper
    x0, y0 = min(max(left, 0.0), paper.width_mm - 1), min(max(top, 0.0), paper.height_mm - 1)
    return x0, y0, max(min(right, paper.width_mm), x0 + 1), max(min(bottom, paper.height_mm), y0 + 1)


def somewhere(page: Page, rng: Rng) -> tuple[float, float]:
    """A place on the drawn part of the sheet, in mm."""
    left, top, right, bottom = drawn(page)
    return float(rng.uniform(left, right)), float(rng.uniform(top, bottom))


def beside_a_trace(page: Page, rng: Rng) -> tuple[float, float]:
    """A place at a wave of a trace that is drawn, in mm; anywhere when there is none."""
    left, top, right, bottom = drawn(page)
    x = float(rng.uniform(left, right))
    heights = [float(trace.y_at(np.array([x]))[0]) for trace in page.traces]
    heights = [y for y in heights if top < y < bottom]  # not a number: not printed there
    if heights:
        return x, heights[int(rng.integers(len(heights)))] + float(rng.normal(0, 3))
    return x, float(rng.uniform(top, bottom))


def number_of(page: Page, rng: Rng, per_sheet: float) -> int:
    """How many marks: at least one, and about `per_sheet` on a letter sheet."""
    left, top, right, bottom = drawn(page)
    return 1 + int(rng.poisson(per_sheet * (right - left) * (bottom - top) / (279.4 * 215.9)))


def turned(points: NDArray[np.float64], degrees: float, at: tuple[float, float]) -> NDArray[np.float64]:
    """Points `(n, 2)` turned around the origin and moved to `at`."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.asarray(points @ np.array([[c, s], [-s, c]]) + np.asarray(at), np.float64)


def box_of(points_mm: NDArray[np.float64], margin_mm: float = 0.0) -> Box:
    low, high = points_mm.min(0) - margin_mm, points_mm.max(0) + margin_mm
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def polygon_mask(page: Page, points_mm: NDArray[np.float64], where: Region) -> Mask:
    """Coverage of a polygon in mm over a region."""
    mask = np.zeros(where.shape, np.uint8)
    px = page.warp.to_px(points_mm) - [where.x0, where.y0]
    cv2.fillPoly(mask, [np.round(px * 16).astype(np.int32)], 255, lineType=cv2.LINE_AA, shift=4)
    return mask


def tint(image: Image, cover: Mask, rgb: NDArray[np.float32]) -> None:
    """Ink that lets through what lies below: multiplies `image` in place by `rgb`/255 where `cover` `(H, W)` is 255."""
    part = np.ascontiguousarray(image)
    _tint(
        part.reshape(len(part), -1), np.ascontiguousarray(cover), (1 - rgb / 255).astype(np.float32) / np.float32(255)
    )
    if part is not image:
        image[:] = part


def blend(image: Image, cover: Mask, over: Image) -> None:
    """What is opaque: `over` `(H, W, 3)` instead of `image`, in place, where `cover` `(H, W)` is 255."""
    part, above = np.ascontiguousarray(image), np.ascontiguousarray(over)
    _blend(part.reshape(len(part), -1), np.ascontiguousarray(cover), above.reshape(len(part), -1))
    if part is not image:
        image[:] = part


def lay(image: Image, cover: Mask, rgb: NDArray[np.float32]) -> None:
    """One opaque colour instead of `image`, in place, where `cover` `(H, W)` is 255."""
    part = np.ascontiguousarray(image)
    _lay(part.reshape(len(part), -1), np.ascontiguousarray(cover), np.asarray(rgb, np.float32))
    if part is not image:
        image[:] = part


# Rows of bytes, looked at in blocks: most of a page is not covered; in float32, so that what is covered is vectorized.


@njit(cache=True, nogil=True, inline="always")
def _clear(cover: Mask, y: int, first: int, last: int) -> bool:
    any_cover = np.uint8(0)
    for x in range(first, last):
        any_cover |= cover[y, x]
    return bool(any_cover == 0)


@njit(cache=True, nogil=True)
def _tint(image: Mask, cover: Mask, lost: NDArray[np.float32]) -> None:
    one, half = np.float32(1), np.float32(0.5)
    r, g, b = lost[0], lost[1], lost[2]
    for y in range(cover.shape[0]):
        for first in range(0, cover.shape[1], _BLOCK_PX):
            last = min(first + _BLOCK_PX, cover.shape[1])
            if _clear(cover, y, first, last):
                continue
            shares, part = cover[y, first:last], image[y, 3 * first : 3 * last]
            for x in range(shares.shape[0]):
                a = np.float32(shares[x])
                part[3 * x] = np.uint8(part[3 * x] * (one - a * r) + half)
                part[3 * x + 1] = np.uint8(part[3 * x + 1] * (one - a * g) + half)
                part[3 * x + 2] = np.uint8(part[3 * x + 2] * (one - a * b) + half)


@njit(cache=True, nogil=True)
def _blend(image: Mask, cover: Mask, over: Mask) -> None:
    full, half = np.float32(1 / 255), np.float32(0.5)
    for y in range(cover.shape[0]):
        for first in range(0, cover.shape[1], _BLOCK_PX):
            last = min(first + _BLOCK_PX, cover.shape[1])
            if _clear(cover, y, first, last):
                continue
            shares, part, above = cover[y, first:last], image[y, 3 * first : 3 * last], over[y, 3 * first : 3 * last]
            for x in range(shares.shape[0]):
                a = np.float32(shares[x]) * full
                red, green, blue = np.float32(part[3 * x]), np.float32(part[3 * x + 1]), np.float32(part[3 * x + 2])
                part[3 * x] = np.uint8(red + (above[3 * x] - red) * a + half)
                part[3 * x + 1] = np.uint8(green + (above[3 * x + 1] - green) * a + half)
                part[3 * x + 2] = np.uint8(blue + (above[3 * x + 2] - blue) * a + half)


@njit(cache=True, nogil=True)
def _lay(image: Mask, cover: Mask, rgb: NDArray[np.float32]) -> None:
    full, half = np.float32(1 / 255), np.float32(0.5)
    r, g, b = rgb[0], rgb[1], rgb[2]
    for y in range(cover.shape[0]):
        for first in range(0, cover.shape[1], _BLOCK_PX):
            last = min(first + _BLOCK_PX, cover.shape[1])
            if _clear(cover, y, first, last):
                continue
            shares, part = cover[y, first:last], image[y, 3 * first : 3 * last]
            for x in range(shares.shape[0]):
                a = np.float32(shares[x]) * full
                red, green, blue = np.float32(part[3 * x]), np.float32(part[3 * x + 1]), np.float32(part[3 * x + 2])
                part[3 * x] = np.uint8(red + (r - red) * a + half)
                part[3 * x + 1] = np.uint8(green + (g - green) * a + half)
                part[3 * x + 2] = np.uint8(blue + (b - blue) * a + half)


def colour(rng: Rng, rgb: RGB, spread: float = 12.0) -> NDArray[np.float32]:
    """A colour near `rgb`."""
    return np.clip(np.array(rgb) + rng.normal(0, spread, 3), 0, 255).astype(np.float32)


def soft_noise(rng: Rng, shape: tuple[int, int], knots: int) -> NDArray[np.float32]:
    """Smooth noise of about unit size, `knots` bumps along the longer side."""
    longer = max(shape)
    small = tuple(max(2, round(knots * n / longer)) for n in shape)
    return np.asarray(
        cv2.resize(rng.standard_normal(small, np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32
    )


@cache
def grain_tile(sigma_px: float) -> NDArray[np.float32]:
    """Noise `(TILE, TILE)` of zero mean and unit deviation, `sigma_px` soft; the same in every process; wraps."""
    noise = np.random.default_rng(20261126).standard_normal((TILE, TILE), np.float32)
    if sigma_px > 0:
        margin = int(np.ceil(4 * sigma_px))
        wide = cv2.copyMakeBorder(noise, margin, margin, margin, margin, cv2.BORDER_WRAP)
        soft = cv2.GaussianBlur(wide, (0, 0), sigma_px)
        noise = np.asarray(soft, np.float32)[margin:-margin, margin:-margin]
    out = np.asarray((noise - noise.mean()) / noise.std(), np.float32)
    out.flags.writeable = False
    return out


def grain(rng: Rng, shape: tuple[int, int], sigma_px: float) -> NDArray[np.float32]:
    """A piece of `grain_tile` of any shape, from a random place."""
    oy, ox = (int(v) for v in rng.integers(0, TILE, 2))
    return np.asarray(repeat(grain_tile(sigma_px), shape, (oy, ox)), np.float32)
