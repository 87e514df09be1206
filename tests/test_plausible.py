from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from impostors import impostors, torn_page
from ink_net import ink_model

from ecgdig.digitizer import digitize, read_traces
from ecgdig.grid.flat import GeometryError
from ecgdig.hub import load
from ecgdig.page import PLAIN, Placement, arrange, lead_plan, render
from ecgdig.page.layout import PAPERS
from ecgdig.plausible import beats_per_min, crest, doubts_about, misfit, synchrony
from ecgdig.recording import Recording

REFUSED = ("blank paper", "noise", "text page", "bar chart", "face", "ruled paper", "squared paper", "blank ECG paper")
EINTHOVEN = {"I": 1.0, "III": 1.0, "II": -1.0}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(impostors()))
def test_what_is_no_ecg_is_refused_or_doubted(name: str) -> None:
    try:
        read = digitize(impostors()[name], ink_model())
    except GeometryError:
        return
    assert name not in REFUSED
    assert read.doubts
    assert set(read.doubts) <= set(read.warnings)


def test_a_torn_page_is_doubted(recording: Recording) -> None:
    try:
        read = digitize(torn_page(recording), ink_model())
    except GeometryError:
        return
    assert read.doubts


@pytest.mark.parametrize("name", ["3x4", "3x4+1", "6x2", "12x1"])
def test_good_pages_are_not_doubted(recording: Recording, name: str) -> None:
    plan = lead_plan(name)
    place = Placement(20, 8, 25, min(40.0, 180 / plan.n_rows))
    page = render(
        recording, arrange(plan, PAPERS["letter"], place, duration_s=10.0), PLAIN, 150, np.random.default_rng(0)
    )
    true = page.recording()
    assert misfit(true, EINTHOVEN) < 0.05
    assert synchrony(true) > 0.6
    assert crest(true) > 3
    assert 40 < beats_per_min(true) < 150
    if name in {"3x4+1", "6x2"}:  # the trained network: the stand-in takes names and neighbours for traces
        read = read_traces(page.image, page.warp, page.layout, load(), adjust=False)
        assert doubts_about(read.recording, read.layout, read.rows) == ()


def test_exchanged_leads_break_the_law(recording: Recording) -> None:
    leads = list(recording.leads)
    i, ii = leads.index("I"), leads.index("II")
    leads[i], leads[ii] = "II", "I"
    assert misfit(replace(recording, leads=tuple(leads)), EINTHOVEN) > 0.6


def test_the_law_is_silent_where_leads_do_not_overlap() -> None:
    signal = np.full((3, 1000), np.nan, np.float32)
    for i in range(3):
        signal[i, 300 * i : 300 * i + 300] = 0.1
    apart = Recording(("I", "II", "III"), 500.0, signal)
    assert np.isnan(misfit(apart, EINTHOVEN))
    assert np.isnan(synchrony(apart))
