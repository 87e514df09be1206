"""How the pages of a data set are drawn: page `index` is a pure function of (recipe, recording, index)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ecgdig.degrade import PRESETS, apply, draw
from ecgdig.page import Page, lead_plan, render, sample_layout, sample_style
from ecgdig.recording import Recording
from ecgdig.units import px_per_mm

_STREAM = 2  # keeps these pages apart from those of training, which may have the same seed
CLEAN_DPI = (110.0, 330.0)  # of presets that keep the clean page's resolution


@dataclass(frozen=True)
class Recipe:
    """What all pages of a data set have in common.

    Attributes:
        seed: another seed, other pages.
        preset: a key of `degrade.PRESETS`.
        layout: `3x4+1` and the like; None draws one for each page.
        dpi: of the picture on the sheet; None draws it, from the preset's range.
        usual_scale: 25 mm/s and 10 mm/mV on letter or A4 paper with a printed grid, as the reader expects.

    Raises:
        ValueError: an unknown preset or layout, or a resolution out of range.
    """

    seed: int = 0
    preset: str = "scan"
    layout: str | None = None
    dpi: float | None = None
    usual_scale: bool = False

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ValueError(f"unknown preset {self.preset!r}; use {', '.join(PRESETS)}")
        if self.layout is not None:
            lead_plan(self.layout)
        if self.dpi is not None and not 30 <= self.dpi <= 1200:
            raise ValueError(f"{self.dpi:g} dpi; want 30 to 1200")
        if self.seed < 0:
            raise ValueError(f"seed {self.seed}; want 0 or more")


def draw_page(recipe: Recipe, recording: Recording, index: int) -> tuple[Page, dict[str, Any]]:
    """Page `index` of a recording, and what was drawn for it besides layout and style.

    Returns:
        the page, and `dpi` (of the clean page), `margin_mm` and `degrade` (degradation -> strength, 0 to 1).

    Raises:
        ValueError: the recording holds no known sample, or lacks leads of the recipe's layout.
    """
    _check(recipe, recording)
    rng = np.random.default_rng([recipe.seed, _STREAM, index])
    preset = PRESETS[recipe.preset]
    low, high = np.log(preset.dpi or CLEAN_DPI)
    dpi = float(np.exp(rng.uniform(low, high))) if recipe.dpi is None else recipe.dpi
    style = sample_style(rng)
    while recipe.usual_scale and style.grid.kind == "none":
        style = sample_style(rng)
    plan = None if recipe.layout is None else lead_plan(recipe.layout)
    layout = sample_layout(recording, style, rng, plan, usual_scale=recipe.usual_scale)
    clean = [render(recording, layout, style, dpi, rng)]
    mix = preset if preset.dpi is None else replace(preset, dpi=(dpi, dpi))
    drawn = draw(mix, rng)
    # given away: up to 50 MB that would otherwise be kept until the page is done
    page = apply(clean.pop(), drawn.strengths, rng, dpi=drawn.dpi, margin_mm=drawn.margin_mm, desk=mix.desk)
    return page, {"dpi": dpi, "margin_mm": drawn.margin_mm, "degrade": drawn.strengths}


def parameters(recipe: Recipe, page: Page, drawn: Mapping[str, Any]) -> dict[str, str]:
    """Everything drawn for a page as text, a column each: layout, paper, scale, `style.…` and `degrade.…`.

    What was drawn inside a degradation follows as `degrade.NAME.PARAMETER`, only where there is any; values of
    several creases, notes or stains stand side by side.
    """
    segments, paper = page.layout.segments, page.layout.paper
    row = {
        "preset": recipe.preset,
        "layout": page.layout.name,
        "leads": " ".join(s.lead for s in segments),
        "paper_width_mm": paper.width_mm,
        "paper_height_mm": paper.height_mm,
        "speed_mm_per_s": segments[0].speed_mm_per_s,
        "gain_mm_per_mv": " ".join(dict.fromkeys(f"{s.gain_mm_per_mv:g}" for s in segments)),
        "dpi": drawn["dpi"],
        "px_per_mm": px_per_mm(drawn["dpi"]),
        "margin_mm": drawn["margin_mm"],
        "width_px": page.shape[1],
        "height_px": page.shape[0],
        **_flat("style", page.style),
        **{f"degrade.{name}": drawn["degrade"].get(name, "") for name in PRESETS[recipe.preset].steps},
        **{f"degrade.{name}": values for name, values in page.degradation_values.items()},
    }
    return {key: _text(value) for key, value in row.items()}


def _check(recipe: Recipe, recording: Recording) -> None:
    if not np.isfinite(recording.signal_mv).any():
        raise ValueError("holds no known sample, only NaN; leave this record out or export it again")
    if recipe.layout is None:
        return
    plan = lead_plan(recipe.layout)
    wanted = [lead for row in (*plan.grid, plan.rhythm) for lead in row]
    missing = [lead for lead in dict.fromkeys(wanted) if lead.lstrip("-") not in recording.leads]
    if missing:
        raise ValueError(
            f"has {', '.join(recording.leads)} only; layout {recipe.layout} also prints {', '.join(missing)}; "
            "give 12-lead records or leave out --layout"
        )


def _flat(name: str, value: Any) -> dict[str, Any]:
    """A dataclass's fields, down to plain values, named `name.field.field`."""
    inside = getattr(value, "__dataclass_fields__", None)
    if inside is None:
        return {name: value}
    return {key: v for field in inside for key, v in _flat(f"{name}.{field}", getattr(value, field)).items()}


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple | list):
        return " ".join(_text(item) for item in value)
    return str(value)
