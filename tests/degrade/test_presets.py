from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from ecgdig.degrade import DEGRADATIONS, PRESETS, Preset, apply, degrade, draw
from ecgdig.degrade.marks import AS_SEEN, CUTS, ON_PAPER
from ecgdig.degrade.presets import FILTERS, GEOMETRY, SURFACES
from ecgdig.page import PLAIN, Layout, Page, render
from ecgdig.recording import Recording


@pytest.fixture(scope="module")
def window(recording: Recording, sheet: Callable[[str], Layout]) -> Page:
    """A piece of a page, 60 x 40 mm at 100 dpi."""
    return render(recording, sheet("3x4+1"), PLAIN, 100, np.random.default_rng(0), (60.0, 10.0, 120.0, 50.0))


@pytest.fixture(scope="module")
def fine(recording: Recording, sheet: Callable[[str], Layout]) -> Page:
    """A piece of a page, 60 x 40 mm at 250 dpi."""
    return render(recording, sheet("3x4+1"), PLAIN, 250, np.random.default_rng(0), (60.0, 10.0, 120.0, 50.0))


@pytest.mark.parametrize("preset", PRESETS)
def test_the_same_generator_gives_the_same_bytes(preset: str, window: Page, global_state: Callable[[], object]) -> None:
    before = global_state()
    pages = [degrade(window, preset, np.random.default_rng([seed, 3])) for seed in (0, 0, 1, 2)]
    assert global_state() == before
    np.testing.assert_array_equal(pages[0].image, pages[1].image)
    assert pages[0].warp == pages[1].warp
    others = [p.image.shape != pages[0].image.shape or (p.image != pages[0].image).any() for p in pages[2:]]
    assert any(others) == (preset != "clean")


@pytest.mark.parametrize("name", DEGRADATIONS)
@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_each_degradation_alone(name: str, strength: float, window: Page, global_state: Callable[[], object]) -> None:
    before, pixels = global_state(), window.image.copy()
    pages = [apply(window, {name: strength}, np.random.default_rng(seed)) for seed in (5, 5, 6)]
    assert global_state() == before
    np.testing.assert_array_equal(window.image, pixels)  # the page it began with is left alone
    for page in pages:
        assert page.image.dtype == np.uint8
        assert page.image.shape == (*page.shape, 3)
        assert page.image.flags.c_contiguous
        assert (page.shape == window.shape) or name in GEOMETRY
    np.testing.assert_array_equal(pages[0].image, pages[1].image)
    if name not in GEOMETRY:
        assert pages[0].warp == window.warp
    if strength == 0.0 and name in (*ON_PAPER, *CUTS, *AS_SEEN):
        np.testing.assert_array_equal(pages[0].image, pixels)
        assert pages[0].cover is None
    # grey knows no chance; the margins of a whole page are not those of a window
    if strength == 1.0 and name in (*SURFACES, *GEOMETRY, *FILTERS) and name not in ("grey", "crop", "padding"):
        assert pages[0].image.shape != pages[2].image.shape or (pages[0].image != pages[2].image).any()
        assert (pages[0].image.shape != window.image.shape) or (pages[0].image != window.image).any()


def test_a_page_says_what_was_done_to_it(window: Page) -> None:
    drawn = draw("photo", np.random.default_rng(5))
    assert 0 < len(drawn.strengths) < len(PRESETS["photo"].steps)
    page = degrade(window, "photo", np.random.default_rng(5))
    assert page.degradations == drawn.strengths
    assert apply(page, {"grey": 0.5}, np.random.default_rng(0)).degradations == drawn.strengths | {"grey": 0.5}
    assert window.degradations == {}


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_every_degradation_tells_what_it_drew(name: str, fine: Page) -> None:
    pages = [apply(fine, {name: 1.0}, np.random.default_rng(seed)) for seed in range(6)]
    told = [{k: v for k, v in page.degradation_values.items() if k.startswith(f"{name}.")} for page in pages]
    assert any(told)
    if name != "grey":  # knows no chance
        assert any(values != told[0] for values in told[1:])


def test_the_values_told_are_those_that_were_used(fine: Page) -> None:
    page = apply(fine, {"rotation": 0.8}, np.random.default_rng(2))
    (degrees,) = page.degradation_values["rotation.degrees"]
    (x0, y0), (x1, y1) = page.warp.to_px([[70.0, 20.0], [100.0, 20.0]])
    assert np.degrees(np.arctan2(y1 - y0, x1 - x0)) == pytest.approx(degrees, abs=1e-4)
    page = apply(fine, {"jpeg": 1.0}, np.random.default_rng(2))
    (quality,) = page.degradation_values["jpeg.quality"]
    packed = cv2.imencode(".jpg", fine.image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
    np.testing.assert_array_equal(cv2.imdecode(packed, cv2.IMREAD_UNCHANGED)[..., ::-1], page.image)
    page = apply(fine, {"folds": 1.0, "blur": 1.0}, np.random.default_rng(2), desk=True)
    assert len(page.degradation_values["folds.angle_deg"]) == len(page.degradation_values["folds.rise_mm"])
    assert {"eye.height_mm", "lamp.elevation_deg", "desk.kind", "blur.sigma_px"} <= set(page.degradation_values)


def test_clean_changes_nothing(window: Page) -> None:
    page = degrade(window, "clean", np.random.default_rng(0))
    np.testing.assert_array_equal(page.image, window.image)
    assert page.warp == window.warp


def test_presets_use_known_degradations_and_all_are_used() -> None:
    used = {name for preset in PRESETS.values() for name in preset.steps}
    assert used == set(DEGRADATIONS) - {"quarter_turn"}  # the page task turns its thumbnails itself, and labels that
    assert list(DEGRADATIONS) == [*SURFACES, *ON_PAPER, *GEOMETRY, *CUTS, *AS_SEEN, *FILTERS]
    for preset in PRESETS.values():
        assert all(0 < p <= 1 and 0 < top <= 1 for p, top in preset.steps.values())


def test_a_preset_of_ones_own(window: Page) -> None:
    own = Preset({"rotation": (1.0, 0.5), "noise": (0.0, 1.0)}, dpi=(50, 50))
    page = degrade(window, own, np.random.default_rng(0))
    assert float(page.warp.px_per_mm([[90.0, 30.0]])[0]) == pytest.approx(50 / 25.4, rel=1e-3)
    with pytest.raises(ValueError, match=r"unknown degradation fog, rain; use fading, .*jpeg"):
        degrade(window, Preset({"rain": (1, 1), "fog": (1, 1)}), np.random.default_rng(0))


def test_unknown_names_and_strengths_are_refused(window: Page) -> None:
    with pytest.raises(ValueError, match="unknown preset 'fax'; use clean, print, scan, photo, damaged"):
        degrade(window, "fax", np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"unknown degradation 'rain'; use fading, .*perspective, rotation, .*jpeg"):
        apply(window, {"rain": 0.5}, np.random.default_rng(0))
    for strength in (-0.1, 1.5, float("nan")):
        with pytest.raises(ValueError, match=r"of blur; want 0 to 1"):
            apply(window, {"blur": strength}, np.random.default_rng(0))


def test_the_desk_is_drawn_from_the_generator(recording: Recording, sheet: Callable[[str], Layout]) -> None:
    whole = render(recording, sheet("3x4"), PLAIN, 40, np.random.default_rng(0))
    desks = [apply(whole, {}, np.random.default_rng(s), margin_mm=10, desk=True).image[:10, :10] for s in (0, 0, 1)]
    np.testing.assert_array_equal(desks[0], desks[1])
    assert (desks[0] != desks[2]).any()
