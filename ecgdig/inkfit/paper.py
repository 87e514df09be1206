"""Paper and grid taken out of a picture: how much of each pixel is covered by the ink of traces."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.units import LARGE_SQUARE_MM

Map = NDArray[np.float32]  # (H, W)

_PAPER_MM = 8.0  # the paper's own tone is a mean over so much
_ALONG_MM = 12.0  # a grid line looks as it does along so much of it ...
_USUAL_MM = 2.0  # ... and as the others of its kind, which count as much as this length
_COARSE = 4  # px that are looked at together for that
_LEAST_FREE = 0.05  # of the paper around a pixel, to tell its tone
_BRIGHTEST, _DARKEST = -0.6, 0.9  # ink shares of paper and grid are cut off here: text and marks are not grid
_NOISE = 0.03  # of each channel; keeps the colour that tells ink from grid from being a difference of channels
_LOOKED_AT = 400_000  # pixels that say how paper and grid look
_LEAST_CORE = 50  # pixels that show the colour of ink


@dataclass(frozen=True, eq=False)
class InkShares:
    """How much of each pixel the ink covers, about 0 to 1, and how much that may be trusted (0 on lines as dark)."""

    share: Map
    weight: Map


def ink_shares(
    picture: NDArray[np.uint8],
    free: NDArray[np.bool_],
    core: NDArray[np.bool_],
    x_mm: NDArray[np.float64],
    y_mm: NDArray[np.float64],
) -> InkShares | None:
    """The ink of traces in an upright picture of paper with a grid.

    Args:
        picture: uint8 RGB `(H, W, 3)`.
        free: `(H, W)`, where there is no ink of traces.
        core: `(H, W)`, where there is nothing but ink.
        x_mm, y_mm: `(W,)`, `(H,)` of the columns and rows; zero is on a 5 mm line where there is a grid.

    Returns:
        None where too little of the paper, or of the ink, is seen.
    """
    if core.sum() < _LEAST_CORE or free.sum() < _LEAST_CORE:
        return None
    px_per_mm = 1.0 / float(x_mm[1] - x_mm[0])
    clear = free.astype(np.float32)
    paper = np.maximum(_paper(picture, clear, _PAPER_MM * px_per_mm), np.float32(8))
    relative = np.asarray(picture / paper, np.float32)
    dark = 1.0 - relative @ _telling(relative, free, core).astype(np.float32)
    ink = float(np.median(dark[core]))
    if ink < 0.05:
        return None
    dark /= np.float32(ink)
    lines = _grid(dark, clear, _phase(x_mm, px_per_mm), _phase(y_mm, px_per_mm), px_per_mm)
    open_ = np.maximum(1.0 - lines, 0.05)
    return InkShares((dark - lines) / open_, np.clip(open_, 0.0, 1.0) ** 2)


def odd(n: float) -> int:
    """The nearest odd whole number."""
    return 2 * int(n // 2) + 1


def _paper(picture: NDArray[np.uint8], clear: Map, box_px: float) -> NDArray[np.float32]:
    """The local mean of the paper `(H, W, 3)`; where too little of it is free, of all there is."""
    height, width = clear.shape
    size = (max(1, width // _COARSE), max(1, height // _COARSE))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
    # blocks that are free altogether
    free = (cv2.resize(clear, size, interpolation=cv2.INTER_AREA) > 0.99).astype(np.float32)
    box = odd(box_px / _COARSE)
    there = _box(free, (box, box))
    everywhere = _box(small, (box, box)) / np.float32(box * box)
    seen = _box(small * free[..., None], (box, box)) / np.maximum(there, 1)[..., None]
    paper = np.where((there > _LEAST_FREE * box * box)[..., None], seen, everywhere)
    return np.asarray(cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _telling(relative: NDArray[np.float32], free: NDArray[np.bool_], core: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The weights of the channels `(3,)`, sum 1, none negative, that tell ink from paper and grid best (Fisher)."""
    step = 1 + int(np.sqrt(free.size / _LOOKED_AT))
    paper = relative[::step, ::step][free[::step, ::step]].astype(np.float64)
    ink = np.median(relative[core], axis=0)
    if len(paper) < _LEAST_CORE:
        return np.full(3, 1 / 3)
    spread = np.cov(paper.T) + _NOISE**2 * np.eye(3)
    weights = np.clip(np.linalg.solve(spread, np.median(paper, axis=0) - ink), 0.0, None)
    total = float(weights.sum())
    return weights / total if total > 0 else np.full(3, 1 / 3)


def _grid(
    dark: Map, clear: Map, across: NDArray[np.int64], down: NDArray[np.int64], px_per_mm: float
) -> NDArray[np.float32]:
    """The darkness of the printed lines, each as it looks along its own length, in ink shares."""
    cut = np.clip(dark, _BRIGHTEST, _DARKEST)
    n = int(max(across.max(), down.max())) + 1
    usual_x, usual_y = np.zeros(n, np.float32), np.zeros(n, np.float32)
    for _ in range(2):
        usual_x = _folded(((cut - usual_y[down][:, None]) * clear).sum(0), clear.sum(0), across, n)
        usual_y = _folded(((cut - usual_x[across]) * clear).sum(1), clear.sum(1), down, n)
    # lines of one family are looked at between those of the other; where two cross, the darker one is seen
    between_x = clear * (usual_y <= np.median(usual_y[down])).astype(np.float32)[down][:, None]
    between_y = clear * (usual_x <= np.median(usual_x[across])).astype(np.float32)[across]
    usual_x = _folded((cut * between_x).sum(0), between_x.sum(0), across, n)
    usual_y = _folded((cut * between_y).sum(1), between_y.sum(1), down, n)
    long, much = odd(_ALONG_MM * px_per_mm), np.float32(_USUAL_MM * px_per_mm)
    upright = (_box(cut * between_x, (1, long)) + much * usual_x[across]) / (_box(between_x, (1, long)) + much)
    level = (_box(cut * between_y, (long, 1)) + much * usual_y[down][:, None]) / (_box(between_y, (long, 1)) + much)
    return np.asarray(np.maximum(upright, level), np.float32)


def _folded(total: NDArray[np.float32], free: NDArray[np.float32], phase: NDArray[np.int64], n: int) -> Map:
    return np.asarray(np.bincount(phase, total, n) / np.maximum(np.bincount(phase, free, n), 1), np.float32)


def _phase(mm: NDArray[np.float64], px_per_mm: float) -> NDArray[np.int64]:
    """Which part of a 5 mm square each pixel lies in; parts are half a pixel wide."""
    n = 2 * round(LARGE_SQUARE_MM * px_per_mm)
    return np.floor((mm % LARGE_SQUARE_MM) / LARGE_SQUARE_MM * n).astype(np.int64).clip(0, n - 1)


def _box(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Sums over `size` (width, height)."""
    return np.asarray(cv2.boxFilter(values, -1, size, normalize=False), np.float32)
