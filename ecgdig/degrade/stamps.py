"""Rubber stamps: a word or a date in a frame, in uneven ink."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from ecgdig.degrade.brush import RGB, Mask, Rng, box_of, colour, grain, region, scale_of, somewhere, tint, turned
from ecgdig.degrade.noted import note
from ecgdig.fonts import font_file
from ecgdig.page.page import Page

WORDS = (
    "RECEIVED",
    "COPY",
    "ORIGINAL",
    "CARDIOLOGY",
    "REVIEWED",
    "SCANNED",
    "URGENT",
    "CONFIDENTIAL",
    "FILED",
    "CHECKED",
)
FACES = ("Arimo-Regular", "RobotoCondensed", "CourierPrime-Bold", "SpecialElite", "OSP-DIN", "GNUTypewriter")
INKS: tuple[RGB, ...] = ((40, 60, 160), (190, 40, 50), (110, 50, 140), (40, 40, 45), (30, 110, 80))


@lru_cache(maxsize=256)
def printed(text: str, face: str, height_px: int) -> Mask:
    """Coverage uint8 `(h, w)` of one line in one of `fonts.PRINTS`; capitals are about `height_px` high."""
    font = ImageFont.truetype(str(font_file(face)), max(4, round(height_px / 0.7)))
    left, top, right, bottom = font.getbbox(text)
    picture = Picture.new("L", (max(1, int(right - left)), max(1, int(bottom - top))), 0)
    ImageDraw.Draw(picture).text((-left, -top), text, font=font, fill=255)
    return np.asarray(picture)


def rubber_stamp(page: Page, strength: float, rng: Rng) -> Page:
    """A stamp in a frame or a circle, 20 to 60 mm wide, turned, its ink uneven; the paper shows through."""
    if strength <= 0:
        return page
    width_mm = float(rng.uniform(20, 60))
    plate = _plate(rng)
    height_mm = width_mm * plate.shape[0] / plate.shape[1]
    half = np.array([width_mm, height_mm]) / 2
    turn, at = float(rng.normal(0, 12)), somewhere(page, rng)
    note(rng, width_mm=width_mm, turn_deg=turn, x_mm=at[0], y_mm=at[1])
    corners = turned(np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half, turn, at)
    where = region(page, box_of(corners))
    if where is None:
        return page
    image = page.image.copy()
    h, w = plate.shape
    to_px = (page.warp.to_px(corners[:3]) - [where.x0, where.y0]).astype(np.float32)
    move = cv2.getAffineTransform(np.array([[0, 0], [w, 0], [w, h]], np.float32), to_px)
    shrink = width_mm * scale_of(page) / w
    plate = np.asarray(cv2.blur(plate, (max(1, round(0.7 / shrink)),) * 2), np.uint8)
    ink = cv2.warpAffine(plate, move, where.shape[::-1], flags=cv2.INTER_LINEAR).astype(np.float32)
    worn = 0.8 + 0.35 * grain(rng, where.shape, 6.0) - 0.25 * np.clip(grain(rng, where.shape, 0.7), 0, 2)
    flow = np.clip(worn, 0, 1) * np.float32(min(1.0, 0.2 + strength) * float(rng.uniform(0.5, 0.95)))
    tint(where.of(image), (ink * flow).astype(np.uint8), colour(rng, INKS[int(rng.integers(len(INKS)))], 10))
    return page.with_image(image)


def _plate(rng: Rng) -> Mask:
    """The stamp's own print, coverage, 400 px wide."""
    face = FACES[int(rng.integers(len(FACES)))]
    word = WORDS[int(rng.integers(len(WORDS)))]
    months = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
    date = f"{int(rng.integers(1, 29)):02d} {months[int(rng.integers(12))]} {int(rng.integers(1988, 2026))}"
    lines = [word, date] if rng.random() < 0.6 else [word]
    round_one = len(lines) == 2 and rng.random() < 0.3
    note(rng, text=" ".join(lines), face=face, frame="circle" if round_one else "box")
    height = 400 if round_one else 60 + 80 * len(lines)
    plate = np.zeros((height, 400), np.uint8)
    line_px = int(rng.integers(6, 12))
    if round_one:
        for radius in (190, 165):
            cv2.circle(plate, (200, 200), radius, 255, line_px, cv2.LINE_AA)
    else:
        cv2.rectangle(plate, (line_px, line_px), (399 - line_px, height - 1 - line_px), 255, line_px, cv2.LINE_AA)
    room = 270 if round_one else 330
    for k, text in enumerate(lines):
        mask = printed(text, face, 56)
        size = (min(room, mask.shape[1] * 56 // max(mask.shape[0], 1)), 56)
        mask = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.uint8)
        y = (140 if round_one else 32) + 80 * k
        x = (400 - size[0]) // 2
        plate[y : y + 56, x : x + size[0]] = np.maximum(plate[y : y + 56, x : x + size[0]], mask)
    return plate
