"""The one resampling of a page: cubic, with the desk where the sheet ends, compiled with numba.

OpenCV's cubic remap works byte by byte, and so would numba's loops; here the 16 pixels around a point are loaded as
four vectors and weighed in 16 bits, which takes half the time. Where a page is nearly level two neighbours share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # (H, W, 3) RGB

Edges = tuple[float, float, float, float]  # left, top, right, bottom
NO_EDGES: Edges = (-np.inf, -np.inf, np.inf, np.inf)
_STEP_BITS = 6
_STEPS = 1 << _STEP_BITS  # fractions of a pixel that have weights of their own
_FINE = np.float32(1 << 16)
_LONGEST_SHADOW = 6.0  # exp(-6) is no longer seen
_BEFORE, _BEHIND = 2, 3  # pixels of border that the kernel may read
_OFFSET = np.float32(_BEFORE + 0.5 / _STEPS)  # of places in the picture with its border; cut off, not rounded
_LEVEL = 1 << 11  # 65,536ths of a pixel, 1.8 degrees: so nearly level two neighbours are taken from the same rows
_AHEAD = 8  # rows below the one that is read, fetched from memory already
_LANES = 16  # bytes loaded at once: four pixels of three colours, and four that weigh nothing


def _cubic_weights(a: float = -0.75) -> NDArray[np.float32]:
    """Weights of the four pixels around each fraction, `(_STEPS, 4)`; Keys 1981, with OpenCV's `a`."""
    at = np.arange(_STEPS)[:, None] / _STEPS - np.array([-1.0, 0.0, 1.0, 2.0])
    x = np.abs(at)
    near, far = ((a + 2) * x - (a + 3)) * x * x + 1, ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0)).astype(np.float32)


def _whole(weights: NDArray[np.float32], one: int) -> NDArray[np.int16]:
    """The weights in whole `one`-ths, which add up to `one`."""
    rounded = np.round(weights * one)
    rows = np.arange(len(rounded))
    rounded[rows, rounded.argmax(1)] += one - rounded.sum(1)
    return np.minimum(rounded, 2**15 - 1).astype(np.int16)


_DOWN = np.repeat(_whole(_cubic_weights(), 2**7), _LANES, axis=1)
_FOUR = np.repeat(_whole(_cubic_weights(), 2**15), 3, axis=1)
# from the first of the pixels that are loaded on, and from the second
_ACROSS = np.stack([np.pad(_FOUR, ((0, 0), (3 * k, _LANES - 12 - 3 * k))) for k in range(2)])
_MIDDLE = 2**7 * 255 // 2  # of 128 times the levels: taken off, so that they fit into 16 bits


def resampled(
    source: Image,
    at_px: NDArray[np.float32],
    step: int,
    shape: tuple[int, int],
    edges_px: Edges = NO_EDGES,
    around: Image | None = None,
) -> Image:
    """`source` as it is seen at other places.

    Args:
        at_px: x, y in `source` of every `step`-th pixel of the result, one or more beyond it: `(h, w, 2)`; bilinear
            between them. Outside `source` its border goes on.
        shape: height and width of the result.
        edges_px: left, top, right and bottom edge of the sheet in `source`, each one pixel soft.
        around: RGB of any size, seen beyond them, enlarged to `shape`.

    Returns:
        uint8 RGB `(*shape, 3)`.
    """
    padded = np.asarray(cv2.copyMakeBorder(source, _BEFORE, _BEHIND, _BEFORE, _BEHIND, cv2.BORDER_REPLICATE), np.uint8)
    at = np.ascontiguousarray(at_px + _OFFSET, np.float32)
    n_bytes = 3 * shape[0] * shape[1]
    line = np.empty(n_bytes + 1, np.uint8)  # the kernel writes one byte too many
    out = line[:n_bytes].reshape(*shape, 3)
    if around is not None:  # the sheet is painted over it
        cv2.resize(around, (shape[1], shape[0]), dst=out, interpolation=cv2.INTER_LINEAR)
    edges = np.array(edges_px, np.float32) + _OFFSET
    _resample(padded, at, step, _DOWN, _ACROSS, edges, shape[1], line)
    return out


@njit(cache=True, nogil=True)
def _resample(
    source: Image,
    at: NDArray[np.float32],
    step: int,
    down: NDArray[np.int16],
    across: NDArray[np.int16],
    edges: NDArray[np.float32],
    width: int,
    out: NDArray[np.uint8],
) -> None:
    """`out`: the picture's bytes in one line, and one more; what is beyond the edges is left as it is."""
    one, zero, steps = np.float32(1), np.float32(0), np.float32(_STEPS)
    last_x, last_y = np.float32(source.shape[1] - 4), np.float32(source.shape[0] - 4)
    lowest, highest_u, highest_w = 1 << 16, (source.shape[1] - 4) << 16, (source.shape[0] - 4) << 16
    pace = one / np.float32(step)
    height, row_bytes = out.shape[0] // (3 * width), source.shape[1] * 3
    first, target = source.ctypes.data - row_bytes - 3, out.ctypes.data
    down_at, across_at = down.ctypes.data, across.ctypes.data
    endless = not np.isfinite(edges).any()
    line = np.empty(2 * at.shape[1], np.float32)  # x, y of a row's blocks
    for i in range(height):
        v = np.float32(i % step) * pace
        above, below = at[i // step].ravel(), at[i // step + 1].ravel()
        for j in range(line.shape[0]):
            line[j] = above[j] + v * (below[j] - above[j])
        for j in range((width + step - 1) // step):
            x0, y0, x1, y1 = line[2 * j], line[2 * j + 1], line[2 * j + 2], line[2 * j + 3]
            dx, dy = (x1 - x0) * pace, (y1 - y0) * pace
            # the way between them is straight
            inside = endless or min(_share(x0, y0, edges), _share(x1, y1, edges)) >= one
            n = min(step, width - j * step)
            if inside:
                # the same in whole 65,536ths of a pixel
                u, w, du, dv = int(x0 * _FINE), int(y0 * _FINE), int(dx * _FINE), int(dy * _FINE)
                to = target + 3 * (i * width + j * step)
                behind = 3 * (i * width + j * step + n)
                kept = out[behind]
                # along a slanted line each row begins anew, which the processor does not foresee
                _fetch(first + ((w >> 16) + _AHEAD) * row_bytes + (u >> 16) * 3)  # type: ignore[call-arg]
                if min(x0, x1) > one and min(y0, y1) > one and max(x0, x1) < last_x and max(y0, y1) < last_y:
                    pairs = n >> 1 if abs(dv) <= _LEVEL else 0
                    for _ in range(pairs):
                        next_u = u + du
                        apart = (next_u >> 16) - (u >> 16)
                        if apart >> 1 == 0:
                            place, rows_at, columns_at = _addresses(
                                u, w + (dv >> 1), first, row_bytes, down_at, across_at
                            )
                            next_at = across_at + (apart << 11) + ((next_u >> 5) & 0x7E0)  # the tables have 2^11 bytes
                            _weigh_two(place, row_bytes, rows_at, columns_at, next_at, to)
                        else:
                            place, rows_at, columns_at = _addresses(u, w, first, row_bytes, down_at, across_at)
                            _weigh(place, row_bytes, rows_at, columns_at, to)
                            place, rows_at, columns_at = _addresses(
                                next_u, w + dv, first, row_bytes, down_at, across_at
                            )
                            _weigh(place, row_bytes, rows_at, columns_at, to + 3)
                        u, w, to = next_u + du, w + 2 * dv, to + 6
                    for _ in range(n - 2 * pairs):
                        place, rows_at, columns_at = _addresses(u, w, first, row_bytes, down_at, across_at)
                        _weigh(place, row_bytes, rows_at, columns_at, to)
                        u, w, to = u + du, w + dv, to + 3
                    out[behind] = kept
                    continue
                for _ in range(n):  # the border goes on
                    a, b = min(max(u, lowest), highest_u), min(max(w, lowest), highest_w)
                    place, rows_at, columns_at = _addresses(a, b, first, row_bytes, down_at, across_at)
                    _weigh(place, row_bytes, rows_at, columns_at, to)
                    u, w, to = u + du, w + dv, to + 3
                out[behind] = kept
                continue
            for k in range(n):
                x, y = x0 + np.float32(k) * dx, y0 + np.float32(k) * dy
                share = one if inside else _share(x, y, edges)
                byte = 3 * (i * width + j * step + k)
                if share > zero:
                    # written so that what is not a number comes out as the first pixel
                    column = int((min(x, last_x) if x > one else one) * steps)
                    row = int((min(y, last_y) if y > one else one) * steps)
                    place = first + (row >> _STEP_BITS) * row_bytes + (column >> _STEP_BITS) * 3
                    weights = down_at + (row & (_STEPS - 1)) * 128, across_at + (column & (_STEPS - 1)) * 32
                    red, green, blue, kept = out[byte], out[byte + 1], out[byte + 2], out[byte + 3]
                    _weigh(place, row_bytes, weights[0], weights[1], target + byte)  # type: ignore[call-arg]
                    out[byte + 3] = kept
                    if share < one:
                        for c, beyond in enumerate((red, green, blue)):
                            mixed = out[byte + c] * share + beyond * (one - share)
                            out[byte + c] = np.uint8(mixed + np.float32(0.5))


@njit(cache=True, nogil=True, inline="always")
def _addresses(u: int, w: int, first: int, row_bytes: int, down: int, across: int) -> tuple[int, int, int]:
    """Where the pixels around column `u` and row `w`, in 65,536ths, begin, and their weights down and across."""
    return first + (w >> 16) * row_bytes + (u >> 16) * 3, down + ((w >> 3) & 0x1F80), across + ((u >> 5) & 0x7E0)


@njit(cache=True, nogil=True, inline="always")
def _share(x: np.float32, y: np.float32, edges: NDArray[np.float32]) -> np.float32:
    """How much of a pixel at (x, y) is the sheet's: 0 or less outside, 1 or more inside."""
    return np.float32(min(min(x - edges[0], edges[2] - x), min(y - edges[1], edges[3] - y)) + np.float32(0.5))


def shade(
    picture: Image,
    at_px: NDArray[np.float32],
    step: int,
    edges_px: Edges,
    shift_px: tuple[float, float],
    depth: float,
    fade_px: float,
) -> None:
    """Darken what is beside a sheet, in place, by its shadow: by `depth` at the shadow's edge, e times less every
    `fade_px`.

    Args:
        picture: RGB `(H, W, 3)`.
        at_px, step, edges_px: as for `resampled`.
        shift_px: of the shadow against the sheet.
    """
    far = np.float32(_LONGEST_SHADOW * fade_px)
    shadow = np.array([*shift_px, depth, fade_px, far], np.float32)
    _shade(picture, np.ascontiguousarray(at_px, np.float32), step, np.array(edges_px, np.float32), shadow)


@njit(cache=True, nogil=True)
def _shade(
    picture: Image, at: NDArray[np.float32], step: int, edges: NDArray[np.float32], shadow: NDArray[np.float32]
) -> None:
    covered = np.float32(2)  # this many pixels inside the sheet nothing of the picture is seen
    one, pace = np.float32(1), np.float32(1) / np.float32(step)
    light = np.empty(4, np.float32)
    # how far the corners of blocks of pixels are inside the sheet and away from the shadow, of two rows
    inside, away = np.empty((2, at.shape[1]), np.float32), np.empty((2, at.shape[1]), np.float32)
    _places(at[0], edges, shadow, inside[0], away[0])
    for top in range(0, picture.shape[0], step):
        above = (top // step) % 2
        below = 1 - above
        _places(at[top // step + 1], edges, shadow, inside[below], away[below])
        for left in range(0, picture.shape[1], step):
            j = left // step
            deep = min(min(inside[above, j], inside[above, j + 1]), min(inside[below, j], inside[below, j + 1]))
            light[0], light[1] = away[above, j], away[above, j + 1]
            light[2], light[3] = away[below, j], away[below, j + 1]
            if deep > covered or min(min(light[0], light[1]), min(light[2], light[3])) > shadow[4]:
                continue
            for k in range(4):
                light[k] = one - shadow[2] * np.exp(-light[k] / shadow[3])
            for y in range(top, min(top + step, picture.shape[0])):
                v = np.float32(y - top) * pace
                start, end = light[0] + v * (light[2] - light[0]), light[1] + v * (light[3] - light[1])
                for x in range(left, min(left + step, picture.shape[1])):
                    factor = start + np.float32(x - left) * pace * (end - start)
                    for c in range(3):
                        picture[y, x, c] = np.uint8(picture[y, x, c] * factor)


@njit(cache=True, nogil=True)
def _places(
    at: NDArray[np.float32],
    edges: NDArray[np.float32],
    shadow: NDArray[np.float32],
    inside: NDArray[np.float32],
    away: NDArray[np.float32],
) -> None:
    for j in range(at.shape[0]):
        inside[j] = _share(at[j, 0], at[j, 1], edges)
        away[j] = -min(_share(at[j, 0] - shadow[0], at[j, 1] - shadow[1], edges), np.float32(0))


@intrinsic
def _fetch(typing: Any, address: Any) -> Any:
    """Have what lies at `address` brought into the cache; any address will do."""
    i32 = ir.IntType(32)

    def generate(context: Any, build: Any, signature: Any, addresses: Sequence[Any]) -> Any:
        pointer = build.inttoptr(addresses[0], ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, i32, i32, i32])
        prefetch = build.module.declare_intrinsic("llvm.prefetch", [pointer.type], kind)
        build.call(prefetch, [pointer, *(ir.Constant(i32, value) for value in (0, 3, 1))])  # to read, near, data
        return context.get_dummy_value()

    return types.void(types.intp), generate


@intrinsic
def _weigh(typing: Any, source: Any, row_bytes: Any, down: Any, across: Any, target: Any) -> Any:
    """Write the weighted mean of 4 x 4 RGB pixels from address `source` on to the three bytes at `target`, and one more
    byte behind them, which the next pixel overwrites.

    `down` is the address of 4 x `_LANES` int16 weights (each row's repeated), of which 2^7 is 1; `across` of `_LANES`
    (four times three equal ones, and zeros), of which 2^15 is 1. All is 16-bit; a product across keeps its upper half.
    """

    def generate(context: Any, build: Any, signature: Any, addresses: Sequence[Any]) -> Any:
        source, row_bytes, down, across, target = addresses
        _write_means(build, source, row_bytes, down, [across], target)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 5), generate


@intrinsic
def _weigh_two(typing: Any, source: Any, row_bytes: Any, down: Any, across: Any, next_across: Any, target: Any) -> Any:
    """`_weigh` for two pixels from the same rows; the four that `next_across` weighs may begin with the second."""

    def generate(context: Any, build: Any, signature: Any, addresses: Sequence[Any]) -> Any:
        source, row_bytes, down, across, next_across, target = addresses
        _write_means(build, source, row_bytes, down, [across, next_across], target)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 6), generate


def _write_means(build: Any, source: Any, row_bytes: Any, down: Any, across: Sequence[Any], target: Any) -> None:
    """What `_weigh` does, for as many pixels, one or two, as there are weights `across`."""
    i16, i32, n = ir.IntType(16), ir.IntType(32), len(across)
    bytes_, halves, wide = (ir.VectorType(kind, _LANES) for kind in (ir.IntType(8), i16, i32))

    def load(address: Any, kind: Any) -> Any:
        return build.load(build.inttoptr(address, kind.as_pointer()), align=1)

    def moved(address: Any, by: int) -> Any:
        return build.add(address, ir.Constant(address.type, by))

    def constant(kind: Any, value: int) -> Any:
        return ir.Constant(kind, [value] * kind.count)

    def upper(a: Any, b: Any) -> Any:  # the upper half of the products
        product = build.mul(build.sext(a, wide), build.sext(b, wide))
        return build.trunc(build.ashr(product, constant(wide, 16)), halves)

    def picked(vectors: Sequence[Any], first: int, of: int) -> Any:
        """Eight lanes from `first` on of every `of` lanes of two vectors; what is beyond them does not matter."""
        which = [of * k + min(first + i, of - 1) for k in range(n) for i in range(8)]
        return build.shuffle_vector(*vectors, ir.Constant(ir.VectorType(i32, 8 * n), which))

    total = constant(halves, -_MIDDLE)  # 128 times what the level is above the middle
    for row in range(4):
        pixels = build.zext(load(source, bytes_), halves)
        total = build.add(total, build.mul(pixels, load(moved(down, 2 * _LANES * row), halves)))
        source = build.add(source, row_bytes)
    nothing = ir.Constant(halves, ir.Undefined)
    totals = [*(upper(total, load(address, halves)) for address in across), nothing][:2]  # 64 times
    pairs = build.add(picked(totals, 0, _LANES), picked(totals, 6, _LANES))
    colour = build.add(pairs, picked([pairs, ir.Constant(pairs.type, ir.Undefined)], 3, 8))
    if n > 1:
        colour = build.add(colour, picked(totals, 12, _LANES))
    # 32 is a half; what was cut off is 2 on average
    colour = build.ashr(build.add(colour, constant(colour.type, _MIDDLE // 2 + 34)), constant(colour.type, 6))
    for limit, beyond in ((0, "<"), (255, ">")):
        bound = constant(colour.type, limit)
        colour = build.select(build.icmp_signed(beyond, colour, bound), bound, colour)
    packed = build.bitcast(build.trunc(colour, ir.VectorType(ir.IntType(8), 8 * n)), ir.VectorType(i32, 2 * n))
    for k in range(n):
        pixel = build.extract_element(packed, ir.Constant(i32, 2 * k))
        build.store(pixel, build.inttoptr(moved(target, 3 * k), i32.as_pointer()), align=1)
