"""Masks, boxes and run lengths of a page's traces and marks, in px of its picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ecgdig.page import Page

Corners = tuple[int, int, int, int]  # left, top, right, bottom; right and bottom are one beyond the last pixel


@dataclass(frozen=True)
class Mask:
    """Which pixels a trace inks: bool `inside`, the part of the picture from (left, top); nothing elsewhere."""

    left: int
    top: int
    inside: NDArray[np.bool_]

    @property
    def area(self) -> int:
        return int(np.count_nonzero(self.inside))

    @property
    def box(self) -> Corners | None:
        """The smallest box around the ink; None without ink."""
        rows, columns = (np.flatnonzero(self.inside.any(axis=axis)) for axis in (1, 0))
        if rows.size == 0:
            return None
        x, y = self.left + columns[[0, -1]], self.top + rows[[0, -1]]
        return int(x[0]), int(y[0]), int(x[1]) + 1, int(y[1]) + 1


def trace_mask(page: Page, index: int) -> Mask:
    """Pixels of which trace `index` alone covers at least half of what its pen can cover, others crossing it or not."""
    points = page.polyline_px(index)
    known = points[np.isfinite(points).all(axis=1)]
    if not known.size:
        return Mask(0, 0, np.zeros((0, 0), bool))
    around = 3 + 2 * page.style.ink.width_mm * float(page.warp.px_per_mm([[0.0, 0.0]])[0])
    height, width = page.shape
    left, top = (int(v) for v in np.clip(np.floor(known.min(0) - around), 0, [width, height]))
    right, bottom = (int(v) for v in np.clip(np.ceil(known.max(0) + around), 0, [width, height]))
    cover = page.mask(index)[top:bottom, left:right]
    full = int(cover.max(initial=0))  # a pen under 1 px never covers a pixel
    return Mask(left, top, (cover > full // 2) if full else np.zeros_like(cover, bool))


def quad_box(corners: NDArray[np.float64], shape: tuple[int, int]) -> tuple[float, float, float, float] | None:
    """The part inside a picture of `shape` of the box around points `(n, 2)`, in px from the picture's corner.

    Left, top, right, bottom; None where nothing of it is inside. The first pixel reaches from 0 to 1 here, as exports
    want it.
    """
    low, high = corners.min(0) + 0.5, corners.max(0) + 0.5
    left, top = np.maximum(low, 0.0)
    right, bottom = np.minimum(high, [shape[1], shape[0]])
    return (float(left), float(top), float(right), float(bottom)) if right > left and bottom > top else None


def run_lengths(mask: Mask, shape: tuple[int, int]) -> NDArray[np.int64]:
    """COCO's run lengths of `mask` in a picture of `shape`: down the columns, outside first, `(n,)`, sum H·W."""
    inside = np.ascontiguousarray(mask.inside)
    changes = np.empty(_changes(inside, mask.left, mask.top, shape, np.empty(0, np.int64)), np.int64)
    _changes(inside, mask.left, mask.top, shape, changes)
    return np.diff(changes, prepend=0, append=shape[0] * shape[1])


@njit(cache=True, nogil=True)
def _changes(inside: NDArray[np.bool_], left: int, top: int, shape: tuple[int, int], out: NDArray[np.int64]) -> int:
    """Positions, counted down the columns of the whole picture, at which the mask begins or ends, into `out`.

    Returns how many there are; an `out` without room for one is left alone.
    """
    rows, columns = inside.shape
    height, width = shape
    n = 0
    on = False
    for x in range(columns):
        first = (left + x) * height + top
        for y in range(-1, rows + 1):
            if y == -1 and top == 0:  # the part reaches the picture's edge: the column before goes on here
                continue
            if y == rows and top + rows == height:
                continue
            now = 0 <= y < rows and inside[y, x]
            if now != on:
                on = now
                if n < out.size:
                    out[n] = first - top if y == -1 else first + y
                n += 1
    if on and left + columns < width:
        if n < out.size:
            out[n] = (left + columns) * height
        n += 1
    return n


def packed(counts: NDArray[np.int64]) -> str:
    """Run lengths as COCO's compressed text: differences to the run before last, 5 bits a character from `0`.

    The coding of `rleToString` in https://github.com/cocodataset/cocoapi/blob/master/common/maskApi.c
    """
    return bytes(_packed(counts)).decode("ascii")


@njit(cache=True, nogil=True)
def _packed(counts: NDArray[np.int64]) -> NDArray[np.uint8]:
    out = np.empty(counts.size * 7, np.uint8)
    n = 0
    for i in range(counts.size):
        x = counts[i] - counts[i - 2] if i > 2 else counts[i]
        more = True
        while more:
            c = x & 0x1F
            x >>= 5
            more = x != -1 if c & 0x10 else x != 0
            if more:
                c |= 0x20
            out[n] = c + 48
            n += 1
    return out[:n]
