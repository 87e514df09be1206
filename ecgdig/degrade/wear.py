"""Ink that suffered: bleeding, smearing, thermal paper that faded."""

from __future__ import annotations

import cv2
import numpy as np

from ecgdig.degrade.brush import Rng, blend, lay, number_of, region, scale_of, soft_noise, somewhere
from ecgdig.degrade.noted import note
from ecgdig.page.cover import LEGIBLE
from ecgdig.page.page import Page


def bleed(page: Page, strength: float, rng: Rng) -> Page:
    """Ink that spread in rough paper, over the whole sheet: lines up to about 0.3 mm wider, with soft edges."""
    sigma = float(rng.uniform(0.08, 0.25)) * strength * scale_of(page)
    note(rng, sigma_mm=sigma / scale_of(page))
    if sigma < 0.3:
        return page
    halo = np.asarray(cv2.GaussianBlur(page.image, (0, 0), sigma), np.uint8)
    deeper = cv2.addWeighted(halo, 1.25, np.full_like(halo, 255), -0.25, 0)  # as dark as it was, and wider
    return page.with_image(np.minimum(page.image, np.asarray(deeper, np.uint8)))


def smear(page: Page, strength: float, rng: Rng) -> Page:
    """Wet ink wiped by a sleeve: a patch with grey trails to one side."""
    if strength <= 0:
        return page
    image, scale = page.image.copy(), scale_of(page)
    for _ in range(number_of(page, rng, 2 * strength)):
        x, y = somewhere(page, rng)
        w, h = float(rng.uniform(8, 30)), float(rng.uniform(5, 16))
        where = region(page, (x - w, y - h, x + w, y + h))
        if where is None:
            continue
        part = where.of(image)
        n = max(3, round(float(rng.uniform(2, 9)) * scale * strength)) | 1
        note(rng, width_mm=2 * w, height_mm=2 * h, trail_mm=n / 2 / scale)
        trail = np.zeros((1, n), np.float32)
        trail[0, : n // 2 + 1] = np.linspace(0.2, 1, n // 2 + 1)  # to one side only
        if rng.random() < 0.5:
            trail = trail[:, ::-1]
        wiped = np.asarray(cv2.filter2D(part, -1, np.ascontiguousarray(trail / trail.sum())), np.uint8)
        gx, gy = where.mm(0.6)
        near = np.clip(1.4 - 1.4 * np.hypot((gx - x) / w, (gy - y) / h) + 0.2 * soft_noise(rng, gx.shape, 5), 0, 1)
        # what was there stays, the trail is added
        blend(part, where.enlarge(near * np.float32(0.85 * min(1.0, 0.3 + strength))), np.minimum(part, wiped))
    return page.with_image(image)


def thermal_fading(page: Page, strength: float, rng: Rng) -> Page:
    """Patches where the print has faded, as on old thermal paper, by up to nine tenths; what nearly goes is hidden."""
    if strength <= 0:
        return page
    height, width = page.shape
    paper = np.array(page.style.paper_rgb, np.float32)
    small = (max(2, height // 8), max(2, width // 8))
    knots = int(rng.integers(2, 7))
    patches = soft_noise(rng, small, knots)
    border = float(rng.uniform(-0.6, 0.8))
    note(rng, knots=knots, border=border)
    lost = np.clip((patches - border) * 1.2, 0, 1) * np.float32(0.9 * strength)
    fine = cv2.resize((lost * 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    image = page.image.copy()
    lay(image, np.asarray(fine, np.uint8), paper)
    page = page.with_image(image)
    gone = cv2.threshold(fine, 255 * (1 - LEGIBLE), 255, cv2.THRESH_BINARY)[1]
    return page.hide_seen(np.asarray(gone, np.uint8)) if gone.any() else page
