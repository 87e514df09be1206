from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgdig.metrics import beat_intervals

Lead = NDArray[np.float64]
FS = 500.0
RR_S = 0.8
BEATS = np.arange(11) * 400 + 200  # of `lead`


def lead(qrs_s: float = 0.08, t_end_s: float = 0.3, t_mv: float = 0.3) -> Lead:
    """10 s of spikes like triangles `qrs_s` wide, and of half sine waves as T, 0.16 s long, that end after R."""
    since_r = (np.arange(5000) / FS - 0.4 + RR_S / 2) % RR_S - RR_S / 2
    spike = np.clip(1 - np.abs(since_r) / (qrs_s / 2), 0, None)
    phase = (since_r - t_end_s) / 0.16 + 1
    wave: Lead = spike + t_mv * np.sin(np.pi * np.clip(phase, 0, 1))
    return wave


@pytest.mark.parametrize("qrs_s", [0.08, 0.12, 0.16])
def test_the_width_of_a_triangle(qrs_s: float) -> None:
    assert beat_intervals(lead(qrs_s=qrs_s, t_end_s=0.4), BEATS, RR_S, FS).qrs_s == pytest.approx(qrs_s, abs=0.012)


@pytest.mark.parametrize("t_mv", [0.3, 0.08, -0.2], ids=["upright", "low", "inverted"])
@pytest.mark.parametrize("t_end_s", [0.30, 0.36, 0.44])
def test_the_end_of_a_half_sine(t_end_s: float, t_mv: float) -> None:
    found = beat_intervals(lead(t_end_s=t_end_s, t_mv=t_mv), BEATS, RR_S, FS)
    assert found.qt_s == pytest.approx(0.04 + t_end_s, abs=0.015)  # the level above a sharp end is found 12 ms late


def test_places_of_the_complexes_need_not_be_exact() -> None:
    off = BEATS + np.random.default_rng(0).integers(-8, 9, BEATS.size)  # 16 ms
    exact, found = (beat_intervals(lead(), places, RR_S, FS) for places in (BEATS, off))
    assert (found.qrs_s, found.qt_s) == pytest.approx((exact.qrs_s, exact.qt_s), abs=0.005)


def test_noise_and_a_lost_beat_do_little() -> None:
    noisy = lead() + np.random.default_rng(1).normal(0, 0.02, 5000)
    noisy[2000:2300] = np.nan
    exact, found = (beat_intervals(x, BEATS, RR_S, FS) for x in (lead(), noisy))
    assert (found.qrs_s, found.qt_s) == pytest.approx((exact.qrs_s, exact.qt_s), abs=0.02)


@pytest.mark.parametrize(
    "signal, beats, rr_s",
    [
        (lead(), BEATS[:0], RR_S),
        (lead(), BEATS[:1], np.nan),
        (lead()[:400], BEATS[:1], RR_S),
        (np.full(5000, np.nan), BEATS, RR_S),
    ],
    ids=["no beats", "one beat", "too short", "nothing known"],
)
def test_where_there_is_no_whole_beat_there_are_no_intervals(
    signal: Lead, beats: NDArray[np.int64], rr_s: float
) -> None:
    found = beat_intervals(signal, beats, rr_s, FS)
    assert np.isnan([found.qrs_s, found.qt_s]).all()


def test_a_flat_t_wave_has_no_end_but_qrs_has() -> None:
    found = beat_intervals(lead(t_mv=0.0), BEATS, RR_S, FS)
    assert np.isnan(found.qt_s)
    assert found.qrs_s > 0.06
