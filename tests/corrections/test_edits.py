from __future__ import annotations

import json

import pytest

from ecgdig.corrections import (
    Corners,
    Edit,
    EditError,
    MovePoint,
    Rearrange,
    Rename,
    Retrace,
    Scale,
    Swap,
    Unreadable,
    edit_of,
    edits_of,
)
from ecgdig.corrections.edits import KINDS, to_json

SQUARE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
ALL: tuple[Edit, ...] = (
    Scale(gain_mm_per_mv=5.0),
    Rearrange("3x4+1"),
    Rename((0, 1), "aVR"),
    Swap((0, 1), (2, 3)),
    Corners(SQUARE, SQUARE),
    MovePoint((1.5, 2.0), (30.0, 40.25)),
    Unreadable(2, 10.0, 20.0),
    Retrace(0, ((1.0, 2.0), (3.0, 4.0))),
)


def test_every_kind_goes_through_json() -> None:
    assert {type(edit) for edit in ALL} == set(KINDS.values())
    assert edits_of(json.loads(json.dumps([to_json(edit) for edit in ALL]))) == ALL


@pytest.mark.parametrize(
    "value, says",
    [
        ({"kind": "explode"}, "unknown edit"),
        ("rename", "unknown edit"),
        ({"kind": "rename", "place": [0, 1]}, "needs place, lead"),
        ({"kind": "rename", "place": [0, 1.5], "lead": "I"}, "want int"),
        ({"kind": "rename", "place": [0, True], "lead": "I"}, "want int"),
        ({"kind": "rename", "place": [0, 1], "lead": "x" * 99}, "lead name"),
        ({"kind": "rename", "place": [0, 1], "lead": "I", "path": "/"}, "has no path"),
        ({"kind": "scale"}, "give one"),
        ({"kind": "scale", "gain_mm_per_mv": float("nan")}, "gain_mm_per_mv"),
        ({"kind": "scale", "gain_mm_per_mv": 900}, "want 1 to 80"),
        ({"kind": "move-point", "at_mm": [1], "to_px": [1, 2]}, "at_mm"),
        ({"kind": "corners", "at_mm": [[0, 0]] * 3, "to_px": [[0, 0]] * 4}, "at_mm"),
        ({"kind": "unreadable", "row": 0, "from_mm": 5, "to_mm": 5}, "left end first"),
        ({"kind": "retrace", "row": 0, "points_px": [[0, 0]]}, "points"),
        ({"kind": "retrace", "row": 0, "points_px": [[0, 0]] * 1000}, "points"),
    ],
)
def test_what_is_no_edit_is_refused(value: object, says: str) -> None:
    with pytest.raises(EditError, match=says) as refused:
        edit_of(value)
    assert "\n" not in str(refused.value)
