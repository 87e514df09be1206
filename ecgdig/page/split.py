"""Which looks are held out for validation, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Split = Literal["train", "val", "all"]

HELD_OUT: dict[str, frozenset[str]] = {
    "font": frozenset({"STIXGeneralBol", "ProggyTiny", "B612-Regular", "SpecialElite"}),
    "hue": frozenset({"brown", "violet"}),
    "separator": frozenset({"notch", "dotted"}),
    "header": frozenset({"two-blocks"}),
    "layout": frozenset({"4x3", "2x6", "4x3+1"}),
}


def allowed(kind: str, weights: Mapping[str, float], split: Split) -> dict[str, float]:
    """Of `weights` (name -> how often) those of a split: `train` none of `HELD_OUT[kind]`, `val` these alone."""
    held = HELD_OUT[kind]
    if split == "all":
        return dict(weights)
    return {name: weight for name, weight in weights.items() if (name in held) == (split == "val")}
