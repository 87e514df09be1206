from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from ecgdig.vector.curves import find_curves
from ecgdig.vector.grid import Axis, Grid
from ecgdig.vector.paths import Stroke

GRID = Grid(Axis(0.0, 1.0), Axis(0.0, 1.0))  # points are mm
X = np.arange(0, 60, 0.05)
WAVE = np.stack([30 + X, 50 + 5 * np.sin(X)], 1)
PULSE = np.array([(20, 50), (21, 50), (21, 40), (26, 40), (26, 50), (28, 50)], float)


def stroke(*lines: np.ndarray, rgb: tuple[int, int, int] = (0, 0, 0)) -> Stroke:  # type: ignore[type-arg]
    return Stroke(lines, rgb, 0.5)


STEPS = stroke(*(np.array(pair) for pair in pairwise(WAVE)))


@pytest.mark.parametrize(
    "strokes",
    [
        [stroke(WAVE)],
        [stroke(WAVE[::-1])],
        [STEPS],
        [stroke(WAVE[i : i + 51]) for i in range(0, len(WAVE) - 1, 50)],  # a path each 50 steps, ends shared
        [stroke(WAVE[i : i + 40]) for i in range(0, len(WAVE), 40)],  # ends not shared
    ],
    ids=["whole", "backwards", "steps", "chunks", "pieces"],
)
def test_a_trace_is_one_curve_however_it_is_drawn(strokes: list[Stroke]) -> None:
    (curve,), pulses = find_curves(strokes, GRID)
    np.testing.assert_allclose(curve.points, WAVE)
    assert not pulses
    assert curve.middle_mm == pytest.approx(50, abs=1)


def test_traces_side_by_side_stay_apart() -> None:
    second = WAVE + np.array([60.05, 3])
    curves, _ = find_curves([stroke(WAVE, second)], GRID)
    np.testing.assert_allclose([(c.start_mm, c.end_mm) for c in curves], [(30, 89.95), (90.05, 150)])


@pytest.mark.parametrize("joined", [False, True], ids=["of its own", "joined to the trace"])
def test_a_calibration_pulse_is_told_apart(joined: bool) -> None:
    flat = np.array([(29.0, 50.0)])
    lines = [np.concatenate([PULSE, flat, WAVE])] if joined else [PULSE, WAVE]
    curves, (pulse,) = find_curves([stroke(*lines)], GRID)
    assert (pulse.x_mm, pulse.end_mm, pulse.foot_mm) == (21, 26, 50)
    assert (pulse.speed_mm_per_s, pulse.height_mm) == (25, 10)
    assert len(curves) == 1
    assert curves[0].start_mm > 26


def test_what_is_no_trace_is_left_out() -> None:
    frame = np.array([(0, 0), (200, 0), (200, 100), (0, 100), (0, 0)], float)
    rule = np.array([(0, 90), (200, 90)], float)
    letter = np.stack([10 + np.arange(20) / 10, 5 + np.arange(20) % 3], 1).astype(float)
    circle = np.stack([50 + 20 * np.cos(np.arange(50) / 8), 50 + 20 * np.sin(np.arange(50) / 8)], 1)
    curves, pulses = find_curves([stroke(frame, rule), stroke(letter), stroke(circle)], GRID)
    assert not curves
    assert not pulses


def test_a_step_straight_up_keeps_its_last_corner() -> None:
    points = np.concatenate([WAVE[:100], WAVE[100:101] + np.array([0, 9]), WAVE[100:]])
    (curve,), _ = find_curves([stroke(points)], GRID)
    np.testing.assert_allclose(curve.points, WAVE)
