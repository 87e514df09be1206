from __future__ import annotations

import numpy as np
import pytest

from ecgdig.grid.flat import GeometryError
from ecgdig.locate.names import Word
from ecgdig.page import lead_plan
from ecgdig.units import LEADS
from ecgdig.vector.curves import Curve, Pulse
from ecgdig.vector.grid import Axis, Grid
from ecgdig.vector.layout import baselines_of, cells_of, rows_of, scale_of, words_of
from ecgdig.vector.paths import Text

GRID = Grid(Axis(0.0, 1.0), Axis(0.0, 1.0))


def curve(start: float, end: float, level: float, off: float = 0.0) -> Curve:
    """Mostly at `level`, `off` for a while less than half of the time or, if `off` is large, throughout."""
    x = np.linspace(start, end, 300)
    return Curve(np.stack([x, level + off + np.where(x % 20 < 2, -8.0, 0.0)], 1), ((0, 0, 0), 0.5))


def page(name: str, pitch: float = 30.0) -> tuple[list[Curve], list[Word], list[tuple[str, int, int]]]:
    """Curves and names of a page 250 mm wide, and what each is: lead, row and column."""
    plan = lead_plan(name)
    curves, words, leads = [], [], []
    for r, row in enumerate((*plan.grid, *((lead,) for lead in plan.rhythm))):
        width = 250 / len(row)
        for c, lead in enumerate(row):
            curves.append(curve(20 + c * width, 20 + (c + 1) * width - 0.05, 40 + r * pitch))
            words.append(Word(lead, 21 + c * width, 34 + r * pitch, 1.0))
            leads.append((lead, r, c))
    return curves, words, leads


@pytest.mark.parametrize("name", ["3x4", "3x4+1", "3x4+3", "6x2", "12x1", "4x3", "2x6+1"])
def test_names_beside_the_curves_give_the_layout(name: str) -> None:
    curves, words, leads = page(name, 14.0 if name == "12x1" else 30.0)
    rows = rows_of(curves[::-1])
    cells, found, warnings = cells_of(rows, baselines_of(rows, [])[0], words, None)
    assert found == name
    assert [(c.lead, c.row, c.column) for c in cells] == leads
    assert not warnings


def test_a_curve_that_lies_in_the_row_below_keeps_its_row() -> None:
    curves, _, _ = page("3x4")
    curves[2] = curve(145, 207.45, 40, 40.0)  # V1 below V2, but for the order of columns
    curves[6] = curve(145, 207.45, 70, 45.0)
    curves[10] = curve(145, 207.45, 100, 50.0)
    rows = rows_of(curves)
    assert [len(row) for row in rows] == [4, 4, 4]
    assert rows[0][2] is curves[2]


def test_leads_one_under_the_other_may_be_printed_at_different_times() -> None:
    rows = rows_of([curve(20 + 62.5 * (i // 3), 82 + 62.5 * (i // 3), 30 + 14 * i) for i in range(12)])
    words = [Word(lead, 21, 24 + 14 * i, 1.0) for i, lead in enumerate(LEADS)]
    cells, found, _ = cells_of(rows, baselines_of(rows, [])[0], words, None)
    assert found == "12x1"
    assert [cell.lead for cell in cells] == list(LEADS)


@pytest.mark.parametrize("names", [True, False], ids=["named", "unnamed"])
def test_a_pen_that_is_not_lifted_between_leads(names: bool) -> None:
    _, words, leads = page("3x4+1")
    rows = rows_of([curve(20, 270, 40 + 30 * r) for r in range(4)])
    cells, found, warnings = cells_of(rows, [40, 70, 100, 130], words if names else [], None)
    assert found == "3x4+1"
    assert [(c.lead, c.row, c.column) for c in cells] == leads
    assert cells[1].start_mm == pytest.approx(20 + 62.5, abs=1)
    assert bool(warnings) is not names


def test_names_in_the_margin() -> None:
    curves, words, leads = page("12x1", 14.0)
    words = [Word(w.token, 8, 40 + 14 * r + 1, 1.0) for r, w in enumerate(words)]
    rows = rows_of(curves)
    assert [c.lead for c in cells_of(rows, baselines_of(rows, [])[0], words, None)[0]] == [lead for lead, _, _ in leads]


def test_a_named_layout_is_obeyed_or_refused() -> None:
    curves, words, _ = page("3x4+1")
    rows = rows_of(curves)
    with pytest.raises(GeometryError, match="6x2 has 6 rows, the page shows 4"):
        cells_of(rows, [40, 70, 100, 130], words, "6x2")
    assert cells_of(rows, [40, 70, 100, 130], [], "3x4+1")[1:] == ("3x4+1", [])


def test_the_foot_of_the_pulse_is_0_mv() -> None:
    rows = [[curve(20, 270, 40)], [curve(20, 270, 70)]]
    levels, of_row = baselines_of(rows, [Pulse(10, 15, 41.5, 5, 10)])
    assert levels == pytest.approx([41.5, 70], abs=0.2)
    assert of_row[1] is None


def test_words_are_leads_in_any_spelling() -> None:
    texts = [Text(word, (10, 20, 14, 24)) for word in ("AVR", "V1:", "-aVR", "Lead", "Smith", "(II)", "VI")]
    assert [(w.token, w.x_mm, w.y_mm) for w in words_of(texts, GRID)] == [
        (lead, 10, 22) for lead in ("aVR", "V1", "-aVR", "II")
    ]


@pytest.mark.parametrize(
    ("text", "given", "wanted", "warns"),
    [
        ("25 mm/s 10/5 mm/mV", (None, None), (10, 5), 1),
        ("25 mm/s Limb: 10 mm/mV  Chest: 5,0 mm/mV", (None, None), (10, 5), 1),
        ("25 mm/s Limb: 10 mm/mV  Chest: 10 mm/mV", (None, None), (10, 10), 0),
        ("25 mm/s 10/500 mm/mV", (None, None), (10, 10), 1),  # no cart prints so
        ("25 mm/s 10/5 mm/mV", (20, None), (20, 20), 0),
        ("25 mm/s 10 mm/mV", (None, 5), (10, 5), 0),
    ],
)
def test_gains_of_limb_and_chest_leads(
    text: str, given: tuple[float | None, float | None], wanted: tuple[float, float], warns: int
) -> None:
    scale = scale_of([Text(word, (0, 0, 1, 1)) for word in text.split()], [], None, *given)
    assert (scale.gain, scale.chest_gain) == wanted
    assert len(scale.warnings) == warns


@pytest.mark.parametrize(
    ("text", "pulse", "given", "wanted", "warns"),
    [
        ("25 mm/s 10 mm/mV", None, (None, None), (25, 10), 0),
        ("50mm/sec 5,0mm/mV", None, (None, None), (50, 5), 0),
        ("", (10.1, 19.8), (None, None), (50, 20), 0),
        ("", None, (None, None), (25, 10), 2),
        ("1 mm/s 100 mm/mV", None, (None, None), (25, 10), 2),  # no cart prints so
        ("25 mm/s 10 mm/mV", (10, 10), (None, None), (25, 10), 1),  # the pulse says 50 mm/s
        ("10 mm/mV 5 mm/mV", (5, 10), (None, None), (25, 10), 1),
        ("25 mm/s 10 mm/mV", None, (50, 20), (50, 20), 0),
    ],
)
def test_speed_and_gain(
    text: str,
    pulse: tuple[float, float] | None,
    given: tuple[float | None, float | None],
    wanted: tuple[float, float],
    warns: int,
) -> None:
    words = [Text(word, (0, 0, 1, 1)) for word in text.split()]
    pulses = [Pulse(0, pulse[0], 0, *pulse)] if pulse else []
    scale = scale_of(words, pulses, *given)
    assert (scale.speed, scale.gain) == wanted
    assert len(scale.warnings) == warns
