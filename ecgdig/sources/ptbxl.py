"""PTB-XL: 21,799 ten-second 12-lead recordings (Wagner et al., Scientific Data 2020, doi:10.1038/s41597-020-0495-6)."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ecgdig.io import read_wfdb
from ecgdig.recording import Recording
from ecgdig.sources.source import checked_index
from ecgdig.sources.wfdb_folder import WfdbFolder

TABLE = "ptbxl_database.csv"
_FILENAME_COLUMN = {100: "filename_lr", 500: "filename_hr"}  # Hz
TEST_FOLD = 10
_SEX = {"0": "Male", "1": "Female"}
_AGE_OVER_89 = 300  # how the table hides the age of patients older than 89


@dataclass(frozen=True)
class _Row:
    record: str  # relative to the data set's folder, no suffix
    metadata: tuple[tuple[str, str], ...]


class PtbXl:
    """PTB-XL in its own folder layout, with age and sex from its table as metadata `Age` and `Sex`.

    Without `ptbxl_database.csv` every record below `records100` or `records500` (or, failing these, the folder).

    Args:
        path: the folder that holds `ptbxl_database.csv`.
        rate: 100 or 500 Hz; None = 500, or 100 where only `records100` is there.
        folds: which of the table's ten patient-wise folds; None = all. 9 and 10 are the human-validated ones.

    Raises:
        ValueError: another rate, folds that are not there, or folds without the table.
        FileNotFoundError: no table and no records.
    """

    def __init__(
        self, path: str | os.PathLike[str], rate: int | None = None, folds: Sequence[int] | None = None
    ) -> None:
        self.path = Path(path)
        if rate is None:
            slow_only = (self.path / "records100").is_dir() and not (self.path / "records500").is_dir()
            rate = 100 if slow_only else 500
        if rate not in _FILENAME_COLUMN:
            raise ValueError(f"PTB-XL has no {rate} Hz recordings; want 100 or 500")
        self.rate = rate
        table = self.path / TABLE
        if table.is_file():
            self._rows = _read_table(table, rate, folds)
        elif folds is not None:
            raise ValueError(f"{table}: not there, so folds {tuple(folds)} are not known; put it there or drop folds")
        else:
            self._rows = _scan(self.path, rate)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def records(self) -> tuple[str, ...]:
        """The records' paths, relative to `path` and without suffix."""
        return tuple(row.record for row in self._rows)

    @property
    def folds(self) -> frozenset[int]:
        """The folds its recordings are of; empty without the table."""
        listed = (dict(row.metadata).get("strat_fold") for row in self._rows)
        return frozenset(int(float(fold)) for fold in listed if fold)

    def __getitem__(self, index: int) -> Recording:
        row = self._rows[checked_index(index, len(self))]
        recording = read_wfdb(self.path / f"{row.record}.hea")
        return replace(recording, metadata={**recording.metadata, **dict(row.metadata)})


def held_out(path: str | os.PathLike[str]) -> PtbXl:
    """PTB-XL's test fold, on which no network here is trained; all of a folder whose table lists none of it."""
    database = PtbXl(path)
    return PtbXl(path, folds=(TEST_FOLD,)) if TEST_FOLD in database.folds else database


def _read_table(table: Path, rate: int, folds: Sequence[int] | None) -> tuple[_Row, ...]:
    with table.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    column = _FILENAME_COLUMN[rate]
    if lines and (column not in lines[0] or "strat_fold" not in lines[0]):
        raise ValueError(f"{table}: has no columns {column} and strat_fold; want PTB-XL's own table")
    fold_of = [int(float(line["strat_fold"])) for line in lines]
    chosen = [line for line, fold in zip(lines, fold_of, strict=True) if folds is None or fold in folds]
    if not chosen:
        raise ValueError(f"{table}: no recordings in folds {folds}; it has folds {sorted(set(fold_of))}")
    return tuple(_Row(line[column], tuple(_metadata(line).items())) for line in chosen)


def _metadata(line: dict[str, str]) -> dict[str, str]:
    metadata = {"ecg_id": line.get("ecg_id", ""), "strat_fold": line["strat_fold"]}
    if line.get("age"):
        age = int(float(line["age"]))
        metadata["Age"] = ">89" if age >= _AGE_OVER_89 else str(age)
    if line.get("sex") in _SEX:
        metadata["Sex"] = _SEX[line["sex"]]
    return metadata


def _scan(path: Path, rate: int) -> tuple[_Row, ...]:
    below = path / f"records{rate}"
    headers = WfdbFolder(below if below.is_dir() else path).headers
    return tuple(_Row(str(header.relative_to(path).with_suffix("")), ()) for header in headers)
