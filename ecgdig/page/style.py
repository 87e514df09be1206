"""What a page looks like: paper, grid, ink, lettering and furniture, as values drawn from a generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

RGB = tuple[int, int, int]
Rng = np.random.Generator

GridKind = Literal["lines", "dots", "major-only", "none"]
PulsePlace = Literal["left", "double-left", "right", "none"]
Separator = Literal["none", "tick", "bars", "dotted", "gap"]
LabelPlace = Literal["below-start", "above-start", "left", "none"]
FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSansMono",
    "DejaVuSansMono-Bold",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "STIXGeneral",
    "STIXGeneralBol",
)


@dataclass(frozen=True)
class Grid:
    """Printed grid: 1 mm and 5 mm lines; `box_mm` = left, top, right, bottom white margins around it."""

    kind: GridKind
    minor_rgb: RGB
    major_rgb: RGB
    minor_mm: float
    major_mm: float
    phase_mm: tuple[float, float]  # where a 5 mm line lies
    box_mm: tuple[float, float, float, float]


@dataclass(frozen=True)
class Ink:
    """The pen of the traces. `fs`: the rate in Hz at which the trace is drawn; `fading`: 0 none to 1 strong."""

    rgb: RGB
    width_mm: float
    opacity: float
    fs: float
    fading: float


@dataclass(frozen=True)
class Lettering:
    font: str
    lead_mm: float  # height of lead names
    text_mm: float  # height of header and footer
    rgb: RGB
    place: LabelPlace


@dataclass(frozen=True)
class Furniture:
    """What stands on the page beside traces and grid."""

    pulse: PulsePlace
    separator: Separator
    header: bool
    footer: bool


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


def sample_style(rng: Rng) -> Style:
    """Draw a style: paper, grid, ink, lettering and furniture, each on its own."""
    paper = _paper_rgb(rng)
    return Style(paper, _sample_grid(rng, paper), _sample_ink(rng), _sample_lettering(rng), _sample_furniture(rng))


def _pick(rng: Rng, weighted: dict[str, float]) -> str:
    names = list(weighted)
    p = np.array(list(weighted.values()))
    return names[int(rng.choice(len(names), p=p / p.sum()))]


def _paper_rgb(rng: Rng) -> RGB:
    kind = _pick(rng, {"white": 5, "cream": 2, "pinkish": 1.5, "greenish": 0.7, "grey": 1})
    base = {
        "white": (252, 252, 252),
        "cream": (250, 244, 228),
        "pinkish": (253, 238, 236),
        "greenish": (238, 246, 236),
        "grey": (232, 232, 234),
    }[kind]
    return _jitter(rng, base, 5)


# hues (degrees) of printed grids, with their weights
_GRID_HUES = {
    "red": 6,
    "pink": 5,
    "orange": 2,
    "blue": 2,
    "green": 1.5,
    "brown": 1.2,
    "violet": 0.8,
    "grey": 4,
    "random": 1,
}
_HUE_DEG = {"red": 0, "pink": 345, "orange": 25, "blue": 215, "green": 140, "brown": 22, "violet": 280}


def _sample_grid(rng: Rng, paper: RGB) -> Grid:
    kind = _pick(rng, {"lines": 7, "dots": 0.8, "major-only": 1.6, "none": 0.5})
    name = _pick(rng, _GRID_HUES)
    hue = float(rng.uniform(0, 360)) if name == "random" else _HUE_DEG.get(name, 0) + float(rng.normal(0, 7))
    saturation = 0.0 if name == "grey" else float(rng.uniform(0.25, 0.9))
    # how far a line is from the paper towards black, from barely seen to as dark as a trace
    minor = float(np.clip(rng.beta(1.6, 3.2) * 0.8 + 0.06, 0, 0.8))
    major = float(np.clip(minor * rng.uniform(1.0, 2.2) + rng.uniform(0, 0.12), minor, 0.85))
    minor_mm = float(rng.uniform(0.06, 0.2))
    major_mm = float(minor_mm * rng.uniform(1.0, 2.4))
    margin = float(rng.uniform(4, 18)) if rng.random() < 0.2 else 0.0
    top = float(rng.uniform(10, 35)) if margin and rng.random() < 0.5 else margin
    return Grid(
        kind,  # type: ignore[arg-type]
        _tint(paper, hue, saturation, minor),
        _tint(paper, hue, saturation, major),
        minor_mm,
        major_mm,
        (float(rng.uniform(0, 5)), float(rng.uniform(0, 5))),
        (margin, top, margin, margin),
    )


def _sample_ink(rng: Rng) -> Ink:
    kind = _pick(rng, {"black": 7, "blue": 1.4, "grey": 1.6, "brown": 0.4, "violet": 0.3})
    base = {
        "black": (18, 18, 22),
        "blue": (30, 40, 130),
        "grey": (85, 85, 88),
        "brown": (70, 40, 25),
        "violet": (70, 30, 95),
    }[kind]
    width = float(np.clip(rng.lognormal(np.log(0.3), 0.38), 0.13, 0.85))
    fs = float(_pick(rng, {"500": 5, "1000": 1.0, "250": 1.6, "100": 1.2, "200": 0.7}))
    fading = float(rng.uniform(0.1, 0.7)) if rng.random() < 0.2 else 0.0
    return Ink(_jitter(rng, base, 15), width, float(rng.uniform(0.75, 1.0)), fs, fading)


def _sample_lettering(rng: Rng) -> Lettering:
    dark = int(rng.integers(0, 70)) if rng.random() < 0.85 else int(rng.integers(70, 170))
    return Lettering(
        FONTS[int(rng.integers(len(FONTS)))],
        float(rng.uniform(2.0, 4.6)),
        float(rng.uniform(1.8, 3.6)),
        (dark, dark, dark),
        _pick(rng, {"below-start": 3, "above-start": 5, "left": 1.5, "none": 0.7}),  # type: ignore[arg-type]
    )


def _sample_furniture(rng: Rng) -> Furniture:
    return Furniture(
        _pick(rng, {"left": 5, "double-left": 0.6, "right": 0.8, "none": 3}),  # type: ignore[arg-type]
        _pick(rng, {"none": 3, "tick": 3.5, "bars": 1, "dotted": 0.8, "gap": 1}),  # type: ignore[arg-type]
        bool(rng.random() < 0.8),
        bool(rng.random() < 0.75),
    )


def _jitter(rng: Rng, rgb: tuple[int, int, int], spread: int) -> RGB:
    shift = int(rng.integers(-spread, spread + 1))
    r, g, b = (int(np.clip(c + shift + rng.integers(-spread // 3 - 1, spread // 3 + 2), 0, 255)) for c in rgb)
    return (r, g, b)


def _tint(paper: RGB, hue_deg: float, saturation: float, depth: float) -> RGB:
    """Paper colour moved by `depth` towards a colour of `hue_deg` and `saturation` (0 gives black)."""
    h = (hue_deg % 360) / 60
    ramp = np.clip(np.array([abs(h - 3) - 1, 2 - abs(h - 2), 2 - abs(h - 4)]), 0, 1)
    ink = 255 * saturation * ramp
    r, g, b = (int(np.clip(p * (1 - depth) + c * depth, 0, 255)) for p, c in zip(paper, ink, strict=True))
    return (r, g, b)
