"""Bent, tilted and turned pages: the ink stays where the truth says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgdig.degrade import apply, relief
from ecgdig.degrade.geometry import COARSE_PX, coarse_to_fine, curl, lens, perspective, resample, rotation
from ecgdig.degrade.presets import FILTERS, GEOMETRY
from ecgdig.page import PLAIN, Homography, Layout, Page, Paper, Style, Warp, render
from ecgdig.page.warp import Radial
from ecgdig.recording import Recording

Measure = Callable[[Page], NDArray[np.float64]]
LETTER = Paper(279.4, 215.9)


def rms(errors: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def moved(page: Page, dx: float, dy: float) -> Page:
    return replace(page, warp=page.warp.then(Homography.of([[1, 0, dx], [0, 1, dy], [0, 0, 1]])))


@pytest.mark.parametrize("name", GEOMETRY)
def test_the_ink_stays_on_the_truth_under_each_bend(name: str, flat_page: Page, ink_error: Measure) -> None:
    page = apply(flat_page, {name: 1.0}, np.random.default_rng(2))
    errors = ink_error(page)
    assert errors.size > 1000
    assert rms(errors) < 0.06
    assert np.abs(errors).max() < 0.25
    # a truth that is one pixel off is found out
    assert rms(ink_error(moved(page, 0, 1))) > 0.25
    assert rms(ink_error(moved(page, 1, 0))) > 0.25
    # and the ink has gone somewhere
    nodes = np.stack(np.meshgrid(np.linspace(5, 270, 40), np.linspace(5, 210, 30)), -1)
    assert np.abs(page.warp.to_px(nodes) - flat_page.warp.to_px(nodes)).max() > 1


@pytest.fixture
def evenly_lit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bends without shading, whose sharp edges beside the ink move its centroid and not the ink."""
    monkeypatch.setattr(relief, "shade", lambda page, heights, lamp: page)
    monkeypatch.setattr(relief, "wear", lambda page, heights, strength, rng: page)


@pytest.mark.usefixtures("evenly_lit")
@pytest.mark.parametrize("name", GEOMETRY)
@pytest.mark.parametrize("seed", range(3, 7))
def test_the_truth_of_each_bend_is_exact(name: str, seed: int, flat_page: Page, ink_error: Measure) -> None:
    errors = ink_error(apply(flat_page, {name: 1.0}, np.random.default_rng(seed), dpi=170, margin_mm=8))
    assert rms(errors) < 0.05
    assert np.abs(errors).max() < 0.2


@pytest.mark.usefixtures("evenly_lit")
@pytest.mark.parametrize("seed", range(2))
def test_the_ink_stays_on_the_truth_under_all_bends(seed: int, flat_page: Page, ink_error: Measure) -> None:
    rng = np.random.default_rng(seed)
    page = apply(flat_page, dict.fromkeys(GEOMETRY, 1.0), rng, dpi=170, margin_mm=8, desk=True)
    assert rms(ink_error(page)) < 0.06
    assert rms(ink_error(moved(page, 0, 1))) > 0.25
    assert rms(ink_error(moved(page, 1, 0))) > 0.25


@pytest.mark.parametrize("seed", range(3))
def test_the_ink_stays_on_the_truth_under_all_bends_light_and_cameras(
    seed: int, flat_page: Page, ink_error: Measure
) -> None:
    rng = np.random.default_rng(seed)
    page = apply(flat_page, dict.fromkeys((*GEOMETRY, *FILTERS), 0.5), rng, dpi=170, margin_mm=8, desk=True)
    errors = ink_error(page)
    assert errors.size > 1000
    assert rms(errors) < 0.25
    assert abs(errors.mean()) < 0.03
    assert rms(ink_error(moved(page, -0.7, 0.7))) > 0.25


@pytest.mark.parametrize("name", ["3x4", "3x4+1", "3x4+3", "6x2", "12x1"])
def test_the_ink_of_every_layout_stays_on_the_truth_under_all_of_these(
    name: str, smooth: Recording, bare: Style, sheet: Callable[[str], Layout], ink_error: Measure
) -> None:
    flat = render(smooth, sheet(name), bare, 150, np.random.default_rng(0))
    for names, most in ((GEOMETRY, 0.05), ((*GEOMETRY, *FILTERS), 0.12)):  # noise is sharpened three times
        page = apply(flat, dict.fromkeys(names, 0.5), np.random.default_rng(1), dpi=170, margin_mm=8, desk=True)
        assert rms(ink_error(page)) < most
    for dx, dy in ((1, 0), (0, 1)):
        assert rms(ink_error(moved(page, dx, dy))) > 0.25


@pytest.mark.parametrize("dpi", [101.0, 127.0, 201.0, 400.0])
def test_the_ink_stays_on_the_truth_at_another_resolution(
    dpi: float, smooth: Recording, bare: Style, sheet: Callable[[str], Layout], ink_error: Measure
) -> None:
    page = render(smooth, sheet("3x4"), bare, 300, np.random.default_rng(0), (0.0, 0.0, 279.4, 60.0))
    assert rms(ink_error(apply(page, {}, np.random.default_rng(0), dpi=dpi))) < 0.08


def test_bends_are_as_strong_as_they_say() -> None:
    corners = np.array([[0, 0], [279.4, 0], [279.4, 215.9], [0, 215.9]])
    for seed in range(30):
        (turn,) = rotation(LETTER, 0.5, np.random.default_rng(seed)).image_stages
        x, y = turn.forward(np.array([[100.0, 0.0]]))[0]
        assert abs(np.degrees(np.arctan2(y, x))) <= 6
        (tilt,) = perspective(LETTER, 0.5, np.random.default_rng(seed)).image_stages
        assert np.abs(tilt.forward(corners) - corners).max() <= 0.08 * 215.9 + 1e-3
        (bend,) = curl(LETTER, 0.5, np.random.default_rng(seed)).paper_stages
        assert np.abs(bend.forward(corners) - corners).max() <= 3.0 + 1e-9


@pytest.mark.parametrize("name", GEOMETRY)
def test_without_strength_nothing_moves(name: str) -> None:
    view = GEOMETRY[name](LETTER, 0.0, np.random.default_rng(0))
    at = np.array([[10.0, 20.0], [200.0, 150.0]])
    np.testing.assert_allclose(Warp(view.paper_stages + view.image_stages).to_px(at), at, atol=1e-4)


def test_a_picture_is_turned_by_quarters(flat_page: Page, ink_error: Measure) -> None:
    seen = set()
    for seed in range(12):
        page = apply(flat_page, {"quarter_turn": 1.0}, np.random.default_rng(seed))
        x, y = page.warp.to_px([5.0, 5.0]) / page.shape[::-1]
        seen.add((x < 0.5, y < 0.5))
        assert (page.shape[0] > page.shape[1]) == ((x < 0.5) != (y < 0.5))
        np.testing.assert_array_equal(sorted(page.shape), sorted(flat_page.shape))
    assert seen == {(False, True), (False, False), (True, False)}
    assert rms(ink_error(page)) < 0.06


def test_a_lens_keeps_its_middle_and_moves_the_corners() -> None:
    corners = np.array([[0, 0], [279.4, 0], [279.4, 215.9], [0, 215.9]])
    reached = 0.0
    for seed in range(30):
        (glass,) = lens(LETTER, 0.5, np.random.default_rng(seed)).image_stages
        assert isinstance(glass, Radial)
        np.testing.assert_allclose(glass.forward(np.array([glass.centre])), [glass.centre])
        moved = np.linalg.norm(glass.forward(corners) - corners, axis=1)
        reached = max(reached, float(moved.max()))
    assert 4 < reached < 14


def test_a_crop_cuts_sides_off_and_padding_shows_more(flat_page: Page, ink_error: Measure) -> None:
    height, width = flat_page.shape
    for seed in range(8):
        small = apply(flat_page, {"crop": 1.0}, np.random.default_rng(seed))
        assert small.shape[0] * small.shape[1] < 0.97 * height * width
        assert min(small.shape[0] / height, small.shape[1] / width) > 0.5
        assert rms(ink_error(small)) < 0.06
        large = apply(flat_page, {"padding": 1.0}, np.random.default_rng(seed), desk=True)
        assert large.shape[0] >= height
        assert large.shape[1] >= width
        assert rms(ink_error(large)) < 0.06
    for name in ("crop", "padding"):
        assert apply(flat_page, {name: 0.0}, np.random.default_rng(0)).shape == flat_page.shape


def test_a_margin_shows_the_desk_and_a_negative_one_crops(flat_page: Page) -> None:
    desk = np.full((4, 4, 3), (90, 60, 30), np.uint8)
    wide = resample(flat_page, [], 4.0, 10.0, desk)
    assert wide.shape == (round((215.9 + 20) * 4), round((279.4 + 20) * 4))
    assert (wide.image[:35, :] == (90, 60, 30)).all()
    assert (wide.image[-35:, :] == (90, 60, 30)).all()
    np.testing.assert_allclose(wide.warp.to_px([0.0, 0.0]), [39.5, 39.5])
    assert wide.image[60, 60].min() > 250
    beside = resample(flat_page, [], 4.0, 10.0, None)
    assert (beside.image[:35] == 255).all()
    narrow = resample(flat_page, [], 4.0, -10.0, desk)
    assert narrow.shape == (round((215.9 - 20) * 4), round((279.4 - 20) * 4))
    np.testing.assert_allclose(narrow.warp.to_mm([-0.5, -0.5]), [10.0, 10.0], atol=1e-6)


@pytest.mark.usefixtures("evenly_lit")
def test_a_window_is_bent_like_the_whole_page(
    smooth: Recording, bare: Style, sheet: Callable[[str], Layout], ink_error: Measure
) -> None:
    box = (40.0, 30.0, 140.0, 120.0)
    window = render(smooth, sheet("3x4+1"), bare, 150, np.random.default_rng(0), box)
    page = apply(window, dict.fromkeys(GEOMETRY, 1.0), np.random.default_rng(1), margin_mm=9, desk=True)
    assert rms(ink_error(page)) < 0.06
    # all of the window is seen, and no margin around it
    corners = page.warp.to_px([[40, 30], [140, 30], [140, 120], [40, 120]])
    assert (corners.min(0) > -3).all()
    assert (corners.max(0) < np.array(page.shape[::-1]) + 3).all()


def test_coarse_fields_are_interpolated_between_their_knots() -> None:
    y, x = np.mgrid[0 : 64 + 2 * COARSE_PX : COARSE_PX, 0 : 90 + 2 * COARSE_PX : COARSE_PX].astype(np.float32)
    fine = coarse_to_fine(np.stack([2 * x + y, x - 3 * y], -1), COARSE_PX, (64, 90))
    yy, xx = np.mgrid[0:64, 0:90]
    np.testing.assert_allclose(fine, np.stack([2 * xx + yy, xx - 3 * yy], -1), atol=1e-3)


def test_a_picture_of_much_desk_has_no_more_pixels_than_a_phone(
    recording: Recording, sheet: Callable[[str], Layout]
) -> None:
    page = render(recording, sheet("3x4"), PLAIN, 300, np.random.default_rng(0))  # 8.4 megapixels
    wide = apply(page, {"padding": 0.0}, np.random.default_rng(0), margin_mm=60, desk=True)
    assert wide.shape[0] * wide.shape[1] == pytest.approx(12.2e6, rel=1e-3)
    at = np.array([[100.0, 100.0], [200.0, 100.0]])
    assert np.ptp(wide.warp.to_px(at)[:, 0]) / 100 == pytest.approx(wide.shape[1] / (279.4 + 120), rel=1e-3)
    near = apply(page, {"padding": 0.0}, np.random.default_rng(0), margin_mm=10, desk=True)
    assert float(near.warp.px_per_mm([[100.0, 100.0]])[0]) == pytest.approx(300 / 25.4)
