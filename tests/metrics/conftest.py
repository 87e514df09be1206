from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray


@pytest.fixture(scope="session")
def ecg_mv() -> NDArray[np.float64]:
    """10 s of a made-up lead at 500 Hz, 75 beats a minute, on a zero baseline: `(5000,)` in mV."""
    t = np.arange(5000) / 500
    beat_s = t % 0.8 - 0.4
    waves = [(0.12, -0.16, 0.02), (-0.15, -0.025, 0.008), (1.2, 0.0, 0.01), (-0.3, 0.025, 0.01), (0.3, 0.22, 0.04)]
    lead = np.zeros(t.size)
    for mv, at, width in waves:
        lead += mv * np.exp(-0.5 * ((beat_s - at) / width) ** 2)
    return lead
