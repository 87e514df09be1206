"""Paper that does not lie flat: reliefs in paper mm bend the page and shade it, both from the same heights.

A relief lifts points of the sheet off the table. Seen from an eye at a finite distance a lifted point moves in the
picture, which is the page's warp; lit by a lamp from one side its slope is bright or dark, which is the shading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.degrade.textures import multiply, px_per_mm_of
from ecgdig.page.layout import Paper
from ecgdig.page.page import Page
from ecgdig.page.warp import Displacement

Rng = np.random.Generator
Axis = NDArray[np.float64]  # paper mm of the columns `(n,)` or rows `(m,)` of a lattice
Lattice = NDArray[np.float32]

NODE_MM = 2.5  # the warp is bilinear between nodes this far apart
_SHADE_MM = 0.5  # shading is computed at points this far apart
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
        return Eye(middle[0] + away * np.cos(angle), middle[1] + away * np.sin(angle), height)


@dataclass(frozen=True)
class Lamp:
    """Light on the sheet.

    Attributes:
        slant: (x, y) towards the lamp; its length is the cotangent of the lamp's elevation.
        ambient: share of the light that comes from everywhere, 0 to 1.
        warmth: by how much less blue (> 0) or red (< 0) there is in the shade.
        edge: how much ridges catch light and valleys lose it, for paper bent by 1 rad in 1 mm.
    """

    slant: tuple[float, float]
    ambient: float
    warmth: float
    edge: float

    @staticmethod
    def sample(rng: Rng) -> Lamp:
        angle, cotangent = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0.7, 2.2))
        slant = (cotangent * np.cos(angle), cotangent * np.sin(angle))
        return Lamp(slant, float(rng.uniform(0.1, 0.5)), float(rng.normal(0, 0.18)), float(rng.uniform(0.0, 0.5)))


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
    return Displacement(shift * factor, NODE_MM), factor


def shade(page: Page, reliefs: Sequence[Relief], lamp: Lamp, factor: float = 1.0) -> Page:
    """Light and shade on the slopes of the sheet (Lambert's law), drawn on a flat page or a window of it.

    Args:
        page: a flat page (its warp is a scale).
        factor: heights are multiplied by this.
    """
    scale = px_per_mm_of(page)
    step = max(_SHADE_MM, 1.5 / scale)
    left, top, right, bottom = page.window_mm
    # nodes are the same whatever the window, with one more around it for the slopes
    x, y = (np.arange(np.floor(a / step) - 1, np.ceil(b / step) + 3) * step for a, b in ((left, right), (top, bottom)))
    z = _sum(reliefs, x, y)[..., 2] * np.float32(factor)
    bright = _brightness(z, np.float32(step), lamp)
    # full light is at 200, so that slopes towards the lamp have room; exposed for the brighter ones
    bright = bright / np.float32(1 + 0.1 * (1 - lamp.ambient) * float(np.hypot(*lamp.slant)))
    levels = np.clip(bright * 200 + 0.5, 0, 255).astype(np.uint8)
    to_lattice = np.array(
        [[1 / (scale * step), 0, (0.5 / scale + left - x[0]) / step], [0, 1 / (scale * step), 0.0]], np.float64
    )
    to_lattice[1, 2] = (0.5 / scale + top - y[0]) / step
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    fine = cv2.warpAffine(levels, to_lattice, page.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    # light and shade differ in colour as far as a lamp of another colour makes them
    share = np.array([1 - lamp.warmth, 1.0, 1 + lamp.warmth])
    return page.with_image(multiply(page.image, np.asarray(fine, np.uint8), 1 - share, 1 + 0.275 * share))


def _brightness(z: Lattice, step: np.float32, lamp: Lamp) -> Lattice:
    """Light on each point against that on flat paper, `(m, n)`."""
    zx = cv2.Sobel(z, cv2.CV_32F, 1, 0, ksize=1, scale=float(0.5 / step))
    zy = cv2.Sobel(z, cv2.CV_32F, 0, 1, ksize=1, scale=float(0.5 / step))
    facing = (1 - np.float32(lamp.slant[0]) * zx - np.float32(lamp.slant[1]) * zy) / np.sqrt(1 + zx * zx + zy * zy)
    bent = cv2.Laplacian(z, cv2.CV_32F, ksize=1, scale=float(1 / step**2))
    edge = np.float32(lamp.edge) * np.clip(bent, -0.3, 0.3)
    ambient = np.float32(lamp.ambient)
    return np.asarray(ambient + (1 - ambient) * np.maximum(facing, 0) - edge, np.float32)


def _sum(reliefs: Sequence[Relief], x_mm: Axis, y_mm: Axis) -> Lattice:
    total = np.zeros((len(y_mm), len(x_mm), 3), np.float32)
    for relief in reliefs:
        total += relief.displace(x_mm, y_mm)
    return total
