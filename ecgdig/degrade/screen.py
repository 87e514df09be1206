"""Pages on and from screens, and what a scanner adds: moiré, screenshots, lines, dust."""

from __future__ import annotations

import cv2
import numpy as np

from ecgdig.degrade.brush import Mask, Rng, lay, soft_noise, tint
from ecgdig.degrade.noted import note
from ecgdig.degrade.pixels import enlarged, shrunk
from ecgdig.page.page import Page
from ecgdig.page.warp import Homography

SCREENSHOT_PX_PER_MM = 2.0
_BAND_PX = 128  # rows done at once, so that little memory is needed


def moire(page: Page, strength: float, rng: Rng) -> Page:
    """A photographed screen: its rows and columns of dots, and the coloured fringes they make with the camera's."""
    if strength <= 0:
        return page
    height, width = page.shape
    rows, columns = (_dot_rows(n, strength, rng) for n in (height, width))
    step = 4
    h, w = -(-height // step), -(-width // step)
    y, x = np.mgrid[0:h, 0:w].astype(np.float32) * np.float32(step)
    fringes = np.zeros((h, w, 3), np.float32)
    for _ in range(int(rng.integers(1, 3))):
        angle, period = float(rng.uniform(0, np.pi)), float(np.exp(rng.uniform(np.log(18), np.log(160))))
        note(rng, fringe_px=period, angle_deg=np.degrees(angle))
        bend = 2.5 * soft_noise(rng, (h, w), 2)
        phase = 2 * np.pi / period * (np.cos(angle) * x + np.sin(angle) * y) + bend
        apart = float(rng.uniform(0, 1.2))
        fringes += np.stack([np.cos(phase + k * apart) for k in range(3)], axis=-1)
    gain = 1 - np.float32(0.1 * strength) * (1 + 0.5 * fringes)
    fine = cv2.resize(np.clip(gain * 255, 0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    cv2.multiply(page.image, fine, dst=fine, scale=1 / 255)
    for top in range(0, height, _BAND_PX):
        band = fine[top : top + _BAND_PX]
        grid = np.minimum(rows[top : top + _BAND_PX, None], columns)
        cv2.multiply(band, cv2.merge([grid] * 3), dst=band, scale=1 / 255)
    return page.with_image(np.asarray(fine, np.uint8))


def _dot_rows(n: int, strength: float, rng: Rng) -> Mask:
    """Brightness along one axis of a screen whose dots are 2.2 to 5 px wide, uint8 `(n,)`."""
    period, phase = float(rng.uniform(2.2, 5)), float(rng.random())
    note(rng, dot_px=period)
    wave = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(n) / period + phase))
    return np.round(255 * (1 - 0.22 * strength * wave**2)).astype(np.uint8)


def screenshot(page: Page, strength: float, rng: Rng) -> Page:
    """As it was once shown at 2 px a mm (at less strength finer), and enlarged again; a whole page may stay small."""
    height, width = page.shape
    scale = float(page.warp.px_per_mm(page.warp.to_mm([[width / 2, height / 2]]))[0])
    factor = SCREENSHOT_PX_PER_MM / scale / max(strength, 1e-6)
    if factor >= 1:
        return page
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = shrunk(page.image, size)
    which, kept = int(rng.integers(3)), not page.is_window and rng.random() < 0.4
    note(rng, px_per_mm=factor * scale, enlarged="no" if kept else ("linear", "cubic", "nearest")[which])
    if kept:
        x, y = size[0] / width, size[1] / height
        return page.with_image(
            small, page.warp.then(Homography.of([[x, 0.0, (x - 1) / 2], [0.0, y, (y - 1) / 2], [0.0, 0.0, 1.0]]))
        )
    how = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST)[which]
    if how == cv2.INTER_NEAREST:  # OpenCV's own takes the upper left pixels
        return page.with_image(enlarged(small, (height, width)))
    return page.with_image(np.asarray(cv2.resize(small, (width, height), interpolation=how), np.uint8))


def scanner_lines(page: Page, strength: float, rng: Rng) -> Page:
    """Lines along the carriage's way from dirt on the sensor, 1 to 3 px, coloured or grey, and uneven columns."""
    if strength <= 0:
        return page
    image, axis = page.image.copy(), int(rng.integers(2))
    n = page.shape[1 - axis]
    uneven = np.interp(np.arange(n), np.linspace(0, n, 40), np.abs(rng.normal(0, 0.06, 40))) + rng.uniform(0, 0.03, n)
    _tint_lines(image, strength * uneven, axis, np.zeros(3, np.float32))
    for _ in range(1 + int(rng.poisson(2 * strength))):
        line = np.zeros(n)
        at, wide = int(rng.integers(n)), int(rng.integers(1, 4))
        depth = float(rng.uniform(0.15, 0.8)) * strength
        note(rng, along="columns" if axis == 0 else "rows", width_px=wide, depth=depth)
        line[at : at + wide] = depth
        rgb = np.full(3, rng.uniform(0, 140)) if rng.random() < 0.4 else rng.uniform(0, 255, 3)
        _tint_lines(image, line, axis, rgb.astype(np.float32))
    return page.with_image(image)


def _tint_lines(image: Mask, amount: np.ndarray[tuple[int], np.dtype[np.float64]], axis: int, rgb: np.ndarray) -> None:
    profile = np.round(255 * np.clip(amount, 0, 1)).astype(np.uint8)
    where = np.flatnonzero(profile)
    if where.size == 0:
        return
    only = slice(where[0], where[-1] + 1)
    part = image[:, only] if axis == 0 else image[only]
    tint(part, np.broadcast_to(profile[only] if axis == 0 else profile[only, None], part.shape[:2]), rgb)


def dust(page: Page, strength: float, rng: Rng) -> Page:
    """Specks and hairs on the scanner's glass or the lens, dark or white."""
    if strength <= 0:
        return page
    height, width = page.shape
    scale = float(page.warp.px_per_mm(page.warp.to_mm([[width / 2, height / 2]]))[0])
    dark, light = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    area_mm2 = height * width / scale**2
    n = 1 + int(rng.poisson(min(0.012 * area_mm2 * strength, 300)))
    at = rng.uniform(0, 1, (n, 2)) * [width, height]
    size = np.exp(rng.normal(-1.9, 0.6, n)) * scale  # about 0.15 mm
    for (x, y), r in zip(at, size, strict=True):
        canvas = dark if rng.random() < 0.7 else light
        axes = (max(1, round(8 * r)), max(1, round(8 * r * float(rng.uniform(0.4, 1)))))
        cv2.ellipse(
            canvas, (round(16 * x), round(16 * y)), (2 * axes[0], 2 * axes[1]), float(rng.uniform(0, 180)), 0, 360,
            int(rng.integers(90, 255)), -1, cv2.LINE_AA, shift=4,
        )  # fmt: skip
    hairs = int(rng.poisson(min(0.0006 * area_mm2 * strength, 12)))
    note(rng, specks=n, hairs=hairs)
    for _ in range(hairs):
        steps = np.cumsum(rng.normal(0, 1, (24, 2)), 0)
        hair = rng.uniform(0, 1, 2) * [width, height] + np.cumsum(steps, 0) * 0.03 * scale
        canvas = dark if rng.random() < 0.6 else light
        cv2.polylines(canvas, [np.round(hair * 16).astype(np.int32)], False, 200, 1, cv2.LINE_AA, shift=4)
    image = page.image.copy()
    tint(
        image,
        np.asarray(cv2.convertScaleAbs(dark, alpha=min(1.0, 0.3 + strength)), np.uint8),
        np.full(3, 60, np.float32),
    )
    lay(
        image,
        np.asarray(cv2.convertScaleAbs(light, alpha=min(1.0, 0.3 + strength)), np.uint8),
        np.full(3, 250, np.float32),
    )
    return page.with_image(image)
