"""The three SNRs against a direct, slow implementation of their definitions, and against known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ecgdig.metrics import snr_challenge_db, snr_db, snr_kaggle_db, snr_page_db

Lead = NDArray[np.float64]
NAN = float("nan")
TINY = 1e-18  # mV² a sample: rounding


def test_all_snrs_agree_with_direct_sums_on_100_random_cases() -> None:
    for seed in range(100):
        rng = np.random.default_rng(seed)
        fs = float(rng.choice([20.0, 50.0]))
        leads = [_random_pair(rng) for _ in range(2)]
        for r, e in leads:
            assert snr_db(r, e) == pytest.approx(direct_plain([(r, e)]), abs=1e-9, nan_ok=True), seed
            assert snr_kaggle_db(r, e, fs) == pytest.approx(direct_kaggle([(r, e)], fs), abs=1e-9, nan_ok=True), seed
            assert snr_challenge_db(r, e, fs) == pytest.approx(direct_challenge(r, e, fs), abs=1e-9, nan_ok=True), seed
        n = min(r.size for r, _ in leads)
        pair = [(r[:n], _fit(e, n)) for r, e in leads]
        r2, e2 = np.stack([r for r, _ in pair]), np.stack([e for _, e in pair])
        assert snr_page_db(r2, e2) == pytest.approx(direct_plain(pair), abs=1e-9, nan_ok=True), seed
        assert snr_kaggle_db(r2, e2, fs) == pytest.approx(direct_kaggle(pair, fs), abs=1e-9, nan_ok=True), seed
        np.testing.assert_allclose(snr_db(r2, e2), [direct_plain([p]) for p in pair], rtol=0, atol=1e-9)


WAVE = np.sin(np.arange(40) / 3.0)
GAPS = np.full(40, NAN)
INF = float("inf")


@pytest.mark.parametrize(
    "reference, estimate, plain, challenge, kaggle",
    [
        pytest.param(0 * WAVE, 0.1 * WAVE, 0.0, 0.0, 0.0, id="flat reference: 0 dB, not NaN"),
        pytest.param(0 * WAVE, 0 * WAVE, INF, INF, INF, id="flat reference, perfect estimate"),
        pytest.param(0 * WAVE, GAPS, 0.0, 0.0, 0.0, id="flat reference, nothing read: 0 dB, not perfect"),
        pytest.param(WAVE, WAVE, INF, INF, INF, id="perfect estimate"),
        pytest.param(WAVE, 0 * WAVE, 0.0, None, None, id="flat estimate: 0 dB where nothing moves it"),
        pytest.param(WAVE, GAPS, 0.0, 0.0, 0.0, id="all-NaN estimate: 0 dB"),
        pytest.param(WAVE, WAVE[:0], 0.0, 0.0, 0.0, id="estimate without samples: 0 dB"),
        pytest.param(WAVE, WAVE + 0.5, INF, None, INF, id="constant offset"),
        pytest.param(WAVE, np.append(WAVE, GAPS), INF, INF, INF, id="longer estimate: cut"),
        pytest.param(WAVE, WAVE[:30], None, INF, None, id="shorter estimate: missing at the end"),
        pytest.param(GAPS, WAVE, NAN, NAN, NAN, id="all-NaN reference: not scored"),
        pytest.param(WAVE[:3], WAVE[:3], INF, INF, INF, id="3 samples"),
        pytest.param(WAVE[:3], WAVE[:2], None, INF, None, id="3 samples, 2 of them read"),
        pytest.param(WAVE[:1], WAVE[:1] + 0.1, INF, INF, INF, id="1 sample: only an offset is left"),
    ],
)
def test_degenerate(
    reference: Lead, estimate: Lead, plain: float | None, challenge: float | None, kaggle: float | None
) -> None:
    """None = an ordinary finite number, which the direct implementation gives."""
    expected = [
        (snr_db(reference, estimate), plain, direct_plain([(reference, estimate)])),
        (snr_challenge_db(reference, estimate, 50), challenge, direct_challenge(reference, estimate, 50)),
        (snr_kaggle_db(reference, estimate, 50), kaggle, direct_kaggle([(reference, estimate)], 50)),
    ]
    for value, known, direct in expected:
        assert value == pytest.approx(direct, abs=1e-9, nan_ok=True)
        assert math.isfinite(value) if known is None else value == pytest.approx(known, abs=1e-9, nan_ok=True)


def test_flat_reference_above_zero_is_flat_to_the_plain_rule_and_has_power_in_the_competitions() -> None:
    reference, estimate = np.full(40, 0.3), 0.3 + 0.1 * WAVE
    assert snr_db(reference, estimate) == 0.0
    assert snr_challenge_db(reference, estimate, 50) > 0
    assert snr_kaggle_db(reference, estimate, 50) > 0


@pytest.mark.parametrize("level_db", [0.0, 10.0, 20.0, 30.0])
def test_white_noise_of_known_power(ecg_mv: Lead, level_db: float) -> None:
    reference = ecg_mv - ecg_mv.mean()
    estimate = reference + _white_noise(reference, level_db)
    assert snr_db(reference, estimate) == pytest.approx(level_db, abs=1e-9)
    assert snr_kaggle_db(reference, estimate, 500) == pytest.approx(level_db, abs=1e-9)
    # the raster's peak may lie some levels beside zero: 10 dB of noise blur the picture over 0.1 mV
    assert snr_challenge_db(reference, estimate, 500) == pytest.approx(level_db, abs=0.5)


def test_time_shift_of_20_ms_is_forgiven_by_the_competitions_only(ecg_mv: Lead) -> None:
    reference = ecg_mv[400:4800]  # both ends on the baseline: what the shift leaves missing costs nothing
    late = ecg_mv[390:4790]
    assert snr_db(reference, late) < 3
    assert snr_kaggle_db(reference, late, 500) > 40
    assert snr_challenge_db(reference, late, 500) == INF


@pytest.mark.parametrize("gain_error, expected_db", [(0.05, 26.02), (0.01, 40.0), (-0.05, 26.02)])
def test_gain_error_caps_every_snr(ecg_mv: Lead, gain_error: float, expected_db: float) -> None:
    reference = ecg_mv - ecg_mv.mean()
    estimate = reference * (1 + gain_error)
    assert snr_db(reference, estimate) == pytest.approx(expected_db, abs=0.01)
    assert snr_kaggle_db(reference, estimate, 500) == pytest.approx(expected_db, abs=0.01)
    # the raster's peak puts baseline on baseline: for this rule the baseline must be the zero
    assert snr_challenge_db(ecg_mv, ecg_mv * (1 + gain_error), 500) == pytest.approx(expected_db, abs=0.1)


def test_ten_percent_missing_costs_1_5_db_by_the_challenge_and_6_db_by_kaggle_at_15_db(ecg_mv: Lead) -> None:
    reference = ecg_mv - ecg_mv.mean()
    estimate = reference + _white_noise(reference, 15.0)
    gappy = estimate.copy()
    gappy[::10] = NAN  # spread out, so that about a tenth of the power is missing too
    cost_challenge = snr_challenge_db(reference, estimate, 500) - snr_challenge_db(reference, gappy, 500)
    cost_kaggle = snr_kaggle_db(reference, estimate, 500) - snr_kaggle_db(reference, gappy, 500)
    assert cost_challenge == pytest.approx(1.5, abs=0.3)
    assert cost_kaggle == pytest.approx(6.1, abs=0.5)


def test_shifts_beyond_the_limits_are_not_used(ecg_mv: Lead) -> None:
    reference = ecg_mv[500:3000]
    assert snr_challenge_db(reference, reference + 1.2, 500) < 0
    assert snr_challenge_db(reference, reference + 0.9, 500) > 25  # to half a level
    pulse = np.where(np.arange(2500) == 1000, 1.0, 0.0) + np.arange(2500) * 1e-3
    assert snr_kaggle_db(pulse - pulse.mean(), np.roll(pulse, 101), 500) < 30


def test_different_leads_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"\(12, 5\).*\(11, 5\)"):
        snr_db(np.zeros((12, 5)), np.zeros((11, 5)))


# --- the definitions again, written out with loops -----------------------------------------------------------------


def direct_plain(leads: list[tuple[Lead, Lead]]) -> float:
    signal = noise = 0.0
    scored = read = 0
    for r, e in leads:
        e = _fit(e, r.size)
        at = [i for i in range(r.size) if math.isfinite(r[i])]
        have = [i for i in at if math.isfinite(e[i])]
        mean_r = math.fsum(r[i] for i in at) / max(len(at), 1)
        mean_e = math.fsum(e[i] for i in have) / max(len(have), 1)
        for i in at:
            signal += (r[i] - mean_r) ** 2
            noise += (r[i] - mean_r - (e[i] - mean_e if math.isfinite(e[i]) else 0.0)) ** 2
        scored, read = scored + len(at), read + len(have)
    return _db(signal, noise, scored, read)


def direct_kaggle(leads: list[tuple[Lead, Lead]], fs: float) -> float:
    signal = noise = 0.0
    scored = read = 0
    for r, e in leads:
        aligned = _direct_kaggle_alignment(r, _fit(e, r.size), math.floor(fs / 5))
        for i in range(r.size):
            if math.isfinite(r[i]):
                known = math.isfinite(aligned[i])
                signal += r[i] ** 2
                noise += (r[i] - (aligned[i] if known else 0.0)) ** 2
                scored, read = scored + 1, read + known
    return _db(signal, noise, scored, read)


def _direct_kaggle_alignment(r: Lead, e: Lead, max_lag: int) -> Lead:
    if not (np.isfinite(r).any() and np.isfinite(e).any()):
        return e
    mean_r, mean_e = np.nanmean(r), np.nanmean(e)
    correlations = {}
    for lag in range(-max_lag, max_lag + 1):
        terms = [(r[i] - mean_r) * (e[i - lag] - mean_e) for i in range(r.size) if 0 <= i - lag < r.size]
        correlations[lag] = math.fsum(term for term in terms if math.isfinite(term))
    tie = 1e-9 * math.sqrt(np.nansum((r - mean_r) ** 2) * np.nansum((e - mean_e) ** 2))
    best = [lag for lag, value in correlations.items() if value >= max(correlations.values()) - tie]
    aligned = _moved(e, min(best, key=lambda lag: (abs(lag), lag)))
    differences = [d for d in r - aligned if math.isfinite(d)]
    return aligned + math.fsum(differences) / len(differences) if differences else aligned


def direct_challenge(r: Lead, e: Lead, fs: float) -> float:
    e = _fit(e, r.size)
    if not np.isfinite(r).any():
        return NAN
    if not np.isfinite(e).any():
        return 0.0
    low, high = min(np.nanmin(r), np.nanmin(e)), max(np.nanmax(r), np.nanmax(e))
    if high > low:
        lag, level = _raster_peak(_raster(r, low, high), _raster(e, low, high))
        offset = level * (high - low) / 255
        if abs(lag) <= 0.5 * fs and abs(offset) <= 1.0:
            e = _moved(e, lag) + offset
    both = [i for i in range(r.size) if math.isfinite(r[i]) and math.isfinite(e[i])]
    scored = int(np.isfinite(r).sum())
    signal, noise = math.fsum(r[i] ** 2 for i in both), math.fsum((r[i] - e[i]) ** 2 for i in both)
    return _db(signal, noise, len(both), len(both)) * len(both) / scored if both else 0.0


def _raster(lead: Lead, low: float, high: float) -> Lead:
    """The smoothed picture with a margin wide enough that nothing is cut: `(256 + 8, n_samples + 8)`."""
    picture = np.zeros((256 + 8, lead.size + 8))
    for i, value in enumerate(lead):
        if math.isfinite(value):
            picture[4 + round(255 * (value - low) / (high - low)), 4 + i] = 1
    smooth: Lead = gaussian_filter(picture, 0.5, mode="constant")
    return smooth


def _raster_peak(a: Lead, b: Lead) -> tuple[int, int]:
    """(lag, level) with the largest direct sum over pixels of a(y + level, x + lag) b(y, x)."""
    height, width = a.shape
    correlation = np.zeros((2 * height - 1, 2 * width - 1))
    flipped = b[::-1, ::-1]
    for y, x in np.argwhere(a > 0):
        correlation[y : y + height, x : x + width] += a[y, x] * flipped
    peaks = np.argwhere(correlation >= correlation.max() * (1 - 1e-9)) - (height - 1, width - 1)
    return min(((int(x), int(y)) for y, x in peaks), key=lambda p: (abs(p[0]), abs(p[1]), p))


def _db(signal: float, noise: float, scored: int, read: int) -> float:
    if scored == 0:
        return NAN
    if read == 0:
        return 0.0
    if noise <= TINY * scored:
        return INF
    return 10 * math.log10(signal / noise) if signal > TINY * scored else 0.0


def _fit(lead: Lead, n: int) -> Lead:
    return np.array([lead[i] if i < lead.size else NAN for i in range(n)], np.float64)


def _moved(lead: Lead, lag: int) -> Lead:
    return np.array([lead[i - lag] if 0 <= i - lag < lead.size else NAN for i in range(lead.size)])


def _random_pair(rng: np.random.Generator) -> tuple[Lead, Lead]:
    """A lead and a bad copy of it: shifted, offset, scaled, noisy, of another length, both with gaps."""
    n = int(rng.integers(3, 60))
    wave = np.cumsum(rng.normal(0, 0.3, n + 60))
    start = 30 + int(rng.integers(-12, 13))
    r = wave[30 : 30 + n].copy()
    e = wave[start : start + max(1, n + int(rng.integers(-10, 11)))] * rng.uniform(0.7, 1.2)
    e = e + rng.normal(0, rng.choice([0.0, 0.4])) + rng.normal(0, rng.choice([0.0, 0.01, 0.3]), e.size)
    for lead in (r, e):
        if rng.random() < 0.5:
            first = int(rng.integers(0, lead.size))
            lead[first : first + int(rng.integers(1, 1 + max(1, lead.size // 2)))] = NAN
    return r, e


def _white_noise(signal: Lead, level_db: float) -> Lead:
    """Noise that lies exactly `level_db` below the signal, with zero mean."""
    noise = np.random.default_rng(0).normal(size=signal.size)
    noise -= noise.mean()
    return noise * float(np.sqrt(np.mean(signal**2) / np.mean(noise**2) / 10 ** (level_db / 10)))
