from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ecgdig.degrade import apply, camera
from ecgdig.page import Page

Measure = Callable[[Page], NDArray[np.float64]]


@pytest.fixture
def picture() -> np.ndarray:
    """A soft picture with some detail, `(90, 120, 3)`."""
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3)).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.5))


@pytest.mark.parametrize(
    "name", ["blur", "motion_blur", "low_resolution", "sharpen", "noise", "phone_sharpening", "jpeg", "grey"]
)
def test_filters_leave_the_ink_where_it_was(name: str, flat_page: Page, ink_error: Measure) -> None:
    for seed in range(2):
        errors = ink_error(apply(flat_page, {name: 1.0}, np.random.default_rng(seed)))
        assert float(np.sqrt(np.mean(errors**2))) < 0.15
        assert abs(errors.mean()) < 0.02


@pytest.mark.parametrize("name", ["blur", "low_resolution", "grey", "sharpen", "noise", "phone_sharpening"])
def test_without_strength_nothing_changes(name: str, picture: np.ndarray) -> None:
    changed = getattr(camera, name)(picture, 0.0, np.random.default_rng(0))
    np.testing.assert_allclose(changed.astype(int), picture, atol=1)


def test_blurs_remove_detail_and_sharpening_adds_it(picture: np.ndarray) -> None:
    def detail(image: np.ndarray) -> float:
        return float(np.abs(np.diff(image.astype(float), axis=1)).mean())

    for seed in range(3):
        for name in ("blur", "low_resolution", "motion_blur"):
            assert detail(getattr(camera, name)(picture, 1.0, np.random.default_rng(seed))) < detail(picture)
        assert detail(camera.sharpen(picture, 1.0, np.random.default_rng(seed))) > detail(picture)


def test_a_phone_smooths_pixels_and_sharpens_what_is_larger() -> None:
    noise = np.random.default_rng(0).normal(128, 12, (200, 200, 3))
    pixels = np.clip(noise, 0, 255).astype(np.uint8)
    line = np.full((200, 200, 3), 200, np.uint8)
    line[:, 98:102] = 120
    for seed in range(4):
        grain = camera.phone_sharpening(pixels, 1.0, np.random.default_rng(seed)).astype(float)
        neighbours = np.corrcoef(grain[:, 1:, 0].ravel(), grain[:, :-1, 0].ravel())[0, 1]
        assert neighbours > 0.2  # one pixel alone no longer stands out
        row = camera.phone_sharpening(line, 1.0, np.random.default_rng(seed))[100, :, 0].astype(int)
        assert row.max() > 203  # a bright seam
        assert row.min() < 118


def test_noise_has_no_bias_and_grows_with_strength() -> None:
    flat = np.full((300, 300, 3), 128, np.uint8)
    for seed in range(3):
        weak, strong = (camera.noise(flat, s, np.random.default_rng(seed)).astype(float) - 128 for s in (0.4, 1.0))
        assert abs(strong.mean()) < 0.6
        assert weak.std() < strong.std() < 20
        colours = np.corrcoef(strong.reshape(-1, 3).T)
        assert 0.3 < colours[0, 1] < 1  # partly shared by the three colours


def test_jpeg_is_a_jpeg(picture: np.ndarray) -> None:
    errors = []
    for strength in (0.0, 1.0):
        changed = camera.jpeg(picture, strength, np.random.default_rng(0)).astype(float)
        errors.append(np.abs(changed - picture).mean())
    assert 0 < errors[0] < errors[1] < 30


def test_grey_is_grey(picture: np.ndarray) -> None:
    grey = camera.grey(picture, 1.0, np.random.default_rng(0))
    assert (np.ptp(grey, axis=2) == 0).all()
    np.testing.assert_array_equal(grey[..., 0], cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_jpeg_is_what_another_library_writes(strength: float, picture: np.ndarray) -> None:
    quality = camera.jpeg_quality(strength, np.random.default_rng(3))
    file = BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    ours = camera.jpeg(picture, strength, np.random.default_rng(3)).astype(int)
    theirs = np.asarray(Image.open(file)).astype(int)
    assert np.abs(ours - theirs).max() <= 3  # two versions of libjpeg
    swapped = camera.jpeg(np.ascontiguousarray(picture[..., ::-1]), strength, np.random.default_rng(3))[..., ::-1]
    assert np.abs(swapped - theirs).mean() > np.abs(ours - theirs).mean()  # red is not blue to a JPEG


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_motion_blur_is_that_of_albumentations(strength: float, picture: np.ndarray) -> None:
    import albumentations  # takes seconds, and brings torch

    for seed in range(6):
        rng = np.random.default_rng(seed)
        size = 3 + 2 * round(2 * strength * rng.random())
        symmetric = {"allow_shifted": False, "direction_range": (0.0, 0.0)}
        transform = albumentations.MotionBlur(blur_limit=(size, size), p=1.0, **symmetric)
        transform.set_random_seed(int(rng.integers(2**31)))
        ours = np.random.default_rng(seed)
        np.testing.assert_array_equal(camera.motion_blur(picture, strength, ours), transform(image=picture)["image"])
        assert ours.random() == rng.random()  # the streams go on alike


def test_low_quality_shows_blocks_of_eight(fine: Page) -> None:
    grey = cv2.GaussianBlur(fine.image, (0, 0), 3)
    blocks = camera.jpeg_blocks(grey, 1.0, np.random.default_rng(0))[..., 1].astype(int)
    steps = np.abs(np.diff(blocks, axis=1)).mean(0)
    phase = [steps[k::8].mean() for k in range(8)]
    assert int(np.argmax(phase)) == 7
    assert phase[7] > 1.2 * np.median(phase)


def test_over_sharpening_brightens_beside_the_ink(fine: Page) -> None:
    grey = np.full((40, 40, 3), 180, np.uint8)
    grey[:, 18:22] = 60
    sharp = camera.over_sharpen(grey, 1.0, np.random.default_rng(0))[20, :, 0]
    assert sharp[18:22].max() < 60
    assert sharp[15:18].max() > 200
    assert sharp[2] == 180
