"""One word for how well a lead was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from ecgdig.recording import Recording

Quality = Literal["good", "usable", "poor", "unreadable"]

# word, least share of the printed samples that was read, least expected SNR in dB; the first that fits
_STEPS: tuple[tuple[Quality, float, float], ...] = (("good", 0.97, 14.0), ("usable", 0.85, 7.0), ("poor", 0.3, 0.0))
_LEAST_SIGNAL_MV = 0.08  # standard deviation that flat leads are judged against: they are not unreadable


def expected_snr_db(recording: Recording, lead: str) -> float:
    """Standard deviation of a lead's signal over the rms of its own standard errors, in dB; -inf with no sample.

    An estimate made by the reading itself: no truth is needed, and systematic errors (a wrong gain) are not in it.
    """
    if recording.sigma_mv is None:
        return -np.inf
    row = recording.leads.index(lead)
    known = np.isfinite(recording.signal_mv[row])
    if not known.any():
        return -np.inf
    error = float(np.sqrt(np.mean(recording.sigma_mv[row, known].astype(np.float64) ** 2)))
    signal = max(float(recording.signal_mv[row, known].std()), _LEAST_SIGNAL_MV)
    return float(20 * np.log10(signal / max(error, 1e-6)))


def quality_of(recording: Recording, coverage: Mapping[str, float], leads: Sequence[str]) -> dict[str, Quality]:
    """The word for each of `leads`, from its coverage (0 to 1) and `expected_snr_db`."""
    words: dict[str, Quality] = {}
    for lead in leads:
        snr = expected_snr_db(recording, lead)
        fits = (word for word, share, least in _STEPS if coverage[lead] >= share and snr >= least)
        words[lead] = next(fits, "unreadable")
    return words
