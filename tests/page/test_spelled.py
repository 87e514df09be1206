from __future__ import annotations

import pytest

from ecgdig.drawing import changed
from ecgdig.page import PLAIN
from ecgdig.page.spelled import style_changes


def test_fields_are_found_by_name_and_have_their_types() -> None:
    words = ["kind=dots", "qr=true", "width_mm=0.4", "lead_rgb=1,2,3", "paper_rgb=250,240,230", "grid.box_mm=1,2,3,4"]
    style = changed(PLAIN, style_changes(words))
    assert style.grid.kind == "dots"
    assert style.furniture.qr is True
    assert style.ink.width_mm == 0.4
    assert style.lettering.lead_rgb == (1, 2, 3)
    assert style.paper_rgb == (250, 240, 230)
    assert style.grid.box_mm == (1.0, 2.0, 3.0, 4.0)
    assert changed(PLAIN, style_changes([])) == PLAIN


@pytest.mark.parametrize(
    "word, why",
    [
        ("grid", "'grid' is no style; write field=value"),
        ("wet=1", "style field 'wet' does not exist; there are paper_rgb; grid: kind"),
        ("ink.kind=dots", "'ink.kind' does not exist"),
        ("rgb=1,2,3", "'rgb' is in ink and lettering: name its part"),
        ("kind=waves", "style kind=waves; want lines, dots, dots-only, major-only, none"),
        ("qr=maybe", "style qr=maybe; want true or false"),
        ("width_mm=wide", "style width_mm=wide; want a number"),
        ("paper_rgb=1,2", "style paper_rgb=1,2; want 3 numbers"),
        ("font=Comic", "style font=Comic; want one of DejaVuSans, "),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(word: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        style_changes([word])
