from dataclasses import replace

import numpy as np
import pytest
from patient_pages import page_of

from ecgdig.grid.flat import GeometryError, find_grid
from ecgdig.locate.leads import _choose, _usual_spans, find_layout
from ecgdig.locate.rows import find_rows
from ecgdig.page.layout import Paper


def placed(page, reading, grid):
    """Differences in mm, reading less truth, of each segment's time zero and baseline."""
    pairs = zip(page.layout.segments, reading.layout.segments, strict=True)
    off = []
    for true, read in pairs:
        at = grid.warp().to_mm(page.warp.to_px(np.array([true.x_mm, true.baseline_mm])))
        off.append([read.x_mm - at[0], read.baseline_mm - at[1]])
    return np.array(off)


@pytest.mark.parametrize("name", ["3x4", "3x4+1", "3x4+3", "6x2", "12x1"])
def test_layouts_are_read_from_the_traces(name):
    page = page_of(name, row_mm=13.5 if name == "12x1" else None)
    grid = find_grid(page.image)
    reading = find_layout(page.image, grid.warp())
    assert reading.layout.name == name
    assert [s.lead for s in reading.layout.segments] == [s.lead for s in page.layout.segments]
    durations = [s.duration_s for s in page.layout.segments]
    assert [s.duration_s for s in reading.layout.segments] == pytest.approx(durations)
    off = placed(page, reading, grid)
    assert np.abs(off[:, 0]).max() < 0.15
    assert np.abs(off[:, 1]).max() < 0.6


@pytest.mark.parametrize("speed, gain", [(25.0, 5.0), (50.0, 10.0), (25.0, 20.0)])
def test_speed_and_gain_are_read_from_the_pulse(speed, gain):
    page = page_of("3x4", speed=speed, gain=gain)
    rows = find_layout(page.image, find_grid(page.image).warp()).rows
    assert rows.pulse is not None
    assert rows.pulse.speed_mm_per_s == speed
    assert rows.pulse.gain_mm_per_mv == gain


def test_a_rhythm_strip_is_named_by_the_lead_it_repeats():
    page = page_of("3x4+1", rhythm=("V5",))
    reading = find_layout(page.image, find_grid(page.image).warp())
    assert reading.layout.segments[-1].lead == "V5"


def test_what_the_caller_names_is_obeyed():
    page = page_of("3x4+1")
    warp = find_grid(page.image).warp()
    reading = find_layout(page.image, warp, layout="4x3", speed_mm_per_s=50.0, gain_mm_per_mv=20.0)
    assert reading.layout.name == "4x3"
    assert {(s.speed_mm_per_s, s.gain_mm_per_mv) for s in reading.layout.segments} == {(50.0, 20.0)}
    with pytest.raises(GeometryError, match="layout 12x1 has 12 rows, the page shows 4"):
        find_layout(page.image, warp, layout="12x1")
    with pytest.raises(ValueError, match="unknown layout"):
        find_layout(page.image, warp, layout="5x5")


def test_a_frame_beyond_ten_seconds_is_not_the_end_of_the_traces():
    page = page_of("3x4+1", paper=Paper(300.0, 190.0))
    found = find_rows(page.image, find_grid(page.image).warp())
    longer = replace(found, end_mm=found.end_mm + 15.0)  # a printed frame, say
    spans = _usual_spans(longer, 25.0)
    assert any(
        span.start_mm == longer.start_mm and span.end_mm == pytest.approx(found.end_mm, abs=0.3) for span in spans
    )
    assert _usual_spans(found, 25.0) == []
    _, start, column_s, _ = _choose({"3x4+1": 0.0}, None, longer, 25.0)
    assert column_s == 2.5
    assert start == pytest.approx(found.start_mm, abs=0.3)
