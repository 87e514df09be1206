from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ecgdig.page import Layout, Placement, arrange, lead_plan
from ecgdig.page.layout import Paper
from ecgdig.recording import Recording
from ecgdig.sources import Simulator

ROWS = {"3x4+1": (45, 38), "3x4": (45, 45), "6x2": (25, 28), "12x1": (20, 15)}  # first baseline and spacing in mm


@pytest.fixture(scope="session")
def heart() -> Recording:
    """10 s of a simulated patient at 500 Hz."""
    return Simulator(2, seed=4)[1]


@pytest.fixture(scope="session")
def laid() -> Callable[..., Layout]:
    def arranged(
        name: str = "3x4+1",
        duration_s: float = 10.0,
        speed: float = 25.0,
        gain: float = 10.0,
        chest: float | None = None,
    ) -> Layout:
        top, row = ROWS.get(name, (40, 30))
        plan = lead_plan(name)
        placed = Placement(25, 12, top, row)
        return arrange(
            plan,
            Paper(290, 210),
            placed,
            duration_s=duration_s,
            speed_mm_per_s=speed,
            gain_mm_per_mv=gain,
            chest_gain_mm_per_mv=chest,
        )

    return arranged


@pytest.fixture(scope="session")
def printed() -> Callable[[Recording, Layout], Recording]:
    def only(recording: Recording, layout: Layout) -> Recording:
        time = np.arange(recording.n_samples) / recording.fs
        there = np.zeros(recording.signal_mv.shape, bool)
        for s in layout.segments:
            row = recording.leads.index(s.lead.lstrip("-"))
            there[row] |= (time >= s.start_s - 1e-9) & (time < s.start_s + s.duration_s - 1e-9)
        return replace(recording, signal_mv=np.where(there, recording.signal_mv, np.nan))

    return only
