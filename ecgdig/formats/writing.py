"""The formats that recordings can be written in, by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ecgdig.formats.about import About
from ecgdig.formats.aecg import write_aecg
from ecgdig.formats.dicom import write_dicom
from ecgdig.formats.edf import write_edf
from ecgdig.formats.extra import imported
from ecgdig.formats.fhir import write_fhir
from ecgdig.formats.parquet import write_parquet
from ecgdig.io.table import write_csv, write_npz
from ecgdig.io.wfdb import safe_name, write_wfdb
from ecgdig.recording import Recording


@dataclass(frozen=True)
class Format:
    """How a format is written.

    Attributes:
        suffixes: of its files; `write` is given the path with the first of them.
        library: a package of the extra `formats` that it needs.
    """

    suffixes: tuple[str, ...]
    write: Callable[[Recording, About, Path], object]
    library: str | None = None


def _wfdb(recording: Recording, about: About, path: Path) -> None:
    told = {**recording.metadata, **about.pairs(recording)}
    write_wfdb(replace(recording, metadata=told), path.parent, path.stem)


def _csv(recording: Recording, about: About, path: Path) -> None:
    write_csv(recording, path, about.lines(recording))


def _npz(recording: Recording, about: About, path: Path) -> None:
    write_npz(recording, path, about.lines(recording))


def _pdf(recording: Recording, about: About, path: Path) -> None:
    from ecgdig.formats.pdf import write_pdf  # matplotlib takes a while to load

    write_pdf(recording, about, path)


FORMATS: dict[str, Format] = {
    "wfdb": Format((".hea", ".dat"), _wfdb),
    "csv": Format((".csv",), _csv),
    "npz": Format((".npz",), _npz),
    "parquet": Format((".parquet",), write_parquet, "pyarrow"),
    "dicom": Format((".dcm",), write_dicom, "pydicom"),
    "aecg": Format((".aecg.xml",), write_aecg),
    "fhir": Format((".fhir.json",), write_fhir),
    "edf": Format((".edf",), write_edf, "pyedflib"),
    "pdf": Format(("_reprint.pdf",), _pdf),
}
DEFAULT_FORMATS = ("wfdb", "csv", "npz")


def check_formats(formats: Sequence[str]) -> tuple[str, ...]:
    """`formats`, each once, if all are known, what they need is installed, and there is one at least.

    Raises:
        ValueError: otherwise.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise ValueError(f"unknown format {', '.join(unknown) or 'none'}; use {', '.join(FORMATS)}")
    for name in formats:
        library = FORMATS[name].library
        if library is not None:
            imported(library)
    return tuple(dict.fromkeys(formats))


def files_of(formats: Sequence[str], path: str | os.PathLike[str]) -> list[Path]:
    """The files that `write_recording` writes for these formats."""
    path = Path(path)
    folder, name = path.parent, safe_name(path.name)
    return [folder / f"{name}{suffix}" for each in formats for suffix in FORMATS[each].suffixes]


def write_recording(
    recording: Recording, path: str | os.PathLike[str], formats: Sequence[str], about: About | None = None
) -> list[Path]:
    """Write PATH with the suffix of each format, each file whole or not at all.

    Args:
        path: folder and name; what WFDB forbids in names becomes `_`.
        about: where the samples come from; by default only rate, unit and gaps are stated.

    Raises:
        ValueError: an unknown format, a library that is not installed, or a recording that a format cannot hold.
        OSError: the folder cannot be written to.
    """
    for name in check_formats(formats):
        FORMATS[name].write(recording, about or About(), files_of([name], path)[0])
    return files_of(tuple(dict.fromkeys(formats)), path)
