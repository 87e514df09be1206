from __future__ import annotations

import numpy as np
import pytest

from ecgdig.degrade.noted import Noting
from ecgdig.degrade.stamps import FACES, printed, rubber_stamp
from ecgdig.page import Page


def test_without_strength_nothing_is_stamped(blank: Page) -> None:
    assert rubber_stamp(blank, 0.0, np.random.default_rng(0)) is blank


@pytest.mark.parametrize("face", FACES)
def test_capitals_are_as_high_as_asked(face: str) -> None:
    rows = np.flatnonzero(printed("HE", face, 40).max(1) > 128)
    assert 30 <= rows[-1] - rows[0] + 1 <= 48


@pytest.mark.parametrize("seed", range(8))
def test_a_stamp_is_as_wide_as_was_drawn_at_its_place(seed: int, flat_page: Page) -> None:
    blank = flat_page.with_image(np.full_like(flat_page.image, 255))
    rng = Noting(np.random.default_rng(seed)).of("s")
    page = rubber_stamp(blank, 1.0, rng)
    told = {key: values[0] for key, values in rng.noted().items()}
    turn, width = np.radians(float(told["s.turn_deg"])), float(told["s.width_mm"])
    y, x = np.nonzero((page.image != 255).any(-1))
    offset = page.warp.to_mm(np.stack([x, y], -1).astype(float)) - [float(told["s.x_mm"]), float(told["s.y_mm"])]
    along = offset @ [np.cos(turn), np.sin(turn)]
    assert np.abs(along).max() <= width / 2 + 0.5
    inside = all(40 < float(told[f"s.{k}_mm"]) < side - 40 for k, side in (("x", 279.4), ("y", 215.9)))
    if inside:
        assert np.ptp(along) == pytest.approx(width, abs=2.0)
    assert page.cover is None


def test_the_trace_shows_through(fine: Page) -> None:
    for seed in range(4):
        page = rubber_stamp(fine, 1.0, np.random.default_rng(seed))
        assert (page.image[fine.image.max(-1) == 0] == 0).all()
        assert (page.image <= fine.image).all()
