"""A recording as a WFDB record of FLAC signal files (format 516), in memory: a sixth of format 16's size.

Format: https://wfdb.io/spec/header-files.html and https://wfdb.io/spec/signal-files.html
"""

from __future__ import annotations

import io

import numpy as np
import soundfile
from numpy.typing import NDArray

from ecgdig.io.wfdb import GAIN_ADU_PER_MV, MAX_ADU
from ecgdig.recording import Recording

_CHANNELS = 8  # FLAC holds no more in one file
_RATE = 96_000  # what the file itself says; the header has the true rate (the wfdb package writes the same)


def record_bytes(recording: Recording, name: str) -> tuple[dict[str, bytes], NDArray[np.float32]]:
    """The files of record `name`, and the signal as it will be read from them.

    Args:
        recording: NaN is kept, as WFDB's invalid sample; `sigma_mv` and metadata are not stored.
        name: letters, digits, `_` and `-`.

    Returns:
        file name -> content (the header last), and the signal in mV, float32 `(n_leads, n_samples)`: steps of 1 µV,
        or of 10 µV where a lead leaves ±32.767 mV.
    """
    signal = recording.signal_mv.astype(np.float64)
    gains = np.array([_gain(lead) for lead in signal])[:, None]
    steps = np.round(signal * gains)
    digital = np.where(np.isfinite(steps), steps, -MAX_ADU - 1).astype(np.int16)
    fs = int(recording.fs) if float(recording.fs).is_integer() else recording.fs
    lines = [f"{name} {len(digital)} {fs} {digital.shape[1]}"]
    files: dict[str, bytes] = {}
    n_files = -(-len(digital) // _CHANNELS)
    for k, rows in enumerate(np.array_split(np.arange(len(digital)), n_files)):
        buffer = io.BytesIO()
        soundfile.write(buffer, digital[rows].T, _RATE, format="FLAC", subtype="PCM_16")
        file = f"{name}.flac{k}"  # the wfdb package takes one dot only
        files[file] = buffer.getvalue()
        for i in rows:
            checksum = int(np.int64(digital[i].sum(dtype=np.int64)) & 0xFFFF)
            checksum -= 0x10000 * (checksum > 0x7FFF)
            lead = " ".join(recording.leads[i].split())
            lines.append(f"{file} 516 {gains[i, 0]:g}(0)/mV 16 0 {digital[i, 0]} {checksum} 0 {lead}")
    files[f"{name}.hea"] = ("\n".join(lines) + "\n").encode()
    stored = np.where(digital > -MAX_ADU - 1, digital / gains, np.nan).astype(np.float32)
    return files, stored


def _gain(lead: NDArray[np.float64]) -> float:
    peak, gain = float(np.abs(lead[np.isfinite(lead)]).max(initial=0.0)), GAIN_ADU_PER_MV
    while round(peak * gain) > MAX_ADU:
        gain /= 10
    return gain
