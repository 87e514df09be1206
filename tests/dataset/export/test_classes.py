from __future__ import annotations

from ecgdig.dataset.export.classes import CLASSES, LEAD_CLASSES, lead_class, mark_class
from ecgdig.units import LEADS


def test_numbers_name_their_classes() -> None:
    assert CLASSES[:12] == LEADS
    assert [CLASSES[lead_class(lead)] for lead in ("I", "-aVR", "V6", "MCL1")] == ["I", "aVR", "V6", "other-lead"]
    assert CLASSES[mark_class("pulse")] == "pulse"
    assert mark_class("lead-name") == len(LEAD_CLASSES)
    assert len(set(CLASSES)) == len(CLASSES)
