from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from ink_net import ink_model
from PIL import Image

import ecgdig
from ecgdig.digitizer import Digitization
from ecgdig.formats import About, write_recording
from ecgdig.page import PLAIN, Placement, arrange, lead_plan, render
from ecgdig.page.layout import PAPERS
from ecgdig.recording import Recording


@pytest.fixture(scope="module")
def page(recording: Recording) -> np.ndarray:  # type: ignore[type-arg]
    layout = arrange(lead_plan("3x4"), PAPERS["letter"], Placement(20, 8, 50, 40), duration_s=10.0)
    return render(recording, layout, PLAIN, 120, np.random.default_rng(0)).image


@pytest.fixture(scope="module")
def read(page: np.ndarray) -> Digitization:  # type: ignore[type-arg]
    return ecgdig.digitize(page, checkpoint=ink_model())


def test_arrays_pictures_and_files_give_the_same(
    page: np.ndarray,  # type: ignore[type-arg]
    read: Digitization,
    tmp_path: Path,
) -> None:
    Image.fromarray(page).save(tmp_path / "x.png")
    for image in (Image.fromarray(page), tmp_path / "x.png"):
        again = ecgdig.digitize(image, checkpoint=ink_model())
        np.testing.assert_array_equal(again.recording.signal_mv, read.recording.signal_mv)


def test_a_reading_shows_and_saves_itself(read: Digitization, tmp_path: Path) -> None:
    assert set(read.quality) == set(read.recording.leads)
    assert read.sigma_mv.shape == read.recording.signal_mv.shape
    assert read.overlay().shape == read.image.shape
    assert len(read.plot().axes) == 12
    files = read.save(tmp_path / "my page", ("csv", "npz"))
    assert sorted(f.name for f in files) == ["my_page.csv", "my_page.json", "my_page.npz", "my_page_overlay.png"]
    with pytest.raises(ValueError, match="unknown format"):
        read.save(tmp_path / "x", ("xml",))


def test_speed_gain_and_names_are_obeyed(page: np.ndarray, read: Digitization) -> None:  # type: ignore[type-arg]
    other = ecgdig.digitize(page, speed=50, gain=20, leads="V1,V2,V3/V4,V5,V6/I,II,III", checkpoint=ink_model())
    assert {s.speed_mm_per_s for s in other.layout.segments} == {50}
    assert [s.lead for s in other.layout.row(1)] == ["V4", "V5", "V6"]
    v1, one = other.recording.lead("V1"), read.recording.lead("I")
    assert np.nanmax(v1) == pytest.approx(np.nanmax(one) / 2, rel=0.3)


def test_a_pdf_with_vector_traces_needs_no_checkpoint(recording: Recording, tmp_path: Path) -> None:
    layout = arrange(lead_plan("3x4+1"), PAPERS["a4"], Placement(20, 8, 40, 30), duration_s=10.0)
    (file,) = write_recording(recording, tmp_path / "x", ["pdf"], About(layout=layout))
    for path in (file, encapsulated(tmp_path / "x.dcm", file.read_bytes())):
        again = ecgdig.digitize(path, checkpoint="no-such-checkpoint")
        assert again.checkpoint == ("vector paths", "")
        assert again.recording.name == path.stem
        known = np.isfinite(again.recording.signal_mv)
        np.testing.assert_allclose(again.recording.signal_mv[known], recording.signal_mv[known], atol=2e-3)
    saved = again.save(tmp_path / "out", ["wfdb", "fhir"])
    assert "vector paths of a PDF page" in saved[0].read_text()


def test_a_pdf_that_holds_a_picture_is_read_by_the_network(
    page: np.ndarray,  # type: ignore[type-arg]
    read: Digitization,
    tmp_path: Path,
) -> None:
    Image.fromarray(page).save(tmp_path / "x.pdf", resolution=150, quality=95)
    again = ecgdig.digitize(tmp_path / "x.pdf", checkpoint=ink_model())
    assert again.checkpoint[0] == "ink"
    assert again.layout.name == read.layout.name


def encapsulated(path: Path, pdf: bytes) -> Path:
    ds = pydicom.Dataset()
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = pydicom.uid.EncapsulatedPDFStorage
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = pydicom.uid.generate_uid()
    ds.MIMETypeOfEncapsulatedDocument, ds.EncapsulatedDocument = "application/pdf", pdf + b"\0" * (len(pdf) % 2)
    ds.save_as(path, enforce_file_format=True)
    return path
