from dataclasses import replace

import numpy as np
import pytest
from patient_pages import page_of, patient

from ecgdig.grid.flat import GeometryError
from ecgdig.locate import rows
from ecgdig.locate.pulse import Pulse
from ecgdig.locate.rows import find_rows
from ecgdig.page import PLAIN, Placement, arrange, lead_plan, render
from ecgdig.page.layout import Paper
from ecgdig.page.warp import Warp


def test_a_page_without_traces_has_no_rows():
    with pytest.raises(GeometryError, match="no ECG trace"):
        find_rows(np.full((800, 1000, 3), 250, np.uint8), Warp.flat(6.0))


@pytest.mark.parametrize("width_mm", [0.15, 0.3, 0.6])
def test_time_zero_does_not_depend_on_the_pen(width_mm):
    style = replace(PLAIN, ink=replace(PLAIN.ink, width_mm=width_mm), furniture=replace(PLAIN.furniture, pulse="none"))
    layout = arrange(lead_plan("3x4"), Paper(200, 130), Placement(12.3, 5, 35, 32), duration_s=6.0)
    page = render(patient(), layout, style, 150, np.random.default_rng(0))
    rows = find_rows(page.image, page.warp)
    assert rows.pulse is None
    assert rows.start_mm == pytest.approx(12.3, abs=0.12)
    assert rows.end_mm == pytest.approx(12.3 + 150, abs=0.3)
    assert rows.baselines_mm == pytest.approx([35, 67, 99], abs=0.8)


def test_rows_that_stand_close_and_cross_are_all_found():
    page = page_of("12x1", row_mm=12.5)
    rows = find_rows(page.image, page.warp)
    assert rows.baselines_mm == pytest.approx([32 + 12.5 * r for r in range(12)], abs=1.0)


def test_rows_whose_traces_wander_are_found_by_their_spacing():
    beats = patient()
    wander = 0.45 * np.sin(2 * np.pi * np.arange(beats.signal_mv.shape[1]) / beats.fs / 8.0)
    signal = beats.signal_mv + np.where(np.arange(12) % 3 == 1, 1.0, 0.05)[:, None] * wander
    page = page_of("12x1", row_mm=14.0, recording=replace(beats, signal_mv=signal.astype(np.float32)))
    rows = find_rows(page.image, page.warp)
    assert rows.baselines_mm == pytest.approx([32 + 14.0 * r for r in range(12)], abs=2.0)


def test_the_calibration_pulse_is_placed():
    page = page_of("3x4")
    box = next(mark.box_mm for mark in page.marks if mark.kind == "pulse")
    pulse = find_rows(page.image, page.warp).pulse
    assert pulse is not None
    assert pulse.count == 1
    assert pulse.x_mm == pytest.approx(box[0] + 1.5, abs=0.1)
    assert pulse.width_mm == pytest.approx(5.0, abs=0.1)


@pytest.mark.parametrize(
    ("starts", "end", "expected"),
    [
        ((31.0, 31.1), 281.0, 31.05),  # seen, and 10 s wide
        ((np.nan, np.nan), 275.0, 25.0),  # joined to the pulse: right after it gives 10 s
        ((27.9, 27.9), 277.0, 27.0),  # hidden behind a thick foot: the foot gives 10 s
        ((31.0, 31.0), 200.0, 31.0),  # no 10 s: what was seen
    ],
)
def test_the_start_is_where_ten_seconds_begin(starts: tuple[float, ...], end: float, expected: float) -> None:
    pulse = Pulse(20.0, 5.0, 10.0, 1, 1.0)  # ends at 25 mm, its foot and a gap at 27 mm
    assert rows._start(list(starts), pulse, end, 24.0) == pytest.approx(expected, abs=0.01)


def test_a_pulse_that_was_not_seen_is_no_part_of_ten_seconds() -> None:
    assert rows._start([20.0, 20.0], None, 275.0, 19.0) == pytest.approx(25.0)
    assert rows._start([20.0, 20.0], None, 270.1, 19.0) == 20.0


def test_a_wavy_paper_edge_below_the_rows_is_no_row() -> None:
    page = page_of("3x4+1", paper=Paper(279.4, 200.0), row_mm=32.0)
    scale = float(page.warp.px_per_mm([[0.0, 0.0]])[0])
    x = np.arange(page.image.shape[1])
    edge = np.round((154 + 1.5 * np.sin(x / scale / 4) + 1.2 * np.sin(x / scale / 1.7)) * scale)
    image = page.image.copy()
    image[np.arange(len(image))[:, None] > edge] = (96, 74, 60)
    assert len(find_rows(image, page.warp).baselines_mm) == 4


@pytest.mark.parametrize(("support", "kept"), [(0.8, False), (0.99, True)])
def test_a_doubtful_pulse_that_leaves_no_three_seconds_is_none(
    monkeypatch: pytest.MonkeyPatch, support: float, kept: bool
) -> None:
    page = page_of("3x4+1", paper=Paper(279.4, 200.0), row_mm=32.0)  # 250 mm: 2.5 s at 100 mm/s
    tall = Pulse(200.0, 20.0, 20.0, 1, support)
    monkeypatch.setattr(rows, "find_pulse", lambda *args: (tall, [round(6 * s.baseline_mm) for s in column(page)]))
    assert (find_rows(page.image, page.warp).pulse is not None) == kept


def column(page):
    return [page.layout.row(r)[0] for r in range(page.layout.n_rows)]
