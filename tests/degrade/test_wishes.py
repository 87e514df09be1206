"""What a user fixes is obeyed, and the rest is drawn as ever."""

from __future__ import annotations

import numpy as np
import pytest

from ecgdig.degrade import apply
from ecgdig.degrade.folds import Folds, folds
from ecgdig.degrade.wishes import Wishes
from ecgdig.page import Page, Paper

LETTER = Paper(279.4, 215.9)


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0])
def test_creases_are_as_many_as_wished_and_at_that_angle(angle: float) -> None:
    (relief,) = folds(LETTER, 0.6, np.random.default_rng(1), Wishes(creases=(4, 2), crease_deg=angle)).reliefs
    assert isinstance(relief, Folds)
    along = np.array([np.degrees(np.arctan2(c.line[0], -c.line[1])) for c in relief.creases])
    away = (along - ([angle] * 4 + [angle + 90] * 2) + 90) % 180 - 90
    assert np.abs(away).max() < 1e-9
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * [LETTER.width_mm, LETTER.height_mm]
    for crease in relief.creases:
        sides = corners @ crease.line[:2] - crease.line[2]
        assert sides.min() < 0 < sides.max()
    offsets = [c.line[2] for c in relief.creases[:4]]
    assert np.ptp(np.diff(offsets)) < 1e-9  # evenly apart


def test_notes_stand_where_they_are_wished(flat_page: Page) -> None:
    wishes = Wishes(words=("mmm",), notes=3, note_mm=5.0, note_at=(0.25, 0.5))
    page = apply(flat_page, {"handwriting": 0.2}, np.random.default_rng(2), wishes=wishes)
    told = page.degradation_values
    assert set(told["handwriting.text"]) == {"mmm"}
    assert set(told["handwriting.size_mm"]) == {5.0}
    assert len(told["handwriting.pen"]) == 3
    paper = flat_page.layout.paper
    assert told["handwriting.x_mm"][0] == pytest.approx(0.25 * paper.width_mm, abs=6)
    assert told["handwriting.y_mm"][0] == pytest.approx(0.5 * paper.height_mm, abs=6)
    ink = (page.image != flat_page.image).any(-1)
    near = ink[round(100 * 150 / 25.4) : round(112 * 150 / 25.4), round(60 * 150 / 25.4) : round(90 * 150 / 25.4)]
    assert near.sum() > 100


def test_without_wishes_nothing_changes(flat_page: Page) -> None:
    strengths = {"handwriting": 0.5, "folds": 0.5}
    a, b = (apply(flat_page, strengths, np.random.default_rng(3), **more) for more in ({}, {"wishes": Wishes()}))
    np.testing.assert_array_equal(a.image, b.image)


@pytest.mark.parametrize(
    "wish, why",
    [
        ({"notes": -1}, "-1 notes"),
        ({"note_mm": 0.1}, r"0\.1 mm"),
        ({"note_at": (0.5, 2.0)}, r"0\.5 2; want shares"),
        ({"creases": (40, 0)}, "40 and 0 creases"),
    ],
)
def test_wishes_out_of_range_are_refused(wish: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Wishes(**wish)  # type: ignore[arg-type]
