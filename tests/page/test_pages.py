from __future__ import annotations

import numpy as np
import pytest

from ecgdig.page import Paper, Placement, Style, lead_plan, pages_of, parse_plan, render
from ecgdig.page.layout import PAPERS, arrange
from ecgdig.page.pages import following
from ecgdig.recording import Recording
from ecgdig.units import LEADS

FS = 100.0


def noise(duration_s: float, leads: tuple[str, ...] = LEADS) -> Recording:
    rng = np.random.default_rng(0)
    return Recording(leads, FS, rng.normal(0, 0.3, (len(leads), round(duration_s * FS))).astype(np.float32))


def times_printed(recording: Recording, layouts: list, rhythm: bool = False) -> np.ndarray:  # type: ignore[type-arg]
    """How often each sample of each lead lies in a segment of the grid (or in a rhythm strip), `(n_leads, n)`."""
    time = np.arange(recording.n_samples) / FS
    count = np.zeros(recording.signal_mv.shape, int)
    for layout in layouts:
        n_strips = int(layout.name.partition("+")[2] or 0)
        for s in layout.segments:
            if (s.row >= int(layout.name.partition("x")[0])) == (rhythm and n_strips > 0):
                inside = (time >= s.start_s - 1e-9) & (time < s.start_s + s.duration_s - 1e-9)
                count[recording.leads.index(s.lead)] += inside
    return count


@pytest.mark.parametrize("duration_s", [0.7, 2.5, 9.97, 10.0, 10.01, 23.4, 61.3])
@pytest.mark.parametrize("name", ["3x4", "3x4+1", "6x2", "12x1"])
def test_simultaneous_columns_hold_every_sample_once(name: str, duration_s: float) -> None:
    recording = noise(duration_s)
    place = Placement(15, 8, 20, 14, sequential=False)
    layouts = list(pages_of(recording, lead_plan(name), PAPERS["letter"], place))
    assert (times_printed(recording, layouts) == 1).all()
    assert [layout.page for layout in layouts] == list(range(len(layouts)))


@pytest.mark.parametrize("duration_s", [0.7, 2.5, 9.97, 10.0, 10.01, 23.4, 61.3])
@pytest.mark.parametrize("paper", [PAPERS["letter"], Paper(150, 200)])
def test_sequential_columns_hold_every_moment_once(paper: Paper, duration_s: float) -> None:
    recording = noise(duration_s)
    layouts = list(pages_of(recording, lead_plan("3x4+1"), paper, Placement(15, 8, 20, 30)))
    assert (times_printed(recording, layouts).sum(0) == 3).all()  # three rows
    assert (times_printed(recording, layouts, rhythm=True)[1] == 1).all()  # lead II


def test_the_drawn_sheets_give_the_recording_back(bare: Style) -> None:
    recording = noise(13.37, ("CH1", "CH2"))
    total = np.full(recording.signal_mv.shape, np.nan)
    plan = parse_plan("CH1/CH2")
    for layout in pages_of(recording, plan, Paper(140, 100), Placement(10, 5, 30, 40), page_s=5.0):
        page = render(recording, layout, bare, 40, np.random.default_rng(0))
        printed = page.recording(FS, recording.leads).signal_mv
        here = np.isfinite(printed)
        assert np.isnan(total[:, : here.shape[1]][here]).all()
        total[:, : here.shape[1]][here] = printed[here]
        np.testing.assert_array_equal(page.whole_recording(FS, recording.leads).signal_mv, recording.signal_mv)
    missing = np.isnan(total).sum()
    assert missing == 0
    np.testing.assert_allclose(total, recording.signal_mv, atol=0.02)  # drawn at 500 Hz


def test_a_column_of_less_than_half_a_second_is_refused() -> None:
    with pytest.raises(ValueError, match="s a column"):
        list(pages_of(noise(10), lead_plan("3x4"), Paper(50, 100), Placement(15, 8, 20, 20)))


def test_sheets_follow_a_first_one_from_anywhere() -> None:
    first = arrange(lead_plan("3x4+1"), PAPERS["a4"], Placement(20, 5, 40, 30), duration_s=10.0, start_s=7.0)
    recording = noise(31.7)
    layouts = list(following(first, recording.duration_s))
    assert [layout.page for layout in layouts] == [0, 1, 2, 3]
    assert (times_printed(recording, layouts).sum(0) == 3).all()
    assert (times_printed(recording, layouts, rhythm=True)[1] == 1).all()
    assert {s.x_mm for s in layouts[1].segments} == {s.x_mm for s in first.segments}
