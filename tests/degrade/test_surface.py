from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgdig.degrade import apply, surface
from ecgdig.degrade.presets import FILTERS, SURFACES
from ecgdig.page import PLAIN, Layout, Page, Style, render
from ecgdig.page.warp import Homography
from ecgdig.recording import Recording

Measure = Callable[[Page], NDArray[np.float64]]
PAPER = ("fading", "show_through", "mottle", "fibre", "ageing")
LIGHT = ("shadow", "cast_shadows", "gradient", "vignette", "glare", "defocus")


def rms(errors: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(errors**2)))


@pytest.fixture(scope="module")
def pair(recording: Recording, sheet: Callable[[str], Layout]) -> tuple[Page, Page]:
    """A page and a window of it on the same raster, 100 dpi."""
    boxes = (0.0, 0.0, 279.4, 215.9), (50.8, 25.4, 127.0, 101.6)
    whole, window = (render(recording, sheet("3x4"), PLAIN, 100, np.random.default_rng(0), box) for box in boxes)
    return whole, window


@pytest.mark.parametrize("name", PAPER + LIGHT)
def test_paper_and_light_leave_the_ink_where_it_was(name: str, flat_page: Page, ink_error: Measure) -> None:
    assert name in SURFACES or name in FILTERS
    for seed in range(2):
        page = apply(flat_page, {name: 1.0}, np.random.default_rng(seed))
        errors = ink_error(page)
        assert errors.size > 1000
        assert rms(errors) < 0.12
        assert abs(errors.mean()) < 0.03
        off = page.with_image(page.image, page.warp.then(Homography.of([[1, 0, 0], [0, 1, 1], [0, 0, 1]])))
        assert rms(ink_error(off)) > 0.25


@pytest.mark.parametrize("name", PAPER)
def test_a_window_of_the_paper_looks_like_the_whole_page(name: str, pair: tuple[Page, Page]) -> None:
    whole, window = (SURFACES[name](page, 1.0, np.random.default_rng(4)).image.astype(int) for page in pair)
    difference = np.abs(window - whole[100:400, 200:500])
    assert difference.max() <= 4
    assert difference.mean() < 0.6


@pytest.mark.parametrize("name", PAPER)
def test_without_strength_the_paper_is_as_it_was(name: str, pair: tuple[Page, Page]) -> None:
    changed = SURFACES[name](pair[1], 0.0, np.random.default_rng(0)).image
    np.testing.assert_allclose(changed.astype(int), pair[1].image, atol=1)


def test_old_paper_is_yellow_and_faded_ink_paler(flat_page: Page) -> None:
    for seed in range(4):
        old = surface.ageing(flat_page, 1.0, np.random.default_rng(seed)).image
        r, g, b = (float(old[flat_page.image.min(-1) == 255][:, k].mean()) for k in range(3))
        assert 255 > r > g > b > 100
        pale = surface.fading(flat_page, 1.0, np.random.default_rng(seed)).image
        assert (pale.astype(int) >= flat_page.image.astype(int) - 1).all()
        darkest = pale[flat_page.image.max(-1) == 0]
        assert darkest.mean() > 5
        assert darkest.max() <= 0.81 * 255  # something is left everywhere


def test_what_has_nearly_faded_is_hidden(flat_page: Page) -> None:
    ink = flat_page.image.max(-1) == 0
    shares = []
    for seed in range(12):
        page = surface.fading(flat_page, 1.0, np.random.default_rng(seed))
        y, x = np.nonzero(ink)
        left = 1 - page.image[y, x].mean(-1) / 255
        hidden = page.hides(page.warp.to_mm(np.stack([x, y], -1)))
        # what is hidden is known to a quarter of a millimetre
        assert (left < 0.22).sum() < 50 or hidden[left < 0.22].mean() > 0.95
        assert hidden[left > 0.3].mean() < 0.02
        shares.append(hidden.mean())
    assert 0 < np.mean(shares) < 0.5


def test_paper_without_bare_white_fades_to_its_own_colour(bare: Style, recording: Recording, sheet: Callable) -> None:

    page = render(recording, sheet("3x4"), replace(bare, paper_rgb=(240, 230, 200)), 60, np.random.default_rng(0))
    pale = surface.fading(page, 1.0, np.random.default_rng(1)).image
    assert (pale.reshape(-1, 3).max(0) == (240, 230, 200)).all()
