"""Paper that does not lie flat: reliefs in paper mm bend the page and shade it, both from the same heights.

A relief lifts points of the sheet off the table. Seen from an eye at a finite distance a lifted point moves in the
picture, which is the page's warp; lit by a lamp from one side its slope is bright or dark, which is the shading.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from ecgdig.degrade.noted import note
from ecgdig.degrade.pixels import fade, multiply
from ecgdig.degrade.textures import fine_on_paper, grain, px_per_mm_of
from ecgdig.page.layout import Paper
from ecgdig.page.page import Page
from ecgdig.page.warp import Displacement

Rng = np.random.Generator
Axis = NDArray[np.float64]  # paper mm of the columns `(n,)` or rows `(m,)` of a lattice
Lattice = NDArray[np.float32]

NODE_MM = 2.5  # the warp is bilinear between nodes this far apart
_SHADE_MM = 0.5  # shading is computed at points about this far apart
_CAST_MM = 1.0  # shadows of what stands up are looked for at points this far apart
_MOST_FACING = 1.9  # of the light on flat paper; a window is broad, so a slope cannot gather more
_STEEPEST = 0.8  # how much neighbouring shifts may differ per mm: a sheet steeper than this would hide itself


class Relief(Protocol):
    """A shape of the sheet."""

    def displace(self, x_mm: Axis, y_mm: Axis) -> Lattice:
        """Where each point of the lattice has gone from its flat place: dx, dy, dz in mm, `(m, n, 3)`."""
        ...


@dataclass(frozen=True)
class Eye:
    """The camera: above which point of the table (paper mm) and how high (mm)."""

    x_mm: float
    y_mm: float
    height_mm: float

    @staticmethod
    def sample(paper: Paper, rng: Rng) -> Eye:
        """A hand-held phone: 26 to 50 cm above the table, up to 0.7 of the sheet's longer side beside its middle."""
        away = float(rng.uniform(0, 0.7)) * max(paper.width_mm, paper.height_mm)
        angle = float(rng.uniform(0, 2 * np.pi))
        middle = 0.5 * paper.width_mm, 0.5 * paper.height_mm
        height = float(rng.uniform(260, 500))
        note(rng, height_mm=height, beside_mm=away, angle_deg=np.degrees(angle))
        return Eye(middle[0] + away * np.cos(angle), middle[1] + away * np.sin(angle), height)


@dataclass(frozen=True)
class Lamp:
    """Light on the sheet.

    Attributes:
        slant: (x, y) towards the lamp; its length is the cotangent of the lamp's elevation.
        ambient: share of the light that comes from everywhere, 0 to 1.
        warmth: by how much less blue (> 0) or red (< 0) there is in the shade.
        edge: how much ridges catch light and valleys lose it, for paper bent by 1 rad in 1 mm.
        casts: whether what stands up casts shadows (they are only looked for where the lamp is low).
    """

    slant: tuple[float, float]
    ambient: float
    warmth: float
    edge: float
    casts: bool = False

    @staticmethod
    def low(strength: float, rng: Rng) -> Lamp:
        """A window beside the table, 25 degrees high down to 11 at strength 1; much light comes from the room."""
        angle, elevation = float(rng.uniform(0, 2 * np.pi)), np.radians(25 - 14 * strength * rng.uniform(0.4, 1))
        ambient, warmth = float(rng.uniform(0.5, 0.72)), float(np.clip(rng.normal(0.08, 0.1), -0.15, 0.25))
        note(rng, lamp_deg=np.degrees(angle), elevation_deg=np.degrees(elevation), ambient=ambient, warmth=warmth)
        cotangent = 1 / np.tan(elevation)
        slant = (float(cotangent * np.cos(angle)), float(cotangent * np.sin(angle)))
        return Lamp(slant, ambient, warmth, float(rng.uniform(0.0, 0.15)), casts=True)

    @staticmethod
    def sample(rng: Rng) -> Lamp:
        angle, cotangent = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0.7, 2.2))
        slant = (cotangent * np.cos(angle), cotangent * np.sin(angle))
        ambient = float(rng.uniform(0.1, 0.5))
        warmth = float(np.clip(rng.normal(0, 0.13), -0.22, 0.22))
        edge = float(rng.uniform(0.0, 0.5))
        note(rng, angle_deg=np.degrees(angle), elevation_deg=np.degrees(np.arctan(1 / cotangent)))
        note(rng, ambient=ambient, warmth=warmth, edge=edge)
        return Lamp(slant, ambient, warmth, edge)


def seen_by(reliefs: Sequence[Relief], paper: Paper, eye: Eye) -> tuple[Displacement, float]:
    """How the eye sees the sheet, as shifts in the plane of the table (central projection onto z = 0).

    Returns:
        The warp's stage, and the factor by which the heights had to be lowered so that no part hides another.
    """
    x, y = (np.arange(0, side + 2 * NODE_MM, NODE_MM) for side in (paper.width_mm, paper.height_mm))
    moved = _sum(reliefs, x, y).astype(np.float64)
    flat = np.stack(np.meshgrid(x, y), -1)
    foot = np.array([eye.x_mm, eye.y_mm])
    lift = np.clip(moved[..., 2:], -0.4 * eye.height_mm, 0.4 * eye.height_mm)
    shift = foot + (flat + moved[..., :2] - foot) * eye.height_mm / (eye.height_mm - lift) - flat
    down, right = (np.diff(shift, axis=axis) / NODE_MM for axis in (0, 1))
    steepest = float(np.abs(down).max(initial=0.0) + np.abs(right).max(initial=0.0))
    factor = min(1.0, _STEEPEST / max(steepest, 1e-9))
    # whole 1/1024 mm: exact on disk in a third of the space
    return Displacement(np.round(shift * factor * 1024) / 1024, NODE_MM), factor


@dataclass(frozen=True)
class Heights:
    """Heights of a sheet over the part of it that is drawn, `(m, n)` mm, in the middles of blocks of pixels.

    Blocks are the same whatever the window; there are two more around it for the slopes.

    Attributes:
        first: column and row of the first block, counted from the sheet's corner.
        block_px: side of a block.
        step_mm: the same in mm.
    """

    z_mm: Lattice
    first: tuple[int, int]
    block_px: int
    step_mm: float

    @staticmethod
    def of(page: Page, reliefs: Sequence[Relief], factor: float = 1.0) -> Heights:
        """`page`: a flat page (its warp is a scale); heights are multiplied by `factor`."""
        scale = px_per_mm_of(page)
        block = max(2, math.ceil(_SHADE_MM * scale - 0.25))
        starts = [round(page.window_mm[axis] * scale) for axis in (0, 1)]
        first = starts[0] // block - 2, starts[1] // block - 2
        x, y = (
            np.asarray(np.arange(first[axis], (starts[axis] + page.shape[1 - axis]) // block + 3) + 0.5) * block / scale
            for axis in (0, 1)
        )
        z = _sum(reliefs, x, y)[..., 2] * np.float32(factor)
        return Heights(z, first, block, block / scale)

    def bent(self) -> Lattice:
        """Curvature in 1/mm: the Laplacian of the heights, positive in valleys, `(m, n)`."""
        return np.asarray(cv2.Laplacian(self.z_mm, cv2.CV_32F, ksize=1, scale=1 / self.step_mm**2), np.float32)

    def over(self, page: Page, values: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Values at the nodes, `(m, n)`, interpolated to the pixels of the flat page, `(H, W)`."""
        fine = cv2.resize(values, None, fx=self.block_px, fy=self.block_px, interpolation=cv2.INTER_LINEAR)
        left, top = (
            round(page.window_mm[axis] * px_per_mm_of(page)) - self.first[axis] * self.block_px for axis in (0, 1)
        )
        return np.ascontiguousarray(fine[top : top + page.shape[0], left : left + page.shape[1]], np.uint8)


def shade(page: Page, heights: Heights, lamp: Lamp) -> Page:
    """Light and shade on the slopes of a flat page or a window of it (Lambert's law); bright ridges, dark valleys."""
    bright = _brightness(heights, lamp)
    # exposed for the slopes that face the lamp; 200 is full light
    bright = bright / np.float32(1 + 0.1 * (1 - lamp.ambient) * float(np.hypot(*lamp.slant)))
    field = heights.over(page, np.clip(bright * 200 + 0.5, 0, 255).astype(np.uint8))
    # light and shade differ in colour as far as a lamp of another colour makes them
    share = np.array([1 - lamp.warmth, 1.0, 1 + lamp.warmth])
    return page.with_image(multiply(page.image, field, 1 - share, 1 + 0.275 * share))


def wear(page: Page, heights: Heights, strength: float, rng: Rng) -> Page:
    """Print rubbed off in specks where paper was bent sharply: it comes up to 75 % nearer to the paper's colour."""
    sharp = np.clip((np.abs(heights.bent()) - 0.15) / 0.35, 0, 1)
    if not sharp.any():
        return page
    where = heights.over(page, (255 * sharp).astype(np.uint8))
    specks = fine_on_paper(page, grain(), float(rng.uniform(3, 6)), rng)
    # half of a crease is worn, in specks of half a millimetre
    worn = cv2.multiply(
        where, cv2.LUT(specks, np.clip(2 * (np.arange(256) - 118), 0, 255).astype(np.uint8)), scale=1 / 255
    )
    return page.with_image(fade(page.image, page.style.paper_rgb, np.asarray(worn, np.uint8), 1.0, 1 - 0.75 * strength))


def _brightness(heights: Heights, lamp: Lamp) -> Lattice:
    """Light on each point against that on flat paper, `(m, n)`."""
    z, scale = heights.z_mm, 0.5 / heights.step_mm
    zx = cv2.Sobel(z, cv2.CV_32F, 1, 0, ksize=1, scale=scale)
    zy = cv2.Sobel(z, cv2.CV_32F, 0, 1, ksize=1, scale=scale)
    facing = (1 - np.float32(lamp.slant[0]) * zx - np.float32(lamp.slant[1]) * zy) / np.sqrt(1 + zx * zx + zy * zy)
    edge = np.float32(lamp.edge) * np.clip(heights.bent(), -0.3, 0.3)
    ambient = np.float32(lamp.ambient)
    lit = np.clip(facing, 0, _MOST_FACING)
    if lamp.casts:
        lit *= _unshaded(heights, lamp)
    return np.asarray(ambient + (1 - ambient) * lit - edge, np.float32)


def _unshaded(heights: Heights, lamp: Lamp) -> Lattice:
    """Share of the lamp, which is a window and no point, that each point sees over what stands before it, `(m, n)`."""
    shape = heights.z_mm.shape[::-1]
    small = max(2, round(shape[0] * heights.step_mm / _CAST_MM)), max(2, round(shape[1] * heights.step_mm / _CAST_MM))
    z = np.asarray(cv2.resize(heights.z_mm, small, interpolation=cv2.INTER_AREA), np.float32)
    step = heights.step_mm * shape[0] / small[0]
    cotangent = float(np.hypot(*lamp.slant))
    towards = np.array(lamp.slant, np.float32) / np.float32(cotangent)
    horizon = np.zeros_like(z)
    _raise_horizon(z, towards, step, float(np.ptp(z)) * cotangent, horizon)
    hidden = np.clip((horizon * np.float32(cotangent) - 0.85) / 0.5, 0, 1)
    return np.asarray(cv2.resize(1 - hidden, shape, interpolation=cv2.INTER_LINEAR), np.float32)


@njit(cache=True, nogil=True, fastmath=True)
def _raise_horizon(z: Lattice, towards: Lattice, step: float, reach_mm: float, horizon: Lattice) -> None:
    """`horizon`: the steepest way up from each point towards the lamp, rise / distance."""
    rows, columns = z.shape
    for i in range(rows):
        for j in range(columns):
            for k in range(2, int(reach_mm / step) + 1):
                y, x = i + k * towards[1], j + k * towards[0]
                if not (0 <= y < rows - 1 and 0 <= x < columns - 1):
                    break
                a, b = int(y), int(x)
                v, u = y - a, x - b
                top = z[a, b] + u * (z[a, b + 1] - z[a, b])
                bottom = z[a + 1, b] + u * (z[a + 1, b + 1] - z[a + 1, b])
                up = (top + v * (bottom - top) - z[i, j]) / (k * step)
                horizon[i, j] = max(horizon[i, j], up)


def _sum(reliefs: Sequence[Relief], x_mm: Axis, y_mm: Axis) -> Lattice:
    total = np.zeros((len(y_mm), len(x_mm), 3), np.float32)
    for relief in reliefs:
        total += relief.displace(x_mm, y_mm)
    return total
