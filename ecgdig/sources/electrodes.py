"""What electrodes and the machine add: wander, hum, muscle, motion, filters. All per electrode, so that leads agree.

Ten electrodes, the one on the right leg being the machine's own. Noise enters at an electrode, and leads are
differences of electrodes: so II = I + III and Goldberger's relations hold for the noise as they do for the heart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ELECTRODES = ("RA", "LA", "LL", "C1", "C2", "C3", "C4", "C5", "C6")
_WILSON = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0]) / 3  # the central terminal
_RA, _LA, _LL = np.eye(9)[:3]

# leads in the order of `ecgdig.units.LEADS` from electrodes, (12, 9)
LEADS_FROM_ELECTRODES: Array = np.stack(
    [
        _LA - _RA,  # I
        _LL - _RA,  # II
        _LL - _LA,  # III
        _RA - (_LA + _LL) / 2,  # aVR
        _LA - (_RA + _LL) / 2,  # aVL
        _LL - (_RA + _LA) / 2,  # aVF
        *(np.eye(9)[3:] - _WILSON),  # V1 .. V6
    ]
)

# electrode potentials from I, II, V1 .. V6, the central terminal being zero, (9, 8)
ELECTRODES_FROM_LEADS: Array = np.zeros((9, 8))
ELECTRODES_FROM_LEADS[:3, :2] = np.array([[-1, -1], [2, -1], [-1, 2]]) / 3
ELECTRODES_FROM_LEADS[3:, 2:] = np.eye(6)


@dataclass(frozen=True)
class Noise:
    """What is added to the potentials, in mV, and what the machine does to them.

    Attributes:
        wander_mv: standard deviation of slow drift (below 0.5 Hz), an electrode.
        breathing_mv: amplitude of the respiratory part of the wander.
        muscle_mv: standard deviation of muscle noise (20 to 150 Hz), an electrode.
        bursts: share of the time in which the muscle noise is several times stronger.
        hum_mv: amplitude of the power line, an electrode.
        hum_hz: 50 or 60.
        steps: how many sudden shifts of an electrode, each dying away within a second or so.
        loose: index of an electrode with bad contact, -1 = none: all its noise is several times larger.
        flat: chest leads that show a flat line (electrode off), by index from V1 = 0.
        high_pass_hz: the machine's first-order high-pass.
        low_pass_hz: the machine's low-pass, usually 40, 100 or 150.
    """

    wander_mv: float = 0.02
    breathing_mv: float = 0.01
    muscle_mv: float = 0.008
    bursts: float = 0.0
    hum_mv: float = 0.0
    hum_hz: float = 50.0
    steps: int = 0
    loose: int = -1
    flat: tuple[int, ...] = ()
    high_pass_hz: float = 0.05
    low_pass_hz: float = 150.0


def electrode_noise(noise: Noise, rng: np.random.Generator, fs: float, n: int, respiration_hz: float) -> Array:
    """The noise of each electrode, `(9, n)` in mV."""
    time_s = np.arange(n) / fs
    level = np.exp(rng.normal(0, 0.4, 9))
    if noise.loose >= 0:
        level[noise.loose] *= rng.uniform(3, 6)
    total = noise.wander_mv * _coloured(rng, fs, n, 0.04, 0.5, slope=-1.0)
    total += noise.muscle_mv * _coloured(rng, fs, n, 20.0, 150.0, slope=-0.25) * _bursts(noise.bursts, rng, fs, n)
    phase = 2 * np.pi * respiration_hz * time_s + rng.uniform(0, 2 * np.pi)
    total += noise.breathing_mv * rng.normal(0, 1, (9, 1)) * (np.sin(phase) + 0.3 * np.sin(2 * phase))
    if noise.hum_mv > 0:
        total += noise.hum_mv * _hum(noise.hum_hz, rng, fs, time_s)
    total *= level[:, None]
    for _ in range(noise.steps):
        after_s = time_s - rng.uniform(0, time_s[-1])
        fall = np.exp(-np.maximum(after_s, 0) / rng.uniform(0.15, 1.5)) * (after_s > 0)
        total[rng.integers(9)] += rng.choice([-1, 1]) * rng.uniform(0.1, 0.8) * fall
    return total


def machine_filter(potentials: Array, noise: Noise, fs: float) -> Array:
    """The machine's pass band, the same for all electrodes `(9, n)`."""
    from scipy.signal import sosfilt, sosfilt_zi, sosfiltfilt  # 65 MB, which processes that read records do without

    if noise.low_pass_hz < 0.45 * fs and potentials.shape[1] > 30:
        potentials = sosfiltfilt(_butterworth(2, noise.low_pass_hz, "low", fs), potentials, axis=1)
    high = _butterworth(1, noise.high_pass_hz, "high", fs)
    rest = sosfilt_zi(high)[:, None, :] * np.median(potentials, axis=1)[None, :, None]
    filtered: Array = sosfilt(high, potentials, axis=1, zi=rest)[0]
    return filtered


@lru_cache(maxsize=64)
def _butterworth(order: int, hz: float, kind: Literal["low", "high"], fs: float) -> Array:
    """Second-order sections; designing them takes longer than filtering ten seconds."""
    from scipy.signal import butter

    return np.asarray(butter(order, hz, kind, fs=fs, output="sos"))


def _coloured(rng: np.random.Generator, fs: float, n: int, low_hz: float, high_hz: float, slope: float) -> Array:
    """Noise of unit variance between two frequencies, amplitude spectrum ~ f^slope, `(9, n)`."""
    frequency = np.fft.rfftfreq(n, 1 / fs)
    shape = np.where((frequency >= low_hz) & (frequency <= high_hz), np.maximum(frequency, low_hz) ** slope, 0.0)
    if not shape.any():  # a recording too short or too coarse for the band
        return np.zeros((9, n))
    spectrum = rng.normal(size=(9, len(shape))) + 1j * rng.normal(size=(9, len(shape)))
    wave: Array = np.fft.irfft(spectrum * shape, n, axis=1)
    wave *= n / 2 / np.sqrt(np.sum(shape**2))
    return wave


def _bursts(share: float, rng: np.random.Generator, fs: float, n: int) -> Array:
    """How strong the muscle noise is at every moment of each electrode, `(9, n)`: 1, or up to 5 in a burst."""
    if share <= 0:
        return np.ones((9, 1))
    every = max(1, int(0.3 * fs))
    knots = 1 + 4 * (rng.random((9, n // every + 2)) < share) * rng.random((9, 1))
    position = np.arange(n) / every
    return np.stack([np.interp(position, np.arange(knots.shape[1]), row) for row in knots])


def _hum(hum_hz: float, rng: np.random.Generator, fs: float, time_s: Array) -> Array:
    """The power line and its third harmonic, of unit amplitude at a typical electrode, `(9, n)`."""
    actual_hz = hum_hz + rng.normal(0, 0.02)
    strength = rng.normal(0, 1, (9, 1))
    wave = np.zeros_like(time_s)
    for harmonic, share in ((1, 1.0), (3, 0.2)):
        if harmonic * actual_hz < 0.5 * fs:
            wave = wave + share * np.sin(2 * np.pi * harmonic * actual_hz * time_s + rng.uniform(0, 2 * np.pi))
    return strength * wave


def sample_noise(rng: np.random.Generator) -> Noise:
    """Noise as seen in clinical recordings, from clean to bad; the distributions are our own choice."""
    flat: tuple[int, ...] = ()
    if rng.random() < 0.04:
        flat = tuple(range(6)) if rng.random() < 0.25 else (int(rng.integers(6)),)
    return Noise(
        wander_mv=float(0.022 * np.exp(rng.normal(0, 0.9))),
        breathing_mv=float(0.008 * np.exp(rng.normal(0, 0.9))),
        muscle_mv=float(0.007 * np.exp(rng.normal(0, 0.8))),
        bursts=float(rng.uniform(0.05, 0.4)) if rng.random() < 0.15 else 0.0,
        hum_mv=float(0.006 * np.exp(rng.normal(0, 0.8))) if rng.random() < 0.25 else 0.0,
        hum_hz=float(rng.choice([50.0, 60.0])),
        steps=int(rng.integers(1, 4)) if rng.random() < 0.08 else 0,
        loose=int(rng.integers(9)) if rng.random() < 0.08 else -1,
        flat=flat,
        high_pass_hz=float(rng.choice([0.05, 0.15, 0.5], p=[0.5, 0.25, 0.25])),
        low_pass_hz=float(rng.choice([40.0, 100.0, 150.0], p=[0.25, 0.25, 0.5])),
    )
