"""What of a truth is scored: only what a page prints, and no frozen end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecgdig.page import Page
from ecgdig.page.layout import lead_plan
from ecgdig.recording import Recording

_FROZEN_S = 0.05


def without_frozen_end(truth: Recording, source: Recording | None = None) -> Recording:
    """The recording with NaN for its last samples if all leads stand still there for 50 ms or more.

    PTB-XL's 500 Hz recordings end so, about 0.1 s early; what was printed from its 100 Hz versions goes on.

    Args:
        source: the recording that `truth` was printed from, on the same time axis, if that is where to look.
    """
    source = truth if source is None else source
    moving = np.flatnonzero((np.nan_to_num(np.diff(source.signal_mv, axis=1)) != 0).any(axis=0))
    last = int(moving[-1]) + 1 if moving.size else source.n_samples - 1
    if source.n_samples - 1 - last < _FROZEN_S * source.fs:
        return truth
    signal = truth.signal_mv.copy()
    signal[:, int(np.floor(last / source.fs * truth.fs + 1e-6)) + 1 :] = np.nan
    return replace(truth, signal_mv=signal)


def as_recorded(page: Page) -> Recording:
    """What a page prints, as it was recorded: pages drawn from few samples a second print straight lines instead.

    Raises:
        ValueError: the page does not hold the recording it was drawn from.
    """
    printed = page.recording()
    source = page.whole_recording(printed.fs, printed.leads).select(printed.leads)
    n = min(printed.n_samples, source.n_samples)
    signal = np.full_like(printed.signal_mv, np.nan)
    signal[:, :n] = np.where(np.isfinite(printed.signal_mv[:, :n]), source.signal_mv[:, :n], np.nan)
    return replace(printed, signal_mv=signal)


def printed_only(truth: Recording, layout: str) -> Recording:
    """The truth with NaN where a page of `layout` (`3x4`, `3x4 + II`, `3x4 + V1 + II + V5`) prints nothing."""
    base, *rhythm = (part.strip() for part in layout.partition(",")[0].split("+"))
    try:
        plan = lead_plan(f"{base}+{len(rhythm)}" if rhythm else base, rhythm)
    except ValueError:
        return truth
    signal = np.full_like(truth.signal_mv, np.nan)
    column = truth.n_samples // plan.n_columns
    for row in plan.grid:
        for c, lead in enumerate(row):
            if lead in truth.leads:
                here = (truth.leads.index(lead), slice(c * column, (c + 1) * column))
                signal[here] = truth.signal_mv[here]
    for lead in set(plan.rhythm) & set(truth.leads):
        signal[truth.leads.index(lead)] = truth.lead(lead)
    return replace(truth, signal_mv=signal)
