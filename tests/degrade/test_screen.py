from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ecgdig.degrade import screen
from ecgdig.degrade.noted import Noting
from ecgdig.page import Page

Measure = Callable[[Page], NDArray[np.float64]]
ALL = ("moire", "screenshot", "scanner_lines", "dust")


@pytest.mark.parametrize("name", ALL)
def test_without_strength_the_picture_is_as_it_was(name: str, fine: Page) -> None:
    assert getattr(screen, name)(fine, 0.0, np.random.default_rng(0)) is fine


@pytest.mark.parametrize("seed", range(4))
def test_a_screenshot_has_two_pixels_a_millimetre(seed: int, fine: Page) -> None:
    page = screen.screenshot(fine, 1.0, np.random.default_rng(seed))
    assert page.shape == fine.shape
    size = (160, 100)  # 2 px a mm
    small, before = (cv2.resize(p.image, size, interpolation=cv2.INTER_AREA).astype(int) for p in (page, fine))
    assert np.abs(small - before).mean() < 8
    # what is finer is gone: enlarged again from there it is nearly the same
    again = cv2.resize(small.astype(np.uint8), page.shape[::-1], interpolation=cv2.INTER_CUBIC).astype(int)
    assert np.abs(again - page.image).mean() < 0.5 * np.abs(again - fine.image).mean()


def test_a_screenshot_of_a_whole_page_may_stay_small(flat_page: Page, ink_error: Measure) -> None:
    sizes = set()
    for seed in range(12):
        page = screen.screenshot(flat_page, 1.0, np.random.default_rng(seed))
        sizes.add(page.shape)
        scale = float(page.warp.px_per_mm([[100.0, 100.0]])[0])
        assert page.shape[1] / scale == pytest.approx(flat_page.layout.paper.width_mm, abs=0.3)
        error = ink_error(page) / (scale * 25.4 / 150)  # as shares of the clean page's pixels
        assert abs(error.mean()) < 0.15
    assert flat_page.shape in sizes
    assert len(sizes) == 2
    assert min(width for _, width in sizes) == pytest.approx(2 * flat_page.layout.paper.width_mm, abs=2)


@pytest.mark.parametrize("seed", range(4))
def test_the_dots_of_a_screen_stand_as_close_as_was_drawn(seed: int, blank: Page) -> None:
    rng = Noting(np.random.default_rng(seed)).of("m")
    image = screen.moire(blank, 1.0, rng).image[..., 1].astype(float)
    assert 150 < image.mean() < 250
    for axis, period in enumerate(rng.noted()["m.dot_px"]):  # rows first, then columns
        profile = image.mean(1 - axis)
        power = np.abs(np.fft.rfft(profile - profile.mean()))
        fast = len(profile) // 6  # fringes are slower
        assert np.argmax(power[fast:]) + fast == pytest.approx(len(profile) / float(period), abs=1.5)


@pytest.mark.parametrize("seed", range(6))
def test_lines_of_a_scanner_run_all_through_where_they_were_drawn(seed: int, blank: Page) -> None:
    rng = Noting(np.random.default_rng(seed)).of("s")
    image = screen.scanner_lines(blank, 1.0, rng).image.astype(int)
    told = rng.noted()
    along = 0 if told["s.along"][0] == "columns" else 1
    assert (image == image.take([0], axis=along)).all()  # the same from end to end
    marked = (image.take(0, axis=along).min(-1) < 255 * (1 - 0.1)).sum()
    assert marked <= 3 * len(told["s.width_px"]) + 0.5 * image.shape[1 - along]


def test_dust_is_small_and_as_much_as_was_drawn(blank: Page) -> None:
    grey = blank.with_image(np.full_like(blank.image, 150))
    for seed in range(6):
        rng = Noting(np.random.default_rng(seed)).of("d")
        changed = (screen.dust(grey, 1.0, rng).image != 150).any(-1)
        (specks,), (hairs,) = rng.noted()["d.specks"], rng.noted()["d.hairs"]
        found, _ = cv2.connectedComponents(changed.astype(np.uint8))
        assert 0.4 * float(specks) <= found - 1 <= float(specks) + float(hairs)
        assert changed.mean() < 0.05
