"""The numbered classes of exports, the same for every data set: leads first, then what else is printed."""

from __future__ import annotations

from typing import get_args

from ecgdig.page.page import MarkKind
from ecgdig.units import LEADS

OTHER_LEAD = "other-lead"  # a lead of any name that is not one of the usual 12; -aVR counts as aVR
LEAD_CLASSES = (*LEADS, OTHER_LEAD)
MARK_CLASSES: tuple[str, ...] = get_args(MarkKind)
CLASSES = LEAD_CLASSES + MARK_CLASSES


def lead_class(lead: str) -> int:
    """0 to 11 in the order of `units.LEADS`, 12 for any other lead."""
    bare = lead.lstrip("-")
    return LEADS.index(bare) if bare in LEADS else len(LEADS)


def mark_class(kind: str) -> int:
    return len(LEAD_CLASSES) + MARK_CLASSES.index(kind)
