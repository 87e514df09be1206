from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecgdig.io import read_npz, write_csv, write_npz
from ecgdig.recording import Recording

SIGNAL = np.array([[0.1, np.nan, -0.25], [1.0, 2.0, 3.0]], np.float32)
RECORDING = Recording(("I", "II"), 500.0, SIGNAL, SIGNAL * 0 + np.float32(0.01))


def test_csv_says_units_and_rate_and_reads_back(tmp_path: Path) -> None:
    file = write_csv(RECORDING, tmp_path / "a.csv")
    head = file.read_text().splitlines()
    assert head[0].startswith("# sampling rate 500 Hz")
    assert "mV" in head[0]
    assert head[3] == "0.0020,,2.0000,,0.0100"  # what is not known is empty
    table = pd.read_csv(file, comment="#")
    assert list(table) == ["time_s", "I_mV", "II_mV", "I_sigma_mV", "II_sigma_mV"]
    np.testing.assert_allclose(table["I_mV"], SIGNAL[0], atol=1e-4)


def test_npz_reads_back(tmp_path: Path) -> None:
    read = read_npz(write_npz(RECORDING, tmp_path / "a.npz"))
    assert read.leads == RECORDING.leads
    assert read.fs == 500
    np.testing.assert_array_equal(read.signal_mv, SIGNAL)
    assert read.sigma_mv is not None
    with np.load(tmp_path / "a.npz") as archive:
        assert str(archive["units"]) == "mV"


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_text("no archive")
    with pytest.raises(ValueError, match=r"a\.npz"):
        read_npz(tmp_path / "a.npz")
