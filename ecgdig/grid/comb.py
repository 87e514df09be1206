"""How far the lines of an upright page are from their places, over folds too: matched combs, made consistent.

Around each node the page's own comb of 5 mm and 1 mm lines is laid over what is seen, at every shift within a
millimetre or so; which of them each node takes is decided together with its neighbours by semi-global matching
(Hirschmüller 2008), so that a strip beside a fold does not slip to the next 1 mm line.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ecgdig.grid.lattice import Map
from ecgdig.units import LARGE_SQUARE_MM

Array = NDArray[np.float64]

HARMONICS = 12  # of the 5 mm lines
_STEP_MM = 0.08
_REACH_MM = 1.28
_PENALTY, _MOST_STEPS = 0.1, 6  # for each step by which neighbours differ, and the most that costs more
_LEAST_TEMPLATE = 0.02  # of the strongest harmonic: what is weaker is noise


@dataclass(frozen=True, eq=False)
class Waves:
    """Lock-in sums of a family of lines at the nodes: complex64 `(HARMONICS, h, w)`; `weight` `(h, w)`, 0 to 1."""

    sums: NDArray[np.complex64]
    weight: Map


def shifts_mm(waves: Waves) -> Array:
    """How far the lines are beyond their places at each node, `(h, w)` in mm, to `_STEP_MM` or better.

    The zero of the 5 mm lines is sought too: the result may be off from 0 by whole millimetres all over.
    """
    order = np.arange(1, HARMONICS + 1)
    comb = (waves.sums * waves.weight).sum(axis=(1, 2))
    phase = np.arange(500) / 500
    shape = np.real(comb[:, None] * np.exp(2j * np.pi * order[:, None] * phase)).sum(axis=0)
    zero = float(phase[int(np.argmax(shape))])  # where the darkest lines are
    comb = np.clip(np.real(comb * np.exp(2j * np.pi * order * zero)), 0, None)
    comb[comb < _LEAST_TEMPLATE * comb.max()] = 0
    shift = np.arange(-_REACH_MM, _REACH_MM + 1e-9, _STEP_MM)
    turn = np.exp(2j * np.pi * order * (zero + shift[:, None] / LARGE_SQUARE_MM)) * comb  # (shifts, harmonics)
    h, w = waves.weight.shape
    match = np.real(turn.astype(np.complex64) @ waves.sums.reshape(HARMONICS, -1)).reshape(-1, h, w)
    norm = np.sqrt((np.abs(waves.sums) ** 2).sum(axis=0)) * np.sqrt((comb**2).sum()) + 1e-9
    cost = np.ascontiguousarray((-waves.weight * match / norm).transpose(1, 2, 0), np.float32)
    total = _matched(cost, np.float32(_PENALTY), _MOST_STEPS)
    best = total.argmin(axis=2)
    inner = np.clip(best, 1, len(shift) - 2)
    before, at, after = (np.take_along_axis(total, (inner + k)[..., None], 2)[..., 0] for k in (-1, 0, 1))
    bend = before - 2 * at + after
    part = np.where((bend > 1e-9) & (inner == best), 0.5 * (before - after) / np.maximum(bend, 1e-9), 0)
    # by less than half a square: which of the lines is counted as first does not matter
    moved = (zero + 0.5) % 1.0 - 0.5
    return np.asarray(shift[best] + _STEP_MM * part + LARGE_SQUARE_MM * moved, np.float64)


@njit(cache=True, nogil=True)
def _matched(cost: NDArray[np.float32], penalty: np.float32, most: int) -> NDArray[np.float32]:
    """The sum over the four directions of the least cost of a path that ends at each node with each label."""
    h, w, n = cost.shape
    total = np.zeros((h, w, n), np.float32)
    for way in range(4):
        forward, upright = way % 2 == 0, way >= 2
        lines, length = (w, h) if upright else (h, w)
        for line in range(lines):
            last = np.zeros(n, np.float32)
            for k in range(length):
                at = k if forward else length - 1 - k
                i, j = (at, line) if upright else (line, at)
                least = last.min()
                own = np.empty(n, np.float32)
                for d in range(n):
                    value = least + penalty * most
                    for e in range(max(0, d - most + 1), min(n, d + most)):
                        other = last[e] + penalty * abs(d - e)
                        if other < value:
                            value = other
                    own[d] = cost[i, j, d] + value - least
                    total[i, j, d] += own[d]
                last = own
    return total
