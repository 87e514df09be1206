"""Stains: coffee and tea, soaked patches, mould."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.degrade.brush import (
    Region,
    Rng,
    blend,
    colour,
    grain,
    number_of,
    region,
    scale_of,
    soft_noise,
    somewhere,
    tint,
)
from ecgdig.degrade.noted import note
from ecgdig.page.page import Page

_STEP_MM = 0.4  # stains have no finer detail: they are computed this coarsely and enlarged
Field = NDArray[np.float32]


def coffee(page: Page, strength: float, rng: Rng) -> Page:
    """Rings of cups, splashes and spilt patches of coffee or tea, brown and drier at the edge."""
    if strength <= 0:
        return page
    image = page.image.copy()
    for _ in range(number_of(page, rng, 2.5 * strength)):
        rgb = colour(rng, (150, 100, 50) if rng.random() < 0.7 else (190, 150, 90), 14)
        x, y = somewhere(page, rng)
        ring = rng.random() < 0.55
        radius = float(rng.uniform(28, 45)) if ring else float(np.exp(rng.uniform(np.log(3), np.log(35))))
        note(rng, kind="ring" if ring else "splash", radius_mm=radius)
        if ring:  # a place on the ring is seen, not its middle
            angle = float(rng.uniform(0, 2 * np.pi))
            x, y = x + radius * np.cos(angle), y + radius * np.sin(angle)
        where = region(page, (x - 1.3 * radius, y - 1.3 * radius, x + 1.3 * radius, y + 1.3 * radius))
        if where is None:
            continue
        depth = _ring(where, (x, y), radius, rng) if ring else _patch(where, (x, y), radius, rng)
        tint(where.of(image), where.enlarge(depth * np.float32(strength * rng.uniform(0.5, 1.0))), rgb)
    return page.with_image(image)


def soaked(page: Page, strength: float, rng: Rng) -> Page:
    """A patch that was wet: wavy tide mark, darker paper, ink that ran."""
    if strength <= 0:
        return page
    image = page.image.copy()
    x, y = somewhere(page, rng)
    radius = float(rng.uniform(15, 70))
    note(rng, radius_mm=radius, x_mm=x, y_mm=y)
    where = region(page, (x - 1.4 * radius, y - 1.4 * radius, x + 1.4 * radius, y + 1.4 * radius))
    if where is None:
        return page
    distance = _distance(where, (x, y), radius, rng, rough=0.18)
    wet = np.clip((1 - distance) * radius / 2.5, 0, 1)  # 2.5 mm from dry to wet
    tide = np.exp(-((((distance - 1) * radius) / float(rng.uniform(0.6, 1.6))) ** 2))
    tide *= 0.5 + 0.5 * np.clip(soft_noise(rng, tide.shape, 9) * 0.6 + 0.6, 0, 1)
    part = where.of(image)
    _run(part, where.enlarge(wet * np.float32(min(1.0, 1.3 * strength))), scale_of(page), strength, rng)
    rgb = colour(rng, (205, 190, 150), 10)
    inside = 0.35 * wet * (0.8 + 0.2 * soft_noise(rng, wet.shape, 7))
    tint(part, where.enlarge(np.float32(strength) * np.maximum(inside, 0.9 * tide)), rgb)
    return page.with_image(image)


def _run(part: NDArray[np.uint8], wet: NDArray[np.uint8], scale: float, strength: float, rng: Rng) -> None:
    """Ink that spreads in wet paper, in place: the darkest of the ink and its own blurred halo."""
    sigma = float(rng.uniform(0.15, 0.5)) * strength * scale
    note(rng, run_mm=sigma / scale)
    if sigma < 0.3:
        return
    halo = cv2.GaussianBlur(part, (0, 0), sigma)
    ran = np.minimum(part, halo) if rng.random() < 0.6 else halo
    blend(part, wet, np.asarray(ran, np.uint8))


def mould(page: Page, strength: float, rng: Rng) -> Page:
    """Clusters of grey-green to black specks with a pale bloom around them."""
    if strength <= 0:
        return page
    image, scale = page.image.copy(), scale_of(page)
    for _ in range(number_of(page, rng, 4 * strength)):
        x, y = somewhere(page, rng)
        radius = float(rng.uniform(6, 35))
        note(rng, radius_mm=radius, x_mm=x, y_mm=y)
        where = region(page, (x - 1.3 * radius, y - 1.3 * radius, x + 1.3 * radius, y + 1.3 * radius))
        if where is None:
            continue
        near = np.clip(1 - _distance(where, (x, y), radius, rng, rough=0.35), 0, 1)
        rgb = colour(rng, ((70, 80, 60), (40, 40, 42), (110, 90, 60), (120, 125, 90))[int(rng.integers(4))], 8)
        sigma = round(float(np.clip(rng.uniform(0.15, 0.5) * scale, 0.7, 6)))
        needed = np.where(near > 0, 2.9 - 2.4 * np.sqrt(near), np.float32(12)).astype(np.float32)
        envelope = cv2.resize(needed, where.shape[::-1], interpolation=cv2.INTER_LINEAR)
        specks = grain(rng, where.shape, float(sigma)) - envelope
        dark = 255 * min(1.0, 0.3 + 0.7 * strength) * strength**0.5
        cover = cv2.convertScaleAbs(np.maximum(specks, 0), alpha=2.2 * dark)
        tint(where.of(image), np.minimum(cover, np.uint8(dark)), rgb)
        tint(where.of(image), where.enlarge(near * np.float32(0.25 * strength)), colour(rng, (190, 185, 160), 6))
    return page.with_image(image)


def _distance(where: Region, at: tuple[float, float], radius: float, rng: Rng, rough: float) -> Field:
    """Distance from `at` in units of a wavy, oval outline, on the coarse lattice."""
    x, y = where.mm(_STEP_MM)
    dx, dy = x - np.float32(at[0]), y - np.float32(at[1])
    stretch, turn = float(rng.uniform(0.7, 1.0)), float(rng.uniform(0, np.pi))
    u = np.cos(turn) * dx + np.sin(turn) * dy
    v = (-np.sin(turn) * dx + np.cos(turn) * dy) / stretch
    around = np.linspace(-np.pi, np.pi, 720)
    outline = np.ones_like(around)
    for k in (1, 2, 3, 5, 8, 13):
        outline += rough * rng.normal() / (1 + k) * 1.5 * np.cos(k * around + rng.uniform(0, 6.3))
    per_radius = (1 / (radius * np.clip(outline, 0.4, 1.3))).astype(np.float32)
    step = ((np.arctan2(v, u) + np.float32(np.pi)) * np.float32(719 / (2 * np.pi))).astype(np.int32)
    return np.asarray(np.sqrt(u * u + v * v) * per_radius[np.clip(step, 0, 719)], np.float32)


def _ring(where: Region, at: tuple[float, float], radius: float, rng: Rng) -> Field:
    """What the foot of a cup leaves: a line 1 to 4 mm wide, broken, paler inside."""
    x, y = where.mm(_STEP_MM)
    r = np.hypot(x - np.float32(at[0]), y - np.float32(at[1]))
    angle = np.arctan2(y - np.float32(at[1]), x - np.float32(at[0]))
    wide = float(rng.uniform(0.6, 2.0))
    wave = sum(rng.normal() / k * np.cos(k * angle + rng.uniform(0, 6.3)) for k in (1, 2, 3, 6))
    line = np.exp(-(((r - radius - 0.6 * wave) / wide) ** 2))
    strong = np.clip(0.6 + 0.5 * np.cos(angle + rng.uniform(0, 6.3)) + 0.25 * wave, 0.05, 1)
    inside = 0.12 * (r < radius) * rng.random()
    return np.asarray(np.maximum(line * strong, inside), np.float32)


def _patch(where: Region, at: tuple[float, float], radius: float, rng: Rng) -> Field:
    """A splash: pale inside, with a darker rim."""
    distance = _distance(where, at, radius, rng, rough=0.2)
    edge = max(0.4, 0.06 * radius)
    inside = np.clip((1 - distance) * radius / edge, 0, 1)
    rim = np.exp(-((((distance - 1) * radius + edge) / edge) ** 2))
    uneven = 0.75 + 0.25 * soft_noise(rng, inside.shape, 6)
    return np.asarray(np.clip(inside * (0.4 * uneven + 0.6 * rim), 0, 1), np.float32)
