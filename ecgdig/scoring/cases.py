"""Pages with known truth, for scoring: rendered here, or listed in a folder's index. No torch in here."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ecgdig.dataset.manifest import MANIFEST
from ecgdig.dataset.truth import read_truth
from ecgdig.degrade import degrade
from ecgdig.formats import read_recording
from ecgdig.io.image import ImageError, read_image
from ecgdig.page import Page, render, sample_style
from ecgdig.page.layout import LeadPlan, lead_plan
from ecgdig.page.sample import sample_layout
from ecgdig.recording import Recording
from ecgdig.scoring.scored import as_recorded, printed_only, without_frozen_end
from ecgdig.sources import Source
from ecgdig.units import dpi as dpi_of

LAYOUTS = ("3x4+1", "3x4", "3x4+3", "6x2", "12x1")
T = TypeVar("T")


class CaseError(ValueError):
    """A page that cannot be scored: its truth cannot be read, or its recording not be drawn.

    Attributes:
        name: of the page.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason)
        self.name = name


@dataclass(frozen=True)
class Case:
    """One page to read: its picture and what is printed; `page` where it was made here.

    Attributes:
        index: its place among the cases of its kind, from 0.
        facts: what is known of the page beforehand, as in `results.PageResult`.
        error: why there is no picture, which is then `(0, 0, 3)`; empty where there is one.
    """

    name: str
    image: NDArray[np.uint8]
    truth: Recording
    page: Page | None = None
    index: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


def those_that_can_be_scored(
    make: Callable[[Iterator[int]], Iterator[T]], indices: Iterator[int], unscored: dict[str, str]
) -> Iterator[T]:
    """What `make` gives for `indices`; a page that cannot be scored is passed over.

    Args:
        unscored: is given the name of each such page, with the reason.
    """
    while True:
        try:
            yield from make(indices)
            return
        except CaseError as error:  # its index is used up: `make` goes on behind it
            unscored[error.name] = str(error)


def rendered_cases(
    source: Source,
    preset: str,
    layouts: tuple[str, ...],
    dpi: float,
    seed: int,
    indices: Iterable[int] | None = None,
) -> Iterator[Case]:
    """One page for each recording: random style with a grid, 25 mm/s, 10 mm/mV; case i is a function of (seed, i).

    The truth is the recording itself, not the straight lines that a page drawn from 100 samples a second prints. A
    frozen end, at which all leads of the recording stand still, is printed but not scored.

    Args:
        indices: which cases, ascending; those that there are not are passed over. Default: all.

    Raises:
        CaseError: a recording that cannot be read, lacks leads of its layout, or is too short for it.
    """
    for i in _of(indices, len(source)):
        name = f"page-{i}"
        try:
            recording = source[i]
            name = recording.name or name
            plan = _plan(layouts[i % len(layouts)], recording)
            rng = np.random.default_rng([seed, i])
            style = sample_style(rng)
            while style.grid.kind == "none":  # without a grid a flat page has no scale
                style = sample_style(rng)
            layout = sample_layout(recording, style, rng, plan, usual_scale=True)
        except ValueError as error:
            raise CaseError(name, str(error)) from None
        page = degrade(render(recording, layout, style, dpi, rng), preset, rng)
        facts = {"preset": preset, "layout": plan.name, "dpi": _dpi(page), "degradations": _strengths(page)}
        truth = without_frozen_end(as_recorded(page), recording)
        yield Case(name, page.image, truth, page, i, facts)


def folder_cases(folder: Path, indices: Iterable[int] | None = None) -> Iterator[Case]:
    """Pages listed in `index.csv` with the columns `image` and `truth` (a recording), paths relative to it.

    A column `labels` (`scripts/render.py` writes it) names a page's whole truth, which gives oracle and true geometry.
    Where there is a column `layout` that begins like `3x4 + II`, only what such a page prints is scored: the truths of
    some collections hold the whole recording. Nor is a frozen end scored, at which all leads stand still.
    Preset, layout and dpi are those of a `manifest.csv` where there is one. Of a picture that cannot be read the case
    says why.

    Args:
        indices: which rows, ascending; those that there are not are passed over. Default: all.

    Raises:
        CaseError: a truth that cannot be read, or of which nothing is to be scored.
        ValueError: no index, or it lacks these columns.
    """
    rows = index_rows(folder)
    known = manifest_facts(folder)
    for i in _of(indices, len(rows)):
        row, name = rows[i], Path(rows[i]["image"]).stem
        try:
            truth = scored_truth(folder / row["truth"], row.get("layout") or "")
            page = read_truth(folder / row["labels"]).page if row.get("labels") else None
        except ValueError as error:
            raise CaseError(name, str(error)) from None
        facts = {"layout": row.get("layout") or None, **known.get(row["image"], {})}
        if page is not None:
            facts |= {"dpi": _dpi(page), "degradations": _strengths(page)}
        image, why = _picture(folder / row["image"])
        yield Case(name, image, truth, page, i, facts, why)


def scored_truth(file: Path, layout: str) -> Recording:
    """What of a recording is scored where a page prints it in `layout` (empty: all of it).

    Raises:
        ValueError: not readable, or nothing is left.
    """
    truth = printed_only(without_frozen_end(read_recording(file)), layout)
    if not np.isfinite(truth.signal_mv).any():
        raise ValueError(f"{file}: no known sample where a page of layout {layout} prints one")
    return truth


def index_rows(folder: Path) -> list[dict[str, str]]:
    """The rows of a folder's `index.csv`.

    Raises:
        ValueError: no index, or it lacks the columns `image` and `truth`, or a row one of them.
    """
    index = folder / "index.csv"
    if not index.is_file():
        raise ValueError(f"{folder}: no index.csv; it needs the columns image and truth")
    with index.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"image", "truth"} <= set(rows[0]):
        raise ValueError(f"{index}: needs the columns image and truth, and at least one row")
    for number, row in enumerate(rows, 1):
        if not (row["image"] and row["truth"]):
            raise ValueError(f"{index}: row {number} names no image or no truth; give both, or take it out")
    return rows


def manifest_facts(folder: Path) -> dict[str, dict[str, Any]]:
    """Picture (as written in the manifest) -> facts of the page; empty where `scripts/render.py` wrote none."""
    file = folder / MANIFEST
    if not file.is_file():
        return {}
    with file.open(newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row.get("image")]
    return {
        row["image"]: {
            "preset": row.get("preset") or None,
            "layout": row.get("layout") or None,
            "dpi": float(row["dpi"]) if row.get("dpi") else None,
            "degradations": _degradations(row),
        }
        for row in rows
    }


def _of(indices: Iterable[int] | None, n: int) -> Iterator[int]:
    for i in range(n) if indices is None else indices:
        if i >= n:
            return
        yield i


def _plan(layout: str, recording: Recording) -> LeadPlan:
    """Of a layout whose leads the recording has.

    Raises:
        ValueError: some are missing.
    """
    plan = lead_plan(layout)
    missing = [lead for row in plan.grid for lead in row if lead not in recording.leads]
    if missing:
        raise ValueError(
            f"{recording.name}: has {', '.join(recording.leads)} only; layout {plan.name} also prints "
            f"{', '.join(missing)}; give 12-lead records"
        )
    return plan


def _strengths(page: Page) -> dict[str, float]:
    return {name: round(strength, 4) for name, strength in page.degradations.items()}


def _degradations(row: Mapping[str, str]) -> dict[str, float] | None:
    """Name -> strength, of the columns `degrade.NAME` of a manifest; None where it has none."""
    of = {name.removeprefix("degrade."): value for name, value in row.items() if name.startswith("degrade.")}
    return {name: float(value) for name, value in of.items() if value and "." not in name} if of else None


def _picture(file: Path) -> tuple[NDArray[np.uint8], str]:
    """The picture, or an empty one and why it cannot be read."""
    try:
        return read_image(file), ""
    except ImageError as error:
        return np.zeros((0, 0, 3), np.uint8), str(error)


def _dpi(page: Page) -> float:
    """Of the picture, in the middle of what it shows of the sheet."""
    x0, y0, x1, y1 = page.window_mm
    return round(dpi_of(float(page.warp.px_per_mm([(x0 + x1) / 2, (y0 + y1) / 2]))), 1)
