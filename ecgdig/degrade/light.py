"""Light: uneven illumination and colour, applied to the finished image."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Rng = np.random.Generator
Image = NDArray[np.uint8]  # (H, W, 3) RGB


def gradient(image: Image, strength: float, rng: Rng) -> Image:
    """Light from one side and a few soft patches: brightness falls to 1 - 0.6·strength at the darkest place."""
    knots = rng.uniform(0, 1, (4, 4)).astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1:1:4j, -1:1:4j]
    side = (np.cos(angle) * x + np.sin(angle) * y) / 2.83 + 0.5
    dark = float(rng.uniform(0.1, 0.6)) * strength
    mixed = (0.7 * side + 0.3 * knots).astype(np.float32)
    mixed = (mixed - mixed.min()) / max(float(np.ptp(mixed)), 1e-6)
    return _multiply(image, 1 - dark * mixed)


def shadow(image: Image, strength: float, rng: Rng) -> Image:
    """The soft edge of a shadow across the sheet, as of a person leaning over it."""
    height, width = 48, 64
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-0.25, 0.25)
    bend = rng.uniform(-0.3, 0.3)
    u = np.cos(angle) * (x / width - 0.5) + np.sin(angle) * (y / height - 0.5)
    v = -np.sin(angle) * (x / width - 0.5) + np.cos(angle) * (y / height - 0.5)
    softness = float(rng.uniform(0.01, 0.12))
    inside = 1 / (1 + np.exp(-(u - offset - bend * v * v * 4) / softness))
    return _multiply(image, (1 - float(rng.uniform(0.15, 0.6)) * strength * inside).astype(np.float32))


def colour_cast(image: Image, strength: float, rng: Rng) -> Image:
    """Warm or cold light: red against blue by up to 15 % at strength 1, green by up to 4 %."""
    warm, green = float(rng.uniform(-0.15, 0.15)) * strength, float(rng.uniform(-0.04, 0.04)) * strength
    gains = np.array([1 + warm, 1 + green, 1 - warm])
    table = np.clip(np.arange(256)[:, None] * (gains / gains.max()) + 0.5, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table[None]), np.uint8)


def exposure(image: Image, strength: float, rng: Rng) -> Image:
    """Contrast, brightness and gamma of a camera or scanner."""
    gamma = float(np.exp(rng.uniform(-0.5, 0.5) * strength))
    black, white = float(rng.uniform(0, 50)) * strength, 255 - float(rng.uniform(0, 60)) * strength
    ramp = (np.linspace(0, 1, 256) ** gamma) * (white - black) + black
    return np.asarray(cv2.LUT(image, ramp.astype(np.uint8)), np.uint8)


def _multiply(image: Image, field: NDArray[np.float32]) -> Image:
    fine = cv2.resize(field.astype(np.float32), (image.shape[1], image.shape[0]), interpolation=cv2.INTER_CUBIC)
    fine8 = np.clip(fine * 255 + 0.5, 0, 255).astype(np.uint8)
    return np.asarray(cv2.multiply(image, cv2.merge([fine8] * 3), scale=1 / 255), np.uint8)
