from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from ecgdig.drawing import render
from ecgdig.page import PLAIN, Page
from ecgdig.privacy import redacted
from ecgdig.recording import Recording
from ecgdig.vectorize import RowReading

NAMING = ("header", "institution", "interpretation", "qr-code", "barcode", "signature", "page-number")


def rows_of(page: Page) -> tuple[RowReading, ...]:
    """The true traces as a reading."""
    rows = []
    for r in range(page.layout.n_rows):
        traces = [t for t in page.traces if t.segment.row == r]
        x = np.arange(page.layout.row(r)[0].x_mm - 5, page.layout.row(r)[-1].end_mm + 5, 1 / 16)
        y = np.full(len(x), np.nan)
        for t in traces:
            here = (x >= t.segment.x_mm) & (x < t.segment.end_mm)
            y[here] = t.y_at(x[here])
        rows.append(RowReading(x, y, np.full(len(x), 0.1), np.isfinite(y).astype(np.float32)))
    return tuple(rows)


def dark(image: np.ndarray, page: Page, box: tuple[float, ...]) -> float:  # type: ignore[type-arg]
    """Share of the px of a box in mm that are much darker than the paper."""
    (x0, y0), (x1, y1) = page.warp.to_px([box[:2], box[2:]])
    part = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[max(int(y0), 0) : int(y1) + 1, max(int(x0), 0) : int(x1) + 1]
    return float((part < 110).mean()) if part.size else 0.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_words_go_and_traces_stay(recording: Recording, seed: int) -> None:
    furniture = replace(PLAIN.furniture, header=True, institution=True, statements=True, barcode=True)
    furniture = replace(furniture, arrangement=("columns", "framed", "two-blocks")[seed - 1])
    style = replace(PLAIN, furniture=furniture)
    page = render(recording, "clean", seed, layout="3x4+1", paper="a4", dpi=130, style=style)
    words = [mark for mark in page.marks if mark.kind in NAMING]
    assert len(words) > 3
    assert max(dark(page.image, page, mark.box_mm) for mark in words) > 0.05
    out = redacted(page.image, page.warp, page.layout, rows_of(page))
    assert max(dark(out, page, mark.box_mm) for mark in words) == 0.0
    for trace in page.traces:
        at = page.warp.to_px(np.stack([trace.x_mm, trace.y_mm], 1)[5:-5]).round().astype(int)
        np.testing.assert_array_equal(out[at[:, 1], at[:, 0]], page.image[at[:, 1], at[:, 0]])
    for mark in page.marks:
        if mark.kind == "lead-name":
            assert dark(out, page, mark.box_mm) == pytest.approx(dark(page.image, page, mark.box_mm), abs=0.02)


def test_words_between_the_traces_go_too(recording: Recording) -> None:
    page = render(recording, "clean", 1, layout="3x4", paper="a4", dpi=130, style=PLAIN)
    image = page.image.copy()
    s = page.layout.segments[5]
    box = (s.x_mm + 25, s.baseline_mm + 10, s.x_mm + 55, s.baseline_mm + 15)
    x, y = page.warp.to_px([box[0], box[3] - 0.5]).astype(int).tolist()
    cv2.putText(image, "MRS SMITH", (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 20), 2)
    marked = page.with_image(image, page.warp)
    before = dark(image, marked, box)
    after = dark(redacted(image, page.warp, page.layout, rows_of(page)), marked, box)
    assert before > 0.1
    assert after < 0.15 * before  # a letter that touches a trace may stay in part
