"""Paper: texture, tone, age, print of the other side, faded ink. All of it is fixed in paper mm, on the flat page."""

from __future__ import annotations

import cv2
import numpy as np

from ecgdig.degrade import textures
from ecgdig.degrade.noted import note
from ecgdig.degrade.pixels import fade, multiply
from ecgdig.degrade.textures import fine_on_paper, soft_on_paper
from ecgdig.page.cover import LEGIBLE
from ecgdig.page.page import Page

Rng = np.random.Generator
_LEVEL = (np.arange(256) - 128.0) / 40  # of a tile, in standard deviations, (256,)
_DARKEST, _BRIGHTEST = float(_LEVEL[0]), float(_LEVEL[-1])
_WHITE = np.ones(3)


def fibre(page: Page, strength: float, rng: Rng) -> Page:
    """Grain of the paper: fibres of a few tenths of a millimetre, or the ripples of the machine's mesh along the sheet;
    up to 4 % of brightness (standard deviation)."""
    depth, ripples = 0.04 * strength * float(rng.uniform(0.3, 1)), rng.random() < 0.4
    per_mm = float(rng.uniform(8, 14) if ripples else rng.uniform(4, 9))
    note(rng, depth=depth, px_per_mm=per_mm, kind="ripples" if ripples else "fibres")
    field = fine_on_paper(page, textures.felt() if ripples else textures.fibre(), per_mm, rng)
    even = (1 - 0.02 * strength) * _WHITE
    return page.with_image(multiply(page.image, field, even + depth * _DARKEST, even + depth * _BRIGHTEST))


def mottle(page: Page, strength: float, rng: Rng) -> Page:
    """Cloudy tone: patches of 5 to 100 mm, up to 5 % brighter, darker, warmer or colder (standard deviation)."""
    depth = 0.05 * strength * float(rng.uniform(0.3, 1))
    tint = depth * (1 + rng.normal(0, 0.2, 3))
    per_mm = float(rng.uniform(1.2, 4))
    note(rng, depth=depth, px_per_mm=per_mm)
    field = soft_on_paper(page, textures.cloud(), per_mm, rng)
    even = 1 - depth
    return page.with_image(multiply(page.image, field, even + _DARKEST * tint, even + _BRIGHTEST * tint))


def ageing(page: Page, strength: float, rng: Rng) -> Page:
    """Yellowed paper: brown from the edges inwards and in clouds; blue loses up to 45 %, red up to 10 %."""
    top = strength * float(rng.uniform(0.4, 1))
    inward = float(np.exp(rng.uniform(np.log(6), np.log(45))))  # mm
    rim, even, cloudy = rng.uniform(0.2, 1), rng.uniform(0.1, 0.5), rng.uniform(0.3, 1.2)
    note(rng, depth=top, inward_mm=inward, rim=rim, even=even, cloudy=cloudy)
    scale = textures.px_per_mm_of(page)
    paper = page.layout.paper
    x, y = (
        page.window_mm[axis] + (np.arange(page.shape[1 - axis], dtype=np.float32) + 0.5) / np.float32(scale)
        for axis in (0, 1)
    )
    # brown fades inwards along both axes; their sum stays under 1 by 1 - (1 - a)(1 - b)
    left, above = (
        np.exp(-np.maximum(np.minimum(at, side - at), 0) / inward)
        for at, side in ((x, paper.width_mm), (y, paper.height_mm))
    )
    browned = np.clip(255 * (1 - np.outer(1 - above, 1 - left)), 0, 255).astype(np.uint8)
    cloud = soft_on_paper(page, textures.cloud(), float(rng.uniform(1.5, 4)), rng)
    offset = 255 * float(even) - 128 * float(cloudy)
    amount = np.asarray(cv2.addWeighted(browned, float(rim), cloud, float(cloudy), offset), np.uint8)
    brown = 1 - top * np.array([0.1, 0.2, 0.45]) * rng.uniform(0.7, 1, 3)
    return page.with_image(multiply(page.image, amount, _WHITE, brown))


def show_through(page: Page, strength: float, rng: Rng) -> Page:
    """Print of the other side, mirrored and blurred, up to 22 % dark."""
    depth, per_mm = 0.22 * strength * float(rng.uniform(0.3, 1)), float(rng.uniform(3.2, 5.5))
    note(rng, depth=depth, px_per_mm=per_mm)
    field = fine_on_paper(page, textures.print_behind(), per_mm, rng)
    return page.with_image(multiply(page.image, field, (1 - depth) * _WHITE, _WHITE))


def fading(page: Page, strength: float, rng: Rng) -> Page:
    """Bleached patches: everything printed comes up to 80 % nearer to the paper's colour, and is then hidden."""
    top, even = 0.8 * strength * float(rng.uniform(0.4, 1)), float(rng.uniform(0, 0.35))
    border, edge = float(rng.uniform(-1.0, 0.8)), float(rng.uniform(0.15, 0.8))
    note(rng, depth=top, even=even, border=border, edge=edge)
    field = soft_on_paper(page, textures.cloud(), float(rng.uniform(1.0, 3.5)), rng)
    patch = np.clip((_LEVEL - border) / edge, 0, 1)
    faded = cv2.LUT(field, np.round(255 * (even + (1 - even) * patch)).astype(np.uint8))
    page = page.with_image(fade(page.image, page.style.paper_rgb, np.asarray(faded, np.uint8), 1.0, 1 - top))
    gone = cv2.threshold(faded, 255 * (1 - LEGIBLE) / max(top, 1e-6), 255, cv2.THRESH_BINARY)[1]
    return page.hide_seen(np.asarray(gone, np.uint8)) if gone.any() else page
