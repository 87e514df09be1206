"""Corrections of one reading of an image taken over to another: where other rows were found, some do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ecgdig.corrections.corrector import Corrector
from ecgdig.corrections.edits import (
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
)
from ecgdig.digitizer import Digitization

_SAME_ROW_MM = 8.0  # a row of one reading is that of the other if their baselines are no further apart
_SAID: dict[type[Edit], str] = {
    Scale: "speed or gain",
    Rearrange: "other leads for the rows",
    Rename: "the name of a lead",
    Swap: "the swap of two leads",
    Corners: "dragged corners",
    MovePoint: "a dragged grid point",
    Unreadable: "a stretch marked as unreadable",
    Retrace: "a stretch drawn by hand",
}


def again_on(desk: Corrector, old: Digitization, edits: Sequence[Edit]) -> tuple[tuple[Edit, ...], tuple[str, ...]]:
    """The edits of an old reading that fit a new one of the same image, and the others in words.

    The grid of an image is found without its layout, so places in mm are the same in both. Geometry, scale and strokes
    go on where they were; the names of leads are those of the new layout.

    Args:
        desk: with the new reading.
        old: the old reading with the edits; its image is not looked at.
    """
    kept: list[Edit] = []
    dropped: list[str] = []
    for edit in edits:
        try:
            fits = _for(desk.apply(kept), old, edit)
            desk.apply([*kept, fits])
        except EditError as error:
            dropped.append(f"{_SAID[type(edit)]}: dropped, {error}")
        else:
            kept.append(fits)
    return tuple(kept), tuple(dropped)


def _for(new: Digitization, old: Digitization, edit: Edit) -> Edit:
    """The edit in the rows of another reading.

    Raises:
        EditError: it does not fit.
    """
    if isinstance(edit, (Rename, Swap, Rearrange)):
        raise EditError("the page was read with another layout")
    if isinstance(edit, Scale):
        return edit
    if new.turned_deg != old.turned_deg:
        raise EditError("the page was read another way up")
    if isinstance(edit, (Unreadable, Retrace)):
        return replace(edit, row=_row_there(new, old, edit.row))
    return edit


def _row_there(new: Digitization, old: Digitization, row: int) -> int:
    """The row of a new reading whose baseline is, on the image, that of a row of the old one."""
    segments = old.layout.row(row)
    middle = 0.5 * (segments[0].x_mm + segments[-1].end_mm)
    y = float(new.warp.to_mm(old.warp.to_px([[middle, segments[0].baseline_mm]]))[0, 1])
    off = np.array([abs(new.layout.row(r)[0].baseline_mm - y) for r in range(new.layout.n_rows)])
    if off.min() > _SAME_ROW_MM:
        raise EditError(f"row {row + 1} is no row of the new layout")
    return int(off.argmin())
