"""Panels: a sheet that was folded and stands up between its folds, each part flat or bowed and of a tone of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ecgdig.degrade.geometry import View
from ecgdig.degrade.noted import note
from ecgdig.degrade.relief import Axis, Lamp, Lattice
from ecgdig.page.layout import Paper

Rng = np.random.Generator
_TABLE_MM = 0.05
_TALLEST_MM = 16.0


@dataclass(frozen=True)
class Panels:
    """A relief of flat parts between parallel folds.

    Attributes:
        across: unit vector (x, y) across the folds.
        at_mm: places of the sheet's edges and the folds between them along `across`, rising, `n`.
        start_mm: middle of the folds, counted along (-y, x) of `across`.
        height_mm: of each of those lines over the table where the middle is, `n`.
        rise: by how much each line rises per mm along itself, `n`: the parts are twisted.
        bow_mm: by how much the middle of each part is higher than its ends, `n - 1`.
        radius_mm: roundness of the folds.
    """

    across: tuple[float, float]
    at_mm: tuple[float, ...]
    start_mm: float
    height_mm: tuple[float, ...]
    rise: tuple[float, ...]
    bow_mm: tuple[float, ...]
    radius_mm: float

    def displace(self, x_mm: Axis, y_mm: Axis) -> Lattice:
        out = np.zeros((len(y_mm), len(x_mm), 3), np.float32)
        low, table = self._table()
        where = np.array([*self.across, low, 1 / _TABLE_MM, self.start_mm])
        _look_up(np.asarray(x_mm, np.float64), np.asarray(y_mm, np.float64), where, table, out)
        return out

    def _table(self) -> tuple[float, NDArray[np.float32]]:
        """Height, its rise along the folds, and the foreshortening, every `_TABLE_MM` across them, `(m, 3)`."""
        at = np.asarray(self.at_mm)
        margin = 4 * self.radius_mm + 1  # of a rounded profile
        u = np.arange(at[0] - margin, at[-1] + margin, _TABLE_MM)
        part = np.clip(np.searchsorted(at, u) - 1, 0, len(at) - 2)
        share = np.clip((u - at[part]) / np.diff(at)[part], 0, 1)
        height = np.interp(u, at, self.height_mm) + np.asarray(self.bow_mm)[part] * 4 * share * (1 - share)
        reach = max(1, round(self.radius_mm / _TABLE_MM))
        kernel = np.hanning(2 * reach + 3)[1:-1]
        height, rise = (
            np.convolve(np.pad(values, reach, mode="edge"), kernel / kernel.sum(), "valid")
            for values in (height, np.interp(u, at, self.rise))
        )
        # a slope s shortens the sheet's picture by 1 - cos(atan s), about s^2/2, per mm; the sheet's middle stays
        shorter = np.cumsum(0.5 * np.gradient(height, _TABLE_MM) ** 2) * _TABLE_MM
        return float(u[0]), np.stack([height, rise, shorter[len(u) // 2] - shorter], 1).astype(np.float32)


def panels(paper: Paper, strength: float, rng: Rng) -> View:
    """A sheet folded into two to four parts, straight or askew, once or crosswise; slopes up to 0.24 at strength 1."""
    return View(reliefs=_folded(paper, strength, rng))


def fold_shadows(paper: Paper, strength: float, rng: Rng) -> View:
    """The same under a low window: what turns away is dark, and the folds that stand up cast shadows."""
    return View(reliefs=_folded(paper, strength, rng), lamp=Lamp.low(strength, rng))


def _folded(paper: Paper, strength: float, rng: Rng) -> tuple[Panels, ...]:
    askew = rng.random() < 0.35
    first = float(rng.uniform(0, np.pi)) if askew else float(rng.choice([0.0, np.pi / 2]) + rng.normal(0, 0.015))
    sets = [_parallel(paper, strength, first, int(rng.choice([2, 3, 4], p=[0.4, 0.35, 0.25])), rng)]
    if rng.random() < 0.4:
        second = first + np.pi / 2 + float(rng.normal(0, 0.5 if askew else 0.015))
        sets.append(_parallel(paper, 0.6 * strength, second, int(rng.choice([2, 3], p=[0.7, 0.3])), rng))
    return tuple(sets)


def _parallel(paper: Paper, strength: float, angle: float, n: int, rng: Rng) -> Panels:
    """`n` parts between folds across the direction `angle`."""
    across = np.array([np.cos(angle), np.sin(angle)])
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * [paper.width_mm, paper.height_mm]
    along = corners @ [-across[1], across[0]]
    low, high = float((corners @ across).min()), float((corners @ across).max())
    even = rng.random() < 0.6  # halves, thirds, quarters
    inner = np.arange(1, n) / n + (rng.normal(0, 0.006, n - 1) if even else rng.uniform(-0.3, 0.3, n - 1) / n)
    at = low + (high - low) * np.array([0.0, *inner, 1.0])
    breadth = float(np.diff(at).min())
    sign = 1.0 if rng.random() < 0.5 else -1.0
    slopes = 0.24 * strength * rng.uniform(0.15, 1, n) * sign * (-1.0) ** np.arange(n)
    slopes *= np.where(rng.random(n) < 0.15, -0.5, 1.0)  # not every fold goes the other way
    heights = np.concatenate([[0.0], np.cumsum(slopes * np.diff(at))])
    heights *= min(1.0, _TALLEST_MM / max(float(np.ptp(heights)), 1e-9))
    heights -= heights.min()
    rise = rng.normal(0, 0.3, n + 1) * heights / max(float(np.ptp(along)), 1e-9)
    bow = np.clip(rng.normal(0, 0.02, n), -0.045, 0.045) * strength * np.diff(at)
    radius = float(rng.uniform(0.3, 1.5))
    note(rng, parts=n, angle_deg=np.degrees(angle) % 180, narrowest_mm=breadth, radius_mm=radius)
    note(rng, tallest_mm=heights.max(), steepest=np.abs(slopes).max(), most_bowed_mm=np.abs(bow).max())
    return Panels(
        (float(across[0]), float(across[1])),
        tuple(float(v) for v in at),
        float(along.mean()),
        tuple(float(v) for v in heights),
        tuple(float(v) for v in rise),
        tuple(float(v) for v in bow),
        radius,
    )


@njit(cache=True, nogil=True, fastmath=True)
def _look_up(x_mm: Axis, y_mm: Axis, where: Axis, table: NDArray[np.float32], out: Lattice) -> None:
    """Add the profile to `out` `(m, n, 3)`; `where`: across (x, y), first place, entries per mm, the folds' middle."""
    ax, ay, low, per_mm, start = where[0], where[1], where[2], where[3], where[4]
    for i in range(y_mm.shape[0]):
        for j in range(x_mm.shape[0]):
            u = (ax * x_mm[j] + ay * y_mm[i] - low) * per_mm
            u = min(max(u, 0.0), table.shape[0] - 1.001)
            k = int(u)
            part = u - k
            height = table[k, 0] + part * (table[k + 1, 0] - table[k, 0])
            rise = table[k, 1] + part * (table[k + 1, 1] - table[k, 1])
            shorter = table[k, 2] + part * (table[k + 1, 2] - table[k, 2])
            out[i, j, 0] += shorter * ax
            out[i, j, 1] += shorter * ay
            out[i, j, 2] += height + rise * (ax * y_mm[i] - ay * x_mm[j] - start)
