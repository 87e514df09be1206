"""Which degradations a page gets: named presets, each a list of (degradation, probability, greatest strength)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ecgdig.degrade import camera, crumple, focus, folds, geometry, light, panels, relief, roll, surface
from ecgdig.degrade.desk import sample_desk
from ecgdig.degrade.geometry import View
from ecgdig.degrade.handwriting import notes
from ecgdig.degrade.marks import AS_SEEN, CUTS, ON_PAPER
from ecgdig.degrade.marks import STEPS as MARKS
from ecgdig.degrade.noted import Noting, note
from ecgdig.degrade.wishes import NONE, Wishes
from ecgdig.page.layout import Paper
from ecgdig.page.page import Box, Page
from ecgdig.units import px_per_mm

Rng = np.random.Generator
Image = NDArray[np.uint8]
Bend = Callable[[Paper, float, Rng], View]
Coat = Callable[[Page, float, Rng], Page]
Filter = Callable[[Image, float, Rng], Image]

GEOMETRY: dict[str, Bend] = {
    "panels": panels.panels,
    "fold_shadows": panels.fold_shadows,
    "folds": folds.folds,
    "crumple": crumple.crumple,
    "wrinkles": crumple.wrinkles,
    "roll": roll.roll,
    "curl": geometry.curl,
    "perspective": geometry.perspective,
    "rotation": geometry.rotation,
    "quarter_turn": geometry.quarter_turn,
    "lens": geometry.lens,
    "crop": geometry.crop,
    "padding": geometry.padding,
}
WISHED = {"folds": folds.folds, "rotation": geometry.rotation}  # those that do what is wished
SURFACES: dict[str, Coat] = {
    "fading": surface.fading,
    "show_through": surface.show_through,
    "mottle": surface.mottle,
    "fibre": surface.fibre,
    "ageing": surface.ageing,
}


def _on_image(change: Filter) -> Coat:
    def coat(page: Page, strength: float, rng: Rng) -> Page:
        return page.with_image(change(page.image, strength, rng))

    return coat


FILTERS: dict[str, Coat] = {
    "shadow": _on_image(light.shadow),
    "cast_shadows": _on_image(light.cast_shadows),
    "gradient": _on_image(light.gradient),
    "vignette": _on_image(light.vignette),
    "two_lights": _on_image(light.two_lights),
    "glare": light.glare,
    "colour_cast": _on_image(light.colour_cast),
    "defocus": _on_image(focus.defocus),
    "low_resolution": _on_image(camera.low_resolution),
    "blur": _on_image(camera.blur),
    "motion_blur": _on_image(camera.motion_blur),
    "sharpen": _on_image(camera.sharpen),
    "over_sharpen": _on_image(camera.over_sharpen),
    "exposure": _on_image(light.exposure),
    "noise": _on_image(camera.noise),
    "tone_mapping": _on_image(light.tone_mapping),
    "phone_sharpening": _on_image(camera.phone_sharpening),
    "grey": _on_image(camera.grey),
    "jpeg_blocks": _on_image(camera.jpeg_blocks),
    "jpeg": _on_image(camera.jpeg),  # the last: see `apply`
}
DEGRADATIONS = (*SURFACES, *ON_PAPER, *GEOMETRY, *CUTS, *AS_SEEN, *FILTERS)  # in the order in which they are applied


@dataclass(frozen=True)
class Preset:
    """A mix of degradations.

    Attributes:
        steps: degradation -> (probability, greatest strength).
        dpi: range of the image's resolution on the sheet; None keeps the clean page's.
        margin_mm: range of what is seen around the sheet; negative crops it.
        desk: whether there is a desk around the sheet (otherwise the paper's edge goes on).
    """

    steps: dict[str, tuple[float, float]]
    dpi: tuple[float, float] | None = None
    margin_mm: tuple[float, float] = (0.0, 0.0)
    desk: bool = False


_UNMARKED: dict[str, Preset] = {
    "clean": Preset({}),
    "print": Preset(
        {"crop": (0.15, 0.5), "low_resolution": (0.4, 0.4), "blur": (0.6, 0.4), "noise": (0.5, 0.2), "jpeg": (0.5, 0.4)}
    ),
    "scan": Preset(
        {
            "fading": (0.1, 0.5),
            "show_through": (0.15, 0.6),
            "mottle": (0.2, 0.3),
            "fibre": (0.4, 0.6),
            "ageing": (0.12, 0.7),
            "folds": (0.2, 0.35),
            "crumple": (0.07, 0.3),
            "wrinkles": (0.08, 0.3),
            "rotation": (0.8, 0.25),
            "gradient": (0.3, 0.25),
            "colour_cast": (0.3, 0.4),
            "blur": (0.7, 0.5),
            "sharpen": (0.4, 0.7),
            "exposure": (0.6, 0.8),
            "noise": (0.8, 0.5),
            "grey": (0.2, 1.0),
            "jpeg": (0.7, 0.8),
        },
        dpi=(140, 300),
        margin_mm=(-4, 4),
    ),
    "photo": Preset(
        {
            "fading": (0.08, 0.6),
            "show_through": (0.1, 0.6),
            "mottle": (0.35, 0.5),
            "fibre": (0.5, 0.8),
            "ageing": (0.15, 0.7),
            "panels": (0.3, 0.9),
            "fold_shadows": (0.25, 0.8),
            "folds": (0.4, 1.0),
            "crumple": (0.4, 1.0),
            "wrinkles": (0.25, 0.8),
            "roll": (0.25, 0.8),
            "curl": (0.5, 0.8),
            "perspective": (0.95, 0.8),
            "rotation": (0.9, 1.0),
            "lens": (0.4, 0.6),
            "crop": (0.1, 0.35),
            "padding": (0.3, 0.6),
            "shadow": (0.3, 0.8),
            "cast_shadows": (0.25, 0.8),
            "gradient": (0.85, 0.8),
            "vignette": (0.3, 0.6),
            "two_lights": (0.3, 0.8),
            "glare": (0.08, 0.6),
            "colour_cast": (0.8, 0.9),
            "defocus": (0.2, 0.7),
            "blur": (0.7, 0.7),
            "motion_blur": (0.2, 0.7),
            "sharpen": (0.5, 0.8),
            "exposure": (0.7, 0.8),
            "noise": (0.9, 0.7),
            "tone_mapping": (0.35, 0.8),
            "phone_sharpening": (0.25, 0.7),
            "grey": (0.05, 1.0),
            "jpeg": (0.95, 0.8),
        },
        dpi=(150, 340),
        margin_mm=(-8, 25),
        desk=True,
    ),
    "damaged": Preset(
        {
            "fading": (0.25, 1.0),
            "show_through": (0.2, 1.0),
            "mottle": (0.5, 1.0),
            "fibre": (0.5, 1.0),
            "ageing": (0.35, 1.0),
            "panels": (0.25, 1.0),
            "fold_shadows": (0.3, 1.0),
            "folds": (0.45, 1.0),
            "crumple": (0.6, 1.0),
            "wrinkles": (0.4, 1.0),
            "roll": (0.3, 1.0),
            "curl": (0.6, 1.0),
            "perspective": (1.0, 1.0),
            "rotation": (1.0, 1.0),
            "lens": (0.5, 1.0),
            "crop": (0.2, 0.6),
            "padding": (0.3, 0.8),
            "shadow": (0.5, 1.0),
            "cast_shadows": (0.4, 1.0),
            "gradient": (1.0, 1.0),
            "vignette": (0.4, 1.0),
            "two_lights": (0.35, 1.0),
            "glare": (0.2, 1.0),
            "colour_cast": (0.9, 1.0),
            "defocus": (0.35, 1.0),
            "low_resolution": (0.4, 0.8),
            "blur": (0.8, 1.0),
            "motion_blur": (0.4, 1.0),
            "sharpen": (0.4, 1.0),
            "exposure": (0.9, 1.0),
            "noise": (1.0, 1.0),
            "tone_mapping": (0.3, 1.0),
            "phone_sharpening": (0.25, 0.9),
            "grey": (0.15, 1.0),
            "jpeg": (1.0, 1.0),
        },
        dpi=(130, 300),
        margin_mm=(-12, 25),
        desk=True,
    ),
}
PRESETS = {name: replace(mix, steps=MARKS.get(name, {}) | mix.steps) for name, mix in _UNMARKED.items()}


def degrade(page: Page, preset: str | Preset, rng: Rng, seen_mm: Box | None = None, wishes: Wishes = NONE) -> Page:
    """Degrade a clean page by a preset: `clean`, `print`, `scan`, `photo`, `damaged`, or one of your own.

    What was drawn is recorded in the page's `degradations` and `degradation_values`.

    Args:
        seen_mm: where the geometry changes, only the part of the image around this part of the paper is made.
        wishes: what is not left to chance.

    Raises:
        ValueError: no preset or degradation of that name.
    """
    drawn = draw(preset, rng)
    mix = preset_named(preset)
    return apply(
        page,
        drawn.strengths,
        rng,
        dpi=drawn.dpi,
        margin_mm=drawn.margin_mm,
        desk=mix.desk,
        seen_mm=seen_mm,
        wishes=wishes,
    )


@dataclass(frozen=True)
class Drawn:
    """What was drawn for a page from a preset: degradation -> strength, resolution (None: the clean page's), margin."""

    strengths: dict[str, float]
    dpi: float | None
    margin_mm: float


def draw(preset: str | Preset, rng: Rng) -> Drawn:
    """Draw which degradations a page gets, and how strong.

    Raises:
        ValueError: no preset or degradation of that name.
    """
    mix = preset_named(preset)
    unknown = set(mix.steps) - set(DEGRADATIONS)
    if unknown:
        raise ValueError(f"unknown degradation {', '.join(sorted(unknown))}; use {', '.join(DEGRADATIONS)}")
    strengths = {name: float(rng.uniform(0.1, 1)) * top for name, (p, top) in mix.steps.items() if rng.random() < p}
    margin = float(rng.uniform(*mix.margin_mm))
    dpi = None if mix.dpi is None else float(np.exp(rng.uniform(*np.log(mix.dpi))))
    return Drawn(strengths, dpi, margin)


def apply(
    page: Page,
    strengths: dict[str, float],
    rng: Rng,
    *,
    dpi: float | None = None,
    margin_mm: float = 0.0,
    desk: bool = False,
    seen_mm: Box | None = None,
    wishes: Wishes = NONE,
    for_jpeg: bool = False,
) -> Page:
    """Apply named degradations at strengths of 0 to 1: paper, marks, geometry, cuts, light, camera, in this order.

    Args:
        for_jpeg: `jpeg`, the last of them, is left to the file that the page is written to: the picture is as it was
            before, and the page's `jpeg_quality` says what to write.
    """
    for name, strength in strengths.items():
        if name not in DEGRADATIONS:
            raise ValueError(f"unknown degradation {name!r}; use {', '.join(DEGRADATIONS)}")
        if not 0 <= strength <= 1:
            raise ValueError(f"strength {strength:g} of {name}; want 0 to 1")
    kept = Noting(rng)
    for name, coat in SURFACES.items():
        if name in strengths:
            page = coat(page, strengths[name], kept.of(name))
    for name, mark in (ON_PAPER | {"handwriting": partial(notes, wishes=wishes)}).items():
        if name in strengths:
            page = mark(page, strengths[name], kept.of(name))
    views = [
        bend(page.layout.paper, strengths[name], kept.of(name))
        for name, bend in (GEOMETRY | {name: partial(WISHED[name], wishes=wishes) for name in WISHED}).items()
        if name in strengths
    ]
    paper = page.layout.paper
    reliefs = [r for view in views for r in view.reliefs]
    if reliefs:
        stage, factor = relief.seen_by(reliefs, paper, relief.Eye.sample(paper, kept.of("eye")))
        heights = relief.Heights.of(page, reliefs, factor)
        if rng.random() < 0.4:
            worn = float(rng.uniform(0.2, 1))
            note(kept.of("wear"), strength=worn)
            page = relief.wear(page, heights, worn, rng)
        lamps = [view.lamp for view in views if view.lamp is not None] or [relief.Lamp.sample(kept.of("lamp"))]
        page = relief.shade(page, heights, lamps[-1])
        views = [View(paper_stages=(stage,)), *views]
    background = sample_desk(kept.of("desk")) if desk else None
    scale = float(page.warp.px_per_mm([[0.0, 0.0]])[0]) if dpi is None else px_per_mm(dpi)
    if views or dpi is not None or margin_mm or desk:
        page = geometry.resample(page, views, scale, margin_mm, background, seen_mm)
    if any(name in strengths for name in CUTS):
        half = (page.shape[0] + 1) // 2, (page.shape[1] + 1) // 2
        behind = None if background is None else background.picture(half, 0.5 * scale)
        for name, cut in CUTS.items():
            if name in strengths:
                page = cut(page, behind, strengths[name], kept.of(name))
    for name, seen in AS_SEEN.items():
        if name in strengths:
            page = seen(page, strengths[name], kept.of(name))
    quality = None
    for name, change in FILTERS.items():
        if name == "jpeg" and name in strengths and for_jpeg:
            quality = camera.jpeg_quality(strengths[name], kept.of(name))
        elif name in strengths:
            page = change(page, strengths[name], kept.of(name))
    return replace(
        page,
        jpeg_quality=quality,
        degradations={**page.degradations, **strengths},
        degradation_values={**page.degradation_values, **kept.noted()},
    )


def preset_named(name: str | Preset) -> Preset:
    """A preset by its name.

    Raises:
        ValueError: there is none of that name.
    """
    if isinstance(name, Preset):
        return name
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}; use {', '.join(PRESETS)}")
    return PRESETS[name]
