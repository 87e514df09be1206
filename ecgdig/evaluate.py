"""Reading pages with known truth and scoring them, beside the best that their resolution allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from ecgdig.digitizer import Digitization, digitize, read_traces, recording_of
from ecgdig.drawn_rate import drawn_rate, through_samples
from ecgdig.hub import TraceModel
from ecgdig.metrics import RecordScore, score_recording
from ecgdig.page import Page
from ecgdig.recording import Recording
from ecgdig.scoring.cases import LAYOUTS as LAYOUTS  # also for those that import the cases from here
from ecgdig.scoring.cases import Case as Case
from ecgdig.scoring.cases import folder_cases as folder_cases
from ecgdig.scoring.cases import rendered_cases as rendered_cases
from ecgdig.scoring.results import PageResult, summary_of
from ecgdig.strip import Strip
from ecgdig.vectorize import RowReading


@dataclass(frozen=True)
class Outcome:
    """What came of a case: the reading (None with `error` where it failed), its score and the oracle's."""

    case: Case
    read: Digitization | None
    score: RecordScore
    oracle: RecordScore | None
    error: str = ""


def score_case(case: Case, model: TraceModel, true_geometry: bool = False) -> Outcome:
    """Read one page and score it; a page that cannot be read, whatever the reason, is a failure of 0 dB."""
    truth = replace(case.truth, name=case.name)
    best = None
    if case.page is not None:
        best = score_recording(truth, oracle(case.page, model))
    try:
        if case.error:
            raise ValueError(case.error)
        if true_geometry:
            if case.page is None:
                raise ValueError("the true geometry is known of rendered pages only")
            read = read_traces(case.image, case.page.warp, case.page.layout, model, adjust=False, name=case.name)
        else:
            read = digitize(case.image, model, name=case.name)
    except Exception as error:  # one page must not end the others
        known = isinstance(error, ValueError)
        text = str(error) if known else f"internal error ({type(error).__name__}: {error}); please report it"
        return Outcome(case, None, score_recording(truth, None), best, " ".join(text.split()))
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
    rate = drawn_rate(rows, page.layout)
    read = tuple(rows) if rate is None else through_samples(rows, page.layout, rate)
    return recording_of(page.layout, read, (1.0, 0.01), page.name)


def outcomes(cases: Iterable[Case], model: TraceModel, true_geometry: bool = False) -> Iterator[Outcome]:
    """Every case read and scored, one after the other."""
    for case in cases:
        yield score_case(case, model, true_geometry)


def result_of(outcome: Outcome) -> PageResult:
    """The numbers of an outcome, without its pictures."""
    case = outcome.case
    facts = dict(case.facts)
    if outcome.read is not None and not facts.get("layout"):
        facts["layout"] = outcome.read.layout.name
    return PageResult(case.index, outcome.score, outcome.oracle, outcome.error, facts)


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
        `results.summary_of`, with `checkpoint` (`name`, `sha256`).

    Raises:
        ValueError: there are no cases.
    """
    results = []
    for outcome in outcomes(islice(cases, limit), model, true_geometry):
        results.append(result_of(outcome))
        if each is not None:
            each(outcome)
    return {**summary_of(results), "checkpoint": {"name": model.name, "sha256": model.sha256}}
