from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecgdig.dataset.truth import TruthError, read_truth, truth_bytes
from ecgdig.degrade import degrade
from ecgdig.page import PLAIN, Page, render, sample_page
from ecgdig.page.layout import PAPERS, Placement, arrange, cabrera_leads, lead_plan
from ecgdig.recording import Recording
from ecgdig.sources import Simulator


def stored(page: Page, folder: Path) -> Page:
    files = truth_bytes(page, {"degrade": {"noise": 0.25}, "dpi": 90.5}, "p1")
    for name, data in files.items():
        (folder / name).write_bytes(data)
    truth = read_truth(folder / "p1.npz")
    assert truth.drawn == {"degrade": {"noise": 0.25}, "dpi": 90.5}
    np.testing.assert_allclose(truth.recording.signal_mv, page.recording().signal_mv, atol=0.00051)
    return truth.page


def compare(back: Page, page: Page) -> None:
    assert back.layout == page.layout
    assert back.style == page.style
    assert back.marks == page.marks
    assert back.window_mm == page.window_mm
    assert back.degradations == page.degradations
    assert back.degradation_values == page.degradation_values
    assert back.shape == page.shape
    np.testing.assert_array_equal(back.warp.to_px([[12.3, 45.6]]), page.warp.to_px([[12.3, 45.6]]))
    np.testing.assert_array_equal(back.boxes_px(), page.boxes_px())
    np.testing.assert_array_equal(back.keypoints_px(), page.keypoints_px())
    for i in range(len(page.traces)):
        np.testing.assert_array_equal(np.isnan(back.polyline_px(i)), np.isnan(page.polyline_px(i)))
        off = np.linalg.norm(back.polyline_px(i) - page.polyline_px(i), axis=1)
        assert np.nanmax(off, initial=0) <= 0.05
        np.testing.assert_array_equal(back.hidden(i), page.hidden(i))


@pytest.mark.parametrize("preset", ["clean", "scan", "photo", "damaged"])
@pytest.mark.parametrize("seed", range(3))
def test_random_pages_come_back(preset: str, seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    page = degrade(sample_page(Simulator(3, seed=2)[seed], rng, dpi=70), preset, rng)
    compare(stored(page, tmp_path), page)


@pytest.mark.parametrize("fs", [100.0, 200.0, 500.0, 1000.0])
def test_a_page_takes_less_than_60_kb(fs: float, recording: Recording, tmp_path: Path) -> None:
    style = replace(PLAIN, ink=replace(PLAIN.ink, fs=fs))
    layout = arrange(lead_plan("12x1"), PAPERS["letter"], Placement(15, 8, 20, 15), duration_s=10.0)
    page = render(recording, layout, style, 200, np.random.default_rng(0))
    files = truth_bytes(page, {}, "p1")
    assert sum(map(len, files.values())) < 60_000
    compare(stored(page, tmp_path), page)


def test_stretches_without_ink_come_back(recording: Recording, tmp_path: Path) -> None:
    style = replace(PLAIN, ink=replace(PLAIN.ink, gaps=0.3))
    layout = arrange(lead_plan("3x4+1"), PAPERS["letter"], Placement(15, 8, 60, 30), duration_s=10.0)
    page = render(recording, layout, style, 60, np.random.default_rng(0))
    ends = [trace.inked[[0, -1]] for trace in page.traces if trace.inked is not None]
    assert len(ends) == len(page.traces)
    assert not np.all(ends)  # a gap at an end of a trace too
    compare(stored(page, tmp_path), page)


def test_gaps_cabrera_order_and_leads_that_end_early(recording: Recording, tmp_path: Path) -> None:
    signal = recording.signal_mv.copy()
    signal[0, 200:300] = np.nan  # pen lifted
    signal[6] = np.nan  # V1 is nowhere
    short = replace(recording, signal_mv=signal).crop(0, 6.0)
    style = replace(PLAIN, furniture=replace(PLAIN.furniture, separator="gap"))
    plan = lead_plan("3x4", leads=cabrera_leads())
    layout = arrange(plan, PAPERS["letter"], Placement(15, 8, 60, 30), duration_s=10.0)
    page = render(short, layout, style, 60, np.random.default_rng(0))
    assert any(trace.x_mm.size == 0 for trace in page.traces)
    assert any(np.isnan(trace.y_mm).all() for trace in page.traces if trace.x_mm.size)
    assert any(trace.segment.lead == "-aVR" for trace in page.traces)
    compare(stored(page, tmp_path), page)


def test_points_at_odd_times_and_far_from_the_record(flat_page: Page, tmp_path: Path) -> None:
    odd = flat_page.traces[0]
    rng = np.random.default_rng(3)
    jump = np.where(np.arange(odd.y_mm.size) == 40, -200.0, 0.0)  # a spike the 500 Hz record cannot follow
    moved = replace(odd, x_mm=odd.x_mm + rng.uniform(0, 0.02, odd.x_mm.size), y_mm=odd.y_mm + jump)
    page = replace(flat_page, traces=(moved, *flat_page.traces[1:]))
    compare(stored(page, tmp_path), page)


def test_bytes_do_not_depend_on_the_day(flat_page: Page) -> None:
    assert truth_bytes(flat_page, {}, "p") == truth_bytes(flat_page, {}, "p")


@pytest.mark.parametrize("what", ["missing", "damaged", "no record", "text"])
def test_what_is_wrong_is_one_line(what: str, flat_page: Page, tmp_path: Path) -> None:
    for name, data in truth_bytes(flat_page, {}, "p1").items():
        if what == "missing" or (what == "no record" and name.endswith(".hea")):
            continue
        kept = {"damaged": data[:1000], "text": b"nothing"}.get(what, data) if name.endswith(".npz") else data
        (tmp_path / name).write_bytes(kept)
    with pytest.raises(TruthError, match=r"p1\.npz") as error:
        read_truth(tmp_path / "p1.npz")
    assert "\n" not in str(error.value)
