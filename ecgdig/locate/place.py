"""Where everything is on a page: its grid, which way up it is, and which lead is where."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ecgdig.grid.flat import GeometryError
from ecgdig.grid.geometry import Geometry, find_geometry
from ecgdig.locate.bare import BareScale, NoRowsError, bare_scale
from ecgdig.locate.leads import LayoutReading, find_layout
from ecgdig.locate.naming import LeadNames, renamed
from ecgdig.locate.orientation import CLEAR_NAMES, LEAST_ROW_MM, Evidence, choose, turned_mm, turned_px
from ecgdig.page.warp import Warp
from ecgdig.units import LARGE_SQUARE_MM

_UPSIDE_DOWN = 0.5  # chance from which a page is looked at the other way up as well, whatever else is clear
_SIDEWAYS = 0.9  # chance from which a page is taken to lie on its side
LEAST_PRINTED_MM = 20.0  # of trace in a row: less is no ECG


@dataclass(frozen=True, eq=False)
class Placed:
    """A page that is ready to be read.

    Attributes:
        image: uint8 RGB `(H, W, 3)`, turned upright.
        warp: paper mm <-> px of `image`.
        found: the layout, in the mm of `warp`.
        size_mm: width and height of the page as it was read, from the zero of `warp`.
        flat: whether one flat grid fits, as on scans; photos are followed piece by piece.
        turned_deg: by how much the image was turned anticlockwise: 0, 90, 180 or 270.
        warnings: what is uncertain, in words.
        scale_error: relative standard error of a scale that no grid told; None where there is a grid.
    """

    image: NDArray[np.uint8]
    warp: Warp
    found: LayoutReading
    size_mm: tuple[float, float]
    flat: bool
    turned_deg: int
    warnings: tuple[str, ...]
    scale_error: float | None = None


def place(
    image: NDArray[np.uint8],
    *,
    layout: str | None = None,
    speed_mm_per_s: float | None = None,
    gain_mm_per_mv: float | None = None,
    chest_gain_mm_per_mv: float | None = None,
    leads: LeadNames | None = None,
) -> Placed:
    """Find the geometry, orientation and layout of a page; what the caller names is obeyed.

    Args:
        image: uint8 RGB `(H, W, 3)`, in any quarter turn.
        chest_gain_mm_per_mv: of V1 to V6, where it differs from that of the other leads.
        leads: names in place of those that the layout would have.

    Raises:
        GeometryError: no grid, no traces, or not the layout that was named; the message says what to do.
        ValueError: the layout is not known, or there are not as many rows as lead names.
    """
    geometry, bare = _geometry(image, speed_mm_per_s)
    warp, size_mm, page, upright = geometry.warp, geometry.size_mm, geometry.page, geometry.upright
    reading, quarters, sure = settle(
        page,
        upright,
        layout=layout,
        speed_mm_per_s=speed_mm_per_s,
        gain_mm_per_mv=gain_mm_per_mv,
        chest_gain_mm_per_mv=chest_gain_mm_per_mv,
    )
    if leads is not None:
        reading = replace(reading, layout=renamed(reading.layout, leads))
    warnings = _about(reading, quarters, sure, leads is not None)
    if bare is not None:
        warnings = (*warnings, _without_grid(reading, bare))
    if quarters:
        warp = warp.after(turned_mm(upright, page.shape[:2], quarters)).then(turned_px(image.shape[:2], quarters))
        image = np.ascontiguousarray(np.rot90(image, quarters))
        width, height = (float(np.ceil(side / LARGE_SQUARE_MM) * LARGE_SQUARE_MM) for side in size_mm)
        size_mm = (height, width) if quarters % 2 else (width, height)
    return Placed(
        image, warp, reading, size_mm, geometry.flat, 90 * quarters, warnings, None if bare is None else bare.error
    )


def _geometry(image: NDArray[np.uint8], speed: float | None) -> tuple[Geometry, BareScale | None]:
    """The geometry of a page by its grid, or, of a flat page without one, by what else tells its scale."""
    try:
        return find_geometry(image), None
    except GeometryError as no_grid:
        try:
            bare = bare_scale(image, speed)
        except NoRowsError:
            raise no_grid from None
    return Geometry(bare.warp, bare.size_mm, True, image, bare.warp, None), bare


def _without_grid(reading: LayoutReading, bare: BareScale) -> str:
    """The warning of a page whose scale no grid told.

    Raises:
        GeometryError: it may be no ECG page at all.
    """
    if bare.by_pulse and reading.rows.pulse is not None:
        return "no grid is seen: the scale is that of the calibration pulse"
    if reading.named < CLEAR_NAMES:
        raise GeometryError(
            "no printed grid, no calibration pulse and no names of leads: nothing tells the scale of the page; give a "
            "scan that shows the grid"
        )
    return "no grid and no calibration pulse are seen: rows are taken to last 10 s; look at the speed and gain"


def settle(
    page: NDArray[np.uint8],
    upright: Warp,
    *,
    layout: str | None = None,
    speed_mm_per_s: float | None = None,
    gain_mm_per_mv: float | None = None,
    chest_gain_mm_per_mv: float | None = None,
) -> tuple[LayoutReading, int, bool]:
    """Find which way up a page of known geometry is, and its layout in the mm of the page turned so.

    Args:
        page: uint8 RGB `(H, W, 3)`; upright: paper mm -> its px, with its zero on the grid.

    Returns:
        the layout, the quarter turns anticlockwise that bring the page upright, and whether these are sure.

    Raises:
        GeometryError: no traces, or not the layout that was named.
        ValueError: the layout is not known.
    """
    found: dict[int, LayoutReading] = {}
    seen: dict[int, Evidence] = {}
    failures: list[ValueError] = []

    def look(quarters: int) -> None:
        turn = turned_mm(upright, page.shape[:2], quarters)
        try:
            found[quarters] = find_layout(
                page,
                upright.after(turn),
                layout=layout,
                speed_mm_per_s=speed_mm_per_s,
                gain_mm_per_mv=gain_mm_per_mv,
                chest_gain_mm_per_mv=chest_gain_mm_per_mv,
            )
        except GeometryError as error:
            failures.append(error)
        else:
            seen[quarters] = Evidence.of(found[quarters])

    look(0)
    sideways = found[0].rows.sheet.sideways if 0 in found else 0.5
    if sideways > _SIDEWAYS:
        seen.pop(0, None)
        look(1)
        look(3)
    elif not (0 in seen and seen[0].is_clear and found[0].rows.sheet.quarters[2] < _UPSIDE_DOWN):
        look(2)
        if sideways > 1 - _SIDEWAYS and max((e.row_mm for e in seen.values()), default=0.0) < LEAST_ROW_MM:
            look(1)
            look(3)
    if not seen:
        raise failures[0]
    quarters, sure = choose(seen)
    if seen[quarters].row_mm < LEAST_PRINTED_MM:
        raise GeometryError("no rows of ECG traces found; check that the image shows an ECG on its printed grid")
    return found[quarters], quarters, sure


def _about(reading: LayoutReading, quarters: int, sure: bool, named: bool) -> tuple[str, ...]:
    warnings = [w for w in reading.warnings if not (named and "--layout" in w)]
    if quarters:
        how = "upside down" if quarters == 2 else "sideways"
        warnings.append(f"the page was {how}: turned by {90 * quarters} degrees anticlockwise")
    if not sure:
        warnings.append("which way up the page is shows too little to be sure: look at the overlay, turn it if wrong")
    return tuple(warnings)
