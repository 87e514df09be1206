"""The geometry of photos from the printed grid: perspective, folds and crumples, by signal processing.

The grid is followed from tile to tile, starting where it is clearest: each tile gives the local pitch and direction of
both line families, and the phase of their lines at its centre, counted on from its neighbour's. A homography and a
smooth field through the tiles bring the page upright to a millimetre or two; what is left is measured there
(`grid/offsets.py`).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import count

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.grid.flat import GeometryError
from ecgdig.grid.lattice import Map, radial
from ecgdig.grid.offsets import NODE_MM, RASTER_PX_PER_MM, locked_in, matched
from ecgdig.grid.overview import Overview
from ecgdig.grid.photo_grid import PhotoGrid
from ecgdig.grid.tiles import FASTEST, MOST_RISE, TEETH, Tiles, nearest_waves, phases
from ecgdig.grid.upright import shrunk
from ecgdig.page.warp import Displacement, Homography, Warp
from ecgdig.units import LARGE_SQUARE_MM

Image = NDArray[np.uint8]  # (H, W, 3) RGB
Array = NDArray[np.float64]

WORKING_SIDE_PX = 3200  # the long side of larger photos is reduced to this
TILE_SIDES_PX = (128, 192, 288)
_SEED_STEP = 3  # only every third tile each way is looked at for a start
_SEED_SCORE = 1.6  # mean rise of the teeth of both families where following may begin ...
_LEAST_SCORE = 0.9  # ... and where it goes on
_MOST_STEP = 0.2  # cycles by which a tile's lines may differ from what its neighbour foretells
_MOST_STRAY = 0.2  # by which a tile's wave vectors may differ from those seen at a glance
_LEAST_TILES = 30
_STARTS = 12  # the clearest tiles, of which every third is followed ...
_LEAST_LINES = 3.0  # lines that a tile must hold, where their pitch is known ...
_NEARLY_ALL = 0.7  # ... and the share of the tiles on paper after which no larger ones are tried
_ENOUGH = 0.4  # ... until this share of the image's tiles has been reached
_MOST_SQUARES = 90  # more lines than this along the short side are 1 mm lines
_SCALE_OFF = 1.35  # the scale may differ by this factor from what was seen at a glance
_BEYOND_PAPER = 3  # cells around the paper that was seen at a glance in which lines are followed too
_CLEAR = 0.3  # weight of the lock-in signal where lines count as seen
# harmonic of the 5 mm lines, neighbourhood (Gaussian sigma) in mm across the lines, which it bridges, and along them.
# The tiles leave 0.03 to 0.2 mm; the lower harmonics, on which traces weigh more, would make that worse
_PASSES = ((4, 4.0, 3.0), (5, 4.0, 3.0))


def find_photo_grid(image: Image, seen: Overview | None = None) -> PhotoGrid:
    """Find the grid of a page that is not flat.

    Args:
        image: uint8 RGB `(H, W, 3)`, the page upright to 40 degrees.
        seen: what a glance at it showed; lines are then followed where paper was seen, and at about that scale.

    Raises:
        GeometryError: there is no grid that can be followed.
    """
    if seen is not None and not seen.known.any():
        seen = None
    h, w = image.shape[:2]
    shrink = max(1.0, max(h, w) / WORKING_SIDE_PX)
    size = (round(w / shrink), round(h / shrink))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8) if shrink > 1 else image
    sides = [side for side in TILE_SIDES_PX if min(small.shape[:2]) >= 2 * side]
    if not sides:
        raise GeometryError(f"an image of {w} x {h} px is too small to hold an ECG page; give a larger photo")
    tiles, followed = _tracked(small, sides) if seen is None else _tracked_near(small, sides, seen, size[0] / w)
    if len(followed) < _LEAST_TILES:
        raise GeometryError(
            "no printed ECG grid found that can be followed over the page; take the photo nearer, sharp and upright"
        )
    px, cycles = _samples(tiles, followed)
    px = (px + 0.5) * [w / size[0], h / size[1]] - 0.5
    square = _square_mm(tiles, followed, cycles, seen, size[0] / w)
    mm = cycles * square
    # everything at x, y > 0, with room for a margin of the paper beyond the grid that was followed
    mm -= (np.floor(mm.min(axis=0) / LARGE_SQUARE_MM) - 4) * LARGE_SQUARE_MM
    size_mm = mm.max(axis=0) + 4 * LARGE_SQUARE_MM
    warp = _first_warp(mm, px, size_mm)
    return _refined(image, warp, size_mm, mm, 0.7 * tiles.side * float(np.median(_mm_per_px(mm, px))))


_Followed = tuple["Tiles", dict[tuple[int, int], "_Seen"]]


def _tracked(image: Image, sides: list[int]) -> _Followed:
    """The grid followed over tiles of the side that shows it clearest."""
    tried = [Tiles.of(image, side, None) for side in sides]
    starts = [_seeds(tiles, None, 1.0) for tiles in tried]
    clear = [float(np.mean([score for score, *_ in found[:_STARTS]])) if found else 0.0 for found in starts]
    # small tiles follow folds better, but they must hold enough lines to tell the pitch, and lead over the page
    best: tuple[float, int, dict[tuple[int, int], _Seen]] = (0.0, 0, {})
    for i, value in enumerate(clear):
        if value < 0.7 * max(clear) or best[0] > _ENOUGH:
            continue
        followed = _follow(tried[i], starts[i], None)
        share = len(followed) / (len(tried[i].rows) * len(tried[i].columns))
        if share > best[0]:
            best = share, i, followed
    return tried[best[1]], best[2]


def _tracked_near(image: Image, sides: list[int], seen: Overview, shrunk: float) -> _Followed:
    """The grid followed near what was seen at a glance, over the smallest tiles that lead over the paper.

    Args:
        shrunk: px of the image over those in which it was seen.
    """
    there = _paper(seen, image.shape)
    pitch = LARGE_SQUARE_MM * shrunk * float(np.median(seen.px_per_mm[seen.known]))
    best: tuple[float, _Followed] | None = None
    for side in [side for side in sides if side > _LEAST_LINES * pitch] or sides[-1:]:
        tiles = Tiles.of(image, side, there)
        likely = _expected(tiles, seen, shrunk)
        followed = _follow(tiles, _seeds(tiles, seen, shrunk), likely)
        share = len(followed) / max(int(np.isfinite(likely[..., 0, 0]).sum()), 1)
        if best is None or share > best[0]:
            best = share, (tiles, followed)
        if share > _NEARLY_ALL:
            break
    assert best is not None
    return best[1]


@dataclass(frozen=True, eq=False)
class _Seen:
    """What a tile shows of the grid: wave vectors of the x and the y family, and the cycles of both at its centre."""

    k: Array  # (2, 2)
    cycles: Array  # (2,)
    score: float


_Start = tuple[float, tuple[int, int], Array]  # how clear, which tile, wave vectors


def _paper(seen: Overview, shape: tuple[int, ...]) -> Map:
    """Where the paper is in a picture of `shape`, and a little beyond: 1, else 0; all of it where none was seen."""
    on = cv2.dilate(seen.on_paper.astype(np.uint8), np.ones((2 * _BEYOND_PAPER + 1,) * 2, np.uint8))
    if not on.any():
        return np.ones(shape[:2], np.float32)
    y, x = (np.minimum(np.arange(side) * n // side, n - 1) for side, n in zip(shape, on.shape, strict=False))
    return on[np.ix_(y, x)].astype(np.float32)


def _square_mm(
    tiles: Tiles, followed: dict[tuple[int, int], _Seen], cycles: Array, seen: Overview | None, shrunk: float
) -> float:
    """How far the lines that were followed are apart: 5 or 1 mm.

    Raises:
        GeometryError: neither fits what was seen at a glance.
    """
    if seen is None:
        return LARGE_SQUARE_MM if np.ptp(cycles, axis=0).min() < _MOST_SQUARES else 1.0
    px = np.array([tiles.centre(at) for at in followed])
    pitch = np.array([np.abs(np.linalg.det(own.k)) ** -0.5 for own in followed.values()])
    mm = float(np.nanmedian(pitch / shrunk / seen.scale_at(px / shrunk)))
    square = min((LARGE_SQUARE_MM, 1.0), key=lambda each: abs(np.log(mm / each)))
    if not 1 / _SCALE_OFF < mm / square < _SCALE_OFF:
        raise GeometryError(
            f"lines {mm:.1f} mm apart were followed, which no ECG grid has; take the photo nearer, sharp and upright"
        )
    return square


def _seeds(tiles: Tiles, seen: Overview | None, shrunk: float) -> list[_Start]:
    """Tiles in which the grid can be read by itself, the clearest first."""
    found = []
    for i in range(1, len(tiles.rows), _SEED_STEP):
        for j in range(1, len(tiles.columns), _SEED_STEP):
            pitch = np.nan
            if seen is not None:
                pitch = LARGE_SQUARE_MM * float(seen.scale_at(tiles.centre((i, j))[None] / shrunk)[0]) * shrunk
                if np.isnan(pitch):
                    continue
            own = _seed(tiles, (i, j), pitch)
            if own is not None:
                found.append((own[1], (i, j), own[0]))
    return sorted(found, key=lambda start: -start[0])


def _expected(tiles: Tiles, seen: Overview, shrunk: float) -> Array:
    """Wave vectors of 5 mm lines at each tile as a glance showed them, `(rows, columns, 2, 2)`; NaN: not known."""
    x, y = np.meshgrid(tiles.columns, tiles.rows)
    px = np.asarray((np.stack([x, y], -1).reshape(-1, 2) + 0.5 * tiles.side) / shrunk, np.float64)
    along = np.stack([np.cos(angle := seen.lines_at(px)), np.sin(angle)], -1)
    k = np.stack([along, np.stack([-along[:, 1], along[:, 0]], -1)], 1)
    k /= (LARGE_SQUARE_MM * seen.scale_at(px) * shrunk)[:, None, None]
    return np.asarray(k.reshape(len(tiles.rows), len(tiles.columns), 2, 2), np.float64)


def _follow(tiles: Tiles, starts: list[_Start], expected: Array | None) -> dict[tuple[int, int], _Seen]:
    """The largest connected part of the grid that one of the clearest starts leads to."""
    best: dict[tuple[int, int], _Seen] = {}
    for _, at, k in starts[:_STARTS:3]:
        if at in best:
            continue
        grown = _grow(tiles, at, k, expected)
        if len(grown) > len(best):
            best = grown
        if len(best) > _ENOUGH * len(tiles.rows) * len(tiles.columns):
            break
    return best


def _seed(tiles: Tiles, at: tuple[int, int], pitch_px: float) -> tuple[Array, float] | None:
    """Wave vectors `(2, 2)` of the two families in a tile by itself, and how clear they are.

    Args:
        pitch_px: about how far 5 mm lines are apart; NaN: not known.
    """
    side = tiles.side
    angles = np.radians(np.arange(-42, 42.1, 1.5))
    radii = np.arange(2.4, side / 6, 0.125)
    if np.isfinite(pitch_px):
        radii = radii[np.abs(np.log(radii * pitch_px / side)) < np.log(_SCALE_OFF)]
        if len(radii) < 3:
            return None
    n = np.arange(1, TEETH + 1)
    steps = np.arange(0.5, FASTEST * side, 0.25)
    score = np.full((2, len(angles), len(radii)), -np.inf)
    for family, turn in enumerate((0.0, np.pi / 2)):
        along = np.clip(radial(tiles.rise[at], angles + turn, steps), -1, MOST_RISE)
        # what the teeth rise above the gaps between them: twice the pitch explains the teeth too, but not the gaps
        fast = radii[:, None] * n > steps[-1]
        at_teeth, at_gaps = (
            np.clip(np.round((radii[:, None] * m - steps[0]) / 0.25), 0, len(steps) - 1).astype(int)
            for m in (n, n - 0.5)
        )
        contrast = np.where(fast, 0.0, along[:, at_teeth] - along[:, at_gaps])  # (angles, radii, teeth)
        score[family] = contrast.mean(-1)  # teeth beyond the spectrum count as missing: few of them are easily high
    # both families at about the same angle (8 degrees) and pitch (25 %)
    best = score.max(-1).copy()
    wide = [cv2.dilate(b[:, None].astype(np.float32), np.ones((11, 1), np.uint8))[:, 0] for b in best]
    a = int(np.argmax(np.minimum(wide[0], wide[1])))
    low, high = max(a - 5, 0), a + 6
    picked = []
    for family in range(2):
        part = score[family, low:high]
        top = part.max()
        if top < _SEED_SCORE:
            return None
        row, column = np.unravel_index(int(np.argmax(part)), part.shape)
        picked.append((angles[low + row] + (0.0, np.pi / 2)[family], radii[column]))
    ratio = picked[0][1] / picked[1][1]
    if not 0.6 < ratio < 1.65:
        return None
    k = np.array([[np.cos(t), np.sin(t)] for t, _ in picked]) * (np.array([r for _, r in picked])[:, None] / side)
    return k, float(min(score[f].max() for f in range(2)))


def _grow(tiles: Tiles, start: tuple[int, int], k: Array, likely: Array | None) -> dict[tuple[int, int], _Seen]:
    refined, score = nearest_waves(tiles, start, k)
    if likely is not None and np.linalg.norm(refined) > 2.2 * np.linalg.norm(likely[start]):
        likely = LARGE_SQUARE_MM * likely  # 1 mm lines are followed
    seen: dict[tuple[int, int], _Seen] = {}
    order = count()  # ties are not decided by comparing arrays
    queue = [(-score, next(order), start, refined, phases(tiles, start, refined))]
    while queue:
        negative, _, at, own, cycles = heapq.heappop(queue)
        if at in seen:
            continue
        seen[at] = _Seen(own, cycles, -negative)
        for di, dj in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            to = (at[0] + di, at[1] + dj)
            if to in seen or not (0 <= to[0] < len(tiles.rows) and 0 <= to[1] < len(tiles.columns)):
                continue
            theirs, value = nearest_waves(tiles, to, own)
            if value < _LEAST_SCORE or (likely is not None and _strays(theirs, likely[to])):
                continue
            expected = cycles + 0.5 * (own + theirs) @ (tiles.centre(to) - tiles.centre(at))
            phase = phases(tiles, to, theirs)
            off = (phase - expected + 0.5) % 1.0 - 0.5
            if np.abs(off).max() <= _MOST_STEP:
                heapq.heappush(queue, (-value, next(order), to, theirs, expected + off))
    return seen


def _strays(k: Array, expected: Array) -> bool:
    """Whether wave vectors `(2, 2)` are not about those expected, which may be unknown."""
    off = np.linalg.norm(k - expected, axis=1) / np.linalg.norm(expected, axis=1)
    return bool((off > _MOST_STRAY).any())


def _samples(tiles: Tiles, seen: dict[tuple[int, int], _Seen]) -> tuple[Array, Array]:
    """Centres in px and cycles of the tiles, those out of line with their neighbours left out; `(n, 2)` each."""
    kept = []
    for at, own in seen.items():
        errors = []
        for di in (-1, 0, 1):
            for dj in (-1, 0, 1):
                other = seen.get((at[0] + di, at[1] + dj))
                if other is not None and (di or dj):
                    step = tiles.centre((at[0] + di, at[1] + dj)) - tiles.centre(at)
                    errors.append(np.abs(own.cycles + 0.5 * (own.k + other.k) @ step - other.cycles).max())
        if len(errors) >= 2 and np.median(errors) < 0.15:
            kept.append(at)
    px = np.array([tiles.centre(at) for at in kept]).reshape(-1, 2)
    return px, np.array([seen[at].cycles for at in kept]).reshape(-1, 2)


def _first_warp(mm: Array, px: Array, size_mm: Array) -> Warp:
    """A homography through the tiles and, on the paper, what they differ from it, smoothed."""
    matrix, _ = cv2.findHomography(mm, px, cv2.RANSAC, 40.0)
    if matrix is None:
        raise GeometryError(
            "the grid that was found does not lie in a plane; take the photo again with the page flatter"
        )
    flat = Homography.of(matrix)
    off = flat.inverse(px) - mm
    field = Displacement.through(mm, off, size_mm, NODE_MM, 9.0)
    return Warp((field, flat))


def _mm_per_px(mm: Array, px: Array) -> Array:
    """Of each tile, its distance in mm from the next one over that in px."""
    ratio: Array = np.linalg.norm(np.diff(mm, axis=0), axis=1) / np.linalg.norm(np.diff(px, axis=0), axis=1)
    return ratio


def _refined(image: Image, warp: Warp, size_mm: Array, tiles_mm: Array, reach_mm: float) -> PhotoGrid:
    """The warp after lock-in demodulation of the upright page at the grid's harmonics, where tiles were followed."""
    field, flat = warp.stages
    assert isinstance(field, Displacement)
    residual, seen = np.inf, np.zeros((0, 0), bool)
    j, i = np.meshgrid(np.arange(field.shift_mm.shape[1]), np.arange(field.shift_mm.shape[0]))
    nodes_mm = np.stack([j, i], -1) * NODE_MM
    near = np.zeros(j.shape, bool)
    for x, y in tiles_mm:
        near |= (np.abs(nodes_mm[..., 0] - x) < reach_mm) & (np.abs(nodes_mm[..., 1] - y) < reach_mm)
    # nothing finer is looked at from here on
    image, small = shrunk(image, warp, RASTER_PX_PER_MM, size_mm / 2)
    smaller = small.stages[1:]
    field = field.plus(matched(image, Warp((field, *smaller)), size_mm, near))
    for harmonic, across_mm, along_mm in _PASSES:
        change, weight = locked_in(image, Warp((field, *smaller)), size_mm, near, harmonic, (across_mm, along_mm))
        field = field.plus(change)
        residual = float(np.sqrt((change**2 * weight[..., None]).sum() / max(2 * weight.sum(), 1e-9)))
        seen = weight > _CLEAR
    return PhotoGrid(Warp((field, flat)), (float(size_mm[0]), float(size_mm[1])), seen, residual)
