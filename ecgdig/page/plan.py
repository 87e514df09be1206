"""`LeadPlan`: the order of the leads on a page, before there is any paper."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ecgdig.recording import canonical_lead
from ecgdig.units import CABRERA_LIMB_LEADS, CHEST_LEADS, LEADS, LIMB_LEADS

LeadGrid = tuple[tuple[str, ...], ...]  # rows of leads, as read on the page
RHYTHM_LEADS = {0: (), 1: ("II",), 2: ("II", "V5"), 3: ("V1", "II", "V5")}
USUAL_PLANS = ("3x4", "6x2", "12x1", "4x3", "2x6")


@dataclass(frozen=True)
class LeadPlan:
    """The order of the leads on a page: a grid of rows and columns, then rhythm strips of full width."""

    name: str
    grid: LeadGrid
    rhythm: tuple[str, ...] = ()

    @property
    def n_columns(self) -> int:
        return max((len(row) for row in self.grid), default=1)

    @property
    def n_rows(self) -> int:
        return len(self.grid) + len(self.rhythm)

    @property
    def leads(self) -> tuple[str, ...]:
        """Every lead once, in reading order; `-aVR` counts as aVR."""
        rows = (*self.grid, self.rhythm)
        return tuple(dict.fromkeys(lead.lstrip("-") for row in rows for lead in row))


def by_columns(leads: Sequence[str], n_rows: int) -> LeadGrid:
    """`leads` written down the columns, as carts do: 12 leads in 3 rows give I, aVR, V1, V4 in the first row."""
    n_columns = -(-len(leads) // n_rows)
    return tuple(
        tuple(leads[r + c * n_rows] for c in range(n_columns) if r + c * n_rows < len(leads)) for r in range(n_rows)
    )


def lead_plan(name: str, rhythm: Sequence[str] | None = None, leads: Sequence[str] = LEADS) -> LeadPlan:
    """The plan of a name like `3x4+1`: rows x columns of leads, and how many rhythm strips stand below.

    Args:
        rhythm: leads of the rhythm strips; default (for up to three) II, then II and V5, then V1, II and V5.
        leads: any names, in the order down the columns; `cabrera_leads()` for the Cabrera order. The twelve usual
            ones fill `3x4`, `6x2`, `12x1`, `4x3` and `2x6`.

    Raises:
        ValueError: the name is not of that form, its rows and columns do not hold just these leads, or the number of
            rhythm leads differs from it.
    """
    form = re.fullmatch(r"(\d{1,2})x(\d{1,2})(?:\+(\d))?", name)
    rows, columns, n_rhythm = (int(v or 0) for v in form.groups()) if form else (0, 0, 0)
    fits = rows > 0 and -(-len(leads) // rows) == columns and rows <= len(leads)
    if not fits or (rhythm is None and n_rhythm not in RHYTHM_LEADS):
        raise ValueError(
            f"unknown layout {name!r} of {len(leads)} leads; use {', '.join(USUAL_PLANS)} for twelve, rows x columns "
            "for others, with +1, +2 or +3 rhythm strips"
        )
    strips = RHYTHM_LEADS[n_rhythm] if rhythm is None else tuple(rhythm)
    if len(strips) != n_rhythm:
        raise ValueError(f"layout {name!r} has {n_rhythm} rhythm strips; got leads {', '.join(strips) or 'none'}")
    return LeadPlan(name, by_columns(leads, rows), strips)


def parse_plan(text: str) -> LeadPlan:
    """A plan from a name (`3x4+1`) or from its rows: `"I,aVR,V1,V4/II,aVL,V2,V5/III,aVF,V3,V6/II"`.

    Rows are divided by `/`, the leads of a row by commas. In a plan of several columns the last rows that hold one lead
    alone are rhythm strips; after a `+` every row is one: `"I/II/III+V1"`.

    Raises:
        ValueError: an empty row or lead, or a lead twice in the grid.
    """
    if re.fullmatch(r"\d+x\d+(\+\d)?", text.strip()):
        return lead_plan(text.strip())
    above, plus, below = text.partition("+")
    rows = [tuple(canonical_lead(lead) for lead in row.split(",")) for row in above.split("/")]
    strips = [canonical_lead(lead) for lead in re.split(r"[/,]", below)] if plus else []
    if not plus and max(len(row) for row in rows) > 1:
        while len(rows[-1]) == 1:
            strips.insert(0, rows.pop()[0])
    named = [lead for row in rows for lead in row]
    if not all([*named, *strips]):
        raise ValueError(f"layout {text!r} has an empty row or lead; write rows like I,aVR,V1,V4/II,aVL,V2,V5")
    if len(set(named)) < len(named):
        raise ValueError(f"layout {text!r} prints a lead twice; a second time it must be a rhythm strip, after a +")
    columns = max(len(row) for row in rows)
    name = f"{len(rows)}x{columns}" + (f"+{len(strips)}" if strips else "")
    return LeadPlan(name, tuple(rows), tuple(strips))


def cabrera_leads() -> tuple[str, ...]:
    """aVL, I, -aVR, II, aVF, III, then V1 to V6."""
    return CABRERA_LIMB_LEADS + CHEST_LEADS


def limb_plan() -> LeadPlan:
    """Six limb leads, one under the other: narrow paper."""
    return LeadPlan("6x1", by_columns(LIMB_LEADS, 6))


def column_plan(leads: Sequence[str]) -> LeadPlan:
    """Any leads, one under the other: Holter channels, Frank leads, two leads close up."""
    return LeadPlan(f"{len(leads)}x1", by_columns(leads, len(leads)))
