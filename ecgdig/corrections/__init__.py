"""A reading and what a person corrects in it: edits as values, and the reading that they make. Needs no torch."""

from ecgdig.corrections.carry import again_on
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
    edit_of,
    edits_of,
    to_json,
)

__all__ = [
    "Corners",
    "Corrector",
    "Edit",
    "EditError",
    "MovePoint",
    "Rearrange",
    "Rename",
    "Retrace",
    "Scale",
    "Swap",
    "Unreadable",
    "again_on",
    "edit_of",
    "edits_of",
    "to_json",
]
