from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ecgdig.page import PLAIN, Layout, render
from ecgdig.recording import Recording
from ecgdig.units import px_per_mm

Sheets = Callable[[str], Layout]
DPI = 127.0  # 5 px/mm


def test_a_page_is_as_large_as_its_paper(recording: Recording, sheet: Sheets) -> None:
    page = render(recording, sheet("3x4+1"), PLAIN, DPI, np.random.default_rng(0))
    assert page.image.shape == (round(215.9 * 5), round(279.4 * 5), 3)
    assert page.image.dtype == np.uint8
    assert not page.is_window
    assert page.warp.px_per_mm([[100.0, 100.0]]) == pytest.approx([px_per_mm(DPI)])
    assert page.name == recording.name


@pytest.mark.parametrize("kind", ["lines", "dots", "major-only", "none"])
@pytest.mark.parametrize("left_mm, top_mm", [(0, 0), (61, 43)])
def test_a_window_is_a_crop_of_the_whole_page(
    recording: Recording, sheet: Sheets, kind: str, left_mm: int, top_mm: int
) -> None:
    grid = replace(PLAIN.grid, kind=kind, phase_mm=(1.3, 4.1), box_mm=(6.0, 7.0, 8.0, 9.0))
    style = replace(PLAIN, grid=grid, ink=replace(PLAIN.ink, fading=0.6, fs=250.0))
    whole = render(recording, sheet("3x4+1"), style, DPI, np.random.default_rng(5))
    box = (float(left_mm), float(top_mm), left_mm + 80.0, top_mm + 60.0)
    window = render(recording, sheet("3x4+1"), style, DPI, np.random.default_rng(5), box)
    assert window.is_window
    crop = whole.image[top_mm * 5 : top_mm * 5 + 300, left_mm * 5 : left_mm * 5 + 400]
    np.testing.assert_array_equal(window.image, crop)
    shift = np.array([left_mm * 5, top_mm * 5])
    np.testing.assert_allclose(window.warp.to_px([100, 80]) + shift, whole.warp.to_px([100, 80]))


def test_a_window_beyond_the_sheet_shows_its_colour(recording: Recording, sheet: Sheets) -> None:
    style = replace(PLAIN, paper_rgb=(250, 240, 230))
    page = render(recording, sheet("3x4+1"), style, DPI, np.random.default_rng(0), (-20.0, -10.0, 30.0, 20.0))
    assert (page.image[:50] == (250, 240, 230)).all()
    assert (page.image[:, :100] == (250, 240, 230)).all()
    assert (page.image != (250, 240, 230)).any()


def test_the_same_generator_gives_the_same_bytes(recording: Recording, sheet: Sheets) -> None:
    images = [render(recording, sheet("3x4+1"), PLAIN, 60, np.random.default_rng(seed)).image for seed in (1, 1, 2)]
    np.testing.assert_array_equal(images[0], images[1])
    assert (images[0] != images[2]).any()  # another footer


def test_fading_pales_the_ink(recording: Recording, sheet: Sheets) -> None:
    box = (100.0, 100.0, 200.0, 130.0)
    faded = replace(PLAIN, ink=replace(PLAIN.ink, fading=0.7))
    dark, pale = (
        render(recording, sheet("3x4+1"), s, DPI, np.random.default_rng(0), box).image for s in (PLAIN, faded)
    )
    assert (pale >= dark).all()
    assert pale.mean() > dark.mean()


def test_leads_the_recording_lacks_are_left_out(recording: Recording, sheet: Sheets) -> None:
    page = render(recording.select(("I", "V2")), sheet("12x1"), PLAIN, 40, np.random.default_rng(0))
    assert [s.lead for s in page.layout.segments] == ["I", "V2"]
    with pytest.raises(ValueError, match="none of the leads of layout 12x1"):
        render(Recording(("X",), 500.0, np.zeros((1, 5000))), sheet("12x1"), PLAIN, 40, np.random.default_rng(0))


@pytest.mark.parametrize("dpi", [29.0, 1201.0, float("nan")])
def test_absurd_resolutions_are_refused(recording: Recording, sheet: Sheets, dpi: float) -> None:
    with pytest.raises(ValueError, match="30 to 1200 dpi"):
        render(recording, sheet("3x4"), PLAIN, dpi, np.random.default_rng(0))


@pytest.mark.parametrize("box", [(0.0, 0.0, 0.0, 10.0), (0.0, 0.0, 5000.0, 5000.0)])
def test_empty_and_enormous_images_are_refused(
    recording: Recording, sheet: Sheets, box: tuple[float, float, float, float]
) -> None:
    with pytest.raises(ValueError, match="megapixels"):
        render(recording, sheet("3x4"), PLAIN, 100, np.random.default_rng(0), box)
