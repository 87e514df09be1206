"""How far the traces of a layout reach into each other's rows: what makes a stretch hard to read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgdig.page.layout import Layout, Segment
from ecgdig.recording import Recording


def overlaps_mm(recording: Recording, layout: Layout) -> NDArray[np.float64]:
    """For each segment of a layout, how many mm of paper height it shares with the traces above and below, summed.

    Args:
        recording: what is printed, in mV.
        layout: its segments; only those that share a stretch of x are compared.

    Returns:
        `(n_segments,)`; 0 where nothing overlaps, or nothing of the lead is known.
    """
    spans = np.array([_span_mm(recording, s) for s in layout.segments])
    shared = np.minimum(spans[:, None, 1], spans[None, :, 1]) - np.maximum(spans[:, None, 0], spans[None, :, 0])
    rows = np.array([s.row for s in layout.segments])
    left = np.array([s.x_mm for s in layout.segments])
    right = np.array([s.end_mm for s in layout.segments])
    beside = (rows[:, None] != rows) & (left[:, None] < right) & (left < right[:, None])
    total: NDArray[np.float64] = np.where(beside, np.maximum(np.nan_to_num(shared), 0), 0).sum(axis=1)
    return total


def _span_mm(recording: Recording, segment: Segment) -> tuple[float, float]:
    """Top and bottom of a segment's trace in mm of paper; NaN where nothing of it is known."""
    name = segment.lead.lstrip("-") if segment.lead not in recording.leads else segment.lead
    first = round(segment.start_s * recording.fs)
    values = recording.lead(name)[first : first + round(segment.duration_s * recording.fs)]
    known = values[np.isfinite(values)]
    if not known.size:
        return float("nan"), float("nan")
    sign = -1.0 if name != segment.lead else 1.0
    y = segment.y_of(sign * np.array([known.min(), known.max()]))
    return float(y.min()), float(y.max())
