from __future__ import annotations

from pathlib import Path

import pytest

from ecgdig.dataset import open_records
from ecgdig.io import write_wfdb
from ecgdig.recording import Recording


@pytest.fixture
def records(recording: Recording, tmp_path: Path) -> Path:
    for name in ("a/one", "a/deep/two", "b/one"):
        write_wfdb(recording.crop(0, 2), tmp_path / Path(name).parent, Path(name).name)
    return tmp_path


def test_folders_and_single_records_one_after_the_other(records: Path) -> None:
    both = open_records([str(records / "a"), str(records / "b"), str(records / "a" / "one.dat")], 0)
    assert [both.label(i) for i in range(len(both))] == ["a/deep/two", "a/one", "b/one", "one"]
    assert both[0].name == "two"
    with pytest.raises(IndexError):
        both[4]


def test_labels_do_not_say_where_the_records_are(records: Path) -> None:
    alone = open_records([str(records / "a")], 0)
    assert [alone.label(i) for i in range(2)] == ["deep/two", "one"]
    (records / "a").rename(records / "elsewhere")
    assert open_records([str(records / "elsewhere")], 0).fingerprint() == alone.fingerprint()
    assert open_records([str(records / "b")], 0).fingerprint() != alone.fingerprint()


def test_ptbxls_own_folder(recording: Recording, tmp_path: Path) -> None:
    write_wfdb(recording.crop(0, 1), tmp_path / "records500" / "00000", "00001_hr")
    table = "ecg_id,age,sex,strat_fold,filename_lr,filename_hr\n"
    table += "1,56.0,1,3,records100/00000/00001_lr,records500/00000/00001_hr\n"
    (tmp_path / "ptbxl_database.csv").write_text(table)
    records = open_records([str(tmp_path)], 0)
    assert [records.label(i) for i in range(len(records))] == ["records500/00000/00001_hr"]
    assert records[0].metadata["Age"] == "56"


def test_the_simulator_has_enough() -> None:
    records = open_records([], 3)
    assert len(records) > 10**6
    assert records.label(12) == "simulated-3-12" == records[12].name


@pytest.mark.parametrize("name", ["nowhere", "empty", "text.txt"])
def test_what_is_no_record_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("hello")
    with pytest.raises(OSError, match=name) as error:
        open_records([str(tmp_path / name)], 0)
    assert "\n" not in str(error.value)
