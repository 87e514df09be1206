from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgdig.degrade import apply
from ecgdig.page import Layout, Page, Style, Warp, render
from ecgdig.recording import Recording
from ecgdig.strip import Strip, StripSpec, cut, trace_hidden, trace_mask, trace_px

SPEC = StripSpec(half_height_mm=10.0, px_per_mm_x=8.0, px_per_mm_y=6.0, sub_columns=2)
OFF = {"slope": 0.02, "scale_x": 1.04, "scale_y": 0.96}


@pytest.fixture
def page(smooth: Recording, bare: Style, sheet: Callable[[str], Layout]) -> Callable[[float], Page]:
    """The upper left of a clean page at a resolution in dpi."""

    def at(dpi: float) -> Page:
        return render(smooth, sheet("3x4"), bare, dpi, np.random.default_rng(0), (10.0, 5.0, 120.0, 60.0))

    return at


def ink_error_px(page: Page, strip: Strip, row: int) -> NDArray[np.float64]:
    """Centroid of the ink of each pixel column of a strip less the truth, where the trace is near to level."""
    image = cut(page.image, page.warp, strip)
    truth = trace_px(page, row, strip).reshape(-1, SPEC.sub_columns).mean(1)  # at the middle of the pixel
    dark = 255.0 - image.mean(2)
    centre = (dark * np.arange(dark.shape[0])[:, None]).sum(0) / dark.sum(0)
    level = np.abs(np.gradient(truth)) < 0.4
    assert level.sum() > 50
    return (centre - truth)[level]


@pytest.mark.parametrize("dpi", [110, 200, 420], ids=["coarser", "alike", "finer: averaged first"])
@pytest.mark.parametrize("off", [{}, OFF], ids=["well placed", "misplaced"])
def test_the_trace_lies_where_the_truth_says(page: Callable[[float], Page], dpi: float, off: dict[str, float]) -> None:
    strip = Strip(SPEC, 30.0, 20.5, 256, **off)
    errors = ink_error_px(page(dpi), strip, 0)
    assert np.sqrt(np.mean(errors**2)) < 0.1
    assert abs(errors.mean()) < 0.03
    for wrong in (replace(strip, middle_mm=20.7), replace(strip, slope=strip.slope + 0.01)):
        truth = trace_px(page(110), 0, wrong)
        assert np.nanmax(np.abs(truth - trace_px(page(110), 0, strip))) > 1


def test_strips_are_cut_through_a_bent_warp(page: Callable[[float], Page]) -> None:
    bent = apply(page(200), {"curl": 1.0, "perspective": 1.0, "rotation": 1.0}, np.random.default_rng(0))
    errors = ink_error_px(bent, Strip(SPEC, 30.0, 20.0, 256), 0)
    assert np.sqrt(np.mean(errors**2)) < 0.1


def test_positions_on_paper_and_in_the_strip() -> None:
    assert (SPEC.height_px, SPEC.columns_per_mm) == (120, 16.0)
    strip = Strip(SPEC, 30.0, 20.0, 64, **OFF)
    columns = strip.columns_mm()
    assert columns.shape == (128,)
    # two values a pixel: a quarter of a pixel to either side of its middle
    np.testing.assert_allclose(columns[:2].mean(), strip.x_mm(np.array([0.0]))[0])
    np.testing.assert_allclose(columns[:2], 30 + 1.04 * np.array([0.25, 0.75]) / 8)
    x, y = np.array([30.0, 33.3]), np.array([15.0, 24.0])
    np.testing.assert_allclose(strip.y_mm(x, strip.y_px(x, y)), y)
    level = Strip(SPEC, 30.0, 20.0, 64)
    np.testing.assert_allclose(level.y_px(np.array([31.0]), np.array([20.0])), 59.5)  # the middle of 120 rows


def test_nothing_is_true_outside_the_printed_stretch(page: Callable[[float], Page]) -> None:
    clean = page(60)
    strip = Strip(SPEC, 5.0, 20.0, 256)  # the row begins at 15 mm
    truth = trace_px(clean, 0, strip)
    assert truth.dtype == np.float32
    assert np.isnan(truth[:160]).all()
    assert np.isfinite(truth[160:]).all()
    assert not trace_mask(clean, 0, strip)[:, :77].any()
    assert np.isnan(trace_px(clean, 7, strip)).all()  # no such row
    assert not trace_mask(clean, 7, strip).any()
    beyond = trace_px(clean, 0, replace(strip, left_mm=30.0, middle_mm=28.0))
    assert np.isnan(beyond).any()  # some of it is above the strip
    assert np.nanmin(beyond) >= 0


def test_the_mask_covers_the_trace_of_its_row_alone(page: Callable[[float], Page]) -> None:
    clean = page(200)
    strip = Strip(SPEC, 30.0, 20.0, 256, **OFF)
    mask, truth = trace_mask(clean, 0, strip), trace_px(clean, 0, strip).reshape(-1, 2).mean(1)
    assert mask.shape == (120, 256)
    columns = np.flatnonzero(np.isfinite(truth))
    assert (mask[truth[columns].round().astype(int), columns] > 100).all()
    dark = 255 - cut(clean.image, clean.warp, strip).mean(2)
    assert np.corrcoef(mask.ravel(), dark.ravel())[0, 1] > 0.97


def test_beyond_the_image_its_edge_goes_on() -> None:
    image = np.zeros((40, 50, 3), np.uint8)
    image[:, -1] = (10, 20, 30)
    image[:, 0] = (40, 50, 60)
    right = cut(image, Warp.flat(4.0), Strip(SPEC, 500.0, 5.0, 64))
    left = cut(image, Warp.flat(4.0), Strip(SPEC, -500.0, 5.0, 64))
    assert right.shape == (120, 64, 3)
    assert (right == (10, 20, 30)).all()
    assert (left == (40, 50, 60)).all()


def test_hidden_columns_are_those_below_a_cover(flat_page: Page) -> None:
    segment = flat_page.layout.row(1)[0]
    strip = Strip(StripSpec(), segment.x_mm, segment.baseline_mm, 256)
    assert not trace_hidden(flat_page, 1, strip).any()
    left, right = segment.x_mm + 8, segment.x_mm + 14
    page = flat_page.hide([[left, 0], [right, 0], [right, 300], [left, 300]])
    hidden, columns = trace_hidden(page, 1, strip), strip.columns_mm()
    assert hidden.dtype == bool
    assert hidden[(columns > left + 0.3) & (columns < right - 0.3)].all()
    assert not hidden[(columns < left - 0.3) | (columns > right + 0.3)].any()
    # where nothing is printed nothing is hidden
    beside = Strip(StripSpec(), -20.0, segment.baseline_mm, 64)
    assert not trace_hidden(flat_page.hide([[-50, 0], [300, 0], [300, 300], [-50, 300]]), 1, beside).any()


def test_columns_where_the_pen_gave_no_ink_are_hidden(flat_page: Page) -> None:
    trace = flat_page.traces[0]
    inked = np.ones(trace.x_mm.size, bool)
    inked[200:400] = False
    page = replace(flat_page, traces=(replace(trace, inked=inked), *flat_page.traces[1:]))
    strip = Strip(StripSpec(), trace.segment.x_mm, trace.segment.baseline_mm, 512)
    columns = strip.columns_mm()
    gap = (columns > trace.x_mm[200]) & (columns < trace.x_mm[399])
    hidden = trace_hidden(page, 0, strip)
    assert hidden[gap].all()
    assert hidden.sum() <= gap.sum() + 2  # nearest points
