"""Depth of field: a picture sharp on one side and blurred on the other."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.degrade.noted import note
from ecgdig.degrade.pixels import mix

Rng = np.random.Generator
Image = NDArray[np.uint8]  # (H, W, 3) RGB


def defocus(image: Image, strength: float, rng: Rng) -> Image:
    """Blur that grows to one side or away from a place in focus: Gaussian of up to 2.2 px sigma at the far end."""
    sigma = 2.2 * strength * float(rng.uniform(0.4, 1))
    height, width = image.shape[:2]
    y, x = np.linspace(-1, 1, 24, dtype=np.float32)[:, None], np.linspace(-1, 1, 32, dtype=np.float32)[None]
    angle = float(rng.uniform(0, 2 * np.pi))
    tilted = rng.random() < 0.7
    note(rng, sigma_px=sigma, kind="to one side" if tilted else "around a place")
    if tilted:
        away = np.cos(angle) * x + np.sin(angle) * y + float(rng.uniform(-0.6, 0.4))
    else:
        cx, cy = rng.uniform(-0.7, 0.7, 2)
        away = np.hypot(x - cx, y - cy) - float(rng.uniform(0.2, 0.7))
    share = np.clip(away, 0, 1)
    if sigma < 0.15 or share.max() <= 0:
        return image
    # half and full blur; between them the picture is mixed, as a mixture of two Gaussians is nearly one
    fine = cv2.resize((share * 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    level = np.arange(256)
    out = image
    for start, s in ((0, 0.5 * sigma), (255, sigma)):
        part = np.asarray(cv2.LUT(fine, np.clip(2 * level - start, 0, 255).astype(np.uint8)), np.uint8)
        out = mix(out, np.asarray(cv2.GaussianBlur(image, (0, 0), s), np.uint8), part)
    return out
