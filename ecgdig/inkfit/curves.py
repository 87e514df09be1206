"""Readings moved onto the ink: least squares between the page and its traces drawn again, in every pixel near them.

The network tells which ink belongs to which row, and where it runs to a tenth of a millimetre or so. What a picture
holds is finer: on a steep flank of a QRS complex hundreds of pixels say where the pen was. So each row's curve is
drawn with the page's own pen (`pen`) into the picture without paper and grid (`paper`), and its columns are moved
(Gauss and Newton) until the two agree. All rows are drawn together: where they cross, each explains its own ink.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

from ecgdig.inkfit.ends import astray, barred, goes_on, on_edge, without_ink
from ecgdig.inkfit.paper import InkShares, Map, ink_shares, odd
from ecgdig.inkfit.pen import STRENGTHS, Pen, find_pen
from ecgdig.inkfit.strokes import Near, nearest, normal_equations, take_away
from ecgdig.inkfit.tips import lengthen_tips
from ecgdig.page.layout import Layout
from ecgdig.page.warp import Warp
from ecgdig.strip import Strip, StripSpec, cut
from ecgdig.vectorize import RowReading, said_error

Array = NDArray[np.float64]

_COARSEST, _FINEST = 6.0, 9.0  # px a mm at which the page is looked at
_BESIDE_MM = 2.0  # of what is looked at, left and right of the traces
_ABOVE_MM = 3.0  # above and below them
_FIRST_HALF_MM = 0.17  # of a pen that is not known yet
_WIDE_MM = 1.2  # around the traces, where the pen is not known yet
_ROUNDS = (3, 5)  # steps; before each round of them paper and pen are looked at anew
_SHARP_PX = 0.5  # blur of an edge that is as sharp as pixels can show
_CAP = 0.3  # of ink; pixels that differ by more are something else
_LEAST_NOISE = 0.02  # of ink shares
_MOST_MOVE_PX = 0.7  # across the curve, in one step
_BEND_MM = 0.04  # expected second difference of neighbouring columns ...
_BEND_STEEP = 0.25  # ... and of steep ones, per step between them
_FADE_MM = 12.0  # the ink's darkness is a mean over so much ...
_FADE_USUAL = 0.15  # ... and over the page's, which counts as much as a trace over this share of it
_SEAM_MM = 0.06  # the pen was lifted between leads
_BARE_MM = 2.0  # standard error where the network says that something is printed, but there is no ink
_GUESSED_MM = 0.5  # standard error of what the network says where it says that nothing is printed
# standard error of a column: of the network's spread beyond what it was taught, of the ink, and of how far the ink
# moved it; fitted on 42 pages of all presets (Student's t, 3 degrees of freedom), 90 % within 1.645 of it
_TAUGHT_MM = 0.29
_OF_SPREAD, _OF_INK, _OF_MOVE, _AT_LEAST_MM = 0.355, 0.84, 0.535, 0.008


@dataclass(eq=False)
class Curve:
    """One row in px of the canvas, all `(columns,)`.

    Attributes:
        x, y: where its columns are.
        inked: whether the pen was down; where it was at two neighbours, a piece is drawn.
        known: what the network says is printed; other inked columns are guesses.
        said, doubt: what the network said of y, and its standard error.
        ink: standard error by the pixels alone, after the last step.
    """

    x: Array
    y: Array
    inked: NDArray[np.bool_]
    known: NDArray[np.bool_]
    said: Array
    doubt: Array
    ink: Array


@dataclass(frozen=True, eq=False)
class _Look:
    """What is seen in a picture: the ink, the pen that drew it, and how dark it is where, `(H, W)`."""

    seen: InkShares
    pen: Pen
    strength: Map


def fit_ink(
    image: NDArray[np.uint8],
    warp: Warp,
    layout: Layout,
    rows: Sequence[RowReading],
    fitted: Collection[int] = (),
) -> tuple[RowReading, ...]:
    """The readings of all rows, moved onto the ink; as they were where paper and ink cannot be told apart.

    Stretches of the layout's segments where the network saw nothing are read too where ink goes on along its path;
    columns behind the bar between two leads are left out (NaN), and where there is no ink along a curve, its error is
    said to be large.

    Args:
        image: uint8 RGB `(H, W, 3)`.
        warp: paper mm -> px of the image.
        rows: as the network read them, one for each row of the layout, in the mm of `warp`; x may be spaced unevenly.
        fitted: numbers of the rows that were fitted before; they stay as they are.

    Returns:
        readings whose spread is the standard error of a column in mm.
    """
    plain = tuple(row if r in fitted else _unfitted(row) for r, row in enumerate(rows))
    # the picture reaches as far as those that are to be fitted
    known = [row for r, row in enumerate(rows) if r not in fitted and np.isfinite(row.y_mm).sum() > 2]
    if not known:
        return plain
    canvas = _canvas(warp, layout, known)
    picture = cut(image, warp, canvas)
    scale = canvas.spec.px_per_mm_x
    x_mm = canvas.x_mm(np.arange(picture.shape[1], dtype=np.float64))
    y_mm = canvas.y_mm(np.full(1, canvas.left_mm), np.arange(picture.shape[0], dtype=np.float64))
    curves = [_curve(row, layout, r, canvas) for r, row in enumerate(rows)]
    look = None
    for steps in _ROUNDS:
        if look is not None:  # the curves lie on the ink by now, but for tips that were cut short
            near = [_near(curve, look.strength.shape, look.pen.reach) for curve in curves]
            lengthen_tips(curves, near, look.seen, look.pen, look.strength, fitted, scale)
        look = _look(picture, x_mm, y_mm, curves, scale, None if look is None else look.pen)
        if look is None:
            return plain
        for _ in range(steps):
            _step(curves, fitted, look, scale)
    assert look is not None
    seen, pen, strength = look.seen, look.pen, look.strength
    near = [_near(curve, strength.shape, pen.reach) for curve in curves]
    other = seen.share - strength * _drawn(near, pen, strength.shape)
    out = list(plain)
    for r, (row, curve, one) in enumerate(zip(rows, curves, near, strict=True)):
        if r in fitted:
            continue
        there = curve.known | goes_on(curve.known, curve.inked, one, seen, strength, pen)
        # columns at seams were seen by the network, but no pen was fitted to them
        seam = np.isfinite(row.y_mm) & ~curve.inked
        hidden = barred(layout.row(r), row.x_mm, curve.x, curve.y, other, scale)
        hidden |= on_edge(layout.row(r)[0], row.x_mm, canvas.y_mm(row.x_mm, curve.y))
        bare = without_ink(curve.known, one, seen, strength, pen)
        read_mm = np.where((there | seam) & ~hidden, canvas.y_mm(row.x_mm, curve.y), np.nan)
        hidden |= astray(layout.row(r), row.x_mm, read_mm, row.spread_mm, bare)
        out[r] = _reading(row, curve, (there | seam) & ~hidden, seam, bare, canvas)
    return tuple(out)


def _canvas(warp: Warp, layout: Layout, rows: Sequence[RowReading]) -> Strip:
    """What of the paper is looked at, upright, about as fine as the image is there."""
    left = min(s.x_mm for s in layout.segments) - _BESIDE_MM
    right = max(s.end_mm for s in layout.segments) + _BESIDE_MM
    top = min(float(np.nanmin(row.y_mm)) for row in rows) - _ABOVE_MM
    bottom = max(float(np.nanmax(row.y_mm)) for row in rows) + _ABOVE_MM
    places = np.array([[0.5 * (s.x_mm + s.end_mm), s.baseline_mm] for s in layout.segments])
    scale = float(np.clip(np.median(warp.px_per_mm(places)), _COARSEST, _FINEST))
    spec = StripSpec(0.5 * (bottom - top), scale, scale, 1)
    return Strip(spec, left, 0.5 * (top + bottom), round((right - left) * scale))


def _curve(row: RowReading, layout: Layout, number: int, canvas: Strip) -> Curve:
    scale = canvas.spec.px_per_mm_x
    x = (row.x_mm - canvas.left_mm) * scale - 0.5
    known = np.isfinite(row.y_mm)
    height = row.y_mm if row.path_mm is None else np.where(known, row.y_mm, row.path_mm)
    y = canvas.y_px(row.x_mm, height)
    printed = known.copy()
    for segment in layout.row(number):
        printed |= (row.x_mm > segment.x_mm) & (row.x_mm < segment.end_mm)
    inked = printed & np.isfinite(y)
    inked[1:] &= np.diff(x) > 0
    for segment in layout.row(number):
        inked &= np.abs(row.x_mm - segment.x_mm) > _SEAM_MM
    said = np.where(np.isfinite(y), y, 0.0)
    doubt = np.where(known, said_error(row.spread_mm), _GUESSED_MM) * scale
    return Curve(x, said.copy(), inked, known & inked, said, doubt, np.full(x.shape, np.inf))


def _unfitted(row: RowReading) -> RowReading:
    spread = np.where(np.isfinite(row.y_mm), said_error(row.spread_mm), np.nan)
    return RowReading(row.x_mm, row.y_mm, spread, row.present, row.path_mm)


def _reading(
    row: RowReading,
    curve: Curve,
    there: NDArray[np.bool_],
    seam: NDArray[np.bool_],
    bare: NDArray[np.bool_],
    canvas: Strip,
) -> RowReading:
    scale = canvas.spec.px_per_mm_x
    y_mm = np.where(there, canvas.y_mm(row.x_mm, curve.y), np.nan)
    beyond = np.sqrt(np.maximum(np.nan_to_num(row.spread_mm, nan=1.0) ** 2 - _TAUGHT_MM**2, 0.0))
    move = np.where(curve.known, curve.y - curve.said, _GUESSED_MM * scale) / scale
    ink = np.minimum(curve.ink / scale, 1.0)
    spread = np.sqrt((_OF_SPREAD * beyond) ** 2 + (_OF_INK * ink) ** 2 + (_OF_MOVE * move) ** 2 + _AT_LEAST_MM**2)
    spread = np.where(seam, said_error(row.spread_mm), spread)
    spread = np.where(bare, np.maximum(spread, _BARE_MM), spread)
    present = np.where(np.isfinite(y_mm), np.maximum(row.present, 0.5), row.present).astype(np.float32)
    return RowReading(row.x_mm, y_mm, np.where(np.isfinite(y_mm), spread, np.nan), present, row.path_mm)


def _near(curve: Curve, shape: tuple[int, ...], reach: float) -> Near:
    return nearest(curve.x, curve.y, curve.inked, shape, reach)


def _distance(curves: Sequence[Curve], shape: tuple[int, ...], reach: float) -> Map:
    """px to the nearest of all curves, `(H, W)`; infinite beyond `reach`."""
    out = np.full(shape, np.inf, np.float32)
    for curve in curves:
        near = _near(curve, shape, reach)
        np.minimum(out[near.rows], near.distance, out=out[near.rows])
    return out


def _look(
    picture: NDArray[np.uint8], x_mm: Array, y_mm: Array, curves: Sequence[Curve], scale: float, pen: Pen | None
) -> _Look | None:
    """Ink and pen of a picture, as far as they can be told with the curves where they are; `pen` as known so far."""
    distance = _distance(curves, picture.shape[:2], _WIDE_MM * scale)
    if pen is None:
        free, core = distance > 0.6 * _WIDE_MM * scale, distance < 0.35 * _FIRST_HALF_MM * scale
    else:
        free, core = distance > pen.reach + 0.7, distance < max(pen.half - 1.5 * pen.blur, 0.3)
    seen = ink_shares(picture, free, core, x_mm, y_mm)
    found = None if seen is None else find_pen(distance, seen.share, scale)
    if seen is None or found is None:
        return None
    return _Look(seen, found, _strength(curves, seen, found, scale))


def _step(curves: Sequence[Curve], still: Collection[int], look: _Look, scale: float) -> None:
    """Move the curves once, but those that keep still, each to where it would fit best if the others stayed."""
    seen, pen, strength = look.seen, look.pen, look.strength
    near = [_near(curve, strength.shape, pen.reach) for curve in curves]
    clear = np.ones(strength.shape, np.float32)  # of the ink of all curves
    for one in near:
        take_away(clear[one.rows], one.distance, strength[one.rows], pen.half, pen.blur)
    left = seen.share - strength * _drawn(near, pen, strength.shape)
    moved = {}
    for r, (curve, one) in enumerate(zip(curves, near, strict=True)):
        if r in still:
            continue
        here = one.rows
        ahead, beside, pull, misfit, count = normal_equations(
            curve.x, curve.y - one.top, one.distance, one.segment, one.place,
            left[here], seen.weight[here], clear[here], strength[here], pen.half, pen.blur, _CAP,
        )  # fmt: skip
        noise = max(misfit / max(count, 1.0), _LEAST_NOISE**2)
        moved[r] = curve.y + _move(curve, ahead / noise, beside / noise, pull / noise, scale)
        curve.ink = np.sqrt(noise / np.maximum(ahead, 1e-9))
    for r, y in moved.items():
        curves[r].y = y


def _drawn(near: Sequence[Near], pen: Pen, shape: tuple[int, ...]) -> Map:
    """The ink of all curves, of strength 1: drawn sharply, blurred as a whole, so that between two flanks there is
    the ink of both."""
    bare, full = np.ones(shape, np.float32), np.ones(shape, np.float32)
    sharp = min(pen.blur, _SHARP_PX)
    for one in near:
        take_away(bare[one.rows], one.distance, full[one.rows], pen.half, sharp)
    sigma = math.sqrt(pen.blur**2 - sharp**2)
    return 1 - bare if sigma < 0.1 else np.asarray(cv2.GaussianBlur(1 - bare, (0, 0), sigma), np.float32)


def _strength(curves: Sequence[Curve], seen: InkShares, pen: Pen, scale: float) -> Map:
    """How dark the pen's ink is, `(H, W)`: it fades along a page, under glare and in shadow."""
    shape = seen.share.shape
    ink = _drawn([_near(curve, shape, pen.reach) for curve in curves], pen, shape)
    box = odd(_FADE_MM * scale)
    usual = _FADE_USUAL * (pen.half + pen.blur) * box
    there = cv2.boxFilter(seen.weight * ink * np.clip(seen.share, -0.5, 1.5), -1, (box, box), normalize=False)
    whole = cv2.boxFilter(seen.weight * ink * ink, -1, (box, box), normalize=False)
    return np.asarray(np.clip((there + usual * pen.strength) / (whole + usual), *STRENGTHS), np.float32)


def _move(curve: Curve, diagonal: Array, beside: Array, pull: Array, scale: float) -> Array:
    """The step of each column: what pixels want, held by what the network said and by smoothness."""
    y, inked = curve.y, curve.inked
    held = np.where(inked, 1 / curve.doubt**2, 1e4)
    pull = pull + held * (curve.said - y)
    steep = np.abs(np.gradient(curve.said))
    steep = np.maximum(steep, np.maximum(np.roll(steep, 2), np.roll(steep, -2)))
    three = inked[:-2] & inked[1:-1] & inked[2:]
    stiff = np.where(three, 1 / (_BEND_MM * scale + _BEND_STEEP * steep[1:-1]) ** 2, 0.0)
    bend = stiff * (y[:-2] - 2 * y[1:-1] + y[2:])
    bands = np.zeros((3, y.size))  # upper form: second diagonal, first, main
    bands[2] = diagonal + held
    bands[1, 1:] = beside[:-1]
    bands[2, :-2] += stiff
    bands[2, 1:-1] += 4 * stiff
    bands[2, 2:] += stiff
    bands[1, 1:-1] -= 2 * stiff
    bands[1, 2:] -= 2 * stiff
    bands[0, 2:] = stiff
    pull[:-2] -= bend
    pull[1:-1] += 2 * bend
    pull[2:] -= bend
    step = solveh_banded(bands, pull)
    slope = np.abs(np.gradient(y, curve.x))
    most = _MOST_MOVE_PX * np.sqrt(1 + slope**2)
    return np.where(inked, np.clip(step, -most, most), 0.0)
