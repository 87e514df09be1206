"""The pen a page was drawn with: half its width, how blurred its edge is, how dark it is; found from the page."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]

_REACH_MM = 1.0  # ink is looked at so far from the traces
_BIN_PX = 0.25
_HALF_MM = np.linspace(0.05, 0.6, 45)
_BLURS_PX = np.geomspace(0.35, 2.4, 14)
STRENGTHS = (0.15, 1.4)  # least and most
_LEAST_PIXELS = 6  # in a bin


@dataclass(frozen=True)
class Pen:
    """The ink share at distance d from the path is strength · (Φ((half - d) / blur) - Φ((-half - d) / blur)).

    A straight stroke of width 2 · half whose edges a Gaussian blurs looks so; all in px but `strength`.
    """

    half: float
    blur: float
    strength: float

    @property
    def reach(self) -> float:
        """Farther from the path there is no ink."""
        return self.half + 3 * self.blur + 0.3


def find_pen(distance: NDArray[np.float32], share: NDArray[np.float32], px_per_mm: float) -> Pen | None:
    """The pen that explains the median ink at each distance from the traces best; None where that cannot be told.

    Args:
        distance: `(H, W)` px to the nearest trace.
        share: `(H, W)` of ink.
    """
    near = distance < _REACH_MM * px_per_mm
    bins = (distance[near] / _BIN_PX).astype(np.int64)
    ink = share[near]
    order = np.argsort(bins, kind="stable")
    edges = np.searchsorted(bins[order], np.arange(int(_REACH_MM * px_per_mm / _BIN_PX) + 1))
    places, profile = [], []
    for k in range(len(edges) - 1):
        if edges[k + 1] - edges[k] >= _LEAST_PIXELS:
            places.append((k + 0.5) * _BIN_PX)
            profile.append(float(np.median(ink[order[edges[k] : edges[k + 1]]])))
    if len(places) < 4:
        return None
    d, seen = np.array(places), np.array(profile)
    half, blur = np.meshgrid(_HALF_MM * px_per_mm, _BLURS_PX, indexing="ij")
    model = ndtr((half[..., None] - d) / blur[..., None]) - ndtr((-half[..., None] - d) / blur[..., None])
    strength = np.clip((model @ seen) / np.maximum((model**2).sum(-1), 1e-9), *STRENGTHS)
    misfit = ((seen - strength[..., None] * model) ** 2).sum(-1)
    best = np.unravel_index(int(np.argmin(misfit)), misfit.shape)
    return Pen(float(half[best]), float(blur[best]), float(strength[best]))


@njit(cache=True, nogil=True)
def stroke(d: float, half: float, blur: float) -> tuple[float, float]:
    """Ink of a stroke of strength 1 at distance `d` of its path, and its derivative by `d`."""
    a, b = (half - d) / blur, (-half - d) / blur
    share = 0.5 * (math.erf(a * 0.7071067811865476) - math.erf(b * 0.7071067811865476))
    slope = -(math.exp(-0.5 * a * a) - math.exp(-0.5 * b * b)) * 0.3989422804014327 / blur
    return share, slope
