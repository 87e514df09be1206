"""What a user fixes inside degradations that would otherwise be drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Wishes:
    """Everything is drawn where nothing is wished.

    Attributes:
        words: what is written by hand (`handwriting.read_words`); None: the built-in list.
        notes: how many notes.
        note_mm: height of their capitals.
        note_at: where the first note begins, as shares of the sheet's width and height.
        creases: how many straight creases `folds` makes, and how many across them; evenly apart.
        crease_deg: angle of the first ones, 0 along the sheet's width.
        rotation_deg: by how much `rotation` turns the sheet clockwise.

    Raises:
        ValueError: a number out of range.
    """

    words: tuple[str, ...] | None = None
    notes: int | None = None
    note_mm: float | None = None
    note_at: tuple[float, float] | None = None
    creases: tuple[int, int] | None = None
    crease_deg: float | None = None
    rotation_deg: float | None = None

    def __post_init__(self) -> None:
        if self.notes is not None and not 0 <= self.notes <= 100:
            raise ValueError(f"{self.notes} notes by hand; want 0 to 100")
        if self.note_mm is not None and not 1 <= self.note_mm <= 60:
            raise ValueError(f"handwriting of {self.note_mm:g} mm; want 1 to 60")
        if self.note_at is not None and not all(0 <= share <= 1 for share in self.note_at):
            raise ValueError(
                f"handwriting at {self.note_at[0]:g} {self.note_at[1]:g}; want shares of the sheet, 0 to 1"
            )
        if self.creases is not None and not all(0 <= n <= 30 for n in self.creases):
            raise ValueError(f"{' and '.join(map(str, self.creases))} creases; want 0 to 30")
        if self.rotation_deg is not None and not -180 <= self.rotation_deg <= 180:
            raise ValueError(f"rotation by {self.rotation_deg:g} degrees; want -180 to 180")


NONE = Wishes()
