"""From the spreads of readings to standard errors that hold what they promise."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ecgdig.digitizer import read_rows
from ecgdig.evaluate import Case
from ecgdig.hub import TraceModel
from ecgdig.inkfit import fit_ink

_Z90 = 1.6449  # half width of a 90 % interval of a normal distribution
_FLOORS_MM = np.geomspace(0.01, 0.3, 24)
_GROUPS = 5


def fit_sigma_rule(spread_mm: NDArray[np.float64], error_mm: NDArray[np.float64]) -> tuple[float, float]:
    """(factor, floor in mm) such that 90 % of the errors lie within 1.645 · hypot(factor · spread, floor).

    Of all such pairs, the one whose fifths by spread come closest to 90 % each.

    Args:
        spread_mm, error_mm: `(n,)`, finite.

    Raises:
        ValueError: fewer than 100 columns.
    """
    if spread_mm.shape != error_mm.shape or spread_mm.size < 100:
        raise ValueError(f"{spread_mm.size} spreads and {error_mm.size} errors; want the same number, 100 or more")
    groups = np.array_split(np.argsort(spread_mm), _GROUPS)
    best, rule = np.inf, (1.0, float(_FLOORS_MM[0]))
    for floor in _FLOORS_MM:
        # the factor that each column would need; the 90th percentile of it serves 90 %
        need = np.sqrt(np.maximum((error_mm / _Z90) ** 2 - floor**2, 0)) / np.maximum(spread_mm, 1e-6)
        factor = float(np.percentile(need, 90))
        inside = np.abs(error_mm) <= _Z90 * np.hypot(factor * spread_mm, floor) + 1e-12
        uneven = sum(abs(float(inside[group].mean()) - 0.9) for group in groups)
        if uneven < best:
            best, rule = uneven, (round(factor, 4), round(float(floor), 4))
    return rule


def spreads_and_errors(cases: Iterable[Case], model: TraceModel) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Spread and error in mm of every column read on rendered pages, with their true geometry."""
    spreads, errors = [], []
    for case in cases:
        if case.page is None:
            continue
        layout = case.page.layout
        rows = fit_ink(case.image, case.page.warp, layout, read_rows(case.image, case.page.warp, layout, model))
        for r in range(layout.n_rows):
            reading = rows[r]
            for trace in (t for t in case.page.traces if t.segment.row == r):
                s = trace.segment
                here = (reading.x_mm > s.x_mm + 0.1) & (reading.x_mm < s.end_mm - 0.1)
                error = reading.y_mm[here] - trace.y_at(reading.x_mm[here])
                known = np.isfinite(error)
                errors.append(error[known])
                spreads.append(reading.spread_mm[here][known])
    return np.concatenate(spreads), np.concatenate(errors)
