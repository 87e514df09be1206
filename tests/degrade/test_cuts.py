from __future__ import annotations

import cv2
import numpy as np
import pytest

from ecgdig.degrade.cuts import finger, holes, torn
from ecgdig.degrade.geometry import resample
from ecgdig.degrade.noted import Noting
from ecgdig.page import Page

DESK = np.full((8, 8, 3), (90, 60, 30), np.uint8)


def lattice_mm(page: Page, step: int) -> np.ndarray:
    y, x = np.mgrid[0 : page.shape[0] : step, 0 : page.shape[1] : step]
    return page.warp.to_mm(np.stack([x, y], -1).reshape(-1, 2).astype(float)).reshape(*x.shape, 2)


@pytest.mark.parametrize("cut", [holes, torn, finger])
def test_without_strength_nothing_is_missing(cut, flat_page: Page) -> None:
    assert cut(flat_page, DESK, 0.0, np.random.default_rng(0)) is flat_page


@pytest.mark.parametrize("cut", [holes, torn])
def test_through_a_hole_the_desk_is_seen(cut, flat_page: Page) -> None:
    mm = lattice_mm(flat_page, 2)
    shown = 0
    for seed in range(6):
        page = cut(flat_page, DESK, 1.0, np.random.default_rng(seed))
        wooden = (np.abs(page.image[::2, ::2].astype(int) - DESK[0, 0]).max(-1) < 3) & (mm > 0).all(-1)
        assert page.hides(mm)[wooden].mean() > 0.95
        shown += wooden.sum()
    assert shown > 500


@pytest.mark.parametrize("seed", range(6))
def test_holes_are_round_and_where_they_were_drawn(seed: int, flat_page: Page) -> None:
    rng = Noting(np.random.default_rng(seed)).of("h")
    page = holes(flat_page, DESK, 1.0, rng)
    mm = lattice_mm(page, 1)
    places = (rng.noted()[f"h.{key}"] for key in ("x_mm", "y_mm", "radius_mm"))
    away = [np.hypot(mm[..., 0] - x, mm[..., 1] - y) - r for x, y, r in zip(*places, strict=True)]  # type: ignore[operator]
    edge = np.minimum.reduce(away)
    assert (page.image[edge < -0.3] == DESK[0, 0]).all()
    np.testing.assert_array_equal(page.image[edge > 2.5], flat_page.image[edge > 2.5])
    assert page.hides(mm[edge < -0.4]).all()
    assert not page.hides(mm[edge > 0.4]).any()


def test_samples_in_a_hole_are_hidden_and_others_are_not(flat_page: Page) -> None:
    hidden = 0
    for seed in range(20):
        page = holes(flat_page, DESK, 1.0, np.random.default_rng(seed))
        for i in range(len(page.traces)):
            x, y = page.polyline_px(i).round().astype(int).T
            wooden = np.abs(page.image[y, x].astype(int) - DESK[0, 0]).max(-1) < 3
            covered = page.hidden(i)
            if wooden.any():
                assert covered[wooden].mean() > 0.9
            hidden += covered.sum()
    assert hidden > 100


def test_a_torn_off_corner_is_as_large_as_was_drawn(flat_page: Page) -> None:
    mm = lattice_mm(flat_page, 3)
    kinds = set()
    for seed in range(8):
        rng = Noting(np.random.default_rng(seed)).of("t")
        gone = torn(flat_page, DESK, 1.0, rng).hides(mm)
        told = rng.noted()
        kinds.add(told["t.kind"])
        area, size = gone.mean() * 279.4 * 215.9, float(told["t.size_mm"][0])
        most = 0.5 * 1.4**2 if told["t.kind"] == ("corner",) else 0.8
        assert 0.05 * size**2 < area < 1.4 * most * size**2
        y, x = np.nonzero(gone)
        assert min(x.min(), y.min()) == 0 or x.max() == mm.shape[1] - 1 or y.max() == mm.shape[0] - 1
    assert len(kinds) == 2


@pytest.mark.parametrize("seed", range(4))
def test_a_finger_hides_the_edge_it_comes_from(seed: int, flat_page: Page) -> None:
    rng = Noting(np.random.default_rng(seed)).of("f")
    page = finger(flat_page, None, 1.0, rng)
    changed = (page.image != flat_page.image).any(-1)
    (side,) = rng.noted()["f.side"]
    edge = {"top": changed[0], "bottom": changed[-1], "left": changed[:, 0], "right": changed[:, -1]}[str(side)]
    assert edge.any()
    y, x = np.nonzero(changed)
    hidden = page.hides(page.warp.to_mm(np.stack([x, y], 1).astype(float)))
    assert 0.2 < hidden.mean() < 1  # the rest is its shadow
    depth = {"top": y, "bottom": page.shape[0] - 1 - y, "left": x, "right": page.shape[1] - 1 - x}[str(side)]
    reach = float(rng.noted()["f.reach_mm"][0]) + float(rng.noted()["f.width_mm"][0]) / 2
    assert depth[hidden].max() / (150 / 25.4) <= reach + 0.5


def test_the_desk_in_a_tear_is_the_desk_around(flat_page: Page) -> None:
    desk = np.random.default_rng(0).integers(0, 200, (16, 16, 3)).astype(np.uint8)
    wide = resample(flat_page, [], 5.0, 8.0, desk)
    whole = cv2.resize(desk, wide.shape[::-1], interpolation=cv2.INTER_LINEAR)
    mm = lattice_mm(wide, 3).reshape(-1, 2)
    for seed in range(4):
        page = torn(wide, desk, 1.0, np.random.default_rng(seed))
        # well inside what is hidden: its rim is fibres, 1.5 mm at most
        steps = [(2.2 * x, 2.2 * y) for x in (-1, 0, 1) for y in (-1, 0, 1)]
        gone = np.all([page.hides(mm + step) for step in steps], axis=0) & (mm > 1).all(-1)
        here = np.abs(page.image[::3, ::3].astype(int) - whole[::3, ::3]).max(-1).ravel()[gone]
        assert (here <= 2).mean() > 0.97


def test_the_fibres_of_a_tear_are_on_the_sheet_and_hide_what_they_cover(flat_page: Page) -> None:
    grey = flat_page.with_image((flat_page.image * 0.5).astype(np.uint8))
    around = resample(grey, [], 150 / 25.4, 15.0, DESK)
    for seed in range(6):
        page = torn(around, DESK, 1.0, np.random.default_rng(seed))
        mm = lattice_mm(page, 1)
        paper = page.layout.paper
        outside = ((mm < -0.5) | (mm > [paper.width_mm + 0.5, paper.height_mm + 0.5])).any(-1)
        assert page.image[outside].max() < 115  # the desk's own, no fibres
        inside = ((mm > 1) & (mm < [paper.width_mm - 1, paper.height_mm - 1])).all(-1)
        brighter = ((page.image.astype(int) - around.image).min(-1) > 10) & (around.image.min(-1) > 110)  # of paper
        assert page.image[inside].max() < 155  # no brighter than a grey sheet can be
        if (brighter & inside).any():
            assert page.hides(mm[brighter & inside]).mean() > 0.9
