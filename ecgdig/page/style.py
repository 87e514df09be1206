"""Styles drawn from a generator: each part on its own, weighted as in the world, some held out for validation.

The kinds and their shares follow about fifty ECG images from the open web and the options of ECG-Image-Kit
(https://github.com/alphanumericslab/ecg-image-kit).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ecgdig.page.looks import (
    PLAIN,
    PLAIN_GRID,
    RGB,
    Furniture,
    Grid,
    GridKind,
    Ink,
    LabelPlace,
    Lettering,
    PulsePlace,
    Separator,
    Style,
)
from ecgdig.page.split import Split, allowed
from ecgdig.page.text import FONTS

Rng = np.random.Generator

__all__ = [
    "AS_IN_THE_WORLD", "FONTS", "HUES", "PLAIN", "PLAIN_GRID", "RGB", "Chances", "Furniture", "Grid", "GridKind", "Ink",
    "LabelPlace", "Lettering", "PulsePlace", "Rng", "Separator", "Style", "pick", "sample_style",
]  # fmt: skip

# hues (degrees) of printed grids, with their weights
_GRID_HUES = {
    "red": 6, "pink": 5, "orange": 2, "blue": 2, "green": 1.5, "brown": 1.2, "violet": 0.8, "grey": 4, "random": 1,
}  # fmt: skip
_HUE_DEG = {"red": 0, "pink": 345, "orange": 25, "blue": 215, "green": 140, "brown": 22, "violet": 280}
HUES = tuple(_GRID_HUES)
_FONT_WEIGHTS = {
    "DejaVuSans": 2.0, "Arimo-Regular": 4.0, "RobotoCondensed": 1.5, "OSP-DIN": 1.0, "VT323": 1.5, "CourierPrime": 1.2,
    "NotoMono-Regular": 1.2, "STIXGeneral": 1.2, "DejaVuSansMono": 1.2,
}  # fmt: skip # the others: 0.7


@dataclass(frozen=True)
class Chances:
    """How often a style has what; None: as often as in the world.

    Attributes:
        pulse: calibration pulses, 0 to 1; 0.7 otherwise.
        grey: black and white, 0 to 1; 0.04 otherwise.
        grid: a printed grid, 0 to 1; 0.95 otherwise.
        header: text above or below the traces, 0 to 1; 0.8 otherwise.
        hue: of the grid, always: a name of `HUES`, or `random` for any.

    Raises:
        ValueError: a chance out of range, an unknown hue.
    """

    pulse: float | None = None
    grey: float | None = None
    grid: float | None = None
    header: float | None = None
    hue: str | None = None

    def __post_init__(self) -> None:
        named = {"pulses": self.pulse, "black and white": self.grey, "grids": self.grid, "headers": self.header}
        for name, chance in named.items():
            if chance is not None and not 0 <= chance <= 1:
                raise ValueError(f"chance {chance:g} of {name}; want 0 to 1")
        if self.hue is not None and self.hue not in HUES:
            raise ValueError(f"unknown grid colour {self.hue!r}; use {', '.join(HUES)}")


AS_IN_THE_WORLD = Chances()


def sample_style(rng: Rng, split: Split = "all", chances: Chances = AS_IN_THE_WORLD) -> Style:
    """Draw a style: paper, grid, ink, lettering and furniture, each on its own; a pure function of the generator.

    Args:
        split: `train` without the looks of `split.HELD_OUT`, `val` with these alone where there are any, `all`.
        chances: how often it has what, where that is not left as it is.
    """
    paper = _paper_rgb(rng)
    grid = _sample_grid(rng, paper, split, chances.hue)
    if chances.grid is not None:
        kind = "none" if rng.random() >= chances.grid else "lines" if grid.kind == "none" else grid.kind
        grid = replace(grid, kind=kind)
    ink = _sample_ink(rng)
    if rng.random() < (0.04 if chances.grey is None else chances.grey):  # black and white
        grey = int(np.mean(ink.rgb))
        paper, ink = (255, 255, 255), replace(ink, rgb=(grey, grey, grey))
        grid = _in_grey(grid)
    return Style(paper, grid, ink, _sample_lettering(rng, grid, split), _sample_furniture(rng, split, chances))


def pick(rng: Rng, weighted: Mapping[str, float]) -> str:
    """One of the names, by weight."""
    names = list(weighted)
    reached = np.cumsum(list(weighted.values()))  # rng.choice takes seven times as long
    return names[min(int(np.searchsorted(reached, rng.random() * reached[-1], side="right")), len(names) - 1)]


def _paper_rgb(rng: Rng) -> RGB:
    kind = pick(rng, {"white": 5, "cream": 2, "pinkish": 1.5, "greenish": 0.7, "grey": 1})
    base = {
        "white": (252, 252, 252),
        "cream": (250, 244, 228),
        "pinkish": (253, 238, 236),
        "greenish": (238, 246, 236),
        "grey": (232, 232, 234),
    }[kind]
    return _jitter(rng, base, 5)


def _sample_grid(rng: Rng, paper: RGB, split: Split, hue_wanted: str | None) -> Grid:
    kind = pick(rng, {"lines": 7, "dots": 0.8, "dots-only": 0.25, "major-only": 1.6, "none": 0.5})
    name = pick(rng, allowed("hue", _GRID_HUES, split))
    name = hue_wanted or name
    hue = float(rng.uniform(0, 360)) if name == "random" else _HUE_DEG.get(name, 0) + float(rng.normal(0, 7))
    saturation = 0.0 if name == "grey" else float(rng.uniform(0.25, 0.9))
    # how far a line is from the paper towards black, from barely seen to as dark as a trace
    minor = float(np.clip(rng.beta(1.6, 3.2) * 0.8 + 0.06, 0, 0.8))
    if rng.random() < 0.15:  # 5 mm lines barely darker than 1 mm ones
        major = min(minor + float(rng.uniform(0, 0.05)), 0.85)
    else:
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
    kind = pick(rng, {"black": 7, "blue": 1.4, "grey": 1.4, "pale": 0.6, "brown": 0.4, "violet": 0.3})
    base = {
        "black": (18, 18, 22),
        "blue": (30, 40, 130),
        "grey": (85, 85, 88),
        "pale": (118, 118, 121),
        "brown": (70, 40, 25),
        "violet": (70, 30, 95),
    }[kind]
    width = float(np.clip(rng.lognormal(np.log(0.3), 0.38), 0.13, 0.85))
    fs = float(pick(rng, {"500": 5, "1000": 1.0, "250": 1.6, "100": 1.2, "200": 0.7}))
    fading = float(rng.uniform(0.1, 0.7)) if rng.random() < 0.2 else 0.0
    gaps = float(rng.uniform(0.005, 0.05)) if rng.random() < 0.07 else 0.0
    smear = float(rng.uniform(0.1, 0.5)) if rng.random() < 0.1 else 0.0
    head = float(rng.choice([0.125, 0.167, 0.2, 0.25])) if rng.random() < 0.1 else 0.0
    return Ink(_jitter(rng, base, 15), width, float(rng.uniform(0.75, 1.0)), fs, fading, gaps, smear, head)


def _sample_lettering(rng: Rng, grid: Grid, split: Split) -> Lettering:
    weights = allowed("font", {font: _FONT_WEIGHTS.get(font, 0.7) for font in FONTS}, split)
    dark = int(rng.integers(0, 70)) if rng.random() < 0.85 else int(rng.integers(70, 170))
    font = pick(rng, weights)
    lead_mm, text_mm = float(rng.uniform(2.0, 4.6)), float(rng.uniform(1.6, 3.4))
    place = pick(rng, {"below-start": 3, "above-start": 5, "over-start": 0.5, "left": 1.5, "between": 0.8, "none": 0.7})
    as_grid = rng.random() < 0.06 and grid.kind != "none"
    frame = pick(rng, {"none": 20, "box": 0.8, "arrow": 0.6})
    spelling = pick(rng, {"usual": 16, "upper": 2.2, "lower": 0.4, "iberian": 0.8})
    serif = pick(rng, {"STIXGeneral": 1, "DejaVuSerif": 1, "STIXGeneralBol": 1}) if rng.random() < 0.12 else ""
    return Lettering(
        font,
        lead_mm,
        text_mm,
        (dark, dark, dark),
        place,  # type: ignore[arg-type]
        grid.major_rgb if as_grid else None,
        frame,  # type: ignore[arg-type]
        spelling,  # type: ignore[arg-type]
        "STIXGeneral" if serif == "STIXGeneralBol" and split == "train" else serif,
    )


def _sample_furniture(rng: Rng, split: Split, chances: Chances) -> Furniture:
    separators = {"none": 3.5, "tick": 3.2, "bars": 1, "dotted": 0.7, "gap": 1, "notch": 0.6, "line": 0.25}
    headers = {"fields": 3, "columns": 2, "table": 1.5, "one-line": 1, "framed": 1, "below": 0.5, "two-blocks": 1}
    places = {"left": 5, "double-left": 0.6, "right": 0.8, "first-row": 0.3, "notch": 0.4}
    some = pick(rng, places)
    printed = rng.random() < (0.7 if chances.pulse is None else chances.pulse)
    return Furniture(
        some if printed else "none",  # type: ignore[arg-type]
        pick(rng, allowed("separator", separators, split)),  # type: ignore[arg-type]
        bool(rng.random() < (0.8 if chances.header is None else chances.header)),
        bool(rng.random() < 0.75),
        pick(rng, allowed("header", headers, split)),  # type: ignore[arg-type]
        *(bool(v) for v in rng.random(6) < [0.45, 0.3, 0.2, 0.06, 0.1, 0.12]),
    )


def _in_grey(grid: Grid) -> Grid:
    minor, major = (round(float(np.mean(rgb))) for rgb in (grid.minor_rgb, grid.major_rgb))
    return replace(grid, minor_rgb=(minor, minor, minor), major_rgb=(major, major, major))


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
