"""What stands where on a page that was brought upright: maps made by a small convolutional network.

The network is run by `small_net`, which needs no torch; `configs/sheet_cpu.yaml` trains it. It sees the page at
`INK_PX_PER_MM` and answers at half of that. It tells traces from words, grid, folds and the edges of the paper, which
no rule on darkness does; where exactly a stroke runs is then read from the ink map.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import expit

from ecgdig.convolve import Array
from ecgdig.locate.ink import INK_PX_PER_MM, InkMap
from ecgdig.small_net import Layers, T, run

Image = NDArray[np.uint8]  # (H, W, 3) RGB

MAPS = ("trace", "pulse", "name", "row", "seam", "end")
_LIGHT_MM, _STROKE_MM = 12.0, 3.0
_FAINTEST = 2.0  # grey levels of contrast; what is fainter is noise, and stays faint
_STEPS = 24.0  # steps of the levelled picture in one mean contrast
STRIDE = 2  # px of the page a cell of the maps
DEEP_STRIDE = 16  # px a cell of the coarsest level, which is the one that tells the orientation
QUARTERS = 4
STEM = 16  # channels at `STRIDE`
# channels of each coarser level, and the dilations of the layers that add to it
LEVELS: tuple[tuple[int, tuple[int, ...]], ...] = ((32, (1,)), (64, (1, 1)), (96, (1, 2, 4, 8)))
WEIGHTS = Path(__file__).parent / "sheet.safetensors"


@dataclass(frozen=True, eq=False)
class SheetMaps:
    """How likely it is what each cell of `STRIDE` px shows.

    Attributes:
        trace: ink of an ECG trace; pulse: within a calibration pulse; name: within the name of a lead.
        row: within 1 mm of the baseline of a lead, where that is printed.
        seam: the start of a lead; end: the end of a row; both upright bars about the baseline.
        quarters: `(4,)`, how likely so many quarter turns anticlockwise have been made of an upright page.
    """

    trace: Array
    pulse: Array
    name: Array
    row: Array
    seam: Array
    end: Array
    quarters: Array

    @property
    def sideways(self) -> float:
        """How likely the page lies on its side, 0 to 1."""
        return float(self.quarters[1] + self.quarters[3])


def layers(page: T, layer: Callable[[str, T, int, int], T], grown: Callable[[T, T], T]) -> tuple[T, T]:
    """The network without its heads: features at `STRIDE`, and at `DEEP_STRIDE`.

    Args:
        page: the picture, 2 by 2 px a cell.
        layer: (name, value, stride, dilation) -> value; a convolution, its norm, and what is negative made 0.
        grown: (value, like) -> the value at twice the resolution, which is that of the other.
    """
    levels = [layer("stem", page, 1, 1)]
    for i, (_, dilations) in enumerate(LEVELS):
        value = layer(f"down{i}", levels[-1], 2, 1)
        for k, dilation in enumerate(dilations):
            value = value + layer(f"down{i}_{k}", value, 1, dilation)
        levels.append(value)
    deep = value = levels.pop()
    for i in reversed(range(len(LEVELS))):
        value = grown(layer(f"narrow{i}", value, 1, 1), levels[i]) + levels[i]
        value = value + layer(f"up{i}", value, 1, 1)
    return value, deep


def shapes() -> dict[str, tuple[int, int, int]]:
    """Channels in, channels out and kernel of each layer by name."""
    before = [STEM, *(channels for channels, _ in LEVELS)]
    out = {"stem": (3 * STRIDE**2, STEM, 3)}
    for i, (channels, dilations) in enumerate(LEVELS):
        out[f"down{i}"] = before[i], channels, 3
        out |= {f"down{i}_{k}": (channels, channels, 3) for k in range(len(dilations))}
        out[f"narrow{i}"] = channels, before[i], 1
        out[f"up{i}"] = before[i], before[i], 3
    return out


def page_maps(page: InkMap) -> SheetMaps:
    """What the network sees of a page, and of its ink alone, which dark grids do not hide.

    The two count by the fourth power of how much of rows is seen in each, so that only what is alike is averaged.
    """
    ink = np.asarray(np.rint(255 * (1 - page.ink)), np.uint8)
    both = sheet_maps(page.picture), sheet_maps(ink[..., None])
    seen = np.array([float(maps.row.sum()) + 1e-6 for maps in both])
    share = np.asarray((seen / seen.max()) ** 4 / ((seen / seen.max()) ** 4).sum(), np.float32)
    names = (*MAPS, "quarters")
    return SheetMaps(**{n: share[0] * getattr(both[0], n) + share[1] * getattr(both[1], n) for n in names})


def sheet_maps(page: Image) -> SheetMaps:
    """Run the network over a page.

    Args:
        page: uint8 RGB `(H, W, 3)`, or grey `(H, W, 1)`, at `INK_PX_PER_MM`.

    Returns:
        maps `(ceil(H / 2), ceil(W / 2))`.
    """
    h, w = page.shape[:2]
    level = levelled(page)
    level = level if level.shape[2] == 3 else np.repeat(level, 3, axis=2)
    padded = np.pad(level, ((0, -h % DEEP_STRIDE), (0, -w % DEEP_STRIDE), (0, 0)), "edge")
    logits, turned = run(_answers, WEIGHTS, cells(padded))
    chances = np.asarray(expit(logits), np.float32)
    vote = _vote(turned, chances[..., MAPS.index("row")])
    seen = chances[: -(-h // STRIDE), : -(-w // STRIDE)]
    return SheetMaps(**{name: np.ascontiguousarray(seen[..., k]) for k, name in enumerate(MAPS)}, quarters=vote)


def _answers(of: Layers[T], page: T) -> tuple[T, T]:
    """The logits of the maps at `STRIDE`, and of the quarter turns at `DEEP_STRIDE`."""
    fine, deep = layers(page, of.layer, of.grown)
    return of.head("maps", fine), of.head("quarters", deep)


def levelled(page: Image) -> Image:
    """The page without its light: 128 where it is as within `_LIGHT_MM`, in units of the contrast of strokes there.

    Args:
        page: uint8 RGB `(H, W, 3)`, or grey `(H, W, 1)`, at `INK_PX_PER_MM`.

    Returns:
        uint8 of the same shape: pale and dark pages look alike, and colours keep their ratios.
    """
    wide, narrow = (round(mm * INK_PX_PER_MM) // 2 * 2 + 1 for mm in (_LIGHT_MM, _STROKE_MM))

    def mean(of: NDArray[Any], side: int) -> Array:
        out = cv2.boxFilter(of, cv2.CV_32F, (side, side), borderType=cv2.BORDER_REFLECT)
        return np.asarray(out, np.float32).reshape(of.shape)

    contrast = mean(_departure(page, mean(page, narrow)), wide)
    return _in_steps(page, mean(page, wide), contrast)


@njit(cache=True, nogil=True)
def _departure(page: Image, mean: Array) -> Array:
    """How far each pixel is from `mean`, `(H, W)`: the mean over its channels."""
    h, w, n = page.shape
    out = np.empty((h, w), np.float32)
    for y in range(h):
        for x in range(w):
            total = np.float32(0)
            for c in range(n):
                total += abs(np.float32(page[y, x, c]) - mean[y, x, c])
            out[y, x] = total / np.float32(n)
    return out


@njit(cache=True, nogil=True)
def _in_steps(page: Image, mean: Array, contrast: Array) -> Image:
    """128 where a page is as `mean`, `_STEPS` a contrast, which is that of noise at least."""
    h, w, n = page.shape
    out = np.empty((h, w, n), np.uint8)
    for y in range(h):
        for x in range(w):
            factor = np.float32(_STEPS) / max(contrast[y, x], np.float32(_FAINTEST))
            for c in range(n):
                value = (np.float32(page[y, x, c]) - mean[y, x, c]) * factor + np.float32(128)
                out[y, x, c] = np.uint8(np.rint(min(max(value, np.float32(0)), np.float32(255))))
    return out


def cells(page: Image) -> Array:
    """A page `(H, W, 3)` as the network is given it: 2 by 2 px a cell, `(H / 2, W / 2, 12)`, -0.5 to 0.5."""
    h, w = (side // STRIDE for side in page.shape[:2])
    parts = page[: h * STRIDE, : w * STRIDE].reshape(h, STRIDE, w, STRIDE, 3).transpose(0, 2, 1, 3, 4)
    return np.asarray(parts.reshape(h, w, -1), np.float32) / np.float32(255) - np.float32(0.5)


def _vote(logits: Array, row: Array) -> Array:
    """Chance of each number of quarter turns: what the cells with rows say, taken together as if 1 in 30 were news."""
    ratio = DEEP_STRIDE // STRIDE
    weight = row.reshape(logits.shape[0], ratio, logits.shape[1], ratio).max(axis=(1, 3))
    each = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
    total = (each * weight[..., None]).sum(axis=(0, 1)) / 30
    chance = np.exp(total - total.max())
    return np.asarray(chance / chance.sum(), np.float32)
