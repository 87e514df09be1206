"""What may name a person on a page, painted over: all that is neither a trace, nor a lead's name, nor a pulse.

Words beside and between the traces are found by their ink. Beyond the rows, where headers and footers are, everything
is painted over, found or not: a faint name must not stay. Speed and gain, printed there too, are in the reading.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.locate.ink import INK_PX_PER_MM, InkMap, ink_map
from ecgdig.page.layout import Layout
from ecgdig.page.warp import Warp, coarse_to_fine
from ecgdig.vectorize import RowReading

Image = NDArray[np.uint8]
Mask = NDArray[np.uint8]

_COARSE = 8  # px between places of the warp that are computed exactly
_INK = 0.3
_TRACE_MM = 1.6  # around a trace nothing is painted over
_BEYOND_MM = 3.0  # what is further from all rows and their traces is beyond them
_PULSE_MM, _PULSE_HIGH_MM = 14.0, 12.0  # a calibration pulse stands so far before a row, and so high
_NAME_MM = (-3.0, -14.0, 13.0, 11.0)  # a lead's name: left, top, right, bottom from the start of its segment
_GAP_MM = (3.0, 1.0)  # letters nearer than this belong together
_LEAST_MM2 = 0.4  # of ink; less is a speck
_AROUND_MM = 0.7
_PAPER_MM = 12.0  # the colour of the paper is taken from so far around


def redacted(image: Image, warp: Warp, layout: Layout, rows: Sequence[RowReading]) -> Image:
    """The image with everything that may name a person in the colour of the paper, uint8 RGB `(H, W, 3)`.

    Args:
        image: uint8 RGB `(H, W, 3)`.
        warp: paper mm -> px.
        layout, rows: where the leads are, and their traces as read.
    """
    ink = ink_map(image, warp)
    hidden = words_mask(ink, layout, rows)
    h, w = image.shape[:2]
    at = coarse_to_fine(warp.mm_field((h, w), _COARSE), _COARSE, (h, w))
    column, row = ink.column(at[..., 0]), ink.row(at[..., 1])
    covered = cv2.remap(
        hidden, column.astype(np.float32), row.astype(np.float32), cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT, borderValue=1,
    )  # fmt: skip
    scale = warp.px_per_mm([[s.x_mm, s.baseline_mm] for s in layout.segments])
    return _painted(image, np.asarray(covered > 0), float(scale.mean()))


def words_mask(ink: InkMap, layout: Layout, rows: Sequence[RowReading]) -> Mask:
    """1 where something is to be painted over, on the raster of the ink, uint8 `(h, w)`."""
    kept, traces = _kept(ink, layout, rows)
    loose = ((ink.ink > _INK) & (kept == 0)).astype(np.uint8)
    size = tuple(2 * round(gap * INK_PX_PER_MM / 2) + 1 for gap in _GAP_MM)
    words = cv2.morphologyEx(loose, cv2.MORPH_CLOSE, np.ones(size[::-1], np.uint8))
    n, labels, stats, _ = cv2.connectedComponentsWithStats(words, connectivity=8)
    mass = np.bincount(labels.ravel(), weights=loose.ravel(), minlength=n)
    out: Mask = np.zeros_like(loose)
    pad = round(_AROUND_MM * INK_PX_PER_MM)
    for i in np.flatnonzero(mass >= _LEAST_MM2 * INK_PX_PER_MM**2):
        if i == 0:
            continue
        x, y, w, h, _ = (int(v) for v in stats[i])
        # the box of a long curve would cover much else
        part = (labels[y : y + h, x : x + w] == i).astype(np.uint8)
        full = part if w * h > 4 * part.sum() else np.ones_like(part)
        framed = cv2.copyMakeBorder(full, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
        grown = np.asarray(cv2.dilate(framed, np.ones((2 * pad + 1, 2 * pad + 1), np.uint8)), np.uint8)
        y0, x0 = max(y - pad, 0), max(x - pad, 0)
        view = out[y0 : y + h + pad, x0 : x + w + pad]
        view |= grown[y0 - y + pad :, x0 - x + pad :][: view.shape[0], : view.shape[1]]
    out |= _beyond(ink, layout, traces)
    out[kept > 0] = 0
    return out


def _kept(ink: InkMap, layout: Layout, rows: Sequence[RowReading]) -> tuple[Mask, Mask]:
    """What is never painted over, and the traces alone, `(h, w)` each."""
    traces = np.zeros(ink.ink.shape, np.uint8)
    for r in range(layout.n_rows):
        row, segments = rows[r], layout.row(r)
        known = np.isfinite(row.y_mm) & (row.x_mm >= segments[0].x_mm - 2) & (row.x_mm <= segments[-1].end_mm + 2)
        for run in _runs(known):
            at = np.stack([ink.column(row.x_mm[run]), ink.row(row.y_mm[run])], 1)
            line = np.round(at * 8).astype(np.int32).reshape(-1, 1, 2)
            cv2.polylines(traces, [line], False, 1, round(2 * _TRACE_MM * INK_PX_PER_MM), cv2.LINE_8, 3)
    kept = traces.copy()
    for s in layout.segments:
        left, top, right, bottom = _NAME_MM
        _fill(kept, ink, s.x_mm + left, s.baseline_mm + top, s.x_mm + right, s.baseline_mm + bottom)
        if s.column == 0:
            _fill(kept, ink, s.x_mm - _PULSE_MM, s.baseline_mm - _PULSE_HIGH_MM, s.x_mm, s.baseline_mm + 2.0)
    return kept, traces


def _beyond(ink: InkMap, layout: Layout, traces: Mask) -> Mask:
    """Everything above the highest and below the lowest of what was read, and beside it."""
    out = np.ones(ink.ink.shape, np.uint8)
    ys, xs = np.nonzero(traces)
    pad = _BEYOND_MM
    top = min([s.baseline_mm + _NAME_MM[1] for s in layout.segments] + ([ink.y_mm(int(ys.min()))] if len(ys) else []))
    bottom = max([s.baseline_mm for s in layout.segments] + ([ink.y_mm(int(ys.max()))] if len(ys) else []))
    left = min(s.x_mm for s in layout.segments) - _PULSE_MM
    right = max([s.end_mm for s in layout.segments] + ([ink.x_mm(int(xs.max()))] if len(xs) else []))
    _fill(out, ink, left - pad, float(top) - pad, float(right) + pad, float(bottom) + pad, 0)
    return out


def _fill(mask: Mask, ink: InkMap, left: float, top: float, right: float, bottom: float, value: int = 1) -> None:
    x0, x1 = (int(np.clip(np.round(ink.column(x)), 0, mask.shape[1])) for x in (left, right))
    y0, y1 = (int(np.clip(np.round(ink.row(y)), 0, mask.shape[0])) for y in (top, bottom))
    mask[y0:y1, x0:x1] = value


def _painted(image: Image, covered: NDArray[np.bool_], px_per_mm: float) -> Image:
    """The covered pixels in the mean colour of what is not covered around them."""
    shrink = max(1, round(px_per_mm / 2))
    size = (-(-image.shape[1] // shrink), -(-image.shape[0] // shrink))
    seen = cv2.resize((~covered).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    light = cv2.resize(image * (~covered)[..., None].astype(np.float32), size, interpolation=cv2.INTER_AREA)
    sigma = _PAPER_MM * px_per_mm / shrink
    mass = cv2.GaussianBlur(seen, (0, 0), sigma)
    mean = cv2.GaussianBlur(light, (0, 0), sigma) / np.maximum(mass, 1e-6)[..., None]
    overall = image[~covered].mean(axis=0) if (~covered).any() else np.full(3, 255.0)
    mean = np.where(mass[..., None] > 1e-4, mean, overall)
    colour = cv2.resize(mean.astype(np.float32), (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
    out = image.copy()
    out[covered] = np.clip(colour[covered], 0, 255).astype(np.uint8)
    return out


def _runs(known: NDArray[np.bool_]) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(np.int8), [0]]))).reshape(-1, 2)
    return [slice(a, b) for a, b in edges.tolist()]
