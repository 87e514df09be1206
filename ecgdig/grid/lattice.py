"""Kernels that find a printed line grid in an image: darkness map, tile spectra, phasors and line profiles.

A family of equally spaced parallel lines is a wave: darkness peaks where `k · (x, y) + phase` is a whole number. `k` is
in cycles per px, (x, y) in px with (0, 0) the centre of the top left pixel. A family is known here by a `Wave`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # (H, W, 3) RGB
Map = NDArray[np.float32]  # (H, W)

MAX_ANGLE_DEG = 14.0
LONGEST_PERIOD_PX = 125.0  # 5 mm at 600 dpi
SHORTEST_PERIOD_PX = 2.1


@dataclass(frozen=True)
class Wave:
    """One family of parallel lines: `k` in cycles per px, `phase` in cycles at pixel (0, 0)."""

    k: tuple[float, float]
    phase: float
    coherence: float = 1.0  # share of the tiles holding lines that agree with this one wave
    residual: float = 0.0  # rms of the agreeing tiles' phases about it, in cycles
    tiles: int = 0  # tiles holding lines

    @property
    def frequency(self) -> float:
        return float(np.hypot(*self.k))

    def scaled(self, factor: float) -> Wave:
        """The wave of `factor` times the frequency along the same direction; phase is not carried."""
        return Wave((self.k[0] * factor, self.k[1] * factor), 0.0, self.coherence, self.residual, self.tiles)


def darkness(image: Image, box_px: int) -> Map:
    """How much darker each pixel is than its surroundings, in the channel that is darkest; `(H, W)`, clipped to ±1.

    Lines of any colour on paper of any colour are dark in at least one channel. The clip level is that of the grid, so
    that traces and text count no more than lines do.
    """
    channel = darkest_channel(image)
    around = cv2.boxFilter(channel, cv2.CV_32F, (box_px, box_px), borderType=cv2.BORDER_REFLECT)
    dark = np.asarray(around, np.float32)
    dark -= channel
    level = max(float(np.percentile(dark[::3, ::3], 93)), 3.0)
    dark /= np.float32(level)
    return np.clip(dark, -1, 1, out=dark)


def thin(dark: NDArray[Any], widest_px: float) -> Map:
    """What of a darkness map is narrower than `widest_px` along x: lines stay where they are, edges are gone.

    The white top-hat (Serra 1982): the map less its opening.
    """
    kernel = np.ones((1, max(3, round(widest_px) | 1)), np.uint8)
    out = cv2.morphologyEx(np.asarray(dark, np.float32), cv2.MORPH_TOPHAT, kernel, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.float32)


def darkest_channel(image: Image) -> NDArray[np.uint8]:
    """The least of the three channels of each pixel, `(H, W)`."""
    red, green, blue = cv2.split(image)
    return np.asarray(cv2.min(cv2.min(red, green), blue), np.uint8)


def brightest_channel(image: Image) -> NDArray[np.uint8]:
    """The greatest of the three channels of each pixel, `(H, W)`."""
    red, green, blue = cv2.split(image)
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)


@dataclass(frozen=True)
class Tiles:
    """Square tiles of a darkness map and their power spectra.

    Attributes:
        size: side in px, a power of two.
        corners: x, y of each tile's first pixel, `(n, 2)`.
        power: `(n, size, size // 2 + 1)`, frequencies as `numpy.fft.rfft2` orders them.
    """

    size: int
    corners: NDArray[np.int64]
    power: NDArray[np.float32]

    @property
    def centres(self) -> NDArray[np.float64]:
        return np.asarray(self.corners + (self.size - 1) / 2, np.float64)

    def mean_excess(self) -> NDArray[np.float32]:
        """Log of the mean power over its surroundings, `(size, size // 2 + 1)`."""
        return excess(self.power.mean(axis=0))


def tile_side(shape: tuple[int, ...]) -> int:
    """Side of the tiles for an image of `shape`: about a quarter of its short side."""
    short = min(shape[:2])
    return int(np.clip(2 ** round(float(np.log2(max(short / 3.6, 1)))), 64, 512))


def cut_tiles(dark: Map) -> Tiles:
    side = tile_side(dark.shape)
    starts = [_starts(length, side) for length in (dark.shape[1], dark.shape[0])]
    corners = np.array([(x, y) for y in starts[1] for x in starts[0]])
    window = np.hanning(side + 2)[1:-1].astype(np.float32)
    window2 = window[:, None] * window
    power = np.empty((len(corners), side, side // 2 + 1), np.float32)
    for i, (x, y) in enumerate(corners):
        tile = dark[y : y + side, x : x + side]
        power[i] = power_of((tile - tile.mean()) * window2)
    return Tiles(side, corners, power)


def power_of(tile: Map) -> NDArray[np.float32]:
    """Power of a tile's spectrum, `(side, side // 2 + 1)` as `numpy.fft.rfft2` orders it; the side is even."""
    out: NDArray[np.float32] = _unpacked_power(np.asarray(cv2.dft(tile), np.float32))
    return out


@njit(cache=True, nogil=True)
def _unpacked_power(packed: Map) -> NDArray[np.float32]:
    """Power of each frequency of a spectrum as `cv2.dft` packs it: real and imaginary parts side by side.

    The columns of frequency 0 and of the highest one are spectra of real columns, packed downwards alike.
    """
    side = packed.shape[0]
    half = side // 2
    out = np.empty((side, half + 1), np.float32)
    for y in range(side):
        for x in range(1, half):
            real, imag = packed[y, 2 * x - 1], packed[y, 2 * x]
            out[y, x] = real * real + imag * imag + np.float32(1e-3)
    for x, column in ((0, 0), (half, side - 1)):
        out[0, x] = packed[0, column] ** 2 + np.float32(1e-3)
        out[half, x] = packed[side - 1, column] ** 2 + np.float32(1e-3)
        for y in range(1, half):
            real, imag = packed[2 * y - 1, column], packed[2 * y, column]
            out[y, x] = out[side - y, x] = real * real + imag * imag + np.float32(1e-3)
    return out


def _starts(length: int, side: int) -> NDArray[np.int64]:
    n = 1 + int(np.ceil((length - side) / (0.75 * side)))
    return np.round(np.linspace(0, length - side, max(n, 1))).astype(np.int64)


def excess(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Natural log of a power spectrum over the mean log of its surroundings (±5 % of the tile)."""
    log = np.log(power)
    reach = max(9, power.shape[0] // 20 * 2 + 1)
    padded = cv2.copyMakeBorder(log, reach, reach, 0, 0, cv2.BORDER_WRAP)
    ground = cv2.blur(padded, (reach, reach), borderType=cv2.BORDER_REFLECT)[reach:-reach]
    return np.asarray(log - ground, np.float32)


def radial(
    spectrum: NDArray[np.float32], angles_rad: NDArray[np.float64], radii_bins: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Samples `(n_angles, n_radii)` of a half spectrum along directions; an angle of 0 is +x, π/2 is +y."""
    return _radial(spectrum, np.cos(angles_rad), np.sin(angles_rad), radii_bins)


@njit(cache=True, nogil=True)
def _radial(
    spectrum: NDArray[np.float32], cos: NDArray[np.float64], sin: NDArray[np.float64], radii: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Linear between bins; both frequencies go round, as `scipy.ndimage.map_coordinates` has it for "grid-wrap"."""
    h, w = spectrum.shape
    out = np.empty((len(cos), len(radii)), np.float32)
    for a in range(len(cos)):
        side = -1.0 if cos[a] < 0 else 1.0  # the spectrum of a real image is symmetric
        for r in range(len(radii)):
            fx, fy = side * cos[a] * radii[r], side * sin[a] * radii[r]
            x, y = int(np.floor(fx)), int(np.floor(fy))
            u, v = fx - x, fy - y
            left, right, top, bottom = x % w, (x + 1) % w, y % h, (y + 1) % h
            upper = (1 - u) * spectrum[top, left] + u * spectrum[top, right]
            lower = (1 - u) * spectrum[bottom, left] + u * spectrum[bottom, right]
            out[a, r] = (1 - v) * upper + v * lower
    return out


def radii_of(side: int) -> NDArray[np.float64]:
    """Frequencies looked at, in bins of a tile spectrum, two a bin."""
    return np.arange(max(side / LONGEST_PERIOD_PX, 3.0), side / SHORTEST_PERIOD_PX, 0.5)


def common_angle(spectrum: NDArray[np.float32], side: int) -> float:
    """Angle in radians, within ±`MAX_ANGLE_DEG`, at which both line families together rise highest."""
    angles = np.radians(np.arange(-MAX_ANGLE_DEG, MAX_ANGLE_DEG + 0.01, 0.1))
    radii = radii_of(side)
    high = np.zeros(len(angles))
    for turn in (0.0, np.pi / 2):
        rise = np.clip(radial(spectrum, angles + turn, radii) - 1.0, 0, 6)
        high += np.sqrt(np.sum(rise**2, axis=1))
    return float(angles[int(np.argmax(high))])


def strongest(spectrum: NDArray[np.float32], side: int, angle: float) -> tuple[tuple[float, float], float]:
    """The strongest wave near direction `angle`: k in cycles per px, sub-bin, and its rise (log power)."""
    angles = angle + np.radians(np.arange(-1.2, 1.21, 0.1))
    radii = radii_of(side)
    rise = radial(spectrum, angles, radii)
    a, r = np.unravel_index(int(np.argmax(rise)), rise.shape)
    fx, fy = radii[r] * np.cos(angles[a]), radii[r] * np.sin(angles[a])
    # parabola through the log power: close to exact for a Hann window
    around = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
    cx, cy = round(fx), round(fy)
    n = spectrum.shape[0]

    def at(x: int, y: int) -> float:
        x, y = (-x, -y) if x < 0 else (x, y)
        return float(spectrum[y % n, min(x, spectrum.shape[1] - 1)])

    for _ in range(3):  # to the bin that is highest
        step = max(around, key=lambda s: at(cx + s[0], cy + s[1]))
        cx, cy = cx + step[0], cy + step[1]
    dx = _vertex(at(cx - 1, cy), at(cx, cy), at(cx + 1, cy))
    dy = _vertex(at(cx, cy - 1), at(cx, cy), at(cx, cy + 1))
    return ((cx + dx) / side, (cy + dy) / side), float(rise[a, r])


def _vertex(left: float, middle: float, right: float) -> float:
    bend = left - 2 * middle + right
    return 0.0 if bend >= -1e-9 else float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5))


def phasors(
    dark: Map, corners: NDArray[np.int64], side: int, window: NDArray[np.float32], kx: float, ky: float
) -> NDArray[np.complex128]:
    """Hann-weighted sums of darkness times exp(-2πi k·p) over each tile, `(n,)`, p counted from pixel (0, 0)."""
    out = np.zeros(len(corners), np.complex128)
    for i, (x, y) in enumerate(corners):
        along = window * np.exp(-2j * np.pi * kx * np.arange(x, x + side))
        down = window * np.exp(-2j * np.pi * ky * np.arange(y, y + side))
        each = dark[y : y + side, x : x + side] @ np.stack([along.real, along.imag], 1).astype(np.float32)
        out[i] = down @ (each[:, 0] + 1j * each[:, 1])
    return out


def local_rise(tiles: Tiles, k: tuple[float, float], reach: float) -> NDArray[np.float64]:
    """For each tile, the highest power within `reach` (relative) of `k` over the median power around, `(n,)`."""
    side = tiles.size
    fx, fy = k[0] * side, k[1] * side
    if fx < 0:
        fx, fy = -fx, -fy
    near = max(2.5, reach * float(np.hypot(fx, fy)))
    far = max(2.5 * near, 8.0)
    r = int(np.ceil(far))
    y, x = np.mgrid[-r : r + 1, -r : r + 1]
    rows, columns = (round(fy) + y) % side, round(fx) + x
    mirrored = columns < 0
    rows, columns = np.where(mirrored, (-rows) % side, rows), np.clip(np.abs(columns), 0, side // 2)
    distance = np.hypot(x + round(fx) - fx, y + round(fy) - fy)
    patch = tiles.power[:, rows, columns]  # (n, 2r+1, 2r+1)
    peak = patch[:, distance <= near].max(axis=1)
    ground = np.median(patch[:, (distance > near) & (distance <= far)], axis=1)
    return np.asarray(peak / ground, np.float64)


STRONG_RISE = 25.0  # a tile holds lines where their power is that far above the surroundings (noise alone: about 9)


def fit_wave(dark: Map, tiles: Tiles, k: tuple[float, float]) -> Wave:
    """Fit one wave to the whole map: phases of all tiles about `k` by a robust plane.

    `k` must be right to half a bin of the tile spectrum. Repeated once from the better value.
    """
    window = np.hanning(tiles.size + 2)[1:-1].astype(np.float32)
    weight = np.clip(local_rise(tiles, k, 0.05), 0, 400.0)
    strong = weight > STRONG_RISE
    wave = Wave(k, 0.0, 0.0, 0.25, int(strong.sum()))
    if strong.sum() < 2:
        return wave
    centre = tiles.centres
    for step in range(2):
        c = phasors(dark, tiles.corners, tiles.size, window, *wave.k)
        unit = c / np.maximum(np.abs(c), 1e-12)
        w = np.where(strong, np.sqrt(weight), 0.0)
        slope = _search_slope(unit * w, centre, 0.7 / tiles.size if step == 0 else 0.1 / tiles.size)
        wave = _regress(unit, w, centre, strong, wave.k, slope)
    return wave


def _search_slope(phasor: NDArray[np.complex128], centre: NDArray[np.float64], reach: float) -> tuple[float, float]:
    """The slope (cycles per px) within ±`reach` along which the tiles' phasors add up best."""
    middle = centre.mean(axis=0)
    p = centre - middle
    axes = []
    for axis in range(2):
        extent = max(float(np.ptp(p[:, axis])), 1.0)
        n = int(np.ceil(2 * reach * extent * 4)) | 1  # four steps a cycle of drift
        axes.append(np.linspace(-reach, reach, max(n, 3)))
    ex = np.exp(-2j * np.pi * axes[0][:, None] * p[:, 0])  # (nx, tiles)
    ey = np.exp(-2j * np.pi * axes[1][:, None] * p[:, 1])
    total = np.abs((ex * phasor) @ ey.T)  # (nx, ny)
    i, j = np.unravel_index(int(np.argmax(total)), total.shape)
    return float(axes[0][i]), float(axes[1][j])


def _regress(
    unit: NDArray[np.complex128],
    weight: NDArray[np.float64],
    centre: NDArray[np.float64],
    strong: NDArray[np.bool_],
    k: tuple[float, float],
    slope: tuple[float, float],
) -> Wave:
    design = np.column_stack([centre, np.ones(len(centre))])
    model = np.array([slope[0], slope[1], 0.0])
    turned = unit * np.exp(-2j * np.pi * (centre @ model[:2]))
    model[2] = np.angle(np.sum(turned * weight)) / (2 * np.pi)
    for limit in (0.3, 0.25, 0.15, 0.15):
        off = np.angle(unit * np.exp(-2j * np.pi * (design @ model))) / (2 * np.pi)
        keep = (np.abs(off) < limit) & (weight > 0)
        if keep.sum() < 2:
            break
        w = weight * keep
        change, *_ = np.linalg.lstsq(design * w[:, None], off * w, rcond=1e-9)
        model = model + change
    off = np.angle(unit * np.exp(-2j * np.pi * (design @ model))) / (2 * np.pi)
    agree = strong & (np.abs(off) < 0.15)
    share = float(np.sum(weight * agree) / max(float(np.sum(weight * strong)), 1e-12))
    rms = float(np.sqrt(np.mean(off[agree] ** 2))) if agree.any() else 0.25
    # darkness ~ cos(2π(k·p + phase)), so a tile's sum of darkness · exp(-2πi k·p) turns as exp(2πi phase)
    return Wave((k[0] + float(model[0]), k[1] + float(model[1])), float(model[2]) % 1.0, share, rms, int(strong.sum()))


@njit(cache=True, nogil=True)
def line_sums(
    dark: Map, kx: float, ky: float, first: float, step: float, n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Darkness summed along the lines of a wave: sums, weights in `n` bins of `u = k·p`, bin i at `first + i·step`."""
    total, count = np.zeros(n), np.zeros(n)
    for y in range(dark.shape[0]):
        u0 = (ky * y - first) / step
        du = kx / step
        for x in range(dark.shape[1]):
            u = u0 + du * x
            i = int(u)
            if 0 <= i < n - 1:
                part = u - i
                value = dark[y, x]
                total[i] += value * (1 - part)
                count[i] += 1 - part
                total[i + 1] += value * part
                count[i + 1] += part
    return total, count


def line_profile(dark: Map, wave: Wave, per_px: float = 2.0) -> tuple[NDArray[np.float64], float]:
    """Mean darkness along the lines against distance across them: `(n,)`, `per_px` bins a px, and u of its first bin.

    u = k·p / |k|, in px. Bins that few pixels reach are 0.
    """
    f = wave.frequency
    kx, ky = wave.k[0] / f, wave.k[1] / f
    h, w = dark.shape
    corners = np.array([0.0, kx * (w - 1), ky * (h - 1), kx * (w - 1) + ky * (h - 1)])
    first = float(corners.min())
    n = int(np.ceil((corners.max() - first) * per_px)) + 2
    total, count = line_sums(dark, kx, ky, first, 1 / per_px, n)
    full = float(np.percentile(count, 80))
    mean = np.where(count > 0.2 * full, total / np.maximum(count, 1e-9), 0.0)
    known = count > 0.2 * full
    mean[known] -= mean[known].mean()
    return mean, first
