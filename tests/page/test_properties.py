"""Whatever is drawn: no exception, finite truth, and image and truth agree."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecgdig.page import Page, Paper, Placement, Style, arrange, render, sample_layout, sample_style
from ecgdig.page.plan import LeadPlan, by_columns
from ecgdig.recording import Recording
from ecgdig.units import LEADS, px_per_mm

QUICK = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
NAMES = st.lists(
    st.sampled_from([*LEADS, "-aVR", "V3R", "V7", "X", "Y", "Z", "CH1", "CH2"]), min_size=1, max_size=12, unique=True
)


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    leads = tuple(draw(NAMES))
    if {"aVR", "-aVR"} <= set(leads):
        leads = tuple(lead for lead in leads if lead != "-aVR")
    duration, fs = draw(st.floats(1.0, 35.0)), draw(st.sampled_from([100.0, 257.0, 360.0, 500.0]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    signal = rng.normal(0, draw(st.sampled_from([0.0, 0.2, 3.0])), (len(leads), max(1, round(duration * fs))))
    if draw(st.booleans()):
        signal[0, : signal.shape[1] // 3] = np.nan
    return Recording(leads, fs, signal.astype(np.float32), metadata={"Age": "71"})


def check(page: Page) -> None:
    assert page.image.dtype == np.uint8
    assert len(page.traces) == len(page.layout.segments) > 0
    for trace in page.traces:
        assert np.isfinite(trace.x_mm).all()
        assert np.isfinite(trace.y_mm[np.isfinite(page_values(page, trace.segment.lead, len(trace.y_mm)))]).all()
    if page.marks:
        boxes = np.array([m.box_mm for m in page.marks])
        assert np.isfinite(boxes).all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert np.isfinite(page.keypoints_px()).all()
    assert set(page.recording().leads) >= {s.lead.lstrip("-") for s in page.layout.segments}


def page_values(page: Page, lead: str, n: int) -> np.ndarray:
    """Where the source of a trace is known; all of it, if its lead has no gaps."""
    assert page.source is not None
    samples = page.source.lead(lead)
    return np.zeros(n) if np.isfinite(samples).all() else np.full(n, np.nan)


@QUICK
@given(recordings(), st.integers(0, 10**6), st.sampled_from(["train", "val", "all"]), st.floats(40, 160))
def test_any_recording_makes_a_page(recording: Recording, seed: int, split: str, dpi: float) -> None:
    rng = np.random.default_rng(seed)
    style = sample_style(rng, split)  # type: ignore[arg-type]
    check(render(recording, sample_layout(recording, style, rng, split=split), style, dpi, rng))  # type: ignore[arg-type]


@QUICK
@given(
    recordings(),
    st.integers(0, 10**6),
    st.integers(1, 6),
    st.sampled_from([12.5, 25.0, 50.0, 100.0]),
    st.sampled_from([2.5, 5.0, 10.0, 20.0]),
    st.tuples(st.floats(60, 500), st.floats(40, 400)),
)
def test_any_plan_on_any_paper_is_drawn_or_refused_with_a_reason(
    recording: Recording, seed: int, columns: int, speed: float, gain: float, size: tuple[float, float]
) -> None:
    rows = -(-len(recording.leads) // columns)
    plan = LeadPlan("any", by_columns(recording.leads, rows), recording.leads[: seed % 3])
    place = Placement(12, 5, 0.4 * size[1], 0.6 * size[1] / plan.n_rows, sequential=seed % 2 == 0)
    rng = np.random.default_rng(seed)
    room_s = (size[0] - 17) / speed
    fits = min(recording.duration_s, room_s) / plan.n_columns >= 0.5
    with nullcontext() if fits else pytest.raises(ValueError, match="wider paper"):
        layout = arrange(
            plan, Paper(*size), place, duration_s=recording.duration_s, speed_mm_per_s=speed, gain_mm_per_mv=gain,
            chest_gain_mm_per_mv=gain / 2 if seed % 5 == 0 else None,
        )  # fmt: skip
        check(render(recording, layout, sample_style(rng), 50, rng))


@QUICK
@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0, 1))
def test_a_window_of_any_page_is_its_crop(recording: Recording, seed: int, right: float, down: float) -> None:
    rng = np.random.default_rng(seed)
    style = sample_style(rng)
    layout = sample_layout(recording, style, rng)
    dpi = 101.6  # 4 px/mm
    assert px_per_mm(dpi) == 4.0
    x, y = round(right * (layout.paper.width_mm - 50)), round(down * (layout.paper.height_mm - 40))
    whole = render(recording, layout, style, dpi, np.random.default_rng(seed))
    window = render(recording, layout, style, dpi, np.random.default_rng(seed), (x, y, x + 50.0, y + 40.0))
    crop = whole.image[4 * y : 4 * y + 160, 4 * x : 4 * x + 200]
    np.testing.assert_array_equal(window.image[: crop.shape[0], : crop.shape[1]], crop)


@QUICK
@given(st.integers(0, 10**6))
def test_the_ink_of_any_page_is_where_its_truth_says(smooth: Recording, ink_error, bare: Style, seed: int) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    drawn = sample_style(rng)
    ink = replace(drawn.ink, rgb=(0, 0, 0), opacity=1.0, gaps=0.0, fading=0.0, head_mm=0.0)
    style = replace(drawn, ink=ink, grid=bare.grid, paper_rgb=(255, 255, 255))
    layout = sample_layout(smooth, style, rng)
    if layout.segments[0].speed_mm_per_s < 25:  # a pen as wide as a wave fills its crests
        return
    try:
        errors = ink_error(render(smooth, layout, style, 150, rng))
    except ValueError:  # rows so close that no stretch stands alone
        return
    assert np.sqrt(np.mean(errors**2)) < 0.15
    assert np.quantile(np.abs(errors), 0.99) < 0.4
