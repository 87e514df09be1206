import numpy as np
import pytest

from ecgdig.locate.ink import INK_PX_PER_MM, InkMap
from ecgdig.locate.pulse import find_pulse

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
