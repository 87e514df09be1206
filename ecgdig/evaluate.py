"""Scoring: pages with known truth are read and compared, beside the best that their resolution allows."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgdig.dataset.truth import read_truth
from ecgdig.degrade import degrade
from ecgdig.digitizer import Digitization, digitize, read_traces, recording_of
from ecgdig.hub import TraceModel
from ecgdig.io import read_wfdb
from ecgdig.io.image import read_image
from ecgdig.metrics import RecordScore, score_recording, summarise
from ecgdig.page import Page, render, sample_style
from ecgdig.page.layout import lead_plan
from ecgdig.page.sample import sample_layout
from ecgdig.recording import Recording
from ecgdig.sources import Source
from ecgdig.strip import Strip
from ecgdig.vectorize import RowReading

_FROZEN_S = 0.05
LAYOUTS = ("3x4+1", "3x4", "3x4+3", "6x2", "12x1")


@dataclass(frozen=True)
class Case:
    """One page to read: its picture and what is printed; `page` where it was made here."""

    name: str
    image: NDArray[np.uint8]
    truth: Recording
    page: Page | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a case: the reading (None with `error` where it failed), its score and the oracle's."""

    case: Case
    read: Digitization | None
    score: RecordScore
    oracle: RecordScore | None
    error: str = ""


def rendered_cases(source: Source, preset: str, layouts: tuple[str, ...], dpi: float, seed: int) -> Iterator[Case]:
    """One page for each recording: random style with a grid, 25 mm/s, 10 mm/mV; case i is a function of (seed, i).

    Raises:
        ValueError: a recording lacks leads of its layout, or is too short for it.
    """
    for i in range(len(source)):
        recording = source[i]
        plan = lead_plan(layouts[i % len(layouts)])
        missing = [lead for row in plan.grid for lead in row if lead not in recording.leads]
        if missing:
            raise ValueError(
                f"{recording.name}: has {', '.join(recording.leads)} only; layout {plan.name} also prints "
                f"{', '.join(missing)}; give 12-lead records"
            )
        rng = np.random.default_rng([seed, i])
        style = sample_style(rng)
        while style.grid.kind == "none":  # without a grid a flat page has no scale
            style = sample_style(rng)
        layout = sample_layout(recording, style, rng, plan, usual_scale=True)
        page = degrade(render(recording, layout, style, dpi, rng), preset, rng)
        yield Case(recording.name or f"page-{i}", page.image, page.recording(), page)


def folder_cases(folder: Path) -> Iterator[Case]:
    """Pages listed in `index.csv` with the columns `image` and `truth` (a WFDB record), paths relative to it.

    A column `labels` (`scripts/render.py` writes it) names a page's whole truth, which gives oracle and true geometry.
    Where there is a column `layout` that begins like `3x4 + II`, only what such a page prints is scored: the truths of
    some collections hold the whole recording. Nor is a frozen end scored, at which all leads stand still.

    Raises:
        ValueError: no index, or it lacks these columns.
    """
    index = folder / "index.csv"
    if not index.is_file():
        raise ValueError(f"{folder}: no index.csv; it needs the columns image and truth")
    with index.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"image", "truth"} <= set(rows[0]):
        raise ValueError(f"{index}: needs the columns image and truth, and at least one row")
    for row in rows:
        truth = _printed(_without_frozen_end(read_wfdb(folder / row["truth"])), row.get("layout") or "")
        page = read_truth(folder / row["labels"]).page if row.get("labels") else None
        yield Case(Path(row["image"]).stem, read_image(folder / row["image"]), truth, page)


def _without_frozen_end(truth: Recording) -> Recording:
    """The recording with NaN for its last samples if all leads stand still there for 50 ms or more.

    PTB-XL's 500 Hz recordings end so, about 0.1 s early; what was printed from its 100 Hz versions goes on.
    """
    moving = np.flatnonzero((np.nan_to_num(np.diff(truth.signal_mv, axis=1)) != 0).any(axis=0))
    last = int(moving[-1]) + 1 if moving.size else truth.n_samples - 1
    if truth.n_samples - 1 - last < _FROZEN_S * truth.fs:
        return truth
    signal = truth.signal_mv.copy()
    signal[:, last + 1 :] = np.nan
    return replace(truth, signal_mv=signal)


def _printed(truth: Recording, layout: str) -> Recording:
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


def score_case(case: Case, model: TraceModel, true_geometry: bool = False) -> Outcome:
    """Read one page and score it; a page that cannot be read is a failure of 0 dB."""
    truth = replace(case.truth, name=case.name)
    best = None
    if case.page is not None:
        best = score_recording(truth, oracle(case.page, model))
    try:
        if true_geometry:
            if case.page is None:
                raise ValueError("the true geometry is known of rendered pages only")
            read = read_traces(case.image, case.page.warp, case.page.layout, model, adjust=False, name=case.name)
        else:
            read = digitize(case.image, model, name=case.name)
    except ValueError as error:
        return Outcome(case, None, score_recording(truth, None), best, str(error))
    return Outcome(case, read, score_recording(truth, read.recording), best)


def oracle(page: Page, model: TraceModel) -> Recording:
    """What a network without error would read: the true heights at the centres of its columns, interpolated."""
    spec = model.spec
    rows = []
    for r in range(page.layout.n_rows):
        segments = page.layout.row(r)
        width = round((segments[-1].end_mm - segments[0].x_mm + 4) * spec.px_per_mm_x)
        x = Strip(spec, segments[0].x_mm - 2, segments[0].baseline_mm, width).columns_mm()
        y = np.full(x.shape, np.nan)
        for trace in page.traces:
            s = trace.segment
            here = (x >= s.x_mm) & (x < s.end_mm)
            if s.row == r:
                y[here] = trace.y_at(x[here])
        rows.append(RowReading(x, y, np.zeros_like(x), np.isfinite(y).astype(np.float32)))
    return recording_of(page.layout, tuple(rows), (1.0, 0.01), page.name)


def evaluate(
    cases: Iterator[Case],
    model: TraceModel,
    limit: int | None = None,
    true_geometry: bool = False,
    each: Callable[[Outcome], None] | None = None,
) -> dict[str, Any]:
    """Read and score up to `limit` cases.

    Args:
        each: called with every outcome, e.g. to print or to draw it.

    Returns:
        the summary of `metrics.summarise`, with `oracle` (`{name: {mean, sd, median}}`, None without rendered pages),
        `errors` (page -> why it failed) and `checkpoint`.

    Raises:
        ValueError: there are no cases.
    """
    scores, oracles, errors = [], [], {}
    for n, case in enumerate(cases):
        if limit is not None and n >= limit:
            break
        outcome = score_case(case, model, true_geometry)
        scores.append(outcome.score)
        if outcome.oracle is not None:
            oracles.append(outcome.oracle)
        if outcome.error:
            errors[case.name] = outcome.error
        if each is not None:
            each(outcome)
    summary = summarise(scores)
    summary["oracle"] = summarise(oracles)["metrics"] if oracles else None
    summary["errors"] = errors
    summary["checkpoint"] = {"name": model.name, "sha256": model.sha256}
    return summary
