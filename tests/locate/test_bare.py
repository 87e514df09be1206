from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from ecgdig.grid.flat import GeometryError
from ecgdig.locate.bare import NoRowsError, _columns, _skew_rad, bare_scale
from ecgdig.locate.ink import INK_PX_PER_MM, InkMap
from ecgdig.locate.place import place
from ecgdig.locate.rows import Rows
from ecgdig.locate.sheet import STRIDE, SheetMaps
from ecgdig.page import PLAIN, Page, render
from ecgdig.page.layout import Layout
from ecgdig.page.style import Style
from ecgdig.recording import Recording

Sheet = Callable[[str], Layout]


def without_grid(pulse: str = "left") -> Style:
    style = replace(PLAIN, grid=replace(PLAIN.grid, kind="none"))
    return replace(style, furniture=replace(style.furniture, pulse=pulse))


@pytest.fixture(scope="module")
def page(recording: Recording, sheet: Sheet) -> Page:
    return render(recording, sheet("3x4+1"), without_grid(), 137, np.random.default_rng(0))


def turned(page: Page, deg: float) -> Page:
    h, w = page.shape
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), -deg, 1.0)
    image = cv2.warpAffine(page.image, matrix, (w, h), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return page.with_image(np.asarray(image, np.uint8))


@pytest.mark.parametrize("deg", [0.0, 1.7, -3.1])
def test_scale_and_direction_of_a_page_without_grid(deg: float, page: Page) -> None:
    found = bare_scale(turned(page, deg).image)
    ends = found.warp.to_px([[20.0, 100.0], [220.0, 100.0]])
    along = ends[1] - ends[0]
    assert np.hypot(*along) / 200 == pytest.approx(137 / 25.4, rel=2e-3)
    assert np.degrees(np.arctan2(along[1], along[0])) == pytest.approx(deg, abs=0.15)
    assert found.by_pulse
    assert found.error <= 0.01


def test_the_leads_are_where_they_are_printed(page: Page) -> None:
    placed = place(page.image)
    assert placed.scale_error is not None
    assert any("no grid" in warning for warning in placed.warnings)
    assert placed.found.layout.name == "3x4+1"
    for s, t in zip(placed.found.layout.segments, page.layout.segments, strict=True):
        assert s.lead == t.lead
        seen = placed.warp.to_px([[s.x_mm, s.baseline_mm], [s.end_mm, s.baseline_mm]])
        printed = page.warp.to_px([[t.x_mm, t.baseline_mm], [t.end_mm, t.baseline_mm]])
        np.testing.assert_allclose(seen, printed, atol=0.8 * 137 / 25.4)


def test_a_page_on_its_side(page: Page) -> None:
    placed = place(np.ascontiguousarray(np.rot90(page.image)))
    assert placed.turned_deg == 270
    assert placed.found.layout.name == "3x4+1"


def test_what_is_no_ecg_has_no_rows() -> None:
    paper = np.full((900, 1200, 3), 245, np.uint8)
    with pytest.raises(NoRowsError, match="no rows of ECG traces"):
        bare_scale(paper)
    with pytest.raises(GeometryError, match="60 x 40 px is too small"):
        bare_scale(paper[:40, :60])
    with pytest.raises(GeometryError, match="no printed ECG grid found"):
        place(paper)


def test_without_pulse_and_names_nothing_tells_the_scale(smooth: Recording, sheet: Sheet, bare: Style) -> None:
    with pytest.raises(GeometryError, match=r"no (printed|rows)"):
        place(render(smooth, sheet("3x4+1"), bare, 110, np.random.default_rng(0)).image)


@pytest.mark.parametrize("deg", [0.0, 0.4, -2.3, 6.0])
def test_skew_of_lines(deg: float) -> None:
    lines = np.full((700, 1000, 3), 250, np.uint8)
    for y in range(80, 640, 60):
        lines[y : y + 3, 100:900] = 40
    matrix = cv2.getRotationMatrix2D((500, 350), -deg, 1.0)
    image = cv2.warpAffine(lines, matrix, (1000, 700), borderValue=(250, 250, 250))
    assert np.degrees(_skew_rad(np.asarray(image, np.uint8))) == pytest.approx(deg, abs=0.06)


@pytest.mark.parametrize("columns", [1, 2, 4])
def test_columns_are_measured_between_bars(columns: int) -> None:
    """Bars at 30.4 mm and on, evenly to 279.4 mm; ink seems to begin 3 mm late."""
    shape = (60 * INK_PX_PER_MM, 320 * INK_PX_PER_MM)
    cells = [np.zeros((shape[0] // STRIDE, shape[1] // STRIDE), np.float32) for _ in range(2)]
    first, last = 30.4, 279.4
    for k in range(columns + 1):
        x = (first + (last - first) * k / columns) * INK_PX_PER_MM / STRIDE
        cells[k == columns][:, round(x) - 1 : round(x) + 1] = 0.9
    ink = InkMap(np.zeros(shape, np.float32), np.ones(shape, bool), (0.0, 0.0), np.zeros((*shape, 3), np.uint8))
    none = np.zeros_like(cells[0])
    maps = SheetMaps(none, none, none, none, cells[0], cells[1], np.zeros(4, np.float32))
    paths, x_mm = np.zeros((2, shape[1])), np.arange(shape[1]) / INK_PX_PER_MM
    rows = Rows((20.0, 40.0), 33.4, 279.4, (33.4,) * 2, (279.4,) * 2, None, 0.3, paths, x_mm, ink, maps)
    n, length = _columns(rows)
    assert n == columns
    assert length == pytest.approx(last - first, abs=0.35)
