import pytest

from ecgdig.locate.names import Word
from ecgdig.locate.plans import Names, column_step_mm, named_plan, plans_of
from ecgdig.page.layout import lead_plan

LEVELS = [40.0, 70.0, 100.0]
PLAN = lead_plan("3x4")


def printed(plan, *, above_mm=9.0, start_mm=20.0, column_mm=62.5, chance=0.8):
    return [
        Word(lead, start_mm + 3.0 + c * column_mm, LEVELS[r] - above_mm, chance)
        for r, row in enumerate(plan.grid)
        for c, lead in enumerate(row)
    ]


def test_names_speak_for_their_own_plan():
    names = Names(printed(PLAN), LEVELS, 20.0)
    right = names.score(PLAN, 20.0, 62.5)
    assert right > names.score(lead_plan("2x6+1"), 20.0, 41.7) + 10.0
    assert right > names.score(next(plan for plan, _ in plans_of(3) if plan.grid[0][0] == "aVL"), 20.0, 62.5) + 10.0
    assert names.matched(PLAN, 20.0, 62.5) == pytest.approx(12 * 0.8)
    assert column_step_mm(names) == pytest.approx(62.5)


def test_a_plan_is_put_together_from_names_alone():
    other = lead_plan("3x2", leads=("V4", "V5", "V6", "V1", "V2", "V3"))
    found = Names(printed(other), LEVELS, 20.0).plan()
    assert found is not None
    assert (found.name, found.grid) == ("3x2", other.grid)


def test_a_row_without_a_name_gives_no_plan():
    assert Names(printed(PLAN)[:8], LEVELS, 20.0).plan() is None


def test_names_left_of_the_rows_may_stand_lower_than_the_others():
    words = [w if w.x_mm > 30 else Word(w.token, 12.0, w.y_mm + 9.0, w.chance) for w in printed(PLAN)]
    assert Names(words, LEVELS, 20.0).matched(PLAN, 20.0, 62.5) == pytest.approx(12 * 0.8)


def test_one_misread_name_is_outvoted():
    words = [Word("V5", w.x_mm, w.y_mm, w.chance) if w.token == "V4" else w for w in printed(PLAN)]
    names = Names(words, LEVELS, 20.0)
    assert names.score(PLAN, 20.0, 62.5) > 20.0


def test_no_names_say_nothing():
    assert Names([], LEVELS, 20.0).score(PLAN, 20.0, 62.5) == 0.0


def test_plans_that_are_no_grid_of_twelve_have_names():
    assert named_plan("6x1").leads == ("I", "II", "III", "aVR", "aVL", "aVF")
    assert named_plan("1x1").leads == ("II",)
