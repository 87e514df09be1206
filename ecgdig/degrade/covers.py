"""What is stuck or laid on the sheet: tape, black bars, stickers, staples. What is opaque is told to the page."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.degrade.brush import (
    Rng,
    beside_a_trace,
    blend,
    box_of,
    colour,
    drawn,
    lay,
    number_of,
    polygon_mask,
    region,
    scale_of,
    soft_noise,
    somewhere,
    tint,
    turned,
)
from ecgdig.degrade.noted import note
from ecgdig.degrade.stamps import printed
from ecgdig.fonts import PRINTS
from ecgdig.page.page import Page
from ecgdig.page.text import stamp

Points = NDArray[np.float64]
AnyArray = NDArray[np.integer[Any] | np.floating[Any]]  # what OpenCV's stubs say it returns


def redaction(page: Page, strength: float, rng: Rng) -> Page:
    """Black (or white) bars over names, sometimes over traces: up to about four on a sheet."""
    if strength <= 0:
        return page
    for _ in range(number_of(page, rng, 3 * strength)):
        x, y = _place(page, rng)
        if rng.random() < 0.3:  # over the header
            y = drawn(page)[1] + float(rng.uniform(2, 14))
        w, h = float(rng.uniform(8, 55)) * (0.3 + 0.7 * strength), float(rng.uniform(3, 11)) * (0.3 + 0.7 * strength)
        shade = (255, 255, 255) if rng.random() < 0.15 else (8, 8, 10)
        bar = _rectangle(w, h)
        if rng.random() < 0.4:  # with a marker: ragged ends, wavy edges
            bar = _ragged(w, h, rng)
        turn = float(rng.normal(0, 2.5)) if rng.random() < 0.5 else 0.0
        note(rng, width_mm=w, height_mm=h, turn_deg=turn, x_mm=x, y_mm=y, colour="white" if shade[0] > 128 else "black")
        page = _opaque(page, turned(bar, turn, (x, y)), colour(rng, shade, 4))
    return page


def tape(page: Page, strength: float, rng: Rng) -> Page:
    """A strip of tape, 10 to 25 mm wide with jagged ends: clear and glossy, yellowed, or of paper, which hides."""
    if strength <= 0:
        return page
    length, width = float(rng.uniform(25, 110)), float(rng.choice([12, 15, 19, 25])) * (0.4 + 0.6 * strength)
    strip = _jagged(length, width, rng)
    turn = float(rng.choice([0, 90])) + float(rng.normal(0, 7))
    outline = turned(strip, turn, _place(page, rng))
    opaque = rng.random() < 0.25
    note(rng, kind="paper" if opaque else "clear", length_mm=length, width_mm=width, turn_deg=turn)
    if opaque:
        return _opaque(page, outline, colour(rng, (222, 205, 165) if rng.random() < 0.5 else (240, 240, 236), 8))
    where = region(page, box_of(outline))
    if where is None:
        return page
    image = page.image.copy()
    part, mask = where.of(image), polygon_mask(page, outline, where)
    rgb = colour(rng, (240, 225, 180) if rng.random() < 0.5 else (246, 246, 240), 6)
    tint(part, _scaled(mask, 0.3 + 0.7 * strength), rgb)
    # gloss: bright, soft streaks along the strip and a pale haze
    along = np.abs(np.sin(np.radians(turn))) < 0.7
    streak = np.clip(soft_noise(rng, (24, 4) if along else (4, 24), 24), 0, None)
    haze = np.clip(0.1 + 0.2 * streak, 0, 0.6) * np.float32(strength * float(rng.uniform(0.3, 1)))
    lay(part, np.asarray(cv2.multiply(mask, where.enlarge(haze), scale=1 / 255), np.uint8), np.full(3, 251, np.float32))
    edge = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    tint(part, _scaled(edge, 0.5 * strength), np.array([150, 145, 130], np.float32))
    return page.with_image(image)


def sticker(page: Page, strength: float, rng: Rng) -> Page:
    """A label with a barcode and a number, opaque, with a thin shadow: 20 to 60 mm wide."""
    if strength <= 0:
        return page
    size = 0.4 + 0.6 * strength
    w, h = float(rng.uniform(25, 60)) * size, float(rng.uniform(10, 28)) * size
    turn = float(rng.choice([0, 0, 0, 90])) + float(rng.normal(0, 4))
    at = _place(page, rng)
    note(rng, width_mm=w, height_mm=h, turn_deg=turn, x_mm=at[0], y_mm=at[1])
    outline = turned(_rectangle(w, h), turn, at)
    where = region(page, box_of(outline, 1.0))
    if where is None:
        return page
    image, scale = page.image.copy(), scale_of(page)
    shadow = cv2.GaussianBlur(polygon_mask(page, outline + np.array([0.3, 0.4]), where), (0, 0), 0.4 * scale)
    tint(where.of(image), _scaled(shadow, 0.5), np.array([90, 90, 95], np.float32))
    label = _label(max(8, round(w * scale)), max(6, round(h * scale)), rng)
    corners = (page.warp.to_px(turned(_rectangle(w, h), turn, at)) - [where.x0, where.y0]).astype(np.float32)
    source = np.array([[0, 0], [label.shape[1], 0], [label.shape[1], label.shape[0]]], np.float32) - 0.5
    to_region = cv2.getAffineTransform(source, corners[:3])
    size_px = where.shape[::-1]
    paper = cv2.warpAffine(label, to_region, size_px, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    blend(where.of(image), polygon_mask(page, outline, where), np.asarray(paper, np.uint8))
    return page.with_image(image).hide(outline)


def staple(page: Page, strength: float, rng: Rng) -> Page:
    """A staple: 12 mm of bright wire with its shadow, some rust at its ends."""
    if strength <= 0:
        return page
    turn, at = float(rng.normal(0, 40)), somewhere(page, rng)
    note(rng, turn_deg=turn, x_mm=at[0], y_mm=at[1])
    outline = turned(_rectangle(12.0, 0.6), turn, at)
    where = region(page, box_of(outline, 2.0))
    if where is None:
        return page
    image, scale = page.image.copy(), scale_of(page)
    part = where.of(image)
    shadow = cv2.GaussianBlur(polygon_mask(page, outline + np.array([0.4, 0.6]), where), (0, 0), max(0.5, 0.35 * scale))
    tint(part, _scaled(shadow, 0.8 * strength), np.array([60, 60, 60], np.float32))
    ends = np.zeros(where.shape, np.uint8)
    for end in (outline[[0, 3]].mean(0), outline[[1, 2]].mean(0)):
        px = page.warp.to_px(end) - [where.x0, where.y0]
        cv2.circle(ends, (round(float(px[0])), round(float(px[1]))), max(1, round(0.9 * scale)), 255, -1, cv2.LINE_AA)
    rust = cv2.GaussianBlur(ends, (0, 0), max(0.5, 0.5 * scale))
    tint(part, _scaled(rust, float(rng.random()) * strength), np.array([170, 95, 40], np.float32))
    mask = polygon_mask(page, outline, where)
    shine = 150 + 60 * soft_noise(rng, where.shape, 4)
    wire = np.repeat(np.clip(shine, 40, 250).astype(np.uint8)[..., None], 3, axis=2)
    blend(part, mask, wire)
    return page.with_image(image).hide(outline)


def _place(page: Page, rng: Rng) -> tuple[float, float]:
    """Two times of three on a trace: what hides nothing teaches nothing."""
    return beside_a_trace(page, rng) if rng.random() < 0.67 else somewhere(page, rng)


def _opaque(page: Page, outline: Points, rgb: NDArray[np.float32]) -> Page:
    where = region(page, box_of(outline))
    if where is None:
        return page
    image = page.image.copy()
    lay(where.of(image), polygon_mask(page, outline, where), rgb)
    return page.with_image(image).hide(outline)


def _scaled(mask: AnyArray, by: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.convertScaleAbs(mask, alpha=by), np.uint8)


def _rectangle(w: float, h: float) -> Points:
    """Corners around the origin, clockwise from the top left."""
    return np.array([[-w, -h], [w, -h], [w, h], [-w, h]]) / 2


def _ragged(w: float, h: float, rng: Rng) -> Points:
    x = np.linspace(-w / 2, w / 2, 14)
    top = np.stack([x, -h / 2 + rng.normal(0, 0.25, 14)], 1)
    bottom = np.stack([x[::-1] + rng.normal(0, 0.5, 14), h / 2 + rng.normal(0, 0.25, 14)], 1)
    return np.concatenate([top, bottom])


def _jagged(w: float, h: float, rng: Rng) -> Points:
    """A strip cut off by the teeth of a dispenser."""
    teeth = max(4, round(h / 1.2))
    y = np.linspace(-h / 2, h / 2, 2 * teeth + 1)
    saw = np.where(np.arange(len(y)) % 2 == 0, 0.0, 0.6)
    lean = float(rng.normal(0, 0.05)) * y
    right = np.stack([w / 2 + saw + lean, y], 1)
    left = np.stack([-w / 2 + saw + lean, y], 1)[::-1]
    return np.concatenate([right, left])


def _label(width: int, height: int, rng: Rng) -> NDArray[np.uint8]:
    """A label of `width` x `height` px: a barcode over a line or two of text."""
    ink = np.zeros((height, width), np.uint8)
    margin = max(1, round(0.06 * width))
    bars = np.repeat(rng.random(max(8, width // 3)) < 0.5, 3)[: width - 2 * margin]
    tall = round(height * float(rng.uniform(0.35, 0.6)))
    if rng.random() < 0.75:
        ink[margin : margin + tall, margin : margin + len(bars)] = 255 * bars
    face = str(rng.choice(PRINTS))
    letters = "".join(chr(65 + int(k)) for k in rng.integers(0, 26, 5))
    for line, text in enumerate((f"{int(rng.integers(10**6, 10**7))} {letters}", f"WARD {int(rng.integers(1, 30))}")):
        mask = printed(text, face, max(5, round(0.16 * height)))
        stamp(ink, mask, margin, margin + tall + round((0.08 + 0.24 * line) * height))
    paper = colour(rng, ((250, 250, 248), (250, 244, 200), (225, 240, 250))[int(rng.integers(3))], 3)
    return (paper * (1 - ink[..., None] / np.float32(255)) + 20 * (ink[..., None] / np.float32(255))).astype(np.uint8)
