"""Drawn by hand over the traces: circles, arrows, underlines, ticks, callipers, highlighter."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.degrade.brush import Rng, beside_a_trace, number_of, soft_noise, tint
from ecgdig.degrade.handwriting import ink_in, sample_pen, stroke, write
from ecgdig.degrade.noted import note
from ecgdig.fonts import HANDS
from ecgdig.page.page import Page
from ecgdig.page.strokes import draw_polyline

Points = NDArray[np.float64]  # (n, 2) mm
HIGHLIGHTERS = ((255, 245, 60), (150, 255, 120), (255, 150, 190), (255, 190, 90), (140, 220, 255))


def drawn_figures(page: Page, strength: float, rng: Rng) -> Page:
    """Circles, arrows, underlines, ticks and callipers in pen or pencil; up to about ten on a sheet at strength 1."""
    if strength <= 0:
        return page
    canvas, image = np.zeros(page.shape, np.uint8), page.image.copy()
    pen = sample_pen(rng)
    for _ in range(number_of(page, rng, 9 * strength)):
        at = beside_a_trace(page, rng)
        figure = FIGURES[int(rng.integers(len(FIGURES)))]
        note(rng, figure=figure.__name__.strip("_"), at_x_mm=at[0], at_y_mm=at[1])
        for line in figure(at, rng):
            stroke(canvas, page, _by_hand(line, rng), pen.width_mm, rng)
        if figure is _callipers and rng.random() < 0.5:
            said = f"{int(rng.integers(30, 120)) * 10} ms" if rng.random() < 0.5 else f"0.{int(rng.integers(4, 99))}s"
            write(
                canvas,
                page,
                said,
                str(rng.choice(HANDS)),
                float(rng.uniform(2, 4)),
                (at[0], at[1] - 2),
                float(rng.normal(0, 4)),
                rng,
            )
    ink_in(image, canvas, page, pen, strength, rng)
    return page.with_image(image)


def highlighter(page: Page, strength: float, rng: Rng) -> Page:
    """One to three strokes of a marker that lets the ink through, 3 to 7 mm wide."""
    if strength <= 0:
        return page
    image, canvas = page.image.copy(), np.zeros(page.shape, np.uint8)
    rgb = np.array(HIGHLIGHTERS[int(rng.integers(len(HIGHLIGHTERS)))], np.float32)
    scale, width_mm = float(page.warp.px_per_mm([[0.0, 0.0]])[0]), float(rng.uniform(3, 7))
    for _ in range(int(rng.integers(1, 4))):
        x, y = beside_a_trace(page, rng)
        length, angle = float(rng.uniform(10, 60)), float(rng.normal(0, 0.05))
        note(rng, width_mm=width_mm, length_mm=length, x_mm=x, y_mm=y)
        t = np.linspace(0, 1, 9)
        line = np.stack([x + length * t * np.cos(angle), y + length * t * np.sin(angle)], 1)
        line[:, 1] += np.cumsum(rng.normal(0, 0.15, 9))
        draw_polyline(canvas, page.warp.to_px(line), width_mm * scale, np.ones(9, np.float32))
    streaky = np.clip(soft_noise(rng, (canvas.shape[0] // 4 + 1, canvas.shape[1] // 4 + 1), 30), -6, 1.6)
    share = np.round(255 * min(1.0, 0.2 + strength) * (0.8 + 0.12 * streaky)).astype(np.uint8)
    even = cv2.resize(share, canvas.shape[::-1], interpolation=cv2.INTER_LINEAR)
    tint(image, np.asarray(cv2.multiply(canvas, even, scale=1 / 255), np.uint8), rgb)
    return page.with_image(image)


def _by_hand(points: Points, rng: Rng) -> Points:
    """The line with a hand's wobble: slow wandering and a little tremor."""
    n = len(points)
    size = float(np.ptp(points, axis=0).max())
    knots = np.linspace(0, 1, 6)
    slow = np.stack([np.interp(np.linspace(0, 1, n), knots, rng.normal(0, 0.025 * size, 6)) for _ in range(2)], 1)
    return points + slow + rng.normal(0, 0.04, (n, 2))


def _circle(at: tuple[float, float], rng: Rng) -> list[Points]:
    """An oval, not quite closed or closed twice."""
    a, b = float(rng.uniform(4, 16)), float(rng.uniform(3, 12))
    first, turns = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0.93, 1.9))
    t = np.linspace(0, 1, 80)
    angle = first + 2 * np.pi * turns * t
    grow = 1 + float(rng.normal(0, 0.08)) * t
    return [np.stack([at[0] + a * grow * np.cos(angle), at[1] + b * grow * np.sin(angle)], 1)]


def _arrow(at: tuple[float, float], rng: Rng) -> list[Points]:
    angle, length = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(7, 22))
    ahead = np.array([np.cos(angle), np.sin(angle)])
    tail = np.array(at) - length * ahead
    bend = float(rng.normal(0, 0.1)) * length * np.array([-ahead[1], ahead[0]])
    t = np.linspace(0, 1, 20)[:, None]
    shaft = tail + (np.array(at) - tail) * t + bend * np.sin(np.pi * t)
    head = []
    for side in (-1, 1):
        a = angle + np.pi + side * float(rng.uniform(0.3, 0.7))
        tip = np.array(at) + float(rng.uniform(2, 4)) * np.array([np.cos(a), np.sin(a)])
        head.append(np.array(at) + (tip - np.array(at)) * np.linspace(0, 1, 6)[:, None])
    return [shaft, *head]


def _underline(at: tuple[float, float], rng: Rng) -> list[Points]:
    length, slope = float(rng.uniform(8, 45)), float(rng.normal(0, 0.04))
    t = np.linspace(0, 1, 24)
    line = np.stack([at[0] + length * t, at[1] + slope * length * t], 1)
    return [line] if rng.random() < 0.7 else [line, line + np.array([0.5, rng.uniform(0.8, 1.6)])]


def _tick(at: tuple[float, float], rng: Rng) -> list[Points]:
    size = float(rng.uniform(3, 9))
    corners = np.array([[0, 0], [0.3, 0.45], [1.1, -0.9]]) * size + at
    if rng.random() < 0.3:  # a cross
        return [np.linspace(corners[0], corners[0] + size * d, 10) for d in (np.array([1, 0.9]), np.array([0.1, 1]))]
    return [np.concatenate([np.linspace(corners[0], corners[1], 6), np.linspace(corners[1], corners[2], 12)])]


def _callipers(at: tuple[float, float], rng: Rng) -> list[Points]:
    """Two strokes down at the ends of an interval, a line between them, or a row of marks at equal steps."""
    step, height = float(rng.uniform(4, 26)), float(rng.uniform(3, 14))
    n = int(rng.choice([2, 3, 4, 5], p=[0.6, 0.15, 0.15, 0.1]))
    down = np.linspace(0, 1, 8)[:, None] * [0, height]
    lines = [down + np.array([at[0] + k * step + rng.normal(0, 0.3), at[1]]) for k in range(n)]
    if rng.random() < 0.7:
        y = at[1] + height * float(rng.uniform(0.1, 0.9))
        lines.append(np.linspace([at[0], y], [at[0] + (n - 1) * step, y], 16))
    return lines


FIGURES: tuple[Callable[[tuple[float, float], Rng], list[Points]], ...] = (
    _circle,
    _arrow,
    _underline,
    _tick,
    _callipers,
)
