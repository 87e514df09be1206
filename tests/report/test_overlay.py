from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ink_net import ink_model

from ecgdig.digitizer import read_traces
from ecgdig.page import Layout, Style, render
from ecgdig.recording import Recording
from ecgdig.report import overlay


def test_the_reading_is_drawn_on_the_ink(smooth: Recording, bare: Style, sheet: Callable[[str], Layout]) -> None:
    page = render(smooth, sheet("3x4"), bare, 150, np.random.default_rng(0))
    read = read_traces(page.image, page.warp, page.layout, ink_model(), adjust=False)
    drawn = overlay(page.image, read)
    assert drawn.shape == page.image.shape
    coloured = np.ptp(drawn.astype(int), axis=2) > 60
    ink = page.image.max(2) < 90
    assert coloured[ink].mean() > 0.7
