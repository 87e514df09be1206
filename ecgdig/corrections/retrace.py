"""A stretch of a trace drawn again: the curve that is nearest to a few points of a person and keeps to the ink."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.corrections.edits import EditError
from ecgdig.digitizer import RowChances
from ecgdig.locate.ink import InkMap
from ecgdig.vectorize import RowReading, best_path, local_mean, said_error

Array = NDArray[np.float64]

_HAND_MM = 0.7  # standard deviation of a hand-drawn stroke from the ink it means
_FURTHEST_MM = 3.0  # no ink is sought beyond
_INK_SHARE = 0.05  # weight of bare ink beside what the network says: it may have followed another trace
_NOTHING = 1e-6
_JUMP_COST, _JUMP_LIMIT = 0.02, 4.0
_LOOSE_MM = 0.15  # spread of a stroke that is on no ink at all, at least
_MEAN_MM = 1.0  # the mean around the path reaches this far


def snapped(said: RowChances, ink: InkMap, points_mm: Array) -> RowReading:
    """The trace between the first and the last of the points.

    Args:
        said: what the network says of the row.
        ink: the ink of the page, in the same mm.
        points_mm: `(n, 2)`, n at least 2, in any order.

    Raises:
        EditError: the points stand above one another, or outside the row's strip.
    """
    points = points_mm[np.argsort(points_mm[:, 0], kind="stable")]
    inside = (said.x_mm >= points[0, 0]) & (said.x_mm <= points[-1, 0])
    if inside.sum() < 4:
        raise EditError("a stroke of no width; draw it along the trace, from left to right")
    spec = said.strip.spec
    x = said.x_mm[inside]
    heights = np.arange(said.chance.shape[0], dtype=np.float64)
    y_mm = said.strip.y_mm(x[:1], heights)  # rows of the strip are level
    if points[:, 1].min() < y_mm[0] or points[:, 1].max() > y_mm[-1]:
        raise EditError("a stroke far from its row; draw nearer to the row's baseline, or choose the other row")
    away = _distance_mm(x, y_mm, points)
    where = np.asarray(
        cv2.remap(
            ink.ink,
            np.broadcast_to(ink.column(x), away.shape).astype(np.float32),
            np.broadcast_to(ink.row(y_mm)[:, None], away.shape).astype(np.float32),
            cv2.INTER_LINEAR,
        ),
        np.float32,
    )
    near = np.exp(-0.5 * (away / _HAND_MM) ** 2)
    p = (said.chance[:, inside] + _INK_SHARE * where + _NOTHING) * near
    p = np.where(away < _FURTHEST_MM, p, 0.0)
    p = np.maximum(p / np.maximum(p.max(axis=0), 1e-30), 1e-9).astype(np.float32)
    path = best_path(np.asarray(-np.log(p), np.float32), _JUMP_COST, _JUMP_LIMIT)
    mean, spread = local_mean(np.asarray(p, np.float32), path, round(_MEAN_MM * spec.px_per_mm_y))
    on_ink = (said.chance[:, inside] + where)[path, np.arange(len(x))]
    spread_mm = said_error(spread.astype(np.float64) / spec.px_per_mm_y)
    spread_mm = np.where(on_ink > _INK_SHARE, spread_mm, np.maximum(spread_mm, _LOOSE_MM))
    y = said.strip.y_mm(x, mean.astype(np.float64))
    return RowReading(x, y, spread_mm, np.ones(len(x), np.float32))


def replaced(row: RowReading, part: RowReading) -> RowReading:
    """A reading with the stretch that `part` covers taken from it."""
    here = (row.x_mm >= part.x_mm[0]) & (row.x_mm <= part.x_mm[-1])
    x = row.x_mm[here]
    y, spread, present = row.y_mm.copy(), row.spread_mm.copy(), row.present.copy()
    y[here], spread[here] = np.interp(x, part.x_mm, part.y_mm), np.interp(x, part.x_mm, part.spread_mm)
    present[here] = 1.0
    return RowReading(row.x_mm, y, spread, present)


def blanked(row: RowReading, from_mm: float, to_mm: float) -> RowReading:
    """A reading without the stretch between two x."""
    here = (row.x_mm >= from_mm) & (row.x_mm <= to_mm)
    present = np.where(here, 0.0, row.present).astype(np.float32)
    return RowReading(row.x_mm, np.where(here, np.nan, row.y_mm), np.where(here, np.nan, row.spread_mm), present)


def _distance_mm(x: Array, y: Array, points: Array) -> Array:
    """Distance of each place `(len(y), len(x))` from a polyline."""
    out = np.full((len(y), len(x)), np.inf)
    for a, b in pairwise(points):
        along = b - a
        length = max(float(along @ along), 1e-12)
        dx, dy = x[None, :] - a[0], y[:, None] - a[1]
        t = np.clip((dx * along[0] + dy * along[1]) / length, 0, 1)
        out = np.minimum(out, np.hypot(dx - t * along[0], dy - t * along[1]))
    return out
