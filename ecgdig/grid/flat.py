"""The geometry of flat pages (scans, screenshots, clean renders) from the printed grid, by signal processing.

Each of the two line families is fitted as one plane wave over the whole page; which of its harmonics are 1 mm and which
5 mm lines is read from the coherent spectrum of the darkness profile across the lines, and, where that leaves it open
(all lines alike), from the size that the page would have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.grid.lattice import (
    Map,
    Tiles,
    Wave,
    common_angle,
    cut_tiles,
    darkness,
    excess,
    fit_wave,
    line_profile,
    radial,
    radii_of,
    strongest,
    tile_side,
)
from ecgdig.page.warp import Homography, Warp
from ecgdig.units import LARGE_SQUARE_MM, SMALL_SQUARE_MM

Image = NDArray[np.uint8]  # (H, W, 3) RGB
Lines = Literal["1 mm and 5 mm", "1 mm", "5 mm"]

PX_PER_MM_RANGE = (2.2, 26.0)
WORKING_SIDE_PX = 3000  # the short side of larger images is halved until below
LEAST_SIDE_PX = 64
_MOST_RESIDUAL_MM = 0.1  # scans leave up to 0.022; lines of print and traces that were taken for a grid, 0.3
_SQUARES = round(LARGE_SQUARE_MM / SMALL_SQUARE_MM)


class GeometryError(ValueError):
    """The geometry of a page cannot be found; the message says why and what to do."""


class NotFlatError(GeometryError):
    """The page shows a grid, but not that of a flat page."""


@dataclass(frozen=True)
class FlatGrid:
    """The printed grid of a flat page.

    Attributes:
        matrix: rows (a, b, c) of the affine map px -> mm: x_mm = a·x + b·y + c and the same for y; y grows downwards.
            The origin is a crossing of 5 mm lines up and left of the whole image: all of the image has x, y >= 0.
        shape: height and width of the image in px.
        lines: which lines were seen. Where it is "1 mm", the origin is on a 1 mm line.
        support: 0 to 1, share of the tiles holding lines that agree with one flat grid.
        residual_mm: rms departure of the local line positions from that grid.
    """

    matrix: tuple[tuple[float, float, float], tuple[float, float, float]]
    shape: tuple[int, int]
    lines: Lines
    support: float
    residual_mm: float

    @property
    def px_per_mm(self) -> tuple[float, float]:
        """Along the grid's x and y."""
        inverse = np.linalg.inv(np.array(self.matrix)[:, :2])
        return float(np.hypot(*inverse[:, 0])), float(np.hypot(*inverse[:, 1]))

    @property
    def angle_deg(self) -> float:
        """How far the page is turned clockwise in the image."""
        inverse = np.linalg.inv(np.array(self.matrix)[:, :2])
        return float(np.degrees(np.arctan2(inverse[1, 0], inverse[0, 0])))

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height of the smallest upright mm rectangle from the origin that holds the image."""
        h, w = self.shape
        corners = np.array([(-0.5, -0.5, 1), (w - 0.5, -0.5, 1), (-0.5, h - 0.5, 1), (w - 0.5, h - 0.5, 1)])
        high = (corners @ np.array(self.matrix).T).max(axis=0)
        return float(high[0]), float(high[1])

    def warp(self) -> Warp:
        """Paper mm -> image px."""
        return Warp((Homography.of(np.linalg.inv(np.vstack([np.array(self.matrix), [0, 0, 1]]))),))


def find_grid(image: Image) -> FlatGrid:
    """Find the printed grid of a flat page.

    Args:
        image: uint8 RGB `(H, W, 3)`; 60 to 600 dpi, turned by up to 12 degrees.

    Raises:
        GeometryError: there is no grid; `NotFlatError`: the page is not flat (a photo).
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise GeometryError(f"image of shape {image.shape} and type {image.dtype}; want uint8 RGB (height, width, 3)")
    h, w = image.shape[:2]
    if min(h, w) < LEAST_SIDE_PX:
        raise GeometryError(f"an image of {w} x {h} px is too small to hold an ECG page; give the original scan")
    shrink = max(1, -(-min(h, w) // WORKING_SIDE_PX))
    small: NDArray[Any] = image
    if shrink > 1:
        small = cv2.resize(
            image[: h // shrink * shrink, : w // shrink * shrink],
            None,
            fx=1 / shrink,
            fy=1 / shrink,
            interpolation=cv2.INTER_AREA,
        )
    dark = darkness(small, tile_side(small.shape) // 8 * 2 + 1)
    tiles = cut_tiles(dark)
    seen = _families(tiles)
    waves = tuple(fit_wave(dark, tiles, k) for k, _ in seen)
    _refuse(waves, seen, tiles)
    across = [_Comb.of(dark, wave) for wave in waves]
    fundamental, kind = _read_lines((small.shape[1], small.shape[0]), across)
    rows = []
    for comb, frequency in zip(across, fundamental, strict=True):
        rows.append(comb.millimetres(frequency, kind))
    matrix = np.array(rows)  # px of `small` -> mm
    # centre of small pixel i is the centre of `shrink` pixels: x_small = (x + 0.5) / shrink - 0.5
    offset = 0.5 / shrink - 0.5
    matrix = np.column_stack([matrix[:, :2] / shrink, matrix[:, 2] + matrix[:, :2].sum(axis=1) * offset])
    matrix = _origin_outside(matrix, (h, w), SMALL_SQUARE_MM if kind == "1 mm" else LARGE_SQUARE_MM)
    residual = max(
        wave.residual / wave.frequency * float(np.hypot(*row[:2])) for wave, row in zip(waves, rows, strict=True)
    )
    if residual > _MOST_RESIDUAL_MM:
        raise NotFlatError(
            f"not flat: lines are {residual:.2f} mm off a flat grid, or they are not those of a grid; give a flat scan"
        )
    a, b = (tuple(float(v) for v in row) for row in matrix)
    support = min(wave.coherence for wave in waves)
    return FlatGrid(((a[0], a[1], a[2]), (b[0], b[1], b[2])), (h, w), kind, float(support), float(residual))


Seen = tuple[
    tuple[tuple[float, float], float], tuple[tuple[float, float], float]
]  # (k, rise) of the x and of the y family

LEAST_RISE = 2.0  # log power of the mean spectrum over its surroundings
LEAST_COHERENCE = 0.85
_GRIDDED = 0.25  # share of the tiles of a page that shows a grid


def _families(tiles: Tiles) -> Seen:
    spectrum = tiles.mean_excess()
    angle = common_angle(spectrum, tiles.size)
    return strongest(spectrum, tiles.size, angle), strongest(spectrum, tiles.size, angle + np.pi / 2)


def _refuse(waves: tuple[Wave, ...], seen: Seen, tiles: Tiles) -> None:
    """Raise unless both families are there and plane."""
    n = len(tiles.corners)
    few = max(2, 0.2 * n)
    flat = all(wave.coherence >= LEAST_COHERENCE and wave.tiles >= few for wave in waves)
    turned = np.degrees(np.arctan2(waves[0].k[1], waves[0].k[0]) - np.arctan2(-waves[1].k[0], waves[1].k[1]))
    if flat and all(rise > LEAST_RISE for _, rise in seen) and abs(turned) < 1.5:
        return
    if _is_gridded(tiles):
        raise NotFlatError(
            "not flat: the grid's pitch or direction changes over the page, as in a photo; give a flatbed scan"
        )
    raise GeometryError(
        "no printed ECG grid found: a flat page needs visible 1 mm or 5 mm lines, turned by at most 12 degrees; "
        "give a scan of the whole page at 100 dpi or more"
    )


def _is_gridded(tiles: Tiles) -> bool:
    """Whether a quarter of the tiles hold two line families crossing at about a right angle, whatever their pitch."""
    angles = np.radians(np.arange(-45, 45, 0.75))
    radii = radii_of(tiles.size)
    wanted = _GRIDDED * len(tiles.corners)
    hits = 0
    for power in tiles.power:
        rise = excess(power)
        high = [radial(rise, angles + turn, radii).max(axis=1) for turn in (0.0, np.pi / 2)]
        wide = [np.maximum.reduce([np.roll(h, s) for s in range(-6, 7)]) for h in high]
        both = np.minimum(*wide)
        hits += bool(both.max() > 5.0)
        if hits >= wanted:
            return True
    return False


@dataclass(frozen=True)
class _Comb:
    """The darkness profile across one line family and its coherent spectrum."""

    wave: Wave
    profile: NDArray[np.float64]  # two bins a px
    first_px: float
    frequencies: NDArray[np.float64]  # cycles per px
    amplitude: NDArray[np.float64]
    noise: NDArray[np.float64]

    @staticmethod
    def of(dark: Map, wave: Wave) -> _Comb:
        profile, first = line_profile(dark, wave)
        window = np.hanning(len(profile) + 2)[1:-1]
        n = 4 * len(profile)
        amplitude = np.abs(np.fft.rfft(profile * window, n))
        reach = max(9, round(n / 2 / 600) | 1)
        ground = _running_median(amplitude, max(reach, 101))
        return _Comb(
            wave,
            profile,
            first,
            np.asarray(np.fft.rfftfreq(n, 0.5), np.float64),
            amplitude,
            np.maximum(ground, FLOOR * amplitude.max()) + 1e-12,
        )

    def at(self, frequency: float) -> tuple[float, float]:
        """Amplitude of the line nearest to `frequency`, within a bin, and the noise around it."""
        step = self.frequencies[1]
        i = round(frequency / step)
        if i + 5 >= len(self.amplitude) or frequency > 0.49:
            return 0.0, 1.0
        low = max(i - 3, 0)
        return float(self.amplitude[low : i + 4].max()), float(self.noise[i])

    def teeth(self, fundamental: float, highest: int = 40) -> NDArray[np.float64]:
        """Amplitude over noise of the harmonics 1, 2, ... of `fundamental` below the Nyquist frequency."""
        n = int(min(highest, 0.47 / fundamental))
        return np.array([a / b for a, b in (self.at(fundamental * i) for i in range(1, n + 1))])

    def score(self, fundamental: float) -> float:
        """Evidence that the lines have this period: what its harmonics rise above the noise, less a cost for each."""
        rise = np.clip(np.log(np.maximum(self.teeth(fundamental), 1e-9) / 4), 0, 3)
        repeated, m = max((self._multiple(fundamental, m), m) for m in (2, 3))
        if repeated > 0:  # the teeth between say nothing for it
            repeated += float(rise[np.arange(1, len(rise) + 1) % m > 0].sum())
        return float(rise.sum()) - TOOTH_COST * len(rise) - repeated

    def _multiple(self, fundamental: float, m: int) -> float:
        """Evidence that this is `m` periods: 1 mm lines 7.5 px apart, drawn on whole px, repeat faintly every 2 mm."""
        order = np.arange(1, int(min(3 * m, 0.47 / fundamental)) + 1)  # what is off by half a px shows in high ones
        if len(order) < 2 * m:
            return 0.0
        seen, noise = np.array([self.at(fundamental * n) for n in order]).T
        power = np.maximum(seen**2 - (NOISE_PEAK * noise) ** 2, 0)
        between, on = power[order % m > 0].mean() + np.mean(noise**2), power[order % m == 0].mean()
        return MULTIPLE_COST * float(np.clip(np.log(max(FAINT**2 * on / between, 1e-9)) / 2, 0, 3))

    def millimetres(self, fundamental: float, kind: Lines) -> tuple[float, float, float]:
        """The affine form a·x + b·y + c in mm whose zero is a line (a 5 mm line unless all lines are 1 mm)."""
        period = SMALL_SQUARE_MM if kind == "1 mm" else LARGE_SQUARE_MM
        f = self.wave.frequency
        per_px = fundamental * period / 1.0  # mm per px
        u0 = self._line_position(fundamental)
        kx, ky = self.wave.k[0] / f, self.wave.k[1] / f
        return kx * per_px, ky * per_px, -u0 * per_px

    def _line_position(self, fundamental: float) -> float:
        """u in px of a darkest line of period 1 / fundamental: the profile folded, its peak by parabola."""
        u = self.first_px + np.arange(len(self.profile)) * 0.5
        n = int(np.clip(round(2 / fundamental), 8, 250))
        phase = (u * fundamental) % 1.0
        index = (phase * n).astype(int) % n
        folded = np.bincount(index, self.profile, n) / np.maximum(np.bincount(index, minlength=n), 1)
        # a template about a line wide, so that a flat top has one peak
        order = np.fft.rfftfreq(n, 1 / n)
        smooth = np.fft.irfft(np.fft.rfft(folded) * np.exp(-0.5 * (2 * np.pi * order * TEMPLATE_SQUARES) ** 2), n)
        top = int(np.argmax(smooth))
        left, mid, right = smooth[top - 1], smooth[top], smooth[(top + 1) % n]
        bend = left - 2 * mid + right
        shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
        centre = np.bincount(index, phase * n - index, n) / np.maximum(np.bincount(index, minlength=n), 1)
        return float((top + centre[top] + shift) / n / fundamental)


TOOTH_COST = 0.5
NOISE_PEAK = 3.0  # times the noise: what the highest of some bins reaches
FAINT, MULTIPLE_COST = 0.3, 15.0  # harmonics between those of a shorter period; those of a grid are as strong
FLOOR = 0.0015  # of the highest amplitude: what aliasing in a noise-free render reaches
TEMPLATE_SQUARES = 0.03


def _running_median(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Median of blocks of `width`, interpolated: a noise floor under narrow lines."""
    n = max(1, len(values) // width)
    blocks = np.array_split(values, n)
    middle = np.cumsum([0] + [len(b) for b in blocks[:-1]]) + np.array([len(b) / 2 for b in blocks])
    return np.asarray(np.interp(np.arange(len(values)), middle, [np.median(b) for b in blocks]), np.float64)


def _read_lines(size_px: tuple[int, int], combs: list[_Comb]) -> tuple[tuple[float, float], Lines]:
    """The fundamental frequency (cycles per px) of each family and which lines they are."""
    slowest = 1 / (LARGE_SQUARE_MM * PX_PER_MM_RANGE[1])
    rated = [
        [
            (comb.wave.frequency / m, comb.score(comb.wave.frequency / m))
            for m in range(1, HIGHEST_TOOTH + 1)
            if comb.wave.frequency / m > slowest
        ]
        for comb in combs
    ]
    best: tuple[float, tuple[float, float], Lines] | None = None
    for fx, sx in rated[0]:
        for fy, sy in rated[1]:
            if abs(fx / fy - 1) > MOST_ANISOTROPY:
                continue
            rise = float(np.mean([_five_fold(comb, f) for comb, f in zip(combs, (fx, fy), strict=True)]))
            for kind, square_mm in SQUARE_MM.items():
                px = 2 / (fx + fy) / square_mm  # px per mm
                if not PX_PER_MM_RANGE[0] <= px <= PX_PER_MM_RANGE[1]:
                    continue
                total = sx + sy + _size_prior(min(size_px) / px)
                total += float(np.clip(6 * (rise - LEAST_FIVE_FOLD), -6, 6)) * (1 if kind == "1 mm and 5 mm" else -1)
                if best is None or total > best[0]:
                    best = total, (fx, fy), kind
    if best is None:
        raise NotFlatError(
            "the lines across and along the page have no common pitch: no flat ECG grid; give an undistorted scan"
        )
    return best[1], best[2]


SQUARE_MM: dict[Lines, float] = {"1 mm and 5 mm": LARGE_SQUARE_MM, "1 mm": SMALL_SQUARE_MM, "5 mm": LARGE_SQUARE_MM}
HIGHEST_TOOTH = 40  # harmonic of the lines that may be the strongest: thin lines on whole px have many
MOST_ANISOTROPY = 0.04
LEAST_FIVE_FOLD = 0.45


def _size_prior(short_side_mm: float) -> float:
    """Log prior of a page's short side: paper is 80 to 300 mm, crops less; under 40 or above 420 mm hardly any."""
    off = np.log(short_side_mm / 170.0)
    return float(-6 * (off / 0.75) ** 4 - (off / 0.6) ** 2)


def _five_fold(comb: _Comb, fundamental: float) -> float:
    """How much the 5th and 10th harmonic stand above their neighbours (log amplitude): 1 mm lines between 5 mm ones."""
    rises = []
    for n in (_SQUARES, 2 * _SQUARES):
        if fundamental * (n + 1) > 0.47:
            break
        levels = []
        for i in (n - 1, n, n + 1):
            a, b = comb.at(fundamental * i)
            levels.append(float(np.log(np.maximum(a, 2 * b))))
        rises.append(levels[1] - 0.5 * (levels[0] + levels[2]))
    return max(rises, default=0.0)


def _origin_outside(matrix: NDArray[np.float64], shape: tuple[int, int], square_mm: float) -> NDArray[np.float64]:
    """Move the origin by whole squares until the image lies at x, y >= 0, just."""
    h, w = shape
    corners = np.array([(-0.5, -0.5, 1), (w - 0.5, -0.5, 1), (-0.5, h - 0.5, 1), (w - 0.5, h - 0.5, 1)])
    low = (corners @ matrix.T).min(axis=0)
    matrix = matrix.copy()
    matrix[:, 2] -= np.floor(low / square_mm) * square_mm
    return matrix
