"""What can be taken home of a reading: the one list of it."""

from __future__ import annotations

from collections.abc import Sequence

from ecgdig.report.save import FORMATS

_SAID = {
    "wfdb": "WFDB record (.hea, .dat)",
    "csv": "CSV, with the error of every sample",
    "npz": "NumPy (.npz)",
}


def offered() -> dict[str, str]:
    """Name -> what it is, for every format that `Digitization.save` writes."""
    return {name: _SAID.get(name, name) for name in FORMATS}


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
