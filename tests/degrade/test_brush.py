from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from ecgdig.degrade import brush
from ecgdig.page import Page


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)


@pytest.fixture
def cover() -> np.ndarray:
    return np.random.default_rng(1).choice([0, 0, 60, 200, 255], (40, 50)).astype(np.uint8)


def test_tint_multiplies_where_it_covers(picture: np.ndarray, cover: np.ndarray) -> None:
    rgb = np.array([200.0, 100.0, 0.0], np.float32)
    expected = picture * (1 - cover[..., None] / 255 * (1 - rgb / 255))
    brush.tint(picture, cover, rgb)
    assert np.abs(picture - expected).max() <= 0.51


@pytest.mark.parametrize("how", ["lay", "blend"])
def test_opaque_paint_is_mixed_by_its_cover(how: str, picture: np.ndarray, cover: np.ndarray) -> None:
    rgb = np.array([200.0, 100.0, 0.0], np.float32)
    over = np.broadcast_to(rgb, picture.shape).astype(np.uint8)
    share = cover[..., None] / 255
    expected = picture * (1 - share) + over * share
    if how == "lay":
        brush.lay(picture, cover, rgb)
    else:
        brush.blend(picture, cover, over)
    assert np.abs(picture - expected).max() <= 0.51


def test_paint_works_on_parts_of_a_picture(picture: np.ndarray, cover: np.ndarray) -> None:
    before = picture.copy()
    brush.lay(picture[10:20, 5:30], cover[10:20, 5:30], np.zeros(3, np.float32))
    outside = np.ones(picture.shape[:2], bool)
    outside[10:20, 5:30] = False
    np.testing.assert_array_equal(picture[outside], before[outside])
    assert (picture[10:20, 5:30][cover[10:20, 5:30] == 255] == 0).all()


def test_a_region_knows_its_place_on_the_paper(blank: Page) -> None:
    box = (110.0, 160.0, 120.0, 165.0)  # the window begins at (100, 150), 8 px/mm
    where = brush.region(blank, box)
    assert where is not None
    assert where.shape == (40, 80)
    assert (where.x0, where.y0) == (80, 80)
    assert where.box_mm == pytest.approx(box)
    x, y = where.mm(1.0)
    assert x.shape == y.shape == (5, 10)
    np.testing.assert_allclose(x[0], 110.5 + np.arange(10))
    np.testing.assert_allclose(y[:, 0], 160.5 + np.arange(5))
    ramp = where.enlarge((x - 110) / 10)
    np.testing.assert_allclose(ramp[20, 4:-4], 255 * (np.arange(4, 76) + 0.5) / 80, atol=1.1)
    assert brush.region(blank, (0.0, 0.0, 90.0, 140.0)) is None
    cut = brush.region(blank, (90.0, 140.0, 101.0, 151.0))
    assert cut is not None
    assert cut.shape == (8, 8)


def test_a_polygon_covers_its_area(blank: Page) -> None:
    where = brush.region(blank, (100.0, 150.0, 160.0, 190.0))
    assert where is not None
    triangle = np.array([[110.0, 160.0], [130.0, 160.0], [110.0, 180.0]])
    mask = brush.polygon_mask(blank, triangle, where)
    perimeter_mm = 40 + np.hypot(20, 20)
    assert 199 < mask.sum() / 255 / 64 < 200 + perimeter_mm * 0.75 / 8  # mm2; OpenCV paints its outline too
    y, x = np.nonzero(mask)
    mean = blank.warp.to_mm([[x.mean(), y.mean()]])[0]
    np.testing.assert_allclose(mean, triangle.mean(0), atol=0.1)


def test_places_are_on_what_is_drawn(blank: Page, flat_page: Page) -> None:
    rng = np.random.default_rng(0)
    for place in (brush.somewhere, brush.beside_a_trace):
        at = np.array([place(blank, rng) for _ in range(100)])
        assert (at >= [100, 140]).all()  # a hand misses the trace by a few mm
        assert (at <= [160, 200]).all()
    bare = replace(flat_page, traces=())
    assert all(0 < v < 280 for v in brush.beside_a_trace(bare, rng))


def test_marks_beside_traces_are_near_one_wherever_there_is_one(flat_page: Page) -> None:
    rng = np.random.default_rng(0)
    at = np.array([brush.beside_a_trace(flat_page, rng) for _ in range(100)])
    off = np.array([np.abs(trace.y_at(at[:, 0]) - at[:, 1]) for trace in flat_page.traces])
    printed = np.isfinite(off).any(0)
    assert printed.mean() > 0.8
    assert (np.nanmin(off[:, printed], axis=0) < 10).all()


def test_as_many_marks_as_fit_the_window(blank: Page, flat_page: Page) -> None:
    rng = np.random.default_rng(0)
    sheet, window = (np.mean([brush.number_of(p, rng, 6.0) for _ in range(300)]) for p in (flat_page, blank))
    assert sheet == pytest.approx(7, abs=0.5)
    assert window == pytest.approx(1 + 6 * 60 * 40 / (279.4 * 215.9), abs=0.2)


def test_turning_is_around_the_origin() -> None:
    np.testing.assert_allclose(brush.turned(np.array([[1.0, 0.0]]), 90.0, (5.0, 6.0)), [[5.0, 7.0]], atol=1e-12)
    assert brush.box_of(np.array([[1.0, 5.0], [3.0, 2.0]]), 0.5) == (0.5, 1.5, 3.5, 5.5)


@pytest.mark.parametrize("sigma", [0.0, 1.5])
def test_grain_has_unit_deviation_and_no_seam(sigma: float) -> None:
    tile = brush.grain_tile(sigma)
    assert tile.mean() == pytest.approx(0, abs=1e-5)
    assert tile.std() == pytest.approx(1, abs=1e-5)
    if sigma:
        seam, inside = np.abs(tile[0] - tile[-1]).mean(), np.abs(np.diff(tile, axis=0)).mean()
        assert seam < 1.3 * inside
    piece = brush.grain(np.random.default_rng(3), (700, 30), sigma)
    np.testing.assert_array_equal(piece[512:], piece[:188])
    with pytest.raises(ValueError, match="read-only"):
        tile[0, 0] = 1


def test_soft_noise_has_the_bumps_that_were_asked_for() -> None:
    noise = brush.soft_noise(np.random.default_rng(0), (60, 600), 30)
    crossings = (np.diff(np.sign(noise - cv2.blur(noise, (1, 1)).mean()), axis=1) != 0).sum(1).mean()
    assert 8 < crossings < 30
    assert 0.4 < noise.std() < 1.4
