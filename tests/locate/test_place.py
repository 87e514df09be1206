from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ecgdig.grid.flat import GeometryError
from ecgdig.locate.place import place
from ecgdig.page import PLAIN, Page, render
from ecgdig.page.layout import Layout
from ecgdig.recording import Recording


@pytest.fixture(scope="module")
def page(recording: Recording, sheet: Callable[[str], Layout]) -> Page:
    return render(recording, sheet("3x4+1"), PLAIN, 120, np.random.default_rng(0))


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_leads_are_found_in_any_quarter_turn(quarters: int, page: Page) -> None:
    placed = place(np.ascontiguousarray(np.rot90(page.image, quarters)))
    assert placed.turned_deg == (360 - 90 * quarters) % 360
    np.testing.assert_array_equal(placed.image, page.image)
    assert placed.flat
    assert placed.scale_error is None
    assert bool(placed.warnings) == bool(quarters)
    for s, t in zip(placed.found.layout.segments, page.layout.segments, strict=True):
        assert s.lead == t.lead
        seen = placed.warp.to_px([[s.x_mm, s.baseline_mm], [s.end_mm, s.baseline_mm]])
        printed = page.warp.to_px([[t.x_mm, t.baseline_mm], [t.end_mm, t.baseline_mm]])
        np.testing.assert_allclose(seen, printed, atol=0.5 * 120 / 25.4)


def test_what_is_told_is_obeyed(page: Page) -> None:
    told = place(page.image, speed_mm_per_s=50.0, gain_mm_per_mv=5.0)
    assert {(s.speed_mm_per_s, s.gain_mm_per_mv) for s in told.found.layout.segments} == {(50.0, 5.0)}
    with pytest.raises(GeometryError, match="layout 6x2 has 6 rows, the page shows 4"):
        place(page.image, layout="6x2")
    with pytest.raises(ValueError, match="5x5"):
        place(page.image, layout="5x5")
