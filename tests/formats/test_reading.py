from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from format_pages import same

from ecgdig.formats import FORMATS, About, is_recording, read_recording, recordings_in, write_recording
from ecgdig.io import RecordError, write_csv
from ecgdig.recording import Recording

READ = [name for name in FORMATS if name not in ("fhir", "pdf")]


@pytest.fixture(scope="module")
def small() -> Recording:
    """0.4 s of two leads with a gap: damage to its files hits headers as often as samples."""
    signal = np.random.default_rng(0).normal(0, 1, (2, 200)).astype(np.float32)
    signal[0, 50:70] = np.nan
    return Recording(("I", "V1"), 500.0, signal, name="small")


@pytest.mark.parametrize("name", [name for name in READ if name not in ("wfdb", "csv")])
def test_content_tells_the_format_where_the_suffix_does_not(small: Recording, tmp_path: Path, name: str) -> None:
    file = write_recording(small, tmp_path / "a", [name])[0]
    same(read_recording(shutil.copy(file, tmp_path / "noname")), small)


def test_a_folder_gives_each_recording_once(small: Recording, tmp_path: Path) -> None:
    write_recording(small, tmp_path / "b" / "two", list(FORMATS))
    write_recording(small, tmp_path / "one", ["aecg", "edf"])
    shutil.move(tmp_path / "one.edf", tmp_path / "TWO.EDF")
    (tmp_path / "notes.csv").write_text("name,age\nx,3\n")
    (tmp_path / "config.xml").write_text("<config/>")
    (tmp_path / ".hidden.edf").write_bytes(b"x")
    assert [str(f.relative_to(tmp_path)) for f in recordings_in(tmp_path)] == ["TWO.EDF", "b/two.hea", "one.aecg.xml"]
    assert not is_recording(tmp_path / "notes.csv")


def test_a_dicom_picture_is_no_recording(small: Recording, tmp_path: Path) -> None:
    pydicom = pytest.importorskip("pydicom")
    file = write_recording(small, tmp_path / "wave", ["dicom"])[0]
    ds = pydicom.dcmread(file)
    del ds.WaveformSequence
    ds.Rows = ds.Columns = 8
    ds.save_as(tmp_path / "picture.dcm")
    assert recordings_in(tmp_path) == [file]


@pytest.mark.parametrize("name", READ)
def test_truncated_and_damaged_files_get_one_line(small: Recording, tmp_path: Path, name: str) -> None:
    """Each file is cut at 12 places and hit at 60: it reads as some recording, or is refused in one line."""
    files = write_recording(small, tmp_path / "a", [name])
    file = files[-1] if name == "wfdb" else files[0]
    whole = file.read_bytes()
    rng = np.random.default_rng(1)
    cuts = [whole[: int(n)] for n in np.linspace(0, len(whole) - 1, 12)]
    for n in range(60):
        damaged = bytearray(whole)
        where = rng.integers(0, len(whole) if n % 2 else min(400, len(whole)), 1 + n % 5)
        for at in where:
            damaged[at] = rng.integers(0, 256)
        cuts.append(bytes(damaged))
    said: list[str] = []
    for content in cuts:
        file.write_bytes(content)
        try:
            read = read_recording(file)
        except RecordError as error:
            said.append(str(error))
        else:
            assert read.n_samples > 0
            assert 10 <= read.fs <= 50_000
    assert len(said) >= 2  # the cut ones
    assert all(str(tmp_path / "a") in text and "\n" not in text for text in said)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.edf", b"", "not a readable EDF"),
        ("a.dcm", b"text", "not a readable DICOM"),
        ("a.parquet", b"PAR1 nothing", "not a readable Parquet"),
        ("a.xml", b"<a/>", "want an HL7 AnnotatedECG"),
        ("a.npz", b"PK", "not an .npz recording"),
        ("a.csv", b"time_s,I\n0,1\n100,2\n", "times that mean"),
        ("a.txt", b"hello", "not a recording; give a file of"),
        ("a.hea", b"", "not a readable WFDB header"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordError, match=rf"{name.replace('.', '[.]')}: .*{says}"):
        read_recording(tmp_path / name)


@pytest.mark.parametrize(
    ("signal", "fs", "says"),
    [
        (np.full((1, 50), np.nan), 500, "no known sample"),
        (np.full((1, 50), 20_000.0), 500, "the unit must be wrong"),
        (np.zeros((1, 50)), 80_000, "sampling rate of 80000 Hz"),
    ],
)
def test_what_no_ecg_has_is_refused(tmp_path: Path, signal: np.ndarray, fs: float, says: str) -> None:  # type: ignore[type-arg]
    file = write_recording(Recording(("I",), fs, signal), tmp_path / "a", ["npz"], About())[0]
    with pytest.raises(RecordError, match=says):
        read_recording(file)


def test_folders_and_missing_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.edf").mkdir()
    with pytest.raises(RecordError, match="is a folder"):
        read_recording(tmp_path / "a.edf")
    with pytest.raises(RecordError, match="no such file"):
        read_recording(tmp_path / "b.edf")
    with pytest.raises(RecordError, match="no such header"):
        read_recording(tmp_path / "c")


def test_a_recording_is_called_as_its_file(small: Recording, tmp_path: Path) -> None:
    assert read_recording(write_csv(small, tmp_path / "x.csv")).name == "x"
