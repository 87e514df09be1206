from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecgdig.locate.orientation import Evidence, choose, turned_mm, turned_px
from ecgdig.locate.place import place
from ecgdig.page import PLAIN, Page, Placement, arrange, lead_plan, render
from ecgdig.page.layout import PAPERS
from ecgdig.page.warp import Warp
from ecgdig.recording import Recording

LAYOUT = arrange(lead_plan("3x4+1"), PAPERS["letter"], Placement(20, 8, 50, 30), duration_s=10.0)


def _page(recording: Recording, pulse: str) -> Page:
    style = replace(PLAIN, furniture=replace(PLAIN.furniture, pulse=pulse))
    return render(recording, LAYOUT, style, 120, np.random.default_rng(0))


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_turned_pixels_show_the_same_place(quarters: int) -> None:
    image = np.arange(7 * 11).reshape(7, 11)
    turned = np.rot90(image, quarters)
    points = np.array([(0, 0), (10, 0), (3, 5)], np.float64)
    moved = np.round(turned_px((7, 11), quarters).forward(points)).astype(int)
    assert [turned[y, x] for x, y in moved] == [image[int(y), int(x)] for x, y in points]


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_turned_millimetres_are_upright_again(quarters: int) -> None:
    shape = (600, 900)
    warp = Warp.flat(6.0).after(turned_mm(Warp.flat(6.0), shape, quarters)).then(turned_px(shape, quarters))
    right = warp.to_px([60.0, 50.0]) - warp.to_px([50.0, 50.0])
    down = warp.to_px([50.0, 60.0]) - warp.to_px([50.0, 50.0])
    np.testing.assert_allclose([right, down], [[60, 0], [0, 60]], atol=1e-6)


@pytest.mark.parametrize("pulse", ["left", "none"])
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turned_pages_are_found_and_said(recording: Recording, pulse: str, quarters: int) -> None:
    page = _page(recording, pulse)
    placed = place(np.ascontiguousarray(np.rot90(page.image, quarters)))
    assert placed.turned_deg == 360 - 90 * quarters
    np.testing.assert_array_equal(placed.image, page.image)
    assert placed.found.layout.name == "3x4+1"
    first = placed.found.layout.segments[0]
    at = placed.warp.to_px([first.x_mm, first.baseline_mm])
    true = page.warp.to_px([LAYOUT.segments[0].x_mm, LAYOUT.segments[0].baseline_mm])
    np.testing.assert_allclose(at, true, atol=8)
    assert any("turned by" in warning for warning in placed.warnings)


@pytest.mark.parametrize("pulse", ["left", "none"])
def test_upright_pages_stay_without_a_word(recording: Recording, pulse: str) -> None:
    placed = place(_page(recording, pulse).image)
    assert placed.turned_deg == 0
    assert not any("turn" in warning for warning in placed.warnings)


def test_weak_evidence_leaves_the_page_and_is_said() -> None:
    nothing = Evidence(250.0, 0.0, 0.1, 0.0)
    assert choose({0: nothing, 2: nothing}) == (0, False)
    assert choose({0: nothing, 2: Evidence(250.0, 1.0, 0.1, 0.0)}) == (2, True)
