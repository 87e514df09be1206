from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ecgdig.locate.naming import parse_leads, renamed
from ecgdig.page import Layout
from ecgdig.units import CHEST_LEADS

Sheet = Callable[[str], Layout]


def test_names_are_read_as_on_the_page() -> None:
    assert parse_leads("i, avr /II,V1/III") == (("I", "aVR"), ("II", "V1"), ("III",))


@pytest.mark.parametrize("text", ["", "I,,II", "I,I", "I//II"])
def test_empty_and_repeated_names_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="lead names"):
        parse_leads(text)


@pytest.mark.parametrize(
    ("names", "layout", "segments"),
    [
        ("I,II,III", "3x1", 3),
        ("I,II,III,aVR,aVL,aVF", "3x2", 6),
        ("I,V1/II,V2/V3", "custom", 5),
        ("V1,V2,V3,V4/V5,V6,I,II/III,aVR,aVL,aVF", "3x4", 12),
    ],
)
def test_rows_are_divided_evenly(sheet: Sheet, names: str, layout: str, segments: int) -> None:
    old = sheet("3x4")
    new = renamed(old, parse_leads(names))
    assert new.name == layout
    assert len(new.segments) == segments
    for r in range(3):
        assert new.row(r)[0].x_mm == old.row(r)[0].x_mm
        assert new.row(r)[-1].end_mm == pytest.approx(old.row(r)[-1].end_mm)
        assert new.row(r)[-1].start_s + new.row(r)[-1].duration_s == pytest.approx(old.duration_s)


def test_gains_follow_the_names(sheet: Sheet) -> None:
    old = sheet("3x4")
    halved = (replace(s, gain_mm_per_mv=5.0) if s.lead in CHEST_LEADS else s for s in old.segments)
    mixed = replace(old, segments=tuple(halved))
    new = renamed(mixed, parse_leads("V1,V2,V3,V4/V5,V6,I,II/III,aVR,aVL,aVF"))
    assert [s.gain_mm_per_mv for s in new.segments] == [5.0] * 6 + [10.0] * 6


def test_names_that_do_not_fit_are_refused(sheet: Sheet) -> None:
    with pytest.raises(ValueError, match="3 rows"):
        renamed(sheet("3x4"), parse_leads("I,II"))
