"""How the pages of a data set are drawn: page `index` is a pure function of (recipe, recording, index)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ecgdig.degrade import DEGRADATIONS, PRESETS, apply, draw
from ecgdig.degrade.wishes import NONE, Wishes
from ecgdig.drawing import changed
from ecgdig.page import Page, lead_plan, parse_plan, render, sample_layout
from ecgdig.page.layout import Layout
from ecgdig.page.pages import following
from ecgdig.page.plan import LeadPlan, cabrera_leads
from ecgdig.page.spelled import style_changes
from ecgdig.page.style import PLAIN, Chances, Style, sample_style
from ecgdig.recording import Recording
from ecgdig.units import px_per_mm

_STREAM = 2  # keeps these pages apart from those of training, which may have the same seed
_OF_RECORD = 3  # and what all pages of a record share from what is drawn for one page
ORDERS, SHEETS = ("usual", "cabrera"), ("one", "all")
CLEAN_DPI = (110.0, 330.0)  # of presets that keep the clean page's resolution


@dataclass(frozen=True)
class Look:
    """How pages look, as far as that is not drawn.

    Attributes:
        style: fields of every style, as `page.spelled.style_changes` reads them: `("grid.kind=none", "qr=true")`.
        chances: how often styles have what.

    Raises:
        ValueError: no such field or value.
    """

    style: tuple[str, ...] = ()
    chances: Chances = field(default_factory=Chances)

    def __post_init__(self) -> None:
        changed(PLAIN, style_changes(self.style))


@dataclass(frozen=True)
class Recipe:
    """What all pages of a data set have in common.

    Attributes:
        seed: another seed, other pages.
        preset: a key of `degrade.PRESETS`.
        layout: `3x4+1` and the like; None draws one for each page.
        dpi: of the picture on the sheet, one or drawn between two; None draws it, from the preset's range.
        margin_mm: what is seen around the sheet, drawn between two; negative crops it; None: by the preset.
        usual_scale: 25 mm/s and 10 mm/mV on letter or A4 paper with a printed grid, as the reader expects.
        order: of the leads in `3x4` and the like: `usual` or `cabrera`.
        sheets: `one` a page; `all`: a long recording goes on over as many pages as it takes.
        look: how pages look, as far as that is not drawn.
        strengths: (degradation, strength 0 to 1) on every page, instead of what the preset draws; 0 leaves it out.
        wishes: what is not left to chance inside degradations.

    Raises:
        ValueError: an unknown preset, layout, style or degradation, or a number out of range.
    """

    seed: int = 0
    preset: str = "scan"
    layout: str | None = None
    dpi: float | tuple[float, float] | None = None
    usual_scale: bool = False
    order: str = "usual"
    sheets: str = "one"
    look: Look = field(default_factory=Look)
    strengths: tuple[tuple[str, float], ...] = ()
    wishes: Wishes = NONE
    margin_mm: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ValueError(f"unknown preset {self.preset!r}; use {', '.join(PRESETS)}")
        if self.order not in ORDERS:
            raise ValueError(f"unknown order {self.order!r}; use {', '.join(ORDERS)}")
        if self.sheets not in SHEETS:
            raise ValueError(f"unknown sheets {self.sheets!r}; use {', '.join(SHEETS)}")
        for name, strength in self.strengths:
            if name not in DEGRADATIONS:
                raise ValueError(f"unknown degradation {name!r}; use {', '.join(DEGRADATIONS)}")
            if not 0 <= strength <= 1:
                raise ValueError(f"strength {strength:g} of {name}; want 0 to 1")
        if self.order != "usual" and self.layout is None:
            raise ValueError(f"order {self.order} of leads needs a layout, such as 3x4+1")
        _ = self.plan  # a layout that cannot be read
        for dpi in () if self.dpi is None else np.atleast_1d(self.dpi):
            if not 30 <= dpi <= 1200:
                raise ValueError(f"{dpi:g} dpi; want 30 to 1200")
        if self.margin_mm is not None and not -50 <= min(self.margin_mm) <= max(self.margin_mm) <= 300:
            raise ValueError(f"{' to '.join(f'{mm:g}' for mm in self.margin_mm)} mm around the sheet; want -50 to 300")
        if self.seed < 0:
            raise ValueError(f"seed {self.seed}; want 0 or more")

    @property
    def plan(self) -> LeadPlan | None:
        """The order of the leads; None: drawn."""
        if self.layout is None:
            return None
        if self.order == "cabrera":
            return lead_plan(self.layout, leads=cabrera_leads())
        return parse_plan(self.layout)


@dataclass(frozen=True)
class Sheet:
    """Which page of a long recording: the record's number and the sheet's, from 0."""

    record: int
    number: int


def draw_page(
    recipe: Recipe, recording: Recording, index: int, sheet: Sheet | None = None, for_jpeg: bool = False
) -> tuple[Page, dict[str, Any]]:
    """Page `index` of a recording, and what was drawn for it besides layout and style.

    Args:
        sheet: of recipes with `sheets="all"`; style and layout are then those of all pages of the record.
        for_jpeg: as of `degrade.apply`.

    Returns:
        the page, and `dpi` (of the clean page), `margin_mm` and `degrade` (degradation -> strength, 0 to 1).

    Raises:
        ValueError: the recording holds no known sample, or lacks leads of the recipe's layout.
    """
    _check(recipe, recording)
    rng = np.random.default_rng([recipe.seed, _STREAM, index])
    preset = PRESETS[recipe.preset]
    if isinstance(recipe.dpi, float | int):
        dpi = float(recipe.dpi)
    else:
        dpi = float(np.exp(rng.uniform(*np.log(recipe.dpi or preset.dpi or CLEAN_DPI))))
    if sheet is None:
        style, layout = _placed(recipe, recording, rng)
    else:
        style, first = _placed(recipe, recording, _record_rng(recipe, sheet.record))
        layout = list(following(first, recording.duration_s))[sheet.number]
    clean = [render(recording, layout, style, dpi, rng)]
    mix = preset if preset.dpi is None else replace(preset, dpi=(dpi, dpi))
    mix = mix if recipe.margin_mm is None else replace(mix, margin_mm=recipe.margin_mm)
    drawn = draw(mix, rng)
    fixed = dict(recipe.strengths)
    kept = {name: strength for name, strength in (drawn.strengths | fixed).items() if fixed.get(name) != 0}
    drawn = replace(drawn, strengths=kept)
    # given away: up to 50 MB that would otherwise be kept until the page is done
    options = {"dpi": drawn.dpi, "margin_mm": drawn.margin_mm, "desk": mix.desk, "wishes": recipe.wishes}
    options["for_jpeg"] = for_jpeg
    page = apply(clean.pop(), drawn.strengths, rng, **options)  # type: ignore[arg-type]
    return page, {"dpi": dpi, "margin_mm": drawn.margin_mm, "degrade": drawn.strengths}


def sheets_of(recipe: Recipe, recording: Recording, record: int) -> int:
    """How many pages a record takes from its first sample to its last.

    Raises:
        ValueError: as for `draw_page`.
    """
    _check(recipe, recording)
    _, first = _placed(recipe, recording, _record_rng(recipe, record))
    return len(list(following(first, recording.duration_s)))


def _record_rng(recipe: Recipe, record: int) -> np.random.Generator:
    return np.random.default_rng([recipe.seed, _STREAM, _OF_RECORD, record])


def _placed(recipe: Recipe, recording: Recording, rng: np.random.Generator) -> tuple[Style, Layout]:
    """A page's style, and where its leads stand."""
    style = sample_style(rng, chances=recipe.look.chances)
    while recipe.usual_scale and style.grid.kind == "none":
        style = sample_style(rng, chances=recipe.look.chances)
    style = changed(style, style_changes(recipe.look.style))
    return style, sample_layout(recording, style, rng, recipe.plan, usual_scale=recipe.usual_scale)


def parameters(recipe: Recipe, page: Page, drawn: Mapping[str, Any]) -> dict[str, str]:
    """Everything drawn for a page as text, a column each: layout, paper, scale, `style.…` and `degrade.…`.

    What was drawn inside a degradation follows as `degrade.NAME.PARAMETER`, only where there is any; values of
    several creases, notes or stains stand side by side.
    """
    segments, paper = page.layout.segments, page.layout.paper
    row = {
        "preset": recipe.preset,
        "layout": page.layout.name,
        "sheet": page.layout.page,
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
        **{f"degrade.{name}": drawn["degrade"].get(name, "") for name in _told(recipe)},
        **{f"degrade.{name}": values for name, values in page.degradation_values.items()},
    }
    return {key: _text(value) for key, value in row.items()}


def _told(recipe: Recipe) -> list[str]:
    return list(dict.fromkeys([*PRESETS[recipe.preset].steps, *dict(recipe.strengths)]))


def _check(recipe: Recipe, recording: Recording) -> None:
    if not np.isfinite(recording.signal_mv).any():
        raise ValueError("holds no known sample, only NaN; leave this record out or export it again")
    plan = recipe.plan
    if plan is None:
        return
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
