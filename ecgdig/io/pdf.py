"""Pages of PDF files as pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from ecgdig.io.errors import ImageError

POINTS_PER_INCH = 72.0
DRAWN_DPI = 300.0  # of pages drawn with lines: 12 px/mm, as fine as a good scan
SCANNED_DPI = (150.0, 600.0)  # of pages that are one picture: its own, within this
_COVERS = 0.5  # share of the page from which a picture on it decides


def count_pdf_pages(file: Path | bytes) -> int:
    """Pages of a PDF.

    Raises:
        ImageError: damaged, or locked by a password.
    """
    with pdf_document(file) as document:
        return len(document)


def raster_pdf_page(file: Path | bytes, index: int, most_pixels: int) -> Image.Image:
    """Page `index` (from 0) as it is seen: a scan at its own resolution, drawn lines at 300 dpi, within `most_pixels`.

    Raises:
        ImageError: damaged, locked, or no such page.
    """
    with pdf_document(file) as document:
        if not 0 <= index < len(document):
            raise ImageError(f"no page {index + 1}; it has {len(document)}")
        page = document[index]
        width, height = page.get_size()  # points, as the page is turned
        if not (width > 0 and height > 0):
            raise ImageError(f"page {index + 1} has no size; print it to PDF again")
        scale = min(_dpi(page, width * height) / POINTS_PER_INCH, (0.999 * most_pixels / (width * height)) ** 0.5)
        picture: Image.Image = page.render(scale=scale).to_pil().convert("RGB")
        return picture


def _dpi(page: Any, area: float) -> float:
    """Resolution to raster a page of `area` square points at."""
    import pypdfium2.raw as raw

    best = 0.0
    for item in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=4):
        left, bottom, right, top = item.get_bounds()
        covered = abs((right - left) * (top - bottom))
        if covered > _COVERS * area:
            w, h = item.get_px_size()
            best = max(best, POINTS_PER_INCH * (w * h / covered) ** 0.5)
    return min(max(best, SCANNED_DPI[0]), SCANNED_DPI[1]) if best else DRAWN_DPI


@contextmanager
def pdf_document(file: Path | bytes) -> Iterator[Any]:
    """A PDF document, opened from its file or its bytes, and closed at the end."""
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(file)
    except pdfium.PdfiumError as error:
        locked = "password" in str(error).lower()
        remedy = "save it without a password" if locked else "print it to PDF again"
        raise ImageError(f"not a readable PDF ({str(error).rstrip('.')}); {remedy}") from None
    try:
        yield document
    except pdfium.PdfiumError as error:
        raise ImageError(f"not a readable PDF ({str(error).rstrip('.')}); print it to PDF again") from None
    finally:
        document.close()
