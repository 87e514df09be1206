from __future__ import annotations

import numpy as np
import pytest

from ecgdig.quality import expected_snr_db, quality_of
from ecgdig.recording import Recording


def _recording(sigma_mv: float) -> Recording:
    signal = np.sin(np.arange(1000) / 30)[None].astype(np.float32)
    return Recording(("I",), 500.0, signal, np.full_like(signal, sigma_mv))


@pytest.mark.parametrize(
    ("sigma_mv", "coverage", "word"),
    [(0.02, 1.0, "good"), (0.02, 0.9, "usable"), (0.2, 1.0, "usable"), (0.5, 1.0, "poor"), (0.02, 0.1, "unreadable")],
)
def test_words_follow_coverage_and_error(sigma_mv: float, coverage: float, word: str) -> None:
    assert quality_of(_recording(sigma_mv), {"I": coverage}, ["I"]) == {"I": word}


def test_expected_snr_is_signal_over_error() -> None:
    assert expected_snr_db(_recording(0.0707), "I") == pytest.approx(20, abs=0.3)


def test_nothing_read_is_unreadable() -> None:
    nothing = Recording(("I",), 500.0, np.full((1, 10), np.nan), np.full((1, 10), np.nan))
    assert quality_of(nothing, {"I": 0.0}, ["I"]) == {"I": "unreadable"}
