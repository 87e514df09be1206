from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ecgdig.degrade import pixels

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (37, 53, 3)).astype(np.uint8)
OTHER = RNG.integers(0, 256, IMAGE.shape).astype(np.uint8)
FIELD = RNG.integers(0, 256, IMAGE.shape[:2]).astype(np.uint8)
SHARE = FIELD[..., None] / 255.0


def rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(np.floor(values + 0.5), 0, 255)


def test_multiply_is_a_factor_between_two() -> None:
    low, high = np.array([0.5, 0.8, 1.0]), np.array([1.2, 0.9, 0.0])
    expected = rounded(IMAGE * (low + (high - low) * SHARE))
    np.testing.assert_allclose(pixels.multiply(IMAGE, FIELD, low, high), expected, atol=1)
    np.testing.assert_array_equal(pixels.multiply(IMAGE, FIELD, 1.0, 1.0), IMAGE)
    # a part of a picture, whose rows do not follow each other
    np.testing.assert_array_equal(pixels.multiply(IMAGE[5:9, 3:7], FIELD[5:9, 3:7], 1.0, 1.0), IMAGE[5:9, 3:7])


def test_fade_brings_what_is_darker_than_the_paper_nearer_to_it() -> None:
    paper = np.array([240, 120, 60])
    expected = rounded(IMAGE + np.maximum(paper - IMAGE.astype(float), 0) * 0.7 * SHARE)
    np.testing.assert_allclose(pixels.fade(IMAGE, (240, 120, 60), FIELD, 1.0, 0.3), expected, atol=1)


def test_colours_fade_and_black_does_not() -> None:
    image = np.array([[[255, 250, 240], [20, 20, 20], [230, 100, 100], [250, 250, 250]]], np.uint8)
    out = pixels.fade_colours(image, (250, 245, 240), np.full((1, 4), 255, np.uint8), 0.5)
    np.testing.assert_array_equal(out, [[[255, 250, 240], [20, 20, 20], [240, 173, 170], [250, 250, 250]]])
    np.testing.assert_array_equal(pixels.fade_colours(image, (250, 245, 240), np.zeros((1, 4), np.uint8), 0.5), image)


def test_mix_goes_from_one_to_the_other() -> None:
    np.testing.assert_allclose(
        pixels.mix(IMAGE, OTHER.copy(), FIELD), rounded(IMAGE + (OTHER - IMAGE.astype(float)) * SHARE), atol=1
    )
    for share, expected in ((0, IMAGE), (255, OTHER)):
        np.testing.assert_array_equal(pixels.mix(IMAGE, OTHER.copy(), np.full_like(FIELD, share)), expected)


@pytest.mark.parametrize("amount", [0.0, 0.7, 4.0])
def test_beyond_adds_the_difference_again(amount: float) -> None:
    expected = rounded(IMAGE + amount * (IMAGE.astype(float) - OTHER))
    np.testing.assert_allclose(pixels.beyond(IMAGE, OTHER, amount), expected, atol=1)


def test_waves_are_added_to_greys_only() -> None:
    u, v = np.array([0.3, -1.1]), np.array([0.9, 0.2])
    y, x = np.mgrid[0:37, 0:53]
    wave = np.cos(u[0] * x + v[0] * y) + np.cos(u[1] * x + v[1] * y)
    grey = np.full(IMAGE.shape, 100, np.uint8)
    expected = rounded(100 + 20 * wave * 4 * 100 * 155 / 255**2)
    np.testing.assert_allclose(pixels.add_waves(grey, u, v, 20.0)[..., 1], expected, atol=1)
    extremes = np.where(IMAGE > 127, 255, 0).astype(np.uint8)
    np.testing.assert_array_equal(pixels.add_waves(extremes, u, v, 20.0), extremes)


def test_enlarged_pixels_are_blocks_around_their_centres() -> None:
    np.testing.assert_array_equal(pixels.enlarged(IMAGE, (74, 159)), IMAGE.repeat(2, 0).repeat(3, 1))
    uneven = pixels.enlarged(np.arange(12, dtype=np.uint8).reshape(2, 2, 3), (3, 5))
    assert uneven[:, 0, 0].tolist() == [0, 6, 6]
    assert uneven[0, :, 0].tolist() == [0, 0, 3, 3, 3]


@pytest.mark.parametrize("first", [(0, 0), (5, 50), (-3, 7), (80, -1)])
def test_a_tile_is_repeated_from_any_place(first: tuple[int, int]) -> None:
    laid = pixels.repeat(IMAGE, (90, 61), first)
    rows, columns = (np.arange(90) + first[0]) % 37, (np.arange(61) + first[1]) % 53
    np.testing.assert_array_equal(laid, IMAGE[rows[:, None], columns])


@pytest.mark.parametrize("factor", [1.0, 1.13, 1.6, 2.4, 5.0])
def test_shrunk_pixels_are_means_of_what_they_cover(factor: float) -> None:
    image = np.random.default_rng(1).integers(0, 256, (61, 83, 3)).astype(np.uint8)
    size = round(83 / factor), round(61 / factor)
    expected = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(pixels.shrunk(image, size), expected.astype(int), atol=1)
    with pytest.raises(ValueError, match="no more pixels"):
        pixels.shrunk(image, (84, 61))


@pytest.mark.parametrize(("dx", "dy"), [(0.0, 0.0), (0.3, 0.4), (-1.3, 0.9), (1.7, -1.2), (-2.0, 1.0)])
def test_a_shifted_plane_is_bilinear(dx: float, dy: float) -> None:
    plane = np.ascontiguousarray(np.random.default_rng(1).integers(0, 256, (30, 40)), np.uint8)
    move = np.array([[1, 0, dx], [0, 1, dy]])
    expected = cv2.warpAffine(plane.astype(np.float32), move, (40, 30), borderMode=cv2.BORDER_REPLICATE)
    # OpenCV's places are whole 32nds of a pixel
    np.testing.assert_allclose(pixels.shifted(plane, dx, dy), expected, atol=255 * 2 / 32)


def test_a_tile_is_added_from_its_first_pixel_on() -> None:
    tile = np.random.default_rng(1).integers(-127, 128, (7, 5, 3)).astype(np.int8)
    image = np.random.default_rng(2).integers(0, 256, (20, 33, 3)).astype(np.uint8)
    laid = np.tile(tile, (5, 9, 1))[3:23, 4:37]
    np.testing.assert_array_equal(pixels.add_tile(image, tile, (3, 4)), np.clip(image + laid.astype(int), 0, 255))
