from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from ink_net import ink_model
from numpy.typing import NDArray

from ecgdig.corrections import (
    Corners,
    Corrector,
    EditError,
    MovePoint,
    Rearrange,
    Rename,
    Retrace,
    Scale,
    Swap,
    Unreadable,
    edits_of,
)
from ecgdig.corrections.geometry import by_corners, by_point, carried, corner_places_mm
from ecgdig.digitizer import Digitization, read_traces
from ecgdig.hub import TraceModel
from ecgdig.metrics import snr_db
from ecgdig.page import Layout, Page, Style, Warp, render
from ecgdig.recording import Recording
from ecgdig.units import CHEST_LEADS


@dataclass(frozen=True)
class Counting(TraceModel):
    """The stand-in, which counts the strips that it is shown."""

    seen: list[int] = field(default_factory=list)

    def chances(self, strips: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self.seen.append(len(strips))
        return super().chances(strips)


@pytest.fixture(scope="module")
def page(smooth: Recording, bare: Style, sheet: Callable[[str], Layout]) -> Page:
    return render(smooth, sheet("3x4+1"), bare, 120, np.random.default_rng(0))


def read_with(page: Page, warp: Warp) -> Digitization:
    """The page as it is read with another warp, its traces where they are in the image."""
    return read_traces(page.image, warp, carried(page.layout, page.warp, warp), ink_model(), adjust=False)


@pytest.fixture(scope="module")
def read(page: Page) -> Digitization:
    return read_with(page, page.warp)


def snr(page: Page, read: Digitization) -> float:
    truth = page.recording().signal_mv
    off = read.recording.signal_mv - truth
    level = np.nanmean(off, axis=1, keepdims=True)  # which height is 0 mV is not what is tested
    return float(np.median(np.asarray(snr_db(truth, read.recording.signal_mv - level))))


def four(points: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in points)


def test_a_corner_brought_back_brings_the_signal_back(page: Page, read: Digitization) -> None:
    at = corner_places_mm(page.layout)
    there = page.warp.to_px(at)
    wrong = there + np.array([(0, 0), (0, 0), (-40, -50), (0, 0)])
    bad = read_with(page, by_corners(page.warp, Corners(four(at), four(wrong))))
    assert snr(page, bad) < 15
    good = Corrector(bad, ink_model()).apply([Corners(four(at), four(there))])
    assert snr(page, good) > snr(page, read) - 3
    np.testing.assert_allclose(good.warp.to_px(at), there, atol=1e-6)


@pytest.mark.parametrize("off_mm", [-0.6, 0.6])
def test_a_start_taken_elsewhere_in_a_wrong_geometry_is_found_again(page: Page, off_mm: float) -> None:
    at = corner_places_mm(page.layout)
    there = page.warp.to_px(at)
    wrong = by_corners(page.warp, Corners(four(at), four(there + np.array([(0, 0), (0, 0), (-40, -50), (0, 0)]))))
    layout = carried(page.layout, page.warp, wrong)
    layout = replace(layout, segments=tuple(replace(s, x_mm=s.x_mm + off_mm) for s in layout.segments))
    bad = read_traces(page.image, wrong, layout, ink_model(), adjust=False)
    good = Corrector(bad, ink_model()).apply([Corners(four(at), four(there))])
    assert good.layout.segments[0].x_mm == pytest.approx(page.layout.segments[0].x_mm, abs=0.05)


def test_a_point_brought_back_brings_the_signal_back(page: Page, read: Digitization) -> None:
    s = page.layout.segments[5]  # in the middle of the page
    at = (s.x_mm + 20.0, s.baseline_mm)
    dented = by_point(page.warp, page.layout, MovePoint(at, four(page.warp.to_px([at]) + np.array([12.0, 14.0]))[0]))
    bad = read_with(page, dented)
    place = dented.to_mm(page.warp.to_px([at]))[0]
    corner = corner_places_mm(page.layout)
    np.testing.assert_allclose(dented.to_px(corner), page.warp.to_px(corner), atol=1e-9)
    good = Corrector(bad, ink_model()).apply([MovePoint(at, four(page.warp.to_px([at]))[0])])
    assert np.linalg.norm(place - at) > 2
    assert abs(good.warp.to_px([at]) - page.warp.to_px([at])).max() < 0.05
    lead = [s.lead for s in page.layout.segments][5]
    row = page.recording().leads.index(lead)

    def off(of: Digitization) -> float:
        error = of.recording.signal_mv[row] - page.recording().signal_mv[row]
        return float(np.nanmedian(abs(error)))

    assert off(good) < 0.25 * off(bad)


def test_names_and_swaps_move_whole_leads(read: Digitization) -> None:
    places = {s.lead: (s.row, s.column) for s in read.layout.segments if s.row < 3}
    new = Corrector(read, ink_model()).apply([Swap(places["V1"], places["aVL"])]).recording
    # each stands where it is printed; the times of the columns go with the places
    first, second = slice(1250, 2500), slice(2500, 3750)
    np.testing.assert_array_equal(new.lead("V1")[first], read.recording.lead("aVL")[first])
    np.testing.assert_array_equal(new.lead("aVL")[second], read.recording.lead("V1")[second])
    named = Corrector(read, ink_model()).apply([Rename(places["V1"], " v9 ")])
    np.testing.assert_array_equal(named.recording.lead("v9"), read.recording.lead("V1"))
    assert "V1" not in named.printed


def test_names_bring_the_gain_of_chest_leads_along(read: Digitization) -> None:
    halved = (replace(s, gain_mm_per_mv=5.0) if s.lead in CHEST_LEADS else s for s in read.layout.segments)
    mixed = replace(read, layout=replace(read.layout, segments=tuple(halved)))
    places = {s.lead: (s.row, s.column) for s in read.layout.segments if s.row < 3}
    desk = Corrector(mixed, ink_model())
    swapped = desk.apply([Swap(places["V1"], places["aVL"])]).layout
    assert {(s.lead in CHEST_LEADS, s.gain_mm_per_mv) for s in swapped.segments} == {(False, 10.0), (True, 5.0)}
    named = desk.apply([Rename(places["V1"], "V9")]).layout
    assert [s.gain_mm_per_mv for s in named.segments if s.lead == "V9"] == [5.0]


def test_scale_stretches_voltage_and_time(read: Digitization) -> None:
    desk = Corrector(read, ink_model())
    half = desk.apply([Scale(gain_mm_per_mv=20.0)]).recording
    np.testing.assert_allclose(half.signal_mv, read.recording.signal_mv / 2, atol=1e-6)
    fast = desk.apply([Scale(speed_mm_per_s=50.0)])
    assert fast.layout.duration_s == pytest.approx(5.0)
    np.testing.assert_allclose(
        fast.recording.lead("II")[10:2490], read.recording.lead("II")[20:4980:2], atol=0.02
    )  # splines through the same columns
    assert {s.x_mm for s in fast.layout.segments} == {s.x_mm for s in read.layout.segments}


def test_other_leads_for_the_rows(read: Digitization) -> None:
    desk = Corrector(read, ink_model())
    again = desk.apply([Rearrange("V1,V2,V3,V4/I,II,III,aVR/aVL,aVF,V5,V6/V1")])
    np.testing.assert_allclose(again.recording.lead("V2")[1260:2490], read.recording.lead("aVR")[1260:2490], atol=1e-6)
    with pytest.raises(EditError, match="12 rows, 4 were found"):
        desk.apply([Rearrange("12x1")])


def test_a_stretch_marked_unreadable_is_missing_and_nothing_else(read: Digitization) -> None:
    s = next(s for s in read.layout.segments if s.lead == "V2")
    new = Corrector(read, ink_model()).apply([Unreadable(s.row, s.x_mm + 25.0, s.x_mm + 37.5)])
    before, after = read.recording, new.recording
    gone = np.isfinite(before.signal_mv) & np.isnan(after.signal_mv)
    time = np.flatnonzero(gone[before.leads.index("V2")]) / 500
    assert gone.sum() == gone[before.leads.index("V2")].sum()
    assert time[[0, -1]] == pytest.approx([s.start_s + 1.0, s.start_s + 1.5], abs=0.03)
    same = np.isfinite(after.signal_mv)
    np.testing.assert_allclose(after.signal_mv[same], before.signal_mv[same], atol=0.02)  # a spline
    assert any("V2" in warning for warning in new.warnings)


def test_a_stroke_snaps_to_the_ink(page: Page, read: Digitization) -> None:
    trace = page.traces[[t.segment.lead for t in page.traces].index("aVL")]
    x = np.linspace(trace.segment.x_mm + 10, trace.segment.x_mm + 50, 12)
    row = read.rows[trace.segment.row]
    lost = (row.x_mm > x[0] - 1) & (row.x_mm < x[-1] + 1)
    wrong = replace(row, y_mm=np.where(lost, row.y_mm + 4.0, row.y_mm))
    bad = replace(read, rows=tuple(wrong if r is row else r for r in read.rows))
    by_hand = trace.y_at(x) + np.random.default_rng(0).normal(0, 0.4, len(x))
    points = four(page.warp.to_px(np.stack([x, by_hand], 1)))
    new = Corrector(bad, ink_model()).apply([Retrace(trace.segment.row, points)])
    here = (row.x_mm > x[0]) & (row.x_mm < x[-1])
    error = new.rows[trace.segment.row].y_mm[here] - trace.y_at(row.x_mm[here])
    assert np.sqrt(np.mean(error**2)) < 0.08  # mm; the hand was off by 0.4
    assert new.rows[trace.segment.row].spread_mm[here].max() < 1.0


def test_strokes_outlast_another_geometry(page: Page, read: Digitization) -> None:
    s = next(s for s in read.layout.segments if s.lead == "V5")
    at = corner_places_mm(page.layout)
    to = read.warp.to_px(at) + np.array([(0, 0), (0, 0), (25, 30), (0, 0)])
    new = Corrector(read, ink_model()).apply([Unreadable(s.row, s.x_mm + 20, s.x_mm + 40), Corners(four(at), four(to))])
    lead = new.recording.lead("V5")[round(500 * s.start_s) :]
    assert np.isnan(lead[500:700]).all()
    assert np.isfinite(lead[:300]).all()


def test_undo_gives_the_same_reading_and_asks_the_network_nothing(page: Page, read: Digitization) -> None:
    model = Counting(*(getattr(ink_model(), name) for name in ("net", "spec", "name", "sha256", "sigma", "config")))
    desk = Corrector(read, model)
    at = corner_places_mm(page.layout)
    bend = Corners(four(at), four(read.warp.to_px(at) + np.array([(30, 40), (0, 0), (0, 0), (0, 0)])))
    edits = [Rename((0, 0), "V9"), bend]
    once = desk.apply(edits[:1])
    desk.apply(edits)
    n = len(model.seen)
    assert n > 0  # the bend was far
    undone = desk.apply(edits[:1])
    assert len(model.seen) == n
    np.testing.assert_array_equal(undone.recording.signal_mv, once.recording.signal_mv)
    nudge = MovePoint(four(at)[0], four(read.warp.to_px(at[:1]) + 0.5)[0])
    desk.apply([nudge])  # moves all rows by less than a millimetre
    assert len(model.seen) == n


def test_dragging_back_takes_up_what_was_read_there(page: Page, read: Digitization) -> None:
    model = Counting(*(getattr(ink_model(), name) for name in ("net", "spec", "name", "sha256", "sigma", "config")))
    desk = Corrector(read, model)
    at = corner_places_mm(page.layout)
    there = read.warp.to_px(at)
    away = Corners(four(at), four(there + np.array([(0, 0), (0, 0), (-40, -50), (0, 0)])))
    s = next(s for s in read.layout.segments if s.lead == "V5")
    edits = [Unreadable(s.row, s.x_mm + 20.0, s.x_mm + 40.0), away, Unreadable(s.row, s.x_mm + 50.0, s.x_mm + 55.0)]
    late = desk.apply(edits).warp.to_px([[s.x_mm + d, s.baseline_mm] for d in (50.0, 55.0)])
    n = len(model.seen)
    assert n > 0  # it was far
    back = desk.apply([*edits, Corners(four(at), four(there + 1.0))])
    assert len(model.seen) == n
    assert snr(page, back) > snr(page, read) - 1
    row = back.rows[s.row]
    for a, b in ((s.x_mm + 20.0, s.x_mm + 40.0), back.warp.to_mm(late)[:, 0]):  # strokes before the drag, and since
        assert np.isnan(row.y_mm[(row.x_mm > a + 0.7) & (row.x_mm < b - 0.7)]).all()
    assert np.isfinite(row.y_mm[(row.x_mm > s.x_mm + 5) & (row.x_mm < s.x_mm + 18)]).all()


def test_a_preview_moves_the_rows_along_and_changes_nothing(page: Page, read: Digitization) -> None:
    model = Counting(*(getattr(ink_model(), name) for name in ("net", "spec", "name", "sha256", "sigma", "config")))
    desk = Corrector(read, model)
    at = corner_places_mm(page.layout)
    away = Corners(four(at), four(read.warp.to_px(at) + np.array([(0, 0), (0, 0), (-40, -50), (0, 0)])))
    edits = [Rename((0, 0), "V9"), away]
    soon = desk.preview(edits)
    assert model.seen == []
    np.testing.assert_allclose(soon.warp.to_px(at), away.to_px, atol=1e-6)
    assert [edit["kind"] for edit in soon.edits] == ["rename", "corners"]
    known = np.isfinite(soon.rows[0].y_mm)  # where it was in the image
    there = [of.warp.to_px(np.stack([of.rows[0].x_mm, of.rows[0].y_mm], 1)[known]) for of in (soon, read)]
    assert np.median(np.abs(there[0] - there[1])) < 0.1
    late = desk.apply(edits)
    assert model.seen != []
    np.testing.assert_array_equal(
        late.recording.signal_mv, Corrector(read, ink_model()).apply(edits).recording.signal_mv
    )
    with pytest.raises(EditError):
        desk.preview([Corners(four(at), four(read.warp.to_px(at)[::-1]))])
    np.testing.assert_array_equal(
        desk.preview(edits[:1]).recording.signal_mv, desk.apply(edits[:1]).recording.signal_mv
    )


def test_edits_are_kept_as_provenance_and_can_be_played_again(read: Digitization, tmp_path: Path) -> None:
    edits = [Rename((0, 0), "V9"), Unreadable(1, 20.0, 60.0)]
    once = Corrector(read, ink_model()).apply(edits)
    kept = json.loads(once.save(tmp_path / "page")[-1].read_text())["edits"]
    again = Corrector(read, ink_model()).apply(edits_of(kept))
    np.testing.assert_array_equal(again.recording.signal_mv, once.recording.signal_mv)
    more = Corrector(once, ink_model()).apply([Scale(gain_mm_per_mv=5.0)])
    assert [edit["kind"] for edit in more.edits] == ["rename", "unreadable", "scale"]


@pytest.mark.parametrize(
    "edit, says",
    [
        (Rename((9, 0), "V1"), "no segment in row 9"),
        (Rename((0, 0), "-V9"), "only a standard lead"),
        (Unreadable(7, 0.0, 5.0), "rows 0 to 3"),
        (Retrace(0, ((100.0, 100.0), (100.0, 200.0))), "no width"),
        (Retrace(0, ((100.0, -5000.0), (200.0, -5000.0))), "far from its row"),
        (MovePoint((50.0, 50.0), (5000.0, 5000.0)), "dragged by"),
        (Corners(((0, 0), (9, 0), (9, 9), (0, 9)), ((0, 0), (0, 0), (0, 0), (0, 0))), "no page"),
        (Rearrange("nonsense"), "rows"),
    ],
)
def test_edits_that_do_not_fit_are_refused_and_change_nothing(read: Digitization, edit: object, says: str) -> None:
    desk = Corrector(read, ink_model())
    desk.apply([Rename((0, 0), "V9")])
    with pytest.raises(EditError, match=says) as refused:
        desk.apply([edit])  # type: ignore[list-item]
    assert "\n" not in str(refused.value)
    assert "V9" in desk.apply([Rename((0, 0), "V9")]).printed
