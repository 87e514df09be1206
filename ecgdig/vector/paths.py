"""What is drawn on a PDF page: lines and words, in points (1/72 inch), x to the right and y down."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # (n, 2)
MOST_SEGMENTS = 1_000_000  # of a page; more is no ECG
_MOST_DEPTH = 6  # of forms within forms
_BEZIER = np.linspace(0, 1, 9)[1:]  # places of a Bézier curve that become points


@dataclass(frozen=True, eq=False)
class Stroke:
    """Lines drawn with one pen: one array of points for each stretch without a lift.

    Attributes:
        lines: points `(n, 2)` each, n at least 2; closed ones end where they begin.
        rgb: colour, 0 to 255; of the fill where nothing is stroked.
        width: of the pen, in points; 0 where only filled.
    """

    lines: tuple[Points, ...]
    rgb: tuple[int, int, int]
    width: float


@dataclass(frozen=True)
class Text:
    """Words on one line, and the box around them in points: left, top, right, bottom."""

    text: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Drawing:
    """A page as vectors: its size in points, what is drawn, what is written, and the share that pictures cover."""

    size: tuple[float, float]
    strokes: tuple[Stroke, ...]
    texts: tuple[Text, ...]
    pictures: float


def drawing_of(page: Any) -> Drawing:
    """The vectors of a page of pypdfium2, turned as it is shown.

    Raises:
        ValueError: more lines than any ECG has.
    """
    import pypdfium2.raw as raw

    width, height = page.get_size()
    upright = _upright(page)
    budget = [MOST_SEGMENTS]
    strokes, covered = [], 0.0
    for item, matrix in _objects(raw, page.raw, raw.FPDFPage_CountObjects, raw.FPDFPage_GetObject, np.eye(3), 0):
        kind = raw.FPDFPageObj_GetType(item)
        if kind == raw.FPDF_PAGEOBJ_IMAGE:
            covered += abs(float(np.linalg.det(_matrix(raw, item) @ matrix))) / max(width * height, 1e-9)
        elif kind == raw.FPDF_PAGEOBJ_PATH:
            stroke = _stroke(raw, item, matrix @ upright, budget)
            if stroke is not None:
                strokes.append(stroke)
    return Drawing((width, height), tuple(strokes), tuple(_texts(raw, page, upright)), covered)


def _upright(page: Any) -> Points:
    """The matrix (points as rows) from the page's own coordinates to those it is shown in."""
    left, bottom, right, top = page.get_cropbox()
    turned = page.get_rotation() % 360
    matrix = {
        0: [[1, 0], [0, -1], [-left, top]],
        90: [[0, 1], [1, 0], [-bottom, -left]],
        180: [[-1, 0], [0, 1], [right, -bottom]],
        270: [[0, -1], [-1, 0], [top, right]],
    }[turned]
    return np.column_stack([np.array(matrix, np.float64), [0, 0, 1]])


def _objects(raw: Any, holder: Any, count: Any, get: Any, matrix: Points, depth: int) -> Iterator[tuple[Any, Points]]:
    """Every object with the matrix from its own form to the page."""
    for i in range(count(holder)):
        item = get(holder, i)
        if raw.FPDFPageObj_GetType(item) != raw.FPDF_PAGEOBJ_FORM:
            yield item, matrix
        elif depth < _MOST_DEPTH:
            inner = _matrix(raw, item) @ matrix
            yield from _objects(raw, item, raw.FPDFFormObj_CountObjects, raw.FPDFFormObj_GetObject, inner, depth + 1)


def _matrix(raw: Any, item: Any) -> Points:
    m = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(item, m)
    return np.array([[m.a, m.b, 0], [m.c, m.d, 0], [m.e, m.f, 1]], np.float64)


def _stroke(raw: Any, item: Any, outer: Points, budget: list[int]) -> Stroke | None:
    mode, stroked = ctypes.c_int(), raw.FPDF_BOOL()
    raw.FPDFPath_GetDrawMode(item, mode, stroked)
    if not stroked.value and mode.value == raw.FPDF_FILLMODE_NONE:
        return None  # only a clip
    r, g, b, a = (ctypes.c_uint() for _ in range(4))
    (raw.FPDFPageObj_GetStrokeColor if stroked.value else raw.FPDFPageObj_GetFillColor)(item, r, g, b, a)
    if a.value == 0:
        return None
    width = ctypes.c_float()
    raw.FPDFPageObj_GetStrokeWidth(item, width)
    matrix = _matrix(raw, item) @ outer
    n = raw.FPDFPath_CountSegments(item)
    budget[0] -= max(n, 0)
    if budget[0] < 0:
        raise ValueError(f"more than {MOST_SEGMENTS:,} lines; no ECG has so many")
    lines = [np.column_stack([line, np.ones(len(line))]) @ matrix[:, :2] for line in _lines(raw, item, n)]
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    pen = width.value * scale if stroked.value else 0.0
    return Stroke(tuple(lines), (r.value, g.value, b.value), pen) if lines else None


def _lines(raw: Any, item: Any, n: int) -> Iterator[Points]:
    """The stretches of a path without a lift, in its own coordinates."""
    x, y = ctypes.c_float(), ctypes.c_float()
    line: list[tuple[float, float]] = []
    control: list[tuple[float, float]] = []
    for i in range(n):
        segment = raw.FPDFPath_GetPathSegment(item, i)
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        point = (x.value, y.value)
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            if len(line) > 1:
                yield np.array(line)
            line = [point]
        elif kind == raw.FPDF_SEGMENT_BEZIERTO and line:
            control.append(point)
            if len(control) == 3:
                line += _bezier(line[-1], control)
                control = []
        elif kind == raw.FPDF_SEGMENT_LINETO:
            line.append(point)
        if raw.FPDFPathSegment_GetClose(segment) and len(line) > 1 and line[0] != line[-1]:
            line.append(line[0])
    if len(line) > 1:
        yield np.array(line)


def _bezier(start: tuple[float, float], control: list[tuple[float, float]]) -> list[tuple[float, float]]:
    p0, p1, p2, p3 = (np.array(p)[None] for p in (start, *control))
    t = _BEZIER[:, None]
    points = (1 - t) ** 3 * p0 + 3 * t * (1 - t) ** 2 * p1 + 3 * t**2 * (1 - t) * p2 + t**3 * p3
    return [(float(x), float(y)) for x, y in points]


def _texts(raw: Any, page: Any, upright: Points) -> Iterator[Text]:
    """Runs of characters that stand on one line with no more than a space between them."""
    text = page.get_textpage()
    words: list[tuple[str, list[float]]] = []
    for i in range(text.count_chars()):
        character = chr(raw.FPDFText_GetUnicode(text.raw, i) or 32)
        if character.isspace() or ord(character) < 32:
            if words and words[-1][0]:
                words.append(("", []))
            continue
        left, bottom, right, top = text.get_charbox(i)
        corners = np.array([[left, bottom, 1], [right, top, 1]]) @ upright[:, :2]
        (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
        if words and words[-1][0]:
            said, box = words[-1]
            high = max(y1 - y0, box[3] - box[1], 1.0)
            if (
                x0 - box[2] < 1.2 * high
                and x0 > box[0] - high
                and y0 < box[3] + 0.5 * high
                and y1 > box[1] - 0.5 * high
            ):
                box = [min(box[0], x0), min(box[1], y0), max(box[2], x1), max(box[3], y1)]
                words[-1] = (said + character, box)
                continue
        if words and not words[-1][0]:
            words.pop()
        words.append((character, [x0, y0, x1, y1]))
    for said, box in words:
        if said:
            yield Text(said, (box[0], box[1], box[2], box[3]))
