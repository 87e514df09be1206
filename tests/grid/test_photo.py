from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from ecgdig.degrade import apply
from ecgdig.degrade.geometry import View, resample
from ecgdig.grid.flat import GeometryError
from ecgdig.grid.overview import Overview
from ecgdig.grid.photo import _strays, find_photo_grid
from ecgdig.page import PLAIN, Layout, Page, render
from ecgdig.page.warp import Homography, Waves
from ecgdig.recording import Recording
from ecgdig.units import LARGE_SQUARE_MM


@pytest.fixture(scope="module")
def clean(smooth: Recording, sheet: Callable[[str], Layout]) -> Page:
    return render(smooth, sheet("3x4+1"), PLAIN, 170, np.random.default_rng(0))


def photographed(page: Page, turn_deg: float, lean: float, waves: tuple[tuple[float, ...], ...], fold: float) -> Page:
    """Seen from the side, curled by `waves`, with a fold of `fold` mm along x."""
    paper = page.layout.paper
    corners = np.array([[0, 0], [paper.width_mm, 0], [paper.width_mm, paper.height_mm], [0, paper.height_mm]])
    seen = corners + lean * np.array([[14.0, 9], [-6, 0], [10, -12], [-4, 8]])
    c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    tilt = cv2.getPerspectiveTransform(corners.astype(np.float32), seen.astype(np.float32))
    bends = [Waves(waves)] if waves else []  # type: ignore[arg-type]
    if fold:  # a steep wave across the page: the paper shifts by twice `fold` within 12 mm
        bends.append(Waves(((2 * np.pi / 300, 0.0, -2 * np.pi * 150 / 300, 0.0, fold),)))
    turned = Homography.of([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    view = View(tuple(bends), (Homography.of(tilt), turned))
    return resample(page, [view], 6.7, 12.0, np.full((64, 64, 3), 70, np.uint8))


def errors_mm(page: Page) -> np.ndarray:  # type: ignore[type-arg]
    """Distance in mm of the found from the true geometry along the traces, but for whole squares: `(n, 2)`."""
    grid = find_photo_grid(page.image)
    points = np.concatenate([np.stack([t.x_mm, t.y_mm], 1)[::40] for t in page.traces])
    found = grid.warp.to_mm(page.warp.to_px(points))
    off = found - (points - np.array(page.style.grid.phase_mm))
    return off - np.round(np.median(off, axis=0) / LARGE_SQUARE_MM) * LARGE_SQUARE_MM


CURL = ((0.02, 0.004, 0.7, 1.2, 1.6), (-0.006, 0.03, 2.1, -1.0, 0.8))


@pytest.mark.parametrize(
    ("turn", "lean", "waves", "fold"),
    [(0.0, 1.0, (), 0.0), (17.0, 1.0, (), 0.0), (-4.0, 0.5, CURL, 0.0), (6.0, 1.0, CURL, 2.0)],
    ids=["perspective", "turned", "curl", "all"],
)
def test_a_known_warp_is_recovered(
    clean: Page, turn: float, lean: float, waves: tuple[tuple[float, ...], ...], fold: float
) -> None:
    off = errors_mm(photographed(clean, turn, lean, waves, fold))
    assert np.sqrt((off**2).mean(0)).max() < 0.1
    assert np.abs(off).max() < 0.4


def test_light_noise_and_jpeg_do_not_move_it(clean: Page) -> None:
    page = photographed(clean, 5.0, 1.0, CURL, 0.0)
    page = apply(page, {"shadow": 0.7, "gradient": 0.8, "noise": 0.5, "jpeg": 0.5}, np.random.default_rng(3))
    assert np.sqrt((errors_mm(page) ** 2).mean(0)).max() < 0.15


def test_five_millimetre_lines_alone_suffice(smooth: Recording, sheet: Callable[[str], Layout]) -> None:
    style = replace(PLAIN, grid=replace(PLAIN.grid, kind="major-only"))
    page = render(smooth, sheet("3x4+1"), style, 170, np.random.default_rng(0))
    off = errors_mm(photographed(page, 8.0, 1.0, CURL, 0.0))
    assert np.sqrt((off**2).mean(0)).max() < 0.15


def test_the_upright_page_is_the_page(clean: Page) -> None:
    page = photographed(clean, 10.0, 1.0, CURL, 0.0)
    grid = find_photo_grid(page.image)
    upright, warp = grid.upright(page.image, 5.0)
    assert upright.shape[:2] == (round(grid.size_mm[1] * 5), round(grid.size_mm[0] * 5))
    # the trace is dark where the warps say it is
    trace = page.traces[0]
    on_page = grid.warp.to_mm(page.warp.to_px(np.stack([trace.x_mm, trace.y_mm], 1)[50:-50:20]))
    x, y = np.round(warp.to_px(on_page)).astype(int).T
    assert upright[y, x].mean() < 110
    assert upright[y - 12, x].mean() > 180


@pytest.mark.parametrize("kind", ["blank", "noise", "tiny", "stripes"])
def test_no_grid_is_refused(kind: str) -> None:
    rng = np.random.default_rng(0)
    image = np.full((900, 1200, 3), 245, np.uint8)
    if kind == "noise":
        image = rng.integers(0, 255, image.shape, np.uint8)
    if kind == "tiny":
        image = image[:100, :100]
    if kind == "stripes":
        image[:, ::12] = 30
    with pytest.raises(GeometryError):
        find_photo_grid(image)


def overview_of(page: Page, px_per_mm: float, angle_rad: float, sure: float = 1.0) -> Overview:
    """A glance that saw one scale and one direction all over an image."""
    cells = np.ones((page.shape[0] // 32, page.shape[1] // 32), np.float32)
    zero = 0 * cells
    return Overview(32.0, cells, px_per_mm * cells, sure * cells, zero, zero, angle_rad * cells)


def test_a_glance_that_saw_nothing_changes_nothing(clean: Page) -> None:
    page = photographed(clean, 3.0, 0.6, (), 0.0)
    alone, aided = find_photo_grid(page.image), find_photo_grid(page.image, overview_of(page, 3.0, 0.3, sure=0.1))
    at = [[60.0, 60.0], [180.0, 120.0]]
    np.testing.assert_array_equal(alone.warp.to_px(at), aided.warp.to_px(at))


def test_lines_of_another_pitch_than_was_seen_are_not_followed(clean: Page) -> None:
    page = photographed(clean, 3.0, 0.6, (), 0.0)
    find_photo_grid(page.image, overview_of(page, 6.7, 0.05))
    with pytest.raises(GeometryError):  # 5 mm lines there would be 1.7 times as far apart
        find_photo_grid(page.image, overview_of(page, 11.5, 0.05))


def test_wave_vectors_stray_by_a_fifth() -> None:
    k = np.array([[0.03, 0.001], [-0.001, 0.03]])
    assert not _strays(1.15 * k, k)
    assert _strays(1.25 * k, k)
    assert _strays(k[::-1], k)
    assert not _strays(k, np.full((2, 2), np.nan))  # nothing is known there
