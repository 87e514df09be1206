"""`Warp`: the map between paper millimetres and image pixels, in both directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]  # (n, 2): x, y

_NEWTON_STEPS = 10
_MOST_STEPS = 250
_LAST_STEP = 1e-5  # mm: across a crease the next step may be as long
_LAST_SMOOTH_STEP = 1e-3  # mm: where the map is smooth Newton's next step is at most a thousandth of this
_NEAR = 3.0  # mm: so far from a point its derivatives tell where the next one is, farther away only its shift does
_LENS_REACH = 1.6  # radius up to which a lens follows its cubic


class Stage(Protocol):
    """One invertible map of the plane; points are float64 `(n, 2)`."""

    def forward(self, points: Points) -> Points: ...

    def inverse(self, points: Points) -> Points: ...


@dataclass(frozen=True)
class Homography:
    """A projective map, as a 3x3 matrix on (x, y, 1)."""

    matrix: tuple[tuple[float, ...], ...]

    @staticmethod
    def of(matrix: ArrayLike) -> Homography:
        m = np.asarray(matrix, dtype=np.float64)
        if m.shape != (3, 3) or not np.isfinite(m).all() or abs(np.linalg.det(m)) < 1e-12:
            raise ValueError(f"a homography is an invertible 3x3 matrix; got shape {m.shape}")
        return Homography(tuple(map(tuple, (m / m[2, 2]).tolist())))

    @staticmethod
    def scale(px_per_mm: float, origin_mm: tuple[float, float] = (0.0, 0.0)) -> Homography:
        """Paper mm to pixels of a flat image whose top left *corner* shows `origin_mm`."""
        x, y = (-v * px_per_mm - 0.5 for v in origin_mm)
        return Homography.of(np.array([[px_per_mm, 0.0, x], [0.0, px_per_mm, y], [0.0, 0.0, 1.0]]))

    @property
    def array(self) -> NDArray[np.float64]:
        return np.array(self.matrix)

    def forward(self, points: Points) -> Points:
        return _project(self.array, points)

    def inverse(self, points: Points) -> Points:
        return _project(np.asarray(np.linalg.inv(self.array), np.float64), points)


@dataclass(frozen=True)
class Waves:
    """A smooth bend: each point moves by a sum of plane sine waves.

    `components` are rows (kx, ky, phase, ax, ay): the displacement (ax, ay)·sin(kx·x + ky·y + phase). The sum of
    |k|·|a| must stay below 0.9, so that the map is one to one.
    """

    components: tuple[tuple[float, float, float, float, float], ...]

    def __post_init__(self) -> None:
        steepness = sum(float(np.hypot(kx, ky) * np.hypot(ax, ay)) for kx, ky, _, ax, ay in self.components)
        if steepness >= 0.9:
            raise ValueError(f"a bend of steepness {steepness:.2f} folds over itself; keep it below 0.9")

    def forward(self, points: Points) -> Points:
        out: Points = _waved(np.ascontiguousarray(points, np.float64), self._rows())
        return out

    def inverse(self, points: Points) -> Points:
        out: Points = _unwaved(np.ascontiguousarray(points, np.float64), self._rows())
        return out

    def _rows(self) -> NDArray[np.float64]:
        return np.array(self.components, np.float64).reshape(-1, 5)


@njit(cache=True, nogil=True)
def _wave_at(x: float, y: float, rows: NDArray[np.float64]) -> tuple[float, float, float, float, float, float]:
    """The displacement (dx, dy) and its derivatives: dx by x, dx by y, dy by x, dy by y."""
    dx = dy = a = b = c = d = 0.0
    for k in range(rows.shape[0]):
        angle = rows[k, 0] * x + rows[k, 1] * y + rows[k, 2]
        wave, slope = np.sin(angle), np.cos(angle)
        dx += rows[k, 3] * wave
        dy += rows[k, 4] * wave
        a += rows[k, 3] * slope * rows[k, 0]
        b += rows[k, 3] * slope * rows[k, 1]
        c += rows[k, 4] * slope * rows[k, 0]
        d += rows[k, 4] * slope * rows[k, 1]
    return dx, dy, a, b, c, d


@njit(cache=True, nogil=True)
def _stepped(it: int, x: float, y: float, a: float, b: float, c: float, d: float) -> tuple[float, float]:
    """The step that should bring a residual (x, y) to zero, for the displacement's derivatives a, b, c, d.

    Newton's at first; where that goes round in circles over a crease, the contraction's.
    """
    if it >= _NEWTON_STEPS:
        return x, y
    det = (1 + a) * (1 + d) - b * c
    return ((1 + d) * x - b * y) / det, ((1 + a) * y - c * x) / det


@njit(cache=True, nogil=True)
def _waved(points: Points, rows: NDArray[np.float64]) -> Points:
    out = np.empty(points.shape)
    for n in range(points.shape[0]):
        dx, dy, _, _, _, _ = _wave_at(points[n, 0], points[n, 1], rows)
        out[n, 0], out[n, 1] = points[n, 0] + dx, points[n, 1] + dy
    return out


@njit(cache=True, nogil=True)
def _unwaved(points: Points, rows: NDArray[np.float64]) -> Points:
    """The points that `_waved` brings to `points`; each is sought from where the one before was found."""
    out = np.full(points.shape, np.nan)
    last_x = last_y = np.inf
    gx = gy = dx = dy = a = b = c = d = 0.0
    for n in range(points.shape[0]):
        x, y = points[n, 0], points[n, 1]
        if not (np.isfinite(x) and np.isfinite(y)):
            continue
        if abs(x - last_x) + abs(y - last_y) < _NEAR:
            sx, sy = _stepped(0, x - last_x, y - last_y, a, b, c, d)
            gx, gy = gx + sx, gy + sy
        else:
            gx, gy = x - dx, y - dy
        for it in range(_MOST_STEPS):
            dx, dy, a, b, c, d = _wave_at(gx, gy, rows)
            sx, sy = _stepped(it, x - dx - gx, y - dy - gy, a, b, c, d)
            gx, gy = gx + sx, gy + sy
            if max(abs(sx), abs(sy)) < (_LAST_SMOOTH_STEP if it < _NEWTON_STEPS else _LAST_STEP):
                break
        out[n, 0], out[n, 1] = gx, gy
        last_x, last_y = x, y
    return out


@dataclass(frozen=True, eq=False)
class Displacement:
    """A field of small shifts on the paper: each point moves by what the nodes around it say (bilinear).

    Attributes:
        shift_mm: `(rows, columns, 2)`; node (i, j) is at (j, i) · `step_mm`; beyond the nodes the edge's shift goes on.
            Shifts of neighbouring nodes must differ by less than their distance, so that the map is one to one.
        step_mm: from node to node.
    """

    shift_mm: NDArray[np.float64]
    step_mm: float

    @staticmethod
    def through(at_mm: Points, shift_mm: Points, size_mm: ArrayLike, step_mm: float, sigma_mm: float) -> Displacement:
        """The Gaussian mean, `sigma_mm` wide, of shifts known at scattered points `(n, 2)`, over 0 to `size_mm`."""
        width, height = np.asarray(size_mm, np.float64)
        y, x = np.mgrid[0 : height + step_mm : step_mm, 0 : width + step_mm : step_mm]
        out = np.empty((*x.shape, 2))
        for i in range(x.shape[0]):
            squared = (x[i][:, None] - at_mm[:, 0]) ** 2 + (y[i][:, None] - at_mm[:, 1]) ** 2
            # far from all points the nearest ones decide, not rounding errors
            weight = np.exp(-0.5 * (squared - squared.min(1, keepdims=True)) / sigma_mm**2)
            out[i] = weight @ shift_mm / weight.sum(1, keepdims=True)
        return Displacement(out, step_mm)

    def plus(self, change_mm: NDArray[np.floating]) -> Displacement:
        """The field whose inverse undoes this one first and then moves by `-change_mm` at the same nodes."""
        rows, columns = self.shift_mm.shape[:2]
        nodes = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1).reshape(-1, 2) * self.step_mm
        moved = nodes + np.asarray(change_mm, np.float64)[:rows, :columns].reshape(-1, 2)
        return Displacement((self.forward(moved) - nodes).reshape(rows, columns, 2), self.step_mm)

    def displacement(self, points: Points) -> Points:
        return self.forward(points) - points

    def forward(self, points: Points) -> Points:
        moved: Points = _shifted(np.ascontiguousarray(points, np.float64), self.shift_mm, self.step_mm)
        return moved

    def inverse(self, points: Points) -> Points:
        flat: Points = _unshifted(np.ascontiguousarray(points, np.float64), self.shift_mm, self.step_mm)
        return flat

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Displacement):
            return NotImplemented
        return self.step_mm == other.step_mm and np.array_equal(self.shift_mm, other.shift_mm)

    __hash__ = None  # type: ignore[assignment]


@njit(cache=True, nogil=True)
def _shift_at(
    x: float, y: float, shift: NDArray[np.float64], step: float
) -> tuple[float, float, float, float, float, float]:
    """Bilinear interpolation between the nodes `(rows, columns, 2)`; beyond them the edge's value goes on.

    Returns the displacement (dx, dy) and its derivatives: dx by x, dx by y, dy by x, dy by y.
    """
    rows, columns = shift.shape[0], shift.shape[1]
    per_mm = 1 / step
    at_x, at_y = x * per_mm, y * per_mm
    px, py = min(max(at_x, 0.0), columns - 1.0), min(max(at_y, 0.0), rows - 1.0)
    j, i = min(int(px), columns - 2), min(int(py), rows - 2)
    u, v = px - j, py - i
    x00, x01, x10, x11 = shift[i, j, 0], shift[i, j + 1, 0], shift[i + 1, j, 0], shift[i + 1, j + 1, 0]
    y00, y01, y10, y11 = shift[i, j, 1], shift[i, j + 1, 1], shift[i + 1, j, 1], shift[i + 1, j + 1, 1]
    x_top, x_bottom = x00 + u * (x01 - x00), x10 + u * (x11 - x10)
    y_top, y_bottom = y00 + u * (y01 - y00), y10 + u * (y11 - y10)
    across = per_mm if px == at_x else 0.0
    down = per_mm if py == at_y else 0.0
    return (
        x_top + v * (x_bottom - x_top),
        y_top + v * (y_bottom - y_top),
        ((x01 - x00) * (1 - v) + (x11 - x10) * v) * across,
        (x_bottom - x_top) * down,
        ((y01 - y00) * (1 - v) + (y11 - y10) * v) * across,
        (y_bottom - y_top) * down,
    )


@njit(cache=True, nogil=True)
def _shifted(points: Points, shift: NDArray[np.float64], step: float) -> Points:
    out = np.full(points.shape, np.nan)
    for n in range(points.shape[0]):
        x, y = points[n, 0], points[n, 1]
        if np.isfinite(x) and np.isfinite(y):
            dx, dy, _, _, _, _ = _shift_at(x, y, shift, step)
            out[n, 0], out[n, 1] = x + dx, y + dy
    return out


@njit(cache=True, nogil=True)
def _unshifted(points: Points, shift: NDArray[np.float64], step: float) -> Points:
    """The points that `_shifted` brings to `points`; each is sought from where the one before was found."""
    out = np.full(points.shape, np.nan)
    last_x = last_y = np.inf
    gx = gy = dx = dy = a = b = c = d = 0.0
    per_mm = 1 / step
    for n in range(points.shape[0]):
        x, y = points[n, 0], points[n, 1]
        if not (np.isfinite(x) and np.isfinite(y)):
            continue
        if abs(x - last_x) + abs(y - last_y) < _NEAR:
            sx, sy = _stepped(0, x - last_x, y - last_y, a, b, c, d)
            gx, gy = gx + sx, gy + sy
        else:
            gx, gy = x - dx, y - dy
        for it in range(_MOST_STEPS):
            dx, dy, a, b, c, d = _shift_at(gx, gy, shift, step)
            sx, sy = _stepped(it, x - dx - gx, y - dy - gy, a, b, c, d)
            column, row = np.floor(gx * per_mm), np.floor(gy * per_mm)
            gx, gy = gx + sx, gy + sy
            size = max(abs(sx), abs(sy))
            smooth = column == np.floor(gx * per_mm) and row == np.floor(gy * per_mm)  # between the same nodes
            if size < (_LAST_SMOOTH_STEP if smooth and it < _NEWTON_STEPS else _LAST_STEP):
                break
        out[n, 0], out[n, 1] = gx, gy
        last_x, last_y = x, y
    return out


@dataclass(frozen=True)
class Radial:
    """A lens: points move along the ray from `centre`, r' = r·(1 + k·r²/unit²): k > 0 pincushion, k < 0 barrel.

    The first term of Brown's model (1966). Beyond r = 1.6·`unit` the map goes on as a straight line, so that it stays
    one to one; |k| must be below 0.12.
    """

    centre: tuple[float, float]
    unit: float
    k: float

    def __post_init__(self) -> None:
        if not (abs(self.k) < 0.12 and self.unit > 0):
            raise ValueError(f"a lens of k = {self.k:g}, unit {self.unit:g}; want |k| < 0.12 and a positive unit")

    def forward(self, points: Points) -> Points:
        ray = points - np.array(self.centre)
        r = np.linalg.norm(ray, axis=1, keepdims=True) / self.unit
        near = np.minimum(r, _LENS_REACH)
        bent = near * (1 + self.k * near**2) + (r - near) * (1 + 3 * self.k * _LENS_REACH**2)
        out: Points = np.array(self.centre) + ray * (bent / np.maximum(r, 1e-12))
        return out

    def inverse(self, points: Points) -> Points:
        out: Points = _unbent(np.ascontiguousarray(points, np.float64), np.array(self.centre), self.unit, self.k)
        return out


@njit(cache=True, nogil=True)
def _unbent(points: Points, centre: NDArray[np.float64], unit: float, k: float) -> Points:
    """The points that a lens brings to `points`."""
    edge, slope = _LENS_REACH * (1 + k * _LENS_REACH**2), 1 + 3 * k * _LENS_REACH**2
    out = np.empty(points.shape)
    for n in range(points.shape[0]):
        x, y = points[n, 0] - centre[0], points[n, 1] - centre[1]
        bent = np.sqrt(x * x + y * y) / unit
        near = min(bent, edge)
        r = near
        for _ in range(12):  # Newton: convex, so it cannot overshoot; at 1.6 units and k = -0.12 it takes ten
            step = (r * (1 + k * r * r) - near) / (1 + 3 * k * r * r)
            r -= step
            if abs(step) < 1e-12:
                break
        share = (r + max(bent - edge, 0.0) / slope) / max(bent, 1e-12)
        out[n, 0], out[n, 1] = centre[0] + x * share, centre[1] + y * share
    return out


@dataclass(frozen=True)
class Warp:
    """Paper mm -> image px through `stages`, applied first to last.

    Points are `(..., 2)` arrays of x, y; pixel (0, 0) is the centre of the image's top left pixel.
    """

    stages: tuple[Stage, ...]

    @staticmethod
    def flat(px_per_mm: float, origin_mm: tuple[float, float] = (0.0, 0.0)) -> Warp:
        """The warp of a clean page: a scale, with `origin_mm` in the image's top left corner."""
        return Warp((Homography.scale(px_per_mm, origin_mm),))

    def to_px(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        return _through([stage.forward for stage in self.stages], points_mm)

    def to_mm(self, points_px: ArrayLike) -> NDArray[np.float64]:
        return _through([stage.inverse for stage in reversed(self.stages)], points_px)

    def then(self, *stages: Stage) -> Warp:
        """This warp followed by `stages` in image pixels."""
        return Warp(self.stages + stages)

    def after(self, *stages: Stage) -> Warp:
        """This warp preceded by `stages` on the paper, in mm."""
        return Warp(stages + self.stages)

    def px_per_mm(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """The local scale at `points_mm` `(..., 2)`: the square root of the map's area ratio, `(...)`."""
        at = np.asarray(points_mm, dtype=np.float64)
        right, down = np.array([0.5, 0.0]), np.array([0.0, 0.5])
        dx = self.to_px(at + right) - self.to_px(at - right)
        dy = self.to_px(at + down) - self.to_px(at - down)
        return np.sqrt(np.abs(dx[..., 0] * dy[..., 1] - dx[..., 1] * dy[..., 0]))

    def mm_field(self, shape: tuple[int, int], step: int = 1) -> NDArray[np.float32]:
        """Paper mm of every `step`-th pixel of an image of `shape` (height, width): `(h, w, 2)` float32."""
        y, x = np.mgrid[0 : shape[0] : step, 0 : shape[1] : step]
        return self.to_mm(np.stack([x, y], axis=-1).astype(np.float64)).astype(np.float32)


def coarse_to_fine(coarse: NDArray[np.floating], step: int, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Bilinear interpolation of values `(h, w, ...)` on every `step`-th pixel to `shape` `(H, W)`."""
    fine = cv2.warpAffine(
        coarse,
        np.array([[1 / step, 0, 0], [0, 1 / step, 0]]),
        (shape[1], shape[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(fine, np.float32)


def _project(matrix: NDArray[np.float64], points: Points) -> Points:
    out: Points = _projected(matrix, np.ascontiguousarray(points, np.float64))
    return out


@njit(cache=True, nogil=True)
def _projected(m: NDArray[np.float64], points: Points) -> Points:
    out = np.empty(points.shape)
    for n in range(points.shape[0]):
        x, y = points[n, 0], points[n, 1]
        w = m[2, 0] * x + m[2, 1] * y + m[2, 2]
        out[n, 0] = (m[0, 0] * x + m[0, 1] * y + m[0, 2]) / w
        out[n, 1] = (m[1, 0] * x + m[1, 1] * y + m[1, 2]) / w
    return out


def _through(maps: Sequence[Callable[[Points], Points]], points: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(points, dtype=np.float64)
    if array.shape[-1:] != (2,):
        raise ValueError(f"points of shape {array.shape}; want (..., 2) for x and y")
    flat = array.reshape(-1, 2)
    for step in maps:
        flat = step(flat)
    return flat.reshape(array.shape)
