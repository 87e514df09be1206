from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

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
