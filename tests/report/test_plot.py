from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from ink_net import ink_model

from ecgdig.digitizer import Digitization, read_traces
from ecgdig.page import Layout, Style, render
from ecgdig.recording import Recording
from ecgdig.report.plot import plot


@pytest.fixture(scope="module")
def plotted(smooth: Recording, bare: Style, sheet: Callable[[str], Layout]) -> Digitization:
    page = render(smooth, sheet("3x4"), bare, 150, np.random.default_rng(0))
    return read_traces(page.image, page.warp, page.layout, ink_model(), adjust=False)


def test_each_lead_is_drawn_under_its_name_in_mv_and_s(plotted: Digitization) -> None:
    axes = {a.get_title(loc="left").split()[0]: a for a in plot(plotted).axes if a.get_visible()}
    assert set(axes) == set(plotted.printed)
    for lead, one in axes.items():
        time, mv = one.lines[0].get_data()
        np.testing.assert_array_equal(mv, plotted.recording.lead(lead))
        assert time[1] - time[0] == pytest.approx(0.002)
        low, high = one.get_ylim()
        assert low < np.nanmin(mv)
        assert high > np.nanmax(mv)


def test_the_band_holds_nine_samples_in_ten(plotted: Digitization) -> None:
    figure = plot(plotted)
    lead = plotted.printed[0]
    one = next(a for a in figure.axes if a.get_title(loc="left").split()[0] == lead)
    row = plotted.recording.leads.index(lead)
    known = np.flatnonzero(np.isfinite(plotted.recording.signal_mv[row]))
    heights = np.concatenate([path.vertices for path in one.collections[0].get_paths()])
    at = known[known.size // 2]
    here = heights[np.abs(heights[:, 0] - at / 500) < 1e-6, 1]
    half = 1.645 * plotted.sigma_mv[row, at]
    assert np.ptp(here) == pytest.approx(2 * half, rel=0.02)


def test_doubts_are_written_above(plotted: Digitization) -> None:
    assert plot(plotted).get_suptitle() == ""
    assert "upside down" in plot(replace(plotted, doubts=("upside down",))).get_suptitle()
