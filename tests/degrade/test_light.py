from __future__ import annotations

import numpy as np
import pytest

from ecgdig.degrade import light
from ecgdig.page import Page

WHITE = np.full((60, 80, 3), 255, np.uint8)
RAMP = np.repeat(np.tile(np.arange(256, dtype=np.uint8), (4, 1))[..., None], 3, axis=2)


@pytest.mark.parametrize("seed", range(5))
def test_light_only_darkens_and_not_too_much(seed: int) -> None:
    for strength in (0.3, 1.0):
        lit = light.gradient(WHITE, strength, np.random.default_rng(seed))
        assert lit.min() >= 255 * (1 - 0.6 * strength) - 12  # bicubic interpolation may swing beyond the knots
        assert lit.max() >= 245
        shaded = light.shadow(WHITE, strength, np.random.default_rng(seed))
        assert shaded.min() >= 255 * (1 - 0.6 * strength) - 5
    assert np.ptp(lit) > 10
    # light changes slowly from one pixel to the next
    assert np.abs(np.diff(lit.astype(int), axis=1)).max() < 12


def test_light_multiplies_so_ink_stays_dark() -> None:
    striped = WHITE.copy()
    striped[::4] = 51
    bright, dark = (light.gradient(image, 1.0, np.random.default_rng(3)) for image in (WHITE, striped))
    np.testing.assert_allclose(dark[::4], bright[::4] * 0.2, atol=1.5)
    np.testing.assert_array_equal(dark[1::4], bright[1::4])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("shape", [(60, 80), (500, 130), (33, 400)])
def test_cast_shadows_cover_a_part_of_the_picture(seed: int, shape: tuple[int, int]) -> None:
    lit = light.cast_shadows(np.full((*shape, 3), 255, np.uint8), 1.0, np.random.default_rng(seed))
    assert lit.shape == (*shape, 3)
    assert 255 * 0.4**3 - 12 <= lit.min() < 240  # three of 60 % at most
    assert lit.max() >= 240


@pytest.mark.parametrize("seed", range(8))
def test_glare_brightens_and_hides_what_it_leaves_too_pale(seed: int, blank: Page) -> None:
    striped = np.full(blank.image.shape, 180, np.uint8)
    striped[::3] = 30
    page = light.glare(blank.with_image(striped), 1.0, np.random.default_rng(seed))
    lit = page.image.astype(int)
    assert (lit >= striped.astype(int) - 1).all()
    contrast = (lit[1::3] - lit[::3][: len(lit[1::3])])[..., 0] / 150
    assert contrast.min() >= 0.19 - 2 / 150
    assert lit.max() > 185
    y, x = np.mgrid[0 : contrast.shape[0], 0 : contrast.shape[1]]
    hidden = page.hides(page.warp.to_mm(np.stack([x, 3 * y + 0.5], -1)))
    assert hidden[contrast < 0.22].all()
    assert not hidden[contrast > 0.28].any()


def test_a_vignette_darkens_the_corners() -> None:
    for seed in range(5):
        lit = light.vignette(np.full((240, 320, 3), 200, np.uint8), 1.0, np.random.default_rng(seed))[..., 0]
        assert lit[100:140, 140:180].min() >= 180
        corners = np.array([lit[0, 0], lit[0, -1], lit[-1, 0], lit[-1, -1]])
        assert (corners < lit[100:140, 140:180].min() - 8).all()
        assert (corners > 200 * 0.4).all()


@pytest.mark.parametrize(
    "name", ["gradient", "shadow", "colour_cast", "exposure", "cast_shadows", "vignette", "two_lights", "tone_mapping"]
)
def test_without_strength_nothing_changes(name: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3)).astype(np.uint8)
    changed = getattr(light, name)(image, 0.0, np.random.default_rng(0))
    np.testing.assert_allclose(changed.astype(int), image, atol=1)


@pytest.mark.parametrize("seed", range(5))
def test_a_cast_shifts_colours_and_an_exposure_keeps_their_order(seed: int) -> None:
    cast = light.colour_cast(WHITE, 1.0, np.random.default_rng(seed))[0, 0].astype(float)
    assert cast.max() == 255
    assert cast.min() >= 255 * 0.85 / 1.15 - 1
    exposed = light.exposure(RAMP, 1.0, np.random.default_rng(seed))
    assert (np.diff(exposed[0, :, 0].astype(int)) >= 0).all()
    assert exposed[0, 0, 0] <= 50
    assert exposed[0, 255, 0] >= 195


@pytest.mark.parametrize("seed", range(6))
def test_two_lights_are_blue_on_one_side_and_yellow_on_the_other(seed: int) -> None:
    lit = light.two_lights(np.full((240, 320, 3), 200, np.uint8), 1.0, np.random.default_rng(seed)).astype(float)
    warmth = lit[..., 0] / lit[..., 2]
    assert warmth.min() >= 0.85
    assert warmth.max() <= 1.17
    assert np.ptp(warmth) > 0.04
    # each colour only changes slowly
    assert np.abs(np.diff(lit, axis=1)).max() <= 3


def test_tone_mapping_brings_light_and_shade_together_and_keeps_the_ink() -> None:
    picture = np.full((240, 320, 3), 220, np.uint8)
    picture[:, 160:] = 90
    picture[::8] //= 4
    for seed in range(4):
        mapped = light.tone_mapping(picture, 1.0, np.random.default_rng(seed)).astype(float)
        bright, dark = mapped[1::8, :60].mean(), mapped[1::8, -60:].mean()
        assert bright / dark < 0.9 * 220 / 90
        np.testing.assert_allclose(mapped[0::8] / mapped[1::8], picture[0::8] / picture[1::8], rtol=0.06)
        # halos: near the border the bright side is brighter than far from it, the dark one darker
        assert mapped[1, 150, 0] > mapped[1, 5, 0]
        assert mapped[1, 170, 0] < mapped[1, -5, 0]
