from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from ink_net import ink_model

from ecgdig.digitizer import digitize, read_traces, recording_of
from ecgdig.grid.flat import GeometryError
from ecgdig.metrics import snr_db
from ecgdig.page import PLAIN, Layout, Page, Style, render
from ecgdig.recording import Recording
from ecgdig.vectorize import RowReading


@pytest.fixture(scope="module")
def page(smooth: Recording, bare: Style, sheet: Callable[[str], Layout]) -> Page:
    return render(smooth, sheet("3x4+1"), bare, 200, np.random.default_rng(0))


def test_samples_stand_where_they_are_printed(page: Page) -> None:
    read = read_traces(page.image, page.warp, page.layout, ink_model(), adjust=False).recording
    truth = page.recording()
    assert read.fs == 500
    assert read.leads == truth.leads
    assert read.n_samples == 5000
    printed = np.isfinite(truth.signal_mv)
    # aVR, in the second column of a 3x4 page, lies at 2.5 to 5 s; lead II has its strip over the whole 10 s
    assert np.flatnonzero(np.isfinite(read.lead("aVR")))[[0, -1]] == pytest.approx([1250, 2499], abs=3)
    assert np.isfinite(read.lead("II")).mean() > 0.99
    assert (np.isfinite(read.signal_mv) & ~printed).sum() == 0
    snr = np.asarray(snr_db(truth.signal_mv, read.signal_mv))
    assert np.median(snr) > 30
    assert snr.min() > 20  # the stand-in is blind where a trace begins


def test_the_time_axis_moves_to_where_the_traces_begin(page: Page) -> None:
    late = Layout(
        page.layout.name,
        page.layout.paper,
        tuple(s.__class__(**{**s.__dict__, "x_mm": s.x_mm + 0.7}) for s in page.layout.segments),
    )
    read = read_traces(page.image, page.warp, late, ink_model())
    # the stand-in sees the round end of the pen, half a stroke before the first sample
    assert read.layout.segments[0].x_mm == pytest.approx(page.layout.segments[0].x_mm, abs=0.2)


@pytest.mark.parametrize(("fs", "said"), [(100, 100.0), (500, None)])
def test_a_page_drawn_from_few_samples_is_said_to_be(
    recording: Recording, bare: Style, sheet: Callable[[str], Layout], fs: float, said: float | None
) -> None:
    style = replace(bare, ink=replace(bare.ink, fs=fs, width_mm=0.25))
    page = render(recording, sheet("12x1"), style, 200, np.random.default_rng(0))
    read = read_traces(page.image, page.warp, page.layout, ink_model(), adjust=False)
    assert read.drawn_hz == said


def test_sigma_is_given_where_and_only_where_there_are_samples(page: Page) -> None:
    read = read_traces(page.image, page.warp, page.layout, ink_model(), adjust=False).recording
    assert read.sigma_mv is not None
    np.testing.assert_array_equal(np.isfinite(read.sigma_mv), np.isfinite(read.signal_mv))
    assert np.nanmin(read.sigma_mv) > 0


def level_rows(layout: Layout) -> list[RowReading]:
    """Readings of flat lines 1 mm above the baselines, as sure as can be."""
    rows = []
    for r in range(layout.n_rows):
        first, last = layout.row(r)[0], layout.row(r)[-1]
        x = np.arange(first.x_mm - 2, last.end_mm + 2, 1 / 16)
        y = np.where((x >= first.x_mm) & (x < last.end_mm), first.baseline_mm - 1.0, np.nan)
        rows.append(RowReading(x, y, np.full(x.shape, 0.02), np.isfinite(y).astype(np.float32)))
    return rows


@pytest.mark.parametrize(("gap_mm", "held"), [(0.4, True), (2.4, True), (3.2, False)])
@pytest.mark.parametrize("end", [False, True])
def test_a_gap_at_the_end_of_a_lead_is_held_with_a_sigma_that_grows(
    sheet: Callable[[str], Layout], gap_mm: float, held: bool, end: bool
) -> None:
    layout = sheet("3x4+1")
    rows = level_rows(layout)
    s = next(s for s in layout.segments if s.lead == "aVL")
    row = rows[s.row]
    lost = (row.x_mm >= s.end_mm - gap_mm if end else row.x_mm >= s.x_mm) & (
        row.x_mm < s.end_mm if end else row.x_mm < s.x_mm + gap_mm
    )
    rows[s.row] = replace(row, y_mm=np.where(lost, np.nan, row.y_mm))
    read = recording_of(layout, tuple(rows), (1.0, 0.01), "x")
    assert read.sigma_mv is not None
    which = read.leads.index("aVL")
    printed = slice(round(s.start_s * 500), round((s.start_s + s.duration_s) * 500))
    signal, sigma = read.signal_mv[which, printed], read.sigma_mv[which, printed]
    if end:
        signal, sigma = signal[::-1], sigma[::-1]
    n = round(gap_mm / 25 * 500)
    assert np.isfinite(signal[n + 3 :]).all()
    assert np.isfinite(signal[: n - 3]).all() == held
    if held:
        np.testing.assert_allclose(signal, 0.1, atol=1e-6)
        assert (np.diff(sigma[: n - 4]) < 0).all()
        assert sigma[0] == pytest.approx(1.8 * gap_mm / 25, rel=0.2)
        assert sigma[n + 3 : -3].max() < 0.004
    # what a hand marked as unreadable stays so
    marked = replace(rows[s.row], present=np.where(lost, 0, row.present).astype(np.float32))
    rows[s.row] = marked
    again = recording_of(layout, tuple(rows), (1.0, 0.01), "x").signal_mv[which, printed]
    assert np.isfinite(again).all() == (gap_mm < 0.5)


def test_what_is_covered_is_missing_and_said(page: Page) -> None:
    hidden = page.image.copy()
    s = page.layout.segments[5]
    (x0, y0), (x1, y1) = page.warp.to_px([[s.x_mm + 10, s.baseline_mm - 12], [s.end_mm - 10, s.baseline_mm + 12]])
    hidden[int(y0) : int(y1), int(x0) : int(x1)] = 255
    read = read_traces(hidden, page.warp, page.layout, ink_model(), adjust=False)
    assert read.coverage()[s.lead] < 0.5
    assert any(s.lead in warning for warning in read.warnings)


def test_finds_the_geometry_itself(smooth: Recording, sheet: Callable[[str], Layout]) -> None:
    page = render(smooth, sheet("3x4"), PLAIN, 200, np.random.default_rng(0))
    read = digitize(page.image, ink_model(), layout="3x4")
    assert read.layout.name == "3x4"
    scale = page.warp.px_per_mm([100.0, 100.0])
    assert read.warp.px_per_mm([100.0, 100.0]) == pytest.approx(scale, rel=2e-4)


@pytest.mark.parametrize("image", [np.full((400, 500, 3), 255, np.uint8), np.zeros((400, 500, 3), np.uint8)])
def test_no_ecg_is_refused(image: np.ndarray) -> None:  # type: ignore[type-arg]
    with pytest.raises(GeometryError):
        digitize(image, ink_model())


def test_wrong_kinds_of_arrays_are_refused() -> None:
    with pytest.raises(ValueError, match="uint8 RGB"):
        digitize(np.zeros((100, 100), np.uint8), ink_model())
