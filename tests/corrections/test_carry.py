from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from ink_net import ink_model

from ecgdig.corrections import Corners, Corrector, Rename, Retrace, Scale, Swap, Unreadable, again_on
from ecgdig.corrections.geometry import corner_places_mm
from ecgdig.digitizer import Digitization, read_traces
from ecgdig.page import Layout, Page, Style, render
from ecgdig.recording import Recording


@pytest.fixture(scope="module")
def page(smooth: Recording, bare: Style, sheet: Callable[[str], Layout]) -> Page:
    return render(smooth, sheet("3x4+1"), bare, 120, np.random.default_rng(0))


def without_first_row(layout: Layout) -> Layout:
    """What a reading that misses the first row has."""
    return replace(layout, segments=tuple(replace(s, row=s.row - 1) for s in layout.segments if s.row > 0))


def read_as(page: Page, layout: Layout) -> Digitization:
    return read_traces(page.image, page.warp, layout, ink_model(), adjust=False)


def test_strokes_follow_their_row_and_names_are_dropped_in_words(page: Page) -> None:
    desk = Corrector(read_as(page, page.layout), ink_model())
    s = next(s for s in page.layout.segments if s.lead == "V2")
    trace = next(t for t in page.traces if t.segment.lead == "V3")
    x = np.linspace(trace.segment.x_mm + 10, trace.segment.x_mm + 40, 8)
    stroke = page.warp.to_px(np.stack([x, trace.y_at(x)], 1)).tolist()
    edits = (
        Rename((0, 0), "V9"),
        Unreadable(s.row, s.x_mm + 20.0, s.x_mm + 40.0),
        Unreadable(0, s.x_mm + 20.0, s.x_mm + 40.0),
        Swap((0, 1), (1, 1)),
        Scale(gain_mm_per_mv=5.0),
        Retrace(trace.segment.row, tuple((a, b) for a, b in stroke)),
    )
    old = desk.apply(edits)
    new = Corrector(read_as(page, without_first_row(page.layout)), ink_model())
    kept, dropped = again_on(new, old, edits)
    assert kept == (replace(edits[1], row=s.row - 1), edits[4], replace(edits[5], row=trace.segment.row - 1))
    assert dropped == (
        "the name of a lead: dropped, the page was read with another layout",
        "a stretch marked as unreadable: dropped, row 1 is no row of the new layout",
        "the swap of two leads: dropped, the page was read with another layout",
    )
    both = new.apply(kept).recording.lead("V2"), old.recording.lead("V2")
    np.testing.assert_array_equal(np.isnan(both[0]), np.isnan(both[1]))


def test_geometry_goes_on_unless_the_page_is_turned(page: Page) -> None:
    at = corner_places_mm(page.layout)
    to = page.warp.to_px(at) + np.array([(0, 0), (0, 0), (25, 30), (0, 0)])
    edit = Corners(*(tuple((float(x), float(y)) for x, y in four) for four in (at, to)))  # type: ignore[arg-type]
    read = read_as(page, page.layout)
    old = Corrector(read, ink_model()).apply([edit])
    fewer = read_as(page, without_first_row(page.layout))
    desk = Corrector(fewer, ink_model())
    assert again_on(desk, old, [edit]) == ((edit,), ())
    np.testing.assert_allclose(desk.apply([edit]).warp.to_px(at), to, atol=0.5)
    kept, dropped = again_on(Corrector(replace(fewer, turned_deg=180), ink_model()), old, [edit])
    assert (kept, dropped) == ((), ("dragged corners: dropped, the page was read another way up",))
