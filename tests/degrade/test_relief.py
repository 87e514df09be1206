"""Paper that does not lie flat: where the eye sees it, and how bright it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgdig.degrade.crumple import crumple, wrinkles
from ecgdig.degrade.folds import Crease, Folds, folds
from ecgdig.degrade.panels import panels
from ecgdig.degrade.presets import Bend
from ecgdig.degrade.relief import Eye, Heights, Lamp, Relief, seen_by, shade, wear
from ecgdig.degrade.roll import roll
from ecgdig.page import PLAIN, Layout, Page, Paper, Style, render
from ecgdig.recording import Recording

Measure = Callable[[Page], NDArray[np.float64]]
LETTER = Paper(279.4, 215.9)
LAMP = Lamp((-1.0, 0.5), 0.3, 0.0, 0.0)


def lit(page: Page, reliefs: Sequence[Relief], lamp: Lamp = LAMP) -> NDArray[np.float64]:
    return shade(page, Heights.of(page, reliefs), lamp).image.astype(float)


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


@pytest.mark.parametrize("bend", [folds, crumple, wrinkles, roll, panels])
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
    flat, steep = (lit(grey, [Slope(0.0, s)]) for s in (0.0, 0.3))
    normal, light = np.array([-0.3, 0.0, 1.0]), np.array([-1.0, 0.5, 1.0])
    expected = 0.3 + 0.7 * (normal @ light) / np.linalg.norm(normal)
    np.testing.assert_allclose(steep / flat, expected, atol=0.02)
    assert np.ptp(flat) <= 1


@pytest.mark.parametrize("bend", [folds, crumple, wrinkles, roll, panels])
def test_a_window_is_shaded_like_the_whole_page(
    bend: Bend, recording: Recording, sheet: Callable[[str], Layout]
) -> None:
    boxes = (0.0, 0.0, 279.4, 215.9), (50.8, 25.4, 127.0, 101.6)
    whole, window = (render(recording, sheet("3x4"), PLAIN, 100, np.random.default_rng(0), box) for box in boxes)
    reliefs = bend(LETTER, 1.0, np.random.default_rng(3)).reliefs
    lamp = Lamp((-1.5, 0.7), 0.2, 0.1, 0.4)
    seen, all_of_it = (lit(page, reliefs, lamp) for page in (window, whole))
    difference = np.abs(seen - all_of_it[100:400, 200:500])
    assert difference.max() <= 2
    assert (difference > 0).mean() < 1e-3


def test_shade_can_be_seen(flat_page: Page) -> None:
    for seed in range(4):
        for bend in (folds, crumple, roll, panels):
            shaded = lit(flat_page, bend(LETTER, 1.0, np.random.default_rng(seed)).reliefs)
            paper = shaded[flat_page.image.min(-1) == 255]
            assert 3 < paper.std() < 60
            assert paper.mean() > 150


def test_creases_are_worn_and_the_rest_is_not(flat_page: Page, ink_error: Measure) -> None:
    heights = Heights.of(flat_page, [Folds((Crease((1.0, 0.0, 120.0), 5.0, (25.0, 25.0), 0.2),))])
    worn = wear(flat_page, heights, 1.0, np.random.default_rng(0))
    paler = worn.image.astype(int) - flat_page.image
    assert paler.min() >= -1
    x_mm = (np.nonzero(paler.max((0, 2)) > 1)[0] + 0.5) / (150 / 25.4)
    assert x_mm.min() > 118
    assert x_mm.max() < 122
    ink = flat_page.image.max(-1) < 60
    near = np.abs((np.arange(ink.shape[1]) + 0.5) / (150 / 25.4) - 120) < 0.5
    assert worn.image[:, near][ink[:, near]].mean() > 20
    assert worn.image[ink].max() < 0.76 * 255 + 60
    assert float(np.sqrt(np.mean(ink_error(worn) ** 2))) < 0.06
    flat = Heights.of(flat_page, [Slope(0.0, 0.1)])
    np.testing.assert_array_equal(wear(flat_page, flat, 1.0, np.random.default_rng(0)).image, flat_page.image)
