from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecgdig.dataset.record_bytes import record_bytes
from ecgdig.io import read_wfdb
from ecgdig.recording import Recording


def written(recording: Recording, folder: Path) -> np.ndarray:
    files, stored = record_bytes(recording, "r1")
    for name, data in files.items():
        (folder / name).write_bytes(data)
    assert list(files)[-1] == "r1.hea"
    return stored


def test_reads_back_with_the_wfdb_package(recording: Recording, tmp_path: Path) -> None:
    signal = recording.signal_mv.copy()
    signal[3] = np.nan
    signal[5, 100:300] = np.nan
    given = replace(recording, signal_mv=signal)
    stored = written(given, tmp_path)
    record = wfdb.rdrecord(str(tmp_path / "r1"))  # checks the checksums too
    assert record.fmt == ["516"] * 12
    np.testing.assert_array_equal(np.isnan(record.p_signal.T), np.isnan(signal))
    back = read_wfdb(tmp_path / "r1.hea")
    assert back.leads == given.leads
    assert back.fs == given.fs
    np.testing.assert_array_equal(back.signal_mv, stored)
    np.testing.assert_allclose(stored, signal, atol=0.00051)


@pytest.mark.parametrize("n_leads", [1, 8, 9, 17])
def test_any_number_of_leads(n_leads: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(n_leads)
    signal = rng.normal(size=(n_leads, 60)).astype(np.float32)
    given = Recording(tuple(f"L{i}" for i in range(n_leads)), 62.5, signal)
    stored = written(given, tmp_path)
    back = read_wfdb(tmp_path / "r1")
    assert back.fs == 62.5
    np.testing.assert_array_equal(back.signal_mv, stored)


def test_tall_leads_get_coarser_steps(tmp_path: Path) -> None:
    signal = np.float32([[40.0, -40.001, 0.0123], [0.0011, 0.0, 1.0]])
    stored = written(Recording(("I", "II"), 100.0, signal), tmp_path)
    np.testing.assert_allclose(stored[0], signal[0], atol=0.0051)
    np.testing.assert_allclose(stored[1], signal[1], atol=0.00051)
    np.testing.assert_array_equal(read_wfdb(tmp_path / "r1").signal_mv, stored)
