"""Paper that does not lie flat: where the eye sees it, and how bright it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgdig.degrade.crumple import crumple, wrinkles
from ecgdig.degrade.folds import folds
from ecgdig.degrade.presets import Bend
from ecgdig.degrade.relief import Eye, Lamp, seen_by, shade
from ecgdig.degrade.roll import roll
from ecgdig.page import PLAIN, Layout, Page, Paper, Style, render
from ecgdig.recording import Recording

LETTER = Paper(279.4, 215.9)
LAMP = Lamp((-1.0, 0.5), 0.3, 0.0, 0.0)


@dataclass(frozen=True)
class Slope:
    """A tilted sheet, z = height + slope·x."""

    height_mm: float
    slope: float

    def displace(self, x_mm: NDArray[np.float64], y_mm: NDArray[np.float64]) -> NDArray[np.float32]:
        out = np.zeros((len(y_mm), len(x_mm), 3), np.float32)
        out[..., 2] = self.height_mm + self.slope * x_mm
        return out


def test_a_lifted_point_is_seen_along_its_ray() -> None:
    stage, factor = seen_by([Slope(20.0, 0.0)], LETTER, Eye(100.0, 50.0, 320.0))
    assert factor == 1
    # the ray from (100, 50, 320) through (160, 20, 20) meets the table 320/300 times as far away
    np.testing.assert_allclose(stage.forward(np.array([[160.0, 20.0]])), [[100 + 60 * 320 / 300, 50 - 30 * 320 / 300]])
    np.testing.assert_allclose(stage.forward(np.array([[100.0, 50.0]])), [[100.0, 50.0]])


def test_heights_are_lowered_until_no_part_hides_another() -> None:
    stage, factor = seen_by([Slope(0.0, 1.5)], LETTER, Eye(400.0, 100.0, 300.0))
    assert 0 < factor < 0.5
    at = np.random.default_rng(0).uniform([0, 0], [279, 215], (300, 2))
    np.testing.assert_allclose(stage.inverse(stage.forward(at)), at, atol=1e-6)


@pytest.mark.parametrize("bend", [folds, crumple, wrinkles, roll])
@pytest.mark.parametrize("seed", range(6))
def test_every_sheet_can_be_flattened_again(bend: Bend, seed: int) -> None:
    rng = np.random.default_rng(seed)
    reliefs = bend(LETTER, 1.0, rng).reliefs
    stage, _ = seen_by(reliefs, LETTER, Eye.sample(LETTER, rng))
    at = rng.uniform([-20, -20], [300, 240], (3000, 2))
    np.testing.assert_allclose(stage.inverse(stage.forward(at)), at, atol=1e-6)


def test_light_on_a_slope_is_lamberts(bare: Style, smooth: Recording, sheet: Callable[[str], Layout]) -> None:
    page = render(smooth, sheet("3x4"), bare, 100, np.random.default_rng(0), (5.0, 3.0, 12.0, 8.0))
    grey = page.with_image(np.full_like(page.image, 150))
    flat, steep = (shade(grey, [Slope(0.0, s)], LAMP).image.astype(float) for s in (0.0, 0.3))
    normal, light = np.array([-0.3, 0.0, 1.0]), np.array([-1.0, 0.5, 1.0])
    expected = 0.3 + 0.7 * (normal @ light) / np.linalg.norm(normal)
    np.testing.assert_allclose(steep / flat, expected, atol=0.02)
    assert np.ptp(flat) <= 1


@pytest.mark.parametrize("bend", [folds, crumple, wrinkles, roll])
def test_a_window_is_shaded_like_the_whole_page(
    bend: Bend, recording: Recording, sheet: Callable[[str], Layout]
) -> None:
    boxes = (0.0, 0.0, 279.4, 215.9), (50.8, 25.4, 127.0, 101.6)
    whole, window = (render(recording, sheet("3x4"), PLAIN, 100, np.random.default_rng(0), box) for box in boxes)
    reliefs = bend(LETTER, 1.0, np.random.default_rng(3)).reliefs
    lamp = Lamp((-1.5, 0.7), 0.2, 0.1, 0.4)
    seen, all_of_it = (shade(page, reliefs, lamp).image.astype(int) for page in (window, whole))
    difference = np.abs(seen - all_of_it[100:400, 200:500])
    assert difference.max() <= 2
    assert (difference > 0).mean() < 1e-3


def test_shade_can_be_seen(flat_page: Page) -> None:
    for seed in range(4):
        for bend in (folds, crumple, roll):
            lit = shade(flat_page, bend(LETTER, 1.0, np.random.default_rng(seed)).reliefs, LAMP).image.astype(float)
            paper = lit[flat_page.image.min(-1) == 255]
            assert 3 < paper.std() < 60
            assert paper.mean() > 150
