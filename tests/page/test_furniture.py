from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ecgdig.page import PLAIN, Layout, Page, Style, render
from ecgdig.recording import Recording

Sheets = Callable[[str], Layout]


def styled(bare: Style, **changes: str | bool) -> Style:
    lettering = replace(bare.lettering, place=str(changes.pop("place", "none")))  # type: ignore[arg-type]
    return replace(bare, lettering=lettering, furniture=replace(bare.furniture, **changes))  # type: ignore[arg-type]


def ink_in(page: Page, box_mm: tuple[float, float, float, float], grow_mm: float = 0.0) -> np.ndarray:
    """What is printed in a box, 0 (paper) to 1 (black)."""
    x0, y0, x1, y1 = np.array(box_mm) + np.array([-1, -1, 1, 1]) * grow_mm
    left, top, right, bottom = (round(float(v)) for v in page.warp.to_px([[x0, y0], [x1, y1]]).ravel())
    part = page.image[max(top, 0) : bottom + 1, max(left, 0) : right + 1]
    return 1 - part.mean(2) / 255.0


@pytest.fixture
def silent(recording: Recording) -> Recording:
    """Nothing but the leads' names: all samples unknown, so that only furniture is printed."""
    return replace(recording, signal_mv=np.full_like(recording.signal_mv, np.nan), metadata={})


def drawn(silent: Recording, layout: Layout, style: Style, seed: int = 0) -> Page:
    return render(silent, layout, style, 100, np.random.default_rng(seed))


@pytest.mark.parametrize("place, each", [("left", 1), ("double-left", 2), ("right", 1), ("none", 0)])
def test_pulses_are_1_mv_high_and_200_ms_wide(
    silent: Recording, bare: Style, sheet: Sheets, place: str, each: int
) -> None:
    page = drawn(silent, sheet("3x4+1"), styled(bare, pulse=place))
    assert len(page.marks) == 4 * each
    for mark in page.marks:
        (first, *_) = page.layout.row(mark.row)
        x0, y0, x1, y1 = mark.box_mm
        assert (y1, y1 - y0) == (first.baseline_mm, 10.0)
        top_mm = np.array([[x0 + 1.5 + 0.5, y0], [x1 - 1.5 - 0.5, y0]])  # 0.3 of the top's width stands at each side
        x, y = page.warp.to_px(top_mm).round().astype(int).T
        assert (page.image[y[0], x[0] : x[1]] < 128).all()
        assert x1 - x0 == pytest.approx(1.6 * 5.0)
        on_the_right = x0 > page.layout.row(mark.row)[-1].end_mm
        assert on_the_right == (place == "right")
        assert on_the_right or x1 < first.x_mm
    rows = {m.row: m.box_mm for m in page.marks}
    everything = [(box[0] - 9.0, box[1], box[2] + 9.0, box[3]) for box in rows.values()]
    assert ink_in(page, (0, 0, 279, 215)).sum() == pytest.approx(
        sum(ink_in(page, box, 0.3).sum() for box in everything)
    )


@pytest.mark.parametrize("kind, there", [("tick", 9), ("bars", 9), ("dotted", 9), ("gap", 0), ("none", 0)])
def test_separators_stand_between_the_columns(
    silent: Recording, bare: Style, sheet: Sheets, kind: str, there: int
) -> None:
    page = drawn(silent, sheet("3x4+1"), styled(bare, separator=kind))
    assert len(page.marks) == there
    starts = {(s.row, s.column): s.x_mm for s in page.layout.segments}
    for mark in page.marks:
        assert mark.kind == "separator"
        assert (mark.box_mm[0] + mark.box_mm[2]) / 2 == pytest.approx(starts[mark.row, mark.column])
        assert ink_in(page, mark.box_mm).max() > 0.5
    outside = drawn(silent, sheet("3x4+1"), styled(bare, separator=kind)).image.copy()
    for mark in page.marks:
        x0, y0, x1, y1 = mark.box_mm
        corners = [[x0 - 0.5, y0 - 0.5], [x1 + 0.5, y1 + 0.5]]
        left, top, right, bottom = page.warp.to_px(corners).round().astype(int).ravel()
        outside[max(top, 0) : bottom + 1, left : right + 1] = 255
    assert (outside == 255).all()


def test_a_gap_shortens_the_traces_after_the_first(recording: Recording, bare: Style, sheet: Sheets) -> None:
    page = render(recording, sheet("3x4+1"), styled(bare, separator="gap"), 60, np.random.default_rng(0))
    for trace in page.traces:
        missing_mm = trace.x_mm[0] - trace.segment.x_mm
        assert missing_mm == pytest.approx(0.6 if trace.segment.column else 0.0, abs=0.051)  # 0.05 mm a sample


@pytest.mark.parametrize("place", ["above-start", "below-start", "left"])
def test_lead_names_lie_in_their_boxes(silent: Recording, bare: Style, sheet: Sheets, place: str) -> None:
    page = drawn(silent, sheet("6x2"), styled(bare, place=place))
    assert [m.text for m in page.marks] == [s.lead for s in page.layout.segments]
    for mark, s in zip(page.marks, page.layout.segments, strict=True):
        assert ink_in(page, mark.box_mm).sum() > 5
        _, y0, x1, y1 = mark.box_mm
        if place == "above-start":
            assert y1 < s.baseline_mm
        elif place == "below-start":
            assert y0 > s.baseline_mm
        elif s.column == 0:
            assert x1 < s.x_mm
    total = ink_in(page, (0, 0, 279, 215)).sum()
    assert total == pytest.approx(sum(ink_in(page, m.box_mm).sum() for m in page.marks), rel=0.01)
    assert drawn(silent, sheet("6x2"), bare).marks == ()


def test_header_and_footer_lie_in_their_boxes_and_are_drawn_from_the_generator(
    silent: Recording, bare: Style, sheet: Sheets
) -> None:
    low = replace(
        sheet("3x4+1"), segments=tuple(replace(s, baseline_mm=s.baseline_mm + 40) for s in sheet("3x4+1").segments)
    )
    style = styled(bare, header=True, footer=True)
    page = drawn(silent, low, style)
    kinds = [m.kind for m in page.marks]
    assert 2 <= kinds.count("header") <= 12
    assert 1 <= kinds.count("footer") <= 3
    printed = " ".join(m.text for m in page.marks if m.kind == "footer").replace(" ", "")
    assert "25mm/s" in printed
    assert "10mm/mV" in printed
    for mark in page.marks:
        assert ink_in(page, mark.box_mm).sum() > 5
    assert page.marks == drawn(silent, low, style).marks
    assert page.marks != drawn(silent, low, style, seed=1).marks
    # no room above the first row: no header
    assert "header" not in {m.kind for m in drawn(silent, sheet("12x1"), style).marks}


def test_the_plain_style_prints_everything(recording: Recording, sheet: Sheets) -> None:
    page = render(recording, sheet("3x4+1"), PLAIN, 60, np.random.default_rng(0))
    assert {m.kind for m in page.marks} == {"lead-name", "pulse", "separator", "footer"}
