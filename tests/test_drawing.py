from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import ecgdig
from ecgdig.drawing import changed
from ecgdig.page import PLAIN
from ecgdig.recording import Recording


def test_one_line_draws_a_page(recording: Recording) -> None:
    page = ecgdig.render(recording, preset="scan", seed=3, dpi=60)
    np.testing.assert_array_equal(page.image, ecgdig.render(recording, preset="scan", seed=3, dpi=60).image)
    other = ecgdig.render(recording, preset="scan", seed=4, dpi=60).image
    assert page.image.shape != other.shape or (page.image != other).any()


def test_what_is_asked_for_is_drawn(recording: Recording) -> None:
    page = ecgdig.render(
        recording, "clean", dpi=50, layout="I,aVR/II,aVL/III,aVF/V1", paper=(250, 180), speed=50.0, gain=5.0,
        style={"pulse": "left", "grid": {"kind": "none"}, "paper_rgb": (250, 250, 240)},
    )  # fmt: skip
    assert page.layout.name == "3x2+1"
    assert {(s.speed_mm_per_s, s.gain_mm_per_mv) for s in page.layout.segments} == {(50.0, 5.0)}
    assert (page.layout.paper.width_mm, page.layout.paper.height_mm) == (250, 180)
    assert (page.style.furniture.pulse, page.style.grid.kind, page.style.paper_rgb) == ("left", "none", (250, 250, 240))
    assert all(mark.box_mm[0] > 0 for mark in page.marks if mark.kind == "pulse")
    again = ecgdig.render(recording, "clean", dpi=50, layout=page.layout, style=PLAIN)
    assert (again.layout, again.style) == (page.layout, PLAIN)


@pytest.mark.parametrize(
    "wrong, says",
    [
        ({"preset": "fog"}, "unknown preset"),
        ({"layout": "9x9"}, "unknown layout"),
        ({"paper": "napkin", "layout": "3x4"}, "unknown paper"),
        ({"speed": 0.0}, "above 0"),
        ({"style": {"sparkle": 1}}, "does not exist"),
        ({"style": {"rgb": (0, 0, 0)}}, "name its part"),
        ({"style": {"ink": {"sparkle": 1}}}, "no style field 'sparkle' in ink"),
    ],
)
def test_what_does_not_exist_is_refused(recording: Recording, wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ecgdig.render(recording, dpi=50, **wrong)  # type: ignore[arg-type]


def test_parts_may_be_changed_whole() -> None:
    assert changed(PLAIN, {"ink": PLAIN.ink, "width_mm": 0.5}).ink.width_mm == 0.5


def test_drawing_a_clean_page_needs_no_torch() -> None:
    code = (
        "import sys, numpy as np, ecgdig\n"
        "r = ecgdig.Recording(('I',), 100.0, np.zeros((1, 1000)))\n"
        "ecgdig.render(r, 'clean', dpi=50)\n"
        "assert not {'torch', 'lightning'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
