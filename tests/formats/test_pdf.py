from __future__ import annotations

from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pytest
from format_pages import SHA

from ecgdig.formats import About
from ecgdig.formats.pdf import reprinted, write_pdf
from ecgdig.page.layout import Layout
from ecgdig.recording import Recording


def test_the_page_says_what_it_is(page: tuple[Recording, About], tmp_path: Path) -> None:
    with pdfium.PdfDocument(write_pdf(*page, tmp_path / "a.pdf")) as document:
        assert len(document) == 1
        sheet = document[0]
        assert np.array(sheet.get_size()) / 72 * 25.4 == pytest.approx([297, 210], abs=0.1)
        text = sheet.get_textpage().get_text_bounded()
        assert not list(sheet.get_objects(filter=[pdfium.raw.FPDF_PAGEOBJ_IMAGE]))  # vectors only
    for words in (
        "25 mm/s",
        "10 mm/mV",
        "aVR",
        "V6",
        "digitized from an image",
        SHA,
        "sampling rate: 500 Hz",
        "not readable: V2",
    ):
        assert words in text


def test_the_same_recording_gives_the_same_bytes(page: tuple[Recording, About], tmp_path: Path) -> None:
    first, second = (write_pdf(*page, tmp_path / name).read_bytes() for name in ("a.pdf", "b.pdf"))
    assert first == second


def test_layout_is_kept_at_standard_scale(page: tuple[Recording, About]) -> None:
    recording, about = page
    assert isinstance(about.layout, Layout)
    layout = reprinted(recording, about.layout)
    assert [(s.lead, s.row, s.start_s) for s in layout.segments] == [
        (s.lead, s.row, s.start_s) for s in about.layout.segments
    ]
    assert {(s.speed_mm_per_s, s.gain_mm_per_mv) for s in layout.segments} == {(25, 10)}
    first, second = layout.row(0)[:2]
    assert second.x_mm - first.x_mm == pytest.approx(1.5 * 25)


def test_a_long_recording_gets_a_longer_sheet(tmp_path: Path) -> None:
    long = Recording(("I", "II"), 100.0, np.zeros((2, 3000)))
    assert reprinted(long, None).paper.width_mm > 30 * 25
    assert [(s.lead, s.row) for s in reprinted(long, None).segments] == [("I", 0), ("II", 1)]
