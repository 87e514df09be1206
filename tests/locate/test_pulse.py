import cv2
import numpy as np
import pytest

from ecgdig.locate.ink import INK_PX_PER_MM, InkMap
from ecgdig.locate.pulse import _not_blank, find_pulse

R = INK_PX_PER_MM
LEVELS = [20 * R, 45 * R, 70 * R]


def page_with(height_mm, width_mm, at_mm=10):
    """Three level rows from 20 mm on, each with a pulse before it unless its height is 0."""
    ink = np.zeros((90 * R, 200 * R), np.float32)
    left, right = at_mm * R, round((at_mm + width_mm) * R)
    for level in LEVELS:
        ink[level, 20 * R :] = 1
        if height_mm:
            top = level - round(height_mm * R)
            ink[top : level + 1, left] = ink[top : level + 1, right] = ink[top, left : right + 1] = 1
    return InkMap(ink, np.ones(ink.shape, bool), (0.0, 0.0), np.zeros((*ink.shape, 3), np.uint8))


@pytest.mark.parametrize(("height_mm", "width_mm", "gain", "speed"), [(10, 5, 10.0, 25.0), (5, 10, 5.0, 50.0)])
def test_a_pulse_gives_speed_and_gain(height_mm, width_mm, gain, speed):
    pulse, _ = find_pulse(page_with(height_mm, width_mm), LEVELS, (20 * R, 199 * R))
    assert pulse is not None
    assert (pulse.gain_mm_per_mv, pulse.speed_mm_per_s, pulse.count) == (gain, speed, 1)
    assert pulse.x_mm == pytest.approx(10.0, abs=0.2)
    assert pulse.end_mm == pytest.approx(10.0 + width_mm, abs=0.3)


def test_level_rows_have_no_pulse():
    assert find_pulse(page_with(0, 5), LEVELS, (20 * R, 199 * R)) == (None, LEVELS)


@pytest.mark.parametrize(("height", "width"), [(60, 30), (15, 7)])
def test_what_should_be_blank_is_averaged_over_half_a_pulse(height, width):
    ink = np.random.default_rng(0).random((120, 200)).astype(np.float32)
    tall = cv2.blur(ink, (max(round(0.15 * width), 1), height // 2), borderType=cv2.BORDER_CONSTANT)
    levels, w = [20, 70, 119], ink.shape[1] - width
    found = _not_blank(ink, levels, height, width)
    for row, level in zip(found, levels, strict=True):
        line = np.pad(tall[max(level - height // 2, 0)], width, mode="edge")
        beside = [line[width + round(share * width) :][:w] for share in (-0.22, 0.35, 0.65, 1.22)]
        np.testing.assert_allclose(row, np.maximum(np.max(beside, axis=0) - 0.1, 0), atol=1e-5)
