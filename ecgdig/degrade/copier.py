"""Photocopies and faxes of a sheet: black toner on white paper, by a threshold."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.degrade.brush import LUMA, TILE, Mask, Rng, grain_tile, scale_of, soft_noise
from ecgdig.degrade.noted import note
from ecgdig.degrade.pixels import repeat
from ecgdig.page.page import Page

FAX_PER_MM = (8.04, 3.85)  # dots a mm across, lines a mm down: ITU-T T.4, standard resolution; fine has 7.7 lines


def photocopy(page: Page, strength: float, rng: Rng) -> Page:
    """High contrast in black and white, dirt, and salt and pepper; the fainter the grid, the less of it is left."""
    levels = _levels(page)
    if strength <= 0 or levels is None:
        return page
    grey = cv2.cvtColor(page.image, cv2.COLOR_RGB2GRAY)
    paper, ink = levels
    threshold = paper - float(rng.uniform(0.3, 0.6)) * (paper - ink)
    softness = max(3.0, (paper - ink) * float(rng.uniform(0.02, 0.16)))
    table = np.arange(256)
    black, white = float(rng.uniform(5, 45)), float(rng.uniform(235, 255))
    note(rng, threshold=threshold, softness=softness, black=black, white=white)
    steep = black + (white - black) / (1 + np.exp(-(table - threshold) / softness))
    curve = strength * steep + (1 - strength) * table
    dirty = cv2.LUT(_dirty(grey, strength, rng), np.clip(curve, 0, 255).astype(np.uint8))
    copy = _salt_and_pepper(np.asarray(dirty, np.uint8), strength, rng)
    keep = max(0.0, 1 - 2 * strength)  # colour is gone from half the strength on
    colour = np.asarray(cv2.merge([copy] * 3), np.uint8)
    return page.with_image(np.asarray(cv2.addWeighted(page.image, keep, colour, 1 - keep, 0), np.uint8))


def fax(page: Page, strength: float, rng: Rng) -> Page:
    """One bit a dot at fax resolution, with some lines lost; at less strength the original shines through."""
    levels = _levels(page)
    if strength <= 0 or levels is None:
        return page
    paper, ink = levels
    lines = FAX_PER_MM[1] * (2 if rng.random() < 0.6 else 1)
    height, width = page.shape
    scale = scale_of(page)
    size = (max(1, round(width * FAX_PER_MM[0] / scale)), max(1, round(height * lines / scale)))
    grey = cv2.cvtColor(page.image, cv2.COLOR_RGB2GRAY)
    small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    threshold = paper - float(rng.uniform(0.22, 0.45)) * (paper - ink)
    note(rng, threshold=threshold, lines_per_mm=lines)
    bits = np.where(small < threshold, 0, 255).astype(np.uint8)
    for _ in range(int(rng.poisson(1.5 * strength))):  # a line lost is the line before
        k = int(rng.integers(1, max(2, size[1])))
        bits[min(k, size[1] - 1)] = bits[min(k, size[1] - 1) - 1]
    bits = _salt_and_pepper(bits, 0.3 * strength, rng)
    sent = np.asarray(cv2.resize(bits, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    colour = np.asarray(cv2.merge([sent] * 3), np.uint8)
    share = min(1.0, 1.5 * strength)
    return page.with_image(np.asarray(cv2.addWeighted(page.image, 1 - share, colour, share, 0), np.uint8))


def _levels(page: Page) -> tuple[float, float] | None:
    """Grey levels of paper and trace; None: too near each other to tell apart by a threshold."""
    paper = float(LUMA @ page.style.paper_rgb)
    ink = paper + page.style.ink.opacity * (float(LUMA @ page.style.ink.rgb) - paper)
    return None if paper - ink < 60 else (paper, ink)


def _dirty(grey: NDArray[np.integer | np.floating], strength: float, rng: Rng) -> Mask:
    """Uneven light in the copier: patches up to 40 levels darker or lighter."""
    small = (max(2, grey.shape[0] // 16), max(2, grey.shape[1] // 16))
    cloud = soft_noise(rng, small, 8) * np.float32(14 * strength * float(rng.random()))
    field = cv2.resize(np.clip(cloud, -40, 40), grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.add(grey, field.astype(np.int16), dtype=cv2.CV_8U), np.uint8)


def _salt_and_pepper(grey: Mask, strength: float, rng: Rng) -> Mask:
    """Specks of one to three pixels, black on white and white on black; up to half a percent of the sheet."""
    first = tuple(int(v) for v in rng.integers(0, TILE, 2))
    rare = float(rng.uniform(2.6, 4.0)) + 2 * (1 - strength)
    specks = grain_tile(0.6)
    dark = np.where(specks > rare, np.uint8(rng.uniform(0, 60)), np.uint8(255))
    light = np.where(specks < -rare, np.uint8(255), np.uint8(0))
    out = cv2.min(grey, np.asarray(repeat(dark, grey.shape, (first[0], first[1])), np.uint8))
    return np.asarray(cv2.max(out, np.asarray(repeat(light, grey.shape, (first[0], first[1])), np.uint8)), np.uint8)
