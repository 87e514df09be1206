from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecgdig.io import is_csv_recording, read_csv, read_npz, write_csv, write_npz
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


def test_csv_reads_back_with_its_errors(tmp_path: Path) -> None:
    read = read_csv(write_csv(RECORDING, tmp_path / "a.csv"))
    assert (read.leads, read.fs, read.name) == (RECORDING.leads, 500, "a")
    np.testing.assert_allclose(read.signal_mv, SIGNAL, atol=1e-4)
    np.testing.assert_allclose(read.sigma_mv, RECORDING.sigma_mv, atol=1e-4)


@pytest.mark.parametrize(
    ("text", "leads", "fs", "first"),
    [
        ("time,AVR,Lead II\n0,1,2\n0.004,3,4\n", ("aVR", "II"), 250, [1, 3]),
        ("t_ms;v1 (uV)\n0;1000\n1;-500\n2;\n", ("V1",), 1000, [1, -0.5, np.nan]),
        (
            "\ufeffTime (s)\tI_mV\r\n0.004\t7\r\n0.006\t8\r\n0.010\t9\r\n",
            ("I",),
            500,
            [np.nan, np.nan, 7, 8, np.nan, 9],
        ),
        ("# by hand\nseconds,I\n0.0000,1\n0.0028,1\n0.0056,nan\n0.0083,1\n", ("I",), 361.4, [1, 1, np.nan, 1]),
    ],
)
def test_csv_of_other_programs(
    tmp_path: Path, text: str, leads: tuple[str, ...], fs: float, first: list[float]
) -> None:
    (tmp_path / "b.csv").write_text(text, newline="")
    assert is_csv_recording(tmp_path / "b.csv")
    read = read_csv(tmp_path / "b.csv")
    assert read.leads == leads
    assert read.fs == pytest.approx(fs, abs=0.1)
    np.testing.assert_allclose(read.signal_mv[0], first)


def test_rounded_times_give_the_whole_rate(tmp_path: Path) -> None:
    lines = [f"{i / 360:.4f},{i % 7}" for i in range(3600)]
    (tmp_path / "c.csv").write_text("\n".join(["time_s,I", *lines]))
    read = read_csv(tmp_path / "c.csv")
    assert (read.fs, read.n_samples) == (360, 3600)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "no header"),
        ("a,b\n1,2\n", "a,b"),
        ("time_s,I\n0,1\n", "1 samples"),
        ("time_s,I\n0,1\n0.1\n", "sample 2"),
        ("time_s,I\n0,x\n0.1,1\n", "'x'"),
        ("time_s,I\n0,1\n0,2\n", "do not grow"),
        ("time_s,I\n0,1\n0.01,2\n0.02,2\n0.034,2\n0.044,2\n0.058,2\n", "evenly"),
        ("time_s,I\n0,1\n2,2\n", "time_ms"),
        ("time_s,I\n-1,1\n-0.99,2\n", "start of the page"),
        ("time_s,I,i\n0,1,2\n0.01,2,3\n", "two columns for lead I"),
        ("time_s,I_sigma_mV\n0,1\n0.01,2\n", "only standard errors"),
    ],
)
def test_damaged_tables_are_refused(tmp_path: Path, text: str, wrong: str) -> None:
    (tmp_path / "d.csv").write_text(text)
    with pytest.raises(ValueError, match=r"d\.csv: ") as refused:
        read_csv(tmp_path / "d.csv")
    assert wrong in str(refused.value)
    assert "\n" not in str(refused.value)


def test_other_tables_are_no_recordings(tmp_path: Path) -> None:
    for text in ("page,layout\na,b\n", "", "time_s\n0\n"):
        (tmp_path / "e.csv").write_text(text)
        assert not is_csv_recording(tmp_path / "e.csv")
