"""`Corrector`: a reading and a list of edits make another reading; what an edit leaves as it was is not read again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ecgdig.corrections.edits import (
    Corners,
    Edit,
    EditError,
    MovePoint,
    Place,
    Rearrange,
    Rename,
    Scale,
    Swap,
    Unreadable,
    to_json,
)
from ecgdig.corrections.geometry import by_corners, by_point, carried, moved_by_mm
from ecgdig.corrections.retrace import blanked, replaced, snapped
from ecgdig.digitizer import FIELD_ERROR, SEAM_MM, Digitization, assemble, judged, read_row, recording_of, row_chances
from ecgdig.formats.about import NO_NETWORK
from ecgdig.grid.lines import moved, refine, with_field
from ecgdig.hub import TraceModel
from ecgdig.inkfit import fit_ink
from ecgdig.locate.ink import InkMap, ink_map
from ecgdig.locate.naming import parse_leads, renamed, with_gains_of
from ecgdig.locate.plans import named_plan
from ecgdig.locate.time_zero import REACH_MM, TimeZero, time_zero
from ecgdig.page.layout import Layout, Segment
from ecgdig.page.warp import Warp
from ecgdig.recording import canonical_lead
from ecgdig.units import LEADS
from ecgdig.vectorize import RowReading

REREAD_MM = 3.0  # rows that the geometry moves by more are read again, others are moved
_EXACT = (1.0, 0.0)  # of rows that were not read by a network: their spread is their standard error
_EXACT_SEAM_MM = (-0.01, 0.01)  # of these: coordinates are rounded
_CONTEXT_MM = 8.0  # that the network sees beside a stretch
_MOST_STRIPS = 40  # answers of the network that are kept, 1.6 MB each
_MARGIN_MM = 30.0
_MOST_TRIED = 8  # earlier geometries that are looked at
_TIME_PASSES, _TIME_STEP_MM = 3, 0.005


@dataclass(frozen=True)
class RememberingModel(TraceModel):
    """A network that keeps its answers: a strip that it has seen before costs nothing."""

    asked: TraceModel | None = None
    kept: OrderedDict[bytes, tuple[NDArray[np.float32], NDArray[np.float32]]] = field(default_factory=OrderedDict)

    @staticmethod
    def of(model: TraceModel) -> RememberingModel:
        return RememberingModel(model.net, model.spec, model.name, model.sha256, model.sigma, model.config, model)

    def chances(self, strips: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        keys = [hashlib.blake2b(np.ascontiguousarray(strip).data, digest_size=16).digest() for strip in strips]
        new = [i for i, key in enumerate(keys) if key not in self.kept]
        if new:
            assert self.asked is not None
            for i, *answer in zip(new, *self.asked.chances(strips[new]), strict=True):
                self.kept[keys[i]] = (answer[0], answer[1])
        answers = [self.kept[key] for key in keys]
        for key in keys:
            self.kept.move_to_end(key)
        while len(self.kept) > _MOST_STRIPS:
            self.kept.popitem(last=False)
        return np.stack([a for a, _ in answers]), np.stack([b for _, b in answers])


@dataclass(frozen=True, eq=False)
class _Stroke:
    """What was drawn by hand on a row, in px of the image, which no other edit moves."""

    row: int
    points_px: NDArray[np.float64]  # (n, 2); of a blank stretch its two ends
    blank: bool


@dataclass(frozen=True, eq=False)
class _State:
    """A reading, and what the next drag of the geometry goes on from.

    That is the warp as it was `dragged`, before the printed lines settled the rest, and the layout as it was `found` in
    the program's own warp: what a wrong geometry took lines and beginnings of traces for must not stay.
    """

    read: Digitization
    dragged: Warp
    found: tuple[Layout, Warp]
    strokes: tuple[_Stroke, ...] = ()


class Corrector:
    """Makes corrected readings of one page. Undo is the list of edits without its last.

    Args:
        read: what the program read; its own edits, if any, stay.
        model: the network that read it.
    """

    def __init__(self, read: Digitization, model: TraceModel) -> None:
        self._model = RememberingModel.of(model)
        self._before = tuple(read.edits)
        self._edits: list[Edit] = []
        self._states = [_State(read, read.warp, (read.layout, read.warp))]  # after 0, 1, 2 ... edits
        self._ink: tuple[Warp, InkMap] | None = None

    def apply(self, edits: Sequence[Edit]) -> Digitization:
        """The reading with these edits, from the first to the last; steps in common with the call before are kept.

        Raises:
            EditError: one of them does not fit; the reading is then as after the last call.
        """
        same = 0
        while same < min(len(edits), len(self._edits)) and edits[same] == self._edits[same]:
            same += 1
        states = self._states[: same + 1]
        for edit in edits[same:]:
            states.append(self._step(states, edit))
        self._states, self._edits = states, list(edits)
        return replace(states[-1].read, edits=(*self._before, *(to_json(edit) for edit in edits)))

    def preview(self, edits: Sequence[Edit]) -> Digitization:
        """The reading with these edits as far as it can be had at once; nothing of the last one is kept.

        Rows that a last drag of the geometry would have read again are only moved along: they are where the ink is, but
        what a wrong geometry did to their reading is still in them.

        Raises:
            EditError: one of them does not fit.
        """
        if not edits or not isinstance(edits[-1], (Corners, MovePoint)):
            return self.apply(edits)
        self.apply(edits[:-1])
        state, read = self._states[-1], self._states[-1].read
        warp = _dragged(state, edits[-1])
        rows = moved(read.rows, read.warp, warp)
        new = self._sampled(replace(read, warp=warp, layout=carried(*state.found, warp), rows=rows))
        return replace(new, edits=(*self._before, *(to_json(edit) for edit in edits)))

    def _step(self, states: Sequence[_State], edit: Edit) -> _State:
        state, read = states[-1], states[-1].read
        if isinstance(edit, (Corners, MovePoint)):
            return self._bent(states, edit)
        if isinstance(edit, (Scale, Rearrange, Rename, Swap)):
            found = (_relaid(state.found[0], edit), state.found[1])
            new = self._sampled(replace(read, layout=_relaid(read.layout, edit)))
            return replace(state, read=new, found=found)
        if not 0 <= edit.row < read.layout.n_rows:
            raise EditError(f"row {edit.row}; the page has rows 0 to {read.layout.n_rows - 1}")
        if isinstance(edit, Unreadable):
            level = read.layout.row(edit.row)[0].baseline_mm
            ends = read.warp.to_px([[edit.from_mm, level], [edit.to_mm, level]])
            stroke = _Stroke(edit.row, ends, True)
        else:
            stroke = _Stroke(edit.row, np.array(edit.points_px, np.float64), False)
        rows = self._drawn(read, read.rows, stroke)
        return replace(state, read=self._sampled(replace(read, rows=rows)), strokes=(*state.strokes, stroke))

    def _bent(self, states: Sequence[_State], edit: Corners | MovePoint) -> _State:
        """Another geometry: rows that were read with one much like it are moved, the others read again."""
        state, read, model = states[-1], states[-1].read, self._model
        warp = dragged = _dragged(state, edit)
        layout = carried(*state.found, warp)
        rows, fresh, missing = self._rows_in(states, warp, layout)
        warp = with_field(warp, _size_mm(layout))
        better = refine(read.image, warp, rows)
        rows = moved(rows, warp, better.warp)
        if fresh:
            rows = fit_ink(read.image, better.warp, layout, rows, set(range(len(rows))) - fresh)
            # a wrong geometry, in which the start was measured before, may have put it further off than any is found
            layout = _begun(layout, time_zero(read.image, better.warp, layout, rows, REACH_MM))
        name, error_mm = read.recording.name, FIELD_ERROR * better.residual_mm
        for _ in range(_TIME_PASSES):  # where time begins is sought near to where it was before
            was_mm = layout.segments[0].x_mm
            new = assemble(read.image, better.warp, layout, rows, model, read.warnings, name, error_mm)
            layout = new.layout
            if abs(layout.segments[0].x_mm - was_mm) < _TIME_STEP_MM:
                break
        new = replace(new, turned_deg=read.turned_deg, drawn_hz=new.drawn_hz or read.drawn_hz, doubts=read.doubts)
        for stroke in missing:
            new = self._sampled(replace(new, rows=self._drawn(new, new.rows, stroke)))
        return replace(state, read=judged(new), dragged=dragged)

    def _rows_in(
        self, states: Sequence[_State], warp: Warp, layout: Layout
    ) -> tuple[tuple[RowReading, ...], set[int], list[_Stroke]]:
        """The rows in the mm of a warp, which of them were read anew, and the strokes of the last state not in them.

        Each comes from the state whose warp is most like it there: dragging back costs nothing, in time or in columns.
        """
        read = states[-1].read
        bent = [state for before, state in pairwise(states) if state.read.warp is not before.read.warp]
        known = [states[-1], *reversed(bent[-_MOST_TRIED:]), states[0]]  # of equals the last, which has all strokes
        off = np.array([moved_by_mm(state.read, warp) for state in known])
        rows, fresh, missing = [], set(), []
        for r, best in enumerate(off.argmin(axis=0).tolist()):
            nearest = known[best]
            if off[best, r] > REREAD_MM:
                rows.append(read_row(read.image, warp, layout, r, self._model))
                fresh.add(r)
                has: tuple[_Stroke, ...] = ()
            else:
                rows += moved(nearest.read.rows[r : r + 1], nearest.read.warp, warp)
                has = nearest.strokes
            missing += [stroke for stroke in states[-1].strokes if stroke.row == r and stroke not in has]
        return tuple(rows), fresh, missing

    def _drawn(self, read: Digitization, rows: tuple[RowReading, ...], stroke: _Stroke) -> tuple[RowReading, ...]:
        points = read.warp.to_mm(stroke.points_px)
        if stroke.blank:
            row = blanked(rows[stroke.row], float(points[0, 0]), float(points[-1, 0]))
        else:
            between = (float(points[:, 0].min()) - _CONTEXT_MM, float(points[:, 0].max()) + _CONTEXT_MM)
            said = row_chances(read.image, read.warp, read.layout, stroke.row, self._model, between)
            row = replaced(rows[stroke.row], snapped(said, self._ink_of(read), points))
        return (*rows[: stroke.row], row, *rows[stroke.row + 1 :])

    def _ink_of(self, read: Digitization) -> InkMap:
        if self._ink is None or self._ink[0] is not read.warp:
            self._ink = (read.warp, ink_map(read.image, read.warp))
        return self._ink[1]

    def _sampled(self, read: Digitization) -> Digitization:
        """The samples of its rows and layout."""
        name, exact = read.recording.name, read.checkpoint[0] == NO_NETWORK  # vector paths end where a lead does
        rule, seam_mm = (_EXACT, _EXACT_SEAM_MM) if exact else (self._model.sigma, SEAM_MM)
        new = recording_of(read.layout, read.rows, rule, name, read.time_error_mm, read.field_error_mm, seam_mm)
        return judged(replace(read, recording=new))


def _dragged(state: _State, edit: Corners | MovePoint) -> Warp:
    if isinstance(edit, Corners):
        return by_corners(state.dragged, edit)
    return by_point(state.dragged, state.read.layout, edit)


def _begun(layout: Layout, zero: TimeZero | None) -> Layout:
    """The layout with its start where it was measured, if it was."""
    if zero is None:
        return layout
    return replace(layout, segments=tuple(replace(s, x_mm=s.x_mm + zero.shift_mm) for s in layout.segments))


def _relaid(layout: Layout, edit: Scale | Rearrange | Rename | Swap) -> Layout:
    if isinstance(edit, Scale):
        return _scaled(layout, edit)
    if isinstance(edit, Rearrange):
        return _rearranged(layout, edit.leads)
    names = {(s.row, s.column): s.lead for s in layout.segments}

    def lead_at(place: Place) -> str:
        if place not in names:
            raise EditError(f"no segment in row {place[0]}, column {place[1]}; the page has {len(names)} segments")
        return names[place]

    if isinstance(edit, Rename):
        lead_at(edit.place)
        lead = canonical_lead(edit.lead)
        if lead.startswith("-") and lead[1:] not in LEADS:
            raise EditError(f"lead name {lead!r}; only a standard lead can be printed the other way up, such as -aVR")
        new = {edit.place: lead}
    else:
        new = {edit.first: lead_at(edit.second), edit.second: lead_at(edit.first)}
    segments = (replace(s, lead=new.get((s.row, s.column), s.lead)) for s in layout.segments)
    return replace(layout, segments=with_gains_of(layout, segments))


def _scaled(layout: Layout, edit: Scale) -> Layout:
    """The same places on the paper at another speed and gain: times and durations change."""

    def scaled(s: Segment) -> Segment:
        slower = 1.0 if edit.speed_mm_per_s is None else s.speed_mm_per_s / edit.speed_mm_per_s
        return replace(
            s,
            start_s=s.start_s * slower,
            duration_s=s.duration_s * slower,
            speed_mm_per_s=edit.speed_mm_per_s or s.speed_mm_per_s,
            gain_mm_per_mv=edit.gain_mm_per_mv or s.gain_mm_per_mv,
        )

    return replace(layout, segments=tuple(map(scaled, layout.segments)))


def _rearranged(layout: Layout, text: str) -> Layout:
    try:
        plan = named_plan(text)
    except ValueError:
        plan = None
    try:
        if plan is None:
            return renamed(layout, parse_leads(text))
        if plan.n_rows != layout.n_rows:
            raise EditError(
                f"layout {plan.name} has {plan.n_rows} rows, {layout.n_rows} were found; read the page again with it"
            )
        return replace(renamed(layout, (*plan.grid, *((lead,) for lead in plan.rhythm))), name=plan.name)
    except EditError:
        raise
    except ValueError as error:
        raise EditError(str(error)) from None


def _size_mm(layout: Layout) -> tuple[float, float]:
    return (
        max(s.end_mm for s in layout.segments) + _MARGIN_MM,
        max(s.baseline_mm for s in layout.segments) + _MARGIN_MM,
    )
