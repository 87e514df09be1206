from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from ecgdig.formats import write_recording
from ecgdig.io import RecordError
from ecgdig.recording import Recording
from ecgdig.sources import RecordingFolder, Source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i, name in enumerate(("wfdb", "csv", "dicom", "edf")):
        write_recording(Recording(("I",), 500.0, np.full((1, 500), i)), tmp_path / "sub" / f"r{i}", [name])
    return tmp_path


def test_a_folder_holds_all_formats(folder: Path) -> None:
    source = RecordingFolder(folder)
    assert isinstance(source, Source)
    assert source.names() == ("sub/r0", "sub/r1", "sub/r2", "sub/r3")
    assert [pickle.loads(pickle.dumps(source))[i].signal_mv[0, 0] for i in range(4)] == pytest.approx([0, 1, 2, 3])
    with pytest.raises(IndexError):
        source[4]


@pytest.mark.parametrize("name", ["r0", "r0.hea", "r0.dat", "r2.dcm"])
def test_one_file_is_a_source_of_one(folder: Path, name: str) -> None:
    source = RecordingFolder(folder / "sub" / name)
    assert len(source) == 1
    assert source.names() == (name.partition(".")[0],)
    assert source[0].n_samples == 500


def test_nothing_there_is_named(folder: Path) -> None:
    (folder / "empty").mkdir()
    for path in (folder / "empty", folder / "none"):
        with pytest.raises(FileNotFoundError, match=r"no WFDB records or other recordings; want .*\.edf"):
            RecordingFolder(path)
    (folder / "sub" / "r3.edf").write_bytes(b"")
    with pytest.raises(RecordError, match=r"r3\.edf"):
        RecordingFolder(folder)[3]
