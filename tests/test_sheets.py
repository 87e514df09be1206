from dataclasses import replace

import cv2
import numpy as np
import pytest
from patient_pages import page_of, patient

from ecgdig.locate.sheet import MAPS
from ecgdig.page import render
from ecgdig.sheets import SheetDataset, crop_affine, crop_picture, crop_truth
from ecgdig.sources import Simulator

PRESETS = {"clean": 1.0, "photo": 1.0}


def pages(seed: int = 0) -> SheetDataset:
    return SheetDataset(Simulator(6, seed=seed, duration_s=10.0), (96, 160), 2, PRESETS, seed, 20)


def test_an_item_is_the_same_for_the_same_seed_and_index():
    a, b, other = pages()[3], pages()[3], pages(1)[3]
    assert a["image"].shape == (2, 3, 96, 160)
    assert a["maps"].shape == (2, len(MAPS), 48, 80)
    assert all(np.array_equal(a[name], b[name]) for name in a)
    assert not np.array_equal(a["image"], other["image"])


@pytest.mark.parametrize("turns", range(4))
def test_the_truth_lies_on_the_ink_however_the_page_is_turned(turns):
    drawn = page_of("3x4+1")
    style = replace(drawn.style, grid=replace(drawn.style.grid, kind="none"))
    page = render(patient(), drawn.layout, style, 150, np.random.default_rng(0))
    shape = (1024, 1024)
    for seed in range(20):
        affine = crop_affine(np.random.default_rng(seed), page, shape, turns)
        truth = crop_truth(page, affine, shape)
        trace = truth[MAPS.index("trace")] > 0
        if trace.sum() > 2000:
            break
    picture = crop_picture(page.image, page.warp, affine, shape)
    dark = picture.min(axis=2).reshape(512, 2, 512, 2).min(axis=(1, 3))  # of a cell
    assert (cv2.erode(dark, np.ones((3, 3)))[trace] < 160).mean() > 0.98  # the pen is drawn wider than it is
    words = truth[[MAPS.index("pulse"), MAPS.index("name")]].any(axis=0)
    assert (dark[~trace & ~words] < 160).mean() < 0.01


def test_rows_begin_at_seams_and_stop_at_ends():
    page = page_of("3x4+1")
    truth = crop_truth(page, np.diag([0.5, 0.5, 1.0]), (480, 640))  # 1 mm a cell
    segments = page.layout.segments
    for s in segments:
        y, x = round(s.baseline_mm), round(s.x_mm)
        assert truth[MAPS.index("seam"), y, x]
        assert truth[MAPS.index("row"), y, x + 2 : round(s.end_mm) - 1].all()
    ends = truth[MAPS.index("end")].any(axis=0).nonzero()[0]
    assert abs(ends - max(s.end_mm for s in segments)).max() <= 1


def test_crops_of_an_odd_size_are_refused():
    with pytest.raises(ValueError, match="100 x 160 px"):
        SheetDataset(Simulator(2), (100, 160), 1, PRESETS, 0, 2)
