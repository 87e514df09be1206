"""The one resampling of a page: cubic, with the desk where the sheet ends, compiled with numba.

OpenCV's cubic remap works byte by byte, and so would numba's loops; here the 16 pixels around a point are loaded as
four vectors, which takes half the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # (H, W, 3) RGB

_STEPS = 64  # fractions of a pixel that have weights of their own
_BEFORE, _BEHIND = 2, 3  # pixels of border that the kernel may read
_LANES = 16  # bytes loaded at once: four pixels of three colours, and four that weigh nothing


def _cubic_weights(a: float = -0.75) -> NDArray[np.float32]:
    """Weights of the four pixels around each fraction, `(_STEPS, 4)`; Keys 1981, with OpenCV's `a`."""
    at = np.arange(_STEPS)[:, None] / _STEPS - np.array([-1.0, 0.0, 1.0, 2.0])
    x = np.abs(at)
    near, far = ((a + 2) * x - (a + 3)) * x * x + 1, ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0)).astype(np.float32)


_DOWN = _cubic_weights()
_ACROSS = np.pad(np.repeat(_DOWN, 3, axis=1), ((0, 0), (0, _LANES - 12)))


@dataclass(frozen=True)
class Around:
    """What is seen beside the sheet.

    Attributes:
        picture: RGB, of any size; it is enlarged to the image.
        shadow_mm: where the sheet's shadow lies, against the sheet.
        shade: how dark the shadow is at the sheet's edge, 0 to 1; it fades by a factor of e in 2 mm.
    """

    picture: Image
    shadow_mm: tuple[float, float] = (0.0, 0.0)
    shade: float = 0.0


def resampled(
    source: Image,
    at_px: NDArray[np.float32],
    step: int,
    shape: tuple[int, int],
    sheet_px: tuple[float, float, float, float] | None = None,
    around: Around | None = None,
    px_per_mm: float = 1.0,
) -> Image:
    """`source` as it is seen at other places.

    Args:
        at_px: x, y in `source` of every `step`-th pixel of the result, one or more beyond it: `(h, w, 2)`; bilinear
            between them. Outside `source` its border goes on.
        shape: height and width of the result.
        sheet_px: left, top, right and bottom edge of the sheet in `source`, where `around` begins, within one pixel.
        px_per_mm: scale of `source`, for the sheet's shadow.

    Returns:
        uint8 RGB `(*shape, 3)`.
    """
    padded = cv2.copyMakeBorder(source, _BEFORE, _BEHIND, _BEFORE, _BEHIND, cv2.BORDER_REPLICATE)
    at = np.ascontiguousarray(at_px + np.float32(_BEFORE + 0.5 / _STEPS), np.float32)
    out = np.empty((*shape, 3), np.uint8)
    if around is None or sheet_px is None:
        around, sheet_px = Around(np.zeros((1, 1, 3), np.uint8)), (-np.inf, -np.inf, np.inf, np.inf)
    sheet = np.array(sheet_px, np.float32) + np.float32(_BEFORE + 0.5 / _STEPS)
    shift = np.array(around.shadow_mm, np.float32) * np.float32(px_per_mm)
    shadow = np.array([*shift, around.shade, 0.5 / px_per_mm], np.float32)
    _resample(np.asarray(padded, np.uint8), at, step, _DOWN, _ACROSS, sheet, around.picture, shadow, out)
    return out


@njit(cache=True, nogil=True)
def _resample(
    source: Image,
    at: NDArray[np.float32],
    step: int,
    down: NDArray[np.float32],
    across: NDArray[np.float32],
    sheet: NDArray[np.float32],
    desk: Image,
    shadow: NDArray[np.float32],
    out: Image,
) -> None:
    half, one, zero, steps = np.float32(0.5), np.float32(1), np.float32(0), np.float32(_STEPS)
    last_x, last_y = np.float32(source.shape[1] - 4), np.float32(source.shape[0] - 4)
    pace = one / np.float32(step)
    first, row_bytes, target = source.ctypes.data, source.shape[1] * 3, out.ctypes.data
    down_at, across_at = down.ctypes.data, across.ctypes.data
    for i in range(out.shape[0]):
        v = np.float32(i % step) * pace
        above, below = at[i // step], at[i // step + 1]
        for j in range((out.shape[1] + step - 1) // step):
            x0, y0 = above[j, 0] + v * (below[j, 0] - above[j, 0]), above[j, 1] + v * (below[j, 1] - above[j, 1])
            x1 = above[j + 1, 0] + v * (below[j + 1, 0] - above[j + 1, 0])
            y1 = above[j + 1, 1] + v * (below[j + 1, 1] - above[j + 1, 1])
            dx, dy = (x1 - x0) * pace, (y1 - y0) * pace
            for k in range(min(step, out.shape[1] - j * step)):
                x, y = x0 + np.float32(k) * dx, y0 + np.float32(k) * dy
                share = min(min(x - sheet[0], sheet[2] - x), min(y - sheet[1], sheet[3] - y)) + half
                if share > zero:
                    # written so that what is not a number comes out as the first pixel
                    column = int((min(x, last_x) if x > one else one) * steps)
                    row = int((min(y, last_y) if y > one else one) * steps)
                    place = first + ((row // _STEPS) - 1) * row_bytes + ((column // _STEPS) - 1) * 3
                    _weigh(
                        place,
                        row_bytes,
                        down_at + (row % _STEPS) * 16,
                        across_at + (column % _STEPS) * 64,
                        target + 3 * (i * out.shape[1] + j * step + k),
                    )
                if share < one:
                    _mix_in(desk, x, y, max(share, zero), sheet, shadow, i, j * step + k, out)


@njit(cache=True, nogil=True)
def _mix_in(
    desk: Image,
    x: np.float32,
    y: np.float32,
    share: np.float32,
    sheet: NDArray[np.float32],
    shadow: NDArray[np.float32],
    i: int,
    j: int,
    out: Image,
) -> None:
    """Pixel (i, j) of `out` keeps `share` of its colour; the rest is the desk's, in the sheet's shadow."""
    one, half, zero = np.float32(1), np.float32(0.5), np.float32(0)
    u, v = x - shadow[0], y - shadow[1]
    away_x = max(max(sheet[0] - u, u - sheet[2]), zero) * shadow[3]
    away_y = max(max(sheet[1] - v, v - sheet[3]), zero) * shadow[3]
    squared = away_x * away_x + away_y * away_y
    light = one - shadow[2] * np.exp(-np.sqrt(squared)) if squared < np.float32(64) else one
    height, width = desk.shape[0], desk.shape[1]
    a = min(max((np.float32(j) + half) * np.float32(width) / np.float32(out.shape[1]) - half, zero), width - one)
    b = min(max((np.float32(i) + half) * np.float32(height) / np.float32(out.shape[0]) - half, zero), height - one)
    left, top = int(a), int(b)
    right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
    a, b = a - np.float32(left), b - np.float32(top)
    for c in range(3):
        upper = desk[top, left, c] * (one - a) + desk[top, right, c] * a
        lower = desk[bottom, left, c] * (one - a) + desk[bottom, right, c] * a
        value = (upper * (one - b) + lower * b) * light * (one - share)
        if share > zero:
            value += out[i, j, c] * share
        out[i, j, c] = np.uint8(value + half)


@intrinsic
def _weigh(typing: Any, source: Any, row_bytes: Any, down: Any, across: Any, target: Any) -> Any:
    """Write the weighted mean of 4 x 4 RGB pixels from address `source` on to the three bytes at `target`.

    `down` is the address of 4 float32 weights, `across` of 16 (four times three equal ones, and zeros).
    """
    byte, i32 = ir.IntType(8), ir.IntType(32)
    bytes_, floats, four = (ir.VectorType(byte, _LANES), ir.VectorType(ir.FloatType(), _LANES), 4)
    weights_down, whole = ir.VectorType(ir.FloatType(), four), ir.VectorType(i32, four)

    def generate(context: Any, build: Any, signature: Any, addresses: Sequence[Any]) -> Any:
        source, row_bytes, down, across, target = addresses

        def load(address: Any, kind: Any) -> Any:
            return build.load(build.inttoptr(address, kind.as_pointer()), align=1)

        def lanes(vector: Any, which: list[int]) -> Any:
            nothing = ir.Constant(vector.type, ir.Undefined)
            return build.shuffle_vector(vector, nothing, ir.Constant(ir.VectorType(i32, len(which)), which))

        weight = load(down, weights_down)
        total = None
        for row in range(4):
            pixels = build.uitofp(load(source, bytes_), floats)
            term = build.fmul(pixels, lanes(weight, [row] * _LANES))
            total = term if total is None else build.fadd(total, term)
            source = build.add(source, row_bytes)
        total = build.fmul(total, load(across, floats))
        pairs = build.fadd(lanes(total, [0, 1, 2, 3, 4, 5]), lanes(total, [6, 7, 8, 9, 10, 11]))
        colour = build.fadd(lanes(pairs, [0, 1, 2, 2]), lanes(pairs, [3, 4, 5, 5]))
        for limit, beyond in ((0.0, "<"), (255.0, ">")):
            bound = ir.Constant(colour.type, [limit] * four)
            colour = build.select(build.fcmp_ordered(beyond, colour, bound), bound, colour)
        rounded = build.fptoui(build.fadd(colour, ir.Constant(colour.type, [0.5] * four)), whole)
        for c in range(3):
            value = build.trunc(build.extract_element(rounded, ir.Constant(i32, c)), byte)
            build.store(value, build.inttoptr(build.add(target, ir.Constant(target.type, c)), byte.as_pointer()))
        return context.get_dummy_value()

    return types.void(*[types.intp] * 5), generate
