from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecgdig.io import read_wfdb
from ecgdig.recording import Recording
from ecgdig.sources import Simulator, Source, simulate
from ecgdig.sources.electrodes import Noise
from ecgdig.sources.rhythm import Rhythm, RhythmKind
from ecgdig.sources.simulator import Conduction, Morphology, Patient, Territory
from ecgdig.units import LEADS

SHARED = Path(__file__).parents[3] / "shared" / "ecg" / "train" / "ptb-xl"

QUIET = Noise(wander_mv=0, breathing_mv=0, muscle_mv=0)
STEADY = Rhythm(rate_bpm=60.0, hf=0.0, lf=0.0, irregularity=0.0)


def record(seed: int = 0, **changes: object) -> Recording:
    """A noise-free recording of the typical beat at 60/min, with `changes` to its morphology."""
    morphology = Morphology(**({"individuality": 0.0} | changes))  # type: ignore[arg-type]
    return simulate(np.random.default_rng(seed), Patient(STEADY, morphology, QUIET))


def mean_beat(recording: Recording, lead: str) -> np.ndarray:
    """One second around R: R is at sample 250. The baseline is what stands 60 to 40 ms before it."""
    wave = recording.lead(lead)
    peaks = _r_peaks(recording)
    beat = np.mean([wave[peak - 250 : peak + 250] for peak in peaks if 250 <= peak <= wave.size - 250], axis=0)
    quiet: np.ndarray = beat - beat[20:60].mean()
    return quiet


def _r_peaks(recording: Recording) -> Sequence[int]:
    """Beats are 500 samples apart: the phase with the steepest slopes over all leads."""
    slope = np.abs(np.gradient(recording.signal_mv, axis=1)).sum(axis=0)
    phase = int(np.convolve(slope[:4500].reshape(9, 500).sum(axis=0), np.ones(25), "same").argmax())
    return range(phase, recording.n_samples, 500)


def assert_leads_agree(recording: Recording) -> None:
    i, ii, iii, avr, avl, avf = (recording.lead(name) for name in LEADS[:6])
    np.testing.assert_allclose(ii, i + iii, atol=2e-6)
    np.testing.assert_allclose(avr, -(i + ii) / 2, atol=2e-6)
    np.testing.assert_allclose(avl, i - ii / 2, atol=2e-6)
    np.testing.assert_allclose(avf, ii - i / 2, atol=2e-6)


def test_many_are_sound() -> None:
    source = Simulator(150, seed=3)
    assert isinstance(source, Source)
    for recording in source:
        assert recording.leads == LEADS
        assert recording.signal_mv.shape == (12, 5000)
        assert np.isfinite(recording.signal_mv).all()
        assert np.abs(recording.signal_mv).max() < 12
        assert_leads_agree(recording)
        assert 18 <= int(recording.metadata["Age"]) <= 95
        assert 25 <= float(recording.metadata["Heart rate"]) <= 230


def test_a_recording_is_a_pure_function_of_seed_and_index() -> None:
    source = Simulator(20, seed=1)
    again = pickle.loads(pickle.dumps(source))
    for index in (5, 2, 5, 19):
        np.testing.assert_array_equal(source[index].signal_mv, again[index].signal_mv)
    np.testing.assert_array_equal(source[-1].signal_mv, source[19].signal_mv)
    assert not np.array_equal(source[0].signal_mv, source[1].signal_mv)
    assert not np.array_equal(source[0].signal_mv, Simulator(20, seed=2)[0].signal_mv)
    with pytest.raises(IndexError):
        source[20]


@pytest.mark.parametrize("fs, duration_s", [(100.0, 10.0), (250.0, 2.5), (1000.0, 1.0), (500.0, 60.0), (500.0, 0.004)])
def test_rates_and_durations(fs: float, duration_s: float) -> None:
    for index in range(5):
        recording = Simulator(5, fs=fs, duration_s=duration_s)[index]
        assert recording.n_samples == round(fs * duration_s)
        assert np.isfinite(recording.signal_mv).all()


def test_no_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="two samples"):
        simulate(np.random.default_rng(0), duration_s=0.0)


def test_the_typical_beat_reads_as_a_normal_ecg() -> None:
    recording = record()
    beat = {lead: mean_beat(recording, lead) for lead in LEADS}
    qrs, t_wave, p_wave = slice(225, 275), slice(330, 420), slice(140, 205)
    assert all(beat[lead][qrs].max() > 0.3 for lead in ("I", "II", "V4", "V5", "V6"))
    assert all(beat["aVR"][wave].min() < -0.05 for wave in (p_wave, qrs, t_wave))
    assert beat["aVR"].max() < 0.15
    r, s = ([extreme(beat[f"V{i}"][qrs]) for i in range(1, 7)] for extreme in (np.max, np.min))
    assert r[0] < r[1] < r[2] < r[3]  # R grows from V1 to V4
    assert r[0] < -s[0]  # V1 is rS
    assert r[4] > -3 * s[4]  # V5 is qR
    assert r[4] > r[5] > 0.5
    assert all(beat[lead][t_wave].max() > 0.08 for lead in ("I", "II", "V2", "V3", "V4", "V5", "V6"))
    assert beat["II"][p_wave].max() == pytest.approx(0.13, abs=0.06)


@pytest.mark.parametrize(
    "territory, up, down",
    [
        (Territory.ANTERIOR, ("V2", "V3"), ()),
        (Territory.INFERIOR, ("II", "III", "aVF"), ("aVL", "I")),
        (Territory.LATERAL, ("I", "aVL", "V5", "V6"), ("III",)),
        (Territory.POSTERIOR, (), ("V1", "V2", "V3")),
    ],
)
def test_st_elevation_shows_in_its_leads(territory: Territory, up: tuple[str, ...], down: tuple[str, ...]) -> None:
    normal, ill = record(), record(territory=territory, st_mv=0.3)
    at = slice(300, 320)  # 110 ms after R
    shift = {lead: float((mean_beat(ill, lead) - mean_beat(normal, lead))[at].mean()) for lead in LEADS}
    assert all(shift[lead] > 0.08 for lead in up)
    assert all(shift[lead] < -0.05 for lead in down)


def qrs_ms(recording: Recording) -> float:
    """How long any lead moves fast, in ms: a crude QRS duration."""
    slope = np.max([np.abs(np.gradient(mean_beat(recording, lead))) for lead in LEADS], axis=0)[150:340]
    fast = np.flatnonzero(slope > 0.016)
    return 2.0 * float(fast[-1] - fast[0])


def test_blocks_are_wide() -> None:
    normal = qrs_ms(record())
    assert 70 < normal < 115
    assert qrs_ms(record(conduction=Conduction.RBBB)) > normal + 25
    assert qrs_ms(record(conduction=Conduction.LBBB)) > normal + 25
    lbbb = record(conduction=Conduction.LBBB)
    v1, v6 = mean_beat(lbbb, "V1"), mean_beat(lbbb, "V6")
    assert v1[200:300].min() < -0.5
    assert v1[330:400].max() > 0.1  # T against QRS
    assert v6[200:300].max() > 0.4
    rbbb = mean_beat(record(conduction=Conduction.RBBB), "V1")
    assert rbbb[265:300].max() > 0.3  # R'


def test_axis_turns_the_limb_leads() -> None:
    def net(recording: Recording, lead: str) -> float:
        beat = mean_beat(recording, lead)[220:280]
        return float(beat.max() + beat.min())

    left, right = record(frontal_deg=-70.0), record(frontal_deg=90.0)
    assert net(left, "I") > 0 > net(left, "aVF")
    assert net(right, "I") < 0 < net(right, "aVF")


def test_qt_and_gain_do_what_they_say() -> None:
    def t_peak(recording: Recording) -> int:
        return int(mean_beat(recording, "V4")[320:].argmax())

    assert t_peak(record(qtc_s=0.5)) > t_peak(record(qtc_s=0.4)) + 25
    low, high = record(qrs_gain=0.4), record(qrs_gain=2.0)
    assert np.ptp(mean_beat(high, "V5")[230:270]) > 3.5 * np.ptp(mean_beat(low, "V5")[230:270])
    assert mean_beat(record(t_gain=-1.0), "V4")[330:400].min() < -0.1


def test_fibrillation_has_f_waves_and_pacing_spikes() -> None:
    rng = np.random.default_rng(0)
    paced = simulate(rng, Patient(Rhythm(RhythmKind.VENTRICULAR_PACING), Morphology(), QUIET))
    assert np.abs(np.diff(paced.lead("II"))).max() > 0.12
    fibrillating = Rhythm(RhythmKind.ATRIAL_FIBRILLATION, rate_bpm=50.0, irregularity=0.2)
    still = replace(Morphology(), qrs_gain=0.0, t_gain=0.0, p_gain=0.0)
    f_waves = simulate(rng, Patient(fibrillating, still, QUIET)).lead("V1")
    spectrum = np.abs(np.fft.rfft(f_waves - f_waves.mean()))
    assert 3.5 < spectrum.argmax() / 10 < 9.5


@pytest.mark.parametrize("flat", [(), (2,), (0, 1, 2, 3, 4, 5)])
def test_flat_chest_leads(flat: tuple[int, ...]) -> None:
    noise = Noise(flat=flat, loose=1, steps=3, hum_mv=0.1, bursts=0.5)
    recording = simulate(np.random.default_rng(0), Patient(noise=noise))
    assert [i for i in range(6) if not recording.lead(f"V{i + 1}").any()] == list(flat)
    assert_leads_agree(recording)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the project's recordings are not here")
def test_sizes_are_those_of_real_recordings() -> None:
    def sizes(recordings: Sequence[Recording]) -> np.ndarray:
        signals = np.stack([recording.select(LEADS).signal_mv[:, :5000] for recording in recordings])
        return np.median(np.ptp(np.sort(signals, axis=2)[:, :, 10:-10], axis=2), axis=0)

    real = sizes([read_wfdb(path) for path in sorted(SHARED.glob("*.hea"))[::15]])
    ours = sizes([Simulator(100, seed=9)[i] for i in range(100)])
    assert (ours / real > 0.65).all()
    assert (ours / real < 1.5).all()
