"""Pictures of the pages that were read worst, as data URIs: the reading over the image, and its errors."""

from __future__ import annotations

import base64
import heapq
import io
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from ecgdig.metrics import RecordScore
from ecgdig.metrics.score import usual_leads
from ecgdig.recording import Recording

if TYPE_CHECKING:
    from ecgdig.digitizer import Digitization

WORST = 10
_OVERLAY_PX = 1100  # the wider side of an overlay
_JPEG_QUALITY = 72
_COLOURS = 24  # of a residual plot; a fifth of the bytes of full colour


class Worst:
    """Which pages are among the worst so far. The worst of all are among them whenever they come.

    Failures are not: there is nothing to draw of them.
    """

    def __init__(self, scores: Iterable[RecordScore] = (), n: int = WORST) -> None:
        self.n = n
        self._kept: list[float] = []  # a heap of negated SNRs: the best of the worst on top
        for score in scores:
            self.takes(score)

    def takes(self, score: RecordScore) -> bool:
        """Whether this page is one of the worst so far; it then counts among them."""
        if score.failed:
            return False
        worse = -score.page["snr_db"]
        if len(self._kept) < self.n:
            heapq.heappush(self._kept, worse)
            return True
        return self.n > 0 and heapq.heappushpop(self._kept, worse) != worse


def worst_pages(pages: Iterable[Mapping[str, Any]], n: int = WORST) -> list[int]:
    """Places of the `n` pages of a summary with the lowest plain SNR that were read at all, the worst first."""
    read = [(page["metrics"]["snr_db"], i) for i, page in enumerate(pages) if not page["failed"]]
    return [i for _, i in sorted(read)[:n]]


def pictures_of(truth: Recording, estimate: Recording, read: Digitization | None = None) -> dict[str, str]:
    """`residual` and, where the page was read here, `overlay`: each a data URI."""
    pictures = {"residual": png_uri(residual_plot(truth, estimate))}
    return pictures if read is None else {"overlay": jpeg_uri(read.overlay()), **pictures}


def residual_plot(truth: Recording, estimate: Recording) -> Figure:
    """Every scored lead: truth (grey), reading (blue) and their difference (red, below), over the time that is scored.

    The median difference of each lead is taken out first, as in the calibration.
    """
    truth = usual_leads(truth)
    truth = truth.select([lead for lead in truth.leads if np.isfinite(truth.lead(lead)).any()])
    read = usual_leads(estimate.resample(truth.fs)).select(truth.leads).crop(0, truth.duration_s)
    n_columns = 2 if len(truth.leads) > 3 else 1
    n_rows = -(-len(truth.leads) // n_columns)
    figure = Figure(figsize=(11, 1.25 * n_rows + 0.4), layout="constrained", facecolor="white")
    grid = figure.subplots(n_rows, n_columns, squeeze=False)
    for axes, lead in zip(grid.T.ravel(), truth.leads, strict=False):
        _lead(axes, lead, truth, read)
    for axes in grid.T.ravel()[len(truth.leads) :]:
        axes.set_visible(False)
    figure.supxlabel("s; grey: truth, blue: reading, red: reading - truth (mV)", fontsize=7)
    return figure


def jpeg_uri(rgb: NDArray[np.uint8]) -> str:
    """A picture, uint8 RGB `(H, W, 3)`, reduced to fit a report."""
    shrink = min(1.0, _OVERLAY_PX / max(rgb.shape[:2]))
    small = cv2.resize(rgb, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) if shrink < 1 else rgb
    done, data = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    assert done, "OpenCV cannot write JPEG"
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


def png_uri(figure: Figure) -> str:
    """A figure in few colours, at 90 dpi."""
    full, small = io.BytesIO(), io.BytesIO()
    figure.savefig(full, format="png", dpi=90)
    Image.open(full).convert("RGB").quantize(_COLOURS).save(small, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(small.getvalue()).decode()


def _lead(axes: Any, lead: str, truth: Recording, read: Recording) -> None:
    r, e = truth.lead(lead), read.lead(lead)
    scored = np.flatnonzero(np.isfinite(r))
    here = slice(int(scored[0]), int(scored[-1]) + 1)
    r, e = r[here], np.where(np.isfinite(r[here]), e[here], np.nan)
    time = np.arange(here.start, here.stop) / truth.fs
    off = e - r
    known = np.isfinite(off)
    middle = float(np.median(off[known])) if known.any() else 0.0
    low, high = float(r[scored - here.start].min()), float(r[scored - here.start].max())
    span = max(high - low, 0.2)
    axes.plot(time, r, color="#999999", linewidth=1.4)
    axes.plot(time, e - middle, color="#2060c0", linewidth=0.7)
    axes.axhline(low - 0.3 * span, color="#dddddd", linewidth=0.6)
    axes.plot(time, off - middle + low - 0.3 * span, color="#c02020", linewidth=0.7)
    axes.set_ylim(low - 0.8 * span, high + 0.2 * span)
    axes.set_xlim(time[0], time[-1] + 1 / truth.fs)
    axes.set_ylabel(lead, fontsize=8, rotation=0, ha="right", va="center", parse_math=False)
    axes.tick_params(labelsize=6, length=2)
