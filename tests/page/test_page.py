"""The truth of a page: the ink is where the polylines say, and every label goes through the same warp."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgdig.page import (
    PLAIN,
    Homography,
    Layout,
    Page,
    Placement,
    Style,
    Trace,
    Warp,
    Waves,
    arrange,
    lead_plan,
    render,
)
from ecgdig.page.layout import PAPERS, cabrera_leads
from ecgdig.page.style import Grid
from ecgdig.recording import Recording
from ecgdig.units import LEADS

Measure = Callable[[Page], NDArray[np.float64]]
Sheets = Callable[[str], Layout]
BENT = (Waves(((0.02, 0.01, 0.3, 3.0, 2.0),)), Homography.of([[1, 0.1, 3], [-0.08, 1.1, 20], [2e-4, -1e-4, 1]]))


def rms(errors: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(errors**2)))


@pytest.mark.parametrize("name", ["3x4", "3x4+1", "3x4+2", "3x4+3", "6x2", "6x2+1", "12x1", "4x3", "2x6"])
def test_the_ink_is_where_the_truth_says(
    name: str, smooth: Recording, sheet: Sheets, pale_grid: Grid, ink_error: Measure
) -> None:
    page = render(smooth, sheet(name), replace(PLAIN, grid=pale_grid), 150, np.random.default_rng(0))
    errors = ink_error(page)
    assert errors.size > 600
    assert rms(errors) < 0.05
    assert np.abs(errors).max() < 0.25


@pytest.mark.parametrize("dx, dy", [(1, 0), (0, 1), (-0.7, 0.7)])
def test_a_warp_that_is_off_by_a_pixel_is_noticed(flat_page: Page, ink_error: Measure, dx: float, dy: float) -> None:
    off = replace(flat_page, warp=flat_page.warp.then(Homography.of([[1, 0, dx], [0, 1, dy], [0, 0, 1]])))
    assert rms(ink_error(off)) > 0.25


@pytest.fixture(scope="module")
def bent(smooth: Recording, sheet: Sheets) -> Page:
    page = render(smooth, sheet("3x4+1"), PLAIN, 60, np.random.default_rng(0))
    return replace(page, warp=Warp(BENT + page.warp.stages))


def test_labels_go_through_the_warp(bent: Page) -> None:
    warp, layout = bent.warp, bent.layout
    key = bent.keypoints_px()
    assert key.shape == (13, 2, 2)
    s = layout.segments[5]
    np.testing.assert_allclose(key[5], warp.to_px([[s.x_mm, s.baseline_mm], [s.end_mm, s.baseline_mm]]))

    boxes = bent.boxes_px()
    assert boxes.shape == (len(bent.marks), 4, 2)
    x0, y0, x1, y1 = bent.marks[3].box_mm
    np.testing.assert_allclose(boxes[3], warp.to_px([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]))
    assert replace(bent, marks=()).boxes_px().shape == (0, 4, 2)

    line = bent.polyline_px(2)
    np.testing.assert_allclose(warp.to_mm(line), np.stack([bent.traces[2].x_mm, bent.traces[2].y_mm], 1), atol=1e-5)
    field = bent.mm_field(5)
    np.testing.assert_allclose(field[7, 9], warp.to_mm([45, 35]), atol=1e-4)


def test_grid_crossings_lie_on_the_printed_lines(smooth: Recording, sheet: Sheets, bare: Style) -> None:
    black = replace(
        PLAIN.grid, kind="major-only", major_rgb=(0, 0, 0), phase_mm=(2.2, 3.7), box_mm=(12.0, 20.0, 6.0, 9.0)
    )
    paper_only = replace(smooth, signal_mv=np.full_like(smooth.signal_mv, np.nan))
    page = render(paper_only, sheet("3x4"), replace(bare, grid=black), 100, np.random.default_rng(0))
    crossings = page.grid_px()
    mm = page.warp.to_mm(crossings)
    assert mm.min((0, 1)) == pytest.approx([12.2, 23.7])
    assert mm.max((0, 1)) == pytest.approx([272.2, 203.7])
    assert mm[1, 2] == pytest.approx([22.2, 28.7])
    assert (mm >= [12, 20]).all()
    assert (mm <= [279.4 - 6, 215.9 - 9]).all()
    dark = 255.0 - page.image.mean(2)
    for x, y in crossings[2:-2, 2:-2].reshape(-1, 2):
        column, row = round(x), round(y)
        # between two lines only the line itself is dark: its centroid is the crossing's
        across = dark[row + 8, column - 6 : column + 7]
        down = dark[row - 6 : row + 7, column + 8]
        k = np.arange(-6, 7)
        assert column + (across * k).sum() / across.sum() == pytest.approx(x, abs=0.1)
        assert row + (down * k).sum() / down.sum() == pytest.approx(y, abs=0.1)


def test_masks_hold_each_trace_alone(flat_page: Page) -> None:
    whole = np.zeros(flat_page.shape, np.uint8)
    for i in range(len(flat_page.traces)):
        mask = flat_page.mask(i)
        x, y = flat_page.polyline_px(i)[100].round().astype(int)
        assert mask[y, x] > 200
        whole = np.maximum(whole, mask)
    np.testing.assert_allclose(255 - whole, flat_page.image[..., 0], atol=1)
    unknown = replace(flat_page.traces[0], y_mm=np.full_like(flat_page.traces[0].y_mm, np.nan))
    assert not replace(flat_page, traces=(unknown,)).mask(0).any()


def test_the_printed_recording_is_the_recording(recording: Recording, bare: Style, sheet: Sheets) -> None:
    page = render(recording, sheet("3x4+1"), bare, 40, np.random.default_rng(0))
    printed = page.recording(500.0)
    assert (printed.leads, printed.fs, printed.n_samples) == (LEADS, 500.0, 5000)
    np.testing.assert_allclose(printed.lead("II"), recording.lead("II"), atol=1e-4)  # the rhythm strip
    for column, names in enumerate((("I", "III"), ("aVR", "aVL", "aVF"), ("V1", "V2", "V3"), ("V4", "V5", "V6"))):
        here = slice(1250 * column, 1250 * (column + 1))
        for name in names:
            lead = printed.lead(name)
            np.testing.assert_allclose(lead[here], recording.lead(name)[here], atol=1e-4)
            assert np.isfinite(lead).sum() == 1250
    slower = page.recording(250.0)
    np.testing.assert_allclose(slower.lead("aVR")[625:1250], recording.lead("aVR")[1250:2500:2], atol=1e-4)


def test_minus_avr_is_given_as_avr(recording: Recording, bare: Style) -> None:
    plan = lead_plan("6x2", leads=cabrera_leads())
    layout = arrange(plan, PAPERS["a4"], Placement(10, 5, 30, 28), duration_s=10.0)
    page = render(recording, layout, bare, 40, np.random.default_rng(0))
    i = [s.lead for s in page.layout.segments].index("-aVR")
    np.testing.assert_allclose(page.traces[i].mv_at(np.array([1.0])), -recording.lead("aVR")[500], atol=1e-6)
    printed = page.recording()
    assert printed.leads == LEADS
    np.testing.assert_allclose(printed.lead("aVR")[:2500], recording.lead("aVR")[:2500], atol=1e-4)
    assert np.isnan(printed.lead("aVR")[2500:]).all()


def test_gaps_and_missing_leads_stay_unknown(recording: Recording, bare: Style, sheet: Sheets) -> None:
    signal = recording.signal_mv.copy()
    signal[0, 300:400] = np.nan
    broken = replace(recording, signal_mv=signal).select(("I", "II", "V1"))
    page = render(broken, sheet("3x4+1"), bare, 40, np.random.default_rng(0))
    assert len(page.traces) == 4
    printed = page.recording()
    lead = printed.lead("I")
    assert np.isnan(lead[300:400]).all()
    assert np.isfinite(lead[:300]).all()
    assert np.isfinite(lead[400:1250]).all()
    assert np.isnan(printed.lead("V6")).all()


def test_a_recording_that_ends_early_leaves_the_rest_unknown(recording: Recording, bare: Style, sheet: Sheets) -> None:
    page = render(recording.crop(0, 4.0), sheet("3x4"), bare, 40, np.random.default_rng(0))
    printed = page.recording()
    assert np.isfinite(printed.lead("aVR")[1250:1999]).all()
    assert np.isnan(printed.lead("V1")).all()
    assert np.isnan(printed.lead("V6")).all()


def test_a_trace_is_straight_between_its_points(sheet: Sheets) -> None:
    s = sheet("12x1").segments[0]
    trace = Trace(s, np.array([15.0, 16.0, 17.0]), np.array([20.0, 10.0, np.nan]))
    np.testing.assert_allclose(trace.y_at(np.array([14.9, 15.0, 15.5, 16.5, 17.1])), [np.nan, 20, 15, np.nan, np.nan])
    np.testing.assert_allclose(trace.mv_at(np.array([0.02])), [(20 - 15) / 10])


def test_where_no_ink_came_is_as_at_the_nearest_point(sheet: Sheets) -> None:
    x = np.array([15.0, 16.0, 17.0, 18.0])
    trace = Trace(sheet("12x1").segments[0], x, 0 * x, np.array([True, False, False, True]))
    at = np.array([14.0, 15.4, 15.6, 16.5, 17.4, 17.6, 19.0])
    assert trace.lacks_ink_at(at).tolist() == [False, False, True, True, True, False, False]
    assert not replace(trace, inked=None).lacks_ink_at(at).any()
