from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom import uid

from ecgdig.formats import write_recording
from ecgdig.io.dicom_page import is_dicom_page
from ecgdig.io.image import ImageError, count_pages, read_image, read_picture
from ecgdig.recording import Recording

RGB = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)


def dicom(path: Path, sop_class: str) -> pydicom.Dataset:
    ds = pydicom.Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, uid.generate_uid(entropy_srcs=["page"])
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = sop_class, ds.SOPInstanceUID
    return ds


def capture(path: Path, pixels: np.ndarray, kind: str = "RGB", bits: int = 8) -> Path:  # type: ignore[type-arg]
    ds = dicom(path, uid.SecondaryCaptureImageStorage)
    ds.set_pixel_data(pixels, kind, bits)
    ds.save_as(path, enforce_file_format=True)
    return path


def document(path: Path, pdf: bytes, kind: str = "application/pdf") -> Path:
    ds = dicom(path, uid.EncapsulatedPDFStorage)
    ds.MIMETypeOfEncapsulatedDocument = kind
    ds.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    ds.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize(
    ("pixels", "kind", "bits", "wanted"),
    [
        (RGB, "RGB", 8, RGB),
        (RGB[..., 0], "MONOCHROME2", 8, np.repeat(RGB[..., :1], 3, 2)),
        (RGB[..., 0], "MONOCHROME1", 8, 255 - np.repeat(RGB[..., :1], 3, 2)),
        (RGB[..., 0].astype(np.uint16) * 16, "MONOCHROME2", 12, np.repeat(RGB[..., :1], 3, 2)),
    ],
)
def test_secondary_captures_are_pictures(
    tmp_path: Path,
    pixels: np.ndarray,  # type: ignore[type-arg]
    kind: str,
    bits: int,
    wanted: np.ndarray,  # type: ignore[type-arg]
) -> None:
    file = capture(tmp_path / "a.dcm", pixels, kind, bits)
    assert is_dicom_page(file)
    np.testing.assert_allclose(read_image(file), wanted, atol=1)


def test_frames_are_pages(tmp_path: Path) -> None:
    file = capture(tmp_path / "a", np.stack([RGB, 255 - RGB]))  # told by content, not by suffix
    assert count_pages(file) == 2
    np.testing.assert_array_equal(read_image(file, 2), 255 - RGB)
    with pytest.raises(ImageError, match="no page 3; it has 2"):
        read_image(file, 3)


def test_the_pages_of_a_document_are_those_of_its_pdf(tmp_path: Path) -> None:
    pages = [Image.new("RGB", (600, 400), colour) for colour in ("white", "red")]
    pages[0].save(tmp_path / "a.pdf", save_all=True, append_images=pages[1:], resolution=200)
    file = document(tmp_path / "a.dcm", (tmp_path / "a.pdf").read_bytes())
    assert count_pages(file) == 2
    np.testing.assert_array_equal(read_image(file, 2), read_image(tmp_path / "a.pdf", 2))


def test_what_is_no_page_gets_one_line(tmp_path: Path) -> None:
    (tmp_path / "cut.dcm").write_bytes(capture(tmp_path / "a.dcm", RGB).read_bytes()[:3000])
    document(tmp_path / "word.dcm", b"text", "text/plain")
    write_recording(Recording(("I",), 500.0, np.zeros((1, 500))), tmp_path / "ecg", ["dicom"])
    (tmp_path / "no.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 50)
    for name, says in (
        ("cut", "damaged"),
        ("word", "neither a picture nor a PDF"),
        ("ecg", "ECG waveform, not a picture"),
        ("no", "damaged|neither"),
    ):
        with pytest.raises(ImageError, match=rf"{name}\.dcm: .*({says})") as caught:
            read_picture(tmp_path / f"{name}.dcm")
        assert "\n" not in str(caught.value)
    assert not is_dicom_page(tmp_path / "ecg.dcm")


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    file = capture(tmp_path / "a.dcm", RGB)
    ds = pydicom.dcmread(file)
    ds.Rows = ds.Columns = 20_000
    ds.save_as(file)
    with pytest.raises(ImageError, match="more pixels than any page"):
        read_picture(file)
