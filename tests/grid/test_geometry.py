from __future__ import annotations

import numpy as np
import pytest
from patient_pages import page_of

from ecgdig.degrade import apply
from ecgdig.grid import geometry
from ecgdig.grid.flat import GeometryError
from ecgdig.grid.geometry import believed, find_geometry, misfit, turned
from ecgdig.grid.overview import overview
from ecgdig.page import Page, Warp
from ecgdig.page.warp import Homography
from ecgdig.units import LARGE_SQUARE_MM


def laid(page: Page, degrees: float) -> Page:
    """The page in an image turned anticlockwise."""
    image, back = turned(page.image, np.radians(degrees))
    return page.with_image(image, page.warp.then(Homography.of(np.linalg.inv(back.array))))


def off_mm(page: Page, warp: Warp) -> float:
    """95th percentile of the distance from the true millimetres along the traces, but for whole squares."""
    points = np.concatenate([np.stack([t.x_mm, t.y_mm], 1)[::20] for t in page.traces])
    found = warp.to_mm(page.warp.to_px(points)) - (points - np.array(page.style.grid.phase_mm))
    found -= np.round(np.median(found, axis=0) / LARGE_SQUARE_MM) * LARGE_SQUARE_MM
    return float(np.percentile(np.abs(found), 95))


@pytest.mark.parametrize("degrees", [0.0, 25.0, -38.0])
def test_a_flat_page_is_found_in_any_direction(degrees: float) -> None:
    page = laid(page_of("3x4+1"), degrees)
    found = find_geometry(page.image)
    assert off_mm(page, found.warp) < 0.05
    assert np.abs(found.upright.to_mm(found.upright.to_px([[50.0, 60.0]])) - [50, 60]).max() < 1e-6


@pytest.mark.parametrize("degrees", [4.0, 30.0])
def test_so_is_a_photo(degrees: float) -> None:
    seen = {"perspective": 0.6, "curl": 0.5, "folds": 0.5, "gradient": 0.6}
    page = apply(page_of("3x4+1", dpi=150), seen, np.random.default_rng(5), dpi=150, margin_mm=20, desk=True)
    page = laid(page, degrees)
    found = find_geometry(page.image)
    assert not found.flat
    assert off_mm(page, found.warp) < 0.3


def test_a_warp_of_another_scale_or_direction_is_told() -> None:
    page = page_of("3x4+1")
    seen = overview(page.image)
    assert believed(seen)
    right = misfit(page.warp, seen)
    assert right < 0.5
    assert misfit(page.warp.after(Homography.scale(0.5)), seen) > 2
    assert misfit(laid(page, 15.0).warp, seen) > right + 1


def test_a_wrong_flat_grid_gives_way_to_one_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    page = page_of("3x4+1", dpi=150)
    right = find_geometry(page.image)
    assert right.flat

    class Wrong:
        def warp(self) -> Warp:
            return page.warp.after(Homography.scale(0.5))

    monkeypatch.setattr(geometry, "FlatGrid", Wrong)
    monkeypatch.setattr(geometry, "find_grid", lambda image: Wrong())
    found = find_geometry(page.image)
    assert not found.flat
    assert off_mm(page, found.warp) < 0.1


def test_a_picture_without_a_grid_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(GeometryError, match="no printed ECG grid found"):
        find_geometry(rng.integers(0, 255, (600, 800, 3)).astype(np.uint8))
