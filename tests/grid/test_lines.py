from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ecgdig.degrade.geometry import View, resample
from ecgdig.grid.lines import Raster, _means_along, moved, refine, refine_flat, with_field
from ecgdig.page import PLAIN, Layout, Page, render
from ecgdig.page.strokes import draw_polyline
from ecgdig.page.warp import Displacement, Warp, Waves
from ecgdig.recording import Recording
from ecgdig.units import LARGE_SQUARE_MM
from ecgdig.vectorize import RowReading

BOW = Waves(((0.02, 0.002, 0.4, 0.25, 0.1), (0.004, 0.021, 1.0, -0.1, 0.2)))
SIZE_MM = (279.4, 215.9)


def on_raster(page: Page, pixel_mm: float) -> Page:
    """The page without its grid, with upright 5 mm lines drawn at whole pixels of a raster instead."""
    image = page.image.copy()
    scale = float(page.warp.px_per_mm([[0.0, 0.0]])[0])
    cover = np.zeros(image.shape[:2], np.uint8)
    for k in range(1, int(page.layout.paper.width_mm / LARGE_SQUARE_MM)):
        x = (round(k * LARGE_SQUARE_MM / pixel_mm) * pixel_mm) * scale - 0.5
        draw_polyline(cover, np.array([(x, 0.0), (x, image.shape[0])]), 0.25 * scale, np.ones(2, np.float32))
    image[cover > 100] = np.minimum(image[cover > 100], np.array([200, 90, 90], np.uint8))
    return page.with_image(image)


def readings(page: Page, warp: Warp) -> tuple[RowReading, ...]:
    """The true traces as they are seen through `warp`."""
    rows = []
    for r in range(page.layout.n_rows):
        traces = [t for t in page.traces if t.segment.row == r]
        points = np.concatenate([np.stack([t.x_mm, t.y_mm], 1) for t in traces])
        points = points[np.append(True, np.diff(points[:, 0]) > 1e-6)]  # two leads meet at one x
        at = warp.to_mm(page.warp.to_px(points))
        rows.append(RowReading(at[:, 0], at[:, 1], np.full(len(at), 0.05), np.ones(len(at), np.float32)))
    return tuple(rows)


def error_mm(page: Page, warp: Warp) -> np.ndarray:  # type: ignore[type-arg]
    """rms along x and along y, mm, of the warp at the traces, but for a constant."""
    points = np.concatenate([np.stack([t.x_mm, t.y_mm], 1)[::20] for t in page.traces])
    off = warp.to_mm(page.warp.to_px(points)) - points
    return np.asarray(np.sqrt(((off - off.mean(0)) ** 2).mean(0)))


@pytest.fixture(scope="module")
def clean(smooth: Recording, sheet: Callable[[str], Layout]) -> Page:
    return render(smooth, sheet("3x4+1"), PLAIN, 200, np.random.default_rng(0))


def test_a_bowed_scan_is_straightened(clean: Page) -> None:
    page = resample(clean, [View(paper_stages=(BOW,))], 7.9, 0.0, None)
    flat = with_field(Warp(page.warp.stages[1:]), SIZE_MM)
    assert error_mm(page, flat).max() > 0.1
    better = refine_flat(page.image, flat, readings(page, flat))
    assert error_mm(page, better.warp).max() < 0.02
    assert 0 < better.residual_mm < 0.05


def test_a_flat_page_is_left_alone(clean: Page) -> None:
    flat = with_field(clean.warp, SIZE_MM)
    better = refine_flat(clean.image, flat, readings(clean, flat))
    assert better.warp is flat
    assert better.residual_mm == 0


def test_lines_on_a_raster_do_not_bend_the_page(smooth: Recording, sheet: Callable[[str], Layout]) -> None:
    pixel_mm = 25.4 / 150
    style = replace(PLAIN, grid=replace(PLAIN.grid, kind="none"))
    page = on_raster(render(smooth, sheet("3x4+1"), style, 300, np.random.default_rng(0)), pixel_mm)
    start = with_field(page.warp, SIZE_MM)
    better = refine(page.image, start, readings(page, start))
    assert error_mm(page, better.warp)[0] < 0.015
    # a line is up to half a pixel, 0.085 mm, beside its place: without the raster the page would follow
    k = np.arange(1, 55)
    step = np.round(k * LARGE_SQUARE_MM / pixel_mm) * pixel_mm - k * LARGE_SQUARE_MM
    assert step.std() > 0.04


def test_steps_of_a_raster_are_those_of_rounding() -> None:
    raster = Raster(fraction=0.37, start=0.2, pixel_mm=0.127, explained=1.0)
    k = np.arange(40)
    whole = np.round(39.37 * k + 0.2)
    np.testing.assert_allclose(raster.step_mm(k), (whole - 39.37 * k - 0.2) * 0.127, atol=1e-9)


def test_moved_readings_are_at_the_same_place_in_the_image(clean: Page) -> None:
    old = with_field(clean.warp, SIZE_MM)
    field = old.stages[0]
    assert isinstance(field, Displacement)
    new = Warp((field.plus(np.full(field.shift_mm.shape, 0.3)), *old.stages[1:]))
    before = readings(clean, old)
    after = moved(before, old, new)
    for a, b in zip(before, after, strict=True):
        assert (np.diff(b.x_mm) > 0).all()
        px = old.to_px(np.stack([a.x_mm, a.y_mm], 1))
        np.testing.assert_allclose(new.to_px(np.stack([b.x_mm, b.y_mm], 1)), px, atol=1e-3)


def test_no_traces_no_correction(clean: Page) -> None:
    flat = with_field(clean.warp, SIZE_MM)
    nothing = RowReading(np.arange(5.0), np.full(5, np.nan), np.full(5, np.nan), np.zeros(5, np.float32))
    assert refine(clean.image, flat, [nothing]).warp is flat
    assert refine(clean.image, flat, []).warp is flat


def test_a_warp_without_a_field_is_refused(clean: Page) -> None:
    with pytest.raises(TypeError, match="not a Displacement"):
        refine(clean.image, clean.warp, readings(clean, clean.warp))


def test_spikes_beside_the_lines_do_not_pull_them(smooth: Recording, sheet: Callable[[str], Layout]) -> None:
    layout = sheet("3x4+1")
    time = np.arange(smooth.n_samples) / smooth.fs
    # in every row a spike 0.5 mm right of each upright line, as tall as the space between the rows
    after = (layout.segments[0].x_mm + 25.0 * time - PLAIN.grid.phase_mm[0] - 0.5) % LARGE_SQUARE_MM
    spikes = np.where(np.minimum(after, LARGE_SQUARE_MM - after) < 0.1, 1.5, 0.0).astype(np.float32)
    spiky = replace(smooth, signal_mv=np.broadcast_to(spikes, smooth.signal_mv.shape).copy())
    page = render(spiky, layout, PLAIN, 200, np.random.default_rng(0))
    start = with_field(page.warp, SIZE_MM)
    better = refine(page.image, start, readings(page, start))
    points = np.concatenate([np.stack([t.x_mm, t.y_mm], 1)[::7] for t in page.traces])
    off = better.warp.to_mm(page.warp.to_px(points)) - points
    assert np.abs(np.median(off[:, 0])) < 0.01


@pytest.mark.parametrize("axis", [0, 1])
def test_lines_are_averaged_along_them_only_where_they_are_looked_at(axis: int) -> None:
    values = np.random.default_rng(0).random((150, 190)).astype(np.float32)
    places = np.array([30, 54, 110])  # 2.5 mm at 12 px/mm to either side
    found = _means_along(values, places, axis)
    along = values if axis == 0 else values.T
    np.testing.assert_allclose(found, [along[at - 30 : at + 31].mean(axis=0) for at in places], rtol=1e-5)
