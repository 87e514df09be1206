"""Edits: what a person says about a reading. Each is a value with a plain JSON form, `{"kind": "rename", ...}`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, get_type_hints

from ecgdig.api import check_scale

Point = tuple[float, float]  # x, y
Place = tuple[int, int]  # row and column of a segment, from 0

MOST_POINTS = 200  # of one stroke
_LONGEST_NAME = 16


class EditError(ValueError):
    """An edit that does not fit the reading; the message says why, and what would."""


@dataclass(frozen=True)
class Scale:
    """Paper speed in mm/s and gain in mm/mV; None leaves one as it is."""

    speed_mm_per_s: float | None = None
    gain_mm_per_mv: float | None = None

    def __post_init__(self) -> None:
        if self.speed_mm_per_s is None and self.gain_mm_per_mv is None:
            raise EditError("a change of scale with neither speed nor gain; give one")
        try:
            check_scale(self.speed_mm_per_s, self.gain_mm_per_mv)
        except ValueError as error:
            raise EditError(str(error)) from None


@dataclass(frozen=True)
class Rearrange:
    """Other leads in the same rows: a layout (`3x4+1`) or names as on the page (`I,aVR,V1,V4/II,...`)."""

    leads: str


@dataclass(frozen=True)
class Rename:
    """Another name for one segment."""

    place: Place
    lead: str

    def __post_init__(self) -> None:
        if not self.lead.strip() or len(self.lead) > _LONGEST_NAME or not self.lead.isprintable():
            raise EditError(f"lead name {self.lead[:40]!r}; want 1 to {_LONGEST_NAME} letters, such as aVR")


@dataclass(frozen=True)
class Swap:
    """Two segments have each other's name."""

    first: Place
    second: Place


@dataclass(frozen=True)
class Corners:
    """Four places of the paper (top left, top right, bottom right, bottom left) and where they are in the image."""

    at_mm: tuple[Point, Point, Point, Point]
    to_px: tuple[Point, Point, Point, Point]


@dataclass(frozen=True)
class MovePoint:
    """A place of the paper and where it is in the image; what is around it moves along, less and less."""

    at_mm: Point
    to_px: Point


@dataclass(frozen=True)
class Unreadable:
    """A stretch of a row, in mm of the paper, that holds nothing to be read."""

    row: int
    from_mm: float
    to_mm: float

    def __post_init__(self) -> None:
        if not self.from_mm < self.to_mm:
            raise EditError(f"a stretch from {self.from_mm:g} to {self.to_mm:g} mm; want its left end first")


@dataclass(frozen=True)
class Retrace:
    """A stretch of a row drawn again by a few points of the image, in px; the curve between them keeps to the ink."""

    row: int
    points_px: tuple[Point, ...]

    def __post_init__(self) -> None:
        if not 2 <= len(self.points_px) <= MOST_POINTS:
            raise EditError(f"a stroke of {len(self.points_px)} points; want 2 to {MOST_POINTS}")


Edit = Scale | Rearrange | Rename | Swap | Corners | MovePoint | Unreadable | Retrace

KINDS: dict[str, type[Edit]] = {
    "scale": Scale,
    "rearrange": Rearrange,
    "rename": Rename,
    "swap": Swap,
    "corners": Corners,
    "move-point": MovePoint,
    "unreadable": Unreadable,
    "retrace": Retrace,
}
_NAMES = {kind: name for name, kind in KINDS.items()}


def to_json(edit: Edit) -> dict[str, Any]:
    """The edit as plain JSON; `edit_of` reads it back."""
    return {"kind": _NAMES[type(edit)], **{k: _plain(v) for k, v in asdict(edit).items() if v is not None}}


def edit_of(value: object) -> Edit:
    """An edit from its JSON form, whoever sent it.

    Raises:
        EditError: no such kind, a field too many or too few, or a value of another type.
    """
    if not isinstance(value, Mapping) or value.get("kind") not in KINDS:
        raise EditError(f"unknown edit {str(value)[:60]!r}; kind must be one of {', '.join(KINDS)}")
    kind = KINDS[value["kind"]]
    hints = get_type_hints(kind)
    unknown = set(value) - set(hints) - {"kind"}
    if unknown:
        raise EditError(f"{value['kind']} has no {', '.join(sorted(map(str, unknown)))}; it has {', '.join(hints)}")
    given = {}
    for field in fields(kind):
        if field.name in value:
            given[field.name] = _of_type(value[field.name], hints[field.name], f"{value['kind']}.{field.name}")
    try:
        return kind(**given)
    except TypeError:
        raise EditError(f"{value['kind']} needs {', '.join(hints)}") from None


def edits_of(values: object) -> tuple[Edit, ...]:
    """A list of edits from JSON, such as the `edits` of a result."""
    if not isinstance(values, Iterable) or isinstance(values, (str, bytes, Mapping)):
        raise EditError(f"edits {str(values)[:60]!r}; want a list")
    return tuple(edit_of(value) for value in values)


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if isinstance(value, (tuple, list)) else value


def _of_type(value: Any, hint: Any, name: str) -> Any:
    """The value as the field's type."""
    if hint is str and isinstance(value, str):
        return value
    if hint is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if hint == float | None and value is None:
        return None
    # compared, not converted: whole numbers may be beyond any float
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    if hint in (float, float | None) and number:
        return float(value)
    if isinstance(value, (list, tuple)):
        if hint == Place and len(value) == 2:
            return tuple(_of_type(v, int, name) for v in value)
        if hint == Point and len(value) == 2:
            return tuple(_of_type(v, float, name) for v in value)
        if hint == tuple[Point, ...] or (hint == tuple[Point, Point, Point, Point] and len(value) == 4):
            return tuple(_of_type(v, Point, name) for v in value)
    raise EditError(f"{name} {str(value)[:60]!r}; want {hint if not isinstance(hint, type) else hint.__name__}")
