from dataclasses import replace

import numpy as np
import pytest
from patient_pages import page_of

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
