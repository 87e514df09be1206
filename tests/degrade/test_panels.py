"""Sheets that stand up between their folds."""

from __future__ import annotations

import numpy as np
import pytest

from ecgdig.degrade import apply
from ecgdig.degrade.panels import Panels, fold_shadows, panels
from ecgdig.degrade.relief import Heights, Lamp, shade
from ecgdig.page import Page, Paper

LETTER = Paper(279.4, 215.9)
X, Y = np.arange(0.0, 200.0, 0.5), np.arange(0.0, 100.0, 20.0)
ROOF = Panels((1.0, 0.0), (0.0, 80.0, 200.0), 50.0, (0.0, 8.0, 2.0), (0.0, 0.0, 0.0), (0.0, 0.0), 0.1)


def test_parts_are_planes_between_the_folds() -> None:
    z = ROOF.displace(X, Y)[..., 2]
    np.testing.assert_allclose(z[0], np.interp(X, [0, 80, 200], [0, 8, 2]), atol=0.02)
    np.testing.assert_array_equal(z[0], z[-1])


def test_parts_may_bow_and_be_twisted() -> None:
    bowed = Panels((1.0, 0.0), ROOF.at_mm, 50.0, ROOF.height_mm, (0.0, 0.02, 0.0), (3.0, 0.0), 0.1).displace(X, Y)
    z = bowed[..., 2] - ROOF.displace(X, Y)[..., 2]
    assert z[:, X == 40.0][:, 0] == pytest.approx(3.0 + 0.5 * 0.02 * (Y - 50), abs=0.02)  # half way to the fold
    assert z[:, X == 80.0][:, 0] == pytest.approx(0.02 * (Y - 50), abs=0.05)


def test_slopes_are_foreshortened() -> None:
    moved = ROOF.displace(X, Y)[0]
    slope = np.gradient(moved[:, 2].astype(float), X)
    shorter = np.cumsum(1 - np.cos(np.arctan(slope))) * 0.5
    np.testing.assert_allclose(np.diff(moved[:, 0]), -np.diff(shorter), atol=0.002)
    assert (moved[:, 1] == 0).all()


@pytest.mark.parametrize("bend", [panels, fold_shadows])
@pytest.mark.parametrize("paper", [LETTER, Paper(210.0, 297.0), Paper(300.0, 112.0)])
def test_a_sheet_is_as_steep_as_it_says(bend, paper: Paper) -> None:
    x, y = np.arange(0, paper.width_mm, 4.0), np.arange(0, paper.height_mm, 4.0)
    numbers = set()
    for seed in range(30):
        reliefs = bend(paper, 0.5, np.random.default_rng(seed)).reliefs
        numbers.add((len(reliefs), len(reliefs[0].at_mm) - 1))
        for relief in reliefs:
            z = relief.displace(x, y)[..., 2]
            steepest = np.hypot(*np.gradient(z, 4.0)).max()
            assert 0.001 < steepest < 0.5 * (0.24 + 4 * 0.045) + 0.06  # folds and bows, and a little twist
    assert numbers == {(sets, parts) for sets in (1, 2) for parts in (2, 3, 4)}


def test_without_strength_the_sheet_is_flat() -> None:
    for bend in (panels, fold_shadows):
        for relief in bend(LETTER, 0.0, np.random.default_rng(0)).reliefs:
            assert not relief.displace(X, Y).any()


def test_parts_differ_in_tone(flat_page: Page) -> None:
    page = shade(flat_page, Heights.of(flat_page, [ROOF]), Lamp((-1.5, 0.0), 0.3, 0.0, 0.0))
    tones = []
    for low, high in ((20, 60), (100, 180)):  # mm
        part = page.image[:, round(low * 150 / 25.4) : round(high * 150 / 25.4)]
        tones.append(float(np.median(part[part.min(-1) > 150])))
    assert tones[1] < tones[0] - 20  # the lamp is at the left, and the right part goes down


@pytest.mark.parametrize("casts", [False, True])
def test_what_stands_up_casts_a_shadow_away_from_a_low_lamp(casts: bool, flat_page: Page) -> None:
    # a ridge 10 mm high at x = 100, steep behind: at 14 degrees its shadow ends 40 mm behind it
    ridge = Panels(
        (1.0, 0.0), (0.0, 70.0, 100.0, 102.0, 280.0), 0.0, (0.0, 0.0, 10.0, 0.0, 0.0), (0.0,) * 5, (0.0,) * 4, 0.2
    )
    white = flat_page.with_image(np.full_like(flat_page.image, 255))
    lamp = Lamp((-4.0, 0.0), 0.5, 0.0, 0.0, casts=casts)
    row = shade(white, Heights.of(white, [ridge]), lamp).image[300, :, 1].astype(float)
    x_mm = (np.arange(len(row)) + 0.5) / (150 / 25.4)
    near, far = (row[(x_mm > low) & (x_mm < high)].mean() for low, high in ((106, 125), (170, 250)))
    assert near / far == pytest.approx(0.5 if casts else 1.0, abs=0.05)


def test_the_low_lamp_lights_everything_on_the_sheet(flat_page: Page) -> None:
    page = apply(flat_page, {"crumple": 0.5, "fold_shadows": 0.5}, np.random.default_rng(1))
    told = page.degradation_values
    assert "lamp.angle_deg" not in told
    assert 10 < told["fold_shadows.elevation_deg"][0] < 25
