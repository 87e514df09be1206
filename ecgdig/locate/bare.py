"""The scale of a flat page that has no grid: from how it looks, its calibration pulse, and how long its rows last.

What the sheet network sees of a page is clearest at the scale it was trained for, which is right to 15 %. The width of
a calibration pulse, 0.2 s, tells it to 1 %; and rows that then last 10 s within 3 % are taken to last just that, as on
nearly all pages: over 250 mm their ends tell the scale to 0.1 %.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from ecgdig.grid.flat import LEAST_SIDE_PX, PX_PER_MM_RANGE, GeometryError
from ecgdig.grid.lattice import darkest_channel
from ecgdig.locate.ink import INK_PX_PER_MM, Image, InkMap, Map, ink_map
from ecgdig.locate.pulse import Pulse, find_pulse
from ecgdig.locate.rows import Rows, find_rows
from ecgdig.locate.sheet import STRIDE, SheetMaps, sheet_maps
from ecgdig.page.warp import Homography, Warp
from ecgdig.units import LARGE_SQUARE_MM, PULSE_S, STANDARD_SPEED_MM_PER_S

USUAL_S = 10.0  # what rows last

_LONG_SIDE_MM = (400.0, 140.0)  # of a page, most and least
_STEP = 1.18  # from one scale that is tried to the next, near the clearest; farther off its square
_LEAST_ROWS_MM2 = 60.0  # of rows that are seen, on any ECG page
_SIDEWAYS = 0.9
_PULSE_FACTORS = (np.exp(np.arange(-0.27, 0.271, 0.025)), np.exp(np.arange(-0.04, 0.041, 0.01)))  # of each look
_PULSE_BEYOND_MM, _PULSE_INTO_MM = 32.0, 14.0  # where a pulse is sought, from an end of the rows
_AFTER = (_PULSE_INTO_MM, _PULSE_BEYOND_MM)
_SURE_PULSE = 0.72  # support
_SNAP_PULSE, _SNAP_ALONE = 0.03, 0.1  # how far from the usual rows may be for that to be believed
_ERROR_ENDS, _ERROR_PULSE, _ERROR_ALONE = 0.001, 0.01, 0.01
_COLUMNS = (1, 2, 3, 4, 6)
_CELLS = INK_PX_PER_MM / STRIDE  # of the network's maps a mm
_BAR_MM, _ENDS_OFF_MM = 0.3, 6.0
COLUMN_STEP_S = 0.1  # columns last a whole number of these ...
_SNAP_STEP = 0.38  # ... which is believed so far from one, in such steps
_SKEW_SIDE_PX = 1100
_MOST_SKEW_DEG = 8.0


class NoRowsError(GeometryError):
    """Nothing that looks like rows of traces was seen at any scale."""


@dataclass(frozen=True, eq=False)
class BareScale:
    """The scale of a page without a grid.

    Attributes:
        warp: paper mm -> px of the image, which lies at x, y >= 0.
        size_mm: width and height of the page.
        error: relative standard error of the scale.
        by_pulse: whether a calibration pulse told it; otherwise rows are taken to last 10 s.
    """

    warp: Warp
    size_mm: tuple[float, float]
    error: float
    by_pulse: bool


def bare_scale(image: Image, speed_mm_per_s: float | None = None) -> BareScale:
    """Find the scale of a flat page without a grid.

    Args:
        image: uint8 RGB `(H, W, 3)`, any quarter turn, turned by up to 8 degrees beside.
        speed_mm_per_s: the paper speed, if that is known.

    Raises:
        GeometryError: no rows of traces, or nothing that tells the scale; the message says what to do.
    """
    if min(image.shape[:2]) < LEAST_SIDE_PX:
        raise GeometryError(f"an image of {image.shape[1]} x {image.shape[0]} px is too small to hold an ECG page")
    skew = _skew_rad(image)
    scale, maps = _clearest(image, skew)
    standing = image
    if maps.sideways > _SIDEWAYS:  # a quarter turn leaves scale and skew as they are
        standing = np.ascontiguousarray(np.rot90(image))
        scale, maps = _clearest(standing, skew)
    for factors in _PULSE_FACTORS:  # the nearer the scale, the better rows and their ends are seen
        rows = find_rows(standing, _warp(standing, scale, skew)[0])
        scale, error, by_pulse = _measured(rows, scale, factors, speed_mm_per_s)
    warp, size_mm = _warp(image, scale, skew)
    return BareScale(warp, size_mm, error, by_pulse)


def _measured(rows: Rows, scale: float, factors: NDArray[np.float64], speed: float | None) -> tuple[float, float, bool]:
    """Px a mm, its relative error, and whether a pulse told it, from rows that were found at about that scale."""
    columns, length_mm = _columns(rows)
    told = _by_pulse(rows, scale, factors)
    if told is not None:
        by_pulse, pulse_speed = told
        column_mm = length_mm * scale / by_pulse / columns
        step_mm = COLUMN_STEP_S * (speed or pulse_speed)
        usual = USUAL_S / COLUMN_STEP_S / columns
        steps = usual if abs(np.log(column_mm / step_mm / usual)) < _SNAP_PULSE else round(column_mm / step_mm)
        if abs(steps * step_mm - column_mm) < max(_SNAP_STEP * step_mm, (steps == usual) * _SNAP_PULSE * column_mm):
            return length_mm * scale / (steps * step_mm * columns), _ERROR_ENDS, True
        return by_pulse, _ERROR_PULSE, True
    for usual_speed in (speed,) if speed else (STANDARD_SPEED_MM_PER_S, 2 * STANDARD_SPEED_MM_PER_S):
        by_rows = length_mm * scale / (USUAL_S * usual_speed)
        if abs(np.log(by_rows / scale)) < _SNAP_ALONE:
            return by_rows, _ERROR_ALONE, False
    raise GeometryError(
        "no printed grid, no calibration pulse, and rows that do not last 10 s: nothing tells the scale of the page; "
        "give a scan that shows the grid"
    )


def _columns(rows: Rows) -> tuple[int, float]:
    """How many columns of leads there are, and how long they are together, in the mm of the rows.

    Starts of leads and ends of rows, as the network sees them, stand evenly; ends that ink shows may be of the pulse.
    """
    n_rows = len(rows.baselines_mm)
    starts, ends = (
        gaussian_filter1d(np.mean([rows.bars(cells, r) for r in range(n_rows)], axis=0), _BAR_MM * _CELLS)
        for cells in (rows.sheet.seam, rows.sheet.end)
    )
    usual = rows.end_mm - rows.start_mm
    first = rows.start_mm + np.arange(-_ENDS_OFF_MM, _ENDS_OFF_MM, 0.1)
    last = rows.end_mm + np.arange(-_ENDS_OFF_MM, _ENDS_OFF_MM, 0.1)
    x = (np.arange(len(starts)) + 0.5) / _CELLS + rows.ink.origin_mm[0]
    best = (0.0, 1, usual)
    at_last = np.interp(last, x, ends)[None]
    for n in _COLUMNS:
        inner = [np.interp(first[:, None] + (last[None] - first[:, None]) * k / n, x, starts) for k in range(n)]
        seen = (np.sum(inner, axis=0) + at_last) / np.sqrt(n + 1)
        i, j = np.unravel_index(int(np.argmax(seen)), seen.shape)
        if seen[i, j] > best[0]:
            best = float(seen[i, j]), n, float(last[j] - first[i])
    return best[1], best[2]


def _by_pulse(rows: Rows, scale: float, factors: NDArray[np.float64]) -> tuple[float, float] | None:
    """Px a mm, and the paper speed, by the pulse that fits best at one of these multiples of the scale, if any does."""
    levels = np.array([float(rows.ink.row(y)) for y in rows.baselines_mm])
    best: tuple[float, Pulse] | None = None
    for end_mm, reach_mm in ((rows.start_mm, (_PULSE_BEYOND_MM, _PULSE_INTO_MM)), (rows.end_mm, _AFTER)):
        low, high = (round(float(rows.ink.column(end_mm + d))) for d in (-reach_mm[0], reach_mm[1]))
        part = rows.ink.ink[:, max(low, 0) : max(high, 0)]
        if part.shape[1] < _PULSE_INTO_MM * INK_PX_PER_MM:
            continue
        at_end = float(rows.ink.column(end_mm)) - max(low, 0)
        for factor in factors:
            pulse = _pulse_at(part, levels, at_end, float(factor), after=reach_mm is _AFTER)
            if pulse is not None and (best is None or pulse.support > best[1].support):
                best = scale / factor, pulse
    if best is None or best[1].support < _SURE_PULSE:
        return None
    speed = best[1].speed_mm_per_s
    return best[0] * best[1].width_mm / (PULSE_S * speed), speed


def _pulse_at(ink: Map, levels: NDArray[np.float64], end: float, factor: float, after: bool) -> Pulse | None:
    """The pulse beside an end of the rows, in a part of the ink that is enlarged by a factor."""
    large = np.asarray(cv2.resize(ink, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR), np.float32)
    page = InkMap(large, np.ones(large.shape, bool), (0.0, 0.0), np.zeros((*large.shape, 3), np.uint8))
    at = round(end * factor)
    extent = (0, at) if after else (at, large.shape[1])
    return find_pulse(page, [int(v) for v in np.rint(levels * factor)], extent)[0]


def _clearest(image: Image, skew: float) -> tuple[float, SheetMaps]:
    """The scale, px a mm, at which the network sees rows most clearly, and what it sees there.

    Raises:
        GeometryError: it sees none at any scale.
    """
    long_side = max(image.shape[:2])
    low, high = (long_side / side for side in _LONG_SIDE_MM)
    low, high = max(low, PX_PER_MM_RANGE[0]), max(min(high, PX_PER_MM_RANGE[1]), PX_PER_MM_RANGE[0])
    found: dict[float, tuple[float, SheetMaps]] = {}

    def look(scale: float) -> None:
        maps = sheet_maps(ink_map(image, _warp(image, scale, skew)[0]).picture)
        found[scale] = _clear(maps), maps

    n = 1 + int(np.ceil(np.log(high / low) / np.log(_STEP**2)))
    for scale in np.geomspace(low, high, n):
        look(float(scale))
    best = max(found, key=lambda scale: found[scale][0])
    if float((found[best][1].row > 0.5).sum()) < _LEAST_ROWS_MM2 * _CELLS**2:
        raise NoRowsError("no rows of ECG traces found; check that the image shows an ECG")
    for factor in (1 / _STEP, _STEP):
        look(best * factor)
    order = sorted(found)
    best = max(found, key=lambda scale: found[scale][0])
    i = order.index(best)
    if not 0 < i < len(order) - 1:
        return best, found[best][1]
    x, y = np.log(order[i - 1 : i + 2]), [found[scale][0] for scale in order[i - 1 : i + 2]]
    bend, slope, _ = np.polyfit(x - x[1], y, 2)
    off = -slope / (2 * bend) if bend < 0 else 0.0
    return best * float(np.exp(np.clip(off, -0.5 * np.log(_STEP), 0.5 * np.log(_STEP)))), found[best][1]


def _clear(maps: SheetMaps) -> float:
    """How clearly rows and the starts of leads are seen: the latter have a size in mm."""
    seen = maps.row[maps.row > 0.1]
    return float(seen.mean()) ** 2 * float(np.sqrt((maps.seam > 0.5).sum())) if seen.size else 0.0


def _warp(image: Image, scale: float, skew: float) -> tuple[Warp, tuple[float, float]]:
    """Paper mm -> px of a page turned clockwise by `skew`, the page at x, y >= 0; and its size in mm."""
    c, s = np.cos(skew) * scale, np.sin(skew) * scale
    turn = np.array([[c, -s], [s, c]])
    h, w = image.shape[:2]
    corners = np.array([(-0.5, -0.5), (w - 0.5, -0.5), (-0.5, h - 0.5), (w - 0.5, h - 0.5)])
    mm = corners @ np.linalg.inv(turn).T
    low = np.floor(mm.min(axis=0) / LARGE_SQUARE_MM) * LARGE_SQUARE_MM
    size = mm.max(axis=0) - low
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = turn, turn @ low
    return Warp((Homography.of(matrix),)), (float(size[0]), float(size[1]))


def _skew_rad(image: Image) -> float:
    """How far a page is turned clockwise: so that its print and traces lie in as few rows of pixels as may be."""
    shrink = min(1.0, _SKEW_SIDE_PX / max(image.shape[:2]))
    grey = cv2.resize(darkest_channel(image), None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 12)
    dark = np.clip(soft - grey, 0, 60).astype(np.float32)
    dark[dark < 12] = 0
    angle, reach = 0.0, _MOST_SKEW_DEG
    for step in (0.5, 0.1, 0.02):
        tried = angle + np.arange(-reach, reach + step / 2, step)
        angle = float(tried[int(np.argmax([_sharpness(dark, float(deg)) for deg in tried]))])
        reach = step
    return float(np.radians(angle))


def _sharpness(dark: NDArray[np.float32], deg: float) -> float:
    """How much the profiles along and across a picture that is turned back by `deg` change from row to row."""
    h, w = dark.shape
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), deg, 1.0)
    turned = cv2.warpAffine(dark, turn, (w, h), flags=cv2.INTER_LINEAR)
    profiles = turned.sum(axis=1), turned.sum(axis=0)
    return float(max((np.diff(profile) ** 2).sum() for profile in profiles))
