"""Recordings from a folder of WFDB records."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from ecgdig.io import read_wfdb
from ecgdig.recording import Recording
from ecgdig.sources.source import checked_index

log = logging.getLogger(__name__)


class WfdbFolder:
    """Every WFDB record below a folder, sorted by path; or one record.

    Nothing is read before it is asked for. An unreadable record raises `ecgdig.io.RecordError` when it is.

    Args:
        path: a folder, searched recursively for `.hea` files, or one record's `.hea` file (suffix optional).
        min_leads: leave out records whose header announces fewer signals; how many is logged.

    Raises:
        FileNotFoundError: nothing there.
    """

    def __init__(self, path: str | os.PathLike[str], min_leads: int = 1) -> None:
        self.path = Path(path)
        headers = _headers(self.path)
        if not headers:
            raise FileNotFoundError(f"{self.path}: no WFDB records; want a folder that holds .hea files, or one")
        enough = headers if min_leads <= 1 else [header for header in headers if _n_signals(header) >= min_leads]
        if not enough:
            raise FileNotFoundError(f"{self.path}: none of {len(headers)} records has {min_leads} leads")
        if len(enough) < len(headers):
            log.warning("%s: left out %d records of fewer than %d leads", path, len(headers) - len(enough), min_leads)
        self.headers = tuple(enough)

    def __len__(self) -> int:
        return len(self.headers)

    def __getitem__(self, index: int) -> Recording:
        return read_wfdb(self.headers[checked_index(index, len(self))])


def _headers(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(path.rglob("*.hea"))
    header = path if path.suffix == ".hea" else path.with_name(f"{path.name}.hea")
    return [header] if header.is_file() else []


def _n_signals(header: Path) -> int:
    """The number of signals in a header's record line; a header without one counts as large, and fails when read."""
    for line in header.read_text(errors="replace").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            fields = line.split()
            return int(fields[1]) if len(fields) > 1 and fields[1].isdigit() else 10**6
    return 10**6
