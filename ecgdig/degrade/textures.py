"""Textures that everything is made of: periodic tiles of noise, the same in every process, laid out in mm.

Tiles are made once, with seeds of their own; what differs from page to page (offset, turn, scale) comes from the page's
generator. Noise is filtered in the Fourier domain, so tiles repeat without a seam.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from ecgdig.degrade.pixels import repeat
from ecgdig.page.page import Page

Rng = np.random.Generator
Tile = NDArray[np.uint8]  # (SIZE, SIZE), mean 128, standard deviation 40
Field = NDArray[np.uint8]  # (H, W)

SIZE = 512
_ONE = 1 << 16  # fixed-point unit
_SOFT_PX = 8  # textures without detail are computed at every 8th pixel


@cache
def cloud() -> Tile:
    """Blotches of all sizes: power falls with the 1.7th power of the frequency's square root."""
    ky, kx = _frequencies()
    return _tile(1 / np.maximum(np.hypot(kx, ky), 1 / SIZE) ** 1.7, 1)


@cache
def grain() -> Tile:
    """Even grain, about two pixels wide."""
    ky, kx = _frequencies()
    return _tile(np.exp(-2 * np.pi**2 * (kx**2 + ky**2) * 0.8**2), 2)


@cache
def fibre() -> Tile:
    """Short fibres in all directions over fine grain, as of paper seen closely."""
    ky, kx = _frequencies()
    total = 0.6 * _noise(np.exp(-2 * np.pi**2 * (kx**2 + ky**2) * 0.6**2), 3)
    for i, angle in enumerate(np.arange(5) * np.pi / 5 + 0.2):
        along, across = np.cos(angle) * kx + np.sin(angle) * ky, -np.sin(angle) * kx + np.cos(angle) * ky
        total += 0.5 * _noise(np.exp(-2 * np.pi**2 * ((6 * along) ** 2 + (0.7 * across) ** 2)), 4 + i)
    return _levels(total)


@cache
def felt() -> Tile:
    """The mesh side of machine-made paper: short ripples along x, about two pixels apart, over grain."""
    ky, kx = _frequencies()
    ripples = _noise(np.exp(-2 * np.pi**2 * (4 * kx) ** 2) * np.exp(-((np.abs(ky) - 0.16) ** 2) / (2 * 0.09**2)), 51)
    soft = _noise(np.exp(-2 * np.pi**2 * ((3 * kx) ** 2 + (1.5 * ky) ** 2)), 52)
    return _levels(ripples + 0.6 * soft + 0.4 * _noise(np.exp(-2 * np.pi**2 * (kx**2 + ky**2) * 0.6**2), 53))


@cache
def wood() -> Tile:
    """Grain of wood along x: year rings cut along, wide bands, fine lines and many short dark pores."""
    ky, kx = _frequencies()
    bands = _noise(np.exp(-2 * np.pi**2 * ((90 * kx) ** 2 + (18 * ky) ** 2)), 21)
    lines = _noise(np.exp(-2 * np.pi**2 * ((35 * kx) ** 2 + (0.8 * ky) ** 2)), 22)
    pores = np.minimum(_noise(np.exp(-2 * np.pi**2 * ((5 * kx) ** 2 + (0.5 * ky) ** 2)), 23) + 0.8, 0)
    flecks = _noise(np.exp(-2 * np.pi**2 * ((2.5 * kx) ** 2 + (0.6 * ky) ** 2)), 25)
    deep = _noise(np.exp(-2 * np.pi**2 * ((80 * kx) ** 2 + (22 * ky) ** 2)), 26)  # of the cut in the log
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    phase = 2 * np.pi * (14 * y / SIZE + 2.2 * deep)
    rings = np.maximum(np.sin(phase), np.sin(phase + 0.9)) ** 3
    total = 0.6 * bands + 0.3 * lines + 1.1 * pores + 0.3 * flecks - 0.5 * rings
    sway = 2.5 * _noise(np.exp(-2 * np.pi**2 * ((60 * kx) ** 2 + (60 * ky) ** 2)), 24)
    bent = cv2.remap(
        total.astype(np.float32), x, (y + sway).astype(np.float32), cv2.INTER_LINEAR, None, cv2.BORDER_WRAP
    )
    return _levels(np.asarray(bent, np.float64))


@cache
def cloth() -> Tile:
    """A plain weave, four pixels a thread, threads of unequal thickness."""
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    over = ((x // 4 + y // 4) % 2) * 2 - 1
    bulge = np.where(over > 0, np.sin(np.pi * (y % 4 + 0.5) / 4), np.sin(np.pi * (x % 4 + 0.5) / 4))
    ky, kx = _frequencies()
    warp = _noise(np.exp(-2 * np.pi**2 * ((40 * kx) ** 2 + (1.2 * ky) ** 2)), 31)
    weft = _noise(np.exp(-2 * np.pi**2 * ((1.2 * kx) ** 2 + (40 * ky) ** 2)), 32)
    return _levels(2 * bulge + 0.35 * over + np.where(over > 0, warp, weft) * 0.6)


@cache
def print_behind() -> Tile:
    """What may be printed on the back of a sheet, mirrored and blurred by the paper: lines of text and a table."""
    rng = np.random.default_rng(41)
    page = np.full((SIZE, SIZE), 255, np.uint8)
    letters = "abcdefghijklmnoprstuvw   eeaitnos"
    for y in range(24, SIZE - 8, 26):
        text = "".join(rng.choice(list(letters), int(rng.integers(8, 34))))
        cv2.putText(page, text, (int(rng.integers(8, 60)), y), cv2.FONT_HERSHEY_SIMPLEX, 0.65, 0, 2, cv2.LINE_AA)
    cv2.rectangle(page, (40, 300), (470, 430), 0, 2)
    for y in (332, 364, 396):
        cv2.line(page, (40, y), (470, y), 0, 2)
    return np.asarray(cv2.GaussianBlur(np.ascontiguousarray(page[:, ::-1]), (0, 0), 2.0), np.uint8)


def lay(tile: Tile, shape: tuple[int, int], tile_px_per_px: float, turn: float, offset: tuple[float, float]) -> Field:
    """A tile repeated over a picture of `shape`, `(H, W)`.

    Args:
        tile_px_per_px: size of a step of one picture pixel on the tile.
        turn: angle in radians.
        offset: position on the tile of the centre of picture pixel (0, 0).
    """
    out = np.empty(shape, np.uint8)
    step = np.array([np.cos(turn), np.sin(turn)]) * tile_px_per_px * _ONE
    at = np.array(offset) * _ONE
    _lay(tile, int(step[0]), int(step[1]), int(at[0]), int(at[1]), out)
    return out


@njit(cache=True, nogil=True)
def _lay(tile: Tile, c: int, s: int, x0: int, y0: int, out: Field) -> None:
    """Bilinear in fixed point with 16 fractional bits; the tile repeats."""
    mask = SIZE - 1
    for i in range(out.shape[0]):
        x, y = x0 - i * s, y0 + i * c
        for j in range(out.shape[1]):
            u, v = (x >> 8) & 255, (y >> 8) & 255
            a, b = (x >> 16) & mask, (y >> 16) & mask
            a1, b1 = (a + 1) & mask, (b + 1) & mask
            top = np.int64(tile[b, a]) * (256 - u) + np.int64(tile[b, a1]) * u
            bottom = np.int64(tile[b1, a]) * (256 - u) + np.int64(tile[b1, a1]) * u
            out[i, j] = np.uint8((top * (256 - v) + bottom * v + 32768) >> 16)
            x += c
            y += s


def soft_on_paper(page: Page, tile: Tile, tile_px_per_mm: float, rng: Rng) -> Field:
    """A tile without fine detail, turned and laid on a flat page or a window of it, fixed in paper mm, `(H, W)`."""
    scale = px_per_mm_of(page)
    turn, start = float(rng.uniform(0, 2 * np.pi)), rng.uniform(0, SIZE, 2)
    # the points that are computed are in the middle of blocks of 8 pixels of the sheet, not of the window
    (top, row), (left, column) = (divmod(round(page.window_mm[axis] * scale), _SOFT_PX) for axis in (1, 0))
    shape = (page.shape[0] + row) // _SOFT_PX + 3, (page.shape[1] + column) // _SOFT_PX + 3
    x, y = (((block - 0.5) * _SOFT_PX) / scale for block in (left, top))
    c, s = np.cos(turn) * tile_px_per_mm, np.sin(turn) * tile_px_per_mm
    offset = (float((start[0] + c * x - s * y) % SIZE), float((start[1] + s * x + c * y) % SIZE))
    coarse = lay(tile, shape, _SOFT_PX * tile_px_per_mm / scale, turn, offset)
    fine = cv2.resize(coarse, None, fx=_SOFT_PX, fy=_SOFT_PX, interpolation=cv2.INTER_LINEAR)
    row, column = row + _SOFT_PX, column + _SOFT_PX
    return np.ascontiguousarray(fine[row : row + page.shape[0], column : column + page.shape[1]], np.uint8)


def fine_on_paper(page: Page, tile: Tile, tile_px_per_mm: float, rng: Rng) -> Field:
    """A tile, not turned, repeated over a flat page or a window of it, fixed in paper mm, `(H, W)`.

    It is enlarged once and then laid to the nearest pixel.
    """
    scale = px_per_mm_of(page)
    side = max(16, round(SIZE * scale / tile_px_per_mm))
    x, y = (int(v) for v in rng.integers(0, 1 << 16, 2))
    enlarged = cv2.resize(tile, (side, side), interpolation=cv2.INTER_AREA if side < SIZE else cv2.INTER_LINEAR)
    left, top = (round(page.window_mm[axis] * scale) + at * side // (1 << 16) for axis, at in ((0, x), (1, y)))
    return np.asarray(repeat(np.asarray(enlarged), page.shape, (top, left)), np.uint8)


def px_per_mm_of(page: Page) -> float:
    """Scale of a flat page."""
    return float(page.warp.px_per_mm(np.zeros((1, 2)))[0])


def _frequencies() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    f = np.asarray(np.fft.fftfreq(SIZE), np.float64)
    return f[:, None], f[None, :]


def _noise(amplitude: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    white = np.fft.fft2(np.random.default_rng([20261126, seed]).standard_normal((SIZE, SIZE)))
    out = np.fft.ifft2(white * np.where(np.hypot(*_frequencies()) == 0, 0.0, amplitude)).real
    return np.asarray(out / out.std(), np.float64)


def _tile(amplitude: NDArray[np.float64], seed: int) -> Tile:
    return _levels(_noise(amplitude, seed))


def _levels(values: NDArray[np.float64]) -> Tile:
    levels = 128.5 + 40 * (values - values.mean()) / values.std()
    return np.asarray(np.clip(levels, 0, 255), np.uint8)
