from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from ecgdig.io import RecordError, write_wfdb
from ecgdig.recording import Recording
from ecgdig.sources import PtbXl, Source
from ecgdig.sources.ptbxl import held_out

TABLE = """ecg_id,patient_id,age,sex,strat_fold,filename_lr,filename_hr
1,15709.0,56.0,1,3,records100/00000/00001_lr,records500/00000/00001_hr
2,13243.0,300.0,0,9,records100/00000/00002_lr,records500/00000/00002_hr
3,20372.0,,0,9,records100/00000/00003_lr,records500/00000/00003_hr
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ptbxl_database.csv").write_text(TABLE)
    for number in (1, 2):  # the third is in the table only
        for rate, short in ((100, "lr"), (500, "hr")):
            recording = Recording(("I", "II"), float(rate), np.full((2, rate), number, np.float32))
            write_wfdb(recording, tmp_path / f"records{rate}" / "00000", f"0000{number}_{short}")
    return tmp_path


@pytest.mark.parametrize("rate", [100, 500])
def test_table_order_and_metadata(folder: Path, rate: int) -> None:
    source = PtbXl(folder, rate=rate)
    assert isinstance(source, Source)
    assert len(source) == 3
    assert source[0].fs == rate
    assert (source[0].signal_mv == 1).all()
    assert source[0].metadata == {"ecg_id": "1", "strat_fold": "3", "Age": "56", "Sex": "Female"}
    assert source[1].metadata["Age"] == ">89"
    assert pickle.loads(pickle.dumps(source))[1].metadata["Sex"] == "Male"


def test_the_rate_that_is_there_is_taken(folder: Path) -> None:
    assert PtbXl(folder).rate == 500
    shutil.rmtree(folder / "records500")
    assert PtbXl(folder)[1].fs == 100
    assert PtbXl(folder, folds=(9,))[0].name == "00002_lr"


def test_the_test_fold_is_held_out(folder: Path) -> None:
    assert len(held_out(folder)) == 3  # fold 10 is not there
    table = folder / "ptbxl_database.csv"
    table.write_text(table.read_text().replace(",9,records100/00000/00002", ",10,records100/00000/00002"))
    assert [recording.name for recording in held_out(folder)] == ["00002_hr"]
    assert PtbXl(folder).folds == {3, 9, 10}


def test_folds(folder: Path) -> None:
    source = PtbXl(folder, folds=(9, 10))
    assert len(source) == 2
    assert source[0].name == "00002_hr"
    with pytest.raises(ValueError, match=r"it has folds \[3, 9\]"):
        PtbXl(folder, folds=(1,))


def test_a_missing_record_is_named_when_asked_for(folder: Path) -> None:
    with pytest.raises(RecordError, match="00003_hr"):
        PtbXl(folder)[2]


def test_without_the_table_the_folder_is_scanned(folder: Path) -> None:
    (folder / "ptbxl_database.csv").unlink()
    assert [recording.name for recording in PtbXl(folder, rate=100)] == ["00001_lr", "00002_lr"]
    assert len(PtbXl(folder / "records500")) == 2
    with pytest.raises(ValueError, match="folds"):
        PtbXl(folder, folds=(9,))


def test_what_is_refused(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(ValueError, match="want 100 or 500"):
        PtbXl(folder, rate=250)
    with pytest.raises(FileNotFoundError):
        PtbXl(tmp_path_factory.mktemp("empty"))
    (folder / "ptbxl_database.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="strat_fold"):
        PtbXl(folder)
