from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from format_pages import SHA, SOURCE

from ecgdig.formats import About
from ecgdig.page import Placement, arrange, lead_plan
from ecgdig.page.layout import PAPERS
from ecgdig.recording import Recording
from ecgdig.sources import Simulator


@pytest.fixture(scope="session")
def page() -> tuple[Recording, About]:
    """6.3 s of a 3x4+1 page as read: each lead where it is printed, a hole in V2, nothing of V3, and error bars."""
    recording = Simulator(1, seed=4)[0].crop(0, 6.3)
    layout = arrange(lead_plan("3x4+1"), PAPERS["a4"], Placement(20, 8, 40, 30), duration_s=6.3)
    time = np.arange(recording.n_samples) / recording.fs
    printed = np.zeros(recording.signal_mv.shape, bool)
    for s in layout.segments:
        printed[recording.leads.index(s.lead)] |= (time >= s.start_s - 1e-9) & (time < s.start_s + s.duration_s - 1e-9)
    signal = np.where(printed, recording.signal_mv, np.nan)
    signal[7, 1600:1650] = np.nan
    signal[8] = np.nan
    read = replace(recording, signal_mv=signal, sigma_mv=np.where(np.isfinite(signal), 0.02, np.nan), name="page")
    facts = {"paper": "25 mm/s, 10 mm/mV", "warnings": "none"}
    return read, About(SOURCE, ("trace-unet-small", SHA), layout, facts)
