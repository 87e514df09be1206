"""What is done to every pixel of a page, each in one pass; compiled with numba, in float32 so that it is vectorized."""

from __future__ import annotations

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # (H, W, 3) RGB
Mask = NDArray[np.uint8]  # (H, W), 0 to 255
Factors = NDArray[np.float64]  # (3,): of red, green and blue
RGB = tuple[int, int, int]


def multiply(image: Image, field: Mask, at_zero: Factors | float, at_full: Factors | float) -> Image:
    """`image` times a factor for each colour that goes straight from `at_zero` to `at_full` where `field` goes from 0
    to 255."""
    out = np.empty(image.shape, np.uint8)
    low, high = (np.broadcast_to(np.asarray(end, np.float32), 3) for end in (at_zero, at_full))
    _multiply(_rows(image), np.ascontiguousarray(field), low, (high - low) / np.float32(255), _rows(out))
    return out


@njit(cache=True, nogil=True)
def _multiply(image: Mask, field: Mask, low: NDArray[np.float32], slope: NDArray[np.float32], out: Mask) -> None:
    half, most = np.float32(0.5), np.float32(255)
    r0, g0, b0, r1, g1, b1 = low[0], low[1], low[2], slope[0], slope[1], slope[2]
    for y in range(field.shape[0]):
        row, shares, to = image[y], field[y], out[y]
        for x in range(shares.shape[0]):
            v = np.float32(shares[x])
            to[3 * x] = np.uint8(min(row[3 * x] * (r0 + r1 * v) + half, most))
            to[3 * x + 1] = np.uint8(min(row[3 * x + 1] * (g0 + g1 * v) + half, most))
            to[3 * x + 2] = np.uint8(min(row[3 * x + 2] * (b0 + b1 * v) + half, most))


def fade(image: Image, paper_rgb: RGB, field: Mask, at_zero: float, at_full: float) -> Image:
    """What is printed, where darker than the paper, times a factor between `at_zero` and `at_full` of `field`."""
    out = np.empty(image.shape, np.uint8)
    lost = np.array([1 - at_zero, (at_zero - at_full) / 255], np.float32)
    _fade(_rows(image), np.ascontiguousarray(field), np.array(paper_rgb, np.float32), lost, _rows(out))
    return out


@njit(cache=True, nogil=True)
def _fade(image: Mask, field: Mask, paper: NDArray[np.float32], share: NDArray[np.float32], out: Mask) -> None:
    half, zero = np.float32(0.5), np.float32(0)
    r, g, b = paper[0], paper[1], paper[2]
    for y in range(field.shape[0]):
        row, shares, to = image[y], field[y], out[y]
        for x in range(shares.shape[0]):
            lost = share[0] + share[1] * np.float32(shares[x])
            red, green, blue = np.float32(row[3 * x]), np.float32(row[3 * x + 1]), np.float32(row[3 * x + 2])
            to[3 * x] = np.uint8(red + max(r - red, zero) * lost + half)
            to[3 * x + 1] = np.uint8(green + max(g - green, zero) * lost + half)
            to[3 * x + 2] = np.uint8(blue + max(b - blue, zero) * lost + half)


def fade_colours(image: Image, paper_rgb: RGB, field: Mask, most: float) -> Image:
    """What is printed in a colour comes nearer to the paper's, by up to `most` where `field` is 255; what is black in
    all three colours does not, nor what is brighter than the paper."""
    out = np.empty(image.shape, np.uint8)
    share = np.float32(most / 255)
    _fade_colours(_rows(image), np.ascontiguousarray(field), np.array(paper_rgb, np.float32), share, _rows(out))
    return out


@njit(cache=True, nogil=True)
def _fade_colours(image: Mask, field: Mask, paper: NDArray[np.float32], share: np.float32, out: Mask) -> None:
    half, zero, one = np.float32(0.5), np.float32(0), np.float32(1)
    r, g, b = paper[0], paper[1], paper[2]
    brightest = max(r, g, b)
    dark, per_level = np.float32(0.5) * brightest, np.float32(1) / (np.float32(0.2) * brightest)
    for y in range(field.shape[0]):
        row, shares, to = image[y], field[y], out[y]
        for x in range(shares.shape[0]):
            red, green, blue = np.float32(row[3 * x]), np.float32(row[3 * x + 1]), np.float32(row[3 * x + 2])
            coloured = min(max((max(red, green, blue) - dark) * per_level, zero), one)
            lost = share * coloured * np.float32(shares[x])
            to[3 * x] = np.uint8(red + max(r - red, zero) * lost + half)
            to[3 * x + 1] = np.uint8(green + max(g - green, zero) * lost + half)
            to[3 * x + 2] = np.uint8(blue + max(b - blue, zero) * lost + half)


def mix(a: Image, b: Image, share: Mask) -> Image:
    """`a` where `share` is 0, `b` where it is 255; written into `b`."""
    _mix(_rows(a), np.ascontiguousarray(share), b.reshape(len(b), -1))
    return b


@njit(cache=True, nogil=True)
def _mix(a: Mask, share: Mask, out: Mask) -> None:
    half, full = np.float32(0.5), np.float32(1 / 255)
    for y in range(share.shape[0]):
        first, shares, to = a[y], share[y], out[y]
        for x in range(shares.shape[0]):
            v = np.float32(shares[x]) * full
            red, green, blue = np.float32(first[3 * x]), np.float32(first[3 * x + 1]), np.float32(first[3 * x + 2])
            to[3 * x] = np.uint8(red + (to[3 * x] - red) * v + half)
            to[3 * x + 1] = np.uint8(green + (to[3 * x + 1] - green) * v + half)
            to[3 * x + 2] = np.uint8(blue + (to[3 * x + 2] - blue) * v + half)


def beyond(image: Image, soft: Image, amount: float) -> Image:
    """`image`, and `amount` times what it differs from `soft`: an unsharp mask; written into `soft`."""
    _beyond(_rows(image), np.float32(amount), soft.reshape(len(soft), -1))
    return soft


@njit(cache=True, nogil=True)
def _beyond(image: Mask, amount: np.float32, out: Mask) -> None:
    zero, half, most = np.float32(0), np.float32(0.5), np.float32(255)
    for y in range(image.shape[0]):
        row, to = image[y], out[y]
        for x in range(row.shape[0]):
            level = np.float32(row[x])
            to[x] = np.uint8(min(max(level + amount * (level - to[x]) + half, zero), most))


def add_tile(image: Image, tile: NDArray[np.int8], first: tuple[int, int]) -> Image:
    """`image` and a tile `(h, w, 3)` of grey levels laid side by side over it; `first`: which of its pixels (row,
    column) comes first."""
    out = np.empty(image.shape, np.uint8)
    height, width = tile.shape[:2]
    _add_tile(_rows(image), tile.reshape(height, -1), first[0] % height, 3 * (first[1] % width), _rows(out))
    return out


@njit(cache=True, nogil=True)
def _add_tile(image: Mask, tile: NDArray[np.int8], top: int, left: int, out: Mask) -> None:
    none, most = np.int32(0), np.int32(255)
    for y in range(image.shape[0]):
        levels = tile[(top + y) % tile.shape[0]]
        start, at = 0, left
        while start < image.shape[1]:
            end = min(start + levels.shape[0] - at, image.shape[1])
            row, more, to = image[y, start:end], levels[at : at + end - start], out[y, start:end]
            for x in range(row.shape[0]):
                to[x] = np.uint8(min(max(np.int32(row[x]) + np.int32(more[x]), none), most))
            start, at = end, 0


def add_waves(image: Image, u: NDArray[np.float64], v: NDArray[np.float64], strength: float) -> Image:
    """`image` with two crossed waves added to what is neither black nor white.

    Args:
        u, v: radians a pixel along x and y of each wave, `(2,)`.
        strength: grey levels that each adds to a middle grey.
    """
    height, width = image.shape[:2]
    x, y = np.outer(u, np.arange(width)), np.outer(v, np.arange(height))
    cos_x, sin_x, cos_y, sin_y = (part.astype(np.float32) for part in (np.cos(x), np.sin(x), np.cos(y), np.sin(y)))
    out = np.empty(image.shape, np.uint8)
    _add_waves(_rows(image), cos_x, sin_x, cos_y, sin_y, np.float32(4 * strength / 255**2), _rows(out))
    return out


@njit(cache=True, nogil=True)
def _add_waves(
    image: Mask,
    cos_x: NDArray[np.float32],
    sin_x: NDArray[np.float32],
    cos_y: NDArray[np.float32],
    sin_y: NDArray[np.float32],
    scale: np.float32,
    out: Mask,
) -> None:
    zero, half, most = np.float32(0), np.float32(0.5), np.float32(255)
    for i in range(image.shape[0]):
        row, to = image[i], out[i]
        for j in range(cos_x.shape[1]):
            # cos(a + b) from one-dimensional factors
            wave = cos_x[0, j] * cos_y[0, i] - sin_x[0, j] * sin_y[0, i]
            wave += cos_x[1, j] * cos_y[1, i] - sin_x[1, j] * sin_y[1, i]
            wave *= scale
            red, green, blue = np.float32(row[3 * j]), np.float32(row[3 * j + 1]), np.float32(row[3 * j + 2])
            to[3 * j] = np.uint8(min(max(red + wave * red * (most - red) + half, zero), most))
            to[3 * j + 1] = np.uint8(min(max(green + wave * green * (most - green) + half, zero), most))
            to[3 * j + 2] = np.uint8(min(max(blue + wave * blue * (most - blue) + half, zero), most))


def shrunk(image: Image, size: tuple[int, int]) -> Image:
    """`image` with fewer pixels (`size`: width, height): each the mean of what it covers, as OpenCV's `INTER_AREA`.

    OpenCV takes three times as long where the ratio is no whole number.
    """
    width, height = size
    if width > image.shape[1] or height > image.shape[0]:
        raise ValueError(f"{size} from {image.shape[1::-1]} px; want no more pixels than there are")
    out = np.empty((height, width, 3), np.uint8)
    _shrink(_rows(image), _shares(image.shape[0], height), _shares(image.shape[1], width), _rows(out))
    return out


def _shares(n: int, n_out: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """First pixel that each of `n_out` covers, `(n_out,)`, and how much of it each of those is, `(n_out, most)`."""
    edges = np.arange(n_out + 1) * (n / n_out)
    first = np.minimum(np.floor(edges[:-1] + 1e-9).astype(np.int64), n - 1)
    at = first[:, None] + np.arange(int(np.ceil(n / n_out)) + 1)
    overlap = np.minimum(edges[1:, None], at + 1) - np.maximum(edges[:-1, None], at)
    share = np.where(at < n, np.clip(overlap, 0, None), 0)
    return first, (share / share.sum(1, keepdims=True)).astype(np.float32)


@njit(cache=True, nogil=True)
def _shrink(
    image: Mask,
    down: tuple[NDArray[np.int64], NDArray[np.float32]],
    across: tuple[NDArray[np.int64], NDArray[np.float32]],
    out: Mask,
) -> None:
    half, nothing = np.float32(0.5), np.float32(0)
    rows, row_shares = down
    columns, column_shares = across
    most = column_shares.shape[1]
    # behind the last pixel there are some that weigh nothing
    line = np.zeros(image.shape[1] + 3 * most, np.float32)
    for y in range(out.shape[0]):
        to = out[y]
        for k in range(row_shares.shape[1]):
            share = row_shares[y, k]
            if share == nothing:
                continue
            row = image[rows[y] + k]
            if k == 0:
                for x in range(row.shape[0]):
                    line[x] = row[x] * share
            else:
                for x in range(row.shape[0]):
                    line[x] += row[x] * share
        for j in range(columns.shape[0]):
            at = 3 * columns[j]
            red = green = blue = half
            for k in range(most):
                share = column_shares[j, k]
                red += share * line[at]
                green += share * line[at + 1]
                blue += share * line[at + 2]
                at += 3
            to[3 * j], to[3 * j + 1], to[3 * j + 2] = np.uint8(red), np.uint8(green), np.uint8(blue)


def shifted(plane: Mask, dx: float, dy: float) -> Mask:
    """One colour moved by `dx`, `dy` pixels, bilinear; its border goes on."""
    x, y = int(np.floor(dx)), int(np.floor(dy))
    reach = max(abs(x), abs(y)) + 1
    padded = np.asarray(cv2.copyMakeBorder(plane, reach, reach, reach, reach, cv2.BORDER_REPLICATE), np.uint8)
    out = np.empty(plane.shape, np.uint8)
    _shift(padded, reach - 1 - y, reach - 1 - x, np.array([dx - x, dy - y], np.float32), out)
    return out


@njit(cache=True, nogil=True)
def _shift(padded: Mask, top: int, left: int, part: NDArray[np.float32], out: Mask) -> None:
    """`top`, `left`: what comes to the first pixel's place when it is moved by one more whole pixel than it should."""
    one, half = np.float32(1), np.float32(0.5)
    u, v = part[0], part[1]
    a, b, c, d = u * v, (one - u) * v, u * (one - v), (one - u) * (one - v)
    n = out.shape[1]
    for i in range(out.shape[0]):
        above, below, to = padded[top + i, left : left + n + 1], padded[top + i + 1, left : left + n + 1], out[i]
        for j in range(n):
            to[j] = np.uint8(a * above[j] + b * above[j + 1] + c * below[j] + d * below[j + 1] + half)


def enlarged(small: Image, shape: tuple[int, int]) -> Image:
    """Each pixel of `small` as a block of equal ones over `shape`, by pixel centres, so that nothing shifts."""
    rows, columns = (((np.arange(n) + 0.5) * have / n).astype(int) for n, have in zip(shape, small.shape, strict=False))
    out = np.empty((*shape, 3), np.uint8)
    _enlarge(_rows(small), rows, columns, _rows(out))
    return out


@njit(cache=True, nogil=True)
def _enlarge(small: Mask, rows: NDArray[np.int64], columns: NDArray[np.int64], out: Mask) -> None:
    for y in range(rows.shape[0]):
        if y > 0 and rows[y] == rows[y - 1]:
            above, to = out[y - 1], out[y]
            for x in range(to.shape[0]):  # ten times as fast as an assignment of slices, which may overlap
                to[x] = above[x]
            continue
        row, to = small[rows[y]], out[y]
        for x in range(columns.shape[0]):
            for c in range(3):
                to[3 * x + c] = row[3 * columns[x] + c]


def repeat(tile: NDArray[np.generic], shape: tuple[int, int], first: tuple[int, int]) -> NDArray[np.generic]:
    """A tile laid side by side over `shape` (height, width); `first`: which of its pixels (row, column) comes first."""
    out = np.empty((*shape, *tile.shape[2:]), tile.dtype)
    height, width = tile.shape[:2]
    rows = out[:height]
    for top in (-(first[0] % height), -(first[0] % height) + height):
        for left in range(-(first[1] % width), shape[1], width):
            part = rows[max(top, 0) : top + height, max(left, 0) : left + width]
            part[:] = tile[max(-top, 0) :, max(-left, 0) :][: part.shape[0], : part.shape[1]]
    for top in range(height, shape[0], height):  # small tiles are many: 3,900 of half a millimetre
        part = out[top : top + height]
        part[:] = rows[: len(part)]
    return out


def _rows(image: Image) -> Mask:
    """Rows of bytes, `(H, 3 W)`."""
    return np.ascontiguousarray(image).reshape(len(image), -1)
