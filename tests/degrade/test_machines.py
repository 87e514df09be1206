"""Printers, copiers, screens, scanners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from ecgdig.degrade.brush import LUMA
from ecgdig.degrade.camera import jpeg_blocks, over_sharpen
from ecgdig.degrade.copier import fax, photocopy
from ecgdig.degrade.printer import banding, halftone, misregistration, staircase, streaks
from ecgdig.degrade.screen import dust, moire, scanner_lines, screenshot
from ecgdig.page import Layout, Page, Style, render
from ecgdig.recording import Recording


@pytest.fixture(scope="module")
def fine(smooth: Recording, bare: Style, sheet: Callable[[str], Layout]) -> Page:
    """80 x 50 mm of black traces on white paper at 300 dpi."""
    return render(smooth, sheet("3x4"), bare, 300, np.random.default_rng(0), (30.0, 5.0, 110.0, 55.0))


def test_a_print_head_makes_squares(fine: Page) -> None:
    page = staircase(fine, 1.0, np.random.default_rng(0))
    across = (page.image[:, 1:] != page.image[:, :-1]).any((0, 2))
    assert across.mean() < 0.7  # at most one edge a dot; 300 dpi has 11.8 px, heads have 5 to 7 dots a mm
    assert page.image.mean() == pytest.approx(fine.image.mean(), abs=1.5)


@pytest.mark.parametrize("change", [banding, streaks])
def test_ink_that_is_lost_leaves_paper_in_straight_bands(change, fine: Page) -> None:
    for seed in range(6):
        page = change(fine, 1.0, np.random.default_rng(seed))
        lighter = page.image.astype(int) - fine.image
        assert lighter.min() >= -1  # nothing gets darker
        # the loss is the same all along a band: one factor a row or a column
        dark = 255.0 - fine.image[..., 0]
        left = np.where(dark > 100, (255.0 - page.image[..., 0]) / np.maximum(dark, 1), np.nan)
        spread = [np.nanmax(np.nanstd(_full(left, axis), axis=axis)) for axis in (0, 1)]
        assert min(spread) < 0.02


def _full(values: np.ndarray, axis: int) -> np.ndarray:
    """Only the columns (axis 0) or rows that hold at least three numbers."""
    enough = np.isfinite(values).sum(axis) > 2
    return values[:, enough] if axis == 0 else values[enough]


def test_plates_out_of_place_keep_their_grey_mean(fine: Page) -> None:
    page = misregistration(fine, 1.0, np.random.default_rng(2))
    x = np.arange(fine.shape[1])

    def centre(image: np.ndarray, weights: np.ndarray) -> float:
        dark = 255.0 - image @ weights
        return float((dark.sum(0) * x).sum() / dark.sum())

    for k in range(3):
        assert centre(page.image, np.eye(3)[k]) != pytest.approx(centre(fine.image, np.eye(3)[k]), abs=1e-3)
    assert centre(page.image, LUMA) == pytest.approx(centre(fine.image, LUMA), abs=0.1)


def test_halftone_leaves_black_and_white(fine: Page, blank: Page) -> None:
    assert (halftone(blank, 1.0, np.random.default_rng(0)).image == 255).all()
    grey = replace(blank, image=np.full_like(blank.image, 128))
    dotted = halftone(grey, 1.0, np.random.default_rng(0)).image
    assert dotted.mean() == pytest.approx(128, abs=2)
    assert dotted.std() > 20


@pytest.mark.parametrize("copy", [photocopy, fax])
def test_copies_are_black_and_white_and_keep_the_trace(copy, fine: Page) -> None:
    page = copy(fine, 1.0, np.random.default_rng(1))
    assert (np.ptp(page.image.astype(int), axis=2) == 0).all()
    grey = page.image[..., 0]
    assert ((grey < 70) | (grey > 200)).mean() > 0.9
    for i in range(len(page.traces)):
        px = page.polyline_px(i).round().astype(int)
        inside = ((px > 1) & (px < np.array(page.shape[::-1]) - 2)).all(1)
        if inside.sum() > 100:
            x, y = px[inside].T
            assert (cv2.erode(grey, np.ones((3, 3)))[y, x] < 110).mean() > 0.9


@pytest.mark.parametrize("copy", [photocopy, fax])
def test_what_has_no_contrast_is_not_copied_away(copy, fine: Page) -> None:
    pale = replace(fine, style=replace(fine.style, ink=replace(fine.style.ink, rgb=(230, 230, 230))))
    assert copy(pale, 1.0, np.random.default_rng(0)) is pale


@pytest.mark.parametrize("seed", range(4))
def test_a_screenshot_has_two_pixels_a_millimetre(seed: int, fine: Page) -> None:
    page = screenshot(fine, 1.0, np.random.default_rng(seed))
    assert page.shape == fine.shape
    size = (160, 100)  # 2 px a mm
    small, before = (cv2.resize(p.image, size, interpolation=cv2.INTER_AREA).astype(int) for p in (page, fine))
    assert np.abs(small - before).mean() < 8
    # what is finer is gone: enlarged again from there it is nearly the same
    again = cv2.resize(small.astype(np.uint8), page.shape[::-1], interpolation=cv2.INTER_CUBIC).astype(int)
    assert np.abs(again - page.image).mean() < 0.5 * np.abs(again - fine.image).mean()


@pytest.mark.parametrize("change", [moire, scanner_lines, dust])
def test_screens_and_scanners_add_a_pattern_and_no_shape(change, blank: Page) -> None:
    page = change(blank, 1.0, np.random.default_rng(1))
    assert page.shape == blank.shape
    assert (page.image != 255).mean() > 0
    assert page.image.mean() > 150


def test_low_quality_shows_blocks_of_eight(fine: Page) -> None:
    grey = cv2.GaussianBlur(fine.image, (0, 0), 3)
    blocks = jpeg_blocks(grey, 1.0, np.random.default_rng(0))[..., 1].astype(int)
    steps = np.abs(np.diff(blocks, axis=1)).mean(0)
    phase = [steps[k::8].mean() for k in range(8)]
    assert int(np.argmax(phase)) == 7
    assert phase[7] > 1.2 * np.median(phase)


def test_over_sharpening_brightens_beside_the_ink(fine: Page) -> None:
    grey = np.full((40, 40, 3), 180, np.uint8)
    grey[:, 18:22] = 60
    sharp = over_sharpen(grey, 1.0, np.random.default_rng(0))[20, :, 0]
    assert sharp[18:22].max() < 60
    assert sharp[15:18].max() > 200
    assert sharp[2] == 180
