"""`ecgdig.digitize`: one call from a file or an array to a reading."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TypedDict

import numpy as np
from PIL import Image

from ecgdig import digitizer
from ecgdig.digitizer import Digitization, Told
from ecgdig.hub import DEFAULT, TraceModel, load
from ecgdig.io.image import as_picture, pdf_of, read_picture
from ecgdig.locate.naming import LeadNames, parse_leads
from ecgdig.units import GAIN_RANGE_MM_PER_MV, SPEED_RANGE_MM_PER_S
from ecgdig.vector import read_vectors


class _Known(TypedDict):
    """What the user knows of a page."""

    layout: str | None
    speed_mm_per_s: float | None
    gain_mm_per_mv: float | None
    chest_gain_mm_per_mv: float | None
    leads: LeadNames | None
    name: str


def digitize(
    image: str | os.PathLike[str] | np.ndarray | Image.Image,
    *,
    layout: str | None = None,
    speed: float | None = None,
    gain: float | None = None,
    chest_gain: float | None = None,
    leads: str | LeadNames | None = None,
    checkpoint: str | os.PathLike[str] | TraceModel | None = None,
    page: int = 1,
    told: Told = lambda stage: None,
) -> Digitization:
    """Read a paper ECG: a scan, a photo or a page of a PDF.

    Where the traces of a PDF are vector paths on a grid of lines, they are read from these, and no network is used:
    `checkpoint` of the result then says `vector paths`.

    Args:
        image: a file, an array (grey `(H, W)`, RGB `(H, W, 3)` or RGBA; see `ecgdig.io.image.as_picture`), or a PIL
            image.
        layout: what is printed, if known: `3x4`, `3x4+1`, `6x2`, `12x1` ... What is named is obeyed, the rest is found.
        speed: paper speed in mm/s.
        gain: in mm/mV.
        chest_gain: of V1 to V6, where it differs from that of the other leads (`10/5 mm/mV`).
        leads: names as on the page, `I,aVR,V1,V4/II,aVL,V2,V5/III,aVF,V3,V6/II` (`locate.naming.parse_leads`).
        checkpoint: what `ecgdig.load` takes, or a model that it gave.
        page: of a PDF or multi-page TIFF, from 1.
        told: hears what is being done, in words.

    Raises:
        ImageError: not a usable picture.
        GeometryError: no ECG page is found on it.
        CheckpointError: no such checkpoint.
        ValueError: what all of these are, or an option that is not known. All messages are one line.
    """
    check_scale(speed, gain, chest_gain)
    names = parse_leads(leads) if isinstance(leads, str) else leads
    known: _Known = {
        "layout": layout,
        "speed_mm_per_s": speed,
        "gain_mm_per_mv": gain,
        "chest_gain_mm_per_mv": chest_gain,
        "leads": names,
        "name": "",
    }
    read = None
    if isinstance(image, (str, os.PathLike)):
        known["name"] = Path(image).stem
        picture, pdf = read_picture(image, page), pdf_of(image)
        read = None if pdf is None else read_vectors(pdf, page, picture.rgb, **known)
    else:
        picture = as_picture(image)
    if read is None:
        model = checkpoint if isinstance(checkpoint, TraceModel) else _model(str(checkpoint or DEFAULT))
        read = digitizer.digitize(picture.rgb, model, told=told, **known)
    return replace(read, warnings=(*picture.notes, *read.warnings))


def check_scale(speed: float | None, gain: float | None, chest_gain: float | None = None) -> None:
    """Raise ValueError where a paper speed (mm/s) or gain (mm/mV) is given that no cart prints."""
    for what, value, unit, (low, high) in (
        ("speed", speed, "mm/s", SPEED_RANGE_MM_PER_S),
        ("gain", gain, "mm/mV", GAIN_RANGE_MM_PER_MV),
        ("chest gain", chest_gain, "mm/mV", GAIN_RANGE_MM_PER_MV),
    ):
        if value is not None and not low <= value <= high:
            raise ValueError(f"{what} of {value:g} {unit}; want {low:g} to {high:g}")


@lru_cache(maxsize=2)
def _model(name: str) -> TraceModel:
    return load(name)
