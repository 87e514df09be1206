from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ecgdig.page import PLAIN, Layout, Page, Placement, Style, arrange, lead_plan, render
from ecgdig.page.layout import PAPERS
from ecgdig.page.style import Grid
from ecgdig.recording import Recording
from ecgdig.sources import Simulator
from ecgdig.units import LEADS

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # importing it asks the network for its newest version otherwise

REACH_MM = 1.0  # how far the ink is looked for on both sides of a trace

Make = Callable[..., Page]
Measure = Callable[[Page], NDArray[np.float64]]


@pytest.fixture(scope="session")
def recording() -> Recording:
    """10 s of a simulated patient at 500 Hz."""
    return Simulator(1, seed=4)[0]


@pytest.fixture(scope="session")
def smooth() -> Recording:
    """10 s of 12 slow waves without noise: a pen as wide as the paper's truth is smooth leaves its ink on the truth."""
    time_s = np.arange(5000) / 500
    rng = np.random.default_rng(8)
    waves = [
        sum(a * np.sin(2 * np.pi * (f * time_s + rng.random())) for a, f in ((0.25, rng.uniform(0.6, 1)), (0.08, 2.5)))
        for _ in LEADS
    ]
    return Recording(LEADS, 500.0, np.array(waves, np.float32), name="smooth")


@pytest.fixture(scope="session")
def bare() -> Style:
    """Black ink on white paper and nothing else."""
    furniture = replace(PLAIN.furniture, pulse="none", separator="none", header=False, footer=False)
    lettering = replace(PLAIN.lettering, place="none")
    ink = replace(PLAIN.ink, rgb=(0, 0, 0))
    return replace(PLAIN, grid=replace(PLAIN.grid, kind="none"), ink=ink, lettering=lettering, furniture=furniture)


@pytest.fixture(scope="session")
def pale_grid() -> Grid:
    return replace(PLAIN.grid, minor_rgb=(252, 238, 238), major_rgb=(250, 230, 230))


@dataclass(frozen=True)
class Sheet:
    """A layout for tests: letter paper, rows spread over the sheet."""

    name: str

    @property
    def layout(self) -> Layout:
        plan = lead_plan(self.name)
        row_mm = min(30.0, 180 / plan.n_rows)
        return arrange(plan, PAPERS["letter"], Placement(15, 8, 20, row_mm), duration_s=10.0)


@pytest.fixture(scope="session")
def sheet() -> Callable[[str], Layout]:
    return lambda name: Sheet(name).layout


@pytest.fixture(scope="session")
def flat_page(smooth: Recording, bare: Style, sheet: Callable[[str], Layout]) -> Page:
    """A clean 3x4+1 page of slow waves at 150 dpi, without grid."""
    return render(smooth, sheet("3x4+1"), bare, 150, np.random.default_rng(0))


@pytest.fixture
def global_state() -> Callable[[], object]:
    """The state of the generators that everybody shares, for tests that nobody draws from them."""

    def state() -> object:
        name, keys, *rest = np.random.get_state()  # noqa: NPY002
        return random.getstate(), name, keys.tobytes(), tuple(rest)

    return state


@pytest.fixture(scope="session")
def ink_error() -> Measure:
    return measure_ink


def measure_ink(page: Page) -> NDArray[np.float64]:
    """Distance in px from each point of the true polylines to the centroid of the ink across it.

    The image is sampled along the normal of the polyline, in mm through the warp, where no other trace or mark is
    near, the picture shows it and nothing hides it.
    """
    offsets = np.linspace(-REACH_MM, REACH_MM, 61)
    grey = cv2.cvtColor(page.image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    low, high = np.array(page.window_mm[:2]) + REACH_MM, np.array(page.window_mm[2:]) - REACH_MM
    errors = []
    for i, trace in enumerate(page.traces):
        middle = slice(25, -25, 13)
        at = np.stack([trace.x_mm, trace.y_mm], 1)
        along = np.gradient(at, axis=0)
        normal = np.stack([-along[:, 1], along[:, 0]], 1) / np.linalg.norm(along, axis=1, keepdims=True)
        at, normal = at[middle], normal[middle]
        kept = ((at > low) & (at < high)).all(1)
        at, normal = at[kept], normal[kept]
        if not kept.any():
            continue
        line = at[:, None] + offsets[None, :, None] * normal[:, None]
        px = page.warp.to_px(line).astype(np.float32)
        inside = ((px > 2) & (px < np.array(page.shape[::-1]) - 3)).all((1, 2)) & _alone(page, i, at)
        inside &= ~page.hides(line).any(1)
        if not inside.any():
            continue
        profile = cv2.remap(grey, px[inside, :, 0], px[inside, :, 1], cv2.INTER_LINEAR)
        # paper is what the ends of the profile show; a quarter of the depth is left to noise and grid
        ends = np.concatenate([profile[:, :12], profile[:, -12:]], 1)
        dark = np.median(ends, 1, keepdims=True) - profile
        dark = np.clip(dark - 0.25 * dark.max(1, keepdims=True), 0, None)
        off_mm = (dark * offsets).sum(1) / dark.sum(1)
        step = np.linalg.norm(page.warp.to_px(at + 0.1 * normal) - page.warp.to_px(at - 0.1 * normal), axis=1) / 0.2
        errors.append(off_mm * step[inside])
    return np.concatenate(errors)


def _alone(page: Page, index: int, at: NDArray[np.float64]) -> NDArray[np.bool_]:
    alone = np.ones(len(at), bool)
    for j, other in enumerate(page.traces):
        if j != index:
            for dx in (-1.5, 0.0, 1.5):
                alone &= ~(np.abs(other.y_at(at[:, 0] + dx) - at[:, 1]) < 3 * REACH_MM)
    for mark in page.marks:
        x0, y0, x1, y1 = mark.box_mm
        margin = 2 * REACH_MM
        beside = (at[:, 0] < x0 - margin) | (at[:, 0] > x1 + margin)
        alone &= beside | (at[:, 1] < y0 - margin) | (at[:, 1] > y1 + margin)
    return alone


@pytest.fixture(scope="session")
def content() -> Callable[[Path], dict[str, bytes]]:
    """What a folder holds: relative path -> bytes."""

    def read(path: Path) -> dict[str, bytes]:
        return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}

    return read
