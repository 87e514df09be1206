"""`Recording`: leads, a sampling rate and a signal in millivolts; NaN means "not known"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ecgdig.units import LEADS

FloatArray = NDArray[np.float32]

_CANONICAL = {name.upper(): name for name in LEADS}


def canonical_lead(name: str) -> str:
    """The usual spelling of a lead name: `AVR`, `avr`, `Lead aVR` -> `aVR`, `-avr` -> `-aVR`; others are stripped."""
    bare = name.strip()
    if bare.upper().startswith("LEAD "):
        bare = bare[5:].strip()
    sign = "-" if bare.startswith(("-", "−")) else ""  # hyphen or minus sign
    known = _CANONICAL.get(bare[len(sign) :].strip().upper())
    return sign + known if known else bare


@dataclass(frozen=True, eq=False)  # arrays have no single truth value: compare signals, not recordings
class Recording:
    """A multi-lead ECG.

    Attributes:
        leads: lead names, one per row of `signal_mv`.
        fs: sampling rate in Hz.
        signal_mv: float32 `(n_leads, n_samples)` in mV; NaN = not known (not printed, missing).
        sigma_mv: the standard error of each sample in mV, same shape, or None where it is not known.
        name: what to call it in messages and file names.
        metadata: free text about it (age, sex, device ...), as read.

    Raises:
        ValueError: shapes, names or rate do not fit together.
    """

    leads: tuple[str, ...]
    fs: float
    signal_mv: FloatArray
    sigma_mv: FloatArray | None = None
    name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        signal = np.asarray(self.signal_mv, dtype=np.float32)
        object.__setattr__(self, "signal_mv", signal)
        object.__setattr__(self, "leads", tuple(self.leads))
        if signal.ndim != 2 or signal.shape[0] != len(self.leads):
            raise ValueError(f"signal of shape {signal.shape} for {len(self.leads)} leads; want (n_leads, n_samples)")
        if signal.shape[1] == 0:
            raise ValueError(f"recording {self.name!r} has no samples")
        if len(set(self.leads)) != len(self.leads):
            raise ValueError(f"lead names repeat: {', '.join(self.leads)}; give each lead its own name")
        if not (np.isfinite(self.fs) and self.fs > 0):
            raise ValueError(f"sampling rate {self.fs} Hz; want a positive number")
        if np.isinf(signal).any():
            raise ValueError(f"recording {self.name!r} holds infinite values; use NaN for what is not known")
        if self.sigma_mv is not None:
            sigma = np.asarray(self.sigma_mv, dtype=np.float32)
            if sigma.shape != signal.shape:
                raise ValueError(f"sigma of shape {sigma.shape} for a signal of shape {signal.shape}")
            object.__setattr__(self, "sigma_mv", sigma)

    @property
    def n_samples(self) -> int:
        return int(self.signal_mv.shape[1])

    @property
    def duration_s(self) -> float:
        return self.n_samples / self.fs

    def lead(self, name: str) -> FloatArray:
        """The samples of one lead, `(n_samples,)` in mV. `-aVR` gives the negated aVR."""
        row, negated = self._find(name)
        if row is None:
            raise KeyError(f"no lead {name!r} in {self.name or 'recording'}; it has {', '.join(self.leads)}")
        samples: FloatArray = self.signal_mv[row]
        return -samples if negated else samples

    def select(self, leads: Sequence[str]) -> Recording:
        """The same recording with `leads` only, in that order; `-aVR` is the negated aVR. Leads it lacks become NaN."""
        signal = np.full((len(leads), self.n_samples), np.nan, np.float32)
        sigma = None if self.sigma_mv is None else signal.copy()
        for i, lead in enumerate(leads):
            row, negated = self._find(lead)
            if row is None:
                continue
            signal[i] = -self.signal_mv[row] if negated else self.signal_mv[row]
            if sigma is not None and self.sigma_mv is not None:
                sigma[i] = self.sigma_mv[row]
        return replace(self, leads=tuple(leads), signal_mv=signal, sigma_mv=sigma)

    def _find(self, name: str) -> tuple[int | None, bool]:
        """The row that holds `name`, or else the row that holds its negative and True."""
        if name in self.leads:
            return self.leads.index(name), False
        opposite = name[1:] if name.startswith("-") else f"-{name}"
        return (self.leads.index(opposite), True) if opposite in self.leads else (None, False)

    def crop(self, start_s: float, duration_s: float) -> Recording:
        """The stretch of `duration_s` seconds from `start_s`; what lies outside the recording is NaN."""
        first, n = round(start_s * self.fs), max(1, round(duration_s * self.fs))
        return replace(
            self,
            signal_mv=_window(self.signal_mv, first, n),
            sigma_mv=None if self.sigma_mv is None else _window(self.sigma_mv, first, n),
        )

    def resample(self, fs: float) -> Recording:
        """The recording at `fs` Hz, band-limited (polyphase FIR); gaps stay NaN. sigma is interpolated.

        Raises:
            ValueError: `fs` is not positive, or so low that no sample is left.
        """
        if not (np.isfinite(fs) and fs > 0 and round(self.n_samples * fs / self.fs) > 0):
            raise ValueError(f"cannot resample {self.duration_s:.3g} s to {fs} Hz; want a rate that leaves samples")
        if fs == self.fs:
            return self
        ratio = Fraction(fs / self.fs).limit_denominator(2000)
        up, down = ratio.numerator, ratio.denominator
        n = round(self.n_samples * fs / self.fs)
        signal = _resample_leads(self.signal_mv, up, down, n)
        sigma = None
        if self.sigma_mv is not None:
            old, new = np.arange(self.n_samples) / self.fs, np.arange(n) / fs
            sigma = np.stack([np.interp(new, old, row) for row in self.sigma_mv]).astype(np.float32)
        return replace(self, fs=fs, signal_mv=signal, sigma_mv=sigma)


def _window(values: FloatArray, first: int, n: int) -> FloatArray:
    out = np.full((values.shape[0], n), np.nan, np.float32)
    start, stop = max(first, 0), min(first + n, values.shape[1])
    if stop > start:
        out[:, start - first : stop - first] = values[:, start:stop]
    return out


def _resample_leads(signal: FloatArray, up: int, down: int, n: int) -> FloatArray:
    """Leads `(n_leads, n_samples)` at `up / down` times their rate, `(n_leads, n)`: all at once, with one filter."""
    from scipy.signal import resample_poly  # 65 MB, which most recordings do without

    known = np.isfinite(signal)
    position = np.arange(signal.shape[1])
    filled = signal.astype(np.float64)
    for row in np.flatnonzero(~known.all(axis=1)):
        here = known[row]
        filled[row] = np.interp(position, position[here], filled[row, here]) if here.any() else 0.0
    # a linear ramp between the ends is taken out first: the filter assumes zeros beyond them
    last = max(position.size - 1, 1)
    first, rise = filled[:, :1], filled[:, -1:] - filled[:, :1]
    wave = resample_poly(filled - (first + rise * position / last), up, down, axis=1)[:, :n]
    new = np.minimum(np.arange(n) * down / up / last, 1.0)
    wave = np.pad(wave, ((0, 0), (0, n - wave.shape[1]))) + first + rise * new
    # nearest old sample decides what is known
    nearest = np.clip(np.round(np.arange(n) * down / up).astype(int), 0, position.size - 1)
    return np.where(known[:, nearest], wave, np.nan).astype(np.float32)
