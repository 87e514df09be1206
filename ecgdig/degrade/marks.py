"""What is put on a sheet, in the order in which it happens, and how often each preset has it."""

from __future__ import annotations

from collections.abc import Callable

from ecgdig.degrade import covers, cuts, figures, handwriting, stains, stamps, wear
from ecgdig.degrade.brush import Image, Rng
from ecgdig.page.page import Page

Change = Callable[[Page, float, Rng], Page]
Cut = Callable[[Page, Image | None, float, Rng], Page]
Steps = dict[str, tuple[float, float]]  # degradation -> (probability, greatest strength)

ON_PAPER: dict[str, Change] = {  # on the flat sheet, before it is bent
    "ink_bleed": wear.bleed,
    "fading": wear.fading,
    "smear": wear.smear,
    "stamp": stamps.rubber_stamp,
    "signature": handwriting.signature,
    "handwriting": handwriting.notes,
    "annotations": figures.drawn_figures,
    "highlighter": figures.highlighter,
    "coffee": stains.coffee,
    "soaked": stains.soaked,
    "mould": stains.mould,
    "redaction": covers.redaction,
    "tape": covers.tape,
    "sticker": covers.sticker,
    "staple": covers.staple,
}
CUTS: dict[str, Cut] = {"holes": cuts.holes, "torn": cuts.torn, "finger": cuts.finger}  # on the bent sheet

STEPS: dict[str, Steps] = {
    "print": {"ink_bleed": (0.15, 0.5), "fading": (0.1, 0.5), "handwriting": (0.1, 0.8), "annotations": (0.05, 0.8)},
    "scan": {
        "ink_bleed": (0.15, 0.7),
        "fading": (0.12, 0.8),
        "smear": (0.03, 0.8),
        "stamp": (0.06, 1.0),
        "signature": (0.05, 1.0),
        "handwriting": (0.22, 1.0),
        "annotations": (0.1, 1.0),
        "highlighter": (0.03, 1.0),
        "coffee": (0.05, 0.7),
        "soaked": (0.03, 0.7),
        "redaction": (0.05, 1.0),
        "tape": (0.04, 1.0),
        "sticker": (0.03, 1.0),
        "staple": (0.02, 1.0),
        "holes": (0.06, 1.0),
        "torn": (0.03, 0.8),
    },
    "photo": {
        "ink_bleed": (0.1, 0.7),
        "fading": (0.12, 0.8),
        "smear": (0.03, 0.8),
        "stamp": (0.04, 1.0),
        "signature": (0.05, 1.0),
        "handwriting": (0.25, 1.0),
        "annotations": (0.12, 1.0),
        "highlighter": (0.04, 1.0),
        "coffee": (0.06, 0.8),
        "soaked": (0.05, 0.8),
        "mould": (0.02, 0.7),
        "redaction": (0.04, 1.0),
        "tape": (0.04, 1.0),
        "sticker": (0.03, 1.0),
        "staple": (0.02, 1.0),
        "holes": (0.05, 1.0),
        "torn": (0.04, 0.8),
        "finger": (0.05, 0.8),
    },
    "damaged": {
        "ink_bleed": (0.2, 1.0),
        "fading": (0.2, 1.0),
        "smear": (0.08, 1.0),
        "stamp": (0.06, 1.0),
        "signature": (0.06, 1.0),
        "handwriting": (0.3, 1.0),
        "annotations": (0.15, 1.0),
        "highlighter": (0.05, 1.0),
        "coffee": (0.18, 1.0),
        "soaked": (0.18, 1.0),
        "mould": (0.12, 1.0),
        "redaction": (0.06, 1.0),
        "tape": (0.06, 1.0),
        "sticker": (0.04, 1.0),
        "staple": (0.03, 1.0),
        "holes": (0.06, 1.0),
        "torn": (0.06, 1.0),
        "finger": (0.04, 1.0),
    },
}
