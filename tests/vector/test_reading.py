from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ink_net import ink_model
from matplotlib.path import Path as MatplotlibPath
from matplotlib.transforms import Affine2D
from PIL import Image
from reportlab.pdfgen.canvas import Canvas
from vector_pages import DRAWN_BY, by_cairo, by_matplotlib, by_reportlab, by_subplots, curve

from ecgdig.corrections import Corrector, Rename
from ecgdig.digitizer import Digitization
from ecgdig.formats import About
from ecgdig.formats.pdf import write_pdf
from ecgdig.grid.flat import GeometryError
from ecgdig.io import read_wfdb
from ecgdig.locate.naming import parse_leads
from ecgdig.metrics import score_recording
from ecgdig.page import Layout, lead_plan
from ecgdig.recording import Recording
from ecgdig.units import CHEST_LEADS
from ecgdig.vector import read_vectors
from ecgdig.vector.reading import evened

Laid = Callable[..., Layout]
Printed = Callable[[Recording, Layout], Recording]
VAL = Path(__file__).parents[3] / "shared" / "ecg" / "val"
PICTURE = np.full((420, 580, 3), 255, np.uint8)


def read(file: Path, **known: object) -> Digitization:
    reading = read_vectors(file, 1, PICTURE, name="page", **known)  # type: ignore[arg-type]
    assert reading is not None
    return reading


@pytest.mark.parametrize(
    ("library", "layout"), [*((library, "3x4+1") for library in DRAWN_BY), ("cairo", "6x2"), ("cairo", "12x1")]
)
def test_samples_are_exact(
    heart: Recording, laid: Laid, printed: Printed, tmp_path: Path, library: str, layout: str
) -> None:
    """The page is smaller than it should be, too: only its grid tells the scale."""
    page = laid(layout)
    how = {"simplify": False} if library == "matplotlib" else {}
    reading = read(DRAWN_BY[library](heart, page, tmp_path / "a.pdf", size=0.8, **how))  # type: ignore[operator]
    assert reading.layout.name == layout
    assert reading.checkpoint == ("vector paths", "")
    assert not reading.warnings
    score = score_recording(printed(heart, page), reading.recording)
    assert score.page["snr_db"] > 50
    assert score.page["coverage"] == 1
    known = np.isfinite(reading.recording.signal_mv)
    np.testing.assert_array_equal(known, np.isfinite(printed(heart, page).signal_mv))


def test_of_lines_that_were_simplified_all_is_read_that_was_drawn(
    heart: Recording, laid: Laid, printed: Printed, tmp_path: Path
) -> None:
    """matplotlib leaves out corners within 1/9 point by default: what it drew is read, the rest is gone."""
    page = laid()
    reading = read(by_matplotlib(heart, page, tmp_path / "a.pdf"))
    assert any("left out corners" in warning for warning in reading.warnings)
    truth = printed(heart, page)
    drawn = truth.signal_mv.copy()
    for s in page.segments:
        points = curve(heart, s)
        kept = MatplotlibPath(points).cleaned(Affine2D().scale(72 / 25.4), simplify=True).vertices[:-1] * 25.4 / 72
        assert len(kept) < 0.5 * len(points)
        row = drawn[heart.leads.index(s.lead)]
        at = np.round(500 * s.time_of(points[:, 0])).astype(int)
        row[at] = s.mv_of(np.interp(points[:, 0], kept[:, 0], kept[:, 1]))
    most = score_recording(truth, replace(truth, signal_mv=drawn)).page["snr_db"]
    score = score_recording(truth, reading.recording)
    assert score.page["snr_db"] == pytest.approx(most, abs=0.3)
    assert 20 < most < 45
    assert score.page["interval_90_coverage"] > 0.85


@pytest.mark.shared
@pytest.mark.skipif(not VAL.is_dir(), reason="the project's recordings are not here")
@pytest.mark.parametrize("library", DRAWN_BY)
def test_real_recordings_are_exact(laid: Laid, printed: Printed, tmp_path: Path, library: str) -> None:
    page = laid()
    how = {"simplify": False} if library == "matplotlib" else {}
    for file in sorted(VAL.rglob("*.hea"))[::18]:
        recording = read_wfdb(file)
        reading = read(DRAWN_BY[library](recording, page, tmp_path / "a.pdf", **how))  # type: ignore[operator]
        assert score_recording(printed(recording, page), reading.recording).page["snr_db"] > 45, file.stem


def test_columns_with_margins_between_them_follow_each_other(
    heart: Recording, laid: Laid, printed: Printed, tmp_path: Path
) -> None:
    reading = read(by_subplots(heart, lead_plan("3x4"), 2.5, tmp_path / "a.pdf"))
    assert [s.start_s for s in reading.layout.row(0)] == [0, 2.5, 5, 7.5]
    assert all("assumed" in warning for warning in reading.warnings)  # speed and gain stand nowhere
    assert score_recording(printed(heart, laid("3x4")), reading.recording).page["snr_db"] > 50


@pytest.mark.parametrize("fs", [100.0, 250.0, 1000.0])
def test_samples_at_other_rates_are_joined_smoothly(
    smooth: Recording, laid: Laid, printed: Printed, tmp_path: Path, fs: float
) -> None:
    reading = read(by_cairo(smooth.resample(fs), laid(), tmp_path / "a.pdf"))
    assert reading.drawn_hz == (pytest.approx(fs, rel=1e-3) if fs < 500 else None)
    off = reading.recording.signal_mv - printed(smooth, laid()).signal_mv[:, : reading.recording.n_samples]
    assert np.isfinite(off).sum() > 18_000
    off -= np.nanmedian(off, axis=1, keepdims=True)  # no pulse tells where 0 mV is
    assert np.nanmax(np.abs(off[:, 20:-20])) < 0.005


@pytest.mark.parametrize(("speed", "gain", "seconds"), [(50.0, 5.0, 5.0), (12.5, 20.0, 10.0)])
def test_speed_and_gain_are_read(
    heart: Recording, laid: Laid, printed: Printed, tmp_path: Path, speed: float, gain: float, seconds: float
) -> None:
    page = laid("3x4", seconds, speed, gain)
    reading = read(by_reportlab(heart, page, tmp_path / "a.pdf"))
    assert {(s.speed_mm_per_s, s.gain_mm_per_mv) for s in reading.layout.segments} == {(speed, gain)}
    assert score_recording(printed(heart, page), reading.recording).page["snr_db"] > 45


def test_chest_leads_of_half_the_gain_are_read(heart: Recording, laid: Laid, printed: Printed, tmp_path: Path) -> None:
    page = laid(chest=5.0)
    reading = read(by_reportlab(heart, page, tmp_path / "a.pdf"))
    assert {(s.lead in CHEST_LEADS, s.gain_mm_per_mv) for s in reading.layout.segments} == {(False, 10.0), (True, 5.0)}
    assert score_recording(printed(heart, page), reading.recording).page["snr_db"] > 45


def test_what_the_user_says_is_obeyed(heart: Recording, laid: Laid, tmp_path: Path) -> None:
    file = by_cairo(heart, laid(), tmp_path / "a.pdf")
    names = parse_leads("V1,V2,V3,V4/V5,V6,I,II/III,aVR,aVL,aVF/V1")
    reading = read(file, leads=names, speed_mm_per_s=50.0, gain_mm_per_mv=20.0)
    assert [s.lead for s in reading.layout.row(0)] == ["V1", "V2", "V3", "V4"]
    assert reading.recording.duration_s == pytest.approx(5, abs=0.01)
    assert np.nanmax(reading.recording.lead("V1")) == pytest.approx(np.nanmax(heart.lead("I")[:1250]) / 2, abs=0.2)
    with pytest.raises(GeometryError, match="6x2 has 6 rows"):
        read(file, layout="6x2")


def test_a_clean_reprint_reads_back(heart: Recording, laid: Laid, printed: Printed, tmp_path: Path) -> None:
    page = laid("3x4+1")
    reading = read(write_pdf(heart, About(layout=page), tmp_path / "a.pdf"))
    score = score_recording(printed(heart, page), reading.recording)
    assert score.page["snr_db"] == 60  # the most that is counted
    offset = np.nanmedian(reading.recording.lead("II") - heart.lead("II"))
    assert offset == pytest.approx(0, abs=1e-3)  # the pulse says where 0 mV is


@pytest.mark.parametrize("plan", ["6x2", "12x1"])  # of a lead printed twice another part may be taken
def test_another_name_for_a_lead_leaves_the_samples_exact(
    heart: Recording, laid: Laid, tmp_path: Path, plan: str
) -> None:
    before = read(by_cairo(heart, laid(plan), tmp_path / "a.pdf"))
    after = Corrector(before, ink_model()).apply([Rename((0, 0), "V9")])
    assert after.checkpoint == before.checkpoint
    for lead in before.recording.leads:
        now = "V9" if lead == before.layout.segments[0].lead else lead
        off = after.recording.lead(now) - before.recording.lead(lead)
        assert np.sqrt(np.nanmean(off**2)) < 1e-3, lead
    assert np.nanmax(after.sigma_mv) <= 1.01 * np.nanmax(before.sigma_mv)


def test_the_overlay_lies_on_the_traces(heart: Recording, laid: Laid, tmp_path: Path) -> None:
    import pypdfium2 as pdfium

    file = by_cairo(heart, laid(), tmp_path / "a.pdf")
    picture = np.asarray(pdfium.PdfDocument(file)[0].render(scale=2).to_pil().convert("RGB"), np.uint8)
    reading = read_vectors(file, 1, picture)
    assert reading is not None
    s = reading.layout.segments[0]
    time = np.arange(50, 1200) / 500
    px = (
        reading.warp.to_px(np.stack([s.x_of(time), s.y_of(reading.recording.lead("I")[50:1200])], 1))
        .round()
        .astype(int)
    )
    assert picture[px[:, 1], px[:, 0]].mean() < 140  # ink


@pytest.mark.parametrize("what", ["picture", "text", "grid alone", "traces alone"])
def test_pages_without_vector_traces_are_left_to_the_network(
    heart: Recording, laid: Laid, tmp_path: Path, what: str
) -> None:
    file = tmp_path / "a.pdf"
    if what == "picture":
        Image.new("RGB", (400, 300), "white").save(file)
    elif what == "traces alone":
        canvas = Canvas(str(file))
        x = np.arange(0, 300, 0.5)
        canvas.lines(list(zip(x[:-1], 300 + np.sin(x[:-1]), x[1:], 300 + np.sin(x[1:]), strict=True)))
        canvas.save()
    else:
        canvas = Canvas(str(file))
        if what == "text":
            for i in range(40):
                canvas.drawString(50, 750 - 15 * i, "V1 V2 V3 rhythm strip, 25 mm/s, 10 mm/mV")
        else:
            canvas.grid(list(range(0, 500, 10)), list(range(0, 700, 10)))
        canvas.save()
    assert read_vectors(file, 1, PICTURE) is None


def test_more_millimetres_than_a_page_has_are_left_alone(tmp_path: Path) -> None:
    """What would take more memory than there is: a curve of a million millimetres on a small grid."""
    canvas = Canvas(str(tmp_path / "a.pdf"))
    canvas.grid(list(range(0, 500, 5)), list(range(0, 700, 5)))
    x = np.arange(0, 5e6, 5e4)
    canvas.lines(list(zip(x[:-1], 300 + x[:-1] % 7, x[1:], 300 + x[1:] % 7, strict=True)))
    canvas.save()
    assert read_vectors(tmp_path / "a.pdf", 1, PICTURE) is None


def test_evened_finds_samples_behind_rounding_and_left_out_corners() -> None:
    x = 5 + 0.05 * np.arange(400)
    y = np.sin(x)
    y[100:120] = np.linspace(y[100], y[119], 20)  # a straight stretch, whose inner corners are left out
    kept = np.r_[0:101, 119:400]
    rounded = np.round(x / 0.0014) * 0.0014
    found = evened(np.stack([rounded[kept], y[kept]], 1))
    assert found is not None
    start, step, heights = found
    assert (start, step) == (pytest.approx(5, abs=1e-3), pytest.approx(0.05, rel=1e-5))
    np.testing.assert_allclose(heights, y, atol=1e-9)
    jitter = x + np.random.default_rng(0).uniform(-0.02, 0.02, x.size)
    assert evened(np.stack([jitter, y], 1)) is None
