from __future__ import annotations

import numpy as np
import pytest

from ecgdig.sources.dipole import DOWER, Waves, normal_beat, render, rotation


def test_render_agrees_with_the_sum_written_out() -> None:
    waves = Waves.of((0.0, 0.01, (1.0, 0.5, -0.2)), (0.25, 0.04, (0.1, 0.3, 0.2)))
    at_s, stretch, gain = (
        np.array([-0.1, 0.4, 1.3, 1.98]),
        np.array([1.0, 1.2, 0.8, 1.0]),
        np.array([1.0, 0.5, 2.0, 1.0]),
    )
    time_s = np.arange(1000) / 500
    expected = np.zeros((1000, 3))
    for beat_s, slow, size in zip(at_s, stretch, gain, strict=True):
        for amplitude, centre, width in zip(waves.amplitude_mv, waves.centre_s, waves.width_s, strict=True):
            bell = np.exp(-0.5 * (((time_s - beat_s) / slow - centre) / width) ** 2)
            expected += size * bell[:, None] * amplitude
    np.testing.assert_allclose(render(waves, at_s, stretch, gain, 500.0, 1000), expected, atol=2e-3)


@pytest.mark.parametrize("at_s", [[], [-5.0], [50.0]], ids=["no beats", "long before", "long after"])
def test_render_of_nothing_is_zero(at_s: list[float]) -> None:
    _, qrs, _ = normal_beat()
    ones = np.ones(len(at_s))
    assert not render(qrs, np.array(at_s), ones, ones, 500.0, 1000).any()


def test_the_published_beat_has_its_published_peak() -> None:
    _, qrs, _ = normal_beat()
    one = np.ones(1)
    x = render(qrs, np.array([0.5]), one, one, 1000.0, 1000)[:, 0]
    # at phase 0: 1.11, and what the neighbours at -0.07 and 0.06 rad leave there
    expected = 1.11 + 0.85 * np.exp(-0.5 * (0.07 / 0.0378) ** 2) + 0.75 * np.exp(-0.5 * (0.06 / 0.0302) ** 2)
    assert x[500] == pytest.approx(expected, abs=0.01)
    assert abs(int(x.argmax()) - 500) <= 8


@pytest.mark.parametrize(
    "turn, start, end",
    [
        pytest.param((90, 0), (1, 0, 0), (0, 1, 0), id="frontal: left to the feet"),
        pytest.param((0, 90), (1, 0, 0), (0, 0, 1), id="horizontal: left to the back"),
        pytest.param((0, 0), (1, 2, 3), (1, 2, 3), id="none"),
    ],
)
def test_rotation(turn: tuple[float, float], start: tuple[int, ...], end: tuple[int, ...]) -> None:
    np.testing.assert_allclose(rotation(*turn) @ start, end, atol=1e-12)


def test_dower_is_as_its_inverse_says() -> None:
    """The inverse Dower matrix, as published (Edenbrandt & Pahlm 1988; I, II, V1 .. V6 -> x, y, z), undoes it."""
    inverse = np.array(
        [
            [0.156, -0.010, -0.172, -0.074, 0.122, 0.231, 0.239, 0.194],
            [-0.227, 0.887, 0.057, -0.019, -0.106, -0.022, 0.041, 0.048],
            [0.022, 0.102, -0.229, -0.310, -0.246, -0.063, 0.055, 0.108],
        ]
    )
    np.testing.assert_allclose(inverse @ DOWER, np.eye(3), atol=0.02)
