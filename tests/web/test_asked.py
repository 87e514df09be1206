from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ecgdig.corrections import EditError
from ecgdig.web.asked import MOST_EDITS, edits, free_name, options, wanted
from ecgdig.web.guard import RefusedError


def session(**pages: Any) -> Any:
    """Pages by key: read (a folder), not read yet (None), or failed (why)."""
    held = {}
    for key, state in pages.items():
        job = SimpleNamespace(state="failed", fault=422, error=state) if isinstance(state, str) else None
        held[key] = SimpleNamespace(key=key, shown=state if not isinstance(state, str) else None, job=job)
    return SimpleNamespace(pages=held)


def test_pages_are_those_named_each_once_or_all_that_are_read(tmp_path: Any) -> None:
    there = session(a=tmp_path, b=None, c=tmp_path)
    assert [page.key for page in wanted(there, "c,a,c")] == ["c", "a"]
    assert [page.key for page in wanted(there, None)] == ["a", "c"]


@pytest.mark.parametrize(
    "keys, fault, why",
    [
        ("a,x", 404, "no page 'x'"),
        ("b", 409, "not been read yet"),
        ("a,d", 422, "no grid"),
        ("y" * 90, 404, r"no page 'y{40}' in"),
    ],
)
def test_pages_that_cannot_be_had_are_named(keys: str, fault: int, why: str, tmp_path: Any) -> None:
    with pytest.raises(RefusedError, match=why) as refused:
        wanted(session(a=tmp_path, b=None, d="no grid"), keys)
    assert refused.value.status == fault


def test_where_nothing_is_read_there_is_nothing() -> None:
    with pytest.raises(RefusedError, match="no page has been read"):
        wanted(session(b=None), None)


def test_names_are_free_whatever_their_case() -> None:
    taken: set[str] = set()
    assert [free_name(name, taken) for name in ("scan", "SCAN", "other", "Scan-2")] == [
        "scan",
        "SCAN-2",
        "other",
        "Scan-2-2",
    ]


def test_options_are_checked() -> None:
    given = {"layout": "3x4+1", "speed": 50, "gain": 5.0, "leads": "I,II", "extra": None}
    with pytest.raises(ValueError, match=r"unknown option 'extra'; want layout, speed, gain, chest_gain, leads"):
        options(given)
    del given["extra"]
    assert options(given | {"layout": ""}) == {"speed": 50, "gain": 5.0, "leads": "I,II"}
    for wrong, why in (
        ({"layout": "5x5"}, "unknown layout '5x5'"),
        ({"speed": True}, "speed 'True'; want a number"),
        ({"gain": "10"}, "gain '10'; want a number"),
        ({"speed": -3}, "-3"),
        ({"chest_gain": 500}, "chest gain of 500 mm/mV"),
    ):
        with pytest.raises(ValueError, match=why):
            options(wrong)


def test_edits_are_looked_at_and_given_back_as_they_came() -> None:
    one = {"kind": "scale", "gain_mm_per_mv": 5}
    assert edits({"edits": [one] * MOST_EDITS}) == [one] * MOST_EDITS
    for wrong, why in (
        ([one] * (MOST_EDITS + 1), f"{MOST_EDITS + 1} edits; want {MOST_EDITS} at most"),
        ([one, {"kind": "scale"}], "neither speed nor gain"),
        (one, "want a list"),
        (None, "want a list"),
    ):
        with pytest.raises(EditError, match=why):
            edits({"edits": wrong})
