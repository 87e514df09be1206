"""The heart as one dipole: waves as sums of Gaussians in time, and the 12 leads as projections.

Axes are Frank's: x to the patient's left, y to the feet, z to the back; the dipole is in mV of the Frank leads.

The normal beat is Table 1 of Sameni, Clifford, Jutten & Shamsollahi, "Multichannel ECG and Noise Modeling: Application
to Maternal and Fetal ECG Signals", EURASIP J. Adv. Signal Process. 2007, doi:10.1155/2007/43407. The leads are Dower's
(Dower, Machado & Osborne, Clin. Cardiol. 1980; coefficients as in Bailón, Laguna & Sörnmo, ch. 8 of "Advanced Methods
and Tools for ECG Data Analysis", 2006). Every other number here (blocks, ectopic beats, infarction) is our own choice:
vectors and times set from textbook descriptions until the leads look like those.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# rows: leads; columns: x, y, z
DOWER: Array = np.array(
    [
        [0.632, -0.235, 0.059],  # I
        [0.235, 1.066, -0.132],  # II
        [-0.515, 0.157, -0.917],  # V1
        [0.044, 0.164, -1.387],  # V2
        [0.882, 0.098, -1.277],  # V3
        [1.213, 0.127, -0.601],  # V4
        [1.125, 0.127, -0.086],  # V5
        [0.831, 0.076, 0.230],  # V6
    ]
)

# (phase in rad, width in rad, amplitude in mV) of each Gaussian, per axis; phase 0 is the R peak
_NORMAL_BEAT = (
    (  # x
        (-1.09, 0.0906, 0.03),
        (-0.83, 0.1057, 0.08),
        (-0.19, 0.0453, -0.13),
        (-0.07, 0.0378, 0.85),
        (0.0, 0.0332, 1.11),
        (0.06, 0.0302, 0.75),
        (0.22, 0.0378, 0.06),
        (1.2, 0.6040, 0.10),
        (1.42, 0.3020, 0.17),
        (1.68, 0.1812, 0.39),
        (2.9, 0.5, 0.03),
    ),
    (  # y
        (-1.1, 0.07, 0.035),
        (-0.9, 0.07, 0.015),
        (-0.76, 0.04, -0.019),
        (-0.11, 0.055, 0.32),
        (-0.01, 0.037, 0.51),
        (0.065, 0.0604, -0.32),
        (0.8, 0.450, 0.04),
        (1.58, 0.3, 0.08),
        (2.9, 0.5, 0.014),
    ),
    (  # z
        (-1.1, 0.03, -0.03),
        (-0.93, 0.12, -0.14),
        (-0.7, 0.04, -0.035),
        (-0.4, 0.4, 0.045),
        (-0.15, 0.045, -0.4),
        (0.095, 0.05, 0.46),
        (1.05, 0.8, -0.12),
        (1.25, 0.4, -0.2),
        (1.55, 0.2, -0.35),
        (2.8, 0.4, -0.035),
    ),
)
_P_BEFORE_RAD, _T_AFTER_RAD = -0.3, 0.5
_PERIOD_S = 1.0  # the heart rate at which the table's phases give an 80 ms QRS and a 370 ms QT: our reading of it
NORMAL_PR_S = 0.93 / (2 * np.pi) * _PERIOD_S  # middle of P to R
NORMAL_QT_S = 0.37


@dataclass(frozen=True)
class Waves:
    """A sum of Gaussians: dipole amplitudes `(n, 3)` in mV, centres `(n,)` and standard deviations `(n,)` in s."""

    amplitude_mv: Array
    centre_s: Array
    width_s: Array

    @classmethod
    def of(cls, *gaussians: tuple[float, float, tuple[float, float, float]]) -> Waves:
        """From (centre s, width s, (x, y, z) mV)."""
        centre, width, amplitude = zip(*gaussians, strict=True)
        return cls(np.array(amplitude, np.float64), np.array(centre), np.array(width))

    def __add__(self, other: Waves) -> Waves:
        return Waves(
            np.concatenate([self.amplitude_mv, other.amplitude_mv]),
            np.concatenate([self.centre_s, other.centre_s]),
            np.concatenate([self.width_s, other.width_s]),
        )

    def scaled(self, gain: float) -> Waves:
        return Waves(self.amplitude_mv * gain, self.centre_s, self.width_s)

    def stretched(self, factor: float) -> Waves:
        return Waves(self.amplitude_mv, self.centre_s * factor, self.width_s * factor)

    def turned(self, rotation: Array) -> Waves:
        return Waves(self.amplitude_mv @ rotation.T, self.centre_s, self.width_s)

    def varied(self, rng: np.random.Generator, amount: float) -> Waves:
        """Another heart of the same kind: amplitudes by `amount`, times and widths by less."""
        n = len(self.centre_s)
        spread = np.exp(rng.normal(0, amount, (n, 1)))
        shift = rng.normal(0, 0.2 * amount, n) * self.width_s
        width = self.width_s * np.exp(rng.normal(0, amount / 3, n))
        return Waves(self.amplitude_mv * spread, self.centre_s + shift, width)


def rotation(frontal_deg: float, horizontal_deg: float, sagittal_deg: float = 0.0) -> Array:
    """A turn of the dipole; frontal > 0 moves the axis from left to the feet, horizontal > 0 from left to back."""
    a, b, c = np.deg2rad([frontal_deg, horizontal_deg, sagittal_deg])
    frontal = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    horizontal = np.array([[np.cos(b), 0, -np.sin(b)], [0, 1, 0], [np.sin(b), 0, np.cos(b)]])
    sagittal = np.array([[1, 0, 0], [0, np.cos(c), -np.sin(c)], [0, np.sin(c), np.cos(c)]])
    turn: Array = frontal @ horizontal @ sagittal
    return turn


def normal_beat() -> tuple[Waves, Waves, Waves]:
    """P, QRS and T of the published beat, as published. P is centred on its own time 0, QRS and T on the R peak."""
    rows = [
        (phase, width, np.eye(3)[axis] * amplitude)
        for axis, gaussians in enumerate(_NORMAL_BEAT)
        for phase, width, amplitude in gaussians
    ]
    phase_rad, width_rad = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    amplitude = np.stack([row[2] for row in rows])
    to_s = _PERIOD_S / (2 * np.pi)
    p, t = phase_rad < _P_BEFORE_RAD, phase_rad > _T_AFTER_RAD
    qrs = ~(p | t)
    return (
        Waves(amplitude[p], phase_rad[p] * to_s + NORMAL_PR_S, width_rad[p] * to_s),
        Waves(amplitude[qrs], phase_rad[qrs] * to_s, width_rad[qrs] * to_s),
        Waves(amplitude[t], phase_rad[t] * to_s, width_rad[t] * to_s),
    )


def typical_beat() -> tuple[Waves, Waves, Waves]:
    """The published beat moved from one person towards the median of 250 clinical recordings; the factors are our own.

    The published P is jagged and points forwards where P usually points to the feet, its S is deep in III and
    shallow in V2 to V4, and its ST slopes into a T that is too tall in V2 to V4.
    """
    p, qrs, t = normal_beat()
    p_factor = np.array([0.8, 2.5, 0.4])
    terminal = (qrs.centre_s > 0.005)[:, None]
    qrs_factor = np.where(terminal, [1.0, 0.3, 1.6], [1.0, 0.75, 0.9])
    slow = (t.width_s > 0.055)[:, None]
    t_factor = np.where(slow, 0.45, 0.9) * np.array([1.0, 1.0, 0.7])
    return (
        Waves(p.amplitude_mv * p_factor, p.centre_s, np.maximum(p.width_s, 0.016)),
        Waves(qrs.amplitude_mv * qrs_factor, qrs.centre_s, qrs.width_s),
        Waves(t.amplitude_mv * t_factor, t.centre_s, t.width_s),
    )


def render(waves: Waves, at_s: Array, stretch: Array, gain: Array, fs: float, n: int) -> Array:
    """`waves` once for every time in `at_s`, added up: the dipole `(n, 3)` in mV at `fs` Hz from time 0.

    `stretch` and `gain` change the time scale and the size of each repetition, `(len(at_s),)`.
    """
    out = np.zeros((n, 3))
    if len(at_s) == 0:
        return out
    reach = 4.0  # standard deviations: exp(-8) of the amplitude is left
    first_s = float((waves.centre_s - reach * waves.width_s).min()) * float(stretch.max())
    last_s = float((waves.centre_s + reach * waves.width_s).max()) * float(stretch.max())
    first_s, last_s = min(first_s, 0.0), max(last_s, 0.0)
    size = int((last_s - first_s) * fs) + 2
    start = np.floor((at_s + first_s) * fs).astype(int)
    local_s = ((start[:, None] + np.arange(size)) / fs - at_s[:, None]) / stretch[:, None]  # (count, size)
    bells = np.exp(-0.5 * ((local_s[..., None] - waves.centre_s) / waves.width_s) ** 2)  # (count, size, gaussians)
    beats = (bells @ waves.amplitude_mv) * gain[:, None, None]  # (count, size, 3)
    for begin, beat in zip(start, beats, strict=True):
        low, high = max(begin, 0), min(begin + size, n)
        if high > low:
            out[low:high] += beat[low - begin : high - begin]
    return out
