"""Pages of the generator to try things on, and pages drawn as a visitor wishes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecgdig.degrade import DEGRADATIONS, PRESETS, apply
from ecgdig.drawing import render
from ecgdig.page import PLAIN, Page
from ecgdig.recording import Recording
from ecgdig.sources import Simulator


@dataclass(frozen=True)
class Sample:
    """A page of the gallery: how it is drawn, and what it shows."""

    title: str
    preset: str
    layout: str
    seed: int
    dpi: float = 130.0


GALLERY = (
    Sample("Clean print-out, 3 x 4 and a rhythm strip", "clean", "3x4+1", 7),
    Sample("Flatbed scan, 6 x 2", "scan", "6x2", 11, 150.0),
    Sample("Phone photo, 3 x 4", "photo", "3x4", 3, 170.0),
    Sample("Phone photo, 3 x 4 and a rhythm strip", "photo", "3x4+1", 21, 170.0),
    Sample("Damaged page, 3 x 4 and a rhythm strip", "damaged", "3x4+1", 5, 170.0),
    Sample("Scan of twelve rows", "scan", "12x1", 8, 130.0),
)
LAYOUTS = ("3x4", "3x4+1", "3x4+3", "6x2", "6x2+1", "12x1")
MOST_STRENGTHS = 12


def sample_page(sample: Sample) -> Page:
    """The page of a gallery entry; always the same."""
    style = PLAIN if sample.preset == "clean" else None
    recording = Simulator(1, seed=sample.seed)[0]
    return render(recording, sample.preset, sample.seed, layout=sample.layout, paper="a4", dpi=sample.dpi, style=style)


def wished_page(wish: Mapping[str, Any], recording: Recording | None = None) -> Page:
    """A page of a recording (none: a simulated one) as asked for.

    Args:
        wish: `seed`, `preset`, `layout`, and `strengths` (degradation -> 0 to 1), each of which may be left out.

    Raises:
        ValueError: an unknown name or a value of another kind, named in one line.
    """
    unknown = set(wish) - {"seed", "preset", "layout", "strengths"}
    if unknown:
        raise ValueError(
            f"unknown wish {', '.join(sorted(map(str, unknown)))[:60]!r}; want seed, preset, layout, strengths"
        )
    seed, preset, layout = wish.get("seed", 0), wish.get("preset", "clean"), wish.get("layout", "3x4+1")
    strengths = wish.get("strengths", {})
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**31:
        raise ValueError(f"seed {str(seed)[:40]!r}; want a whole number of 0 or more")
    if not isinstance(preset, str) or preset not in PRESETS:
        raise ValueError(f"unknown preset {str(preset)[:40]!r}; use one of {', '.join(PRESETS)}")
    if layout not in LAYOUTS:
        raise ValueError(f"unknown layout {str(layout)[:40]!r}; use one of {', '.join(LAYOUTS)}")
    if not isinstance(strengths, Mapping) or len(strengths) > MOST_STRENGTHS:
        raise ValueError(f"strengths {str(strengths)[:40]!r}; want up to {MOST_STRENGTHS} names with numbers of 0 to 1")
    chosen = {}
    for name, value in strengths.items():
        if name not in DEGRADATIONS:
            raise ValueError(f"unknown degradation {str(name)[:40]!r}; use one of {', '.join(DEGRADATIONS)}")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise ValueError(f"strength {str(value)[:40]!r} of {name}; want 0 to 1")
        chosen[str(name)] = float(value)
    page = render(recording or Simulator(1, seed=seed)[0], preset, seed, layout=layout, paper="a4", dpi=130.0)
    return apply(page, chosen, np.random.default_rng(seed)) if chosen else page
