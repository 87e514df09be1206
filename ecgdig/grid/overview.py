"""What a small picture of a page tells about its geometry: where the paper lies, its scale, the way its lines run.

A small convolutional network looks at the page shrunk to `SIDE_PX`, and at the spectra of its parts, and answers for
every cell of `STRIDE` px. It is right to some percent where rules on lines are right to a thousandth or wrong by a
factor of two; so the lines are followed near what it says. It is run by `small_net`; `configs/page_cpu.yaml` trains it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.special import expit

from ecgdig.convolve import Array
from ecgdig.grid.lattice import darkest_channel
from ecgdig.small_net import Layers, T, run

Image = NDArray[np.uint8]  # (H, W, 3) RGB

SIDE_PX = 768  # the longer side of the picture that is looked at
STRIDE = 16  # px of that picture a cell of the answer
UNSHUFFLE = 4  # px of the picture a cell of the first layer
COLOURS = 4  # red, green, blue, and how dark the pixel is for its surroundings
TILE_PX, TILE_STEP_PX = 64, 32  # side of the parts whose spectra are looked at, and how far they are apart
ANGLES, RADII = 16, 18  # sectors of a spectrum: of directions over 180 degrees, and of frequencies
SLOWEST, FASTEST = 1 / 45, 0.47  # cycles a px
STEM = 32  # channels of the first layer
# channels of the layers at twice and four times its cells, and the dilations of those that add to them
LEVELS: tuple[tuple[int, tuple[int, ...]], ...] = ((64, (1,)), (128, (1, 2, 4, 8, 1)))
COARSEST, STEPS_A_DOUBLING, SCALES = 1.0, 10, 41  # px/mm of the first class of scales; the last one's are 16
# what is answered for each cell, and how many numbers that takes
HEADS = {"paper": 1, "scale": SCALES, "shape": 2, "lines": 2}
WEIGHTS = Path(__file__).parent / "page.safetensors"
_NEAR_PX = 33  # surroundings of a pixel
_FAINTEST = 2.0  # grey levels of contrast; what is fainter is noise, and stays faint
_STEPS = 32.0  # steps of the fourth colour in one mean contrast
_PEAK = 2  # classes to either side of the likeliest scale that are averaged
_SURE = 0.6  # chance of a scale from which a cell is believed
_PAPER = 0.5  # chance from which a cell counts as paper


@dataclass(frozen=True, eq=False)
class Overview:
    """The geometry of a page as a glance shows it, `(h, w)` each; cell (i, j) is at (j + 0.5, i + 0.5) · `cell_px`.

    Attributes:
        cell_px: side of a cell in px of the image.
        paper: how likely the cell shows the page.
        px_per_mm: scale in px of the image; sure: the chance of that scale and its neighbours.
        stretch: log of the scale along x over that along y; skew: by how much x and y are more than 90 degrees apart.
        lines_rad: direction of the lines along x, -45 to 45 degrees; y points down, so that positive is clockwise.
    """

    cell_px: float
    paper: Array
    px_per_mm: Array
    sure: Array
    stretch: Array
    skew: Array
    lines_rad: Array

    @property
    def on_paper(self) -> NDArray[np.bool_]:
        return np.asarray(self.paper > _PAPER)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Cells on paper whose scale is sure: blank paper, or what may be paper, shows none."""
        return np.asarray(self.on_paper & (self.sure > _SURE))

    @property
    def angle_rad(self) -> float:
        """Direction of the lines along x over the whole page, -45 to 45 degrees."""
        on = self.known
        return float(np.angle(np.exp(4j * self.lines_rad[on]).sum()) / 4) if on.any() else 0.0

    def scale_at(self, px: NDArray[np.float64]) -> NDArray[np.float64]:
        """Px of the image a mm at points `(n, 2)` of it, from the known cells around; NaN where there are none."""
        return np.asarray(np.exp(self._around(np.log(self.px_per_mm), px)), np.float64)

    def lines_at(self, px: NDArray[np.float64]) -> NDArray[np.float64]:
        """Direction of the lines along x in rad, likewise."""
        cos, sin = (self._around(part(4 * self.lines_rad), px) for part in (np.cos, np.sin))
        return np.asarray(np.arctan2(sin, cos) / 4, np.float64)

    def _around(self, value: Array, px: NDArray[np.float64]) -> NDArray[np.float64]:
        on = self.known.astype(np.float32)
        total = cv2.GaussianBlur(on * value, (0, 0), 2.0, borderType=cv2.BORDER_CONSTANT)
        mass = cv2.GaussianBlur(on, (0, 0), 2.0, borderType=cv2.BORDER_CONSTANT)
        j, i = (np.clip(np.floor(px[:, k] / self.cell_px).astype(int), 0, on.shape[1 - k] - 1) for k in range(2))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(mass[i, j] > 0.02, total[i, j] / mass[i, j], np.nan).astype(np.float64)


def overview(image: Image) -> Overview:
    """Look at a page.

    Args:
        image: uint8 RGB `(H, W, 3)`.
    """
    h, w = image.shape[:2]
    factor = SIDE_PX / max(h, w)
    size = max(STRIDE, round(w * factor)), max(STRIDE, round(h * factor))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    out = answers(pictured(np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)))
    chance = _softmax(out["scale"])
    soft = np.asarray(cv2.blur(chance, (3, 3), borderType=cv2.BORDER_REPLICATE), np.float32)
    scale, sure = peak(soft)
    lines = np.arctan2(out["lines"][..., 1], out["lines"][..., 0]) / 4
    return Overview(
        STRIDE / factor,
        _chance(out["paper"][..., 0]),
        np.asarray(scale / factor, np.float32),
        sure,
        out["shape"][..., 0],
        out["shape"][..., 1],
        np.asarray(lines, np.float32),
    )


def pictured(page: Image) -> Image:
    """The page with a fourth colour, uint8 `(H, W, 4)`: 128 where it is as dark as around, less on lines."""
    value = darkest_channel(page).astype(np.float32)
    side = (_NEAR_PX, _NEAR_PX)
    off = value - cv2.blur(value, side, borderType=cv2.BORDER_REFLECT)
    contrast = cv2.blur(np.abs(off), side, borderType=cv2.BORDER_REFLECT)
    level = off * (_STEPS / np.maximum(contrast, _FAINTEST)) + 128
    return np.dstack([page, np.clip(np.rint(level), 0, 255).astype(np.uint8)])


def answers(picture: Image) -> dict[str, Array]:
    """Run the network over a picture `(H, W, 4)`: the logits of each head, `(ceil(H / 16), ceil(W / 16), numbers)`."""
    h, w = picture.shape[:2]
    padded = np.pad(picture, ((0, -h % STRIDE), (0, -w % STRIDE), (0, 0)), "edge")
    bands = (spectra(padded[..., 3]).astype(np.float32) - 128) / np.float32(32)
    (logits,) = run(_answers, WEIGHTS, cells(padded), bands)
    ends = np.cumsum(list(HEADS.values()))
    return {name: logits[..., end - n : end] for (name, n), end in zip(HEADS.items(), ends, strict=True)}


def _answers(of: Layers[T], page: T, bands: T) -> tuple[T]:
    """The logits of all heads."""
    return (of.head("heads", layers(page, bands, of.layer, of.grown)),)


def cells(picture: Image) -> Array:
    """A picture `(H, W, 4)` as the network is given it: 4 by 4 px a cell, `(H / 4, W / 4, 64)`, -0.5 to 0.5."""
    h, w = (side // UNSHUFFLE for side in picture.shape[:2])
    parts = picture.reshape(h, UNSHUFFLE, w, UNSHUFFLE, COLOURS).transpose(0, 2, 1, 3, 4)
    return np.asarray(parts.reshape(h, w, -1), np.float32) / np.float32(255) - np.float32(0.5)


def spectra(dark: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """How strong waves of each direction and frequency are around each cell of `TILE_STEP_PX`.

    Args:
        dark: the fourth colour of a picture, uint8 `(H, W)`, sides divisible by `STRIDE`.

    Returns:
        uint8 `(ceil(H / 32), ceil(W / 32), ANGLES * RADII)`: log power, 128 at the mean of the cell, 16 a factor of e.
    """
    h, w = (-(-side // TILE_STEP_PX) for side in dark.shape)
    beyond = (TILE_PX - TILE_STEP_PX) // 2
    more = [(beyond, n * TILE_STEP_PX - side + beyond) for n, side in zip((h, w), dark.shape, strict=True)]
    padded = np.pad(dark, more, "reflect").astype(np.float32) - 128
    shape = (h, w, TILE_PX, TILE_PX)
    steps = tuple(TILE_STEP_PX * s for s in padded.strides) + padded.strides
    tiles = np.lib.stride_tricks.as_strided(padded, shape, steps)
    window, sectors = _window(), _sectors()
    out = np.empty((h, w, sectors.shape[1]), np.float32)
    for i in range(h):
        row = tiles[i] - tiles[i].mean(axis=(1, 2), keepdims=True)
        spectrum = fft.rfft2(row * window)
        power = (spectrum.real**2 + spectrum.imag**2).reshape(w, -1)
        out[i] = np.log(power @ sectors + np.float32(1e3))
    out -= out.mean(axis=2, keepdims=True)
    return np.asarray(np.clip(np.rint(128 + 16 * out), 0, 255), np.uint8)


@lru_cache(maxsize=1)
def _window() -> Array:
    side = np.hanning(TILE_PX + 2)[1:-1].astype(np.float32)
    return np.asarray(side[:, None] * side, np.float32)


@lru_cache(maxsize=1)
def _sectors() -> Array:
    """Weights by which the bins of a half spectrum make the mean power of each sector, `(bins, sectors)`."""
    fy = np.fft.fftfreq(TILE_PX)[:, None]
    fx = np.fft.rfftfreq(TILE_PX)[None]
    angle = np.mod(np.arctan2(fy, fx), np.pi) / np.pi * ANGLES
    radius = np.log(np.maximum(np.hypot(fx, fy), 1e-3) / SLOWEST) / np.log(FASTEST / SLOWEST) * (RADII - 1)
    to_angle = np.abs((angle[..., None] - np.arange(ANGLES) + ANGLES / 2) % ANGLES - ANGLES / 2)
    near = np.clip(1 - to_angle, 0, 1)[..., :, None] * np.clip(
        1 - np.abs(radius[..., None, None] - np.arange(RADII)), 0, 1
    )
    weights = near.reshape(-1, ANGLES * RADII)
    # slow sectors are smaller than a bin: they take their part of the nearest one
    total = weights.sum(axis=0)
    middle = SLOWEST * (FASTEST / SLOWEST) ** (np.arange(RADII) / (RADII - 1))
    direction = np.arange(ANGLES) / ANGLES * np.pi
    for k in np.flatnonzero(total < 0.3):
        a, r = divmod(k, RADII)
        x, y = middle[r] * np.cos(direction[a]), middle[r] * np.sin(direction[a])
        x, y = (-x, -y) if x < 0 else (x, y)
        off = np.hypot(fx - x, fy - y).ravel() * TILE_PX
        weights[:, k] += np.clip(1 - off, 0, 1)
    return np.asarray(weights / weights.sum(axis=0), np.float32)


def layers(page: T, bands: T, layer: Callable[[str, T, int, int], T], grown: Callable[[T, T], T]) -> T:
    """The network without its heads: features at `STRIDE`.

    Args:
        page: the picture, 4 by 4 px a cell.
        bands: the spectra of its parts.
        layer: (name, value, stride, dilation) -> value; a convolution, its norm, and what is negative made 0.
        grown: (value, like) -> the value at twice the resolution, cut to the size of the other.
    """
    bands = layer("bands", bands, 1, 1)
    bands = bands + layer("bands_0", bands, 1, 1)
    value = layer("stem", page, 1, 1)
    value = value + layer("stem_0", value, 1, 1)
    for i, (_, dilations) in enumerate(LEVELS):
        value = layer(f"down{i}", value, 2, 1)
        if i == len(LEVELS) - 1:
            value = value + grown(bands, value)
        for k, dilation in enumerate(dilations):
            value = value + layer(f"down{i}_{k}", value, 1, dilation)
    return value


def shapes(width: float = 1.0) -> dict[str, tuple[int, int, int]]:
    """Channels in, channels out and kernel of each layer by name; `width` times as many channels as the small one."""
    before = [round(width * n) for n in (STEM, *(channels for channels, _ in LEVELS))]
    out = {"stem": (COLOURS * UNSHUFFLE**2, before[0], 3), "stem_0": (before[0], before[0], 3)}
    out |= {"bands": (ANGLES * RADII, before[-1], 3), "bands_0": (before[-1], before[-1], 3)}
    for i, (_, dilations) in enumerate(LEVELS):
        out[f"down{i}"] = before[i], before[i + 1], 3
        out |= {f"down{i}_{k}": (before[i + 1], before[i + 1], 3) for k in range(len(dilations))}
    return out


def peak(chance: Array) -> tuple[Array, Array]:
    """Px of the picture a mm from the chances of the classes `(..., SCALES)`, `(...)`, and how sure that is, 0 to 1."""
    best = chance.argmax(axis=-1)
    near = np.abs(np.arange(SCALES) - best[..., None]) <= _PEAK
    mass = np.where(near, chance, 0)
    sure = mass.sum(axis=-1)
    at = (mass * np.arange(SCALES)).sum(axis=-1) / np.maximum(sure, 1e-9)
    return np.asarray(COARSEST * 2 ** (at / STEPS_A_DOUBLING), np.float32), np.asarray(sure, np.float32)


def _softmax(logits: Array) -> Array:
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), np.float32)


def _chance(logit: Array) -> Array:
    return np.asarray(expit(logit), np.float32)
