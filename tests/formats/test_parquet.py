from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from format_pages import SHA, SOURCE, same

from ecgdig.formats import About
from ecgdig.formats.parquet import read_parquet, write_parquet
from ecgdig.io import RecordError
from ecgdig.recording import Recording


def test_pyarrow_finds_samples_units_and_provenance(page: tuple[Recording, About], tmp_path: Path) -> None:
    recording, about = page
    table = pq.read_table(write_parquet(recording, about, tmp_path / "a.parquet"))
    np.testing.assert_array_equal(table["V2_mV"].to_numpy(), recording.lead("V2"))
    assert table["V3_mV"].null_count == recording.n_samples  # null, not NaN
    assert table.schema.field("V2_mV").metadata == {b"unit": b"mV"}
    told = json.loads(table.schema.metadata[b"ecgdig"])
    assert told["fs"] == 500
    assert told["source"] == SOURCE
    assert SHA in told["checkpoint"]
    assert "not printed: I, III" in told["missing samples"]


def test_reads_back_with_its_errors(page: tuple[Recording, About], tmp_path: Path) -> None:
    read = read_parquet(write_parquet(*page, tmp_path / "a.parquet"))
    same(read, page[0], 0)
    np.testing.assert_allclose(read.sigma_mv, page[0].sigma_mv)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"I_mV": [1.0, 2.0]}, "want time_s"),
        ({"time_s": [0.0, 0.002], "I_mV": ["a", "b"]}, "not a readable Parquet table of numbers"),
        ({"time_s": [0.0, 0.0], "I_mV": [1.0, 2.0]}, "times that do not grow"),
        ({"time_s": [0.0], "I_mV": [1.0]}, "two at least"),
    ],
)
def test_other_tables_get_one_line(tmp_path: Path, table: dict[str, list[object]], says: str) -> None:
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    with pytest.raises(RecordError, match=rf"a\.parquet: .*{says}"):
        read_parquet(tmp_path / "a.parquet")
