"""Where the rows of traces are on a flat page: baselines, time zero, ends and calibration pulses, in paper mm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.grid.flat import GeometryError
from ecgdig.locate.ink import INK_PX_PER_MM, Image, InkMap, Map, follow, ink_map
from ecgdig.locate.pulse import Pulse, find_pulse
from ecgdig.locate.sheet import STRIDE, SheetMaps, page_maps
from ecgdig.page.warp import Warp
from ecgdig.units import STANDARD_SPEED_MM_PER_S

MOST_ROWS = 15
ROW_SPACING_MM = (11.0, 62.0)
_R = INK_PX_PER_MM
BAR_MM = 4.0  # seams and ends are marked at least so far above and below the baseline
ON_INK = 0.35  # of full ink: what counts as ink on a path


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a page, from the top.

    Attributes:
        baselines_mm: y of each row's 0 mV, about: the level at which its trace stays longest.
        start_mm, end_mm: x of the first and last printed sample, common to all rows.
        starts_mm, ends_mm: the same read from each row alone; NaN where a row does not show it.
        pulse: the calibration pulse, if any.
        stroke_mm: width of the pen.
        paths_mm: y of each row's trace at `columns_mm`, `(rows, n)`; NaN where no ink is.
        columns_mm: x, `(n,)`.
        ink: the map it was read from.
        sheet: what the network saw on it.
    """

    baselines_mm: tuple[float, ...]
    start_mm: float
    end_mm: float
    starts_mm: tuple[float, ...]
    ends_mm: tuple[float, ...]
    pulse: Pulse | None
    stroke_mm: float
    paths_mm: NDArray[np.float64]
    columns_mm: NDArray[np.float64]
    ink: InkMap
    sheet: SheetMaps

    @property
    def spacing_mm(self) -> float:
        """From one baseline to the next; 30 mm for a single row."""
        return float(np.median(np.diff(self.baselines_mm))) if len(self.baselines_mm) > 1 else 30.0

    def bars(self, cells: Map, row: int) -> Map:
        """How likely an upright bar of a map of the network stands about a row's baseline: `(columns of cells,)`."""
        y, reach = (round(float(v)) // STRIDE for v in (self.ink.row(self.baselines_mm[row]), BAR_MM * _R))
        part = cells[max(y - reach, 0) : max(y + reach + 1, 0)]
        return part.mean(axis=0) if len(part) else np.zeros(cells.shape[1], np.float32)


def find_rows(image: Image, warp: Warp) -> Rows:
    """Find the rows of traces on a flat page.

    Args:
        image: uint8 RGB `(H, W, 3)`.
        warp: paper mm -> px with its zero on the grid, as `FlatGrid.warp()` gives it.

    Raises:
        GeometryError: there are no traces.
    """
    page = ink_map(image, warp)
    sheet = page_maps(page)
    levels = _levels(sheet)
    if not levels:
        raise GeometryError("no ECG trace found on the page; check that the image shows one, upright, with dark traces")
    chance, row_map = (_grown(cells, page.ink.shape) for cells in (sheet.trace, sheet.row))
    page, traces = _traces(page, chance)
    levels = _with_wandering(chance, levels, _extent(_beside(row_map, levels), SOME_ROWS))
    paths = _paths(traces, levels)
    on_path = np.stack([_along(traces.ink, path) for path in paths])
    coarse = _extent(on_path)
    pulse, feet = find_pulse(page, levels, coarse)
    stroke = _stroke_mm(page, paths, on_path, coarse)
    if pulse is not None and pulse.support < SURE_PULSE:
        seconds = (coarse[1] - coarse[0]) / _R / pulse.speed_mm_per_s
        believed = seconds > LEAST_SECONDS and _is_seen(pulse, page, feet, sheet)
        pulse = pulse if believed else None  # two tall QRS complexes, say
    if pulse is None:
        feet = [round(_baseline(path, along, coarse)) for path, along in zip(paths, on_path, strict=True)]
    begin = coarse[0]
    if pulse is not None and pulse.x_mm < page.x_mm(np.mean(coarse)):
        begin = max(begin, int(page.column(pulse.end_mm)) + 2)
    stop = coarse[1]
    if pulse is not None and pulse.x_mm > page.x_mm(np.mean(coarse)):
        stop = min(stop, int(page.column(pulse.x_mm - 0.3 * pulse.width_mm)) - 2)
    on_ink = np.stack([_along(page.ink, path) for path in paths])  # a gap is a gap
    starts = _starts(page, paths, on_ink, begin, pulse, stroke)
    ends = _ends(page, paths, on_ink, stop, stroke)
    end = _agree(ends, float(page.x_mm(stop)))
    y = np.stack(
        [np.where(along > ON_INK, page.y_mm(path), np.nan) for path, along in zip(paths, on_path, strict=True)]
    )
    return Rows(
        tuple(float(page.y_mm(b)) for b in feet),
        _start(starts, pulse, end, float(page.x_mm(begin))),
        end,
        tuple(starts),
        tuple(ends),
        pulse,
        stroke,
        y,
        page.x_mm(np.arange(page.ink.shape[1])),
        page,
        sheet,
    )


def _is_seen(pulse: Pulse, page: InkMap, feet: list[int], sheet: SheetMaps) -> bool:
    """Whether the network sees a pulse in some row where one was found."""
    left, right = (round(float(x)) // STRIDE for x in page.column([pulse.x_mm, pulse.x_mm + pulse.width_mm]))
    height = round(pulse.height_mm * _R) // STRIDE
    boxes = [sheet.pulse[max(y // STRIDE - height, 0) : y // STRIDE, max(left, 0) : right + 1] for y in feet]
    return max((float(box.mean()) for box in boxes if box.size), default=0.0) > LEAST_SEEN_PULSE


LEAST_SEEN_PULSE = 0.15
SURE_PULSE, LEAST_SECONDS = 0.95, 3.0  # a page that would print less has no such pulse, unless it is very clear
PALE_INK = 0.7
_LEAST_TRACE, SURE_TRACE = 0.15, 0.5
ABOUT_MM = 1.5
_NEAR_PX = 3
_UNSEEN = 0.5  # ink where the network alone sees a trace


def _traces(page: InkMap, chance: Map) -> tuple[InkMap, InkMap]:
    """The page with its traces in full ink, and these alone, where the chance is high or ink is near that."""
    near = cv2.dilate(chance, np.ones((2 * _NEAR_PX + 1, 2 * _NEAR_PX + 1), np.uint8))  # to the very ends
    likely = np.clip((near - _LEAST_TRACE) / (SURE_TRACE - _LEAST_TRACE), 0, 1)
    on_trace = page.ink[chance > SURE_TRACE]
    usual = float(np.percentile(on_trace, 70)) if on_trace.size else 1.0
    if usual < PALE_INK:  # traces much paler than the text
        page = replace(page, ink=np.minimum(page.ink * np.float32(min(0.9 / max(usual, 0.1), 4.0)), 1))
    ink = np.asarray(page.ink * likely, np.float32)
    bare = cv2.dilate(ink, np.ones((2 * _NEAR_PX + 1, 2 * _NEAR_PX + 1), np.uint8)) < ON_INK
    return page, replace(page, ink=np.maximum(ink, _UNSEEN * chance * bare))


def _grown(cells: Map, shape: tuple[int, ...]) -> Map:
    """A map of the network at the resolution of the ink map."""
    height, width = (side * STRIDE for side in cells.shape)
    return np.asarray(cv2.resize(cells, (width, height), interpolation=cv2.INTER_LINEAR)[: shape[0], : shape[1]])


def _beside(row: Map, levels: list[int]) -> Map:
    """How likely each column shows each row, `(rows, w)`: the most of `row` about the rows' levels."""
    reach = round(ABOUT_MM * _R)
    return np.stack([row[max(level - reach, 0) : level + reach + 1].max(axis=0) for level in levels])


def _paths(traces: InkMap, levels: list[int]) -> list[NDArray[np.int64]]:
    """The path (px) of each row."""
    spacing = float(np.median(np.diff(levels))) / _R if len(levels) > 1 else 30.0
    bands = [_band(traces, level, 0.62 * spacing) for level in levels]
    return [follow(part, level - top, 0.06, 0.004) + top for (part, top), level in zip(bands, levels, strict=True)]


def _agree(values: list[float], otherwise: float) -> float:
    """The value most rows agree on: the middle of the densest 0.2 mm."""
    known = np.sort([v for v in values if np.isfinite(v)])
    if not len(known):
        return otherwise
    near = [known[(known >= v) & (known <= v + 0.2)] for v in known]
    return float(np.median(max(near, key=len)))


def _levels(sheet: SheetMaps) -> list[int]:
    """Rows (px) at which traces run, evenly spaced but for some 15 %: the set explaining most of the map of rows."""
    profile = cv2.resize(sheet.row, None, fx=1, fy=STRIDE, interpolation=cv2.INTER_LINEAR).mean(axis=1)[:, None]
    best: tuple[float, list[int]] = (-1.0, [])
    for spacing in np.arange(ROW_SPACING_MM[0], ROW_SPACING_MM[1], 0.5) * _R:
        # a trace that wanders smears its row
        sigma = SMEARED * spacing
        smooth = cv2.GaussianBlur(profile, (1, int(6 * sigma) | 1), sigma, borderType=cv2.BORDER_CONSTANT)[:, 0]
        reach = int(0.5 * spacing)
        highest = cv2.dilate(smooth[:, None], np.ones((reach | 1, 1), np.uint8))[:, 0]
        peaks = np.flatnonzero((smooth == highest) & (2.5 * sigma * smooth > LEAST_ROW_MM * _R))
        total, chain = _best_chain(peaks, smooth[peaks], spacing)
        if total > best[0]:
            best = total, chain
    return best[1][:MOST_ROWS]


SMEARED = 0.08  # of the spacing
LEAST_ROW_MM = 0.1  # height of certain row, the mean over the columns; it is 2 mm where a row is seen throughout
MISSED_ROW = 0.5  # what it costs to leave one out
FAINT_ROW = 0.35  # of the height of the usual rows: less speaks against a row


def _best_chain(peaks: NDArray[np.int64], height: Map, spacing: float) -> tuple[float, list[int]]:
    """Those of the peaks of a profile that stand about `spacing` apart, as many and high as possible; their worth."""
    if not len(peaks):
        return -1.0, []
    value = np.minimum(height / float(np.median(np.sort(height)[-4:])), 1.0) - FAINT_ROW
    total = value.copy()
    before = np.full(len(peaks), -1)
    for j in range(len(peaks)):
        for i in range(j):
            gap = (peaks[j] - peaks[i]) / spacing
            rows = max(round(float(gap)), 1)
            gap /= rows
            link = total[i] + value[j] - 0.3 * ((gap - 1) / 0.15) ** 2 - MISSED_ROW * (rows - 1)
            if abs(gap - 1) < 0.3 and rows <= 2 and link > total[j]:
                total[j], before[j] = link, i
    chain = [int(np.argmax(total))]
    while before[chain[-1]] >= 0:
        chain.append(int(before[chain[-1]]))
    return float(total.max()), [int(peaks[i]) for i in reversed(chain)]


def _with_wandering(chance: Map, levels: list[int], extent: tuple[int, int]) -> list[int]:
    """The levels and, at their spacing above, below and between, rows whose trace wanders too much to stand out.

    Args:
        chance: of a trace.
        extent: columns (px) between which the rows lie.
    """
    if len(levels) < 2 or extent[1] - extent[0] < 20 * _R:
        return levels
    spacing = round(float(np.percentile(np.diff(levels), 20)))  # some gaps may be of two rows
    rest = np.ascontiguousarray(chance[:, extent[0] : extent[1] + 1])

    def path_at(level: int, reach: int) -> NDArray[np.int64]:
        top = max(level - reach, 0)
        return follow(rest[top : level + reach + 1], level - top, 0.06, 0.002) + top

    def take(path: NDArray[np.int64]) -> None:
        for x, y in enumerate(path):
            rest[max(y - 4, 0) : y + 5, x] = 0

    def beyond(path: NDArray[np.int64]) -> float:
        """Share of the mm beside the rows, on the side where it is less, in which the path goes on."""
        reach, length = 3 * _R, round(BEYOND_MM * _R)
        beside = (slice(max(extent[0] - length, 0), max(extent[0] - _R, 0)), slice(extent[1] + _R, extent[1] + length))
        parts = [
            chance[max(y - reach, 0) : y + reach + 1, part] for y, part in zip((path[0], path[-1]), beside, strict=True)
        ]
        return min(float((part.max(axis=0) > SURE_TRACE).mean()) if part.size else 0.0 for part in parts)

    shares = {level: beyond(path_at(level, round(0.5 * spacing))) for level in levels}
    usual = float(np.median(list(shares.values())))
    for outermost in (levels[0], levels[-1]):
        others = max(share for level, share in shares.items() if level != outermost)
        if len(levels) > 2 and shares[outermost] > GOES_ON and others < 0.5:  # as the edge of the paper does
            levels = [level for level in levels if level != outermost]
    for level in levels:
        take(path_at(level, round(0.5 * spacing)))
    levels = list(levels)
    gaps = [(a, b) for a, b in pairwise(levels) if MISSING_BETWEEN[0] * spacing < b - a < MISSING_BETWEEN[1] * spacing]
    tried = [(level, 0) for level in ((a + b) // 2 for a, b in gaps)]
    tried += [(levels[0] - spacing, -spacing), (levels[-1] + spacing, spacing)]
    while tried and len(levels) < MOST_ROWS:
        level, step = tried.pop()
        if not 3 * _R < level < len(chance) - 3 * _R:
            continue
        path = path_at(level, round(WANDER * spacing))
        wanders = np.ptp(np.percentile(path, [2, 98])) > LEAST_WANDER_MM * _R
        if (
            wanders
            and beyond(path) <= max(GOES_ON, usual)
            and float((_along(rest, path) > SURE_TRACE).mean()) > WANDERING_INK
        ):
            take(path)
            levels = sorted([*levels, level])
            if step:
                tried.append((level + step, step))
    return levels


SOME_ROWS = 0.25
WANDER = 0.7  # of the spacing: how far from its level a trace is sought
LEAST_WANDER_MM = 1.5  # a frame or the paper's edge is straighter than any trace
BEYOND_MM, GOES_ON = 7.0, 0.85
WANDERING_INK = 0.7  # share of the columns in which such a row must have ink
MISSING_BETWEEN = (1.7, 2.3)  # spacings between rows that leave one out


def _band(page: InkMap, level: int, reach_mm: float) -> tuple[Map, int]:
    reach = round(reach_mm * _R)
    top = max(level - reach, 0)
    return page.ink[top : level + reach + 1], top


def _along(ink: Map, path: NDArray[np.int64]) -> Map:
    """Most ink within one px above or below the path, `(w,)`."""
    columns = np.arange(ink.shape[1])
    rows = [np.clip(path + d, 0, ink.shape[0] - 1) for d in (-1, 0, 1)]
    return np.asarray(np.max([ink[r, columns] for r in rows], axis=0), np.float32)


def _extent(on_path: Map, share: float = 0.5) -> tuple[int, int]:
    """First and last column (px) where that share of the rows has ink, gaps of up to 6 mm bridged."""
    solid = cv2.blur((on_path > ON_INK).astype(np.float32), (4 * _R + 1, 1)) > 0.75
    solid = solid.mean(axis=0) >= share
    runs: list[list[int]] = []
    for x in np.flatnonzero(solid):
        if runs and x - runs[-1][1] <= 6 * _R:
            runs[-1][1] = int(x)
        else:
            runs.append([int(x), int(x)])
    if not runs:
        return 0, on_path.shape[1] - 1
    longest = max(runs, key=lambda r: r[1] - r[0])
    return longest[0], longest[1]


def _stroke_mm(page: InkMap, paths: list[NDArray[np.int64]], on_path: Map, extent: tuple[int, int]) -> float:
    """Pen width: ink across the path where it runs level, in columns of full ink."""
    widths = []
    for path, along in zip(paths, on_path, strict=True):
        for x in range(extent[0] + _R, extent[1] - _R, 3):
            y = int(path[x])
            if along[x] > 0.5 and abs(int(path[x - 3]) - y) + abs(int(path[x + 3]) - y) <= 1:
                part = page.ink[max(y - 5, 0) : y + 6, x]
                widths.append(float(part.sum()))
    return float(np.clip(np.median(widths) / _R, 0.12, 1.0)) if widths else 0.3


def _baseline(path: NDArray[np.int64], along: Map, extent: tuple[int, int]) -> float:
    """The level the trace keeps longest: the mode of its path, in px."""
    inside = path[extent[0] : extent[1] + 1][along[extent[0] : extent[1] + 1] > ON_INK]
    if not len(inside):
        return float(np.median(path))
    low = int(inside.min())
    count = np.bincount(inside - low, minlength=3).astype(np.float64)
    smooth = cv2.GaussianBlur(count[None], (0, 0), 0.5 * _R, borderType=cv2.BORDER_CONSTANT)[0]
    return float(low + np.argmax(smooth))


FOOT_WIDTHS, FOOT_GAP_MM = 0.3, 0.5  # where a trace begins after its pulse when no gap shows
UNSEEN_PULSE_MM = (3.0, 12.0)
USUAL_S = 10.0  # printed, where the trace's start does not show


def _start(starts: list[float], pulse: Pulse | None, end_mm: float, otherwise: float) -> float:
    """x in mm of the first sample: where the rows' ink begins, or right after the pulse or its foot if that gives 10 s.

    Without a pulse, 3 to 12 mm more than 10 s are taken for one that was not seen: strokes on grid lines hide there.
    """
    usual = USUAL_S * (STANDARD_SPEED_MM_PER_S if pulse is None else pulse.speed_mm_per_s)
    if pulse is None:
        start = _agree(starts, otherwise)
        before = end_mm - start - usual
        return start + before if UNSEEN_PULSE_MM[0] < before < UNSEEN_PULSE_MM[1] else start
    after = np.inf if pulse.x_mm > 0.5 * (otherwise + end_mm) else pulse.end_mm
    foot = after + FOOT_WIDTHS * pulse.width_mm + FOOT_GAP_MM
    start = _agree(starts, foot if np.isfinite(foot) else otherwise)
    likely = min((after, foot), key=lambda place: abs(end_mm - place - usual))
    return likely if abs(end_mm - likely - usual) < min(abs(end_mm - start - usual), 0.5) else start


def _starts(
    page: InkMap, paths: list[NDArray[np.int64]], on_path: Map, begin: int, pulse: Pulse | None, stroke_mm: float
) -> list[float]:
    """x in mm of the first sample of each row, looked for about column `begin`; NaN where it is joined to the pulse."""
    w = on_path.shape[1]
    if pulse is not None and pulse.x_mm < float(page.x_mm(begin)):
        high = min(begin + round(0.7 * pulse.width_mm * _R), w - 2)
        mean = on_path[:, begin : high + 1].mean(axis=0)
        expected = float(page.column(pulse.end_mm + FOOT_WIDTHS * pulse.width_mm + FOOT_GAP_MM / 2))
        gap = begin + int(np.argmin(mean + 0.15 * np.abs(np.arange(begin, high + 1) - expected) / _R))
        if mean[gap - begin] > 0.75 * float(np.median(mean)):
            return [np.nan for _ in paths]
        begin, left = gap + 1, gap
    else:
        begin, left = max(begin - 4 * _R, 0), 0
    edges = []
    for path, along in zip(paths, on_path, strict=True):
        at = _first_solid(along, begin, min(begin + 11 * _R, w))
        edges.append(_left_end(page.ink, path, at, max(left, at - 2 * _R)) if at >= 0 else np.nan)
    return [float(page.x_mm(edge)) + 0.5 * stroke_mm for edge in edges]


def _ends(page: InkMap, paths: list[NDArray[np.int64]], on_path: Map, stop: int, stroke_mm: float) -> list[float]:
    """x in mm of the last sample of each row: as `_starts`, without pulses, in the mirror."""
    w = on_path.shape[1]
    mirror = np.ascontiguousarray(page.ink[:, ::-1])
    ends = []
    for path, along in zip(paths, on_path, strict=True):
        centre = w - 1 - stop
        at = _first_solid(along[::-1], max(centre - 4 * _R, 0), min(centre + 7 * _R, w))
        edge = w - 1 - _left_end(mirror, path[::-1], at, max(at - 2 * _R, 0)) if at >= 0 else np.nan
        ends.append(float(page.x_mm(edge)) - 0.5 * stroke_mm)
    return ends


def _left_end(ink: Map, path: NDArray[np.int64], first: int, left: int) -> float:
    """The leftmost column, to a fraction, of the ink that hangs together with the path at `first`, not below `left`.

    A trace that begins on a steep stretch begins left of where its path is level.
    """
    reach = 12 * _R
    seed = min(first + 1, ink.shape[1] - 1)
    y = int(path[seed])
    top = max(y - reach, 0)
    part = ink[top : y + reach + 1, left : first + _R]
    _, labels = cv2.connectedComponents((part > ON_INK).astype(np.uint8), connectivity=8)
    mark = int(labels[y - top, seed - left])
    columns = np.flatnonzero((labels == mark).any(axis=0)) if mark else np.array([first - left])
    start = int(columns[0])
    if start == 0 and left > 0:  # it goes on: a pulse or a word hangs on it
        start = first - left
        rows = np.abs(np.arange(len(part)) - (y - top)) <= 2
        profile = part[rows].max(axis=0)
    else:
        near = cv2.dilate((labels == mark).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        profile = np.where(near, part, 0).max(axis=0) if mark else part.max(axis=0)
    padded = np.concatenate([[0.0], profile])
    for x in range(max(start - 2, 0), min(start + 4, len(profile))):
        if padded[x + 1] >= 0.5 > padded[x]:
            return left + x - 1 + (0.5 - float(padded[x])) / float(padded[x + 1] - padded[x])
    return float("nan")


def _rising(along: Map, low: int, high: int) -> float:
    """Column, to a fraction, where the ink first passes half of full between two columns."""
    for x in range(low, high + 1):
        if along[x + 1] >= 0.5 > along[x]:
            return x + (0.5 - float(along[x])) / float(along[x + 1] - along[x])
    return float("nan")


def _first_solid(along: Map, low: int, high: int) -> int:
    """First column from `low` at which 2 mm of nearly unbroken ink begin; -1 if none before `high`."""
    dark = along > ON_INK
    for x in range(low, high):
        if dark[x] and dark[x : x + 2 * _R].mean() > 0.9:
            return x
    return -1
