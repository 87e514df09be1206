"""Recordings as CSV and as NumPy archives."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ecgdig.io.atomic import whole_file
from ecgdig.recording import FloatArray, Recording


def write_csv(recording: Recording, path: str | os.PathLike[str]) -> Path:
    """Write a table with one line a sample, whole or not at all.

    A line beginning with `#` says the sampling rate and the units; then come the names of the columns: `time_s`, each
    lead as `I_mV` and, where they are known, the standard errors as `I_sigma_mV`. What is not known is left empty.
    pandas reads it with `read_csv(path, comment="#")`.
    """
    names = ["time_s", *(f"{lead}_mV" for lead in recording.leads)]
    columns = [np.arange(recording.n_samples) / recording.fs, *recording.signal_mv]
    if recording.sigma_mv is not None:
        names += [f"{lead}_sigma_mV" for lead in recording.leads]
        columns += list(recording.sigma_mv)
    with whole_file(path) as file, file.open("w", newline="\n") as out:
        out.write(f"# sampling rate {recording.fs:g} Hz; time in s, leads and standard errors (sigma) in mV; ")
        out.write("empty = not printed or not readable\n")
        out.write(",".join(names) + "\n")
        for time, *values in zip(*columns, strict=True):
            out.write(f"{time:.4f}," + ",".join("" if np.isnan(v) else f"{v:.4f}" for v in values) + "\n")
    return Path(path)


def write_npz(recording: Recording, path: str | os.PathLike[str]) -> Path:
    """Write `signal` and `sigma` (float32 `(n_leads, n_samples)` in mV), `fs` (Hz), `leads` and `units`, no pickles."""
    sigma: FloatArray = np.full_like(recording.signal_mv, np.nan) if recording.sigma_mv is None else recording.sigma_mv
    with whole_file(path) as file:
        np.savez_compressed(
            file,
            signal=recording.signal_mv,
            sigma=sigma,
            fs=np.float64(recording.fs),
            leads=np.array(recording.leads),
            units=np.array("mV"),
        )
    return Path(path)


def read_npz(path: str | os.PathLike[str]) -> Recording:
    """Read what `write_npz` wrote.

    Raises:
        ValueError: not such a file.
    """
    file = Path(path)
    try:
        with np.load(file, allow_pickle=False) as archive:
            leads = tuple(str(lead) for lead in archive["leads"])
            return Recording(leads, float(archive["fs"]), archive["signal"], archive["sigma"], name=file.stem)
    except (OSError, KeyError, EOFError, ValueError) as error:
        raise ValueError(f"{file}: not an .npz recording ({' '.join(str(error).split())[:200]})") from None
