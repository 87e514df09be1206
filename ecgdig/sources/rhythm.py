"""When the atria and the ventricles beat."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEAD_IN_S = 2.5  # beats start before the recording does, so that it can begin anywhere in a beat


class RhythmKind(Enum):
    SINUS = "sinus rhythm"
    ATRIAL_FIBRILLATION = "atrial fibrillation"
    ATRIAL_FLUTTER = "atrial flutter"
    SUPRAVENTRICULAR_TACHYCARDIA = "supraventricular tachycardia"
    JUNCTIONAL = "junctional rhythm"
    WENCKEBACH = "second-degree AV block, Mobitz I"
    MOBITZ_II = "second-degree AV block, Mobitz II"
    COMPLETE_BLOCK = "third-degree AV block"
    VENTRICULAR_TACHYCARDIA = "ventricular tachycardia"
    VENTRICULAR_PACING = "ventricular pacing"


@dataclass(frozen=True)
class Rhythm:
    """How a heart keeps time.

    Attributes:
        kind: which rhythm.
        rate_bpm: mean ventricular rate, of the atria in AV block.
        pr_s: from the middle of P to R.
        respiration_hz: breathing; moves the rate (respiratory sinus arrhythmia) and the axis.
        hf: relative size of the rate's respiratory part.
        lf: relative size of its 0.1 Hz part (Mayer waves).
        irregularity: standard deviation of RR over its mean, in atrial fibrillation and for what is left elsewhere.
        pac: share of beats that are premature atrial.
        pvc: share of beats that are premature ventricular.
        pvc_every: a PVC for certain after so many sinus beats (1 = bigeminy, 2 = trigeminy); 0 = by chance only.
        block: in second-degree block one in so many beats is dropped; in flutter the conduction ratio.
    """

    kind: RhythmKind = RhythmKind.SINUS
    rate_bpm: float = 70.0
    pr_s: float = 0.15
    respiration_hz: float = 0.25
    hf: float = 0.03
    lf: float = 0.02
    irregularity: float = 0.01
    pac: float = 0.0
    pvc: float = 0.0
    pvc_every: int = 0
    block: int = 3


@dataclass(frozen=True)
class Beats:
    """Times in s: atrial contractions (P waves) and ventricular ones (R), and of each R whether it is ectopic."""

    p_s: Array
    r_s: Array
    ectopic: NDArray[np.bool_]

    def rr_s(self) -> Array:
        """The interval before each R; the first one's is the second one's."""
        if len(self.r_s) < 2:
            return np.full(len(self.r_s), 1.0)
        gaps = np.diff(self.r_s)
        return np.concatenate([gaps[:1], gaps])


def beat_times(rhythm: Rhythm, rng: np.random.Generator, duration_s: float) -> Beats:
    """The beats of `duration_s` seconds, from `LEAD_IN_S` before it to one beat after it."""
    start, end = -LEAD_IN_S + rng.uniform(0, 1), duration_s + 1.0
    kind = rhythm.kind
    if kind in (RhythmKind.SINUS, RhythmKind.VENTRICULAR_PACING):
        return _with_ectopy(rhythm, rng, start, end)
    if kind in (RhythmKind.WENCKEBACH, RhythmKind.MOBITZ_II):
        return _second_degree(rhythm, rng, start, end)
    if kind is RhythmKind.COMPLETE_BLOCK:
        atrial = start + np.concatenate([[0.0], np.cumsum(_intervals(rhythm, rng, end - start))])
        escape = Rhythm(rate_bpm=rng.uniform(30, 45), hf=0, lf=0)
        return _regular(start + np.concatenate([[0.3], 0.3 + np.cumsum(_intervals(escape, rng, end - start))]), atrial)
    if kind is RhythmKind.ATRIAL_FIBRILLATION:
        return _regular(start + np.cumsum(_fibrillation_intervals(rhythm, rng, end - start)))
    if kind is RhythmKind.ATRIAL_FLUTTER:
        cycle = 60.0 / rhythm.rate_bpm / rhythm.block
        steps = rng.choice([rhythm.block, rhythm.block + 2], p=[0.85, 0.15], size=int((end - start) / cycle) + 1)
        times = start + np.cumsum(steps) * cycle
        return _regular(times[times < end])
    return _regular(start + np.cumsum(_intervals(rhythm, rng, end - start)))


def _regular(r_s: Array, p_s: Array | None = None) -> Beats:
    return Beats(np.empty(0) if p_s is None else p_s, r_s, np.zeros(len(r_s), bool))


def _intervals(rhythm: Rhythm, rng: np.random.Generator, span_s: float) -> Array:
    """RR intervals in s that fill `span_s`: a mean, a 0.1 Hz and a respiratory sine, and a little noise.

    The bimodal spectrum is that of McSharry et al., IEEE TBME 2003, doi:10.1109/TBME.2003.808805.
    """
    mean_s = 60.0 / rhythm.rate_bpm
    count = int(span_s / mean_s * 1.5) + 3
    at_s = np.arange(count) * mean_s
    phase = rng.uniform(0, 2 * np.pi, 2)
    wave = rhythm.lf * np.sin(2 * np.pi * 0.1 * at_s + phase[0])
    wave = wave + rhythm.hf * np.sin(2 * np.pi * rhythm.respiration_hz * at_s + phase[1])
    intervals = mean_s * np.clip(1 + wave + rng.normal(0, rhythm.irregularity, count), 0.4, 2.0)
    return _filling(intervals, span_s)


def _fibrillation_intervals(rhythm: Rhythm, rng: np.random.Generator, span_s: float) -> Array:
    """Independent gamma-distributed RR intervals, none shorter than the AV node's 0.28 s (our choice of law)."""
    mean_s, shortest_s = 60.0 / rhythm.rate_bpm, 0.28
    shape = ((mean_s - shortest_s) / (rhythm.irregularity * mean_s)) ** 2
    count = int(span_s / mean_s * 2) + 5
    return _filling(shortest_s + rng.gamma(shape, (mean_s - shortest_s) / shape, count), span_s)


def _filling(intervals: Array, span_s: float) -> Array:
    return intervals[: int(np.searchsorted(np.cumsum(intervals), span_s)) + 1]


def _with_ectopy(rhythm: Rhythm, rng: np.random.Generator, start: float, end: float) -> Beats:
    """Sinus beats; a premature atrial beat resets the sinus node, a ventricular one is followed by a full pause."""
    p_s: list[float] = []
    r_s: list[float] = []
    ectopic: list[bool] = []
    sinus_s = start
    has_p = rhythm.kind is RhythmKind.SINUS
    for i, interval in enumerate(_intervals(rhythm, rng, end - start)):
        if sinus_s > end:
            break
        if has_p:
            p_s.append(sinus_s - rhythm.pr_s)
        r_s.append(sinus_s)
        ectopic.append(False)
        due = rhythm.pvc_every > 0 and i % rhythm.pvc_every == rhythm.pvc_every - 1
        early_s = interval * rng.uniform(0.58, 0.75)
        chance = rng.random()
        if due or chance < rhythm.pvc:
            r_s.append(sinus_s + early_s)
            ectopic.append(True)
            sinus_s += 2 * interval
        elif chance > 1 - rhythm.pac:
            sinus_s += early_s  # the next beat comes early, conducted normally, and the rhythm goes on from there
        else:
            sinus_s += interval
    return Beats(np.array(p_s), np.array(r_s), np.array(ectopic))


def _second_degree(rhythm: Rhythm, rng: np.random.Generator, start: float, end: float) -> Beats:
    """P waves at the sinus rate; every `block`-th is not conducted, in Mobitz I after ever longer PR intervals."""
    p_s = start + np.concatenate([[0.0], np.cumsum(_intervals(rhythm, rng, end - start))])
    position = (np.arange(len(p_s)) + int(rng.integers(rhythm.block))) % rhythm.block
    growth_s = 0.05 if rhythm.kind is RhythmKind.WENCKEBACH else 0.0
    conducted = position < rhythm.block - 1
    return _regular((p_s + rhythm.pr_s + growth_s * position)[conducted], p_s)


def sample_rhythm(rng: np.random.Generator) -> Rhythm:
    """A rhythm as a hospital's archive might hold it: mostly sinus, the shares are our own choice."""
    kinds = list(RhythmKind)
    share = np.array([0.66, 0.10, 0.03, 0.03, 0.02, 0.02, 0.015, 0.015, 0.02, 0.09])
    kind = kinds[int(rng.choice(len(kinds), p=share / share.sum()))]
    low, high = {
        RhythmKind.SINUS: (45, 130),
        RhythmKind.ATRIAL_FIBRILLATION: (50, 150),
        RhythmKind.ATRIAL_FLUTTER: (65, 150),
        RhythmKind.SUPRAVENTRICULAR_TACHYCARDIA: (140, 190),
        RhythmKind.JUNCTIONAL: (40, 65),
        RhythmKind.VENTRICULAR_TACHYCARDIA: (130, 190),
        RhythmKind.VENTRICULAR_PACING: (60, 85),
    }.get(kind, (55, 95))
    rate = float(np.clip(rng.normal(74, 16), 40, 170)) if kind is RhythmKind.SINUS else float(rng.uniform(low, high))
    if kind is RhythmKind.SINUS and rng.random() < 0.1:
        rate = float(rng.uniform(100, 170))
    calm = min(1.0, 75.0 / rate)  # variability shrinks with the rate
    first_degree = rng.random() < 0.07 and rate < 100
    longest_pr_s = min(0.19, 0.35 * 60 / rate)
    steady = kind not in (RhythmKind.SINUS, RhythmKind.WENCKEBACH, RhythmKind.MOBITZ_II)
    ectopy = rng.random()
    return Rhythm(
        kind=kind,
        rate_bpm=rate,
        pr_s=float(rng.uniform(0.23, 0.32) if first_degree else rng.uniform(0.1, max(longest_pr_s, 0.105))),
        respiration_hz=float(rng.uniform(0.17, 0.4)),
        hf=0.003 if steady else float(rng.gamma(1.5, 0.02) * calm),
        lf=0.003 if steady else float(rng.gamma(1.5, 0.015) * calm),
        irregularity=float(rng.uniform(0.15, 0.3)) if kind is RhythmKind.ATRIAL_FIBRILLATION else 0.006,
        pac=float(rng.uniform(0.05, 0.25)) if ectopy < 0.08 else 0.0,
        pvc=float(rng.uniform(0.05, 0.3)) if ectopy > 0.91 else 0.0,
        pvc_every=int(rng.integers(1, 4)) if ectopy > 0.985 else 0,
        block=int(rng.choice([2, 4])) if kind is RhythmKind.ATRIAL_FLUTTER else int(rng.integers(3, 6)),
    )
