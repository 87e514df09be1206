"""A sheet that was rolled up: part of a cylinder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from ecgdig.degrade.geometry import View
from ecgdig.degrade.noted import note
from ecgdig.degrade.relief import Axis, Lattice
from ecgdig.page.layout import Paper

Rng = np.random.Generator


@dataclass(frozen=True)
class Cylinder:
    """Paper bent around an axis in the table's plane, at right angles to (nx, ny).

    Attributes:
        normal: (nx, ny), of length 1.
        middle_mm: the line nx·x + ny·y = middle along which the sheet stays where it is.
        flat_mm: on each side this much stays flat; infinite: that side does not bend.
        radius_mm: of the cylinder; negative where the sides hang below the middle.
    """

    normal: tuple[float, float]
    middle_mm: float
    flat_mm: tuple[float, float]
    radius_mm: float

    def displace(self, x_mm: Axis, y_mm: Axis) -> Lattice:
        out = np.empty((len(y_mm), len(x_mm), 3), np.float32)
        _cylinder(x_mm, y_mm, np.array(self.normal), self.middle_mm, np.array(self.flat_mm), self.radius_mm, out)
        return out


@njit(cache=True, nogil=True)
def _cylinder(x_mm: Axis, y_mm: Axis, normal: Axis, middle: float, flat: Axis, radius_mm: float, out: Lattice) -> None:
    radius = abs(radius_mm)
    for i in range(y_mm.shape[0]):
        for j in range(x_mm.shape[0]):
            u = normal[0] * x_mm[j] + normal[1] * y_mm[i] - middle
            bent = max(-u - flat[0] if u < 0 else u - flat[1], 0.0)
            angle = min(bent / radius, 1.0)  # beyond 57 degrees the sheet goes on straight
            beyond = bent - angle * radius
            s, c = np.sin(angle), np.cos(angle)
            along = np.sign(u) * (radius * s + beyond * c - bent)
            out[i, j, 0] = along * normal[0]
            out[i, j, 1] = along * normal[1]
            out[i, j, 2] = np.sign(radius_mm) * (radius * (1 - c) + beyond * s)


def roll(paper: Paper, strength: float, rng: Rng) -> View:
    """Cylinder curl: both sides of the sheet, or one of them, rise or hang by up to 0.7 rad at strength 1."""
    across = rng.random() < 0.75  # rolled along the longer side
    turned = (paper.width_mm > paper.height_mm) != across
    angle = float(rng.normal(0, 0.12)) + (np.pi / 2 if turned else 0.0)
    normal = (float(np.cos(angle)), float(np.sin(angle)))
    side = paper.height_mm if turned else paper.width_mm
    middle = normal[0] * paper.width_mm / 2 + normal[1] * paper.height_mm / 2
    end = 0.7 * strength * float(rng.uniform(0.3, 1))
    if rng.random() < 0.5:  # an arch or a trough around some line near the middle
        middle += float(rng.uniform(-0.2, 0.2)) * side
        flat = (0.0, 0.0)
        bent = 0.7 * side
        sign = 1.0 if rng.random() < 0.5 else -1.0
    else:  # one edge comes up
        start = float(rng.uniform(-0.2, 0.3)) * side
        bent = 0.5 * side - start
        flat = (np.inf, start) if rng.random() < 0.5 else (start, np.inf)
        middle, flat, sign = middle, (max(flat[0], 0.0), max(flat[1], 0.0)), 1.0
    radius = sign * bent / max(end, 1e-6)
    note(rng, angle_deg=np.degrees(angle), end_deg=np.degrees(end), radius_mm=radius)
    note(rng, bent="both sides" if flat == (0.0, 0.0) else "one side")
    return View(reliefs=(Cylinder(normal, float(middle), flat, float(radius)),))
