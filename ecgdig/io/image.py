"""Pictures of pages, from files, arrays and Pillow images, as uint8 RGB."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ecgdig.io.dicom_page import count_dicom_pages, encapsulated_pdf, is_dicom, is_dicom_picture, raster_dicom_page
from ecgdig.io.errors import ImageError
from ecgdig.io.pdf import count_pdf_pages, raster_pdf_page

LEAST_PIXELS = 300_000  # below, 1 mm of a whole page is about 2 px: read, with a warning
MOST_PIXELS = 50_000_000  # larger pictures are reduced to this
REFUSED_PIXELS = 100_000_000  # more than any page needs: decompression bombs
MOST_BYTES = 500_000_000
MOST_PAGES = 200
MIN_SIDE = 64  # px; no ECG fits in less
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".pdf", ".heic", ".heif", ".dcm")

__all__ = ["SUFFIXES", "ImageError", "Picture", "as_picture", "count_pages", "pdf_of", "read_image", "read_picture"]


@dataclass(frozen=True, eq=False)
class Picture:
    """A page as pixels.

    Attributes:
        rgb: uint8 `(H, W, 3)`, turned as EXIF says, transparency on white.
        notes: what was done to it that the user should know, in words.
    """

    rgb: NDArray[np.uint8]
    notes: tuple[str, ...] = ()


def read_image(path: str | os.PathLike[str], page: int = 1) -> NDArray[np.uint8]:
    """One page of a file as uint8 RGB `(H, W, 3)`; see `read_picture`."""
    return read_picture(path, page).rgb


def read_picture(path: str | os.PathLike[str], page: int = 1) -> Picture:
    """One page of a picture file (PNG, JPEG, TIFF, WebP, BMP, GIF, PDF; extras: HEIC, DICOM).

    Args:
        page: of a PDF, multi-page TIFF or DICOM object, from 1.

    Raises:
        ImageError: missing, damaged, not a picture, or of unusable size; one line that names the file.
    """
    file = _checked(path)
    try:
        if _is_pdf(file):
            return as_picture(raster_pdf_page(file, page - 1, MOST_PIXELS))
        if is_dicom(_head(file)):
            return as_picture(raster_dicom_page(file, page - 1, MOST_PIXELS, REFUSED_PIXELS))
        with _opened(file) as picture:
            frames = int(getattr(picture, "n_frames", 1))
            if not 1 <= page <= frames:
                raise ImageError(f"no page {page}; it has {frames}")
            if page > 1:
                picture.seek(page - 1)
            read = as_picture(picture)
        if frames > 1 and not _is_tiff(file):
            read = Picture(read.rgb, (*read.notes, f"an animation: only the first of its {frames} pictures was read"))
        return read
    except ImageError as error:
        raise ImageError(f"{file}: {error}") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{file}: {_too_large()}") from None
    except UnidentifiedImageError:
        raise ImageError(f"{file}: not a picture; give {', '.join(SUFFIXES)}") from None
    except Exception as error:  # damaged files make Pillow raise anything: OSError, SyntaxError, struct.error ...
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(f"{file}: damaged picture ({reason[:200]}); copy or scan it again") from None


def pdf_of(path: str | os.PathLike[str]) -> Path | bytes | None:
    """A PDF file, or the document in a DICOM object, for those who want more of it than its pixels; None if neither.

    Raises:
        ImageError: no such file, or a damaged DICOM object.
    """
    file = _checked(path)
    if _is_pdf(file):
        return file
    try:
        return encapsulated_pdf(file) if is_dicom(_head(file)) and not is_dicom_picture(file) else None
    except ImageError as error:
        raise ImageError(f"{file}: {error}") from None


def count_pages(path: str | os.PathLike[str]) -> int:
    """Pages of a PDF, TIFF or DICOM object, 1 for other pictures.

    Raises:
        ImageError: no such file, not a picture, damaged, or more than `MOST_PAGES` pages.
    """
    file = _checked(path)
    try:
        if _is_pdf(file):
            pages = count_pdf_pages(file)
        elif is_dicom(_head(file)):
            pages = count_dicom_pages(file)
        elif _is_tiff(file):
            with _opened(file) as picture:
                pages = int(getattr(picture, "n_frames", 1))
        else:
            return 1
    except ImageError as error:
        raise ImageError(f"{file}: {error}") from None
    except Exception as error:
        raise ImageError(f"{file}: damaged picture ({' '.join(str(error).split())[:200]})") from None
    if pages > MOST_PAGES:
        raise ImageError(f"{file}: {pages} pages; split it into files of {MOST_PAGES} pages at most")
    return pages


def as_picture(image: object) -> Picture:
    """An array or a Pillow image as a picture.

    Args:
        image: `(H, W)` grey, `(H, W, 1)`, `(H, W, 3)` RGB or `(H, W, 4)` RGBA: uint8; other whole numbers up to 255
            as they are, larger ones from darkest to lightest; bool; finite floats of 0 to 1 or 0 to 255. Or a
            `PIL.Image`, whose EXIF orientation is obeyed.

    Raises:
        ImageError: another kind of object, or an unusable shape, size or range.
    """
    if isinstance(image, Image.Image):
        _check_size(*image.size)
        if image.width * image.height > MOST_PIXELS:
            image.draft("RGB", (image.width // 2, image.height // 2))  # JPEG only: decoded at half the size
        image.load()
        return _sized(_rgb(ImageOps.exif_transpose(image)))
    if not isinstance(image, np.ndarray):
        raise ImageError(f"an image of type {type(image).__name__}; give a path, a NumPy array or a PIL image")
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)):
        raise ImageError(f"an array of shape {image.shape}; want (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA")
    _check_size(image.shape[1], image.shape[0])
    levels = _levels(image)
    if levels.ndim == 2:
        levels = levels[..., None]
    if levels.shape[2] == 4:
        return _sized(_rgb(Image.fromarray(levels)))
    return _sized(np.ascontiguousarray(np.broadcast_to(levels, (*levels.shape[:2], 3))))


def _checked(path: str | os.PathLike[str]) -> Path:
    file = Path(path)
    try:
        if file.is_dir():
            raise ImageError(f"{file}: is a folder; give a picture")
        if not file.is_file():
            raise ImageError(f"{file}: no such file")
        size = file.stat().st_size
    except ImageError:
        raise
    except (OSError, ValueError) as error:  # a name that is too long, or holds a zero
        raise ImageError(f"{str(file)[:80]!r}: {type(error).__name__}; give the path of a picture") from None
    if size == 0:
        raise ImageError(f"{file}: not a picture: the file is empty")
    if size > MOST_BYTES:
        raise ImageError(f"{file}: {size / 1e6:.0f} MB; give a file of {MOST_BYTES / 1e6:.0f} MB at most")
    return file


def _head(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(1024)


def _is_pdf(file: Path) -> bool:
    head = _head(file)
    return b"%PDF-" in head and not is_dicom(head)


def _is_tiff(file: Path) -> bool:
    return _head(file)[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _opened(file: Path) -> Image.Image:
    """The file opened by Pillow; `REFUSED_PIXELS` is checked by `as_picture`."""
    if _head(file)[4:12] in (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypmif1", b"ftypmsf1", b"ftypheim"):
        try:
            from pillow_heif import register_heif_opener
        except ImportError:
            raise ImageError("HEIC needs pillow-heif (pip install 'ecgdig[heic]'), or save it as JPEG") from None
        register_heif_opener()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Image.open(file)


def _too_large() -> str:
    return f"more pixels than any page; shrink it to {MOST_PIXELS / 1e6:.0f} megapixels"


def _check_size(width: int, height: int) -> None:
    if width * height > REFUSED_PIXELS:
        raise ImageError(f"{width} x {height} px: {_too_large()}")
    if min(width, height) < MIN_SIDE:
        raise ImageError(f"{width} x {height} px; too small for an ECG page")


def _sized(rgb: NDArray[np.uint8]) -> Picture:
    h, w = rgb.shape[:2]
    if h * w > MOST_PIXELS:
        shrink = float(np.sqrt(MOST_PIXELS / (h * w)))
        size = (max(1, int(w * shrink)), max(1, int(h * shrink)))
        reduced = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        return Picture(reduced, (f"{w} x {h} px were reduced to {size[0]} x {size[1]}",))
    if h * w < LEAST_PIXELS:
        return Picture(rgb, (f"{w} x {h} px are few for an ECG page: fine detail is lost",))
    return Picture(rgb)


def _levels(image: NDArray[Any]) -> NDArray[np.uint8]:
    """The values of an array as uint8."""
    if image.dtype == np.uint8:
        return image
    if image.dtype == np.bool_:
        return image.astype(np.uint8) * np.uint8(255)
    if not (np.issubdtype(image.dtype, np.integer) or np.issubdtype(image.dtype, np.floating)):
        raise ImageError(f"an array of type {image.dtype}; want uint8, uint16, bool or float")
    low, high = float(image.min()), float(image.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ImageError("the array holds NaN or infinite values; want numbers of 0 to 255, or 0 to 1")
    if np.issubdtype(image.dtype, np.integer):
        return image.astype(np.uint8) if low >= 0 and high <= 255 else _stretched(image)
    if low < 0 or high > 255:
        raise ImageError(f"floats of {low:g} to {high:g}; want 0 to 255, or 0 to 1")
    return np.asarray(image * np.float32(255.0 if high <= 1 else 1.0) + np.float32(0.5)).astype(np.uint8)


def _stretched(values: NDArray[Any]) -> NDArray[np.uint8]:
    """16 bits or more: from their darkest to their lightest."""
    some = np.asarray(values, np.float32)
    low, high = float(some.min()), float(some.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ImageError("holds pixels that are no numbers; save it as PNG")
    return ((some - np.float32(low)) * np.float32(255 / max(high - low, 1e-9)) + np.float32(0.5)).astype(np.uint8)


def _rgb(picture: Image.Image) -> NDArray[np.uint8]:
    if picture.mode.startswith(("I", "F")):
        return np.repeat(_stretched(np.asarray(picture))[..., None], 3, axis=2)
    if picture.mode in {"RGBA", "LA", "PA", "RGBa"} or "transparency" in picture.info:
        over = picture.convert("RGBA")
        white = Image.new("RGBA", over.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(white, over)
    return np.array(picture.convert("RGB"), np.uint8)
