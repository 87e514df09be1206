"""What hides the sheet: kept in mm, asked at points of the paper."""

from __future__ import annotations

import numpy as np
import pytest

from ecgdig.page import Page, Warp
from ecgdig.page.cover import STEP_MM, Cover

WINDOW = (10.0, 20.0, 50.0, 40.0)
SQUARE = [[20, 25], [30, 25], [30, 35], [20, 35]]


def test_nothing_is_hidden_by_a_clear_cover_or_beyond_it() -> None:
    clear = Cover.clear(WINDOW)
    assert clear.opacity.shape == (20 / STEP_MM, 40 / STEP_MM)
    at = np.array([[15.0, 25.0], [0.0, 0.0], [1e9, -1e9], [np.nan, 25.0]])
    assert not clear.hides(at).any()
    full = clear.with_polygon([[-100, -100], [200, -100], [200, 200], [-100, 200]])
    assert full.hides(at).tolist() == [True, False, False, False]
    assert not clear.opacity.any()  # the first one is as it was


def test_a_polygon_hides_its_inside_to_a_cell() -> None:
    cover = Cover.clear(WINDOW).with_polygon(SQUARE)
    x, y = np.meshgrid(np.linspace(11, 49, 300), np.linspace(21, 39, 200))
    hidden = cover.hides(np.stack([x, y], -1))
    beside = np.maximum(np.abs(x - 25), np.abs(y - 30)) - 5  # mm from the outline
    assert hidden[beside < -STEP_MM].all()
    assert not hidden[beside > STEP_MM].any()


@pytest.mark.parametrize("opacity, hides", [(0.0, False), (0.4, False), (0.6, True), (1.0, True)])
def test_what_is_half_clear_hides_nothing(opacity: float, hides: bool) -> None:
    cover = Cover.clear(WINDOW).with_polygon(SQUARE, opacity)
    assert bool(cover.hides(np.array([25.0, 30.0]))) == hides
    # the more opaque of two stays
    assert cover.with_polygon(SQUARE, 0.1).hides(np.array([25.0, 30.0])) == hides


def test_a_picture_of_what_hides_is_brought_to_the_paper() -> None:
    warp = Warp.flat(4.0, WINDOW[:2])
    picture = np.zeros((80, 160), np.uint8)
    picture[20:60, 40:80] = 255  # 20 to 30 mm, 25 to 35 mm
    cover = Cover.clear(WINDOW).with_picture(picture, warp)
    same = Cover.clear(WINDOW).with_polygon(SQUARE)
    assert (cover.hides(_cells()) != same.hides(_cells())).mean() < 0.02
    assert not Cover.clear(WINDOW).with_picture(np.zeros((80, 160), np.uint8), warp).opacity.any()


def _cells() -> np.ndarray:
    x, y = np.meshgrid(np.arange(10, 50, 0.5) + 0.1, np.arange(20, 40, 0.5) + 0.1)
    return np.stack([x, y], -1)


def test_a_page_knows_which_samples_are_hidden(flat_page: Page) -> None:
    assert flat_page.cover is None
    assert not flat_page.hidden(0).any()
    s = flat_page.layout.segments[0]
    page = flat_page.hide([[s.x_mm + 10, 0], [s.x_mm + 20, 0], [s.x_mm + 20, 300], [s.x_mm + 10, 300]])
    hidden = page.hidden(0)
    assert hidden.shape == page.traces[0].x_mm.shape
    assert hidden.mean() == pytest.approx(10 / (s.end_mm - s.x_mm), abs=0.01)
    assert page.with_image(page.image).hidden(0).sum() == hidden.sum()
    assert not flat_page.hidden(0).any()


def test_what_is_seen_over_a_page_hides_it(flat_page: Page) -> None:
    glare = np.zeros(flat_page.shape, np.uint8)
    x, y = flat_page.polyline_px(1)[200].astype(int)
    glare[y - 40 : y + 40, x - 40 : x + 40] = 255
    page = flat_page.hide_seen(glare)
    near = np.abs(flat_page.polyline_px(1) - [x, y]).max(1)
    assert page.hidden(1)[near < 37].all()
    assert not page.hidden(1)[near > 43].any()
    with pytest.raises(ValueError, match=r"opacity uint8 \(3, 4\); want uint8 \(1275, 1650\), as the image"):
        flat_page.hide_seen(np.zeros((3, 4), np.uint8))
