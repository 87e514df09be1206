"""The calibration pulse of a flat page: where it stands, and the paper speed and gain that it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.locate.ink import INK_PX_PER_MM, InkMap, Map
from ecgdig.units import GAINS_MM_PER_MV, PAPER_SPEEDS_MM_PER_S, PULSE_MV, PULSE_S, STANDARD_SPEED_MM_PER_S

_R = INK_PX_PER_MM


@dataclass(frozen=True)
class Pulse:
    """A calibration pulse, the same in every row: its rising edge, 1 mV × 0.2 s, read as paper speed and gain."""

    x_mm: float
    width_mm: float
    height_mm: float
    count: int
    support: float  # 0 to 1: ink along its outline, mean over the rows

    @property
    def end_mm(self) -> float:
        """x of the last falling edge."""
        return self.x_mm + (1 + 1.6 * (self.count - 1)) * self.width_mm

    @property
    def is_sure(self) -> bool:
        """Whether it is no QRS complex beside a letter: these are seldom so high in all rows, or so clear."""
        return self.support > (SURE_PULSE if self.height_mm < HIGH_PULSE_MM else LEAST_PULSE + BLURRED_PULSE)

    @property
    def speed_mm_per_s(self) -> float:
        return min(PAPER_SPEEDS_MM_PER_S, key=lambda speed: abs(np.log(self.width_mm / (PULSE_S * speed))))

    @property
    def gain_mm_per_mv(self) -> float:
        return min(_GAINS, key=lambda gain: abs(np.log(self.height_mm / (PULSE_MV * gain))))


_GAINS = (2.5, *GAINS_MM_PER_MV)
LEAST_PULSE = 0.6
LOW_PULSE = 0.25  # more support is asked for of one that is no higher than a P wave
SURE_PULSE, HIGH_PULSE_MM = 0.92, 8.0
FIRST_ROW_PULSE = 0.8  # one that stands in the first row alone
ODD_PULSE, AMID_TRACES = 0.12, 0.65  # QRS complexes look like narrow pulses, separators like wide ones


def find_pulse(page: InkMap, levels: list[int], extent: tuple[int, int]) -> tuple[Pulse | None, list[int]]:
    """Find the calibration pulse: two upright strokes and a level top, at the same x in (nearly) all rows.

    One amid the rows' `extent` (px) is believed only if it is very clear.

    Returns:
        The pulse, and the rows' levels (px) with those replaced at which a pulse stands.
    """
    found = _find_pulse(page, levels, extent, 3, 0.0)
    if found[0] is None:
        found = _find_pulse(page, levels, extent, 5, BLURRED_PULSE)
    if found[0] is None and len(levels) > 1:  # some carts print it in the first row only
        first = _find_pulse(page, levels[:1], (extent[0], extent[0] + 1), 3, FIRST_ROW_PULSE - LEAST_PULSE)
        pulse = first[0]
        if pulse is not None and float(page.column(pulse.x_mm)) < 0.5 * (extent[0] + extent[1]):
            return pulse, levels
    return found


_BLANK = 0.1  # ink that does not count: dirt, remains of the grid
BLURRED_PULSE = 0.06  # more support is asked for where a pulse may be a little bent


def _find_pulse(
    page: InkMap, levels: list[int], extent: tuple[int, int], reach_px: int, more: float
) -> tuple[Pulse | None, list[int]]:
    ink = cv2.dilate(page.ink, np.ones((reach_px, reach_px), np.float32))
    widths = {speed: round(speed * PULSE_S * _R) for speed in PAPER_SPEEDS_MM_PER_S}
    levelled = {  # ink of the px to the right
        width: cv2.blur(ink, (width, 1), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
        for width in widths.values()
        if width < ink.shape[1] // 2
    }
    best: tuple[float, int, int, int, NDArray[Any], NDArray[Any]] | None = None
    for gain in reversed(_GAINS):  # the upper half of a pulse looks like one of half its gain
        height = round(gain * PULSE_MV * _R)
        upright = cv2.blur(ink, (1, height), anchor=(0, height - 1), borderType=cv2.BORDER_CONSTANT)  # of the px above
        for speed, width in widths.items():
            usual = speed in (STANDARD_SPEED_MM_PER_S, 50.0)
            if width not in levelled or (gain == _GAINS[0] and not usual):
                continue
            level = levelled[width]
            scores, _ = _pulse_scores(upright, level, levels, height, width)
            support = _most_rows(scores)
            if len(support) and float(support.max()) > LEAST_PULSE + more:
                support = _most_rows(scores - _not_blank(page.ink, levels, height, width))
            if not len(support):
                continue
            column = np.arange(len(support))
            support[(column > extent[0] + 3 * width) & (column < extent[1] - 3 * width)] *= AMID_TRACES
            x = int(np.argmax(support))
            least = LEAST_PULSE + more + (0 if usual else ODD_PULSE)
            least += LOW_PULSE if gain == _GAINS[0] else 0
            if support[x] > least and (best is None or support[x] > best[0] + 0.02):
                best = float(support[x]), x, height, width, upright, level
    if best is None:
        return None, levels
    support_at, x, height, width, upright, level = best
    scores, at = _pulse_scores(upright, level, levels, height, width)
    support = _most_rows(scores - _not_blank(page.ink, levels, height, width))
    step, first, count = round(1.6 * width), x, 1
    for other in (x - step, x + step):
        near = support[max(other - 4, 0) : max(other + 5, 0)]
        if near.max(initial=0.0) > LEAST_PULSE:
            first, count = min(x, max(other - 4, 0) + int(np.argmax(near))), 2
    feet = [int(at[r, x]) if scores[r, x] > LEAST_PULSE else old for r, old in enumerate(levels)]
    last = first + (step if count == 2 else 0)
    left = _stroke_centre(page.ink, feet, first, height)
    right = _stroke_centre(page.ink, feet, last + width, height)
    width_px = right - left - (last - first if count == 2 else 0)
    if abs(width_px / width - 1) > 0.15:
        return None, levels
    return Pulse(float(page.x_mm(left)), width_px / _R, height / _R, count, support_at), feet


def _pulse_scores(
    upright: NDArray[Any], level: NDArray[Any], levels: list[int], height: int, width: int
) -> tuple[Map, NDArray[np.int64]]:
    """For each row and column: ink along a pulse that starts there, and the foot's row (px); `(rows, w)` each."""
    w = upright.shape[1] - width
    scores, feet = np.zeros((len(levels), w), np.float32), np.zeros((len(levels), w), np.int64)
    for r, row in enumerate(levels):
        low, high = max(row - 4 * _R, height), min(row + 4 * _R, upright.shape[0] - 1)
        if high <= low:
            continue
        left, right = upright[low : high + 1, :w], upright[low : high + 1, width : width + w]
        top = level[low - height + 1 : high + 2 - height, :w]
        score = np.minimum(np.minimum(left, right), top)
        scores[r], feet[r] = score.max(axis=0), low + score.argmax(axis=0)
    return scores, feet


def _not_blank(ink: Map, levels: list[int], height: int, width: int) -> Map:
    """For each row and column: ink within a pulse that starts there and beside it, where there should be none."""
    w = ink.shape[1] - width
    size = max(round(0.15 * width), 1), max(height // 2, 1)
    found = np.zeros((len(levels), w), np.float32)
    for r, row in enumerate(levels):
        first = max(row - height // 2, 0) - size[1] // 2
        tall = ink[max(first, 0) : first + size[1]].sum(axis=0, keepdims=True) / np.float32(size[1])
        line = np.pad(cv2.blur(tall, (size[0], 1), borderType=cv2.BORDER_CONSTANT)[0], width, mode="edge")
        for share in (-0.22, 0.35, 0.65, 1.22):
            at = width + round(share * width)
            np.maximum(found[r], line[at : at + w], out=found[r])
    return np.maximum(found - _BLANK, 0)


def _most_rows(scores: Map) -> Map:
    """Mean over the rows, a quarter of which may be spoilt."""
    return np.asarray(np.sort(scores, axis=0)[len(scores) // 4 :].mean(axis=0), np.float32)


def _stroke_centre(ink: Map, feet: list[int], x: int, height: int) -> float:
    """Column, to a fraction, of the upright stroke near `x`: median over the rows of its ink's centroid."""
    low = max(x - 4, 0)
    centres = []
    for foot in feet:
        part = ink[max(foot - height + height // 4, 0) : max(foot - height // 5, 1), low : x + 5].mean(axis=0)
        if part.max(initial=0.0) > 0.3:
            top = int(np.argmax(part))
            near = slice(max(top - 3, 0), top + 4)
            centres.append(low + float(np.average(np.arange(len(part))[near], weights=part[near] + 1e-9)))
    return float(np.median(centres)) if centres else float(x)
