from __future__ import annotations

import numpy as np
import pytest

from ecgdig.page.strokes import draw_polyline, line_profile, paint_grid, paint_ink


def canvas_with(points: list[tuple[float, float]], width_px: float, strength: float = 1.0) -> np.ndarray:
    canvas = np.zeros((40, 60), np.uint8)
    draw_polyline(
        canvas, np.array(points, np.float64).reshape(-1, 2), width_px, np.full(len(points), strength, np.float32)
    )
    return canvas


@pytest.mark.parametrize("y", [20.0, 20.25, 20.5, 20.8, 19.37])
@pytest.mark.parametrize("width_px", [1.0, 1.7, 3.2])
def test_a_level_stroke_lies_where_it_is_drawn_and_is_as_wide(y: float, width_px: float) -> None:
    column = canvas_with([(-5, y), (65, y)], width_px)[:, 30] / 255.0
    rows = np.arange(40)
    exact = np.clip(np.minimum(rows + 0.5, y + width_px / 2) - np.maximum(rows - 0.5, y - width_px / 2), 0, 1)
    np.testing.assert_allclose(column, exact, atol=0.005)
    assert column.sum() == pytest.approx(width_px, abs=0.01)


@pytest.mark.parametrize("width_px", [0.4, 1.0, 1.7, 3.2])
def test_the_middle_of_the_ink_is_the_strokes(width_px: float) -> None:
    heights = 20 + np.linspace(-0.5, 0.5, 50, endpoint=False)
    columns = np.stack([canvas_with([(-5, y), (65, y)], width_px)[:, 30] for y in heights]).astype(float)
    off = (columns * np.arange(40)).sum(1) / columns.sum(1) - heights
    assert off.mean() == pytest.approx(0, abs=0.02)
    # ink in a pixel counts as in its middle: a pen of 0.4 px is rounded to a pixel, one of whole pixels is exact
    assert np.abs(off).max() < (0.02 if width_px == 1.0 else 0.35 if width_px < 1 else 0.07)


@pytest.mark.parametrize("slope", [0.31, -0.73, 0.94])
@pytest.mark.parametrize("fraction", [0.0, 0.31, 0.77])
def test_a_slanted_stroke_lies_where_it_is_drawn_and_is_as_wide(slope: float, fraction: float) -> None:
    canvas = canvas_with([(-5, 20 + fraction - 35 * slope), (65, 20 + fraction + 35 * slope)], 2.4) / 255.0
    columns = np.arange(15, 46)
    ink = canvas[:, columns].sum(0)
    centre = (canvas[:, columns] * np.arange(40)[:, None]).sum(0) / ink
    np.testing.assert_allclose((centre - (20 + fraction + (columns - 30) * slope)).mean(), 0, atol=0.02)
    # measured down a column a pen is wider by 1 / cos of its angle
    np.testing.assert_allclose(ink.mean(), 2.4 * np.hypot(1, slope), atol=0.05)


def test_a_pen_under_one_pixel_leaves_paler_ink() -> None:
    for width_px in (0.3, 0.6):
        column = canvas_with([(-5, 20), (65, 20)], width_px)[:, 30] / 255.0
        assert column[20] == pytest.approx(width_px, abs=0.01)
    assert canvas_with([(-5, 20), (65, 20)], 3.0, strength=0.4).max() == 102


def test_nan_lifts_the_pen() -> None:
    canvas = canvas_with([(5, 20), (20, 20), (np.nan, np.nan), (40, 20), (55, 20)], 2.0)
    assert canvas[20, 10] == canvas[20, 50] == 255
    assert not canvas[:, 23:37].any()
    assert canvas_with([(5, 20)], 2.0).sum() == canvas_with([], 2.0).sum() == 0


def test_strokes_outside_the_canvas_leave_nothing() -> None:
    far = [(-1e7, -1e7), (-50.0, 20.0), (-9.0, 90.0), (1e9, 1e9), (90.0, -30.0), (70.0, 20.0)]
    assert not canvas_with(far[:2], 3.0).any()
    assert not canvas_with(far[2:3] * 2, 3.0).any()
    assert not canvas_with(far[4:], 3.0).any()
    whole, hanging = canvas_with([(-5, 20), (65, 20)], 2.0), canvas_with([(-1e4, 20), (1e4, 20)], 2.0)
    np.testing.assert_array_equal(whole, hanging)


def test_where_strokes_meet_the_darker_stays() -> None:
    once, twice = canvas_with([(10, 20.3), (50, 20.3)], 2.0), canvas_with([(10, 20.3), (50, 20.3), (10, 20.3)], 2.0)
    np.testing.assert_array_equal(once, twice)


@pytest.mark.parametrize(
    "first_px, step_px, width_px", [(3.3, 7.87, 1.3), (-2.0, 5.0, 0.4), (100.2, 11.8, 2.6), (0, 4, 1)]
)
def test_line_profile_is_the_exact_overlap(first_px: float, step_px: float, width_px: float) -> None:
    profile = line_profile(60, first_px, step_px, width_px)
    fine = 1000  # the integral by brute force
    x = (np.arange(60 * fine) + 0.5) / fine - 0.5
    off = np.abs((x - first_px + step_px / 2) % step_px - step_px / 2)
    expected = (off < width_px / 2).reshape(60, fine).mean(1)
    np.testing.assert_allclose(profile, expected, atol=2.5 / fine)


def test_line_profile_of_nothing_is_empty() -> None:
    assert not line_profile(10, 0.0, 0.0, 1.0).any()
    assert not line_profile(10, 0.0, 5.0, 0.0).any()
    assert line_profile(0, 0.0, 5.0, 1.0).shape == (0,)
    assert line_profile(10, 5.0, 4.0, 9.0).max() == 1.0  # lines that overlap do not add up


def test_paint_blends_by_coverage() -> None:
    image = np.full((4, 5, 3), 200, np.uint8)
    across, down = np.zeros(5, np.float32), np.zeros(4, np.float32)
    across[2], down[1] = 1.0, 0.5
    rgb = np.array([[100, 200, 0]], np.float32)
    lines = image.copy()
    paint_grid(lines, across[None], down[None], rgb, np.array([False]))
    assert lines[0, 2].tolist() == lines[1, 2].tolist() == [100, 200, 0]
    assert lines[1, 0].tolist() == [150, 200, 100]
    assert lines[0, 0].tolist() == lines[3, 4].tolist() == [200, 200, 200]
    dots = image.copy()
    paint_grid(dots, across[None], down[None], rgb, np.array([True]))
    assert dots[1, 2].tolist() == [150, 200, 100]
    assert (dots == 200).all(2).sum() == 19
    # two layers: the second over the first
    both = image.copy()
    paint_grid(
        both,
        np.stack([across, np.zeros(5, np.float32)]),
        np.stack([down, np.array([0, 0, 1, 0], np.float32)]),
        np.array([[100, 200, 0], [0, 0, 0]], np.float32),
        np.array([True, False]),
    )
    np.testing.assert_array_equal(both[[0, 1, 3]], dots[[0, 1, 3]])
    assert not both[2].any()

    cover = np.zeros((4, 5), np.uint8)
    cover[3, 4], cover[0, 0] = 255, 51
    paint_ink(image, cover, np.array([0, 0, 0], np.float32), 0.5)
    assert image[3, 4].tolist() == [100, 100, 100]
    assert image[0, 0].tolist() == [180, 180, 180]
    assert (image == 200).all(2).sum() == 18
