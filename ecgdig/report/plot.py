"""The leads of a reading with their error bands, drawn as on ECG paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from ecgdig.units import LARGE_SQUARE_MM, STANDARD_GAIN_MM_PER_MV, STANDARD_SPEED_MM_PER_S

if TYPE_CHECKING:
    from ecgdig.digitizer import Digitization

LARGE_SQUARE_S = LARGE_SQUARE_MM / STANDARD_SPEED_MM_PER_S  # 0.2 s
LARGE_SQUARE_MV = LARGE_SQUARE_MM / STANDARD_GAIN_MM_PER_MV  # 0.5 mV
_LEAST_RANGE_MV = 2.0
_BAND = 1.64  # standard errors on both sides: 90 % of the samples
_WORST = {"poor": "#c06000", "unreadable": "#c00000"}


def plot(digitized: Digitization) -> Figure:
    """Each printed lead on its own axes, two columns, with a band that holds 90 % of its samples."""
    leads, quality = digitized.printed, digitized.quality
    n_columns = 2 if len(leads) > 3 else 1
    n_rows = -(-len(leads) // n_columns)
    figure = Figure(figsize=(7.5 * n_columns, 1.5 * n_rows + 0.8), layout="constrained")
    grid = figure.subplots(n_rows, n_columns, squeeze=False, sharex=True)
    recording = digitized.recording
    time = np.arange(recording.n_samples) / recording.fs
    for axes in grid.ravel()[len(leads) :]:
        axes.set_visible(False)
    for axes, lead in zip(grid.T.ravel() if len(leads) == grid.size else grid.ravel(), leads, strict=False):
        row = recording.leads.index(lead)
        mv, error = recording.signal_mv[row], _BAND * digitized.sigma_mv[row]
        _paper(axes, mv, recording.duration_s)
        axes.fill_between(time, mv - error, mv + error, color="#3060ff", alpha=0.35, linewidth=0)
        axes.plot(time, mv, color="black", linewidth=0.8)
        colour = _WORST.get(quality[lead], "black")
        axes.set_title(f"{lead}  {quality[lead]}", loc="left", fontsize=8, pad=2, color=colour)
    figure.supxlabel("s", fontsize=8)
    figure.supylabel("mV", fontsize=8)
    if digitized.doubts:
        figure.suptitle("doubtful: " + digitized.doubts[0], color="#c00000", fontsize=9)
    return figure


def _paper(axes: Any, mv: np.ndarray[Any, np.dtype[np.float32]], duration_s: float) -> None:
    """Grid of large and small squares over the range of the lead."""
    known = mv[np.isfinite(mv)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    middle, half = (low + high) / 2, max(high - low + 0.4, _LEAST_RANGE_MV) / 2
    axes.set_xlim(0, duration_s)
    axes.set_ylim(middle - half, middle + half)
    axes.xaxis.set_major_locator(MultipleLocator(1.0))
    axes.xaxis.set_minor_locator(MultipleLocator(LARGE_SQUARE_S))
    axes.yaxis.set_major_locator(MultipleLocator(max(LARGE_SQUARE_MV * round(half / 1.5), LARGE_SQUARE_MV)))
    axes.grid(which="both", color="#f3b8b8", linewidth=0.5)
    axes.tick_params(labelsize=7, which="both", length=0)
    axes.set_facecolor("#fffafa")
