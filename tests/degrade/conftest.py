from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ecgdig.page import Layout, Page, Style, render
from ecgdig.recording import Recording


@pytest.fixture(scope="module")
def blank(smooth: Recording, bare: Style, sheet: Callable[[str], Layout]) -> Page:
    """60 x 40 mm of white paper without anything on it, 8 px/mm, below all traces."""
    page = render(smooth, sheet("3x4"), bare, 203.2, np.random.default_rng(0), (100.0, 150.0, 160.0, 190.0))
    assert (page.image == 255).all()
    return page


@pytest.fixture(scope="module")
def fine(smooth: Recording, bare: Style, sheet: Callable[[str], Layout]) -> Page:
    """80 x 50 mm of black traces on white paper at 300 dpi."""
    return render(smooth, sheet("3x4"), bare, 300, np.random.default_rng(0), (30.0, 5.0, 110.0, 55.0))
