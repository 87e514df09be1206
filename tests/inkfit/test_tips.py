"""Waves that were read too short are drawn as long as their ink is, and no others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgdig.inkfit import fit_ink
from ecgdig.page import Layout, Page, Style, render
from ecgdig.recording import Recording
from ecgdig.strip import Strip, StripSpec
from ecgdig.units import LEADS
from ecgdig.vectorize import RowReading

Array = NDArray[np.float64]
SHORT_MM = 7.0  # that a reading lacks of a wave


def spiked(up_mv: float, down_mv: float) -> Recording:
    """Flat leads with a spike up at 1.2 s and every second after it, 60 ms wide, and one down 50 ms later."""
    time_s = np.arange(5000) / 500
    phase = (time_s - 0.2) % 1.0
    up = np.clip(1 - np.abs(phase - 0.0) / 0.03, 0, None) + np.clip(1 - np.abs(phase - 1.0) / 0.03, 0, None)
    down = np.clip(1 - np.abs(phase - 0.06) / 0.03, 0, None)
    wave = up_mv * up - down_mv * down
    return Recording(LEADS, 500.0, np.tile(wave, (12, 1)).astype(np.float32), name="spiked")


def true_rows(page: Page) -> list[RowReading]:
    rows = []
    for r in range(page.layout.n_rows):
        segments = page.layout.row(r)
        width = round((segments[-1].end_mm - segments[0].x_mm + 8) * 8)
        x = Strip(StripSpec(), segments[0].x_mm - 4, segments[0].baseline_mm, width).columns_mm()
        y = np.full(x.shape, np.nan)
        for trace in (t for t in page.traces if t.segment.row == r):
            here = (x >= trace.segment.x_mm) & (x < trace.segment.end_mm)
            y[here] = trace.y_at(x[here])
        known = np.isfinite(y)
        rows.append(RowReading(x, y, np.where(known, 0.3, np.nan), known.astype(np.float32), y.copy()))
    return rows


def cut_short(row: RowReading, level_mm: float, down: int) -> RowReading:
    """Waves that point down (1) or up (-1) end at this height."""
    y = np.minimum(row.y_mm, level_mm) if down > 0 else np.maximum(row.y_mm, level_mm)
    return replace(row, y_mm=y, path_mm=y.copy())


@pytest.fixture(scope="module")
def crossing(bare: Style, sheet: Callable[[str], Layout]) -> Page:
    """Waves of each row reach into those of the next: down by 24 mm from above, up by 14 mm from below, beside them."""
    return render(spiked(1.4, 2.4), sheet("3x4"), bare, 200, np.random.default_rng(0))


def tips_mm(page: Page, row: RowReading, number: int, down: int) -> Array:
    """The farthest height of each wave of a row, above (-1) or below (1) its baseline."""
    s = page.layout.row(number)[0]
    out = []
    for beat in range(1, 9):
        middle = s.x_mm + s.speed_mm_per_s * (beat + 0.2 + (0.06 if down > 0 else 0.0))
        near = np.abs(row.x_mm - middle) < 1.0
        out.append(float(np.nanmax(down * (row.y_mm[near] - s.baseline_mm))))
    return np.array(out)


@pytest.mark.parametrize(("number", "down", "tall_mm"), [(0, 1, 24.0), (1, -1, 14.0)])
def test_waves_cut_short_in_another_rows_ink_are_drawn_to_their_end(
    crossing: Page, number: int, down: int, tall_mm: float
) -> None:
    rows = true_rows(crossing)
    base = crossing.layout.row(number)[0].baseline_mm
    rows[number] = cut_short(rows[number], base + down * (tall_mm - SHORT_MM), down)
    before = tips_mm(crossing, rows[number], number, down)
    assert before.max() < tall_mm - SHORT_MM + 0.01
    after = tips_mm(crossing, fit_ink(crossing.image, crossing.warp, crossing.layout, rows)[number], number, down)
    assert np.median(np.abs(after - tall_mm)) < 1.0
    assert (np.abs(after - tall_mm) < 1.5).mean() > 0.8


def test_waves_that_are_right_stay_as_they_are(crossing: Page) -> None:
    rows = true_rows(crossing)
    fitted = fit_ink(crossing.image, crossing.warp, crossing.layout, rows)
    for number, down, tall_mm in ((0, 1, 24.0), (1, 1, 24.0), (1, -1, 14.0), (2, -1, 14.0)):
        assert np.abs(tips_mm(crossing, fitted[number], number, down) - tall_mm).max() < 1.0


def test_rows_that_were_fitted_before_are_left_alone(crossing: Page) -> None:
    rows = true_rows(crossing)
    base = crossing.layout.row(0)[0].baseline_mm
    rows[0] = cut_short(rows[0], base + 24.0 - SHORT_MM, 1)
    fitted = fit_ink(crossing.image, crossing.warp, crossing.layout, rows, fitted={0})
    assert tips_mm(crossing, fitted[0], 0, 1).max() < 24.0 - SHORT_MM + 0.01
