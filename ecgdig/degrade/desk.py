"""What lies around the sheet: table tops, cloth, clutter; painted only where it is seen."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.degrade import textures
from ecgdig.degrade.noted import note
from ecgdig.degrade.textures import lay

Rng = np.random.Generator
Image = NDArray[np.uint8]  # (H, W, 3) RGB
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Thing:
    """A flat object on the desk: a convex outline in mm from the picture's top left corner, painted in one colour."""

    outline_mm: tuple[tuple[float, float], ...]
    rgb: Colour


@dataclass(frozen=True)
class Desk:
    """A table top.

    Attributes:
        texture: which tile; None: a plain colour with grain.
        rgb: mean colour.
        contrast: of the texture, standard deviation against the mean.
        dark_rgb: factor by which the dark parts of the texture differ in colour from the bright ones.
        tile_px_per_mm: scale of the texture.
        turn: of the texture, radians.
        offset: place on the tile.
        plank_mm: breadth of boards; 0: none.
        keys_mm: distance of the keys of a keyboard; 0: none.
        things: what else lies there.
        shadow_mm: by how much the sheet's own shadow is shifted.
    """

    texture: str | None
    rgb: Colour
    contrast: float
    dark_rgb: Colour
    tile_px_per_mm: float
    turn: float
    offset: tuple[float, float]
    plank_mm: float = 0.0
    keys_mm: float = 0.0
    things: tuple[Thing, ...] = ()
    shadow_mm: tuple[float, float] = (0.0, 0.0)

    def picture(self, shape: tuple[int, int], px_per_mm: float) -> Image:
        """The desk as seen in a picture of `shape` (height, width)."""
        tile = _TILES[self.texture or "plain"]()
        field = lay(tile, shape, self.tile_px_per_mm / px_per_mm, self.turn, self.offset)
        level = (np.arange(256) - 128.0)[:, None] / 40
        table = np.array(self.rgb) * (1 + self.contrast * level * np.array(self.dark_rgb))
        out = np.asarray(cv2.LUT(cv2.merge([field] * 3), np.clip(table, 0, 255).astype(np.uint8)[None]), np.uint8)
        if self.plank_mm:
            self._seams(out, px_per_mm, self.plank_mm, 0.6, along_too=False)
        if self.keys_mm:
            self._seams(out, px_per_mm, self.keys_mm, 0.16 * self.keys_mm, along_too=True)
        for thing in self.things:
            outline = np.round(np.array(thing.outline_mm) * px_per_mm * 16).astype(np.int32)
            cv2.fillConvexPoly(out, outline, thing.rgb, cv2.LINE_AA, shift=4)
        return out

    def _seams(self, out: Image, px_per_mm: float, step_mm: float, width_mm: float, along_too: bool) -> None:
        """Dark lines along the texture's direction, every `step_mm`, and across it for keys."""
        reach = float(np.hypot(*out.shape[:2])) / px_per_mm
        dark = tuple(0.3 * c for c in self.rgb)
        width = max(1, round(width_mm * px_per_mm))
        for turn in (self.turn, self.turn + np.pi / 2) if along_too else (self.turn,):
            along, across = np.array([np.cos(turn), -np.sin(turn)]), np.array([np.sin(turn), np.cos(turn)])
            for k in np.arange(-reach, reach, step_mm) + self.offset[0] % step_mm:
                a, b = (across * k + along * end for end in (-reach, reach))
                ends = [(int(p[0] * px_per_mm * 16), int(p[1] * px_per_mm * 16)) for p in (a, b)]
                cv2.line(out, ends[0], ends[1], dark, width, cv2.LINE_AA, 4)


_TILES = {"wood": textures.wood, "cloth": textures.cloth, "cloud": textures.cloud, "plain": textures.grain}
_WOODS = (
    (150, 112, 80), (128, 96, 68), (140, 98, 62), (196, 158, 116),
    (112, 76, 48), (205, 178, 145), (88, 62, 46), (150, 135, 120),
)  # fmt: skip
_CLOTHS = ((70, 40, 120), (40, 60, 110), (120, 30, 40), (190, 185, 175), (60, 60, 64), (90, 120, 90), (225, 222, 215))


def sample_desk(rng: Rng) -> Desk:
    """A table top: wood of any colour, cloth, a plain or stone top, a keyboard, with or without clutter."""
    kind = str(
        rng.choice(["wood", "dark-wood", "cloth", "plain", "stone", "keys"], p=[0.4, 0.14, 0.14, 0.17, 0.1, 0.05])
    )
    turn = float(rng.normal(0, 0.15) + rng.integers(0, 4) * np.pi / 2)
    offset = (float(rng.uniform(0, textures.SIZE)), float(rng.uniform(0, textures.SIZE)))
    jitter = np.exp(rng.normal(0, 0.12)) * np.exp(rng.normal(0, 0.04, 3))
    things = _clutter(rng) if rng.random() < 0.2 else ()
    if rng.random() < 0.1:
        things = (_floor(rng), *things)
    plank = float(rng.uniform(60, 180)) if kind.endswith("wood") and rng.random() < 0.25 else 0.0
    if kind == "wood":
        base = np.array(_WOODS[int(rng.integers(len(_WOODS)))])
        contrast, dark, scale = rng.uniform(0.04, 0.12), (0.9, 1.0, 1.15), rng.uniform(1.0, 3)
    elif kind == "dark-wood":
        base = np.array([rng.uniform(30, 62)] * 3) * [1.0, 0.97, 0.95]
        contrast, dark, scale = rng.uniform(0.06, 0.2), (1.0, 1.0, 1.0), rng.uniform(1.2, 3)
    elif kind == "cloth":
        base = np.array(_CLOTHS[int(rng.integers(len(_CLOTHS)))])
        contrast, dark, scale = rng.uniform(0.06, 0.2), (1.0, 1.0, 1.0), rng.uniform(4, 14)
    elif kind == "keys":
        base = np.array([rng.uniform(25, 210)] * 3)
        contrast, dark, scale = 0.02, (1.0, 1.0, 1.0), 4.0
    else:
        base = rng.uniform(25, 235) * np.array([1, rng.uniform(0.75, 1.02), rng.uniform(0.55, 1.05)])
        contrast = rng.uniform(0.005, 0.03) if kind == "plain" else rng.uniform(0.04, 0.14)
        dark, scale = (1.0, 1.0, 1.0), (rng.uniform(3, 6) if kind == "plain" else rng.uniform(2, 8))
    texture = {"dark-wood": "wood", "stone": "cloud", "plain": None, "keys": None}.get(kind, kind)
    r, g, b = (float(c) for c in np.clip(base * jitter, 4, 250))
    note(rng, kind=kind, red=r, green=g, blue=b, contrast=contrast, turn_deg=np.degrees(turn), things=len(things))
    note(rng, plank_mm=plank)
    shadow = (float(rng.normal(0, 1.2)), float(rng.normal(0, 1.2)))
    keys = float(rng.uniform(16, 20)) if kind == "keys" else 0.0
    return Desk(texture, (r, g, b), float(contrast), dark, float(scale), turn, offset, plank, keys, things, shadow)


def _floor(rng: Rng) -> Thing:
    """What is beyond the table's edge, which runs through the picture near one of its sides."""
    angle = float(rng.integers(0, 4) * np.pi / 2 + rng.normal(0, 0.12))
    outward = np.array([np.cos(angle), np.sin(angle)])
    along = np.array([-outward[1], outward[0]])
    # pictures are about as large as a sheet and begin at 0
    start = np.array([150.0, 120.0]) + outward * np.array([150.0, 120.0]) * float(rng.uniform(0.75, 1.2))
    corners = [start + along * a + outward * b for a, b in ((-900, 0), (900, 0), (900, 900), (-900, 900))]
    grey = float(np.exp(rng.uniform(np.log(12), np.log(140))))
    r, g, b = np.clip(grey * np.exp(rng.normal(0, 0.08, 3)), 0, 255)
    note(rng, floor=grey)
    return Thing(tuple((float(x), float(y)) for x, y in corners), (float(r), float(g), float(b)))


def _clutter(rng: Rng) -> tuple[Thing, ...]:
    """Other sheets, a phone, a pen: rectangles of several sizes, anywhere on the table."""
    things = []
    for _ in range(int(rng.integers(1, 4))):
        kinds = np.array([[210.0, 297.0], [74.0, 152.0], [9.0, 145.0], [60.0, 90.0]])
        size = kinds[int(rng.integers(4))]
        middle, angle = rng.uniform(-20, 320, 2), rng.uniform(0, np.pi)
        c, s = np.cos(angle), np.sin(angle)
        half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * size / 2
        outline = half @ np.array([[c, s], [-s, c]]) + middle
        grey = float(rng.uniform(200, 245) if size.min() > 100 else rng.uniform(10, 200))
        rgb = np.clip(grey * np.exp(rng.normal(0, 0.05, 3)), 0, 255)
        corners = tuple((float(x), float(y)) for x, y in outline)
        things.append(Thing(corners, (float(rgb[0]), float(rgb[1]), float(rgb[2]))))
    return tuple(things)
