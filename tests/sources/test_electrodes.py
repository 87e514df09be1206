from __future__ import annotations

import numpy as np
import pytest

from ecgdig.sources.electrodes import (
    ELECTRODES_FROM_LEADS,
    LEADS_FROM_ELECTRODES,
    Noise,
    electrode_noise,
    machine_filter,
    sample_noise,
)


def test_eight_leads_come_back_from_the_electrodes() -> None:
    independent = [0, 1, 6, 7, 8, 9, 10, 11]
    np.testing.assert_allclose((LEADS_FROM_ELECTRODES @ ELECTRODES_FROM_LEADS)[independent], np.eye(8), atol=1e-12)


def test_a_common_voltage_is_not_seen() -> None:
    np.testing.assert_allclose(LEADS_FROM_ELECTRODES @ np.ones(9), 0, atol=1e-12)


@pytest.mark.parametrize(
    "noise, level_mv",
    [
        pytest.param(Noise(wander_mv=0.1, breathing_mv=0, muscle_mv=0), 0.1, id="wander"),
        pytest.param(Noise(wander_mv=0, breathing_mv=0, muscle_mv=0.05), 0.05, id="muscle"),
        pytest.param(Noise(wander_mv=0, breathing_mv=0, muscle_mv=0, hum_mv=0.05), 0.035, id="hum"),
        pytest.param(Noise(wander_mv=0, breathing_mv=0, muscle_mv=0), 0.0, id="none"),
    ],
)
def test_noise_has_the_asked_size(noise: Noise, level_mv: float) -> None:
    rng = np.random.default_rng(0)
    found = np.stack([electrode_noise(noise, rng, 500.0, 5000, 0.25) for _ in range(10)])
    assert np.median(found.std(axis=2)) == pytest.approx(level_mv, rel=0.35, abs=1e-9)


def test_hum_is_at_its_frequency_and_muscle_above_twenty() -> None:
    rng = np.random.default_rng(0)
    hum = electrode_noise(
        Noise(wander_mv=0, breathing_mv=0, muscle_mv=0, hum_mv=1, hum_hz=60.0), rng, 500.0, 5000, 0.25
    )
    assert np.abs(np.fft.rfft(hum[0])).argmax() / 10 == pytest.approx(60.0, abs=0.2)
    muscle = np.abs(np.fft.rfft(electrode_noise(Noise(wander_mv=0, breathing_mv=0), rng, 500.0, 5000, 0.25)[0]))
    assert muscle[:195].max() < 0.01 * muscle.max()


def test_the_filter_passes_and_stops() -> None:
    time_s = np.arange(5000) / 500
    slow, fast = np.sin(2 * np.pi * 5 * time_s), np.sin(2 * np.pi * 120 * time_s)
    out = machine_filter(np.stack([slow, fast, np.full(5000, 3.0)]), Noise(low_pass_hz=40.0, high_pass_hz=0.5), 500.0)
    middle = out[:, 1500:3500].std(axis=1)
    assert middle[0] == pytest.approx(slow.std(), rel=0.05)
    assert middle[1] < 0.03
    assert np.abs(out[2]).max() < 1e-6


@pytest.mark.parametrize("fs, n", [(500.0, 2), (500.0, 40), (50.0, 500), (1000.0, 1000)])
def test_short_and_coarse_recordings(fs: float, n: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        noise = sample_noise(rng)
        assert np.isfinite(machine_filter(electrode_noise(noise, rng, fs, n, 0.25), noise, fs)).all()
