"""Geometric degradations: each draws one stage of the page's warp; the image is resampled once, at the end."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.degrade.desk import Desk
from ecgdig.degrade.noted import note
from ecgdig.degrade.relief import Lamp, Relief
from ecgdig.degrade.sampling import Edges, resampled, shade
from ecgdig.degrade.wishes import NONE, Wishes
from ecgdig.page.layout import Paper
from ecgdig.page.page import Box, Page
from ecgdig.page.warp import Displacement, Homography, Radial, Stage, Warp, Waves, coarse_to_fine

Rng = np.random.Generator
Image = NDArray[np.uint8]  # (H, W, 3) RGB
COARSE_PX = 8  # the mm field is computed on every 8th pixel and interpolated: its second derivative is tiny
_PHONE_PX = 12.2e6  # of a usual phone's picture
_AROUND = 1.3  # a picture may be so much larger than its sheet, whatever the phone
_SHADE, _SHADE_MM = 0.35, 2.0  # of the shadow at the edge of a sheet
_CREASED_PX = 4  # where the sheet has creases: on every 4th


@dataclass(frozen=True)
class View:
    """How the sheet comes to lie in the image: reliefs and stages on the paper (mm), then stages in the image (px)."""

    paper_stages: tuple[Stage, ...] = ()
    image_stages: tuple[Stage, ...] = ()
    reliefs: tuple[Relief, ...] = ()
    lamp: Lamp | None = None  # instead of one drawn for all reliefs
    margin_mm: Box = (0.0, 0.0, 0.0, 0.0)  # more (or, negative, less) of the picture: left, top, right, bottom


def rotation(paper: Paper, strength: float, rng: Rng, wishes: Wishes = NONE) -> View:
    """A sheet laid askew: up to 12 degrees at strength 1."""
    degrees = float(rng.uniform(-1, 1)) * 12 * strength if wishes.rotation_deg is None else wishes.rotation_deg
    note(rng, degrees=degrees)
    return View(image_stages=(_rotate(degrees),))


def perspective(paper: Paper, strength: float, rng: Rng) -> View:
    """A camera held at an angle: corners move by up to 16 % of the sheet's short side."""
    reach = 0.16 * strength * min(paper.width_mm, paper.height_mm)
    corners = np.array(
        [[0, 0], [paper.width_mm, 0], [paper.width_mm, paper.height_mm], [0, paper.height_mm]], np.float32
    )
    shift = rng.uniform(-reach, reach, (4, 2)).astype(np.float32)
    for dx, dy in shift:
        note(rng, corner_dx_mm=dx, corner_dy_mm=dy)
    moved = corners + shift
    return View(image_stages=(Homography.of(cv2.getPerspectiveTransform(corners, moved)),))


def curl(paper: Paper, strength: float, rng: Rng) -> View:
    """A sheet that does not lie flat: a few long waves across it, up to 6 mm high at strength 1."""
    n = int(rng.integers(1, 4))
    waves = []
    for _ in range(n):
        length = float(rng.uniform(0.5, 2.0)) * max(paper.width_mm, paper.height_mm)
        angle, towards = rng.uniform(0, 2 * np.pi, 2)
        k = 2 * np.pi / length
        height = min(6.0 * strength * float(rng.uniform(0.2, 1)), 0.8 / k) / n
        note(rng, wavelength_mm=length, angle_deg=np.degrees(angle), height_mm=height)
        waves.append(
            (
                float(k * np.cos(angle)),
                float(k * np.sin(angle)),
                float(rng.uniform(0, 2 * np.pi)),
                float(height * np.cos(towards)),
                float(height * np.sin(towards)),
            )
        )
    return View(paper_stages=(Waves(tuple(waves)),))


def quarter_turn(paper: Paper, strength: float, rng: Rng) -> View:
    """A picture turned by 90, 180 or 270 degrees; without strength it is upright."""
    turns = int(rng.integers(1, 4)) if strength > 0 else 0
    note(rng, degrees=90 * turns)
    c, s = ((1, 0), (0, 1), (-1, 0), (0, -1))[turns]
    return View(image_stages=(Homography.of([[c, -s, 0], [s, c, 0], [0, 0, 1]]),))


def lens(paper: Paper, strength: float, rng: Rng) -> View:
    """Barrel or pincushion distortion: the corners of the sheet move by up to about 8 % of their distance."""
    middle = 0.5 * np.array([paper.width_mm, paper.height_mm])
    unit = float(np.linalg.norm(middle))
    cx, cy = middle + rng.normal(0, 0.08, 2) * unit
    bulge = 0.08 * strength * float(rng.uniform(-1, 1))
    note(rng, bulge=bulge, centre_x_mm=cx, centre_y_mm=cy)
    return View(image_stages=(Radial((float(cx), float(cy)), unit, bulge),))


def crop(paper: Paper, strength: float, rng: Rng) -> View:
    """A picture that shows only a part: one to three sides lose up to 22 % of the sheet, through the outer leads."""
    cut = (
        0.22 * strength * rng.uniform(0.2, 1, 4) * rng.permutation([1, 1, 1, 0] if rng.random() < 0.4 else [1, 0, 0, 0])
    )
    left, top, right, bottom = (float(v) for v in -cut * np.tile([paper.width_mm, paper.height_mm], 2))
    note(rng, left_mm=left, top_mm=top, right_mm=right, bottom_mm=bottom)
    return View(margin_mm=(left, top, right, bottom))


def padding(paper: Paper, strength: float, rng: Rng) -> View:
    """A picture with much around the sheet: up to 45 % of its size more on each side."""
    more = 0.45 * strength * rng.uniform(0, 1, 4) ** 2
    left, top, right, bottom = (float(v) for v in np.tile([paper.width_mm, paper.height_mm], 2) * more)
    note(rng, left_mm=left, top_mm=top, right_mm=right, bottom_mm=bottom)
    return View(margin_mm=(left, top, right, bottom))


def resample(
    page: Page,
    views: list[View],
    px_per_mm: float,
    margin_mm: float,
    background: Image | Desk | None,
    seen_mm: Box | None = None,
) -> Page:
    """Bring a clean page under `views` in one resampling.

    Args:
        page: a flat page (its warp is a scale).
        views: applied in order; paper stages first, image stages (given in mm) after all of them.
        px_per_mm: scale of the new image where the views do not change it; less where much is seen around a large
            sheet, as a phone has only so many pixels (`_PHONE_PX`).
        margin_mm: how much around the sheet is seen; negative crops the sheet; a window of a page is kept as it is.
        background: the desk, or an RGB picture of it, any size, enlarged to the image; None repeats the paper's colour.
        seen_mm: only the part of the image around this part of the paper is made.
    """
    stages = tuple(s for view in views for s in view.paper_stages) + tuple(
        s for view in views for s in view.image_stages
    )
    left, top, right, bottom = page.window_mm if seen_mm is None else seen_mm
    edge = np.linspace(0, 1, 33)
    border = np.concatenate([np.stack(side, 1) for side in _sides(edge)]) * [right - left, bottom - top] + [left, top]
    margins = margin_mm + sum((np.array(view.margin_mm) for view in views), np.zeros(4))
    if page.is_window or seen_mm is not None:
        margins = np.zeros(4)
    seen = Warp(stages).to_px(border) if stages else border
    low, high = seen.min(0) - margins[:2], seen.max(0) + margins[2:]
    if not page.is_window and seen_mm is None:
        most = max(_PHONE_PX, _AROUND * (right - left) * (bottom - top) * px_per_mm**2)
        px_per_mm = min(px_per_mm, float(np.sqrt(most / np.prod(np.maximum(high - low, 1.0)))))
    width, height = (int(v) for v in np.maximum(np.round((high - low) * px_per_mm), 16))
    to_px = Homography.scale(px_per_mm, (float(low[0]), float(low[1])))
    warp = Warp((*stages, to_px))
    image = _remap(page, warp, (height, width), background)
    return page.with_image(image, warp)


def _remap(page: Page, warp: Warp, shape: tuple[int, int], background: Image | Desk | None) -> Image:
    source, paper = page.image, page.layout.paper
    left, top, right, bottom = page.window_mm
    middle = np.array([[(left + right) / 2, (top + bottom) / 2]])
    scale = float(page.warp.px_per_mm(middle)[0])
    shrink = scale / float(warp.px_per_mm(middle)[0])
    if shrink > 1.4:  # averaging first: a remap alone would skip pixels
        size = (max(1, round(source.shape[1] / shrink)), max(1, round(source.shape[0] / shrink)))
        source = np.asarray(cv2.resize(source, size, interpolation=cv2.INTER_AREA), np.uint8)
    sx, sy = (scale * source.shape[axis] / page.image.shape[axis] for axis in (1, 0))
    field, step = _mm_field(warp, shape)
    corner, sizes = np.array([left, top], np.float32), np.array([sx, sy], np.float32)
    at = (field - corner) * sizes - np.float32(0.5)
    edges = (-left * sx - 0.5, -top * sy - 0.5, (paper.width_mm - left) * sx - 0.5, (paper.height_mm - top) * sy - 0.5)
    if background is None or _inside(at, edges):
        return resampled(source, at, step, shape)
    if isinstance(background, Desk):  # painted at half the size: it is not in focus
        small = (shape[0] + 1) // 2, (shape[1] + 1) // 2
        desk = background.picture(small, 0.5 * float(warp.px_per_mm(middle)[0]))
        shift = background.shadow_mm[0] * sx, background.shadow_mm[1] * sy
        shade(desk, at, step // 2, edges, shift, _SHADE, _SHADE_MM * sx)
        background = desk
    return resampled(source, at, step, shape, edges, background)


def _inside(at_px: NDArray[np.float32], edges: Edges) -> bool:
    """Whether all of `at_px` `(h, w, 2)` lies more than half a pixel inside the edges."""
    x, y = at_px[..., 0], at_px[..., 1]
    return bool(
        x.min() > edges[0] + 0.5 and y.min() > edges[1] + 0.5 and x.max() < edges[2] - 0.5 and y.max() < edges[3] - 0.5
    )


def _mm_field(warp: Warp, shape: tuple[int, int]) -> tuple[NDArray[np.float32], int]:
    """Paper mm of every `step`-th pixel, a little beyond the image: `(h, w, 2)`, and the step.

    Smooth maps are computed on every 8th pixel; the shifts of a creased sheet are found from those on every 4th.
    """
    height, width = shape[0] + 2 * COARSE_PX, shape[1] + 2 * COARSE_PX
    if not isinstance(warp.stages[0], Displacement):
        return warp.mm_field((height, width), COARSE_PX), COARSE_PX
    ratio = COARSE_PX // _CREASED_PX
    bent = Warp(warp.stages[1:]).mm_field((height, width), COARSE_PX)
    fine = coarse_to_fine(bent, ratio, (ratio * (bent.shape[0] - 1) + 1, ratio * (bent.shape[1] - 1) + 1))
    flat = warp.stages[0].inverse(fine.reshape(-1, 2).astype(np.float64))
    return flat.reshape(fine.shape).astype(np.float32), _CREASED_PX


def _sides(t: NDArray[np.float64]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    zero, one = np.zeros_like(t), np.ones_like(t)
    return [(t, zero), (t, one), (zero, t), (one, t)]


def _rotate(degrees: float) -> Homography:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return Homography.of([[c, -s, 0], [s, c, 0], [0, 0, 1]])
