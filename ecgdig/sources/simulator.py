"""A 12-lead simulator: any number of recordings, of many rhythms and shapes, from a seed.

A dipole (`ecgdig.sources.dipole`) beats to a rhythm (`ecgdig.sources.rhythm`), is seen by nine electrodes, gets noise
there (`ecgdig.sources.electrodes`), and becomes twelve leads. So limb leads always obey Einthoven and Goldberger.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from ecgdig.recording import Recording
from ecgdig.sources.dipole import DOWER, NORMAL_QT_S, Array, Waves, render, rotation, typical_beat
from ecgdig.sources.electrodes import (
    ELECTRODES_FROM_LEADS,
    LEADS_FROM_ELECTRODES,
    Noise,
    electrode_noise,
    machine_filter,
    sample_noise,
)
from ecgdig.sources.rhythm import Beats, Rhythm, RhythmKind, beat_times, sample_rhythm
from ecgdig.sources.source import checked_index
from ecgdig.units import LEADS, OUTPUT_FS

# I, II, V1 .. V6: Dower's V1 is larger, relative to V2, than in 250 clinical recordings (our own correction)
_CHEST_FIT = np.array([1.0, 1.0, 0.72, 0.95, 0.97, 1.0, 1.0, 0.97])


# rhythms whose beats start below the AV node
_VENTRICULAR = (RhythmKind.VENTRICULAR_PACING, RhythmKind.VENTRICULAR_TACHYCARDIA, RhythmKind.COMPLETE_BLOCK)


class Conduction(Enum):
    NORMAL = "normal"
    LBBB = "left bundle branch block"
    RBBB = "right bundle branch block"
    PREEXCITATION = "ventricular preexcitation"


class Territory(Enum):
    """Where the heart is ill: the direction of its injury current (ours, from which leads show it)."""

    ANTERIOR = (0.35, -0.1, -0.95)
    INFERIOR = (-0.25, 0.95, 0.15)
    LATERAL = (0.9, -0.4, 0.1)
    POSTERIOR = (0.1, 0.2, 0.95)


@dataclass(frozen=True)
class Morphology:
    """The shape of a beat.

    Attributes:
        frontal_deg: turn of the QRS axis towards the feet; negative = left axis deviation.
        horizontal_deg: turn of the QRS axis towards the back (later R wave progression).
        t_frontal_deg, t_horizontal_deg: the same for T.
        p_gain, qrs_gain, t_gain: sizes relative to the published beat; t_gain below 0 inverts every T.
        qrs_stretch: QRS duration relative to the published 80 ms.
        qtc_s: QT at 60/min; other rates by Fridericia's cube root.
        conduction: how the ventricles are reached.
        territory: where `st_mv`, `t_mv` and `q_mv` point.
        st_mv: ST shift along the territory's direction; negative = depression.
        t_mv: extra T along it; negative = inversion there, large = hyperacute.
        q_mv: loss of initial forces there (Q waves, lost R).
        u_mv: U wave.
        individuality: how far waves and electrode positions stray from the published ones.
    """

    frontal_deg: float = 0.0
    horizontal_deg: float = 0.0
    t_frontal_deg: float = 0.0
    t_horizontal_deg: float = 0.0
    p_gain: float = 1.3
    qrs_gain: float = 1.0
    t_gain: float = 1.0
    qrs_stretch: float = 1.1
    qtc_s: float = 0.41
    conduction: Conduction = Conduction.NORMAL
    territory: Territory = Territory.ANTERIOR
    st_mv: float = 0.0
    t_mv: float = 0.0
    q_mv: float = 0.0
    u_mv: float = 0.0
    individuality: float = 0.25


@dataclass(frozen=True)
class Patient:
    """Whom to record, and how well."""

    rhythm: Rhythm = field(default_factory=Rhythm)
    morphology: Morphology = field(default_factory=Morphology)
    noise: Noise = field(default_factory=Noise)
    age: int = 60
    sex: str = "Female"


class Simulator:
    """`n` simulated recordings; recording i is a pure function of `seed` and i."""

    def __init__(self, n: int, seed: int = 0, fs: float = OUTPUT_FS, duration_s: float = 10.0) -> None:
        self.n = n
        self.seed = seed
        self.fs = fs
        self.duration_s = duration_s

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> Recording:
        index = checked_index(index, self.n)
        rng = np.random.default_rng([self.seed, index])
        return simulate(rng, fs=self.fs, duration_s=self.duration_s, name=f"simulated-{self.seed}-{index}")


def simulate(
    rng: np.random.Generator,
    patient: Patient | None = None,
    fs: float = OUTPUT_FS,
    duration_s: float = 10.0,
    name: str = "simulated",
) -> Recording:
    """A 12-lead recording of `patient`, or of one drawn from `rng`; a pure function of its arguments.

    Raises:
        ValueError: a rate or duration that leaves no samples.
    """
    n = round(fs * duration_s)
    if n < 2:
        raise ValueError(f"{duration_s} s at {fs} Hz: want at least two samples")
    patient = patient or sample_patient(rng)
    rhythm, noise = patient.rhythm, patient.noise
    beats = beat_times(rhythm, rng, duration_s)
    leads8 = _heart(patient, beats, rng, fs, n)
    potentials = ELECTRODES_FROM_LEADS @ leads8 + electrode_noise(noise, rng, fs, n, rhythm.respiration_hz)
    signal = LEADS_FROM_ELECTRODES @ machine_filter(potentials, noise, fs)
    signal[[6 + chest for chest in noise.flat]] = 0.0
    inside = beats.r_s[(beats.r_s >= 0) & (beats.r_s < duration_s)]
    rate = 60.0 / np.diff(inside).mean() if len(inside) > 1 else 60.0 * len(inside) / duration_s
    supraventricular = rhythm.kind not in _VENTRICULAR
    metadata = {
        "Age": str(patient.age),
        "Sex": patient.sex,
        "Rhythm": rhythm.kind.value,
        "Conduction": patient.morphology.conduction.value if supraventricular else "ventricular",
        "Heart rate": f"{rate:.0f}",
    }
    return Recording(leads=LEADS, fs=fs, signal_mv=signal.astype(np.float32), name=name, metadata=metadata)


def _heart(patient: Patient, beats: Beats, rng: np.random.Generator, fs: float, n: int) -> Array:
    """The heart's own voltages in I, II, V1 .. V6, `(8, n)` in mV."""
    rhythm, shape = patient.rhythm, patient.morphology
    p, qrs, t = typical_beat()
    p = p.varied(rng, shape.individuality).scaled(shape.p_gain)
    qrs, t = ventricular_waves(shape, rng)
    if rhythm.kind in _VENTRICULAR:
        qrs, t = paced_waves(rng) if rhythm.kind is RhythmKind.VENTRICULAR_PACING else ectopic_waves(rng)
    ectopic_qrs, ectopic_t = ectopic_waves(rng)

    qt_s = shape.qtc_s * np.cbrt(np.clip(beats.rr_s(), 0.3, 1.5))
    stretch = np.clip((qt_s - 0.045) / (NORMAL_QT_S - 0.045), 0.5, 1.7)
    own, ectopic = ~beats.ectopic, beats.ectopic
    t_size = np.sqrt(np.clip(beats.rr_s(), 0.3, 1.0))  # T is lower in fast hearts (our choice)
    size, steady = 1 + rng.normal(0, 0.025, len(beats.r_s)), np.ones(len(beats.r_s))
    once = np.ones(len(beats.p_s))

    depolarization = render(qrs, beats.r_s[own], steady[own], size[own], fs, n)
    depolarization += render(ectopic_qrs, beats.r_s[ectopic], steady[ectopic], size[ectopic], fs, n)
    repolarization = render(t, beats.r_s[own], stretch[own], (size * t_size)[own], fs, n)
    repolarization += render(ectopic_t, beats.r_s[ectopic], steady[ectopic], size[ectopic], fs, n)
    atria = render(p, beats.p_s, once, once, fs, n) + _fibrillation(rhythm, rng, fs, n)

    turn = np.deg2rad(rng.uniform(0, 6)) * np.sin(2 * np.pi * rhythm.respiration_hz * np.arange(n) / fs)
    places = [
        _electrode_places(rng, shape.individuality * share, frontal_deg)
        for share, frontal_deg in ((0.4, shape.frontal_deg), (0.6, shape.t_frontal_deg), (0.3, 0.0))
    ]
    parts = zip(places, (depolarization, repolarization, atria), strict=True)
    leads8: Array = np.zeros((8, n))
    for place, dipole in parts:
        leads8 += place @ _turned(dipole, turn).T
    return leads8


def _electrode_places(rng: np.random.Generator, amount: float, frontal_deg: float) -> Array:
    """Dower's coefficients for another chest and another electrical axis, `(8, 3)`.

    The axis turns the heart for the limb leads; the chest electrodes follow by a third (our choice: in clinical
    recordings V5 and V6 stay tall when the frontal axis is vertical).
    """
    places = DOWER * _CHEST_FIT[:, None]
    limb, chest = places[:2], places[2:]
    chest = chest * np.exp(rng.normal(0, amount, (6, 1))) + rng.normal(0, 0.25 * amount, (6, 3))
    limb = limb + rng.normal(0, 0.1 * amount, (2, 3))
    return np.concatenate([limb @ rotation(frontal_deg, 0), chest @ rotation(frontal_deg / 3, 0)])


def _turned(dipole: Array, angle: Array) -> Array:
    """The dipole `(n, 3)` turned in the frontal plane by an angle that changes (breathing)."""
    cos, sin = np.cos(angle), np.sin(angle)
    x, y, z = dipole.T
    return np.stack([cos * x - sin * y, sin * x + cos * y, z], axis=1)


def ventricular_waves(shape: Morphology, rng: np.random.Generator) -> tuple[Waves, Waves]:
    """QRS, and ST with T, of a beat that came through the AV node."""
    _, qrs, t = typical_beat()
    if shape.conduction is Conduction.LBBB:
        qrs, t = _lbbb()
    elif shape.conduction is Conduction.RBBB:
        qrs = qrs + Waves.of((0.058, 0.017, (-0.45, 0.05, -0.6)), (0.085, 0.016, (-0.25, 0.0, -0.4)))
        t = t + Waves.of((0.25, 0.045, (0.05, 0.0, 0.25)))
    elif shape.conduction is Conduction.PREEXCITATION:
        qrs = qrs + Waves.of((-0.05, 0.016, (0.18, 0.1, -0.15)), (-0.03, 0.014, (0.2, 0.1, -0.12)))
    direction = np.array(shape.territory.value)
    qrs = qrs.varied(rng, shape.individuality).stretched(shape.qrs_stretch)
    qrs = qrs.turned(rotation(0, shape.horizontal_deg)).scaled(shape.qrs_gain)
    qrs = qrs + _bump(-0.02, 0.012, -shape.q_mv * direction) + _bump(0.005, 0.014, -0.8 * shape.q_mv * direction)
    t = t.varied(rng, 0.7 * shape.individuality)
    t = t.turned(rotation(0, shape.t_horizontal_deg)).scaled(shape.t_gain)
    t = t + _bump(0.24, 0.042, shape.t_mv * direction) + _bump(0.40, 0.03, shape.u_mv * np.array([0.4, 0.3, -0.8]))
    for centre_s, share in ((0.075, 0.9), (0.115, 0.75), (0.155, 0.75), (0.195, 0.7), (0.235, 0.4)):
        t = t + _bump(centre_s, 0.024, share * shape.st_mv * direction)
    return qrs, t


def _bump(centre_s: float, width_s: float, amplitude_mv: Array) -> Waves:
    return Waves(amplitude_mv[None], np.array([centre_s]), np.array([width_s]))


def _lbbb() -> tuple[Waves, Waves]:
    """Slow, notched, to the left and back; ST and T the other way."""
    qrs = Waves.of(
        (-0.045, 0.012, (0.25, 0.10, 0.05)),
        (-0.020, 0.015, (0.80, 0.25, 0.75)),
        (0.006, 0.015, (0.30, 0.08, 0.35)),
        (0.032, 0.019, (0.75, 0.10, 1.00)),
        (0.066, 0.014, (0.25, -0.10, 0.40)),
    )
    t = Waves.of((0.12, 0.05, (-0.08, -0.03, -0.15)), (0.21, 0.06, (-0.15, -0.05, -0.2)), (0.26, 0.04, (-0.2, 0, -0.3)))
    return qrs, t


def paced_waves(rng: np.random.Generator) -> tuple[Waves, Waves]:
    """A beat from the apex of the right ventricle, the stimulus 80 ms before its middle."""
    qrs, t = _lbbb()
    turn = rotation(rng.uniform(-95, -55), rng.uniform(-10, 20))
    qrs, t = qrs.varied(rng, 0.2).turned(turn), t.varied(rng, 0.2).turned(turn)
    spike_mv = rng.uniform(0.3, 2.0) * np.array([0.3, 0.9, -0.2])
    return qrs.stretched(rng.uniform(1.0, 1.25)) + _bump(-0.08 * rng.uniform(1.0, 1.2), 0.0012, spike_mv), t


def ectopic_waves(rng: np.random.Generator) -> tuple[Waves, Waves]:
    """A beat that starts in a ventricle: wide, large, T against QRS. Origins: outflow tract, apex, left ventricle."""
    origins = ((0.3, 0.9, 0.5), (0.7, -0.6, 0.8), (-0.7, 0.4, -0.8), (-0.4, -0.8, -0.6))
    first = np.array(origins[int(rng.integers(len(origins)))]) + rng.normal(0, 0.2, 3)
    second = first + rng.normal(0, 0.35, 3)
    size = rng.uniform(0.7, 1.4)
    qrs = _bump(-0.02, 0.022, 0.8 * first) + _bump(0.03, 0.026, 0.7 * second) + _bump(0.075, 0.02, -0.15 * first)
    t = _bump(0.17, 0.05, -0.2 * first) + _bump(0.25, 0.045, -0.35 * second)
    return qrs.scaled(size), t.scaled(size)


def _fibrillation(rhythm: Rhythm, rng: np.random.Generator, fs: float, n: int) -> Array:
    """The atria's f or F waves, `(n, 3)` in mV; zero in other rhythms.

    A saw tooth with a slowly changing rate and size, after Stridh & Sörnmo, IEEE TBME 2001, doi:10.1109/10.966602.
    """
    time_s = np.arange(n) / fs
    if rhythm.kind is RhythmKind.ATRIAL_FLUTTER:
        phase = 2 * np.pi * rhythm.block * rhythm.rate_bpm / 60 * time_s + rng.uniform(0, 2 * np.pi)
        saw = _saw_tooth(phase)
        flutter: Array = rng.uniform(0.05, 0.13) * saw[:, None] * np.array([-0.1, 1.0, -0.5])
        return flutter
    if rhythm.kind is not RhythmKind.ATRIAL_FIBRILLATION:
        return np.zeros((n, 3))
    out = np.zeros((n, 3))
    for _ in range(3):  # fronts that come and go
        rate_hz, sway_hz = rng.uniform(4.5, 8.0), rng.uniform(0.1, 0.5)
        phase = 2 * np.pi * (rate_hz * time_s + 0.4 * np.sin(2 * np.pi * sway_hz * time_s)) + rng.uniform(0, 2 * np.pi)
        size = 1 + 0.6 * np.sin(2 * np.pi * rng.uniform(0.1, 0.6) * time_s + rng.uniform(0, 2 * np.pi))
        out += (size * _saw_tooth(phase))[:, None] * (np.array([-0.1, 0.4, -0.7]) + rng.normal(0, 0.3, 3))
    return rng.uniform(0.008, 0.04) * out


def _saw_tooth(phase: Array) -> Array:
    """The first four harmonics of a saw tooth."""
    wave: Array = np.sin(phase) + np.sin(2 * phase) / 2 + np.sin(3 * phase) / 3 + np.sin(4 * phase) / 4
    return wave


def sample_morphology(rng: np.random.Generator) -> Morphology:
    """The shape of a beat in a hospital's archive: half near normal; the distributions are our own choice."""
    axis, turn = rng.normal(6, 20), rng.normal(4, 10)
    values = {
        "frontal_deg": axis,
        "horizontal_deg": turn,
        "t_frontal_deg": 0.5 * axis + rng.normal(0, 12),
        "t_horizontal_deg": 0.5 * turn + rng.normal(0, 12),
        "p_gain": 1.3 * np.exp(rng.normal(0, 0.3)),
        "qrs_gain": np.exp(rng.normal(0.05, 0.22)),
        "t_gain": np.exp(rng.normal(-0.08, 0.35)),
        "qrs_stretch": np.exp(rng.normal(0.1, 0.09)),
        "qtc_s": np.clip(rng.normal(0.41, 0.022), 0.34, 0.56),
        "u_mv": rng.uniform(0, 0.06) if rng.random() < 0.25 else 0.0,
        "individuality": rng.uniform(0.15, 0.4),
    }
    territory = list(Territory)[int(rng.integers(4))]
    conduction = Conduction.NORMAL
    what = rng.random()
    if what < 0.05:
        conduction = Conduction.LBBB
    elif what < 0.11:
        conduction = Conduction.RBBB
    elif what < 0.125:
        conduction = Conduction.PREEXCITATION
    elif what < 0.20:  # left ventricular hypertrophy with strain
        values |= {"qrs_gain": rng.uniform(1.4, 2.3), "horizontal_deg": rng.uniform(5, 35)}
        values |= {"t_gain": rng.uniform(-0.6, 0.8)}
    elif what < 0.235:  # low voltage
        values |= {"qrs_gain": rng.uniform(0.35, 0.6), "t_gain": rng.uniform(0.3, 0.8)}
    elif what < 0.29:  # long QT
        values |= {"qtc_s": rng.uniform(0.47, 0.56)}
    elif what < 0.35:  # axis deviation: left anterior hemiblock or right
        values |= {"frontal_deg": rng.uniform(-85, -50) if rng.random() < 0.6 else rng.uniform(50, 100)}
    elif what < 0.40:  # ST elevation
        values |= {"st_mv": rng.uniform(0.12, 0.5), "t_mv": rng.uniform(0, 0.4), "q_mv": rng.uniform(0, 0.4)}
    elif what < 0.45:  # ST depression
        values |= {"st_mv": rng.uniform(-0.25, -0.06), "t_mv": rng.uniform(-0.3, 0.1)}
    elif what < 0.52:  # T inversion in a territory
        values |= {"t_mv": rng.uniform(-0.7, -0.25), "q_mv": rng.uniform(0, 0.3)}
    elif what < 0.54:  # hyperacute T
        values |= {"t_gain": rng.uniform(1.5, 2.5), "t_mv": rng.uniform(0.2, 0.6)}
    elif what < 0.60:  # flat T
        values |= {"t_gain": rng.uniform(-0.15, 0.3)}
    plain = {key: float(value) for key, value in values.items()}
    return Morphology(conduction=conduction, territory=territory, **plain)


def sample_patient(rng: np.random.Generator) -> Patient:
    """Someone who might come to a hospital for an ECG."""
    return Patient(
        rhythm=sample_rhythm(rng),
        morphology=sample_morphology(rng),
        noise=sample_noise(rng),
        age=int(np.clip(rng.normal(60, 17), 18, 95)),
        sex=str(rng.choice(["Female", "Male"])),
    )
