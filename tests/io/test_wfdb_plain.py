import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecgdig.dataset.record_bytes import record_bytes
from ecgdig.io.wfdb_plain import read_plain
from ecgdig.recording import Recording

LINES = "{file} {kind} 1000(5)/mV 16 0 1 0 0 I\n{file} {kind} 200/uV 16 0 1 0 0 lead two\n"


def written(folder: Path, head: str = "r 2 500 3", kind: str = "16", lines: str = LINES, skip: int = 0) -> Path:
    levels = np.array([[5, 400], [1005, -32768], [-32768, -200]], "<i2")
    (folder / "r.dat").write_bytes(b"\0" * skip + levels.tobytes())
    header = folder / "r.hea"
    header.write_text(head + "\n" + lines.format(file="r.dat", kind=kind) + "# Age: 61\n")
    return header


@pytest.mark.parametrize(("kind", "skip"), [("16", 0), ("16+24", 24)])
def test_it_reads_what_the_package_reads(tmp_path: Path, kind: str, skip: int) -> None:
    header = written(tmp_path, kind=kind, skip=skip)
    plain = read_plain(header)
    assert plain is not None
    np.testing.assert_array_equal(plain.e_p_signal, [[0, 1, np.nan], [2, np.nan, -1]])
    record = wfdb.rdrecord(str(header.with_suffix("")), smooth_frames=False)
    np.testing.assert_array_equal(plain.e_p_signal, record.e_p_signal)
    assert (plain.fs, plain.sig_name, plain.units) == (record.fs, record.sig_name, record.units)
    assert (plain.n_sig, plain.samps_per_frame) == (record.n_sig, record.samps_per_frame)


def test_it_reads_flac(tmp_path: Path) -> None:
    signal = np.round(np.random.default_rng(0).normal(0, 1, (10, 100)), 3).astype(np.float32)
    signal[2, 30:40] = np.nan
    files, stored = record_bytes(Recording(tuple(f"x{i}" for i in range(10)), 500, signal), "r")
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    plain = read_plain(tmp_path / "r.hea")
    assert plain is not None
    np.testing.assert_array_equal(np.array(plain.e_p_signal).astype(np.float32), stored)
    (tmp_path / "r.flac1").write_bytes(files["r.flac1"][:-100])
    assert read_plain(tmp_path / "r.hea") is None


@pytest.mark.parametrize(
    "change",
    [
        {"head": "r/2 2 500 3"},  # segments
        {"head": "r 2 500/360 3"},  # a counter frequency
        {"head": "r 2 500"},
        {"head": "r 2 500 4"},  # more samples than there are
        {"head": "r 3 500 2"},
        {"kind": "212"},
        {"kind": "16x2"},  # two samples a frame
        {"kind": "16+24"},  # and no 24 bytes before the first
        {"lines": LINES.replace("1000(5)", "0(5)")},
        {"lines": LINES.replace("200/uV 16 0", "200/uV 16 1024")},  # a baseline by another name
        {"lines": LINES.replace(" 16 0 1 0 0 I", "")},
        {"lines": ""},
    ],
)
def test_what_is_unusual_is_left_to_the_package(tmp_path: Path, change: dict[str, str]) -> None:
    assert read_plain(written(tmp_path, **change)) is None


def test_missing_files_are_left_to_the_package(tmp_path: Path) -> None:
    assert read_plain(tmp_path / "r.hea") is None
    header = written(tmp_path)
    (tmp_path / "r.dat").unlink()
    assert read_plain(header) is None


def test_workers_that_draw_pages_do_not_import_pandas() -> None:
    code = "import sys, ecgdig.dataset, ecgdig.degrade; assert not {'pandas', 'pyarrow', 'wfdb'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
