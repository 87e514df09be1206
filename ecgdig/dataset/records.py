"""The recordings of a data set: folders of recordings, PTB-XL's own folder, single records, or the simulator."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from ecgdig.recording import Recording
from ecgdig.sources import PtbXl, RecordingFolder, Simulator, Source
from ecgdig.sources.ptbxl import TABLE

SIMULATED = 1_000_000_000  # how many recordings the simulator has; each costs nothing until it is drawn


class Records:
    """Several sources one after the other, every recording with a label that names it in messages and tables.

    Args:
        sources: (what to call it, source, its records' names) each; names None = the source's numbers.
    """

    def __init__(self, sources: Sequence[tuple[str, Source, tuple[str, ...] | None]]) -> None:
        self.sources = tuple(sources)

    def __len__(self) -> int:
        return sum(len(source) for _, source, _ in self.sources)

    def __getitem__(self, index: int) -> Recording:
        _, source, _, item = self._find(index)
        return source[item]

    def label(self, index: int) -> str:
        """The record's path from the folder that was given, or the simulated one's name."""
        name, _, names, item = self._find(index)
        return f"{name}-{item}" if names is None else (f"{name}/{names[item]}" if name else names[item])

    def fingerprint(self) -> str:
        """SHA-256 of all labels: two equal ones mean the same records in the same order."""
        digest = hashlib.sha256()
        for name, _, names in self.sources:
            digest.update("\n".join([name, *(names or ()), ""]).encode())
        return digest.hexdigest()

    def _find(self, index: int) -> tuple[str, Source, tuple[str, ...] | None, int]:
        for name, source, names in self.sources:
            if index < len(source):
                return name, source, names, index
            index -= len(source)
        raise IndexError(f"record {index} beyond the last of {len(self)}")


def open_records(paths: Sequence[str], seed: int) -> Records:
    """The records at `paths` (folders searched recursively; PTB-XL's own folder; single records); none: simulated.

    Raises:
        FileNotFoundError: a path that is not there or holds no record; the message says what is wanted.
    """
    if not paths:
        return Records([(f"simulated-{seed}", Simulator(SIMULATED, seed), None)])
    several = len(paths) > 1
    return Records([_open(Path(path), several) for path in paths])


def _open(path: Path, several: bool) -> tuple[str, Source, tuple[str, ...]]:
    name = path.resolve().name if several and path.is_dir() else ""
    if not os.access(path, os.R_OK) and path.exists():
        raise PermissionError(f"{path}: not readable; change its permissions or give another folder")
    if (path / TABLE).is_file():
        database = PtbXl(path)
        return name, database, database.records
    folder = RecordingFolder(path)
    return name if path.is_dir() else "", folder, folder.names()
