"""A long recording on several sheets, no tail dropped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ecgdig.page.layout import Layout, Paper, Placement, arrange, ending_at
from ecgdig.page.plan import LeadPlan
from ecgdig.recording import Recording


def pages_of(
    recording: Recording,
    plan: LeadPlan,
    paper: Paper,
    placement: Placement,
    *,
    speed_mm_per_s: float = 25.0,
    gain_mm_per_mv: float = 10.0,
    page_s: float | None = None,
) -> Iterator[Layout]:
    """The sheets that print a recording from its first sample to its last.

    With simultaneous columns (`placement.sequential` false) the sheets together hold every sample of every lead of
    the grid exactly once. With sequential columns they hold every moment exactly once, each in the column whose turn
    it is, as a cart prints; a rhythm strip then holds its lead exactly once. The last sheet ends where
    the recording does.

    Args:
        page_s: seconds that a full sheet prints; default what the paper holds, 10 s at most for sequential columns.

    Raises:
        ValueError: less than half a second a column fits.
    """
    if page_s is None:
        page_s = 10.0 if placement.sequential else 10.0 * plan.n_columns
    scale = {"speed_mm_per_s": speed_mm_per_s, "gain_mm_per_mv": gain_mm_per_mv}
    yield from following(arrange(plan, paper, placement, duration_s=page_s, **scale), recording.duration_s)


def following(first: Layout, duration_s: float) -> Iterator[Layout]:
    """The sheets that print a recording of `duration_s` from its start to its end, all placed as `first` is.

    `first`: a full sheet; it counts as beginning at 0 s.
    """
    begin = min(s.start_s for s in first.segments)
    together = all(s.start_s == begin for s in first.segments)
    # what one sheet moves on by; columns that begin together show the same stretch
    step_s = min(s.duration_s for s in first.segments) if together else first.duration_s - begin
    for page in range(max(1, -int(-(duration_s - 1e-9) // step_s))):
        moved = tuple(replace(s, start_s=s.start_s - begin + page * step_s) for s in first.segments)
        layout = replace(first, segments=moved, page=page)
        if together:  # strips of full width would run into what the next sheet prints
            layout = ending_at(layout, (page + 1) * step_s)
        yield ending_at(layout, duration_s)
