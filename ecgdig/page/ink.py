"""How the ink of a trace comes onto paper: fading, gaps, smearing, the steps of a coarse print head."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ecgdig.page.looks import Ink
from ecgdig.page.page import Trace
from ecgdig.page.pen import Pen

Rng = np.random.Generator
_GAP_MM = 1.2  # mean length of a stretch without ink
_SMEARED = 0.4  # strength of the ink beside the pen's path


def draw_trace(pen: Pen, trace: Trace, ink: Ink, rng: Rng) -> Trace:
    """Draw a trace, and say where ink came out. Neither this nor what the generator gives depends on what of it the
    pen's canvas shows."""
    strength = _strength(rng, trace.x_mm, ink)
    _draw(pen, trace, ink, strength)
    inked = strength > 0
    if inked.all():
        return trace
    inked[1:] |= strength[:-1] > 0  # the stroke to the first point without ink is half as dark
    inked[:-1] |= strength[1:] > 0
    return replace(trace, inked=inked)


def _draw(pen: Pen, trace: Trace, ink: Ink, strength: NDArray[np.float32]) -> None:
    reach = ink.width_mm + ink.smear_mm + ink.head_mm
    first, last = np.searchsorted(
        trace.x_mm, [pen.origin[0] - reach, pen.origin[0] + pen.canvas.shape[1] / pen.scale + reach]
    )
    seen = slice(max(0, int(first) - 1), int(last) + 1)
    x, y, strength = trace.x_mm[seen], trace.y_mm[seen], strength[seen]
    if x.size == 0 or not np.isfinite(y).any():
        return
    path = np.stack([x, y], axis=1)
    if ink.head_mm > 0:
        path, strength = _stepped(path, ink.head_mm), np.repeat(strength, 2)
    if ink.smear_mm > 0:
        pen.line(path, ink.width_mm + ink.smear_mm, _SMEARED * strength)
    pen.line(path, ink.width_mm, strength)


def _strength(rng: Rng, x_mm: NDArray[np.float64], ink: Ink) -> NDArray[np.float32]:
    """Ink strength along a trace, `(n,)`, 0 to 1: slow fading, and gaps."""
    n = len(x_mm)
    strength = np.ones(n, np.float32)
    if n and ink.fading > 0:
        knots = rng.uniform(0, 1, max(4, n // 120))
        along = np.interp(np.linspace(0, 1, n), np.linspace(0, 1, len(knots)), knots)
        strength = (1 - ink.fading * along).astype(np.float32)
    if n and ink.gaps > 0:
        length = float(x_mm[-1] - x_mm[0])
        for _ in range(rng.poisson(ink.gaps * length / _GAP_MM)):
            start = x_mm[0] + rng.uniform(0, length)
            first, last = np.searchsorted(x_mm, [start, start + rng.exponential(_GAP_MM)])
            strength[first:last] = 0
    return strength


def _stepped(path: NDArray[np.float64], dot_mm: float) -> NDArray[np.float64]:
    """A path `(2n, 2)` that keeps the nearest dot's height around each point and steps halfway between them."""
    x, y = path[:, 0], np.round(path[:, 1] / dot_mm) * dot_mm
    edges = np.concatenate([x[:1], 0.5 * (x[1:] + x[:-1]), x[-1:]])
    return np.stack([np.stack([edges[:-1], edges[1:]], 1).ravel(), np.repeat(y, 2)], axis=1)
