from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from ecgdig.degrade import printer
from ecgdig.degrade.brush import LUMA
from ecgdig.degrade.noted import Noting
from ecgdig.page import Page

ALL = ("staircase", "banding", "streaks", "misregistration", "halftone", "broken_lines")


@pytest.mark.parametrize("name", ALL)
def test_without_strength_the_print_is_as_it_was(name: str, fine: Page) -> None:
    assert getattr(printer, name)(fine, 0.0, np.random.default_rng(0)) is fine


@pytest.mark.parametrize("seed", range(4))
def test_a_print_head_makes_squares_of_its_own_size(seed: int, fine: Page) -> None:
    rng = Noting(np.random.default_rng(seed)).of("staircase")
    page = printer.staircase(fine, 1.0, rng)
    (dots_per_mm,) = rng.noted()["staircase.dots_per_mm"]
    across = (page.image[:, 1:] != page.image[:, :-1]).any((0, 2))
    edges = np.flatnonzero(across)
    dot_px = 300 / 25.4 / float(dots_per_mm)
    assert np.diff(edges).min() >= np.floor(dot_px)
    assert page.image.mean() == pytest.approx(fine.image.mean(), abs=1.5)


def test_an_image_coarser_than_the_print_head_has_no_steps(flat_page: Page) -> None:
    assert printer.staircase(flat_page, 0.2, np.random.default_rng(0)) is flat_page  # 12 dots a mm on 5.9 px


@pytest.mark.parametrize("change", [printer.banding, printer.streaks])
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


def test_bands_come_back_at_their_period(blank: Page) -> None:
    black = replace(blank, image=np.zeros_like(blank.image))
    for seed in range(8):
        rng = Noting(np.random.default_rng(seed)).of("banding")
        page = printer.banding(black, 1.0, rng)
        told = rng.noted()
        profile = page.image[..., 0].mean(1 if told["banding.along"] == ("rows",) else 0)
        periods_px = len(profile) / (float(told["banding.period_mm"][0]) * 8)  # 8 px/mm
        power = np.abs(np.fft.rfft((profile - profile.mean()) * np.hanning(len(profile))))
        if 4 < periods_px < len(profile) / 4:
            assert np.argmax(power[3:]) + 3 == pytest.approx(periods_px, abs=1.5)


def test_plates_out_of_place_keep_their_grey_mean(fine: Page) -> None:
    rng = Noting(np.random.default_rng(2)).of("m")
    page = printer.misregistration(fine, 1.0, rng)
    told = zip(rng.noted()["m.dx_mm"], rng.noted()["m.dy_mm"], strict=True)
    for k, (dx_mm, dy_mm) in enumerate(told):
        moved = _moved(fine.image @ np.eye(3)[k], page.image @ np.eye(3)[k])
        np.testing.assert_allclose(moved, np.array([dx_mm, dy_mm], float) * 300 / 25.4, atol=0.15)
        assert np.abs(moved).max() > 0.05
    assert np.abs(_moved(fine.image @ LUMA, page.image @ LUMA)).max() < 0.05


def _moved(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """By how many px (x, y) a picture was shifted: least squares on its slopes."""
    soft, late = (cv2.GaussianBlur(image, (0, 0), 8)[30:-30, 30:-30] for image in (before, after))
    slopes = np.stack([np.gradient(soft, axis=axis).ravel() for axis in (1, 0)], 1)
    return -np.linalg.lstsq(slopes, (late - soft).ravel(), rcond=None)[0]


def test_halftone_dots_stand_as_close_as_was_drawn_and_leave_black_and_white(blank: Page) -> None:
    assert (printer.halftone(blank, 1.0, np.random.default_rng(0)).image == 255).all()
    black = replace(blank, image=np.zeros_like(blank.image))
    assert (printer.halftone(black, 1.0, np.random.default_rng(0)).image == 0).all()
    grey = replace(blank, image=np.full_like(blank.image, 128))
    rng = Noting(np.random.default_rng(0)).of("h")
    dotted = printer.halftone(grey, 1.0, rng).image
    assert dotted.mean() == pytest.approx(128, abs=2)
    assert dotted.std() > 20
    spectrum = np.abs(np.fft.rfft2(dotted[..., 0] - 128.0))
    fy, fx = np.unravel_index(np.argmax(spectrum), spectrum.shape)
    cycles = np.hypot(np.fft.fftfreq(dotted.shape[0])[fy], fx / dotted.shape[1]) * 8  # a mm
    assert cycles == pytest.approx(float(rng.noted()["h.dots_per_mm"][0]), abs=0.05)


def test_coloured_lines_are_broken_and_black_ones_are_not(blank: Page) -> None:
    ink = np.full(blank.image.shape, 255, np.uint8)
    ink[40:44], ink[100:104] = (215, 120, 120), 20
    ink[:, 60:63] = (215, 120, 120)
    for seed in range(6):
        rng = Noting(np.random.default_rng(seed)).of("broken_lines")
        page = printer.broken_lines(blank.with_image(ink), 1.0, rng)
        np.testing.assert_array_equal(page.image[100:104, 70:], ink[100:104, 70:])
        assert (page.image[ink == 255] == 255).all()
        assert page.image.min(initial=255) == 20
        for line in (page.image[41, 64:, 1], page.image[45:95, 61, 1]):
            left = (255.0 - line) / 135
            assert left.max() > 0.95
            assert left.min() < 0.6
            assert 0.35 < left.mean() < 0.95
