from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ecgdig.onset import trace_onset
from ecgdig.page import PLAIN, Layout, Page, Style, render
from ecgdig.recording import Recording


def _error_mm(page: Page, row: int, near: float = 0.0) -> float:
    trace = next(t for t in page.traces if t.segment.row == row and t.segment.column == 0)
    start = trace.segment.x_mm
    x = start + np.arange(0.03, 6, 1 / 16)
    return trace_onset(page.image, page.warp, x, trace.y_at(x), start + near) - start


@pytest.mark.parametrize("width_mm", [0.2, 0.35, 0.6])
@pytest.mark.parametrize("dpi", [150, 200, 300])
def test_the_first_ink_is_found_to_a_few_hundredths_of_a_millimetre(
    smooth: Recording, bare: Style, sheet: Callable[[str], Layout], width_mm: float, dpi: float
) -> None:
    style = replace(bare, ink=replace(bare.ink, width_mm=width_mm))
    page = render(smooth, sheet("3x4+1"), style, dpi, np.random.default_rng(0))
    errors = [_error_mm(page, row, near) for row, near in enumerate((-0.2, 0.0, 0.1, 0.3))]
    assert np.abs(errors).max() < 0.06


def test_a_pulse_and_a_grid_do_not_move_it(smooth: Recording, sheet: Callable[[str], Layout]) -> None:
    page = render(smooth, sheet("3x4+1"), PLAIN, 200, np.random.default_rng(0))
    errors = [_error_mm(page, row) for row in range(4)]
    assert np.abs(np.nanmedian(errors)) < 0.06


def test_ink_that_touches_the_start_gives_no_answer(flat_page: Page) -> None:
    trace = flat_page.traces[0]
    x, y = trace.segment.x_mm, float(trace.y_mm[0])
    image = flat_page.image.copy()
    (x0, y0), (x1, _) = flat_page.warp.to_px([[x - 4, y], [x, y]])
    image[round(y0) - 1 : round(y0) + 2, int(x0) : int(x1) + 1] = 0  # as a pulse's foot would
    assert np.isnan(_error_mm(flat_page.with_image(image), 0))


def test_nothing_read_gives_no_answer(flat_page: Page) -> None:
    x = np.arange(0, 40, 1 / 16)
    assert np.isnan(trace_onset(flat_page.image, flat_page.warp, x, np.full(x.shape, np.nan), 15.0))
