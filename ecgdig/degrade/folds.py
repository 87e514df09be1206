"""Folds: a sheet that was folded and opened again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ecgdig.degrade.geometry import View
from ecgdig.degrade.noted import note
from ecgdig.degrade.relief import Axis, Lattice
from ecgdig.degrade.wishes import NONE, Wishes
from ecgdig.page.layout import Paper

Rng = np.random.Generator
_TENT_POINTS = 16384
Line = tuple[float, float, float]  # nx, ny, offset: the line nx·x + ny·y = offset in paper mm, (nx, ny) of length 1


@dataclass(frozen=True)
class Crease:
    """One straight crease, a tent over it: the sheet rises towards the line and turns sharply there.

    Attributes:
        line: where it is.
        rise_mm: height of the crease over the table; negative for a valley.
        reach_mm: over which distance the sheet comes down, before and behind the line; the slope beside the crease is
            rise / reach.
        radius_mm: roundness of the turn.
        flips_at: a line across; behind it ridge becomes valley (as where a sheet was folded in four), None: nowhere.
            The height goes through zero there, with a slope of a sixth.
    """

    line: Line
    rise_mm: float
    reach_mm: tuple[float, float]
    radius_mm: float
    flips_at: Line | None = None


@dataclass(frozen=True)
class Folds:
    """A relief of creases."""

    creases: tuple[Crease, ...]

    def displace(self, x_mm: Axis, y_mm: Axis) -> Lattice:
        out = np.zeros((len(y_mm), len(x_mm), 3), np.float32)
        for c in self.creases:
            flips = (0.0, 0.0, -1.0) if c.flips_at is None else c.flips_at
            _crease(x_mm, y_mm, np.array(c.line), c.rise_mm, np.array(c.reach_mm), c.radius_mm, np.array(flips), out)
        return out


def folds(paper: Paper, strength: float, rng: Rng, wishes: Wishes = NONE) -> View:
    """A sheet folded in two, three or four, dog-eared or askew, and opened again: slopes up to 0.35 at strength 1."""
    if wishes.creases is None and wishes.crease_deg is None:
        lines, alternating = _pattern(paper, rng)
    else:
        lines, alternating = _parallel(paper, wishes, rng), False
    sign = 1.0 if rng.random() < 0.5 else -1.0
    creases = []
    for i, line in enumerate(lines):
        slope = 0.3 * strength * float(rng.uniform(0.3, 1))
        reach = np.exp(rng.uniform(np.log(25), np.log(220), 2))
        rise = min(slope * float(np.sqrt(reach.prod())), 0.35 * strength * float(reach.min()), 14.0 * strength)
        side = sign * (-1.0) ** i if alternating else sign
        crossing = lines[0] if i == 1 and not alternating and rng.random() < 0.6 else None
        rise *= side if rng.random() < 0.85 else -side
        radius = float(rng.uniform(0.1, 1.2))
        angle = np.degrees(np.arctan2(line[0], -line[1])) % 180  # of the crease itself
        note(rng, angle_deg=angle, rise_mm=rise, before_mm=reach[0], behind_mm=reach[1], radius_mm=radius)
        creases.append(Crease(line, rise, (float(reach[0]), float(reach[1])), radius, crossing))
    return View(reliefs=(Folds(tuple(creases)),))


def _parallel(paper: Paper, wishes: Wishes, rng: Rng) -> list[Line]:
    """Creases evenly apart across the whole sheet, in one direction and across it."""
    first = float(rng.uniform(0, 180)) if wishes.crease_deg is None else wishes.crease_deg
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * [paper.width_mm, paper.height_mm]
    lines = []
    for turn, n in enumerate(wishes.creases or (int(rng.integers(1, 6)), 0)):
        angle = np.radians(first + 90 * turn)
        normal = np.array([-np.sin(angle), np.cos(angle)])
        low, high = float((corners @ normal).min()), float((corners @ normal).max())
        lines += [(float(normal[0]), float(normal[1]), low + (high - low) * (k + 1) / (n + 1)) for k in range(n)]
    return lines


def _pattern(paper: Paper, rng: Rng) -> tuple[list[Line], bool]:
    """Lines of a usual way to fold a sheet, and whether ridges and valleys alternate."""
    width, height = paper.width_mm, paper.height_mm
    kind = str(rng.choice(["half", "quarter", "letter", "accordion", "corner", "dart", "free"], p=_PATTERN_WEIGHTS))
    note(rng, pattern=kind)
    across = bool((width > height) == (rng.random() < 0.75))  # usually the longer side is folded
    side = width if across else height

    def square(at_mm: float, turned: bool) -> Line:
        angle = float(rng.normal(0, 0.012)) + (np.pi / 2 if turned else 0.0)
        nx, ny = np.cos(angle), np.sin(angle)
        through = (width / 2, at_mm) if turned else (at_mm, height / 2)
        return float(nx), float(ny), float(nx * through[0] + ny * through[1] + rng.normal(0, 2))

    if kind == "half":
        return [square(side / 2, not across)], False
    if kind == "quarter":
        return [square(side / 2, not across), square((width + height - side) / 2, across)], False
    if kind in ("letter", "accordion"):
        n = 3 if kind == "letter" else 4
        return [square(side * i / n, not across) for i in range(1, n)], kind == "accordion"
    if kind == "corner":
        reach = rng.uniform(0.12, 0.45, 2) * min(width, height)
        corner = np.array([width, height]) * rng.integers(0, 2, 2)
        inward = np.diag(np.where(corner > 0, -1, 1) * reach)
        return [_line_through(corner + inward[0], corner + inward[1])], False
    if kind == "dart":  # as for a paper plane: from one point to two places of the other side
        tip = np.array([rng.uniform(0.3, 0.7) * width, height])
        ends = np.array([[rng.uniform(-0.1, 0.2) * width, 0.0], [rng.uniform(0.8, 1.1) * width, 0.0]])
        flip = rng.random() < 0.5
        tip, ends = (np.array([0, height]) + [1, -1] * p if flip else p for p in (tip, ends))
        return [_line_through(tip, end) for end in ends], False
    lines = []
    for _ in range(int(rng.integers(1, 4))):
        angle, at = float(rng.uniform(0, np.pi)), rng.uniform(0.15, 0.85, 2) * [width, height]
        nx, ny = float(np.cos(angle)), float(np.sin(angle))
        lines.append((nx, ny, float(nx * at[0] + ny * at[1])))
    return lines, False


_PATTERN_WEIGHTS = (0.16, 0.17, 0.12, 0.1, 0.1, 0.1, 0.25)


def _line_through(a: NDArray[np.float64], b: NDArray[np.float64]) -> Line:
    along = (b - a) / max(float(np.linalg.norm(b - a)), 1e-9)
    nx, ny = float(-along[1]), float(along[0])
    return nx, ny, float(nx * a[0] + ny * a[1])


@njit(cache=True, nogil=True, fastmath=True)
def _tent(u: float, reach: Axis, radius: float) -> float:
    """Height over the table, of 1 at the crease, `u` mm before (< 0) or behind it."""
    return np.exp(-(np.sqrt(u * u + radius * radius) - radius) / (reach[0] if u < 0 else reach[1]))  # type: ignore[no-any-return]


@njit(cache=True, nogil=True, fastmath=True)
def _crease(
    x_mm: Axis,
    y_mm: Axis,
    line: Axis,
    rise: float,
    reach: Axis,
    radius: float,
    flips: Axis,
    out: Lattice,
) -> None:
    """Add one crease to `out` `(m, n, 3)`: a tent rise·exp(-|u|/reach), and the foreshortening of its slopes.

    A slope s shortens the sheet's picture by 1 - cos(atan s), about s²/2 per mm; over the tent that sums to
    rise²/(4·reach)·(1 - exp(-2|u|/reach)).
    """
    soft = 6.0 * abs(rise) if flips[0] != 0 or flips[1] != 0 else 0.0
    # a fine lattice looks the tent up between points a few hundredths of a millimetre apart
    ends = line[0] * np.array([x_mm[0], x_mm[-1]]), line[1] * np.array([y_mm[0], y_mm[-1]])
    low, high = ends[0].min() + ends[1].min() - line[2], ends[0].max() + ends[1].max() - line[2]
    looked_up = x_mm.shape[0] * y_mm.shape[0] > 2 * _TENT_POINTS and high > low
    per_mm = (_TENT_POINTS - 2) / (high - low) if looked_up else 0.0
    tent = np.empty(_TENT_POINTS if looked_up else 0)
    for k in range(tent.shape[0]):
        tent[k] = _tent(low + k / per_mm, reach, radius)
    for i in range(y_mm.shape[0]):
        for j in range(x_mm.shape[0]):
            u = line[0] * x_mm[j] + line[1] * y_mm[i] - line[2]
            length = reach[0] if u < 0 else reach[1]
            if looked_up:
                at = max((u - low) * per_mm, 0.0)
                k = int(at)
                away = tent[k] + (at - k) * (tent[k + 1] - tent[k])
            else:
                away = _tent(u, reach, radius)
            side = 1.0
            if soft > 0:
                across = flips[0] * x_mm[j] + flips[1] * y_mm[i] - flips[2]
                side = across / np.sqrt(soft * soft + across * across)
            shorter = rise * rise / (4 * length) * (1 - away * away) * side * side
            if u > 0:
                shorter = -shorter
            out[i, j, 0] += shorter * line[0]
            out[i, j, 1] += shorter * line[1]
            out[i, j, 2] += rise * away * side
