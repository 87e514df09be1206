from __future__ import annotations

import cv2
import numpy as np
import pytest

from ecgdig.page import Homography, Warp, Waves
from ecgdig.page.warp import Displacement, Radial, Stage

TILT = Homography.of([[0.9, 0.1, 3.0], [-0.08, 1.1, -2.0], [2e-4, -1e-4, 1.0]])
BEND = Waves(((0.02, 0.01, 0.3, 4.0, 2.0), (-0.05, 0.03, 1.0, 1.0, -3.0)))
SCALE = Homography.scale(5.9, (4.0, -2.0))
FIELD = Displacement(np.random.default_rng(1).normal(0, 0.6, (24, 31, 2)), 10.0)


@pytest.fixture
def points_mm() -> np.ndarray:
    return np.random.default_rng(0).uniform([0, 0], [280, 216], (500, 2))


@pytest.mark.parametrize(
    "stages",
    [(), (SCALE,), (TILT,), (BEND,), (FIELD,), (BEND, TILT, SCALE), (TILT, BEND, BEND, SCALE), (FIELD, TILT)],
    ids=["none", "scale", "homography", "waves", "field", "bent-tilted-scaled", "four", "field-tilted"],
)
def test_there_and_back_is_where_it_began(stages: tuple[Stage, ...], points_mm: np.ndarray) -> None:
    warp = Warp(stages)
    np.testing.assert_allclose(warp.to_mm(warp.to_px(points_mm)), points_mm, atol=1e-6)
    np.testing.assert_allclose(warp.to_px(warp.to_mm(points_mm)), points_mm, atol=1e-5)


def test_a_homography_is_opencvs(points_mm: np.ndarray) -> None:
    theirs = cv2.perspectiveTransform(points_mm[None], TILT.array)[0]
    np.testing.assert_allclose(TILT.forward(points_mm), theirs, atol=1e-9)


def test_stages_are_applied_first_to_last(points_mm: np.ndarray) -> None:
    by_hand = SCALE.forward(TILT.forward(BEND.forward(points_mm)))
    np.testing.assert_array_equal(Warp((BEND, TILT, SCALE)).to_px(points_mm), by_hand)
    np.testing.assert_array_equal(Warp((TILT,)).then(SCALE).after(BEND).to_px(points_mm), by_hand)


def test_a_flat_page_begins_at_the_corner_of_its_first_pixel() -> None:
    warp = Warp.flat(8.0, (10.0, 20.0))
    np.testing.assert_allclose(warp.to_px([[10.0, 20.0], [11.0, 20.5]]), [[-0.5, -0.5], [7.5, 3.5]])


def test_waves_move_points_by_the_sum_of_their_sines() -> None:
    at = np.array([[7.0, 11.0]])
    expected = at + np.sin(0.14 + 0.11 + 0.3) * np.array([4.0, 2.0])
    expected = expected + np.sin(-0.35 + 0.33 + 1.0) * np.array([1.0, -3.0])
    np.testing.assert_allclose(BEND.forward(at), expected)


def test_waves_that_fold_the_paper_are_refused() -> None:
    Waves(((0.1, 0.0, 0.0, 8.9, 0.0),))
    with pytest.raises(ValueError, match=r"steepness 0\.92"):
        Waves(((0.1, 0.0, 0.0, 5.2, 0.0), (0.0, 0.1, 0.0, 0.0, 4.0)))


@pytest.mark.parametrize("matrix", [np.zeros((3, 3)), np.eye(2), np.full((3, 3), np.nan)])
def test_matrices_that_cannot_be_undone_are_refused(matrix: np.ndarray) -> None:
    with pytest.raises(ValueError, match="invertible 3x3"):
        Homography.of(matrix)


def test_the_mm_field_is_to_mm_of_every_pixel() -> None:
    warp = Warp((BEND, TILT, Homography.scale(2.0)))
    field = warp.mm_field((40, 60))
    assert field.shape == (40, 60, 2)
    assert field.dtype == np.float32
    for y, x in ((0, 0), (39, 59), (17, 31)):
        np.testing.assert_allclose(field[y, x], warp.to_mm([x, y]), atol=1e-4)
    np.testing.assert_allclose(warp.mm_field((40, 60), step=7), field[::7, ::7], rtol=0, atol=1e-6)


def test_the_scale_is_the_root_of_the_area_ratio() -> None:
    assert Warp.flat(6.0).px_per_mm([[3.0, 4.0]]) == pytest.approx([6.0])
    stretched = Warp((Homography.of(np.diag([2.0, 8.0, 1.0])),))
    assert stretched.px_per_mm(np.zeros((2, 3, 2))) == pytest.approx(np.full((2, 3), 4.0))


def test_points_keep_their_shape_and_gaps() -> None:
    warp = Warp((BEND, SCALE))
    assert warp.to_px(np.zeros((3, 4, 2))).shape == (3, 4, 2)
    assert warp.to_mm([1.0, 2.0]).shape == (2,)
    there = warp.to_px([[1.0, 2.0], [np.nan, 2.0]])
    assert np.isfinite(there[0]).all()
    assert np.isnan(there[1]).any()
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        warp.to_px([1.0, 2.0, 3.0])


def test_a_field_of_shifts_is_bilinear_and_goes_on_beyond_its_nodes() -> None:
    shift = np.zeros((2, 3, 2))
    shift[0, 1] = (1.0, -2.0)
    field = Displacement(shift, 4.0)
    at = np.array([[4.0, 0.0], [2.0, 0.0], [4.0, 1.0], [4.0, -50.0], [99.0, 0.0]])
    moved = np.array([[1.0, -2.0], [0.5, -1.0], [0.75, -1.5], [1.0, -2.0], [0.0, 0.0]])
    np.testing.assert_allclose(field.forward(at) - at, moved, atol=1e-6)


def test_a_field_through_points_is_their_local_mean() -> None:
    rng = np.random.default_rng(0)
    at = rng.uniform(0, 100, (400, 2))
    field = Displacement.through(at, np.stack([0.02 * at[:, 0], -0.01 * at[:, 1]], 1), (100, 100), 5.0, 6.0)
    inside = rng.uniform(20, 80, (50, 2))
    np.testing.assert_allclose(field.forward(inside) - inside, inside * [0.02, -0.01], atol=0.12)


def test_fields_add_up(points_mm: np.ndarray) -> None:
    step = np.array([0.3, -0.2])
    both = FIELD.plus(np.full((24, 31, 2), step))
    nodes = np.array([[50.0, 60.0], [110.0, 20.0]])
    np.testing.assert_allclose(both.forward(nodes), FIELD.forward(nodes + step), atol=1e-9)


@pytest.mark.parametrize("k", [-0.11, -0.03, 0.0, 0.06, 0.11])
def test_a_lens_follows_its_cubic_and_can_be_undone(k: float) -> None:
    lens = Radial((140.0, 100.0), 170.0, k)
    at = np.random.default_rng(0).uniform(-300, 500, (500, 2))
    np.testing.assert_allclose(lens.inverse(lens.forward(at)), at, atol=1e-5)
    np.testing.assert_allclose(
        lens.forward(np.array([[140.0, 100.0], [310.0, 100.0]])), [[140, 100], [310 + 170 * k, 100]]
    )
    assert (np.diff(lens.forward(np.stack([np.linspace(140, 900, 99), np.full(99, 100.0)], 1))[:, 0]) > 0).all()


def test_a_lens_that_folds_the_picture_is_refused() -> None:
    with pytest.raises(ValueError, match=r"k = -0\.2"):
        Radial((0.0, 0.0), 100.0, -0.2)


def test_fields_of_equal_shifts_are_equal() -> None:
    again = Displacement(FIELD.shift_mm.copy(), 10.0)
    assert again == FIELD
    assert Displacement(FIELD.shift_mm + 1e-9, 10.0) != FIELD
    assert Displacement(FIELD.shift_mm, 9.0) != FIELD
    assert FIELD != BEND
