from __future__ import annotations

import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wfdb
from format_pages import SHA, SOURCE, same

from ecgdig.formats import DEFAULT_FORMATS, FORMATS, About, check_formats, files_of, read_recording, write_recording
from ecgdig.formats.reading import SUFFIXES
from ecgdig.recording import Recording


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_where_the_samples_come_from(
    page: tuple[Recording, About], tmp_path: Path, name: str
) -> None:
    recording, about = page
    files = write_recording(recording, tmp_path / "my page", [name], about)
    assert files == sorted(tmp_path.iterdir(), reverse=True) == files_of([name], tmp_path / "my page")
    if name in ("pdf", "npz", "parquet"):  # packed; looked at in tests of their own
        return
    said = b"".join(file.read_bytes() for file in files)
    for word in (SOURCE[:23], SHA, "not printed", "not readable"):
        assert word.encode() in said


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("fhir", "pdf")])
def test_what_is_written_reads_back(page: tuple[Recording, About], tmp_path: Path, name: str) -> None:
    file = write_recording(page[0], tmp_path / "page", [name], page[1])[0]
    assert file.suffix in SUFFIXES
    read = read_recording(file)
    assert read.name == "page"
    same(read, page[0])


def test_wfdb_itself_finds_the_same_samples(page: tuple[Recording, About], tmp_path: Path) -> None:
    recording, about = page
    write_recording(recording, tmp_path / "page", ["wfdb"], about)
    record = wfdb.rdrecord(str(tmp_path / "page"))
    np.testing.assert_allclose(record.p_signal.T, recording.signal_mv, atol=6e-4)
    assert f"source: {SOURCE}" in record.comments


def test_npz_says_it_too(page: tuple[Recording, About], tmp_path: Path) -> None:
    with np.load(write_recording(page[0], tmp_path / "page", ["npz"], page[1])[0]) as archive:
        assert any(SHA in line for line in archive["about"].tolist())


@pytest.mark.parametrize("formats", [[], ["xml"], ["csv", "EDF"]])
def test_unknown_formats_are_named(formats: list[str]) -> None:
    with pytest.raises(ValueError, match=r"use wfdb, csv, npz, parquet, dicom, aecg, fhir, edf, pdf"):
        check_formats(formats)
    assert check_formats(("csv", "wfdb", "csv")) == ("csv", "wfdb")
    assert set(DEFAULT_FORMATS) == {"wfdb", "csv", "npz"}


@pytest.mark.parametrize(("name", "library"), [("parquet", "pyarrow"), ("dicom", "pydicom"), ("edf", "pyedflib")])
def test_a_library_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, page: tuple[Recording, About], tmp_path: Path, name: str, library: str
) -> None:
    monkeypatch.setattr("importlib.import_module", _without(library))
    with pytest.raises(ValueError, match=rf"needs {library}, .* pip install 'ecgdig\[formats\]'"):
        write_recording(page[0], tmp_path / "page", [name], page[1])
    assert not list(tmp_path.iterdir())


def _without(library: str) -> Callable[..., Any]:
    def absent(module: str, *more: Any) -> Any:
        if module.partition(".")[0] == library:
            raise ImportError(library)
        return builtins.__import__(module, *more)

    return absent


@pytest.mark.parametrize("name", FORMATS)
def test_what_cannot_be_written_leaves_nothing(page: tuple[Recording, About], tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        write_recording(page[0], tmp_path / "file" / "page", [name], page[1])
    assert [f.name for f in tmp_path.iterdir()] == ["file"]
