from __future__ import annotations

import numpy as np
import pytest

from ecgdig.metrics.alignment import align_challenge, align_kaggle, challenge_shift, shifted

FS = 100.0
WAVE = np.cumsum(np.random.default_rng(3).normal(0, 0.05, 400))


@pytest.mark.parametrize(
    ("lag", "moved"), [(1, [np.nan, 1, 2]), (-1, [2, 3, np.nan]), (0, [1, 2, 3]), (7, [np.nan] * 3)]
)
def test_shifted(lag: int, moved: list[float]) -> None:
    np.testing.assert_array_equal(shifted(np.array([1.0, 2.0, 3.0]), lag), moved)


@pytest.mark.parametrize("lag", [-15, 4, 20])
def test_kaggle_undoes_a_shift_of_up_to_a_fifth_of_a_second(lag: int) -> None:
    aligned = align_kaggle(WAVE, shifted(WAVE, lag) + 0.3, FS)
    known = np.isfinite(aligned)
    assert known.sum() == WAVE.size - abs(lag)
    np.testing.assert_allclose(aligned[known], WAVE[known], atol=1e-9)


def test_kaggle_does_not_undo_a_longer_one() -> None:
    aligned = align_kaggle(WAVE, shifted(WAVE, 40), FS)
    assert np.nanmax(np.abs(aligned - WAVE)) > 0.05


@pytest.mark.parametrize(("lag", "offset_mv"), [(10, 0.0), (-30, 0.4)])
def test_challenge_finds_the_shift_in_time_and_amplitude(lag: int, offset_mv: float) -> None:
    found_lag, found_mv = challenge_shift(WAVE, shifted(WAVE, lag) + offset_mv)
    assert found_lag == -lag
    assert found_mv == pytest.approx(-offset_mv, abs=0.03)  # an amplitude level or two


def test_challenge_leaves_what_is_too_far_off() -> None:
    far = WAVE + 1.6
    np.testing.assert_array_equal(align_challenge(WAVE, far, FS), far)
