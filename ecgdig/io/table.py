"""Recordings as CSV and as NumPy archives."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgdig.io.atomic import whole_file
from ecgdig.recording import FloatArray, Recording, canonical_lead

_TIME = re.compile(r"(time|t|seconds?)[ _]*[(\[]?(s|sec|seconds|ms)?[)\]]?", re.I)
_UNIT = re.compile(r"[ _]*[(\[]?([mµμu]V)[)\]]?$", re.I)
_SIGMA = re.compile(r"[ _]*sigma$", re.I)
_LEAST_FS = 10.0  # Hz; no ECG is slower
_MOST_SAMPLES = 50_000_000  # a day at 500 Hz; more is a time column in another unit


def write_csv(recording: Recording, path: str | os.PathLike[str], remarks: Sequence[str] = ()) -> Path:
    """Write a table with one line a sample, whole or not at all.

    A line beginning with `#` says the sampling rate and the units, more of them the `remarks`; then come the names of
    the columns: `time_s`, each lead as `I_mV` and, where they are known, the standard errors as `I_sigma_mV`. What is
    not known is left empty. pandas reads it with `read_csv(path, comment="#")`.
    """
    names = ["time_s", *(f"{lead}_mV" for lead in recording.leads)]
    columns = [np.arange(recording.n_samples) / recording.fs, *recording.signal_mv]
    if recording.sigma_mv is not None:
        names += [f"{lead}_sigma_mV" for lead in recording.leads]
        columns += list(recording.sigma_mv)
    with whole_file(path) as file, file.open("w", newline="\n") as out:
        out.write(f"# sampling rate {recording.fs:g} Hz; time in s, leads and standard errors (sigma) in mV; ")
        out.write("empty = not printed or not readable\n")
        out.writelines(f"# {' '.join(remark.split())}\n" for remark in remarks)
        out.write(",".join(names) + "\n")
        for time, *values in zip(*columns, strict=True):
            out.write(f"{time:.4f}," + ",".join("" if np.isnan(v) else f"{v:.4f}" for v in values) + "\n")
    return Path(path)


def write_npz(recording: Recording, path: str | os.PathLike[str], remarks: Sequence[str] = ()) -> Path:
    """Write `signal` and `sigma` (float32 `(n_leads, n_samples)` in mV), `fs` (Hz), `leads` and `units`, no pickles.

    `about` holds the `remarks`, one text each.
    """
    sigma: FloatArray = np.full_like(recording.signal_mv, np.nan) if recording.sigma_mv is None else recording.sigma_mv
    with whole_file(path) as file:
        np.savez_compressed(
            file,
            signal=recording.signal_mv,
            sigma=sigma,
            fs=np.float64(recording.fs),
            leads=np.array(recording.leads),
            units=np.array("mV"),
            about=np.array(list(remarks), dtype=np.str_),
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
    except Exception as error:  # damaged archives lead to BadZipFile, zlib.error, NotImplementedError ...
        raise ValueError(f"{file}: not an .npz recording ({' '.join(str(error).split())[:200]})") from None


def is_csv_recording(path: str | os.PathLike[str]) -> bool:
    """Whether the header of a CSV file begins with a time column and has another one."""
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            header = next((line for line in file if not line.startswith("#") and line.strip()), "")
    except (OSError, UnicodeDecodeError):
        return False
    names = _split(header)
    return len(names) > 1 and bool(_TIME.fullmatch(names[0].strip()))


def read_csv(path: str | os.PathLike[str]) -> Recording:
    """Read a table of samples: a header, then one line a sample; separated by commas, semicolons or tabs.

    The first column is the time (`time_s`, `time`, `t`; in s, or in ms if its name says so) from the start of the page,
    evenly spaced; lines that are absent are not known. Each other column is a lead in mV (`I`, `avR`, `II_mV`,
    `V1 (mV)`; in µV if its name says so) or, as `write_csv` writes it, a standard error (`I_sigma_mV`). Empty and `nan`
    = not known. Lines that begin with `#` are passed over.

    Raises:
        ValueError: no such table; one line that names the file and what is wrong.
    """
    file = Path(path)
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            rows = [line for line in lines if line.strip() and not line.startswith("#")]
        if not rows:
            raise ValueError("no header; want time,I,II,... and one line a sample")
        names = _checked(_split(rows[0]))
        return samples_of(names, _numbers(names, [_split(row) for row in rows[1:]]), file.stem)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{file}: not a readable CSV file ({' '.join(str(error).split())[:200]})") from None
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def samples_of(names: Sequence[str], columns: Sequence[NDArray[np.float64]], name: str) -> Recording:
    """A recording from the columns of a table, named as in `read_csv`, the time first.

    Raises:
        ValueError: the columns are no recording; the message says what is wrong.
    """
    names = _checked(names)
    if columns[0].size < 2:
        raise ValueError(f"{columns[0].size} samples; want two at least, for the sampling rate")
    time_s = columns[0] / 1000 if re.search(r"ms[)\]]?$", names[0], re.I) else columns[0]
    fs, place = _grid(time_s)
    return _recording(names[1:], np.stack(columns[1:]), fs, place, name)


def _checked(names: Sequence[str]) -> list[str]:
    bare = [name.strip() for name in names]
    if len(bare) < 2 or not _TIME.fullmatch(bare[0]):
        raise ValueError(f"header begins {','.join(bare)[:60]!r}; want time_s and one column a lead")
    return bare


def _split(line: str) -> list[str]:
    separator = max(",;\t", key=line.count)
    return next(csv.reader([line.strip("\r\n")], delimiter=separator), [])


def _numbers(names: list[str], rows: list[list[str]]) -> list[NDArray[np.float64]]:
    """The columns, `(n,)` each; empty = NaN."""
    if not rows:
        raise ValueError("0 samples; want two at least, for the sampling rate")
    for i, row in enumerate(rows):
        if len(row) != len(names):
            raise ValueError(f"sample {i + 1} has {len(row)} values for {len(names)} columns; want one value a column")
    columns = []
    for name, column in zip(names, zip(*rows, strict=True), strict=False):
        try:
            columns.append(np.array([float(text) if text.strip() else np.nan for text in column]))
        except ValueError as error:
            raise ValueError(
                f"column {name!r}: {error}; want numbers with a decimal point, empty = not known"
            ) from None
    return columns


def _grid(time_s: NDArray[np.float64]) -> tuple[float, NDArray[np.int64]]:
    """Sampling rate in Hz, and the index of each line's sample on the time axis that begins at 0 s."""
    steps = np.diff(time_s)
    if not np.isfinite(time_s).all() or not (steps > 0).all():
        raise ValueError("times that do not grow from line to line; want seconds in order, each once")
    counts = np.round(steps / np.quantile(steps, 0.25, method="lower"))  # lines may be absent
    fs = float(counts.sum() / (time_s[-1] - time_s[0]))  # over all: times are written with few digits
    if abs(fs - round(fs)) < 2e-4 * fs:
        fs = float(round(fs))
    if fs < _LEAST_FS:
        raise ValueError(f"times that mean {fs:g} Hz; want seconds, or a column named time_ms")
    place = np.round(time_s * fs).astype(np.int64)
    if place.min() < 0 or place.max() > _MOST_SAMPLES:
        raise ValueError(f"times from {time_s[0]:g} to {time_s[-1]:g} s; want seconds from the start of the page")
    if np.abs(time_s[0] + np.concatenate([[0], np.cumsum(counts)]) / fs - time_s).max() > 0.25 / fs:
        raise ValueError(f"times that are not evenly spaced (about {fs:g} Hz); resample them first")
    return fs, place


def _recording(
    names: list[str], values: NDArray[np.float64], fs: float, place: NDArray[np.int64], name: str
) -> Recording:
    signal: dict[str, NDArray[np.float64]] = {}
    sigma: dict[str, NDArray[np.float64]] = {}
    for column, samples in zip(names, values, strict=True):
        unit = _UNIT.search(column)
        bare = column[: unit.start()] if unit else column
        into, lead = (sigma, _SIGMA.sub("", bare)) if _SIGMA.search(bare) else (signal, bare)
        lead = canonical_lead(lead)
        if lead in into:
            raise ValueError(f"two columns for lead {lead}; keep one")
        into[lead] = np.full(int(place[-1]) + 1, np.nan)
        into[lead][place] = samples * (1.0 if not unit or unit[1].lower() == "mv" else 1e-3)
    if not signal:
        raise ValueError("no column of a lead, only standard errors; want time_s and one column a lead")
    nothing = np.full(int(place[-1]) + 1, np.nan)
    errors = np.stack([sigma.get(lead, nothing) for lead in signal]).astype(np.float32) if sigma else None
    return Recording(tuple(signal), fs, np.stack(list(signal.values())).astype(np.float32), errors, name)
