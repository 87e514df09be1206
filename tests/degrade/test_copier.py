from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from ecgdig.degrade.copier import FAX_PER_MM, fax, photocopy
from ecgdig.degrade.noted import Noting
from ecgdig.page import Page

COPIES = [photocopy, fax]


@pytest.mark.parametrize("copy", COPIES)
def test_without_strength_there_is_no_copy(copy, fine: Page) -> None:
    assert copy(fine, 0.0, np.random.default_rng(0)) is fine


@pytest.mark.parametrize("copy", COPIES)
def test_copies_are_black_and_white_and_keep_the_trace(copy, fine: Page) -> None:
    page = copy(fine, 1.0, np.random.default_rng(1))
    assert page.cover is None
    assert (np.ptp(page.image.astype(int), axis=2) == 0).all()
    grey = page.image[..., 0]
    assert ((grey < 70) | (grey > 200)).mean() > 0.9
    for i in range(len(page.traces)):
        px = page.polyline_px(i).round().astype(int)
        inside = ((px > 1) & (px < np.array(page.shape[::-1]) - 2)).all(1)
        if inside.sum() > 100:
            x, y = px[inside].T
            assert (cv2.erode(grey, np.ones((3, 3)))[y, x] < 110).mean() > 0.9


@pytest.mark.parametrize("copy", COPIES)
def test_what_has_no_contrast_is_not_copied_away(copy, fine: Page) -> None:
    pale = replace(fine, style=replace(fine.style, ink=replace(fine.style.ink, rgb=(230, 230, 230))))
    assert copy(pale, 1.0, np.random.default_rng(0)) is pale


@pytest.mark.parametrize("seed", range(3))
def test_what_is_paler_than_the_threshold_goes_and_what_is_darker_gets_black(seed: int, fine: Page) -> None:
    halves = fine.image.copy()
    halves[:, : fine.shape[1] // 2], halves[:, fine.shape[1] // 2 :] = 225, 45
    rng = Noting(np.random.default_rng(seed)).of("p")
    copied = photocopy(fine.with_image(halves), 1.0, rng).image[..., 0]
    black, white, threshold, softness = (
        float(rng.noted()[f"p.{name}"][0]) for name in ("black", "white", "threshold", "softness")
    )
    assert 45 < threshold < 225
    bright, dark = np.median(copied[:, 100:400]), np.median(copied[:, -400:-100])
    for seen, level in ((bright, 225), (dark, 45)):
        dirty = np.array([level - 30, level + 30])  # uneven light in the copier
        low, high = black + (white - black) / (1 + np.exp(-(dirty - threshold) / softness))
        assert low - 1 <= seen <= high + 1
    assert bright - dark > 150


def test_a_faxes_dots_are_as_large_as_the_standard_says(fine: Page) -> None:
    rng = Noting(np.random.default_rng(0)).of("f")
    page = fax(fine, 1.0, rng)
    lines = float(rng.noted()["f.lines_per_mm"][0])
    assert lines in (FAX_PER_MM[1], 2 * FAX_PER_MM[1])
    size = round(80 * FAX_PER_MM[0]), round(50 * lines)
    bits = cv2.resize(page.image[..., 0], size, interpolation=cv2.INTER_AREA)
    again = cv2.resize(np.where(bits < 128, 0, 255).astype(np.uint8), page.shape[::-1], interpolation=cv2.INTER_LINEAR)
    assert np.abs(again.astype(int) - page.image[..., 0]).mean() < 3
