"""Tiles of a photo: what the spectrum and the phases of a small square tell of the grid's lines in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from ecgdig.grid.lattice import Map, brightest_channel, darkness, excess, power_of

Image = NDArray[np.uint8]  # (H, W, 3) RGB
Array = NDArray[np.float64]

_PALE = 15.0  # grey levels of a grid beside which dark ink is not looked at ...
_TIMES_DARKER, _DARK_INK = 3.0, 25.0  # ... that is so many times as dark, and so many grey levels
TEETH = 8  # harmonics of the grid that are looked at
TOOTH = np.arange(1, TEETH + 1)
FASTEST = 0.42  # cycles per px; faster harmonics are not looked at
MOST_RISE = 7.0  # log power over the surroundings at which a tooth counts in full
# by how much a tile's waves are stretched and turned (rad) in search of the best ones, and in how many steps each
_STEPS_NEARER = np.array([(0.10, 0.10, 9), (0.02, 0.02, 7), (0.005, 0.005, 5)])
_PHASES = 400  # of the lines in a tile that are tried


@dataclass(frozen=True, eq=False)
class Tiles:
    """Overlapping square tiles of a darkness map and their spectra (log power over surroundings)."""

    dark: Map
    side: int
    columns: NDArray[np.int64]  # x of the tiles' first pixels
    rows: NDArray[np.int64]
    rise: NDArray[np.float32]  # (rows, columns, side, side // 2 + 1)
    window: NDArray[np.float32]  # (side,)

    @staticmethod
    def of(image: Image, side: int, there: Map | None) -> Tiles:
        dark = darkness(image, side // 4 | 1)
        dark *= _free_of_dark_ink(image, side // 4 | 1)
        if there is not None:
            dark *= there
        step = side // 2
        columns = np.arange(0, dark.shape[1] - side + 1, step)
        rows = np.arange(0, dark.shape[0] - side + 1, step)
        window = np.hanning(side + 2)[1:-1].astype(np.float32)
        window2 = window[:, None] * window
        rise = np.empty((len(rows), len(columns), side, side // 2 + 1), np.float32)
        for i, y in enumerate(rows):
            for j, x in enumerate(columns):
                tile = dark[y : y + side, x : x + side]
                rise[i, j] = excess(power_of((tile - tile.mean()) * window2))
        return Tiles(dark, side, columns, rows, rise, window)

    def centre(self, at: tuple[int, int]) -> Array:
        half = (self.side - 1) / 2
        return np.array([self.columns[at[1]] + half, self.rows[at[0]] + half])


def _free_of_dark_ink(image: Image, box: int) -> Map:
    """0 at ink that is far darker than a pale grid, and close by: traces would be followed as lines; else 1."""
    channel = brightest_channel(image)  # coloured lines are bright in one channel, ink is dark in all
    dark = cv2.blur(channel, (box, box), borderType=cv2.BORDER_REFLECT).astype(np.float32) - channel
    grid = float(np.percentile(dark[::3, ::3], 93))
    if grid > _PALE:
        return np.ones(dark.shape, np.float32)
    ink = dark > max(_TIMES_DARKER * grid, _DARK_INK)
    return np.asarray(1 - cv2.dilate(ink.astype(np.uint8), np.ones((5, 5), np.uint8)), np.float32)


@njit(cache=True, nogil=True)
def mean_rise(rise: Map, k: Array, n_teeth: int, most: float) -> Array:
    """Mean of a half spectrum `(side, side // 2 + 1)` at the harmonics of each wave, linear between bins: `(n,)`."""
    side = rise.shape[0]
    out = np.zeros(len(k))
    for i in range(len(k)):
        total, seen = 0.0, 0
        for m in range(1, n_teeth + 1):
            fx, fy = k[i, 0] * m * side, k[i, 1] * m * side
            if np.hypot(fx, fy) > FASTEST * side:
                break
            if fx < 0:  # the spectrum of a real image is symmetric
                fx, fy = -fx, -fy
            fy %= side
            x, y = int(fx), int(fy)
            u, v = fx - x, fy - y
            below = (y + 1) % side
            value = (1 - v) * ((1 - u) * rise[y, x] + u * rise[y, x + 1])
            value += v * ((1 - u) * rise[below, x] + u * rise[below, x + 1])
            total += min(max(value, -1.0), most)
            seen += 1
        out[i] = total / max(seen, 1)
    return out


def nearest_waves(tiles: Tiles, at: tuple[int, int], k: Array) -> tuple[Array, float]:
    """The waves near `k` `(2, 2)` whose teeth rise highest in a tile, and the lower of the two means."""
    out, scores = _climbed(tiles.rise[at], k, _STEPS_NEARER, TEETH, MOST_RISE)
    return out, float(scores.min())


@njit(cache=True, nogil=True)
def _climbed(rise: Map, k: Array, steps: Array, n_teeth: int, most: float) -> tuple[Array, Array]:
    """The waves about `k` `(2, 2)` whose teeth rise highest, and their mean rises `(2,)`; nearer in each of `steps`."""
    out, scores = k.copy(), np.zeros(2)
    for family in range(2):
        for step in range(len(steps)):
            stretch, turn, n = steps[step, 0], steps[step, 1], int(steps[step, 2])
            candidates = np.empty((n * n, 2))
            x, y = out[family, 0], out[family, 1]
            for i in range(n):
                s = 1 + stretch * (2 * i / (n - 1) - 1)
                for j in range(n):
                    t = turn * (2 * j / (n - 1) - 1)
                    c, sn = s * np.cos(t), s * np.sin(t)
                    candidates[i * n + j, 0], candidates[i * n + j, 1] = c * x - sn * y, sn * x + c * y
            rises = mean_rise(rise, candidates, n_teeth, most)
            best = np.argmax(rises)
            out[family], scores[family] = candidates[best], rises[best]
    return out, scores


def phases(tiles: Tiles, at: tuple[int, int], k: Array) -> Array:
    """Cycles, mod 1, at the tile's centre of each family, counted from the nearest line: `(2,)`."""
    y, x = tiles.rows[at[0]], tiles.columns[at[1]]
    tile = tiles.dark[y : y + tiles.side, x : x + tiles.side]
    turns, sums = _turns(), tooth_sums(tile, tiles.window, k, TEETH)
    out = np.empty(2)
    for family in range(2):
        n = int((TOOTH * float(np.hypot(*k[family])) < FASTEST).sum())
        # lines are dark where the cycles are whole: all teeth agree there
        match = sums.real[family, :n] @ turns.real[:n] - sums.imag[family, :n] @ turns.imag[:n]
        out[family] = -int(np.argmax(match)) / _PHASES % 1.0
    return out


@lru_cache(maxsize=1)
def _turns() -> NDArray[np.complex128]:
    """exp(2πi m p) of the teeth m and the phases p that are tried, `(TEETH, _PHASES)`."""
    phase = np.arange(_PHASES) / _PHASES
    return np.asarray(np.exp(2j * np.pi * TOOTH[:, None] * phase), np.complex128)


def tooth_sums(tile: Map, window: NDArray[np.float32], k: Array, n: int) -> NDArray[np.complex128]:
    """Windowed sums of darkness · exp(-2πi m k·p), m = 1 to n, p from the tile's centre, of two waves: `(2, n)`."""
    along_x, along_y = _tooth_waves(window, np.ascontiguousarray(k), n)
    parts: NDArray[np.complex128] = (along_y * _row_sums(np.ascontiguousarray(tile), along_x).reshape(-1, 2, n)).sum(
        axis=0
    )
    return parts


@njit(cache=True, nogil=True)
def _tooth_waves(window: NDArray[np.float32], k: Array, n: int) -> tuple[Map, NDArray[np.complex128]]:
    """window · exp(-2πi m k·p): of x, real and imaginary parts in turn `(2 * n * 2, side)`, and of y `(side, 2, n)`."""
    side = len(window)
    along_x, along_y = np.empty((4 * n, side), np.float32), np.empty((side, 2, n), np.complex128)
    for i in range(side):
        p = -2 * np.pi * (i - 0.5 * (side - 1))
        for family in range(2):
            step_x, step_y = np.exp(1j * k[family, 0] * p), np.exp(1j * k[family, 1] * p)
            x, y = window[i] * step_x, window[i] * step_y
            for m in range(n):
                at = 2 * (family * n + m)
                along_x[at, i], along_x[at + 1, i], along_y[i, family, m] = x.real, x.imag, y
                x, y = x * step_x, y * step_y
    return along_x, along_y


# in any order, that is many terms at a time; a product of matrices would wake the threads of BLAS for each tile
@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _row_sums(tile: Map, waves: Map) -> NDArray[np.complex64]:
    """The sums of each row times each wave, whose real and imaginary parts `(2 * n, side)` take turns: `(side, n)`."""
    h, n = len(tile), len(waves) // 2
    out = np.empty((h, n), np.complex64)
    for y in range(h):
        row = tile[y]
        for m in range(n):
            cos, sin = waves[2 * m], waves[2 * m + 1]
            real, imag = np.float32(0), np.float32(0)
            for x in range(len(row)):
                real += row[x] * cos[x]
                imag += row[x] * sin[x]
            out[y, m] = complex(real, imag)
    return out
