from __future__ import annotations

import numpy as np
import pytest

from ecgdig.page import Layout, Paper, Placement, arrange, lead_plan
from ecgdig.page.layout import PAPERS, by_columns, cabrera_leads, limb_plan, pulse_width_mm
from ecgdig.units import LEADS, LIMB_LEADS

PLACE = Placement(15, 8, 30, 32)


def made(name: str, **changes: float) -> Layout:
    return arrange(lead_plan(name), PAPERS["letter"], PLACE, **{"duration_s": 10.0, **changes})


@pytest.mark.parametrize(
    "name, rows, columns, rhythm",
    [
        ("3x4", 3, 4, ()),
        ("3x4+1", 4, 4, ("II",)),
        ("3x4+2", 5, 4, ("II", "V5")),
        ("3x4+3", 6, 4, ("V1", "II", "V5")),
        ("6x2", 6, 2, ()),
        ("6x2+1", 7, 2, ("II",)),
        ("12x1", 12, 1, ()),
        ("4x3", 4, 3, ()),
        ("2x6", 2, 6, ()),
    ],
)
def test_a_name_says_rows_columns_and_rhythm(name: str, rows: int, columns: int, rhythm: tuple[str, ...]) -> None:
    plan = lead_plan(name)
    assert (plan.n_rows, plan.n_columns, plan.rhythm) == (rows, columns, rhythm)
    assert sorted(lead for row in plan.grid for lead in row) == sorted(LEADS)
    layout = made(name)
    assert layout.n_rows == rows
    assert len(layout.segments) == 12 + len(rhythm)


@pytest.mark.parametrize("name", ["", "3x5", "3x4+4", "12"])
def test_other_names_are_refused_with_the_valid_ones(name: str) -> None:
    with pytest.raises(ValueError, match=r"3x4, 6x2, 12x1, 4x3, 2x6"):
        lead_plan(name)


def test_rhythm_leads_must_be_as_many_as_the_name_says() -> None:
    assert lead_plan("3x4+1", ["V1"]).rhythm == ("V1",)
    with pytest.raises(ValueError, match="has 1 rhythm strips; got leads II, V5"):
        lead_plan("3x4+1", ["II", "V5"])


def test_leads_go_down_the_columns() -> None:
    assert by_columns(LEADS, 3)[0] == ("I", "aVR", "V1", "V4")
    assert by_columns(LEADS[:5], 3) == (("I", "aVR"), ("II", "aVL"), ("III",))
    assert lead_plan("6x2", leads=cabrera_leads()).grid[2] == ("-aVR", "V3")
    assert limb_plan().grid == tuple((lead,) for lead in LIMB_LEADS)


def test_columns_follow_each_other_in_time_and_on_paper() -> None:
    first = made("3x4+1").row(0)
    assert [s.lead for s in first] == ["I", "aVR", "V1", "V4"]
    assert [s.start_s for s in first] == [0.0, 2.5, 5.0, 7.5]
    assert [s.x_mm for s in first] == [15.0, 77.5, 140.0, 202.5]
    assert [s.end_mm for s in first] == [77.5, 140.0, 202.5, 265.0]
    (rhythm,) = made("3x4+1").row(3)
    assert (rhythm.start_s, rhythm.duration_s, rhythm.baseline_mm) == (0.0, 10.0, 126.0)


def test_columns_may_all_start_at_0_s() -> None:
    layout = arrange(lead_plan("3x4"), PAPERS["letter"], Placement(15, 8, 30, 32, sequential=False), duration_s=10.0)
    assert {s.start_s for s in layout.segments} == {0.0}
    assert layout.duration_s == 2.5


def test_what_does_not_fit_is_not_printed() -> None:
    narrow = arrange(lead_plan("3x4"), Paper(130, 100), PLACE, duration_s=10.0)
    assert {s.duration_s for s in narrow.segments} == {1.0}  # (130 - 15 - 8) / 25 / 4 = 1.07 s
    assert made("3x4", duration_s=5.0).duration_s == 4.8  # whole tenths of a second a column
    with pytest.raises(ValueError, match=r"leaves 0\.3 s a column on 60 mm"):
        arrange(lead_plan("3x4"), Paper(60, 100), PLACE, duration_s=10.0)


def test_chest_leads_may_have_their_own_gain() -> None:
    gains = {s.lead: s.gain_mm_per_mv for s in made("3x4", chest_gain_mm_per_mv=5.0).segments}
    assert (gains["aVF"], gains["V1"], gains["V6"]) == (10.0, 5.0, 5.0)
    assert made("3x4", chest_gain_mm_per_mv=5.0).gains_mm_per_mv == (10.0, 5.0)
    assert made("3x4").gains_mm_per_mv == (10.0,)


def test_time_and_voltage_to_paper_and_back() -> None:
    s = made("3x4", speed_mm_per_s=50.0, gain_mm_per_mv=20.0).row(1)[1]
    np.testing.assert_allclose(s.x_of(s.start_s + 0.1), s.x_mm + 5.0)
    np.testing.assert_allclose(s.y_of(0.5), s.baseline_mm - 10.0)  # up is less
    t, v = np.linspace(2, 5, 7), np.linspace(-2, 2, 7)
    np.testing.assert_allclose(s.time_of(s.x_of(t)), t)
    np.testing.assert_allclose(s.mv_of(s.y_of(v)), v)
    assert pulse_width_mm(25.0) == 5.0
