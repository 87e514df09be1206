from __future__ import annotations

import pytest

from ecgdig.page.plan import LeadPlan, by_columns, cabrera_leads, column_plan, lead_plan, parse_plan
from ecgdig.units import LEADS


@pytest.mark.parametrize("name", ["3x4", "3x4+1", "3x4+2", "3x4+3", "6x2", "12x1", "4x3", "2x6"])
@pytest.mark.parametrize("leads", [LEADS, cabrera_leads()], ids=["usual", "cabrera"])
def test_a_plan_written_out_is_the_plan(name: str, leads: tuple[str, ...]) -> None:
    plan = lead_plan(name, leads=leads)
    text = "/".join(",".join(row) for row in plan.grid)
    assert parse_plan("+".join([text, *(["/".join(plan.rhythm)] if plan.rhythm else [])])) == plan
    assert sorted(plan.leads) == sorted(LEADS)


def test_last_rows_of_one_lead_are_rhythm_strips() -> None:
    assert parse_plan("I,aVR,V1,V4/II,aVL,V2,V5/III,aVF,V3,V6/II") == lead_plan("3x4+1")
    assert parse_plan("I, avr / lead II,AVL/V1/II") == LeadPlan("2x2+2", (("I", "aVR"), ("II", "aVL")), ("V1", "II"))
    assert parse_plan("3x4+3") == lead_plan("3x4+3")


def test_a_plan_of_one_column_has_rhythm_strips_after_a_plus_only() -> None:
    assert parse_plan("V1/V2") == column_plan(("V1", "V2"))
    assert parse_plan("I/II/III+V1,II").rhythm == ("V1", "II")


def test_leads_may_have_any_name() -> None:
    frank = ("X", "Y", "Z")
    assert column_plan(frank).grid == (("X",), ("Y",), ("Z",))
    fifteen = (*LEADS, "V3R", "V4R", "V7")
    assert lead_plan("3x5+1", ("CH1",), fifteen) == LeadPlan("3x5+1", by_columns(fifteen, 3), ("CH1",))
    assert parse_plan("CH1/CH2/-aVR").leads == ("CH1", "CH2", "aVR")


@pytest.mark.parametrize(
    "text, says", [("", "empty"), ("I,/II", "empty"), ("I,,V1", "empty"), ("I/II/I", "twice"), ("I/II+", "empty")]
)
def test_what_is_no_plan_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_plan(text)
