from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgdig.metrics import beat_agreement

Lead = NDArray[np.float64]


def test_identical_leads_agree(ecg_mv: Lead) -> None:
    beats = beat_agreement(ecg_mv, ecg_mv, 500)
    assert (beats.sensitivity, beats.precision, beats.rr_error_s, beats.heart_rate_error_bpm) == (1, 1, 0, 0)
    assert (beats.qrs_duration_error_s, beats.qt_error_s) == (0, 0)
    assert beats.n_reference in (11, 12)  # 12 complexes; the detector may leave out one at the border


def test_an_erased_beat_is_missed_and_the_gap_it_leaves_is_no_rr_interval(ecg_mv: Lead) -> None:
    estimate = ecg_mv.copy()
    estimate[2100:2300] = np.nan  # around the complex at 4.4 s
    beats = beat_agreement(ecg_mv, estimate, 500)
    assert beats.n_estimate == beats.n_reference - 1
    assert beats.sensitivity == pytest.approx(1 - 1 / beats.n_reference)
    assert beats.precision == 1
    assert beats.rr_error_s < 0.004


def test_a_stretched_time_axis_shows_in_rr_and_heart_rate(ecg_mv: Lead) -> None:
    n = 2000  # short enough that no beat drifts out of its window
    stretched = np.interp(np.arange(n) / 1.02, np.arange(5000), ecg_mv)
    beats = beat_agreement(ecg_mv[:n], stretched, 500)
    assert beats.rr_error_s == pytest.approx(0.8 * 0.02, abs=0.003)
    assert beats.heart_rate_error_bpm == pytest.approx(75 / 1.02 - 75, abs=0.3)


@pytest.mark.parametrize("later_s", [0.02, 0.06])
def test_a_t_wave_drawn_later_shows_in_qt_alone(ecg_mv: Lead, later_s: float) -> None:
    beat_s = np.arange(5000) / 500 % 0.8 - 0.4
    t_wave, later = (0.3 * np.exp(-0.5 * ((beat_s - at) / 0.04) ** 2) for at in (0.22, 0.22 + later_s))
    beats = beat_agreement(ecg_mv, ecg_mv - t_wave + later, 500)
    assert beats.qt_error_s == pytest.approx(later_s, abs=0.005)
    assert (beats.qrs_duration_error_s, beats.rr_error_s) == (0, 0)


@pytest.mark.parametrize("estimate", [np.full(5000, np.nan), np.zeros(5000), np.zeros(0)], ids=["NaN", "flat", "empty"])
def test_nothing_read_has_no_beats(ecg_mv: Lead, estimate: Lead) -> None:
    beats = beat_agreement(ecg_mv, estimate, 500)
    assert (beats.sensitivity, beats.precision, beats.n_estimate) == (0, 0, 0)
    assert np.isnan([beats.rr_error_s, beats.heart_rate_error_bpm, beats.qrs_duration_error_s, beats.qt_error_s]).all()


@pytest.mark.parametrize("n", [0, 3, 499, 1250])
def test_short_leads_do_not_fail(ecg_mv: Lead, n: int) -> None:
    beats = beat_agreement(ecg_mv[:n], ecg_mv[:n], 500)
    assert beats.n_reference == beats.n_estimate


def test_a_rate_too_low_for_the_detector_has_no_beats(ecg_mv: Lead) -> None:
    assert beat_agreement(ecg_mv[::25], ecg_mv[::25], 20).n_reference == 0


def test_one_lead_at_a_time() -> None:
    with pytest.raises(ValueError, match="one lead at a time"):
        beat_agreement(np.zeros((2, 100)), np.zeros((2, 100)), 500)
