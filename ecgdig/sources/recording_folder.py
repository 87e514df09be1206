"""Recordings from a folder of files of any format that is known."""

from __future__ import annotations

import os
from pathlib import Path

from ecgdig.formats import SUFFIXES, is_recording, name_of, read_recording, recordings_in
from ecgdig.recording import Recording
from ecgdig.sources.source import checked_index


class RecordingFolder:
    """Every recording below a folder, sorted by path; or one of them. See `ecgdig.formats.read_recording`.

    Nothing is read before it is asked for. An unreadable recording raises `ecgdig.io.RecordError` when it is. Of one
    name in several formats the first is taken (WFDB, CSV, .npz, Parquet, DICOM, aECG, EDF).

    Args:
        path: a folder, searched recursively, or one file; of a WFDB record the suffix is optional.

    Raises:
        FileNotFoundError: nothing there.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.files = tuple(_files(self.path))
        if not self.files:
            raise FileNotFoundError(
                f"{self.path}: no WFDB records or other recordings; want a folder that holds files of "
                f"{', '.join(SUFFIXES)}, or one"
            )

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Recording:
        return read_recording(self.files[checked_index(index, len(self))])

    def names(self) -> tuple[str, ...]:
        """What each is called: its path from the folder, without suffix."""
        base = self.path if self.path.is_dir() else self.path.parent
        return tuple(str(f.parent.relative_to(base) / name_of(f)) for f in self.files)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return recordings_in(path)
    if path.is_file() and is_recording(path):
        return [path]
    bare = path.with_suffix("") if path.suffix.lower() in {".dat", ".mat"} else path
    header = bare.with_name(f"{bare.name}.hea")
    return [header] if header.is_file() else []
