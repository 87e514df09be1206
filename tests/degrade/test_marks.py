"""Marks on the sheet and machines: they come from the generator, leave the truth alone, and say what they hide."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ecgdig.degrade import apply
from ecgdig.degrade.marks import AS_SEEN, CUTS, ON_PAPER, STEPS
from ecgdig.degrade.presets import FILTERS, GEOMETRY, PRESETS
from ecgdig.page import PLAIN, Layout, Page, Style, render
from ecgdig.recording import Recording

Measure = Callable[[Page], NDArray[np.float64]]
MARKS = (*ON_PAPER, *CUTS, *AS_SEEN)
RASTERS = {"fax", "screenshot"}  # coarser than a quarter of a pixel of the page below
OPAQUE = {"redaction", "tape", "sticker", "staple", "thermal_fading", *CUTS}  # tape and fading not always


@pytest.fixture(scope="module")
def window(recording: Recording, sheet: Callable[[str], Layout]) -> Page:
    """A piece of a page, 60 x 40 mm at 250 dpi."""
    return render(recording, sheet("3x4+1"), PLAIN, 250, np.random.default_rng(0), (60.0, 10.0, 120.0, 50.0))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(MARKS), strength=st.floats(0, 1), seed=st.integers(0, 2**32 - 1), cold=st.booleans())
def test_any_mark_of_any_strength(name: str, strength: float, seed: int, cold: bool, window: Page) -> None:
    before = window.image.copy()
    pages = [apply(window, {name: strength}, np.random.default_rng(seed), desk=cold) for _ in range(2)]
    np.testing.assert_array_equal(window.image, before)
    np.testing.assert_array_equal(pages[0].image, pages[1].image)
    assert pages[0].image.dtype == np.uint8
    assert pages[0].image.flags.c_contiguous
    assert pages[0].shape == window.shape
    assert pages[0].traces is window.traces
    a, b = (page.cover for page in pages)
    assert (a is None) == (b is None)
    if a is not None and b is not None:
        np.testing.assert_array_equal(a.opacity, b.opacity)
        assert name in OPAQUE


@pytest.mark.parametrize("name", MARKS)
def test_marks_are_seen_and_grow_with_strength(name: str, window: Page) -> None:
    def change(strength: float) -> float:
        pages = [apply(window, {name: strength}, np.random.default_rng(seed)) for seed in range(25)]
        return float(np.mean([np.abs(page.image.astype(int) - window.image).mean() for page in pages]))

    faint, strong = change(0.02), change(1.0)
    assert strong > 0.05
    assert faint < 0.6 * strong


@pytest.mark.parametrize("name", MARKS)
@pytest.mark.parametrize("seed", range(2))
def test_the_ink_stays_on_the_truth_below_marks(name: str, seed: int, flat_page: Page, ink_error: Measure) -> None:
    signed = ink_error(apply(flat_page, {name: 0.8}, np.random.default_rng(seed)))
    errors = np.abs(signed)
    assert errors.size > 600
    assert abs(np.median(signed)) < (0.1 if name in RASTERS else 0.02)
    # where somebody wrote beside a trace the centroid is not the trace's alone
    assert np.median(errors) < (0.4 if name in RASTERS else 0.1)
    assert np.quantile(errors, 0.8) < (0.8 if name in RASTERS else 0.25)


@pytest.mark.parametrize("name", ["staircase", "fax", "photocopy", "halftone"])
def test_machines_do_not_move_fine_print(
    name: str, smooth: Recording, bare: Style, sheet: Callable[[str], Layout], ink_error: Measure
) -> None:
    fine = render(smooth, sheet("3x4"), bare, 300, np.random.default_rng(0), (30.0, 0.0, 130.0, 60.0))
    errors = ink_error(apply(fine, {name: 1.0}, np.random.default_rng(1)))
    assert abs(errors.mean()) < 0.1
    assert np.median(np.abs(errors)) < (0.6 if name == "fax" else 0.25)


@pytest.mark.parametrize("name, dark", [("redaction", True), ("sticker", False)])
def test_covers_hide_what_lies_below(name: str, dark: bool, flat_page: Page) -> None:
    seen = []
    for seed in range(12):
        page = apply(flat_page, {name: 1.0}, np.random.default_rng(seed))
        for i, trace in enumerate(page.traces):
            hidden = page.hidden(i)
            assert hidden.shape == trace.x_mm.shape
            x, y = page.polyline_px(i)[hidden].round().astype(int).T
            seen.append(page.image[y, x].mean(1))
    levels = np.concatenate(seen)
    assert levels.size > 500
    if dark:  # bars are black or white
        assert ((levels < 40) | (levels > 225)).mean() > 0.95
    else:
        assert (levels > 150).mean() > 0.5


def test_hidden_moves_with_the_sheet(flat_page: Page) -> None:
    s = flat_page.layout.segments[0]
    box = np.array([[s.x_mm + 5, 0], [s.x_mm + 15, 0], [s.x_mm + 15, 200], [s.x_mm + 5, 200]])
    page = apply(flat_page.hide(box), {"rotation": 1.0, "perspective": 1.0}, np.random.default_rng(0), desk=True)
    x = page.traces[0].x_mm
    inside = (x > s.x_mm + 5.2) & (x < s.x_mm + 14.8)
    outside = (x < s.x_mm + 4.8) | (x > s.x_mm + 15.2)
    assert page.hidden(0)[inside].all()
    assert not page.hidden(0)[outside].any()


def test_presets_name_marks_that_exist() -> None:
    assert set(STEPS) == set(PRESETS) - {"clean"}
    assert {name for steps in STEPS.values() for name in steps} == {*MARKS, "over_sharpen", "jpeg_blocks"}
    assert {"over_sharpen", "jpeg_blocks"} < set(FILTERS)


def test_all_marks_and_bends_together(flat_page: Page, ink_error: Measure) -> None:
    strengths = dict.fromkeys((*ON_PAPER, *GEOMETRY, *CUTS, *AS_SEEN, *FILTERS), 0.3) | {"fax": 0.0, "screenshot": 0.0}
    page = apply(flat_page, strengths, np.random.default_rng(4), dpi=170, margin_mm=8, desk=True)
    errors = ink_error(page)
    assert errors.size > 500
    assert np.quantile(np.abs(errors), 0.7) < 0.25
    assert abs(np.median(errors)) < 0.03
