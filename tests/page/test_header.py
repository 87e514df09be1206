from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from ecgdig.page import PLAIN, Layout, Page, Placement, Style, arrange, lead_plan, render
from ecgdig.page.facts import facts_of
from ecgdig.page.layout import PAPERS
from ecgdig.page.looks import HeaderKind
from ecgdig.recording import Recording


@pytest.fixture
def low() -> Layout:
    """Room above and below three rows."""
    return arrange(lead_plan("3x4"), PAPERS["a4"], Placement(20, 8, 95, 25), duration_s=10.0)


@pytest.fixture
def busy(bare: Style) -> Style:
    furniture = replace(
        bare.furniture, header=True, footer=True, statements=True, institution=True, page_number=True, qr=True,
        barcode=True, signature=True,
    )  # fmt: skip
    return replace(bare, furniture=furniture)


def drawn(recording: Recording, layout: Layout, style: Style, seed: int = 0) -> Page:
    silent = replace(recording, signal_mv=np.full_like(recording.signal_mv, np.nan))
    return render(silent, layout, style, 120, np.random.default_rng(seed))


def ink_box(page: Page, box_mm: tuple[float, float, float, float]) -> np.ndarray:
    """The box in mm of all that is printed within 0.6 mm of `box_mm`."""
    x0, y0, x1, y1 = np.array(box_mm) + np.array([-1, -1, 1, 1]) * 0.6
    left, top, right, bottom = np.round(page.warp.to_px([[x0, y0], [x1, y1]]).ravel()).astype(int)
    y, x = np.nonzero(page.image[max(top, 0) : bottom + 1, max(left, 0) : right + 1].mean(2) < 215)
    low = page.warp.to_mm([x.min() + max(left, 0) - 0.5, y.min() + max(top, 0) - 0.5])
    high = page.warp.to_mm([x.max() + max(left, 0) + 0.5, y.max() + max(top, 0) + 0.5])
    return np.concatenate([low, high])


@pytest.mark.parametrize("kind", get_args(HeaderKind))
@pytest.mark.parametrize("seed", range(4))
def test_boxes_are_as_tight_as_the_ink_and_do_not_overlap(
    recording: Recording, low: Layout, busy: Style, kind: HeaderKind, seed: int
) -> None:
    style = replace(busy, furniture=replace(busy.furniture, arrangement=kind))
    page = drawn(recording, low, style, seed)
    assert {"header", "footer", "institution", "page-number", "qr-code"} <= {m.kind for m in page.marks}
    boxes = np.array([m.box_mm for m in page.marks])
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= [297, 210]).all()
    for i, mark in enumerate(page.marks):
        others = np.delete(boxes, i, 0)
        apart = (others[:, 0] >= mark.box_mm[2]) | (others[:, 2] <= mark.box_mm[0])
        apart |= (others[:, 1] >= mark.box_mm[3]) | (others[:, 3] <= mark.box_mm[1])
        assert apart.all(), (mark, others[~apart])
        clear = (others[:, 0] > mark.box_mm[2] + 0.9) | (others[:, 2] < mark.box_mm[0] - 0.9)
        clear |= (others[:, 1] > mark.box_mm[3] + 0.9) | (others[:, 3] < mark.box_mm[1] - 0.9)
        if kind != "framed" and clear.all() and mark.kind not in {"qr-code", "barcode"}:
            np.testing.assert_allclose(ink_box(page, mark.box_mm), mark.box_mm, atol=0.3, err_msg=str(mark))


def test_metadata_is_printed_where_there_is_any(recording: Recording, low: Layout, busy: Style) -> None:
    someone = replace(recording, metadata={"Age": "4", "sex": "Male", "Recording date": "1999-12-31"})
    facts = facts_of(someone, np.random.default_rng(0))
    assert (facts.age, facts.sex, facts.date) == ("4", "Male", "1999-12-31")
    known = {"ID": "77", "Name": "A, B", "Height": "181.6 cm", "weight": "unknown"}
    told = facts_of(replace(recording, metadata=known), np.random.default_rng(0))
    assert (told.number, told.name, told.height_cm) == ("77", "A, B", 182)
    assert told.weight_kg == facts.weight_kg  # invented, as nothing else was known
    style = replace(busy, furniture=replace(busy.furniture, arrangement="columns"))
    page = drawn(someone, low, style)
    assert any("4 yr   Male" in m.text for m in page.marks)
    assert facts_of(recording, np.random.default_rng(1)) == facts_of(recording, np.random.default_rng(1))


@pytest.mark.parametrize("page", [0, 4])
def test_pages_are_numbered(recording: Recording, low: Layout, busy: Style, page: int) -> None:
    marks = drawn(recording, replace(low, page=page), busy).marks
    (number,) = (m.text for m in marks if m.kind == "page-number")
    assert str(page + 1) in number


def test_nothing_is_printed_where_there_is_no_room(
    recording: Recording, busy: Style, sheet: Callable[[str], Layout]
) -> None:
    kinds = {m.kind for m in drawn(recording, sheet("12x1"), busy).marks}
    assert not kinds & {"header", "interpretation", "institution", "qr-code", "barcode"}
    assert PLAIN.furniture.arrangement == "fields"
