"""What is over or missing from the sheet as the camera sees it: punched holes, torn corners, fingers.

Unlike marks on the paper these show what lies behind or before the sheet, so they are drawn after the geometry, their
outline brought from paper mm through the warp.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.degrade.brush import Image, Rng, beside_a_trace, blend, drawn, soft_noise, tint
from ecgdig.degrade.noted import note
from ecgdig.page.page import Page
from ecgdig.page.warp import coarse_to_fine

Points = NDArray[np.float64]
_SKINS = ((226, 180, 150), (205, 150, 118), (160, 110, 80), (105, 70, 50))


def holes(page: Page, background: Image | None, strength: float, rng: Rng) -> Page:
    """Two, three or four holes of a punch, 5 to 7 mm wide, along an edge of the sheet, or a stray one in it."""
    if strength <= 0:
        return page
    paper, radius = page.layout.paper, float(rng.uniform(2.5, 3.5)) * (0.3 + 0.7 * strength)
    n, step = [(2, 80.0), (3, 108.0), (4, 80.0), (2, 70.0)][int(rng.integers(4))]
    inside, side = float(rng.uniform(8, 15)), int(rng.integers(3))
    along = (np.arange(n) - (n - 1) / 2) * step
    if side == 2:  # the top
        centres = np.stack([paper.width_mm / 2 + along, np.full(n, inside)], 1)
    else:
        x = inside if side == 0 else paper.width_mm - inside
        centres = np.stack([np.full(n, x), paper.height_mm / 2 + along], 1)
    if rng.random() < 0.5:
        centres = np.array([beside_a_trace(page, rng)])
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    circle = radius * np.stack([np.cos(angle), np.sin(angle)], 1)
    fill = _behind(background, rng)
    for centre in centres:
        note(rng, radius_mm=radius, x_mm=centre[0], y_mm=centre[1])
        page = _cut(page, centre + circle, fill, rim=0.0)
    return page


def torn(page: Page, background: Image | None, strength: float, rng: Rng) -> Page:
    """A corner torn off, or a piece out of an edge, with a pale fibrous rim: 10 to 60 mm."""
    if strength <= 0:
        return page
    paper = page.layout.paper
    size = float(rng.uniform(10, 60)) * (0.3 + 0.7 * strength)
    t = np.linspace(0, 1, 64)
    rough = np.cumsum(rng.normal(0, 1, 64))
    rough = (rough - t * rough[-1]) / max(float(np.abs(rough).max()), 1.0) * 0.09 * size + rng.normal(0, 0.12, 64)
    w, h = paper.width_mm, paper.height_mm
    corner = rng.random() < 0.6
    note(rng, size_mm=size, kind="corner" if corner else "edge")
    if corner:
        right, low = int(rng.integers(2)), int(rng.integers(2))
        a, b = size * float(rng.uniform(0.6, 1.4)), size * float(rng.uniform(0.6, 1.4))
        line = np.stack([a * (1 - t) + rough, b * t + rough], 1)
        piece = np.concatenate([line, [[-9.0, b], [-9.0, -9.0], [a, -9.0]]])
        if right:
            piece[:, 0] = w - piece[:, 0]
        if low:
            piece[:, 1] = h - piece[:, 1]
    else:  # from the top or the bottom edge, a wedge
        left, _, right_mm, _ = drawn(page)
        x, wide = float(rng.uniform(left, right_mm)), size * float(rng.uniform(0.15, 0.8))
        depth = size * (1 - np.abs(2 * t - 1) ** 1.5)
        line = np.stack([x + wide * (t - 0.5) + 0.4 * rough, depth + rough], 1)
        piece = np.concatenate([line, [[x + wide / 2, -9.0], [x - wide / 2, -9.0]]])
        if rng.random() < 0.5:
            piece[:, 1] = h - piece[:, 1]
    behind, rim = _behind(background, rng), float(rng.uniform(0.3, 1.5))
    note(rng, rim_mm=rim)
    return _cut(page, piece, behind, rim)


def finger(page: Page, background: Image | None, strength: float, rng: Rng) -> Page:
    """A thumb or finger that holds the sheet down, reaching in from an edge of what is seen: 14 to 22 mm wide."""
    if strength <= 0:
        return page
    height, width = page.shape
    middle = page.warp.to_mm([[width / 2, height / 2]])
    px_per_mm = float(page.warp.px_per_mm(middle)[0])
    radius = float(rng.uniform(7, 11)) * px_per_mm
    side, u = int(rng.integers(4)), float(rng.uniform(0.05, 0.95))
    start = np.array([(u * width, 0), (u * width, height), (0, u * height), (width, u * height)][side], np.float64)
    inward = np.array([(0, 1), (0, -1), (1, 0), (-1, 0)][side], np.float64)
    lean = float(rng.normal(0, 0.5))
    inward = np.array(
        [inward[0] * np.cos(lean) - inward[1] * np.sin(lean), inward[0] * np.sin(lean) + inward[1] * np.cos(lean)]
    )
    reach = float(rng.uniform(8, 35)) * strength
    note(rng, side=("top", "bottom", "left", "right")[side], width_mm=2 * radius / px_per_mm, reach_mm=reach)
    note(rng, lean_deg=np.degrees(lean))
    tip = start + inward * reach * px_per_mm
    back = start - inward * 4 * radius
    low = np.floor(np.minimum(tip, back) - 2.2 * radius).astype(int)
    high = np.ceil(np.maximum(tip, back) + 2.2 * radius).astype(int)
    low, high = np.clip(low, 0, [width, height]), np.clip(high, 0, [width, height])
    if (high - low < 2).any():
        return page
    image = page.image.copy()
    part = image[low[1] : high[1], low[0] : high[0]]
    step = max(1, round(0.06 * radius))  # shading is soft: computed coarsely and enlarged
    y, x = (np.arange(low[k], high[k] + step, step, dtype=np.float32) for k in (1, 0))
    y, x = y[:, None], x[None]
    # the shadow it throws, then the skin: dark at the sides, a nail near the tip
    off = np.float32(0.3 * radius)
    shade, _ = _capsule(x - off, y - off, tip, back, radius)
    dark = 0.5 * np.clip(1.15 - 0.6 * np.clip(shade, 0, 2), 0, 1) * np.clip((1.6 - shade) / 0.6, 0, 1)
    distance, along = _capsule(x, y, tip, back, radius)
    tone = np.array(_SKINS[int(rng.integers(len(_SKINS)))], np.float32)
    round_off = 1 - 0.4 * np.clip(distance, 0, 1) ** 2.5
    skin = tone * (round_off * (1 + 0.04 * soft_noise(rng, distance.shape, 12)))[..., None]
    if rng.random() < 0.6:
        nail = np.clip(4 * (0.62 - np.hypot((along - 0.75 * radius) / radius, distance * 0.9)), 0, 1)
        skin = skin * (1 - 0.5 * nail[..., None]) + np.float32(0.5) * nail[..., None] * (tone * 0.4 + 150)
    size = part.shape[:2]
    tint(part, coarse_to_fine(dark * 255, step, size).astype(np.uint8), np.zeros(3, np.float32))
    mask = np.zeros(size, np.uint8)
    ends = [tuple(int(v) for v in np.round((p - low) * 16)) for p in (tip, back)]
    cv2.line(mask, ends[0], ends[1], 255, max(1, round(2 * radius)), cv2.LINE_AA, shift=4)
    blend(part, mask, coarse_to_fine(np.clip(skin, 0, 255), step, size).astype(np.uint8))
    hidden = np.zeros((height, width), np.uint8)
    hidden[low[1] : high[1], low[0] : high[0]] = mask
    return page.with_image(image).hide_seen(hidden)


def _capsule(
    x: NDArray[np.float32], y: NDArray[np.float32], tip: Points, back: Points, radius: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Distance from a finger's middle line in units of its radius (1 = its outline), and px from its tip along it."""
    along = (back - tip) / float(np.linalg.norm(back - tip))
    dx, dy = x - np.float32(tip[0]), y - np.float32(tip[1])
    s = dx * np.float32(along[0]) + dy * np.float32(along[1])
    off = np.hypot(dx - np.clip(s, 0, None) * np.float32(along[0]), dy - np.clip(s, 0, None) * np.float32(along[1]))
    return np.asarray(off / radius, np.float32), np.asarray(s + radius, np.float32)


def _behind(background: Image | None, rng: Rng) -> Image:
    """The desk, or a scanner's lid: white, or black."""
    if background is not None:
        return background
    shade = float(rng.uniform(225, 255)) if rng.random() < 0.7 else float(rng.uniform(5, 50))
    return np.full((2, 2, 3), shade, np.uint8)


def _cut(page: Page, outline_mm: Points, behind: Image, rim: float) -> Page:
    """The page without a piece of it; `rim` mm of torn fibres around, a little brighter than the paper there."""
    height, width = page.shape
    px = page.warp.to_px(outline_mm)
    margin = 3 + 2 * rim * 15
    low = np.clip(np.floor(px.min(0) - margin).astype(int), 0, [width, height])
    high = np.clip(np.ceil(px.max(0) + margin).astype(int), 0, [width, height])
    if (high - low < 2).any():
        return page
    image = page.image.copy()
    part = image[low[1] : high[1], low[0] : high[0]]
    fixed = np.round((px - low) * 16).astype(np.int32)
    gone = np.zeros(part.shape[:2], np.uint8)
    cv2.fillPoly(gone, [fixed], 255, lineType=cv2.LINE_AA, shift=4)
    scale = float(page.warp.px_per_mm(outline_mm.mean(0)[None])[0])
    covered = gone
    if rim > 0:
        fibres, sheet = np.zeros_like(gone), np.zeros_like(gone)
        cv2.fillPoly(sheet, [np.round((_outline_px(page) - low) * 16).astype(np.int32)], 255, shift=4)
        cv2.polylines(fibres, [fixed], True, 255, max(1, round(2 * rim * scale)), cv2.LINE_AA, shift=4)
        fibres = np.asarray(cv2.bitwise_and(cv2.blur(fibres, (3, 3)), sheet), np.uint8)
        left = part[(gone == 0) & (sheet > 0)]
        bright = np.percentile(left, 80, axis=0) if left.size else np.full(3, 235.0)
        blend(part, fibres, np.broadcast_to(np.minimum(1.1 * bright + 4, 255).astype(np.uint8), part.shape))
        covered = np.maximum(gone, fibres)
    soft = cv2.GaussianBlur(gone, (0, 0), max(0.5, 0.25 * scale))
    edge = (1 - 0.25 * (soft / np.float32(255)))[..., None]  # the sheet's thickness
    part[:] = (part * edge).astype(np.uint8)
    # the desk as `geometry.resample` lays it: one picture over the whole image
    fx, fy = behind.shape[1] / width, behind.shape[0] / height
    crop = np.array([[fx, 0, (low[0] + 0.5) * fx - 0.5], [0, fy, (low[1] + 0.5) * fy - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    desk = cv2.warpAffine(behind, crop, part.shape[1::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    blend(part, gone, np.asarray(desk, np.uint8))
    page = page.with_image(image).hide(outline_mm)
    if rim <= 0:
        return page
    hidden = np.zeros((height, width), np.uint8)
    hidden[low[1] : high[1], low[0] : high[0]] = covered
    return page.hide_seen(hidden)


def _outline_px(page: Page) -> Points:
    """The sheet's edge in the picture, `(n, 2)`."""
    paper, t = page.layout.paper, np.linspace(0, 1, 41)[:-1]
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) * [paper.width_mm, paper.height_mm]
    sides = [a + (b - a) * t[:, None] for a, b in pairwise(corners)]
    return page.warp.to_px(np.concatenate(sides))
