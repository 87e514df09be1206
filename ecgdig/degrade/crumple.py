"""Crumples and wrinkles: irregular facets and local waves of the sheet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ecgdig.degrade.geometry import View
from ecgdig.degrade.noted import note
from ecgdig.degrade.relief import Axis, Lattice
from ecgdig.page.layout import Paper

Rng = np.random.Generator
Sites = NDArray[np.float64]  # (rows, columns, 2): one random point in each cell of a square lattice


@dataclass(frozen=True, eq=False)
class Facets:
    """Flat facets with sharp or round edges, as half the difference of squared distances to two sets of points.

    The squared distance to the nearest point of a set is a paraboloid minus a convex polyhedron (the power diagram), so
    the difference of two of them is continuous and flat in pieces: a facet where the nearest points are a and b has the
    slope steep·(b - a). Points are one per cell of a jittered lattice, as in Worley's cellular texture (1996).

    Attributes:
        sites: two sets of points, in units of cells, in the coordinates that `matrix` makes of paper mm.
        matrix: `(2, 3)`: paper mm to cells; rotates and stretches the facets.
        bend: rows (amplitude mm, wave number 1/mm, phase): x is bent along y and y along x, so that edges curve.
        steep: 1/mm.
        soft: roundness of the edges, in squared cells, where the facets are weak; a tenth of it where they are strong.
        patch: rows (wave number, phase) along x and along y, and (lowest weight, 0): where the facets are strong.
    """

    sites: tuple[Sites, Sites]
    matrix: NDArray[np.float64]
    bend: NDArray[np.float64]
    steep: float
    soft: float
    patch: NDArray[np.float64]

    def displace(self, x_mm: Axis, y_mm: Axis) -> Lattice:
        out = np.zeros((len(y_mm), len(x_mm), 3), np.float32)
        dx = self.bend[0, 0] * np.sin(self.bend[0, 1] * y_mm + self.bend[0, 2])
        dy = self.bend[1, 0] * np.sin(self.bend[1, 1] * x_mm + self.bend[1, 2])
        wx, wy = (np.sin(self.patch[axis, 0] * at + self.patch[axis, 1]) for axis, at in enumerate((x_mm, y_mm)))
        low = float(self.patch[2, 0])
        cell_mm = 1 / np.sqrt(abs(float(np.linalg.det(self.matrix[:, :2]))))
        height = 0.5 * self.steep * cell_mm**2
        _facets(x_mm, y_mm, dx, dy, *self.sites, self.matrix, height, self.soft, wx, wy, low, out)
        return out


def crumple(paper: Paper, strength: float, rng: Rng) -> View:
    """A sheet that was balled up and smoothed: facets of three sizes, slopes up to about 0.3 at strength 1."""
    sizes = np.exp(rng.normal(np.log([95.0, 40.0, 12.0]), 0.25))
    slopes = np.array([0.2, 0.22, 0.16]) * strength * rng.uniform(0.35, 1.0, 3)
    lowest = (0.4, 0.0, -1.4)
    drawn = zip(sizes, slopes, lowest, strict=True)
    return View(reliefs=tuple(_facet_set(paper, float(s), float(a), low, rng) for s, a, low in drawn))


def _facet_set(paper: Paper, size_mm: float, slope: float, lowest: float, rng: Rng) -> Facets:
    turn, stretch = rng.uniform(0, np.pi), float(np.exp(rng.uniform(0, 0.4)))
    note(rng, facet_mm=size_mm, slope=slope, angle_deg=np.degrees(turn), stretch=stretch)
    c, s = np.cos(turn), np.sin(turn)
    linear = np.diag([stretch, 1 / stretch]) @ np.array([[c, s], [-s, c]]) / size_mm
    margin = 0.5 * size_mm + 20
    ends = [(-margin, paper.width_mm + margin), (-margin, paper.height_mm + margin)]
    reach = np.stack(np.meshgrid(*ends), -1).reshape(-1, 2) @ linear.T
    low = np.floor(reach.min(0)) - 2
    columns, rows = (np.ceil(reach.max(0)) + 3 - low).astype(int)
    matrix = np.concatenate([linear, -low[:, None]], 1)
    cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1)
    sites = tuple(cells + rng.uniform(0.05, 0.95, (rows, columns, 2)) for _ in range(2))
    length = size_mm * rng.uniform(1.5, 5.0, 2)
    bend = np.stack([rng.uniform(0.0, 0.1, 2) * length, 2 * np.pi / length, rng.uniform(0, 2 * np.pi, 2)], 1)
    patch = np.array(
        [
            [2 * np.pi / rng.uniform(90, 320), rng.uniform(0, 2 * np.pi)],
            [2 * np.pi / rng.uniform(90, 320), rng.uniform(0, 2 * np.pi)],
            [lowest, 0.0],
        ]
    )
    round_mm = size_mm * float(np.exp(rng.uniform(np.log(0.01), np.log(0.12))))
    note(rng, round_mm=round_mm)
    # two points of the sets are about 0.7 cells apart
    return Facets((sites[0], sites[1]), matrix, bend, slope / (0.7 * size_mm), 1.4 * round_mm / size_mm, patch)


@njit(cache=True, nogil=True, fastmath=True)
def _nearest(qx: float, qy: float, sites: Sites, soft: float) -> float:
    """Squared distance to the nearest site, rounded where two are nearly as near (polynomial smooth minimum)."""
    rows, columns = sites.shape[0], sites.shape[1]
    ci, cj = min(max(int(qy), 1), rows - 2), min(max(int(qx), 1), columns - 2)
    first = second = 1e9
    for i in range(ci - 1, ci + 2):
        for j in range(cj - 1, cj + 2):
            dx, dy = sites[i, j, 0] - qx, sites[i, j, 1] - qy
            d = dx * dx + dy * dy
            second = min(second, max(first, d))  # without branches, which cannot be foreseen here
            first = min(first, d)
    near = max(soft - (second - first), 0.0)
    return first - near * near / (4 * soft)


@njit(cache=True, nogil=True, fastmath=True)
def _facets(
    x_mm: Axis,
    y_mm: Axis,
    dx: Axis,
    dy: Axis,
    sites_a: Sites,
    sites_b: Sites,
    matrix: NDArray[np.float64],
    height: float,
    soft: float,
    wx: Axis,
    wy: Axis,
    low: float,
    out: Lattice,
) -> None:
    for i in range(y_mm.shape[0]):
        for j in range(x_mm.shape[0]):
            share = 0.5 * (1 + wx[j] * wy[i])
            weight = low + (1 - low) * share
            if weight <= 0:
                continue
            rounded = soft * (1 - 0.9 * share)
            x, y = x_mm[j] + dx[i], y_mm[i] + dy[j]
            qx = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]
            qy = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]
            out[i, j, 2] += weight * height * (_nearest(qx, qy, sites_a, rounded) - _nearest(qx, qy, sites_b, rounded))


_FAR_OUT = 16.0  # exp(-8) of a ripple is left: under a micrometre


@dataclass(frozen=True)
class Wrinkles:
    """Local waves: each a few parallel ripples that die out, slightly curved.

    `ripples` are rows (x, y mm of the middle, angle, half length mm, half breadth mm, wavelength mm, phase, height mm,
    curvature 1/mm).
    """

    ripples: tuple[tuple[float, ...], ...]

    def displace(self, x_mm: Axis, y_mm: Axis) -> Lattice:
        out = np.zeros((len(y_mm), len(x_mm), 3), np.float32)
        for ripple in self.ripples:
            reach = 3.5 * max(ripple[3], ripple[4])
            columns = slice(*np.searchsorted(x_mm, [ripple[0] - reach, ripple[0] + reach]))
            rows = slice(*np.searchsorted(y_mm, [ripple[1] - reach, ripple[1] + reach]))
            _ripple(x_mm[columns], y_mm[rows], np.array(ripple), out[rows, columns])
        return out


def wrinkles(paper: Paper, strength: float, rng: Rng) -> View:
    """Paper that was wet or pressed: 2 to 9 patches of ripples, slopes up to 0.35 at strength 1."""
    ripples = []
    for _ in range(int(rng.integers(2, 10))):
        x, y = rng.uniform(-0.05, 1.05, 2) * [paper.width_mm, paper.height_mm]
        wavelength = float(np.exp(rng.uniform(np.log(6), np.log(45))))
        breadth = wavelength * float(rng.uniform(0.3, 1.0))
        length = breadth * float(rng.uniform(1.0, 4.0))
        height = 0.35 * strength * float(rng.uniform(0.3, 1)) * wavelength / (2 * np.pi)
        curvature = float(rng.normal(0, 0.25)) / length
        turn, phase = rng.uniform(0, 2 * np.pi, 2)
        note(rng, wavelength_mm=wavelength, height_mm=height, length_mm=length, angle_deg=np.degrees(turn))
        ripples.append((x, y, turn, length, breadth, wavelength, phase, height, curvature))
    return View(reliefs=(Wrinkles(tuple(tuple(float(v) for v in ripple) for ripple in ripples)),))


@njit(cache=True, nogil=True, fastmath=True)
def _ripple(x_mm: Axis, y_mm: Axis, ripple: Axis, out: Lattice) -> None:
    c, s = np.cos(ripple[2]), np.sin(ripple[2])
    k = 2 * np.pi / ripple[5]
    for i in range(y_mm.shape[0]):
        for j in range(x_mm.shape[0]):
            dx, dy = x_mm[j] - ripple[0], y_mm[i] - ripple[1]
            v = -s * dx + c * dy
            u = c * dx + s * dy + ripple[8] * v * v
            squared = (v / ripple[3]) ** 2 + (u / ripple[4]) ** 2
            if squared < _FAR_OUT:
                out[i, j, 2] += ripple[7] * np.exp(-0.5 * squared) * np.sin(k * u + ripple[6])
