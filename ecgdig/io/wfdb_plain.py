"""The commonest WFDB records, read without the wfdb package: files of format 16 or 516, all leads at one rate.

The package imports pandas and pyarrow, which costs every process that reads a record 75 MB and most of a second.
Whatever is written in a less usual way is left to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

_NUMBER = r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_GAIN = re.compile(rf"({_NUMBER})(?:\((-?\d+)\))?(?:/(\S+))?")
_FORMAT = re.compile(r"16(?:\+(\d+))?")  # and the bytes before the first sample: 24 in .mat files
_UNKNOWN = -(2**15)


@dataclass(frozen=True)
class PlainRecord:
    """What the package's record also has: signals `(n_samples,)` in the units of each channel, NaN where invalid."""

    fs: float
    sig_name: list[str]
    units: list[str]
    e_p_signal: list[NDArray[np.float64]]

    @property
    def n_sig(self) -> int:
        return len(self.sig_name)

    @property
    def samps_per_frame(self) -> list[int]:
        return [1] * self.n_sig


def read_plain(header: Path) -> PlainRecord | None:
    """The record that a header describes; None: not in every respect of the usual form, or not whole."""
    try:
        text = header.read_bytes().decode("ascii")
    except (OSError, UnicodeDecodeError):
        return None
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    first = lines[0].split() if lines else []
    if len(first) < 4 or not (first[1].isdigit() and first[3].isdigit() and re.fullmatch(_NUMBER, first[2])):
        return None
    n_leads, n_samples = int(first[1]), int(first[3])
    described = [line.split(maxsplit=8) for line in lines[1:]]
    if "/" in first[0] or n_leads == 0 or n_samples == 0 or len(described) != n_leads:
        return None
    if any(len(fields) != 9 for fields in described):
        return None
    gains = []
    for fields in described:
        gain = _GAIN.fullmatch(fields[2])
        if gain is None or float(gain[1]) == 0 or not (gain[2] or fields[4] == "0"):  # 4: zero of the converter
            return None
        gains.append(gain)
    parts = []
    for (file, kind), rows in groupby(described, key=lambda fields: (fields[0], fields[1])):
        levels = _levels(header.parent / file, kind, len(list(rows)))
        if levels is None or len(levels) != n_samples:
            return None
        parts.append(levels)
    digital = np.concatenate(parts, axis=1).T
    signals = [
        np.where(row == _UNKNOWN, np.nan, (row.astype(np.float64) - int(gain[2] or 0)) / float(gain[1]))
        for row, gain in zip(digital, gains, strict=True)
    ]
    units = [gain[3] or "mV" for gain in gains]
    return PlainRecord(float(first[2]), [fields[8] for fields in described], units, signals)


def _levels(file: Path, kind: str, n_leads: int) -> NDArray[np.int16] | None:
    """The steps in one signal file, `(n_samples, n_leads)`; None: of another format, missing or not whole."""
    try:
        if kind == "516":  # FLAC
            levels, _ = soundfile.read(file, dtype="int16", always_2d=True)
            return levels if levels.shape[1] == n_leads else None
        plain = _FORMAT.fullmatch(kind)
        if plain is None:
            return None
        flat = np.fromfile(file, "<i2", offset=int(plain[1] or 0))
        return flat.reshape(-1, n_leads)
    except (OSError, ValueError, soundfile.SoundFileError):
        return None
