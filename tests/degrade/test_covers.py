from __future__ import annotations

import numpy as np
import pytest

from ecgdig.degrade.covers import redaction, staple, sticker, tape
from ecgdig.page import Page


@pytest.mark.parametrize("mark", [redaction, sticker, staple])
def test_what_is_opaque_is_hidden_just_where_it_was_painted(mark, blank: Page) -> None:
    y, x = np.mgrid[0 : blank.shape[0], 0 : blank.shape[1]]
    mm = blank.warp.to_mm(np.stack([x, y], -1).reshape(-1, 2).astype(float)).reshape(*blank.shape, 2)
    painted = hidden = both = 0.0
    for seed in range(8):
        page = mark(blank, 1.0, np.random.default_rng(seed))
        if page.cover is None:
            continue
        dark = page.image.min(-1) < (100 if mark is redaction else 253)
        covered = page.hides(mm)
        painted, hidden, both = painted + dark.sum(), hidden + covered.sum(), both + (dark & covered).sum()
    assert hidden > 0
    assert both > 0.5 * hidden  # labels have white paper, bars may be white
    if mark is redaction:
        assert both > 0.97 * painted


def test_clear_tape_hides_nothing_and_paper_tape_does(blank: Page) -> None:
    pages = [tape(blank, 1.0, np.random.default_rng(seed)) for seed in range(40)]
    hiding = [page for page in pages if page.cover is not None]
    assert 0 < len(hiding) < 25
    clear = [page for page in pages if page.cover is None]
    assert all(page.image.min() > 60 for page in clear)


@pytest.mark.parametrize("mark", [redaction, tape, sticker, staple])
def test_without_strength_nothing_lies_on_the_sheet(mark, blank: Page) -> None:
    assert mark(blank, 0.0, np.random.default_rng(0)) is blank
