"""Pages in DICOM objects: secondary captures (and other pictures) and encapsulated PDF documents."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ecgdig.io.errors import ImageError
from ecgdig.io.pdf import count_pdf_pages, raster_pdf_page

_MAGIC_AT = 128  # bytes, before "DICM"
_ECG = "this DICOM object holds an ECG waveform, not a picture: it is a recording already"


def is_dicom(head: bytes) -> bool:
    """Whether a file that begins so is a DICOM file."""
    return head[_MAGIC_AT : _MAGIC_AT + 4] == b"DICM"


def is_dicom_page(file: Path) -> bool:
    """Whether a DICOM file holds a picture or a PDF document; False where it cannot be read.

    True without pydicom: whoever opens the file is then told what is missing.
    """
    if importlib.util.find_spec("pydicom") is None:
        return True
    try:
        ds = _opened(file, with_pixels=False)
    except ImageError:
        return False
    return "Rows" in ds or "MIMETypeOfEncapsulatedDocument" in ds


def is_dicom_picture(file: Path) -> bool:
    """Whether a DICOM file holds pixels.

    Raises:
        ImageError: damaged.
    """
    return "Rows" in _opened(file, with_pixels=False)


def count_dicom_pages(file: Path) -> int:
    """Frames of a picture, or pages of the PDF.

    Raises:
        ImageError: damaged, or neither of these.
    """
    ds = _opened(file, with_pixels=False)
    if "Rows" in ds:
        return max(1, int(ds.get("NumberOfFrames") or 1))
    return count_pdf_pages(encapsulated_pdf(file))


def raster_dicom_page(
    file: Path, index: int, most_pixels: int, refused_pixels: int
) -> Image.Image | np.ndarray[Any, Any]:
    """Frame or page `index` (from 0): RGB or grey, dark ink on light paper as it is shown on a screen.

    Raises:
        ImageError: damaged, no picture, no such page, more than `refused_pixels`, or compressed in a way for which
            no decoder is installed.
    """
    ds = _opened(file, with_pixels=False)
    if "Rows" not in ds:
        return raster_pdf_page(encapsulated_pdf(file), index, most_pixels)
    frames = max(1, int(ds.get("NumberOfFrames") or 1))
    if not 0 <= index < frames:
        raise ImageError(f"no page {index + 1}; it has {frames}")
    if int(ds.Rows) * int(ds.Columns) > refused_pixels:
        raise ImageError(f"{ds.Columns} x {ds.Rows} px: more pixels than any page; shrink it")
    return _pixels(_opened(file, with_pixels=True), index)


def encapsulated_pdf(file: Path) -> bytes:
    """The PDF document in a DICOM object.

    Raises:
        ImageError: damaged, or it holds none.
    """
    ds = _opened(file, with_pixels=True)
    if str(ds.get("MIMETypeOfEncapsulatedDocument", "")).lower() == "application/pdf" and ds.get(
        "EncapsulatedDocument"
    ):
        return bytes(ds.EncapsulatedDocument)
    if "WaveformSequence" in ds:
        raise ImageError(_ECG)
    raise ImageError("this DICOM object holds neither a picture nor a PDF document; export it as secondary capture")


def _pixels(ds: Any, index: int) -> np.ndarray[Any, Any]:
    pixels: Any = importlib.import_module("pydicom.pixels")
    pixel_array = pixels.pixel_array(ds, index=index)  # RGB where the picture has colours
    kind = str(ds.PhotometricInterpretation)
    if kind == "PALETTE COLOR":
        colours = pixels.apply_color_lut(pixel_array, ds)
        return np.asarray(colours >> 8 if colours.dtype == np.uint16 else colours, np.uint8)
    if pixel_array.ndim == 3:
        return np.asarray(pixel_array)
    grey = np.asarray(pixels.apply_voi_lut(pixels.apply_modality_lut(pixel_array, ds), ds), np.float32)
    low, high = float(grey.min()), float(grey.max())
    if "WindowWidth" not in ds and ds.BitsStored == 8:
        low, high = 0.0, 255.0
    level = (grey - low) * np.float32(255 / max(high - low, 1e-9))
    return np.asarray(np.clip(255 - level if kind == "MONOCHROME1" else level, 0, 255) + 0.5).astype(np.uint8)


def _opened(file: Path, with_pixels: bool) -> Any:
    try:
        import pydicom
    except ImportError:
        raise ImageError("DICOM needs pydicom (pip install 'ecgdig[formats]'), or save it as PNG") from None
    try:
        return pydicom.dcmread(file, stop_before_pixels=not with_pixels)
    except Exception as error:  # damaged files make the library raise anything
        raise ImageError(f"damaged DICOM file ({' '.join(str(error).split())[:200]}); export it again") from None
