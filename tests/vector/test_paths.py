from __future__ import annotations

from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pytest
from reportlab.pdfgen.canvas import Canvas
from vector_pages import cairo

from ecgdig.vector import paths
from ecgdig.vector.paths import drawing_of


@pytest.mark.skipif(cairo is None, reason="needs libcairo")
def test_lines_colours_and_words_of_cairo(tmp_path: Path) -> None:
    surface = cairo.PDFSurface(str(tmp_path / "a.pdf"), 200, 100)
    pen = cairo.Context(surface)
    pen.set_source_rgb(1, 0, 0)
    pen.set_line_width(2)
    pen.move_to(10, 20)
    pen.line_to(30, 25)
    pen.line_to(50, 20)
    pen.move_to(100, 90)
    pen.curve_to(120, 90, 140, 90, 160, 90)
    pen.stroke()
    pen.move_to(20, 60)
    pen.show_text("aVR")
    surface.finish()
    drawing = drawing_of(pdfium.PdfDocument(tmp_path / "a.pdf")[0])
    assert drawing.size == (200, 100)
    (stroke,) = drawing.strokes
    assert (stroke.rgb, stroke.width) == ((255, 0, 0), 2)
    np.testing.assert_allclose(stroke.lines[0], [(10, 20), (30, 25), (50, 20)], atol=0.01)
    np.testing.assert_allclose(stroke.lines[1][[0, -1]], [(100, 90), (160, 90)], atol=0.01)
    assert len(stroke.lines[1]) == 9  # a curve becomes points
    (text,) = drawing.texts
    assert text.text == "aVR"
    assert text.box[0] == pytest.approx(20, abs=1)
    assert text.box[3] == pytest.approx(60, abs=1)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_turned_page_is_read_as_it_is_shown(tmp_path: Path, turn: int) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=(200, 100))
    canvas.line(10, 80, 60, 80)  # y upwards
    canvas.showPage()
    canvas.save()
    document = pdfium.PdfDocument(tmp_path / "a.pdf")
    page = document[0]
    page.set_rotation(turn)
    drawing = drawing_of(page)
    wanted = {
        0: [(10, 20), (60, 20)],
        90: [(80, 10), (80, 60)],
        180: [(190, 80), (140, 80)],
        270: [(20, 190), (20, 140)],
    }
    assert drawing.size == ((200, 100) if turn % 180 == 0 else (100, 200))
    np.testing.assert_allclose(drawing.strokes[0].lines[0], wanted[turn], atol=1e-3)


def test_forms_are_opened(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=(200, 100))
    canvas.beginForm("inner")
    canvas.line(0, 0, 10, 0)
    canvas.endForm()
    canvas.translate(50, 50)
    canvas.scale(2, 2)
    canvas.doForm("inner")
    canvas.showPage()
    canvas.save()
    drawing = drawing_of(pdfium.PdfDocument(tmp_path / "a.pdf")[0])
    np.testing.assert_allclose(drawing.strokes[0].lines[0], [(50, 50), (70, 50)], atol=1e-3)
    assert drawing.strokes[0].width == pytest.approx(2)


def test_pictures_are_measured(tmp_path: Path) -> None:
    from PIL import Image

    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=(200, 100))
    canvas.drawInlineImage(Image.new("RGB", (8, 8), "blue"), 0, 0, 100, 100)
    canvas.showPage()
    canvas.save()
    drawing = drawing_of(pdfium.PdfDocument(tmp_path / "a.pdf")[0])
    assert drawing.pictures == pytest.approx(0.5)


def test_more_lines_than_any_ecg_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"))
    canvas.grid(range(0, 100, 10), range(0, 100, 10))
    canvas.showPage()
    canvas.save()
    monkeypatch.setattr(paths, "MOST_SEGMENTS", 10)
    with pytest.raises(ValueError, match="more than 10 lines"):
        drawing_of(pdfium.PdfDocument(tmp_path / "a.pdf")[0])
