from __future__ import annotations

import numpy as np
import pytest
from patient_pages import page_of

from ecgdig.grid.offsets import NODE_MM, _at_nodes, _free_of_ink, _harmonics, _smooth, locked_in, matched
from ecgdig.page.warp import Displacement, Homography, Warp

SIZE_MM = np.array([270.0, 180.0])


def setting(shift: tuple[float, float]) -> tuple[np.ndarray, Warp, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """A page, a warp that has its lines off by a smooth field, the nodes, and where to judge."""
    page = page_of("3x4+1", dpi=150)
    origin = Homography.of([[1, 0, page.style.grid.phase_mm[0]], [0, 1, page.style.grid.phase_mm[1]], [0, 0, 1]])
    y, x = np.mgrid[0 : SIZE_MM[1] + NODE_MM : NODE_MM, 0 : SIZE_MM[0] + NODE_MM : NODE_MM]
    bend = np.stack([shift[0] * np.sin(x / 40), shift[1] * np.cos(y / 35)], -1)
    warp = page.warp.after(Displacement(bend, NODE_MM), origin)
    near = np.zeros(x.shape, bool)
    near[8:-8, 8:-8] = True
    return page.image, warp, bend, near


@pytest.mark.parametrize("shift", [(0.3, -0.2), (0.6, 0.5)])
def test_combs_find_a_field_that_is_off_by_more_than_half_a_square(shift: tuple[float, float]) -> None:
    image, warp, bend, near = setting(shift)
    off = (matched(image, warp, SIZE_MM, near) + bend)[near]
    off -= np.round(np.median(off, axis=0))
    assert np.percentile(np.abs(off), 95) < 0.12
    assert np.median(np.abs(off)) < 0.04


def test_lock_in_is_exact_near_the_lines() -> None:
    image, warp, bend, near = setting((0.15, -0.1))
    change, weight = locked_in(image, warp, SIZE_MM, near, 5, (4.0, 3.0))
    assert weight[near].mean() > 0.9
    assert (weight[~near] == 0).all()
    assert np.percentile(np.abs(change + bend)[near], 95) < 0.03


def test_sums_of_cells_are_the_sums_of_pixels() -> None:
    lines = np.random.default_rng(0).random((130, 250)).astype(np.float32)
    nodes, step = (11, 21), 12
    found = _harmonics(lines, (1.5, 1.0), step, nodes)
    x = (np.arange(250) + 0.5) / 6
    for n in (1, 4, 12):
        wave = np.exp(-2j * np.pi * n * x / 5)
        real, imag = (
            _smooth(lines * part.astype(np.float32), (1.5, 1.0), step, nodes) for part in (wave.real, wave.imag)
        )
        inner = np.s_[2:-2, 2:-3]
        np.testing.assert_allclose(found[n - 1][inner], (real + 1j * imag)[inner], atol=0.02)


def test_cells_lie_between_nodes() -> None:
    cells = np.add.outer(2.0 * np.arange(30), np.arange(40.0)).astype(np.float32)
    np.testing.assert_allclose(_at_nodes(cells, (1.0, 1.0), (30, 40))[8:-8, 8:-8], cells[8:-8, 8:-8] - 1.5, atol=1e-3)


def test_traces_and_words_are_left_out_and_lines_are_not() -> None:
    page = page_of("3x4+1", dpi=152.4)  # 6 px a mm
    free = _free_of_ink(page.image) > 0
    on = np.zeros(free.shape, bool)
    for trace in page.traces:
        px = np.round(page.warp.to_px(np.stack([trace.x_mm, trace.y_mm], 1))).astype(int)
        on[px[:, 1], px[:, 0]] = True
    assert free[on].mean() < 0.1
    assert free[-60:, 300:1200].mean() > 0.95  # grid alone
