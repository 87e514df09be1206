from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ecgdig.locate.time_zero import _agreement, _Measurement, _separator, ink_end, pen_width, time_zero
from ecgdig.page import PLAIN, Layout, Page, Style, render
from ecgdig.page.style import Separator
from ecgdig.recording import Recording
from ecgdig.vectorize import RowReading

STEP = 1 / 16


def true_rows(page: Page) -> list[RowReading]:
    """What a perfect network would read."""
    rows = []
    for r in range(page.layout.n_rows):
        segments = page.layout.row(r)
        x = np.arange(segments[0].x_mm - 5 + STEP / 2, segments[-1].end_mm + 5, STEP)
        y = np.full(x.shape, np.nan)
        for trace in (t for t in page.traces if t.segment.row == r):
            here = (x >= trace.segment.x_mm) & (x < trace.segment.end_mm)
            y[here] = trace.y_at(x[here])
        rows.append(RowReading(x, y, np.zeros_like(x), np.isfinite(y).astype(np.float32)))
    return rows


def moved(layout: Layout, by_mm: float) -> Layout:
    return replace(layout, segments=tuple(replace(s, x_mm=s.x_mm + by_mm) for s in layout.segments))


def page_of(recording: Recording, layout: Layout, style: Style, dpi: float = 200) -> Page:
    return render(recording, layout, style, dpi, np.random.default_rng(0))


@pytest.mark.parametrize("width_mm", [0.2, 0.35, 0.6])
@pytest.mark.parametrize("dpi", [150, 200, 300])
def test_the_pen_is_measured(
    smooth: Recording, bare: Style, sheet: Callable[[str], Layout], width_mm: float, dpi: float
) -> None:
    page = page_of(smooth, sheet("3x4+1"), replace(bare, ink=replace(bare.ink, width_mm=width_mm)), dpi)
    width, contrast = pen_width(page.image, page.warp, true_rows(page))
    assert width == pytest.approx(width_mm, abs=0.04)
    assert contrast == pytest.approx(255, abs=40)


@pytest.mark.parametrize("width_mm", [0.2, 0.35, 0.6])
@pytest.mark.parametrize("shift", [-0.25, 0.0, 0.1, 0.5])
def test_time_zero_is_found_to_a_hundredth_of_a_millimetre(
    smooth: Recording, bare: Style, sheet: Callable[[str], Layout], width_mm: float, shift: float
) -> None:
    page = page_of(smooth, sheet("3x4+1"), replace(bare, ink=replace(bare.ink, width_mm=width_mm)))
    zero = time_zero(page.image, page.warp, moved(page.layout, shift), true_rows(page))
    assert zero is not None
    assert zero.shift_mm == pytest.approx(-shift, abs=0.015)
    assert 0.002 < zero.error_mm < 0.02


@pytest.mark.parametrize("separator", ["none", "tick", "bars", "dotted", "gap"])
def test_grid_pulses_and_separators_do_not_move_it(
    recording: Recording, sheet: Callable[[str], Layout], separator: Separator
) -> None:
    style = replace(PLAIN, furniture=replace(PLAIN.furniture, separator=separator))
    page = page_of(recording, sheet("3x4+1"), style)
    zero = time_zero(page.image, page.warp, moved(page.layout, 0.05), true_rows(page))
    assert zero is not None
    assert zero.shift_mm == pytest.approx(-0.05, abs=0.03)


def test_separators_drawn_beside_the_starts_do_not_move_it() -> None:
    # at whole pixels of a 200 dpi raster a line stands up to 0.064 mm beside its place, all of a column alike
    starts = [_Measurement("start", v) for v in (0.004, -0.006)]
    beside = [_Measurement("separator", v) for v in (-0.05, -0.06, -0.055, -0.05, -0.06, -0.055, -0.05)]
    both, alone = _agreement([*starts, *beside]), _agreement(beside)
    assert both is not None
    assert alone is not None
    assert both.shift_mm == pytest.approx(0, abs=0.012)
    assert alone.shift_mm == pytest.approx(-0.054, abs=0.015)  # the layout's own place counts a little
    assert both.error_mm < alone.error_mm
    assert alone.error_mm > 0.02


def test_many_separators_far_from_a_layout_that_nothing_else_supports_decide() -> None:
    lines = [_Measurement("separator", 0.78 + 0.01 * k) for k in range(6)]
    decided, few = _agreement(lines), _agreement(lines[:3])
    assert decided is not None
    assert decided.shift_mm == pytest.approx(0.805)
    assert few is None


@pytest.mark.parametrize("way", [1, -1])
def test_both_ends_of_the_ink_are_half_a_pen_beyond_the_samples(flat_page: Page, way: int) -> None:
    row = true_rows(flat_page)[3]  # the rhythm strip: no other lead beside it
    s = flat_page.layout.row(3)[0]
    place = s.x_mm if way > 0 else float(flat_page.traces[-1].x_mm[-1])
    end = ink_end(flat_page.image, flat_page.warp, row, place + 0.2, way)
    assert end == pytest.approx(place - way * 0.5 * flat_page.style.ink.width_mm, abs=0.03)


def test_ink_that_touches_the_start_gives_no_answer(flat_page: Page) -> None:
    trace = flat_page.traces[0]
    x, y = trace.segment.x_mm, float(trace.y_mm[0])
    image = flat_page.image.copy()
    (x0, y0), (x1, _) = flat_page.warp.to_px([[x - 4, y], [x, y]])
    image[round(y0) - 1 : round(y0) + 2, int(x0) : int(x1) + 1] = 0  # as a pulse's foot would
    assert ink_end(image, flat_page.warp, true_rows(flat_page)[0], x, 1) is None


def test_nothing_read_gives_no_answer(flat_page: Page) -> None:
    blind = [replace(row, y_mm=np.full_like(row.y_mm, np.nan)) for row in true_rows(flat_page)]
    assert time_zero(flat_page.image, flat_page.warp, flat_page.layout, blind) is None


@pytest.mark.filterwarnings("error")
def test_a_trace_that_leaves_what_is_looked_at_gives_no_answer(flat_page: Page) -> None:
    row = true_rows(flat_page)[3]
    s = flat_page.layout.row(3)[0]
    far = replace(row, y_mm=np.where(row.x_mm > s.x_mm + 0.48, row.y_mm - 30.0, row.y_mm))
    assert ink_end(flat_page.image, flat_page.warp, far, s.x_mm, 1) is None


def test_blank_paper_gives_no_answer(flat_page: Page) -> None:
    blank = np.full_like(flat_page.image, 250)
    assert time_zero(blank, flat_page.warp, flat_page.layout, true_rows(flat_page)) is None


def test_a_thick_separator_is_seen_beside_lines_as_dark_as_the_trace(
    recording: Recording, sheet: Callable[[str], Layout]
) -> None:
    dark = replace(PLAIN.grid, minor_rgb=(250, 225, 225), major_rgb=(60, 30, 40), major_mm=0.3)
    style = replace(PLAIN, grid=dark, furniture=replace(PLAIN.furniture, separator="tick"))
    page = page_of(recording, sheet("3x4+1"), style)
    rows = true_rows(page)
    _, contrast = pen_width(page.image, page.warp, rows)
    inner = [(rows[s.row], s) for s in page.layout.segments if s.column > 0]
    seen = [_separator(page.image, page.warp, row, s, contrast) for row, s in inner]
    found = [(mark, s) for mark, (_, s) in zip(seen, inner, strict=True) if mark is not None]
    assert len(found) > len(inner) / 2
    for (centre, width), s in found:
        assert centre == pytest.approx(s.x_mm, abs=0.06)
        assert 0.3 < width < 1.2
