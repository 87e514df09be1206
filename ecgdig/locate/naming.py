"""Lead names that the user gives for the rows and columns of a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ecgdig.page.layout import Layout, Segment
from ecgdig.recording import canonical_lead
from ecgdig.units import CHEST_LEADS, LEADS

LeadNames = tuple[tuple[str, ...], ...]  # rows of names, as read on the page


def parse_leads(text: str) -> LeadNames:
    """Lead names as on the page: columns apart by commas, rows by slashes; a flat list names one lead a row, or a grid.

    `I,aVR,V1,V4/II,aVL,V2,V5/III,aVF,V3,V6/II` is 3x4 with a rhythm strip; `I,II,III` is three rows of one lead.

    Raises:
        ValueError: an empty or repeated name within a row.
    """
    rows = tuple(tuple(canonical_lead(name) for name in row.split(",")) for row in text.split("/"))
    for row in rows:
        if not all(row) or len(set(row)) != len(row):
            raise ValueError(
                f"lead names {text!r}: give them like I,aVR,V1,V4/II,aVL,V2,V5, none empty or twice in a row"
            )
    return rows


def renamed(layout: Layout, names: LeadNames) -> Layout:
    """A found layout with other leads in its rows; the columns of a row are of equal width.

    A flat list gives the single lead of each row, or all columns of all rows in the order of reading.

    Raises:
        ValueError: the names do not fit the rows of the page.
    """
    n = layout.n_rows
    if len(names) == 1 and n > 1:
        flat = names[0]
        cells = [len(layout.row(r)) for r in range(n)]
        if len(flat) == n:
            names = tuple((name,) for name in flat)
        elif len(flat) == sum(cells):
            names = tuple(flat[sum(cells[:r]) : sum(cells[: r + 1])] for r in range(n))
        elif len(flat) % n == 0:
            width = len(flat) // n
            names = tuple(flat[r * width : (r + 1) * width] for r in range(n))
    if len(names) != n:
        given = len(names) if len(names) > 1 else len(names[0])
        raise ValueError(
            f"{given} lead names or rows of them for {n} rows of traces; put '/' between the rows of names"
        )
    most = max(len(row) for row in names)
    left = min(s.x_mm for s in layout.segments)
    width_s = max((s.end_mm - left) / s.speed_mm_per_s for s in layout.segments)
    segments: list[Segment] = []
    for r, row in enumerate(names):
        like = layout.row(r)[0]
        duration = width_s / len(row)
        for c, lead in enumerate(row):
            start = c * duration if len(row) > 1 else 0.0
            x = left + c * duration * like.speed_mm_per_s
            segments.append(replace(like, lead=lead, column=c, start_s=start, duration_s=duration, x_mm=x))
    name = f"{n}x{most}" if all(len(row) == most for row in names) else "custom"
    name = layout.name if _same(layout, names) else name
    return replace(layout, name=name, segments=with_gains_of(layout, segments))


def with_gains_of(layout: Layout, segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Segments that were named anew, with the gain that chest leads, or limb leads, have in a layout."""
    gains = {s.lead in CHEST_LEADS: s.gain_mm_per_mv for s in layout.segments}

    def gain(s: Segment) -> float:
        standard = s.lead.lstrip("-") in LEADS  # others stay as they are
        return gains.get(s.lead in CHEST_LEADS, s.gain_mm_per_mv) if standard else s.gain_mm_per_mv

    return tuple(replace(s, gain_mm_per_mv=gain(s)) for s in segments)


def _same(layout: Layout, names: LeadNames) -> bool:
    return [len(layout.row(r)) for r in range(layout.n_rows)] == [len(row) for row in names]
