"""Handwriting on the sheet: notes and signatures in many hands, each letter a little different from the last."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from ecgdig.degrade.brush import RGB, Mask, Rng, colour, drawn, grain, number_of, scale_of, soft_noise, tint
from ecgdig.degrade.noted import note
from ecgdig.degrade.wishes import NONE, Wishes
from ecgdig.fonts import HANDS, font_file
from ecgdig.page.page import Page
from ecgdig.page.strokes import draw_polyline

_GLYPH_PX = 56  # size at which letters are drawn once; then they are warped
_SIGNATURES = ("HomemadeApple", "Kristi", "CedarvilleCursive", "Zeyada", "ReenieBeanie")
_NAMES = ("A. Lee", "M. Meyer", "Dr. Okoro", "J. Silva", "K. Novak", "R. Patel", "T. Brown", "Chen", "Rossi", "E. Haas")
PENS: dict[str, tuple[RGB, float]] = {  # ink, share of the pages
    "blue": ((35, 50, 150), 0.34),
    "black": ((30, 30, 36), 0.36),
    "red": ((185, 30, 40), 0.12),
    "green": ((20, 110, 70), 0.03),
    "pencil": ((95, 95, 98), 0.15),
}


@dataclass(frozen=True)
class Pen:
    """What somebody writes with: ink, width of its line in mm, how much comes out (0 to 1), and pencil's grain."""

    rgb: NDArray[np.float32]
    width_mm: float
    flow: float
    grainy: bool


def sample_pen(rng: Rng) -> Pen:
    names = list(PENS)
    name = names[int(rng.choice(len(names), p=[share for _, share in PENS.values()]))]
    pen = Pen(colour(rng, PENS[name][0]), float(rng.uniform(0.3, 0.75)), float(rng.uniform(0.7, 1.0)), name == "pencil")
    note(rng, pen=name, pen_mm=pen.width_mm, flow=pen.flow)
    return pen


@lru_cache(maxsize=8)
def read_words(path: str | None = None) -> tuple[str, ...]:
    """Notes to write, one a line, from a text file (UTF-8); None: the built-in list.

    Raises:
        ValueError: the file holds no words.
    """
    text = (Path(__file__).with_name("words.txt") if path is None else Path(path)).read_text(encoding="utf-8")
    words = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not words:
        raise ValueError(f"{path} holds no words; want one note a line")
    return words


def notes(page: Page, strength: float, rng: Rng, wishes: Wishes = NONE) -> Page:
    """Notes by hand, over traces too: up to about eight on a sheet at strength 1, letters 2.5 to 8 mm high."""
    if strength <= 0:
        return page
    canvas, image = np.zeros(page.shape, np.uint8), page.image.copy()
    words = wishes.words or read_words()
    n = number_of(page, rng, 7 * strength)
    for i in range(n if wishes.notes is None else wishes.notes):
        pen, hand = sample_pen(rng), str(rng.choice(HANDS))
        size_mm = float(np.exp(rng.uniform(np.log(2.5), np.log(8.0))))
        left, top, right, bottom = drawn(page)
        at = (float(rng.uniform(left - 15, right)), float(rng.uniform(top, bottom)))
        size_mm = size_mm if wishes.note_mm is None else wishes.note_mm
        if wishes.note_at is not None and i == 0:
            paper = page.layout.paper
            at = (wishes.note_at[0] * paper.width_mm, wishes.note_at[1] * paper.height_mm)
        turn = float(rng.normal(0, 5)) if rng.random() < 0.9 else float(rng.choice([90, -90]))
        for line in range(int(rng.choice([1, 2, 3], p=[0.7, 0.22, 0.08]))):
            start = (at[0] + float(rng.normal(0, 1)), at[1] + line * size_mm * 1.7)
            write(canvas, page, words[int(rng.integers(len(words)))], hand, size_mm, start, turn, rng)
        ink_in(image, canvas, page, pen, strength, rng)
    return page.with_image(image)


def signature(page: Page, strength: float, rng: Rng) -> Page:
    """A name written fast, with a flourish under or through it."""
    if strength <= 0:
        return page
    canvas, image = np.zeros(page.shape, np.uint8), page.image.copy()
    left, top, right, bottom = drawn(page)
    at = (float(rng.uniform(left - 20, right - 10)), float(rng.uniform(top, bottom)))
    size, turn = float(rng.uniform(4, 9)), float(rng.normal(-4, 6))
    end = write(canvas, page, str(rng.choice(_NAMES)), str(rng.choice(_SIGNATURES)), size, at, turn, rng)
    t = np.linspace(0, 1, 60)
    loops = float(rng.uniform(0.5, 3))
    sweep = np.stack([at[0] + (end[0] - at[0]) * (1.1 * t - 0.05), at[1] + (end[1] - at[1]) * t], 1)
    sweep[:, 0] += 0.25 * size * np.sin(2 * np.pi * loops * t)
    sweep[:, 1] += size * (float(rng.uniform(0, 0.4)) + 0.25 * np.cos(2 * np.pi * loops * t + float(rng.uniform(0, 6))))
    pen = sample_pen(rng)
    stroke(canvas, page, sweep, pen.width_mm, rng)
    ink_in(image, canvas, page, pen, strength, rng)
    return page.with_image(image)


def write(
    canvas: Mask,
    page: Page,
    text: str,
    hand: str,
    size_mm: float,
    at_mm: tuple[float, float],
    turn_degrees: float,
    rng: Rng,
) -> tuple[float, float]:
    """Write a line of text into a coverage canvas of the page, in place; its baseline starts at `at_mm`.

    Every letter has its own size, slant and height above the baseline, which wanders. Returns where the line ends.
    """
    note(rng, text=text, hand=hand, size_mm=size_mm, turn_deg=turn_degrees, x_mm=at_mm[0], y_mm=at_mm[1])
    scale = scale_of(page)
    factor = size_mm * scale / _GLYPH_PX
    slant, spread = float(rng.normal(0, 0.1)), float(rng.uniform(0.9, 1.15))
    c, s = np.cos(np.radians(turn_degrees)), np.sin(np.radians(turn_degrees))
    origin = page.warp.to_px(at_mm)
    along, drift = 0.0, 0.0
    jitter = rng.normal(0, 1, (len(text), 4))
    for letter, (j_size, j_slant, j_y, j_turn) in zip(text, jitter, strict=True):
        mask, ahead, (ox, oy) = _glyph(hand, letter)
        drift = 0.9 * drift + 1.6 * j_y
        if mask is not None:
            f = factor * (1 + 0.07 * j_size)
            lean = slant + 0.05 * j_slant
            c2, s2 = c - s * 0.04 * j_turn, s + c * 0.04 * j_turn
            turn = np.array([[c2, -s2], [s2, c2]]) @ np.array([[f, -f * lean], [0, f]])
            start = origin + np.array([[c, -s], [s, c]]) @ [along, drift * factor]
            _stamp(canvas, mask, turn, start + turn @ [ox, oy])
        along += ahead * factor * spread
    end = page.warp.to_mm(origin + np.array([c * along, s * along]))
    return float(end[0]), float(end[1])


def stroke(canvas: Mask, page: Page, points_mm: NDArray[np.float64], width_mm: float, rng: Rng) -> None:
    """Draw a line by hand through `points_mm` `(n, 2)` into a coverage canvas, with changing pressure, in place."""
    n = len(points_mm)
    pressure = np.interp(np.linspace(0, 1, n), np.linspace(0, 1, 7), rng.uniform(0.7, 1, 7)).astype(np.float32)
    draw_polyline(canvas, page.warp.to_px(points_mm), width_mm * scale_of(page), pressure)


def ink_in(image: NDArray[np.uint8], canvas: Mask, page: Page, pen: Pen, strength: float, rng: Rng) -> None:
    """Put what was drawn into `canvas` on the image with a pen, in place, and empty the canvas."""
    used = np.flatnonzero(canvas.max(axis=1))  # looked for along rows, which is five times as fast
    if used.size == 0:
        return
    y, h = int(used[0]), int(used[-1] - used[0]) + 1
    x, _, w, _ = cv2.boundingRect(canvas[y : y + h])
    cover, part = canvas[y : y + h, x : x + w], image[y : y + h, x : x + w]
    flow = 0.85 + 0.15 * soft_noise(rng, (h, w), 24)
    if pen.grainy:
        flow -= 0.35 * np.clip(grain(rng, (h, w), 0.7), 0, 2)
    amount = np.clip(cover * (flow * np.float32(pen.flow * min(1.0, 0.3 + strength))), 0, 255).astype(np.uint8)
    tint(part, amount, pen.rgb)
    cover[:] = 0


@lru_cache(maxsize=len(HANDS))
def _face(hand: str) -> ImageFont.FreeTypeFont:
    """The hand with capitals `_GLYPH_PX` high: faces differ in how large their letters are."""
    cap = -ImageFont.truetype(str(font_file(hand)), _GLYPH_PX).getbbox("H", anchor="ls")[1]
    return ImageFont.truetype(str(font_file(hand)), round(_GLYPH_PX * _GLYPH_PX / max(cap, 1)))


@lru_cache(maxsize=2048)
def _glyph(hand: str, letter: str) -> tuple[Mask | None, float, tuple[float, float]]:
    """Coverage of one letter at `_GLYPH_PX`, its advance, and where its top left corner is from the pen's place."""
    face = _face(hand)
    left, top, right, bottom = face.getbbox(letter, anchor="ls")
    w, h = int(right - left), int(bottom - top)
    if w <= 0 or h <= 0:
        return None, float(face.getlength(letter)), (0.0, 0.0)
    picture = Picture.new("L", (w + 2, h + 2), 0)
    ImageDraw.Draw(picture).text((1 - left, 1 - top), letter, font=face, fill=255, anchor="ls")
    return np.asarray(picture), float(face.getlength(letter)), (float(left - 1), float(top - 1))


def _stamp(canvas: Mask, mask: Mask, turn: NDArray[np.float64], at: NDArray[np.float64]) -> None:
    """Draw `mask` through the linear map `turn`, its first pixel at `at`, into the canvas; the rest is cut off."""
    h, w = mask.shape
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]]) @ turn.T + at
    x0, y0 = (max(0, int(np.floor(v))) for v in corners.min(0))
    x1, y1 = (int(np.ceil(v)) + 1 for v in corners.max(0))
    x1, y1 = min(x1, canvas.shape[1]), min(y1, canvas.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    shrink = float(np.sqrt(abs(np.linalg.det(turn))))
    if shrink < 0.6:  # letters are thin: averaged, not skipped
        mask = np.asarray(cv2.blur(mask, (max(1, round(0.8 / shrink)),) * 2), np.uint8)
    matrix = np.concatenate([turn, (at - [x0, y0])[:, None]], axis=1)
    new = cv2.warpAffine(mask, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    part = canvas[y0:y1, x0:x1]
    np.maximum(part, new, out=part)
