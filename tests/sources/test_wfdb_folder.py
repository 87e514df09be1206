from __future__ import annotations

import logging
import pickle
from pathlib import Path

import numpy as np
import pytest

from ecgdig.io import RecordError, write_wfdb
from ecgdig.recording import Recording
from ecgdig.sources import Source, WfdbFolder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for place, n_leads in (("b/r2", 2), ("a/deep/r1", 1), ("b/r3", 3)):
        path = tmp_path / place
        signal = np.full((n_leads, 20), n_leads, np.float32)
        write_wfdb(Recording(("I", "II", "III")[:n_leads], 500.0, signal), path.parent, path.name)
    return tmp_path


def test_every_record_sorted_by_path(folder: Path) -> None:
    source = WfdbFolder(folder)
    assert isinstance(source, Source)
    assert [recording.name for recording in source] == ["r1", "r2", "r3"]
    assert source[-1].name == "r3"
    assert pickle.loads(pickle.dumps(source))[1].name == "r2"


@pytest.mark.parametrize("path", ["b/r2", "b/r2.hea"])
def test_one_record(folder: Path, path: str) -> None:
    source = WfdbFolder(folder / path)
    assert len(source) == 1
    assert source[0].leads == ("I", "II")


def test_min_leads_says_what_it_leaves_out(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert len(WfdbFolder(folder, min_leads=2)) == 2
    assert "left out 1 records" in caplog.text
    with pytest.raises(FileNotFoundError, match="has 12 leads"):
        WfdbFolder(folder, min_leads=12)


def test_an_unreadable_record_raises_when_asked_for(folder: Path) -> None:
    (folder / "b" / "r2.hea").write_text("")
    source = WfdbFolder(folder, min_leads=1)
    assert source[0].name == "r1"
    with pytest.raises(RecordError, match=r"r2\.hea"):
        source[1]


@pytest.mark.parametrize("index", [3, -4, 99])
def test_out_of_range(folder: Path, index: int) -> None:
    with pytest.raises(IndexError, match="source that has 3"):
        WfdbFolder(folder)[index]


@pytest.mark.parametrize("path", ["none", "b/none.hea", "empty"])
def test_nothing_there(folder: Path, path: str) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no WFDB records"):
        WfdbFolder(folder / path)
