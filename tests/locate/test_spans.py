from dataclasses import replace

import numpy as np
import pytest
from patient_pages import page_of

from ecgdig.grid.flat import find_grid
from ecgdig.locate.leads import find_layout
from ecgdig.locate.rows import find_rows
from ecgdig.locate.spans import Ends, spans_of
from ecgdig.page.layout import Paper


@pytest.fixture(scope="module")
def found():
    page = page_of("3x4+1", paper=Paper(300.0, 190.0), pulse="none")
    return find_rows(page.image, find_grid(page.image).warp())


def test_rows_are_seen_to_begin_and_end(found):
    ends = Ends(found)
    assert min(abs(x - found.start_mm) for x in ends.starts()) < 0.3
    assert min(abs(x - found.end_mm) for x in ends.stops()) < 0.3
    whole = ends.fit(found.start_mm, found.end_mm)
    assert whole > ends.fit(found.start_mm, found.end_mm + 15.0) + 1.0
    assert whole > ends.fit(found.start_mm + 15.0, found.end_mm) + 1.0


@pytest.mark.parametrize("wrong", ["start_mm", "end_mm"])
def test_ten_seconds_are_tried_from_either_end(found, wrong):
    off = replace(found, **{wrong: getattr(found, wrong) + (12.0 if wrong == "end_mm" else -12.0)})
    near = [s for s in spans_of(off, 25.0) if abs(s.start_mm - found.start_mm) + abs(s.end_mm - found.end_mm) < 0.6]
    assert near


def test_ten_seconds_that_every_row_shows_count_most(found):
    n = len(found.starts_mm)
    even = replace(
        found,
        start_mm=20.0,
        end_mm=270.0,
        starts_mm=tuple(20.0 + 0.01 * k for k in range(n)),
        ends_mm=tuple(270.0 - 0.01 * k for k in range(n)),
    )
    uneven = replace(even, starts_mm=(20.5, *even.starts_mm[1:]))
    unseen = replace(even, starts_mm=(np.nan, *even.starts_mm[1:]))
    first = [spans_of(rows, 25.0)[0] for rows in (even, uneven, unseen)]
    assert {(s.start_mm, s.end_mm) for s in first} == {(20.0, 270.0)}
    assert first[0].fit > first[1].fit + 5
    assert first[1].fit == first[2].fit


def test_no_span_reaches_over_a_pulse():
    page = page_of("3x4+1", paper=Paper(300.0, 190.0))
    found = find_rows(page.image, find_grid(page.image).warp())
    assert found.pulse is not None
    assert all(span.start_mm > found.pulse.end_mm - 1.0 for span in spans_of(found, 25.0))


def test_names_between_pulse_and_trace_do_not_move_the_start():
    page = page_of("12x1", row_mm=13.0, names="between", paper=Paper(300.0, 190.0))
    grid = find_grid(page.image)
    reading = find_layout(page.image, grid.warp())
    true = grid.warp().to_mm(page.warp.to_px(np.array([[page.layout.segments[0].x_mm, 50.0]])))[0, 0]
    assert reading.layout.segments[0].x_mm == pytest.approx(true, abs=0.3)
    assert reading.layout.duration_s == pytest.approx(10.0)
