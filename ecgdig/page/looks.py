"""What a page looks like, as values: paper, grid, ink, lettering and furniture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RGB = tuple[int, int, int]

GridKind = Literal["lines", "dots", "dots-only", "major-only", "none"]
PulsePlace = Literal["left", "double-left", "right", "first-row", "notch", "none"]
Separator = Literal["none", "tick", "bars", "dotted", "gap", "notch", "line"]
LabelPlace = Literal["below-start", "above-start", "over-start", "left", "between", "none"]
Frame = Literal["none", "box", "arrow"]
Spelling = Literal["usual", "upper", "lower", "iberian"]
HeaderKind = Literal["fields", "columns", "table", "one-line", "framed", "below", "two-blocks"]


@dataclass(frozen=True)
class Grid:
    """Printed grid: 1 mm and 5 mm lines; `box_mm` = left, top, right, bottom white margins around it.

    `dots`: 1 mm crossings as dots, 5 mm lines; `dots-only`: both as dots.
    """

    kind: GridKind
    minor_rgb: RGB
    major_rgb: RGB
    minor_mm: float
    major_mm: float
    phase_mm: tuple[float, float]  # where a 5 mm line lies
    box_mm: tuple[float, float, float, float]


@dataclass(frozen=True)
class Ink:
    """The pen of the traces.

    Attributes:
        fs: the rate in Hz at which the trace is drawn.
        fading: how much paler it becomes in places, 0 none to 1 strong.
        gaps: the share of the trace where no ink came, 0 to 0.3.
        smear_mm: paler ink on both sides of the pen's.
        head_mm: distance of a print head's dots; heights are printed at their multiples, 0: any height. The truth
            stays the recording's, at most half a dot away.
    """

    rgb: RGB
    width_mm: float
    opacity: float
    fs: float
    fading: float
    gaps: float = 0.0
    smear_mm: float = 0.0
    head_mm: float = 0.0


@dataclass(frozen=True)
class Lettering:
    font: str
    lead_mm: float  # height of lead names
    text_mm: float  # height of header and footer
    rgb: RGB
    place: LabelPlace  # of lead names; `between`: after the pulse, before the trace
    lead_rgb: RGB | None = None  # of lead names, where it differs
    frame: Frame = "none"  # around or below lead names
    spelling: Spelling = "usual"
    numeral_font: str = ""  # of I, II, III, where it differs


@dataclass(frozen=True)
class Furniture:
    """What stands on the page beside traces and grid."""

    pulse: PulsePlace
    separator: Separator
    header: bool
    footer: bool
    arrangement: HeaderKind = "fields"
    statements: bool = False  # an interpretation
    institution: bool = False
    page_number: bool = False
    qr: bool = False
    barcode: bool = False
    signature: bool = False


@dataclass(frozen=True)
class Style:
    paper_rgb: RGB
    grid: Grid
    ink: Ink
    lettering: Lettering
    furniture: Furniture


PLAIN_GRID = Grid("lines", (244, 190, 190), (228, 130, 130), 0.1, 0.22, (0.0, 0.0), (0.0, 0.0, 0.0, 0.0))
PLAIN = Style(
    (255, 255, 255),
    PLAIN_GRID,
    Ink((10, 10, 20), 0.3, 1.0, 500.0, 0.0),
    Lettering("DejaVuSans", 3.2, 2.8, (20, 20, 20), "above-start"),
    Furniture("left", "tick", True, True),
)
