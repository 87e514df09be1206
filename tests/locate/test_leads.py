import cv2
import numpy as np
import pytest
from patient_pages import page_of

from ecgdig.grid.flat import GeometryError, find_grid
from ecgdig.locate import leads
from ecgdig.locate.leads import find_layout, find_rows
from ecgdig.locate.names import Word
from ecgdig.page.layout import Paper, lead_plan
from ecgdig.page.plan import cabrera_leads, column_plan
from ecgdig.units import CHEST_LEADS


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


def test_speed_and_gain_are_read_from_the_print_where_there_is_no_pulse():
    page = page_of("3x4+1", pulse="none", footer=True)
    reading = find_layout(page.image, find_grid(page.image).warp())
    assert reading.rows.pulse is None
    assert not any("assumed" in warning for warning in reading.warnings)
    page = page_of("3x4+1", pulse="none")
    assert any("assumed" in w for w in find_layout(page.image, find_grid(page.image).warp()).warnings)


def gains_of(layout):
    return {(s.lead in CHEST_LEADS, s.gain_mm_per_mv) for s in layout.segments}


def test_a_chest_gain_that_is_named_is_obeyed():
    page = page_of("3x4")
    told = find_layout(page.image, find_grid(page.image).warp(), gain_mm_per_mv=20.0, chest_gain_mm_per_mv=10.0)
    assert gains_of(told.layout) == {(False, 20.0), (True, 10.0)}


def word(token, x_mm, y_mm=150.0, chance=0.9):
    return Word(token, x_mm, y_mm, chance)


@pytest.mark.parametrize(
    ("words", "gains"),
    [
        ([], (10.0, 10.0)),
        ([word("5 mm/mV", 40.0)], (5.0, 5.0)),
        ([word("10 mm/mV", 40.0), word("5 mm/mV", 70.0)], (10.0, 5.0)),
        ([word("5 mm/mV", 40.0), word("10 mm/mV", 70.0)], (10.0, 10.0)),  # the wrong way round
        ([word("10 mm/mV", 40.0), word("5 mm/mV", 70.0, 100.0)], (10.0, 10.0)),  # not in a line
        ([word("10 mm/mV", 40.0), word("5 mm/mV", 70.0, chance=0.3)], (10.0, 10.0)),
    ],
)
def test_gains_of_limb_and_chest_leads_by_what_is_printed(words, gains):
    page = page_of("3x4", pulse="none")
    rows = find_rows(page.image, find_grid(page.image).warp())
    assert leads._read_gain(rows, words) == gains


@pytest.mark.parametrize(
    "plan",
    [
        lead_plan("3x4+1", leads=cabrera_leads()),
        lead_plan("6x2", leads=cabrera_leads()),
        column_plan(("V3", "aVL")),
        column_plan(("V1", "V2", "V3", "V4", "V5", "V6")),
        lead_plan("3x4+1", leads=("V1", "V2", "V3", "V4", "V5", "V6", "I", "II", "III", "aVR", "aVL", "aVF")),
    ],
    ids=["Cabrera", "Cabrera 6x2", "two leads", "chest leads", "chest leads first"],
)
def test_unusual_orders_are_read_from_the_names(recording, plan):
    page = page_of(plan, recording=recording)
    reading = find_layout(page.image, find_grid(page.image).warp())
    assert [s.lead for s in reading.layout.segments] == [s.lead for s in page.layout.segments]


def test_the_cabrera_order_without_names_is_told_by_the_laws_of_the_limb_leads(recording):
    plan = lead_plan("3x4+1", leads=cabrera_leads())
    page = page_of(plan, recording=recording, names="none")
    reading = find_layout(page.image, find_grid(page.image).warp())
    assert [s.lead for s in reading.layout.segments] == [s.lead for s in page.layout.segments]


def test_columns_that_begin_together_are_said_to():
    page = page_of("3x4+1", sequential=False)
    reading = find_layout(page.image, find_grid(page.image).warp())
    assert {s.start_s for s in reading.layout.segments} == {0.0}
    assert any("together" in warning for warning in reading.warnings)


def test_a_notch_half_as_wide_as_a_pulse_is_no_slower_paper():
    page = page_of("3x4+1", pulse="notch", paper=Paper(300.0, 190.0))
    reading = find_layout(page.image, find_grid(page.image).warp())
    assert {s.speed_mm_per_s for s in reading.layout.segments} == {25.0}


def test_a_line_of_the_header_is_no_row():
    page = page_of("3x4+1", paper=Paper(279.4, 220.0))
    image, scale = page.image.copy(), float(page.warp.px_per_mm([[0.0, 0.0]])[0])
    text = "Vent. rate 72 bpm   PR 160 ms   QRS 92 ms   QT/QTc 402/440 ms   P-R-T axes 55 12 43"
    first, step = (page.layout.row(r)[0].baseline_mm for r in (0, 1))
    level = first - (step - first) + 2.0  # where one more row would stand
    assert level > 0
    cv2.putText(image, text, (round(20 * scale), round(level * scale)), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2)
    assert find_layout(image, find_grid(image).warp()).layout.name == "3x4+1"
