from __future__ import annotations

import numpy as np
import pytest

from ecgdig.degrade import stains
from ecgdig.degrade.noted import Noting
from ecgdig.page import Page

ALL = ("coffee", "soaked", "mould")


def distance_mm(page: Page, x_mm: float, y_mm: float) -> np.ndarray:
    """From every pixel to a place on the paper, `(H, W)`."""
    y, x = np.mgrid[0 : page.shape[0], 0 : page.shape[1]].astype(float)
    mm = page.warp.to_mm(np.stack([x, y], -1).reshape(-1, 2)).reshape(*page.shape, 2)
    return np.asarray(np.hypot(mm[..., 0] - x_mm, mm[..., 1] - y_mm))


@pytest.mark.parametrize("name", ALL)
def test_without_strength_the_paper_is_clean(name: str, blank: Page) -> None:
    assert getattr(stains, name)(blank, 0.0, np.random.default_rng(0)) is blank


@pytest.mark.parametrize("name", ALL)
def test_stains_darken_and_hide_nothing(name: str, blank: Page) -> None:
    for seed in range(5):
        page = getattr(stains, name)(blank, 1.0, np.random.default_rng(seed))
        assert (page.image <= blank.image).all()
        assert page.cover is None
        assert page.image.max() > 200 or name == "soaked"


def test_coffee_is_brown(blank: Page) -> None:
    means = []
    for seed in range(12):
        image = stains.coffee(blank, 1.0, np.random.default_rng(seed)).image.astype(int)
        stained = image.sum(-1) < 3 * 235
        if stained.sum() > 50:
            means.append(image[stained].mean(0))
            assert means[-1].argmax() == 0
    r, g, b = np.mean(means, 0)
    assert r > g > b


def test_a_ring_has_the_radius_that_was_drawn(flat_page: Page) -> None:
    clean = flat_page.with_image(np.full_like(flat_page.image, 255))
    seen = 0
    for seed in range(40):
        rng = Noting(np.random.default_rng(seed)).of("c")
        page = stains.coffee(clean, 0.3, rng)
        told = rng.noted()
        if told["c.kind"] != ("ring",):
            continue
        y, x = np.nonzero(page.image[..., 2] < 235)
        if len(x) < 400:
            continue
        mm = page.warp.to_mm(np.stack([x, y], -1).astype(float))
        # a circle through the stain by least squares
        a = np.column_stack([mm, np.ones(len(mm))])
        cx, cy, c = np.linalg.lstsq(a, (mm**2).sum(1), rcond=None)[0]
        radius = np.sqrt(c + 0.25 * (cx**2 + cy**2))
        assert radius == pytest.approx(float(told["c.radius_mm"][0]), rel=0.1)
        seen += 1
    assert seen >= 3


@pytest.mark.parametrize("name", ["soaked", "mould"])
def test_patches_lie_where_they_were_drawn(name: str, flat_page: Page) -> None:
    clean = flat_page.with_image(np.full_like(flat_page.image, 255))
    for seed in range(4):
        rng = Noting(np.random.default_rng(seed)).of(name)
        page = getattr(stains, name)(clean, 1.0, rng)
        places = (rng.noted()[f"{name}.{key}"] for key in ("x_mm", "y_mm", "radius_mm"))
        near = [distance_mm(page, float(x), float(y)) / float(r) for x, y, r in zip(*places, strict=True)]
        nearest = np.minimum.reduce(near)
        changed = (page.image != 255).any(-1)
        assert changed[nearest < 0.25].mean() > 0.8
        assert changed[nearest > 1.7].mean() < 0.01


def test_wet_ink_runs_and_dry_ink_stays(fine: Page) -> None:
    ran = 0
    for seed in range(8):
        rng = Noting(np.random.default_rng(seed)).of("s")
        page = stains.soaked(fine, 1.0, rng)
        told = {key: float(values[0]) for key, values in rng.noted().items()}
        away = distance_mm(page, told["s.x_mm"], told["s.y_mm"])
        dry, wet = away > 1.6 * told["s.radius_mm"], away < 0.4 * told["s.radius_mm"]
        np.testing.assert_array_equal(page.image[dry], fine.image[dry])
        ink = wet & (fine.image[..., 0] < 255)
        if wet.sum() > 5000 and ink.any():
            beside = wet & (fine.image[..., 0] == 255)
            assert page.image[beside].std() > 1  # halos of the ink in the paper
            ran += 1
    assert ran >= 2
