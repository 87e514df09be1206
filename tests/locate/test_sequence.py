from dataclasses import replace

import numpy as np
import pytest
from patient_pages import page_of

from ecgdig.locate.ink import INK_PX_PER_MM
from ecgdig.locate.rows import find_rows
from ecgdig.locate.sequence import begin_together
from ecgdig.page.layout import lead_plan


@pytest.mark.parametrize("name", ["3x4", "3x4+1", "6x2"])
@pytest.mark.parametrize("sequential", [True, False])
def test_beats_tell_whether_columns_begin_together(name, sequential):
    page = page_of(name, sequential=sequential)
    rows = find_rows(page.image, page.warp)
    s = page.layout.segments[0]
    assert begin_together(rows, lead_plan(name), s.x_mm, s.width_mm, 25.0) != sequential


def test_a_page_without_waves_leaves_the_columns_as_usual():
    page = page_of("3x4", sequential=False)
    rows = find_rows(page.image, page.warp)
    flat = replace(rows, paths_mm=np.full_like(rows.paths_mm, 50.0))
    s = page.layout.segments[0]
    assert not begin_together(flat, lead_plan("3x4"), s.x_mm, s.width_mm, 25.0)


@pytest.mark.parametrize("together", [True, False])
def test_a_strip_that_repeats_a_lead_of_a_later_column_tells_it(together):
    """Beats alike in all columns; the waves of the repeated lead alone tell where its column belongs."""
    page = page_of("3x4+1")
    rows = find_rows(page.image, page.warp)
    s = page.layout.segments[0]
    width, first = round(s.width_mm * INK_PX_PER_MM), round(float(rows.ink.column(s.x_mm)))
    plan = replace(lead_plan("3x4+1"), rhythm=("V1",))
    beat = np.tile(np.sin(np.arange(width) * 0.4) ** 20, 4)
    slow = np.concatenate([np.sin(np.arange(width) / (20 + 13 * c)) for c in range(4)])
    paths = np.full_like(rows.paths_mm, np.nan)
    paths[:, first : first + 4 * width] = beat
    column = next(row.index("V1") for row in plan.grid if "V1" in row)
    row = next(r for r, leads in enumerate(plan.grid) if "V1" in leads)
    paths[3, first : first + 4 * width] += slow
    shown = slow[:width] if together else slow[column * width : (column + 1) * width]
    paths[row, first + column * width : first + (column + 1) * width] += shown
    assert begin_together(replace(rows, paths_mm=paths), plan, s.x_mm, s.width_mm, 25.0) == together
