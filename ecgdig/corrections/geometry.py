"""Corners and grid points dragged to other places of the image: the warp changes smoothly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ecgdig.corrections.edits import Corners, EditError, MovePoint
from ecgdig.digitizer import Digitization
from ecgdig.grid.lines import NODE_MM, with_field
from ecgdig.page.layout import Layout
from ecgdig.page.warp import Displacement, Homography, Warp
from ecgdig.units import LARGE_SQUARE_MM

REACH_MM = 50.0  # a dragged point moves what is nearer than this ...
_REACH_PER_SHIFT = 4.0  # ... or than this many times its own way, so that the map stays one to one
_MOST_SHIFT_MM = 40.0
_MOST_STRETCH = 3.0  # of areas, by corners
_MARGIN_MM = 30.0  # of the field around what is printed, where a warp has none


def corner_places_mm(layout: Layout) -> NDArray[np.float64]:
    """Crossings of 5 mm lines around what is printed: top left, top right, bottom right, bottom left, `(4, 2)`."""
    baselines = [s.baseline_mm for s in layout.segments]
    x = _to_lines(min(s.x_mm for s in layout.segments), max(s.end_mm for s in layout.segments))
    y = _to_lines(min(baselines) - 2 * LARGE_SQUARE_MM, max(baselines) + 2 * LARGE_SQUARE_MM)
    return np.array([(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])])


def by_corners(warp: Warp, edit: Corners) -> Warp:
    """The warp that brings the four places of the paper where the edit says.

    Raises:
        EditError: the corners do not make a quadrangle that a page can be.
    """
    old = warp.to_px(np.array(edit.at_mm, np.float64))
    new = np.array(edit.to_px, np.float64)
    before, after = _area(old), _area(new)
    if not _is_convex(old) or not _is_convex(new) or not 1 / _MOST_STRETCH < after / before < _MOST_STRETCH:
        raise EditError("these corners make no page: they must stay in their order, and none within the other three")
    return warp.then(Homography.of(_through(old, new)))


def by_point(warp: Warp, layout: Layout, edit: MovePoint) -> Warp:
    """The warp that brings a place of the paper where the edit says, and leaves what is far from it.

    Raises:
        EditError: it is dragged too far.
    """
    at = np.array(edit.at_mm, np.float64)
    shift = warp.to_mm([edit.to_px])[0] - at
    way = float(np.hypot(*shift))
    if not way < _MOST_SHIFT_MM:
        raise EditError(f"a point dragged by {way:.0f} mm of the paper; want less than {_MOST_SHIFT_MM:g}, or corners")
    reach = max(REACH_MM, _REACH_PER_SHIFT * way)
    warp = with_field(warp, _size_mm(layout, edit))
    field = warp.stages[0]
    assert isinstance(field, Displacement)
    rows, columns = field.shift_mm.shape[:2]
    nodes = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1) * field.step_mm
    r = np.minimum(np.linalg.norm(nodes - at, axis=-1) / reach, 1.0)
    weight = (1 - r) ** 4 * (4 * r + 1)  # Wendland 1995, twice differentiable, zero beyond the reach
    return Warp((field.plus(weight[..., None] * shift), *warp.stages[1:]))


def carried(layout: Layout, old: Warp, new: Warp) -> Layout:
    """The layout in the mm of another warp, where it is at the same places of the image."""
    starts = np.array([(s.x_mm, s.baseline_mm) for s in layout.segments])
    there = new.to_mm(old.to_px(starts))
    by_mm = float(np.median(there[:, 0] - starts[:, 0]))
    level = {r: float(np.median([p[1] for p, s in zip(there, layout.segments, strict=True) if s.row == r]))
             for r in range(layout.n_rows)}  # fmt: skip
    moved = (replace(s, x_mm=s.x_mm + by_mm, baseline_mm=level[s.row]) for s in layout.segments)
    return replace(layout, segments=tuple(moved))


def moved_by_mm(read: Digitization, new: Warp) -> list[float]:
    """How far a new warp moves each row of a reading at most."""
    out = []
    for r in range(read.layout.n_rows):
        row = read.layout.row(r)
        x = np.linspace(row[0].x_mm, row[-1].end_mm, 20)
        at = np.concatenate([np.stack([x, np.full(20, row[0].baseline_mm + d)], 1) for d in (-10.0, 0.0, 10.0)])
        out.append(float(np.linalg.norm(new.to_mm(read.warp.to_px(at)) - at, axis=1).max()))
    return out


def _to_lines(low: float, high: float) -> tuple[float, float]:
    return float(np.floor(low / LARGE_SQUARE_MM)) * LARGE_SQUARE_MM, float(np.ceil(high / LARGE_SQUARE_MM)) * (
        LARGE_SQUARE_MM
    )


def _size_mm(layout: Layout, edit: MovePoint) -> tuple[float, float]:
    width = max(max(s.end_mm for s in layout.segments), edit.at_mm[0]) + _MARGIN_MM
    height = max(max(s.baseline_mm for s in layout.segments), edit.at_mm[1]) + _MARGIN_MM
    return float(np.ceil(width / NODE_MM) * NODE_MM), float(np.ceil(height / NODE_MM) * NODE_MM)


def _area(quad: NDArray[np.float64]) -> float:
    x, y = quad.T
    return 0.5 * float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))


def _is_convex(quad: NDArray[np.float64]) -> bool:
    side = np.roll(quad, -1, axis=0) - quad
    after = np.roll(side, -1, axis=0)
    turn = side[:, 0] * after[:, 1] - side[:, 1] * after[:, 0]
    return bool(np.isfinite(turn).all() and (turn > 1.0).all())


def _through(old: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.float64]:
    """The homography of four pairs of points."""
    rows, values = [], []
    for (x, y), (u, v) in zip(old, new, strict=True):
        rows += [(x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y)]
        values += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(values)), 1.0).reshape(3, 3)
