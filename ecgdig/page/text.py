"""Lettering: words as coverage masks, from open fonts: the package's own and those that come with matplotlib."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFont

from ecgdig.fonts import PRINTS, font_file

FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSerif", "DejaVuSerif-Bold",
    "STIXGeneral", "STIXGeneralBol", *PRINTS,
)  # fmt: skip
_TRIAL_PX = 200


@lru_cache(maxsize=1)
def font_folder() -> Path:
    """Where matplotlib's fonts (DejaVu, STIX) are; found without importing it."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the fonts come with matplotlib, which is not installed; pip install matplotlib")
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"


def font_path(name: str) -> Path:
    return font_file(name) if name in PRINTS else font_folder() / f"{name}.ttf"


@lru_cache(maxsize=32)  # each takes 0.2 MB; sizes seldom come again
def _font(name: str, size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(font_path(name)), size_px)


@lru_cache(maxsize=64)
def _capital(name: str) -> float:
    """Height of a capital letter as a share of the font's size."""
    _, top, _, bottom = _font(name, _TRIAL_PX).getbbox("H")
    return float(bottom - top) / _TRIAL_PX


@lru_cache(maxsize=256)
def _top_of_capitals(name: str, size_px: float) -> float:
    return _font(name, int(size_px)).getbbox("H")[1]


@lru_cache(maxsize=2048)
def word_ink(text: str, font: str, height_px: int) -> tuple[NDArray[np.uint8], int]:
    """One line of text as coverage uint8 `(h, w)`, cut to its ink, and how far its top is below that of a capital (px).

    Capitals are `height_px` high.
    """
    face = _font(font, max(4, round(height_px / _capital(font))))
    drawn, (_, top) = face.getmask2(text, "L")
    if 0 in drawn.size:
        return np.zeros((1, 1), np.uint8), 0
    # wrapped as Pillow itself does it: drawing onto an image of its own takes twice as long
    mask = np.frombuffer(Image.Image()._new(drawn).tobytes(), np.uint8).reshape(drawn.size[::-1])
    rows, columns = np.flatnonzero(mask.max(1) > 16), np.flatnonzero(mask.max(0) > 16)
    if rows.size == 0:
        return mask, 0
    cut = np.ascontiguousarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    return cut, round(top + rows[0] - _top_of_capitals(font, face.size))


def word_mask(text: str, font: str, height_px: int) -> NDArray[np.uint8]:
    """Coverage uint8 `(h, w)` of one line of text, cut to its ink; capitals are `height_px` high."""
    return word_ink(text, font, height_px)[0]


def stamp(canvas: NDArray[np.uint8], mask: NDArray[np.uint8], x: int, y: int) -> None:
    """Draw a mask into a coverage canvas in place with its top left corner at (x, y); what hangs over is cut off."""
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + mask.shape[1], canvas.shape[1]), min(y + mask.shape[0], canvas.shape[0])
    if x1 > x0 and y1 > y0:
        part = mask[y0 - y : y1 - y, x0 - x : x1 - x]
        np.maximum(canvas[y0:y1, x0:x1], part, out=canvas[y0:y1, x0:x1])
