from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import resample

from ecgdig.recording import Recording, canonical_lead


def make(n: int = 1000, fs: float = 500.0, leads: tuple[str, ...] = ("I", "aVR")) -> Recording:
    signal = np.random.default_rng(0).normal(size=(len(leads), n)).astype(np.float32)
    return Recording(leads, fs, signal, name="made")


@pytest.mark.parametrize(
    "written, usual",
    [
        ("AVR", "aVR"),
        ("avl", "aVL"),
        (" v1 ", "V1"),
        ("Lead II", "II"),
        ("lead avf", "aVF"),
        ("-AVR", "-aVR"),
        ("−avr", "-aVR"),
        ("MLII", "MLII"),
        ("ECG 1", "ECG 1"),
        ("", ""),
        ("-", "-"),
    ],
)
def test_canonical_lead(written: str, usual: str) -> None:
    assert canonical_lead(written) == usual


@pytest.mark.parametrize(
    "changes, message",
    [
        pytest.param({"leads": ("I",)}, "2, 1000", id="fewer names than rows"),
        pytest.param({"leads": ("I", "I")}, "repeat", id="repeated name"),
        pytest.param({"signal_mv": np.zeros((2, 0))}, "no samples", id="no samples"),
        pytest.param({"signal_mv": np.zeros(5)}, "shape", id="one dimension"),
        pytest.param({"signal_mv": np.full((2, 4), np.inf)}, "infinite", id="infinite"),
        pytest.param({"fs": 0.0}, "positive", id="rate zero"),
        pytest.param({"fs": float("nan")}, "positive", id="rate not a number"),
        pytest.param({"sigma_mv": np.zeros((2, 3))}, "sigma", id="sigma of another shape"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, object], message: str) -> None:
    good = {"leads": ("I", "aVR"), "fs": 500.0, "signal_mv": np.zeros((2, 1000))}
    with pytest.raises(ValueError, match=message):
        Recording(**(good | changes))  # type: ignore[arg-type]


def test_lead_and_its_negative() -> None:
    recording = make()
    np.testing.assert_array_equal(recording.lead("-aVR"), -recording.lead("aVR"))
    cabrera = recording.select(["-aVR"])
    assert cabrera.leads == ("-aVR",)
    np.testing.assert_array_equal(cabrera.lead("aVR"), recording.lead("aVR"))
    with pytest.raises(KeyError, match="it has I, aVR"):
        recording.lead("V1")


def test_select_orders_negates_and_leaves_gaps() -> None:
    recording = make()
    sigma = np.full_like(recording.signal_mv, 0.1)
    recording = Recording(recording.leads, recording.fs, recording.signal_mv, sigma)
    chosen = recording.select(["V1", "-aVR", "I"])
    assert np.isnan(chosen.lead("V1")).all()
    np.testing.assert_array_equal(chosen.signal_mv[1:], [-recording.signal_mv[1], recording.signal_mv[0]])
    assert chosen.sigma_mv is not None
    np.testing.assert_array_equal(chosen.sigma_mv[1:], sigma)


@pytest.mark.parametrize(
    "start_s, duration_s, known",
    [
        pytest.param(0.5, 1.0, 500, id="inside"),
        pytest.param(-0.5, 1.0, 250, id="before the start"),
        pytest.param(1.5, 1.0, 250, id="over the end"),
        pytest.param(5.0, 1.0, 0, id="beyond the end"),
    ],
)
def test_crop(start_s: float, duration_s: float, known: int) -> None:
    recording = make()
    part = recording.crop(start_s, duration_s)
    assert part.n_samples == 500
    assert np.isfinite(part.signal_mv[0]).sum() == known
    if known == 500:
        np.testing.assert_array_equal(part.signal_mv, recording.signal_mv[:, 250:750])


@pytest.mark.parametrize("fs", [100.0, 250.0, 360.0, 400.0, 500.0, 1000.0])
def test_resample_keeps_a_slow_sine(fs: float) -> None:
    def sine(rate: float) -> np.ndarray:
        return np.sin(2 * np.pi * 5 * np.arange(round(4 * rate)) / rate) + 0.3

    slow = Recording(("I",), 500.0, sine(500)[None]).resample(fs)
    assert slow.n_samples == round(4 * fs)
    inside = slice(int(0.2 * fs), -int(0.2 * fs))
    np.testing.assert_allclose(slow.signal_mv[0, inside], sine(fs)[inside], atol=0.01)
    np.testing.assert_allclose(slow.signal_mv[0], sine(fs), atol=0.1)


def test_resample_agrees_with_fourier() -> None:
    time = np.arange(2000) / 500
    wave = np.sin(2 * np.pi * 3 * time) + 0.4 * np.sin(2 * np.pi * 17 * time + 1)  # whole periods: Fourier is exact
    ours = Recording(("I",), 500.0, wave[None]).resample(250.0).signal_mv[0]
    np.testing.assert_allclose(ours[100:-100], resample(wave, 1000)[100:-100], atol=0.005)


def test_resample_keeps_gaps_flat_leads_and_sigma() -> None:
    signal = np.zeros((3, 1000), np.float32)
    signal[0, 300:500] = np.nan
    signal[1] = np.nan
    signal[2] = 0.7
    half = Recording(("I", "II", "III"), 500.0, signal, np.full_like(signal, 0.2)).resample(250.0)
    assert np.isnan(half.signal_mv[0, 151:249]).all()
    assert np.isfinite(half.signal_mv[0, :149]).all()
    assert np.isnan(half.signal_mv[1]).all()
    np.testing.assert_allclose(half.signal_mv[2], 0.7, atol=1e-6)
    assert half.sigma_mv is not None
    np.testing.assert_allclose(half.sigma_mv, 0.2, atol=1e-6)


@pytest.mark.parametrize("fs", [0.0, -5.0, float("nan"), 0.01])
def test_resample_refuses(fs: float) -> None:
    with pytest.raises(ValueError, match="cannot resample"):
        make().resample(fs)


def test_recordings_can_be_compared_and_hashed() -> None:
    recording = make()
    assert recording == recording
    assert recording != make()
    assert len({recording, recording}) == 1
