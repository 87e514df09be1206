"""What can be taken home of a reading: the one list of it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from ecgdig.formats import FORMATS

_SAID = {
    "wfdb": "WFDB record (.hea, .dat)",
    "csv": "CSV, with the error of every sample",
    "npz": "NumPy (.npz)",
    "parquet": "Parquet table",
    "dicom": "DICOM 12-lead ECG waveform",
    "aecg": "HL7 aECG (XML)",
    "fhir": "FHIR R4 Observation (JSON)",
    "edf": "EDF+",
    "pdf": "re-print on clean paper (PDF)",
}


def offered() -> dict[str, str]:
    """Name -> what it is, for every format that `Digitization.save` writes here; some need the extra `formats`."""
    return {
        name: _SAID.get(name, name)
        for name, each in FORMATS.items()
        if each.library is None or find_spec(each.library) is not None
    }


def checked(names: Sequence[str]) -> tuple[str, ...]:
    """The names, each once.

    Raises:
        ValueError: one of them is not offered, or there is none.
    """
    there = offered()
    unknown = [name for name in names if name not in there]
    if unknown or not names:
        raise ValueError(f"unknown format {', '.join(unknown)[:60] or 'none'}; use {', '.join(there)}")
    return tuple(dict.fromkeys(names))
