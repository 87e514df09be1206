from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from ecgdig.page import Layout, Page, Style, render
from ecgdig.recording import Recording

Sheets = Callable[[str], Layout]


def inked(smooth: Recording, sheet: Sheets, bare: Style, **changes: float) -> Page:
    style = replace(bare, ink=replace(bare.ink, **changes))  # type: ignore[arg-type]
    return render(smooth, sheet("6x2"), style, 150, np.random.default_rng(3))


@pytest.mark.parametrize("head_mm", [0.125, 0.25])
def test_a_print_head_is_at_most_half_a_dot_off(
    smooth: Recording,
    sheet: Sheets,
    bare: Style,
    ink_error: Callable[[Page], np.ndarray],
    head_mm: float,
) -> None:
    errors = ink_error(inked(smooth, sheet, bare, head_mm=head_mm))
    dot_px = head_mm * 150 / 25.4
    assert 0.1 * dot_px < np.sqrt(np.mean(errors**2)) < 0.35 * dot_px
    assert abs(np.mean(errors)) < 0.05
    assert np.abs(errors).max() < 0.75 * dot_px + 0.1


def test_gaps_take_their_share_of_the_ink(smooth: Recording, sheet: Sheets, bare: Style) -> None:
    whole, broken = (255.0 - inked(smooth, sheet, bare, gaps=gaps).image.mean(2) for gaps in (0.0, 0.1))
    assert broken.sum() / whole.sum() == pytest.approx(0.9, abs=0.05)
    assert (broken <= whole + 1e-9).all()


def test_where_no_ink_came_is_hidden_and_nothing_else(smooth: Recording, sheet: Sheets, bare: Style) -> None:
    page = inked(smooth, sheet, bare, gaps=0.1)
    dark = 255 - cv2.erode(page.image[..., 0], np.ones((5, 5), np.uint8)).astype(int)  # ink within two px
    hidden = np.concatenate([page.hidden(i) for i in range(len(page.traces))])
    path = np.concatenate([page.polyline_px(i) for i in range(len(page.traces))])
    x, y = path.round().astype(int).T
    assert 0.04 < hidden.mean() < 0.12
    assert (dark[y, x][~hidden] >= 100).all()
    # a stroke reaches half its width and these two px into a gap: looked at where that is over
    inside = cv2.erode(hidden.astype(np.uint8)[None], np.ones((1, 41), np.uint8))[0] > 0
    assert inside.sum() > 100
    assert (dark[y, x][inside] == 0).all()
    assert all(trace.inked is None for trace in inked(smooth, sheet, bare).traces)


def test_a_window_hides_the_same_gaps(smooth: Recording, sheet: Sheets, bare: Style) -> None:
    style = replace(bare, ink=replace(bare.ink, gaps=0.1))
    boxes = (None, (100.0, 20.0, 140.0, 60.0))
    whole, window = (render(smooth, sheet("6x2"), style, 100, np.random.default_rng(3), box) for box in boxes)
    for i in range(len(whole.traces)):
        np.testing.assert_array_equal(whole.hidden(i), window.hidden(i))


def test_smeared_ink_is_paler_beside_the_pen_and_the_same_under_it(
    smooth: Recording, sheet: Sheets, bare: Style, ink_error: Callable[[Page], np.ndarray]
) -> None:
    page = inked(smooth, sheet, bare, smear_mm=0.5)
    plain, smeared = 255.0 - inked(smooth, sheet, bare).image[..., 0], 255.0 - page.image[..., 0]
    assert (smeared[plain > 254] > 254).all()
    beside = (plain == 0) & (smeared > 0)
    assert beside.any()
    assert smeared[beside].max() < 110
    assert np.sqrt(np.mean(ink_error(page) ** 2)) < 0.08
