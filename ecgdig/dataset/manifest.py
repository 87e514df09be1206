"""What is in a data set's folder: one row a page, kept while pages are made so that a killed run can go on.

`dataset.json` says how the pages are drawn, `manifest.csv` lists them with everything drawn, `index.csv` has the
columns `image,truth,labels` that `scripts/eval_snr.py --pages` reads. While a run goes on, finished pages are lines of
`_JOURNAL`.
"""

from __future__ import annotations

import csv
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ecgdig.dataset.files import files_of, sweep
from ecgdig.io.atomic import whole_file

DESCRIPTION, MANIFEST, INDEX = "dataset.json", "manifest.csv", "index.csv"
_JOURNAL, _LOCK = ".journal.jsonl", ".lock"
Row = dict[str, str]


class FolderError(ValueError):
    """A folder that cannot be used; the message is one line and names it and the remedy."""


@contextmanager
def claimed(folder: Path, description: Mapping[str, Any]) -> Iterator[None]:
    """Holds `folder` for a data set of this description, made if it is not there, against other runs.

    Raises:
        FolderError: it holds something else, pages of another command, or another run is writing to it.
    """
    if folder.exists() and not folder.is_dir():
        raise FolderError(f"{folder}: is a file; give a folder for --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _compare(folder, description)
        with (folder / _LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise FolderError(f"{folder}: another run is writing to it; wait for it, or stop it") from None
            if not (folder / DESCRIPTION).is_file():
                with whole_file(folder / DESCRIPTION) as file:
                    file.write_text(json.dumps(description, indent=1) + "\n")
            sweep(folder)
            yield
    except PermissionError as error:
        raise FolderError(f"{error.filename or folder}: not writable; choose another --out") from None


def _compare(folder: Path, description: Mapping[str, Any]) -> None:
    file = folder / DESCRIPTION
    if not file.is_file():
        if any(path.name != _LOCK for path in folder.iterdir()):
            raise FolderError(f"{folder}: not empty, and no data set of this command; choose another --out")
        return
    try:
        there = json.loads(file.read_text())
    except ValueError:
        raise FolderError(f"{file}: damaged; choose another --out") from None
    for key, value in description.items():
        if there.get(key) != value:
            raise FolderError(
                f"{folder}: holds pages of another command ({key} {there.get(key)}, now {value}); "
                "choose another --out or the same options"
            )


class Journal:
    """The pages that are done, by index; `add` survives a kill at any moment.

    Raises:
        FolderError: a manifest that is not this package's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: dict[int, Row] = {}
        for row in (*_read_manifest(folder), *_read_journal(folder / _JOURNAL)):
            if all((folder / file).is_file() for file in files_of(row)):
                self.rows[int(row["index"])] = row
        # whole lines only: one that was cut by a kill must not swallow the next
        with whole_file(folder / _JOURNAL) as file:
            file.write_text("".join(_line(row) for row in self.rows.values()))
        self._file = (folder / _JOURNAL).open("ab", buffering=0)

    def add(self, row: Row) -> None:
        """Keep a page that is done; where the disk is too full for its line, its files are removed again.

        Raises:
            OSError: it is not kept.
        """
        size, line = self._file.seek(0, os.SEEK_END), _line(row).encode()
        try:
            while line:
                line = line[self._file.write(line) :]
        except OSError:
            self._file.truncate(size)
            for file in files_of(row):
                (self.folder / file).unlink(missing_ok=True)
            raise
        self.rows[int(row["index"])] = row

    def close(self) -> None:
        """Write manifest and index, sorted by page: the same bytes however the pages came about.

        Raises:
            OSError: they cannot be written; the journal is kept, so that another run can.
        """
        self._file.close()
        rows = [self.rows[index] for index in sorted(self.rows)]
        if rows:
            common = set.intersection(*map(set, rows))
            rare = sorted({name for row in rows for name in row} - common)  # drawn inside degradations that few have
            _write_csv(self.folder / MANIFEST, rows, [name for name in rows[0] if name in common] + rare)
            _write_csv(self.folder / INDEX, rows, ["image", "truth", "labels"])
        (self.folder / _JOURNAL).unlink(missing_ok=True)


def read_rows(folder: Path) -> list[Row]:
    """The manifest's rows.

    Raises:
        FolderError: no manifest: not a data set, or one whose run did not finish.
    """
    if (folder / _JOURNAL).is_file():
        raise FolderError(f"{folder}: its run did not finish; give the same command again, it goes on")
    rows = _read_manifest(folder)
    if not rows:
        raise FolderError(f"{folder}: no {MANIFEST}; want a folder that scripts/render.py made")
    return rows


def _read_manifest(folder: Path) -> list[Row]:
    file = folder / MANIFEST
    if not file.is_file():
        return []
    with file.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    if rows and not {"index", "page", "image", "labels", "truth_files"} <= set(rows[0]):
        raise FolderError(f"{file}: lacks the columns of a data set's manifest; render the pages again")
    return rows


def _read_journal(file: Path) -> list[Row]:
    if not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]  # what follows the last \n was cut
    return [json.loads(line) for line in lines if line]


def _line(row: Row) -> str:
    return json.dumps(row) + "\n"


def _write_csv(file: Path, rows: Sequence[Row], columns: list[str]) -> None:
    with whole_file(file) as temporary, temporary.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, columns, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
