from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from ecgdig.dataset.export.shapes import Mask, packed, quad_box, run_lengths, trace_mask
from ecgdig.page import Page, Warp

SHAPE = (9, 7)


@pytest.mark.parametrize(
    "left, top, rows, columns",
    [(0, 0, 9, 7), (2, 3, 4, 3), (0, 2, 7, 7), (3, 0, 5, 4), (0, 0, 9, 2), (5, 0, 9, 2), (1, 1, 1, 1), (0, 0, 0, 0)],
)
@pytest.mark.parametrize("share", [0.0, 0.4, 0.9, 1.0])
def test_run_lengths_are_those_of_pycocotools(left: int, top: int, rows: int, columns: int, share: float) -> None:
    rng = np.random.default_rng(rows * 10 + columns)
    for _ in range(5):
        inside = rng.random((rows, columns)) < share
        whole = np.zeros(SHAPE, np.uint8)
        whole[top : top + rows, left : left + columns] = inside
        theirs = coco_mask.encode(np.asfortranarray(whole))
        counts = run_lengths(Mask(left, top, inside), SHAPE)
        assert counts.sum() == whole.size
        assert packed(counts) == theirs["counts"].decode()


def test_long_runs_are_packed_as_pycocotools_does() -> None:
    whole = np.zeros((3000, 40), np.uint8)
    whole[100:2900, 3:37] = 1
    whole[1500, 10] = 0
    counts = run_lengths(Mask(0, 0, whole.astype(bool)), whole.shape)
    assert packed(counts) == coco_mask.encode(np.asfortranarray(whole))["counts"].decode()


def test_a_mask_is_half_the_ink(flat_page: Page) -> None:
    for i in range(3):
        mask = trace_mask(flat_page, i)
        whole = flat_page.mask(i) > 127
        rows, columns = mask.inside.shape
        np.testing.assert_array_equal(mask.inside, whole[mask.top : mask.top + rows, mask.left : mask.left + columns])
        assert mask.area == whole.sum()
        assert mask.box is not None
        left, top, right, bottom = mask.box
        assert whole[top:bottom, left:right].sum() == whole.sum()
        assert whole[top].any()
        assert whole[:, right - 1].any()


def test_thin_pens_leave_a_mask_and_lines_outside_none(flat_page: Page) -> None:
    thin = replace(flat_page, style=replace(flat_page.style, ink=replace(flat_page.style.ink, width_mm=0.02)))
    assert trace_mask(thin, 0).area > 100
    away = replace(flat_page, warp=Warp.flat(3.0, (-5000.0, 0.0)))
    assert trace_mask(away, 0).box is None


@pytest.mark.parametrize(
    "corners, box",
    [
        ([(1, 1), (3, 1), (3, 2), (1, 2)], (1.5, 1.5, 3.5, 2.5)),
        ([(-9, 1), (3, 1), (3, 99), (-9, 99)], (0, 1.5, 3.5, 9)),  # cut at the edges
        ([(-9, 1), (-3, 1), (-3, 2), (-9, 2)], None),
    ],
)
def test_boxes_are_cut_at_the_picture(corners: list[tuple[int, int]], box: tuple[float, ...] | None) -> None:
    assert quad_box(np.array(corners, float), SHAPE) == box
