"""Which way up a page is: its grid looks the same in all quarter turns, its traces, pulses and leads do not.

Traces run along the page, so sideways no long rows are found. Upside down, calibration pulses hang below the trace,
leads I, II, V5 and V6 point down, aVR and V1 up, T waves come before their QRS complexes instead of after them, and
what then stands in the places of leads I, II and III breaks Einthoven's law.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.locate.ink import INK_PX_PER_MM
from ecgdig.locate.leads import LayoutReading
from ecgdig.page.warp import Homography, Warp
from ecgdig.plausible import LAWS, misfit
from ecgdig.recording import Recording
from ecgdig.units import LARGE_SQUARE_MM

CLEAR_PULSE = 0.9  # support from which a pulse is believed
CLEAR_NAMES = 4.0  # names of leads at their places, by their chances
LEAST_ROW_MM = 110.0  # of unbroken trace: rows this long are not sought sideways
UPRIGHT_PRIOR = 1.2  # evidence that a page is as it was given, against turning it by half
_SIDEWAYS_PRIOR = 1.4  # how much longer rows must be sideways
_UNSURE = 1.2
# usual sign of the QRS complex of adults, and how reliable it is
_POLARITY = {"I": 1.0, "II": 1.0, "-aVR": 1.0, "aVR": -1.5, "aVF": 0.5, "aVL": 0.3, "III": 0.2}
_POLARITY |= {"V1": -1.0, "V2": -0.3, "V4": 0.7, "V5": 1.0, "V6": 1.0}
_T_WAVE_S = (0.14, 0.42)  # after the QRS complex; before it only the small P wave lies as far off
_QRS_APART_S = 0.25
_ROUGH_FS = 100.0  # Hz; what the ink of 1/6 mm shows


@dataclass(frozen=True)
class Evidence:
    """What speaks for a layout being read the right way up.

    Attributes:
        row_mm: mean length of the rows that has ink, in mm.
        pulse: support of the calibration pulse, 0 where there is none.
        polarity: how well the signs of the leads fit, about -6 to 6.
        t_after: -1 to 1, by how much the waves after the QRS complexes exceed those before them.
        misfit: of the laws of the limb leads, mean: 0 where they hold, about 1 where they do not; NaN if not known.
        named: how many leads have their names beside them, by the chances of these.
    """

    row_mm: float
    pulse: float
    polarity: float
    t_after: float
    misfit: float = float("nan")
    named: float = 0.0

    @staticmethod
    def of(found: LayoutReading) -> Evidence:
        rows = found.rows
        inside = (rows.columns_mm >= rows.start_mm) & (rows.columns_mm <= rows.end_mm)
        on_ink = float(np.isfinite(rows.paths_mm[:, inside]).mean()) if inside.any() else 0.0
        pulse = 0.0 if rows.pulse is None else rows.pulse.support
        return Evidence(
            on_ink * max(rows.end_mm - rows.start_mm, 0.0),
            pulse,
            _polarity(found),
            _t_after(found),
            _misfit(found),
            found.named,
        )

    @property
    def is_clear(self) -> bool:
        """Whether no other orientation needs to be looked at."""
        return (self.pulse >= CLEAR_PULSE or self.named >= CLEAR_NAMES) and self.row_mm >= LEAST_ROW_MM


def half_turn_evidence(upright: Evidence, turned: Evidence) -> float:
    """What speaks for the page as it is (> 0) or for half a turn (< 0); about -16 to 16, priors left out."""
    clear = (upright.pulse >= CLEAR_PULSE, turned.pulse >= CLEAR_PULSE)
    pulse = 5.0 * (clear[0] - clear[1])
    polarity = float(np.clip(0.6 * (upright.polarity - turned.polarity), -2.0, 2.0))
    t_after = float(np.clip(2.5 * (upright.t_after - turned.t_after), -2.0, 2.0))
    laws = float(np.clip(4.0 * np.nan_to_num(turned.misfit - upright.misfit), -3.0, 3.0))
    names = float(np.clip(1.5 * (upright.named - turned.named), -6.0, 6.0))
    return pulse + polarity + t_after + laws + names


def choose(seen: dict[int, Evidence]) -> tuple[int, bool]:
    """The quarter turns (0 to 3, anticlockwise) that make a page upright, and whether that is sure.

    Args:
        seen: evidence by quarter turns; those with no layout are left out.
    """
    length = {k: e.row_mm * (_SIDEWAYS_PRIOR if k in (0, 2) else 1.0) for k, e in seen.items()}
    best = max(length, key=lambda k: length[k])
    first = best % 2  # as it was given (0), or a quarter turn
    pair = [k for k in (first, first + 2) if k in seen]
    if len(pair) == 1:
        return pair[0], seen[pair[0]].is_clear or pair[0] == 0
    for_first = half_turn_evidence(seen[pair[0]], seen[pair[1]])
    prior = UPRIGHT_PRIOR if first == 0 else 0.0  # sideways pages are turned either way
    return (pair[0] if for_first + prior > 0 else pair[1]), abs(for_first) > _UNSURE


def turned_mm(warp: Warp, shape: tuple[int, int], quarters: int) -> Homography:
    """Paper mm of the page turned anticlockwise -> mm of `warp`, on whole large squares, the page at x, y >= 0.

    Args:
        shape: height and width of the image of `warp` in px.
    """
    h, w = shape
    edge = [(x, y) for x in (-0.5, w / 2, w - 0.5) for y in (-0.5, h / 2, h - 0.5)]
    mm = warp.to_mm(np.array(edge)) / LARGE_SQUARE_MM
    low, high = np.floor(mm.min(axis=0)) * LARGE_SQUARE_MM, np.ceil(mm.max(axis=0)) * LARGE_SQUARE_MM
    matrix = {
        0: [[1, 0, 0], [0, 1, 0]],
        1: [[0, -1, high[0]], [1, 0, low[1]]],
        2: [[-1, 0, high[0]], [0, -1, high[1]]],
        3: [[0, 1, low[0]], [-1, 0, high[1]]],
    }[quarters % 4]
    return Homography.of(np.array([*matrix, [0, 0, 1]], np.float64))


def turned_px(shape: tuple[int, int], quarters: int) -> Homography:
    """Px of an image of `shape` (height, width) -> px of `np.rot90(image, quarters)`."""
    h, w = shape
    matrix = {
        0: [[1, 0, 0], [0, 1, 0]],
        1: [[0, 1, 0], [-1, 0, w - 1]],
        2: [[-1, 0, w - 1], [0, -1, h - 1]],
        3: [[0, -1, h - 1], [1, 0, 0]],
    }[quarters % 4]
    return Homography.of(np.array([*matrix, [0, 0, 1]], np.float64))


def _polarity(found: LayoutReading) -> float:
    """Sum over the segments of how far their waves go up rather than down, times the usual sign of the lead."""
    rows, total = found.rows, 0.0
    for s in found.layout.segments:
        inside = (rows.columns_mm > s.x_mm + 0.5) & (rows.columns_mm < s.end_mm - 0.5)
        up = -rows.paths_mm[s.row, inside]
        up = up[np.isfinite(up)]
        if len(up) > 5 * INK_PX_PER_MM:
            low, high = np.percentile(up - np.median(up), [1, 99])
            total += _POLARITY.get(s.lead, 0.0) * float((low + high) / (high - low + 1.0))
    return total


def _misfit(found: LayoutReading) -> float:
    """Mean misfit of the limb leads' laws on the ink; NaN where no three of these leads are simultaneous."""
    rows, layout = found.rows, found.layout
    time = np.arange(round(layout.duration_s * _ROUGH_FS)) / _ROUGH_FS
    signal: dict[str, NDArray[np.float64]] = {}
    for s in layout.segments:
        inside = (time > s.start_s + 0.05) & (time < s.start_s + s.duration_s - 0.05)
        mv = s.mv_of(np.interp(s.x_of(time), rows.columns_mm, rows.paths_mm[s.row], left=np.nan, right=np.nan))
        sign = -1.0 if s.lead.startswith("-") else 1.0
        signal.setdefault(s.lead.lstrip("-"), np.where(inside, sign * mv, np.nan))
    if not time.size:
        return float("nan")
    recording = Recording(tuple(signal), _ROUGH_FS, np.stack(list(signal.values())).astype(np.float32))
    known = [size for _, weights in LAWS if np.isfinite(size := misfit(recording, weights))]
    return float(np.mean(known)) if known else float("nan")


def _t_after(found: LayoutReading) -> float:
    """Mean departure from the level after the QRS complexes against that before them, (a - b) / (a + b)."""
    rows = found.rows
    inside = (rows.columns_mm > rows.start_mm + 2) & (rows.columns_mm < rows.end_mm - 2)
    paths = [path for path in rows.paths_mm[:, inside] if np.isfinite(path).sum() > 10]
    second = round(INK_PX_PER_MM * found.layout.segments[0].speed_mm_per_s)  # columns
    if not paths or inside.sum() < second:
        return 0.0
    y = np.stack([_filled(path) for path in paths])
    after = before = 0.0
    reach = round(0.45 * second)
    near, far = (round(t * second) for t in _T_WAVE_S)
    for at in _complexes(y, second):
        if reach <= at < y.shape[1] - reach:
            off = np.abs(y - np.median(y[:, at - reach : at + reach], axis=1, keepdims=True))
            after += float(off[:, at + near : at + far].mean())
            before += float(off[:, at - far : at - near].mean())
    return (after - before) / (after + before + 0.1)


def _complexes(y: NDArray[np.float64], second: int) -> list[int]:
    """Columns where the rows together move most, `_QRS_APART_S` apart at least."""
    change = np.abs(np.diff(y, axis=1)).sum(axis=0)[None]
    activity = cv2.GaussianBlur(change, (0, 0), 0.03 * second)[0]
    apart, least = round(_QRS_APART_S * second), 0.5 * float(np.percentile(activity, 99))
    return [
        x
        for x in range(len(activity))
        if activity[x] > least and activity[x] == activity[max(0, x - apart) : x + apart + 1].max()
    ]


def _filled(path: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.flatnonzero(np.isfinite(path))
    return np.interp(np.arange(path.size), known, path[known])
