"""Parquet tables: a row a sample, a column a lead; units and provenance in the schema.

Format: https://parquet.apache.org/docs/file-format/
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from ecgdig.formats.about import About
from ecgdig.formats.extra import imported, reason
from ecgdig.io.atomic import whole_file
from ecgdig.io.table import samples_of
from ecgdig.io.wfdb import RecordError
from ecgdig.recording import FloatArray, Recording

KEY = b"ecgdig"  # of the schema's metadata: what `About.pairs` says, as JSON


def write_parquet(recording: Recording, about: About, path: str | os.PathLike[str]) -> Path:
    """Write `time_s` (float64, s), each lead as `I_mV` and, where known, its standard error as `I_sigma_mV` (float32).

    What is not known is null. The unit of each column is in its field's metadata, all of `About.pairs` as JSON in the
    schema's under `ecgdig`.
    """
    pa, parquet = imported("pyarrow"), imported("pyarrow.parquet")
    columns = {"time_s": pa.array(np.arange(recording.n_samples) / recording.fs)}
    columns |= {f"{lead}_mV": _column(pa, row) for lead, row in zip(recording.leads, recording.signal_mv, strict=True)}
    if recording.sigma_mv is not None:
        errors = zip(recording.leads, recording.sigma_mv, strict=True)
        columns |= {f"{lead}_sigma_mV": _column(pa, row) for lead, row in errors}
    fields = [
        pa.field(name, values.type, metadata={"unit": "s" if name == "time_s" else "mV"})
        for name, values in columns.items()
    ]
    text = json.dumps({**about.pairs(recording), "fs": recording.fs}, ensure_ascii=False)
    schema = pa.schema(fields, metadata={KEY: text.encode()})
    with whole_file(path) as file:
        parquet.write_table(pa.Table.from_arrays(list(columns.values()), schema=schema), file)
    return Path(path)


def read_parquet(path: str | os.PathLike[str]) -> Recording:
    """Read a table of samples; its columns are named as those of CSV files (`ecgdig.io.read_csv`).

    Raises:
        RecordError: not such a table; one line that names the file and what is wrong.
    """
    file = Path(path)
    parquet = imported("pyarrow.parquet")
    try:
        table = parquet.read_table(file)
        names = list(table.column_names)
        values = [np.asarray(table[name].to_numpy(zero_copy_only=False), np.float64) for name in names]
    except Exception as error:  # a damaged file makes the library raise anything
        raise RecordError(f"{file}: not a readable Parquet table of numbers ({reason(error)})") from None
    try:
        return samples_of(names, values, file.stem)
    except ValueError as error:
        raise RecordError(f"{file}: {error}") from None


def _column(pa: Any, samples: FloatArray) -> Any:
    return pa.array(samples, mask=~np.isfinite(samples))
