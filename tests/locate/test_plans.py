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


def test_a_page_without_names_does_not_speak_for_the_plan_of_fewer_leads():
    noise = [Word(token, 25.0, LEVELS[r] - 9.0, 0.37) for r, token in enumerate(("V6", "V2", "aVR"))]
    names = Names(noise, LEVELS, 20.0)
    assert names.amount > 1.0
    limbs = lead_plan("3x2", leads=("I", "II", "III", "aVR", "aVL", "aVF"))
    assert names.score(PLAN, 20.0, 62.5) == names.score(limbs, 20.0, 125.0)


def test_in_narrow_rows_names_belong_to_the_rows_of_a_known_plan():
    levels = [40.0 + 12.0 * r for r in range(12)]
    plan = lead_plan("12x1")
    # 7 mm above their rows they stand 5 mm below the rows before; the first is not read at all
    words = [Word(row[0], 24.0, levels[r] - 7.0, 0.7) for r, row in enumerate(plan.grid) if r]
    names = Names(words, levels, 20.0)
    assert names.matched(plan, 20.0, 250.0) == pytest.approx(11 * 0.7)


def test_no_names_say_nothing():
    assert Names([], LEVELS, 20.0).score(PLAN, 20.0, 62.5) == 0.0


def test_plans_that_are_no_grid_of_twelve_have_names():
    assert named_plan("6x1").leads == ("I", "II", "III", "aVR", "aVL", "aVF")
    assert named_plan("1x1").leads == ("II",)
