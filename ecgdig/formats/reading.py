"""Recordings from files of any format that is known, told by suffix and content."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ecgdig.formats.aecg import is_aecg, read_aecg
from ecgdig.formats.dicom import read_dicom
from ecgdig.formats.edf import read_edf
from ecgdig.formats.parquet import read_parquet
from ecgdig.io.dicom_page import is_dicom_page
from ecgdig.io.table import is_csv_recording, read_csv, read_npz
from ecgdig.io.wfdb import RecordError, read_wfdb
from ecgdig.recording import Recording

_READERS: dict[str, Callable[[Path], Recording]] = {
    ".hea": read_wfdb,
    ".dat": read_wfdb,
    ".mat": read_wfdb,
    ".csv": read_csv,
    ".npz": read_npz,
    ".parquet": read_parquet,
    ".dcm": read_dicom,
    ".xml": read_aecg,
    ".edf": read_edf,
}
SUFFIXES = (".hea", ".csv", ".npz", ".parquet", ".dcm", ".xml", ".edf")  # a file of one of these is a recording
_MAGIC = {b"PAR1": read_parquet, b"PK\x03\x04": read_npz, b"0       ": read_edf}
_RATES_HZ = (10.0, 50_000.0)
_MOST_MV = 1000.0  # a thousand times a QRS complex: the unit is wrong


def read_recording(path: str | os.PathLike[str]) -> Recording:
    """Read a WFDB record, CSV, Parquet, .npz, DICOM waveform, aECG or EDF file, in mV; what is not known is NaN.

    The suffix tells the format; a file without a known one is told by its first bytes, and a path without a suffix is
    a WFDB record's.

    Raises:
        RecordError: missing, damaged, of another kind, in another unit than volts, or with a rate or values that no ECG
            has; one line that names the file.
    """
    file = Path(path)
    reader = _READERS.get(file.suffix.lower()) or (_by_content(file) if file.is_file() else read_wfdb)
    if reader is not read_wfdb and not file.is_file():
        what = "is a folder; give one recording in it" if file.is_dir() else "no such file"
        raise RecordError(f"{file}: {what}")
    try:
        return checked(reader(file), file)
    except RecordError:
        raise
    except (ValueError, OSError, MemoryError) as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise RecordError(text if str(file) in text else f"{file}: {text}") from None


def checked(recording: Recording, file: Path) -> Recording:
    """The recording, if it may be an ECG's.

    Raises:
        RecordError: rate or values that no ECG has, or no known sample.
    """
    low, high = _RATES_HZ
    if not low <= recording.fs <= high:
        raise RecordError(f"{file}: sampling rate of {recording.fs:g} Hz; want {low:g} to {high:g}")
    known = np.isfinite(recording.signal_mv)
    if not known.any():
        raise RecordError(f"{file}: holds no known sample")
    peak = float(np.abs(recording.signal_mv[known]).max())
    if peak > _MOST_MV:
        raise RecordError(f"{file}: values of up to {peak:.3g} mV; the unit must be wrong, want mV")
    return recording


def is_recording(path: str | os.PathLike[str]) -> bool:
    """Whether the suffix, and where that says too little the beginning, speak of a recording."""
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES or file.name.startswith("."):
        return False
    try:
        if suffix == ".csv":
            return is_csv_recording(file)
        if suffix == ".dcm":
            return not is_dicom_page(file) or find_spec("pydicom") is None  # then whoever reads it says what is missing
        return suffix != ".xml" or is_aecg(file)
    except OSError:
        return False


def name_of(path: Path) -> str:
    """What a recording is called: its file's name without suffixes."""
    return re.sub(r"\.aecg$", "", path.stem, flags=re.I)


def recordings_in(folder: Path) -> list[Path]:
    """The recordings below a folder, sorted by path; of one name in several formats the first of `SUFFIXES`."""
    found: dict[tuple[Path, str], Path] = {}
    files = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()]
    for path in sorted(files, key=lambda path: (SUFFIXES.index(path.suffix.lower()), path)):
        key = path.parent, name_of(path)
        if key not in found and is_recording(path):
            found[key] = path
    return sorted(found.values())


def _by_content(file: Path) -> Callable[[Path], Recording]:
    with file.open("rb") as opened:
        head = opened.read(4096)
    if head[128:132] == b"DICM":
        return read_dicom
    for magic, reader in _MAGIC.items():
        if head.startswith(magic):
            return reader
    if b"AnnotatedECG" in head:
        return read_aecg
    if file.with_name(f"{file.name}.hea").is_file():
        return read_wfdb
    raise RecordError(f"{file}: not a recording; give a file of {', '.join(SUFFIXES)}")
