"""How far lines are from where a warp has them, measured on the page that the warp brings upright.

Two measures: combs of the page's lines laid over it (`grid/comb.py`), which see over folds, and lock-in demodulation
at one of the grid's own frequencies (Fourier-transform profilometry, Takeda 1982), which is exact. For both, lines are
what is thin across them, and ink that is darker than the lines around is left out.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.grid.comb import HARMONICS, Waves, shifts_mm
from ecgdig.grid.lattice import Map, brightest_channel, darkness, thin
from ecgdig.grid.upright import resampled
from ecgdig.page.warp import Warp
from ecgdig.units import LARGE_SQUARE_MM

Image = NDArray[np.uint8]  # (H, W, 3) RGB
Array = NDArray[np.float64]

NODE_MM = 2.0  # node (i, j) of what is measured is at (j, i) times that
RASTER_PX_PER_MM = 6.0
_LEAST_MASS = 0.02  # squared weight of a measurement that moves the field half as far as it says
_ALONG_MM, _WIDEST_MM = 1.5, 0.8  # strokes are averaged over this along them; wider ones are no lines but edges
_COMB_MM = 4.0, 4.0  # neighbourhood in which combs are matched, across and along the lines
_LINE_MM, _ASIDE_MM = 30.0, 1.0  # ink is darker than lines are over this length, so far aside too, ...
_INK, _LEAST_INK, _AROUND_MM = 0.8, 0.06, 0.35  # ... by times the grid, share of the paper; and what is around it


def matched(image: Image, warp: Warp, size_mm: Array, near: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How far the lines are from where the warp has them, as combs of them show: mm at the nodes `(h, w, 2)`."""
    r = RASTER_PX_PER_MM
    shape = (round(size_mm[1] * r), round(size_mm[0] * r))
    page = resampled(image, warp, shape, r)
    dark, free = darkness(page, round(LARGE_SQUARE_MM * r) | 1), _free_of_ink(page)
    step = round(NODE_MM * r)
    nodes = near.shape[0], near.shape[1]
    change = np.zeros((*nodes, 2), np.float32)
    for axis in range(2):
        lines = _lines_of(dark, axis) * free
        # along the lines is down, as they are upright ones
        upright, there = (lines, nodes) if axis == 0 else (np.ascontiguousarray(lines.T), nodes[::-1])
        sums = _harmonics(upright, (_COMB_MM[0] * r / step, _COMB_MM[1] * r / step), step, there)
        sums = sums if axis == 0 else sums.transpose(0, 2, 1)
        power = np.sqrt((np.abs(sums) ** 2).sum(axis=0))
        usual = float(np.percentile(power[near], 60)) + 1e-9
        change[..., axis] = shifts_mm(Waves(sums, np.where(near, np.clip(power / usual, 0, 1), 0).astype(np.float32)))
    return change


def locked_in(
    image: Image, warp: Warp, size_mm: Array, near: NDArray[np.bool_], harmonic: int, sigma_mm: tuple[float, float]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How far the lines are from where the warp has them: mm at the nodes `(h, w, 2)`, and their weights `(h, w)`."""
    r = RASTER_PX_PER_MM
    shape = (round(size_mm[1] * r), round(size_mm[0] * r))
    page = resampled(image, warp, shape, r)
    dark = darkness(page, round(LARGE_SQUARE_MM * r) | 1)
    free = _free_of_ink(page)
    step = round(NODE_MM * r)
    nodes = near.shape[0], near.shape[1]
    change = np.zeros((*nodes, 2), np.float32)
    weights = []
    for axis in range(2):
        mm = (np.arange(shape[1 - axis]) + 0.5) / r
        angle = 2 * np.pi * harmonic * mm / LARGE_SQUARE_MM
        cos, sin = np.cos(angle).astype(np.float32), -np.sin(angle).astype(np.float32)
        cos, sin = (cos[None, :], sin[None, :]) if axis == 0 else (cos[:, None], sin[:, None])
        sigma = (sigma_mm[axis] * r / step, sigma_mm[1 - axis] * r / step)  # along x and along y, in nodes
        lines = _lines_of(dark, axis) * free
        real, imag = (_smooth(lines * part, sigma, step, nodes) for part in (cos, sin))
        level = np.sqrt(_smooth(lines**2, sigma, step, nodes)) + 1e-3
        clear = np.where(near, np.clip(np.hypot(real, imag) / level / 0.08, 0, 1), 0).astype(np.float32)
        # darkness ~ cos(2π n (x - d) / 5 mm): the sum turns as exp(-2πi n d / 5 mm)
        d = -np.arctan2(imag, real) * (LARGE_SQUARE_MM / (2 * np.pi * harmonic))
        weights.append(clear)
        half = 0.5 * sigma[0], 0.5 * sigma[1]
        mass = cv2.GaussianBlur(clear**2, (0, 0), half[0], sigmaY=half[1]) + _LEAST_MASS
        change[..., axis] = cv2.GaussianBlur(clear**2 * d, (0, 0), half[0], sigmaY=half[1]) / mass
    return change, np.minimum(weights[0], weights[1])


def _free_of_ink(page: Image) -> Map:
    """1 where a page at `RASTER_PX_PER_MM` shows no ink of traces or words: what is darker than the lines it is on."""
    r = RASTER_PX_PER_MM
    box, along = round(LARGE_SQUARE_MM * r) | 1, round(_LINE_MM * r) | 1
    channel = brightest_channel(page).astype(np.float32)  # coloured lines are bright in one channel, ink is dark in all
    paper = cv2.blur(channel, (box, box), borderType=cv2.BORDER_REFLECT)
    dark = (paper - channel) / np.maximum(paper, 1)
    aside = np.ones((round(2 * _ASIDE_MM * r) | 1, 1), np.uint8)  # over folds a line is not where it is elsewhere
    own = np.maximum(cv2.dilate(cv2.blur(dark, (1, along)), aside.T), cv2.dilate(cv2.blur(dark, (along, 1)), aside))
    ink = dark - own > max(_INK * float(np.percentile(dark[::3, ::3], 93)), _LEAST_INK)
    reach = 2 * round(_AROUND_MM * r) + 1
    return np.asarray(1 - cv2.dilate(ink.astype(np.uint8), np.ones((reach, reach), np.uint8)), np.float32)


def _lines_of(dark: Map, axis: int) -> Map:
    """What of a darkness map are thin strokes across an axis (0: upright ones), a little smoothed along them."""
    dark = dark if axis == 0 else np.ascontiguousarray(dark.T)
    along = round(_ALONG_MM * RASTER_PX_PER_MM) | 1
    out = thin(cv2.blur(dark, (1, along), borderType=cv2.BORDER_REPLICATE), _WIDEST_MM * RASTER_PX_PER_MM)
    return out if axis == 0 else np.ascontiguousarray(out.T)


def _harmonics(lines: Map, sigma: tuple[float, float], step: int, nodes: tuple[int, int]) -> NDArray[np.complex64]:
    """Gaussian means of `lines` · exp(-2πi n x / 5 mm) at every `step`-th pixel, `(HARMONICS, *nodes)`."""
    h, w = lines.shape
    columns = -(-w // step)
    mean = np.zeros((-(-h // step), columns * step), np.float32)
    mean[:, :w] = cv2.resize(lines, (w, len(mean)), interpolation=cv2.INTER_AREA)
    angle = 2 * np.pi / LARGE_SQUARE_MM * (np.arange(columns * step) + 0.5) / RASTER_PX_PER_MM
    wave = np.exp(-1j * np.arange(1, HARMONICS + 1)[:, None] * angle).astype(np.complex64) / step
    wave = wave.reshape(HARMONICS, columns, step).transpose(1, 2, 0)
    cells = mean.reshape(len(mean), columns, step).transpose(1, 0, 2)  # (columns, rows, step)
    sums = np.empty((HARMONICS, *nodes), np.complex64)
    for part in ("real", "imag"):
        each = (cells @ np.ascontiguousarray(getattr(wave, part))).transpose(2, 1, 0)
        for n in range(HARMONICS):
            getattr(sums, part)[n] = _at_nodes(np.ascontiguousarray(each[n]), sigma, nodes)
    return sums


def _smooth(values: Map, sigma: tuple[float, float], step: int, nodes: tuple[int, int]) -> Map:
    """Gaussian mean of `values` at every `step`-th pixel, from the page's corner on; `sigma` in nodes along x and y."""
    small = cv2.resize(values, (-(-values.shape[1] // step), -(-values.shape[0] // step)), interpolation=cv2.INTER_AREA)
    return _at_nodes(small, sigma, nodes)


def _at_nodes(cells: NDArray[Any], sigma: tuple[float, float], nodes: tuple[int, int]) -> Map:
    """The Gaussian mean of cells, between them: the centre of cell i is node i + 0.5."""
    soft = cv2.GaussianBlur(cells, (0, 0), sigma[0], sigmaY=sigma[1], borderType=cv2.BORDER_REPLICATE)
    y, x = np.mgrid[0 : nodes[0], 0 : nodes[1]].astype(np.float32)
    return np.asarray(cv2.remap(soft, x - 0.5, y - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
