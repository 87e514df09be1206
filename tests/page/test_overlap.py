from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ecgdig.page import Layout
from ecgdig.page.overlap import overlaps_mm
from ecgdig.recording import Recording
from ecgdig.units import LEADS


def waves(**peaks_mv: float) -> Recording:
    """Leads that go from 0 to their peak, 10 s."""
    signal = np.zeros((12, 5000), np.float32)
    for lead, peak in peaks_mv.items():
        signal[LEADS.index(lead), ::500] = peak
    return Recording(LEADS, 500.0, signal)


def overlap_of(recording: Recording, layout: Layout) -> dict[str, float]:
    return {s.lead: v for s, v in zip(layout.segments, overlaps_mm(recording, layout), strict=True)}


def test_a_tall_lead_shares_height_with_the_one_above_in_its_column_only(sheet: Callable[[str], Layout]) -> None:
    layout = sheet("3x4")  # rows 30 mm apart, 10 mm/mV
    tall = overlap_of(waves(V5=4.0, V4=0.0, V1=-2.0), layout)  # 40 mm up, past the flat V4
    assert tall["V5"] == tall["V4"] == 0  # a flat line has no height of its own
    tall = overlap_of(waves(V5=4.0, V4=-0.5, aVL=4.0), layout)
    assert tall["V5"] == tall["V4"] == pytest.approx(5)
    assert tall["V6"] == tall["V1"] == tall["aVR"] == 0


def test_an_inverted_lead_goes_the_other_way(sheet: Callable[[str], Layout]) -> None:
    layout = sheet("3x4")
    turned = tuple(replace(s, lead="-aVR") if s.lead == "aVR" else s for s in layout.segments)
    recording = waves(aVR=3.5, aVL=1.0)  # -aVR reaches down 35 mm, past the baseline of aVL and 5 mm on
    assert overlap_of(recording, layout)["aVL"] == 0
    assert overlap_of(recording, replace(layout, segments=turned))["aVL"] == pytest.approx(10)


def test_nothing_known_overlaps_with_nothing(sheet: Callable[[str], Layout]) -> None:
    recording = waves(V5=4.0, V4=-0.5)
    signal = recording.signal_mv.copy()
    signal[LEADS.index("V4")] = np.nan
    assert not overlaps_mm(replace(recording, signal_mv=signal), sheet("3x4")).any()
