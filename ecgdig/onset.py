"""Where a trace begins, to a few hundredths of a millimetre: the zero of a page's time axis.

A shift of 0.02 mm (0.8 ms at 25 mm/s) alone limits the plain SNR of real recordings to 24 dB, so the edge of the
first ink is measured in the image itself, below a pixel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgdig.page.warp import Warp
from ecgdig.strip import Strip, StripSpec, cut

_PATCH = StripSpec(half_height_mm=3.0, px_per_mm_x=16.0, px_per_mm_y=16.0, sub_columns=1)
_BEFORE_MM, _AFTER_MM = 3.0, 5.0  # of the expected start
_CAP = 0.56  # from half of the full darkness to the centre of the pen, in pen widths; fitted on rendered pages


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
    beside = (np.abs(offset) > 0.9) & (np.abs(offset) < 1.8)
    background = np.where(beside, dark, 0).sum(0) / np.maximum(beside.sum(0), 1)
    band = np.abs(offset) < 0.75
    dark = dark - background[None, :]
    # the pen's width where the trace is flattest: its ink in mm across
    across = np.where(band, dark, 0).sum(0) / _PATCH.px_per_mm_y
    pen = float(np.percentile(across[sure], 20))
    if not 0.05 < pen < 1.2:
        return float("nan")
    peak = np.where(np.abs(offset) < 0.4, dark, -1).max(0)
    share = peak / np.median(peak[sure])
    above = share >= 0.5
    n = round(0.15 * _PATCH.px_per_mm_x)
    # the last stretch of clear paper before lasting ink
    edges = [
        i
        for i in np.flatnonzero(~above[:-1] & above[1:])
        if abs(x[i] - near_mm) < 1.0 and i >= n and (share[i - n + 1 : i] < 0.4).all() and above[i + 1 : i + 12].all()
    ]
    if not edges:
        return float("nan")
    i = min(edges, key=lambda k: abs(float(x[k]) - near_mm))
    edge = x[i] + (0.5 - share[i]) / (share[i + 1] - share[i]) * (x[i + 1] - x[i])
    return float(edge + _CAP * pen)
