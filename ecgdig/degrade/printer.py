"""What the printer does: dots, bands, dead dots and streaks without toner, halftone, plates out of place."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.degrade.brush import LUMA, Mask, Rng, lay, scale_of, soft_noise
from ecgdig.degrade.noted import note
from ecgdig.degrade.pixels import add_waves, enlarged, fade_colours, repeat, shifted, shrunk
from ecgdig.page.page import Page

DOTS_PER_MM = 8.0  # of thermal print heads; some have 6 or 12


def staircase(page: Page, strength: float, rng: Rng) -> Page:
    """Printed in square dots, 12 down to 5 a millimetre: slopes become stairs; nothing where the image is coarser."""
    scale = scale_of(page)
    dots = float(rng.uniform(5, 12 - 5 * strength)) if strength > 0.3 else 12.0
    if strength <= 0 or dots > 0.9 * scale:
        return page
    note(rng, dots_per_mm=dots)
    height, width = page.shape
    size = (max(1, round(width * dots / scale)), max(1, round(height * dots / scale)))
    small = shrunk(page.image, size)
    # a dot is burnt or not: grey ones go either way
    hard = np.asarray(cv2.addWeighted(small, 1 + strength, np.asarray(cv2.blur(small, (3, 3))), -strength, 0), np.uint8)
    return page.with_image(enlarged(hard, page.shape))


def banding(page: Page, strength: float, rng: Rng) -> Page:
    """Bands across the feed, 0.5 to 12 mm apart, in which less ink comes: up to three quarters of it."""
    if strength <= 0:
        return page
    axis = int(rng.integers(2))
    n, scale = page.shape[axis], scale_of(page)
    at_mm = (np.arange(n) + 0.5) / scale
    period = float(np.exp(rng.uniform(np.log(0.5), np.log(12))))
    wave = 0.5 + 0.5 * np.cos(2 * np.pi * (at_mm / period + rng.random()))
    slow = np.interp(at_mm, np.linspace(0, at_mm[-1] + 1e-6, 12), rng.random(12))
    power = float(rng.uniform(1, 4))
    note(rng, period_mm=period, power=power, along="rows" if axis == 0 else "columns")
    return _lose(page, 0.75 * strength * wave**power * slow, axis)


def streaks(page: Page, strength: float, rng: Rng) -> Page:
    """Dead dots of a print head (fine lines without ink) or streaks 1 to 6 mm wide where the toner ran out."""
    if strength <= 0:
        return page
    axis = int(rng.integers(2))
    n, scale = page.shape[axis], scale_of(page)
    at_mm = (np.arange(n) + 0.5) / scale
    lost = np.zeros(n)
    if rng.random() < 0.5:
        for centre in rng.uniform(0, at_mm[-1], 1 + int(rng.poisson(6 * strength * at_mm[-1] / 100))):
            note(rng, kind="dead dot", width_mm=0.16)
            lost = np.maximum(lost, np.clip((0.08 - np.abs(at_mm - centre)) * scale + 0.5, 0, 1))
    else:
        for centre in rng.uniform(0, at_mm[-1], 1 + int(rng.poisson(2 * strength * at_mm[-1] / 100))):
            wide = float(rng.uniform(0.5, 3))
            depth = float(rng.uniform(0.3, 0.85))
            note(rng, kind="streak", width_mm=2 * wide, depth=strength * depth)
            lost = np.maximum(lost, depth * np.exp(-(((at_mm - centre) / wide) ** 4)))
    return _lose(page, strength * lost, axis)


def misregistration(page: Page, strength: float, rng: Rng) -> Page:
    """Colours out of place against each other by up to 0.25 mm; their grey mean stays where it was."""
    shift = rng.normal(0, 0.09, (3, 2)) * strength * scale_of(page)
    shift = np.clip(shift, -0.25 * scale_of(page), 0.25 * scale_of(page))
    shift -= LUMA @ shift
    if np.abs(shift).max() < 0.02:
        return page
    for dx, dy in shift / scale_of(page):
        note(rng, dx_mm=dx, dy_mm=dy)
    planes = [
        shifted(np.asarray(plane, np.uint8), float(dx), float(dy))
        for plane, (dx, dy) in zip(cv2.split(page.image), shift, strict=True)
    ]
    return page.with_image(np.asarray(cv2.merge(planes), np.uint8))


def halftone(page: Page, strength: float, rng: Rng) -> Page:
    """Tints as dots of a screen, 2.5 to 6 a millimetre; what is black or white stays so."""
    if strength <= 0:
        return page
    per_px = float(rng.uniform(2.5, 6)) / scale_of(page)
    degrees = float(rng.choice([0.0, 15.0, 45.0, 75.0]))
    note(rng, dots_per_mm=per_px * scale_of(page), angle_deg=degrees)
    angle = np.radians(degrees)
    u, v = np.cos(angle) * per_px * 2 * np.pi, np.sin(angle) * per_px * 2 * np.pi
    return page.with_image(add_waves(page.image, np.array([u, -v]), np.array([v, u]), 60 * strength))


def broken_lines(page: Page, strength: float, rng: Rng) -> Page:
    """Coloured lines of an ink printer: dashes and ropes 0.3 to 0.7 mm long; what is black, and the paper, stay."""
    if strength <= 0:
        return page
    scale = scale_of(page)
    period, degrees = float(rng.uniform(0.3, 0.7)), float(rng.uniform(8, 82)) * (1 if rng.random() < 0.5 else -1)
    note(rng, period_mm=period, angle_deg=degrees)
    wide = max(8, round(8 * period * scale))  # of a tile that holds whole waves both ways
    waves = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]) * wide / (period * scale)
    u, v = (float(np.round(n)) or 1.0 for n in waves)
    y, x = np.mgrid[0:wide, 0:wide] / wide
    wave = 0.5 + 0.5 * np.cos(2 * np.pi * (u * x + v * y))
    uneven = soft_noise(rng, (wide, wide), 5)
    lost = np.clip(255 * strength * np.clip(1.6 * wave - 0.5 + 0.25 * uneven, 0, 1), 0, 255).astype(np.uint8)
    first = int(rng.integers(wide)), int(rng.integers(wide))
    field = np.asarray(repeat(lost, page.shape, first), np.uint8)
    return page.with_image(fade_colours(page.image, page.style.paper_rgb, field, 0.8))


def _lose(page: Page, lost: NDArray[np.float64], axis: int) -> Page:
    """The page with a share of its ink, 0 to 1, `(n,)` along rows (axis 0) or columns, gone."""
    profile = np.round(255 * np.clip(lost, 0, 1)).astype(np.uint8)
    mask: Mask = np.ascontiguousarray(np.broadcast_to(profile[:, None] if axis == 0 else profile, page.shape))
    image = page.image.copy()
    lay(image, mask, np.array(page.style.paper_rgb, np.float32))
    return page.with_image(image)
