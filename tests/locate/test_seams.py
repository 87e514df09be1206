from dataclasses import replace

import numpy as np
import pytest
from patient_pages import page_of

from ecgdig.grid.flat import find_grid
from ecgdig.locate.ink import INK_PX_PER_MM
from ecgdig.locate.rows import find_rows
from ecgdig.locate.seams import Seams
from ecgdig.locate.sheet import STRIDE
from ecgdig.page.layout import Paper


@pytest.fixture(scope="module")
def found():
    page = page_of("3x4+1", paper=Paper(300.0, 190.0))
    return find_rows(page.image, find_grid(page.image).warp())


def with_seams(rows, places_mm, chance=0.9):
    """The rows, with bars of 1 mm at these places of the grid's three rows and nowhere else."""
    seam = np.zeros_like(rows.sheet.seam)
    for x in places_mm:
        cell = round(float(rows.ink.column(x))) // STRIDE
        half = INK_PX_PER_MM // STRIDE // 2
        for level in rows.baselines_mm[:3]:
            y = round(float(rows.ink.row(level))) // STRIDE
            seam[y - 15 : y + 16, cell - half : cell + half + 1] = chance
    return replace(rows, sheet=replace(rows.sheet, seam=seam))


def test_columns_are_found_from_their_seams(found):
    rows = with_seams(found, [40.0, 97.5, 155.0, 212.5])
    start, width = Seams(rows).spaced(3, 4, 2.5)[0]
    assert start == pytest.approx(40.0, abs=0.4)
    assert width == pytest.approx(57.5)


def test_a_start_that_is_not_seen_follows_from_the_others(found):
    rows = with_seams(found, [97.5, 155.0, 212.5])
    assert Seams(rows).spaced(3, 4, 2.5)[0] == (pytest.approx(40.0, abs=0.4), pytest.approx(57.5))


def test_no_seams_give_no_columns(found):
    assert Seams(with_seams(found, [])).spaced(3, 4, 2.5) == []
