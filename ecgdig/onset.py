"""Where a trace begins, to a few hundredths of a millimetre: the zero of a page's time axis.

A shift of 0.02 mm (0.8 ms at 25 mm/s) alone limits the plain SNR of real recordings to 24 dB, so the first ink is
measured by area, which neither blur nor antialiasing moves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgdig.page.warp import Warp
from ecgdig.strip import Strip, StripSpec, cut

_PATCH = StripSpec(half_height_mm=3.0, px_per_mm_x=16.0, px_per_mm_y=16.0, sub_columns=1)
_BEFORE_MM, _AFTER_MM = 3.0, 5.0  # of the expected start
_CAP = 0.36  # a round pen's end holds as much ink as this share of its width; pi / 8 for an ideal disc, less if blurred


def trace_onset(
    image: NDArray[np.uint8], warp: Warp, x_mm: NDArray[np.float64], y_mm: NDArray[np.float64], near_mm: float
) -> float:
    """The paper x of the first sample of a trace.

    Args:
        image: uint8 RGB `(H, W, 3)`; warp: paper mm <-> px.
        x_mm, y_mm: the trace as read, `(n,)`, NaN where nothing was seen.
        near_mm: about where it begins (to 1 mm).

    Returns:
        x in mm, or NaN where it cannot be told: the trace is steep there, or other ink touches its start.
    """
    first = (x_mm > near_mm + 0.3) & (x_mm < near_mm + 3.5) & np.isfinite(y_mm)
    if first.sum() < 20:
        return float("nan")
    beginning = (x_mm > near_mm + 0.1) & (x_mm < near_mm + 1.0) & np.isfinite(y_mm)
    if beginning.sum() < 5 or np.ptp(y_mm[beginning]) > 0.5:
        return float("nan")
    level = float(np.median(y_mm[beginning]))
    width_px = round((_BEFORE_MM + _AFTER_MM) * _PATCH.px_per_mm_x)
    strip = Strip(_PATCH, near_mm - _BEFORE_MM, level, width_px)
    patch = cut(image, warp, strip).astype(np.float64)
    x = strip.columns_mm()
    path = np.interp(x, x_mm[first], y_mm[first], left=level)
    rows = np.arange(patch.shape[0], dtype=np.float64)
    offset = strip.y_mm(x[None, :], rows[:, None]) - path[None, :]  # mm below the trace, (rows, columns)
    sure = (x > near_mm + 0.5) & (x < near_mm + 3.0)
    paper = np.median(patch[(np.abs(offset) > 1.0) & (np.abs(offset) < 2.5)], axis=0)
    core = patch[:, sure][np.abs(offset[:, sure]) < 0.06]
    ink = np.percentile(core, 20, axis=0)
    direction = paper - ink
    if np.linalg.norm(direction) < 20:
        return float("nan")
    dark = ((paper - patch) @ direction) / float(direction @ direction)  # 0 paper, 1 ink
    # the pen's width: its ink in mm across, over the sure part
    beside = (np.abs(offset) > 0.9) & (np.abs(offset) < 1.8)
    background = np.where(beside, dark, 0).sum(0) / np.maximum(beside.sum(0), 1)
    band = np.abs(offset) < 0.75
    step = 1 / _PATCH.px_per_mm_y
    across = np.where(band, dark - background[None, :], 0).sum(0) * step  # mm of ink in each column
    pen = float(np.median(across[sure]))
    if not 0.05 < pen < 1.2:
        return float("nan")
    share = across / pen
    begin = np.flatnonzero((x > near_mm - 1.0) & (x < near_mm + 1.0) & (share > 0.5))
    if begin.size == 0:
        return float("nan")
    # the clear paper before the first ink: 0.2 mm of almost nothing, no further than 1 mm away
    n = round(0.2 * _PATCH.px_per_mm_x)
    clear = np.convolve(np.abs(share) < 0.25, np.ones(n), "valid") == n
    before = np.flatnonzero(clear[: begin[0]])
    if before.size == 0 or x[begin[0]] - x[before[-1]] > 1.0:
        return float("nan")
    low, high = int(before[-1]) + n // 2, int(np.searchsorted(x, near_mm + 1.5))
    length = float(np.clip(share[low:high], -0.2, 1.3).sum() / _PATCH.px_per_mm_x)
    return float(x[high] - 0.5 / _PATCH.px_per_mm_x - length + _CAP * pen)
