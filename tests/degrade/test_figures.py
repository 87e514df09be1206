from __future__ import annotations

import numpy as np
import pytest

from ecgdig.degrade.figures import FIGURES, HIGHLIGHTERS, drawn_figures, highlighter
from ecgdig.degrade.noted import Noting
from ecgdig.page import Page


@pytest.mark.parametrize("mark", [drawn_figures, highlighter])
def test_without_strength_nothing_is_drawn(mark, fine: Page) -> None:
    assert mark(fine, 0.0, np.random.default_rng(0)) is fine


@pytest.mark.parametrize("mark", [drawn_figures, highlighter])
def test_ink_lets_the_trace_through_and_hides_nothing(mark, fine: Page) -> None:
    changed = []
    for seed in range(5):
        page = mark(fine, 1.0, np.random.default_rng(seed))
        assert page.cover is None
        assert (page.image <= fine.image).all()
        assert (page.image[fine.image.max(-1) == 0] == 0).all()  # black stays black
        changed.append((page.image != fine.image).any())
    assert np.mean(changed) > 0.5  # some are beside the window


@pytest.mark.parametrize("figure", FIGURES)
def test_each_figure_is_drawn_around_or_at_its_place(figure) -> None:
    for seed in range(20):
        lines = figure((50.0, 40.0), np.random.default_rng(seed))
        points = np.concatenate(lines)
        assert all(line.ndim == 2 and line.shape[1] == 2 and len(line) > 3 for line in lines)
        low, high = points.min(0), points.max(0)
        assert (low <= [50.5, 41.5]).all()
        assert (high >= [49.5, 38.5]).all()
        assert (high - low).max() < 140  # five marks of callipers
        assert np.linalg.norm(np.diff(lines[0], axis=0), axis=1).max() < 8


def test_figures_stand_where_they_were_drawn(flat_page: Page) -> None:
    blank = flat_page.with_image(np.full_like(flat_page.image, 255))
    figures = set()
    for seed in range(12):
        rng = Noting(np.random.default_rng(seed)).of("a")
        page = drawn_figures(blank, 1.0, rng)
        told = rng.noted()
        figures |= set(told["a.figure"])
        y, x = np.nonzero((page.image != 255).any(-1))
        mm = page.warp.to_mm(np.stack([x, y], -1).astype(float))
        for at in zip(told["a.at_x_mm"], told["a.at_y_mm"], strict=True):
            inside = (np.array(at) > 2).all() and at[0] < 275 and at[1] < 210  # type: ignore[operator]
            if inside:
                assert np.linalg.norm(mm - np.array(at, float), axis=1).min() < 18  # within the largest circle
    assert figures == {figure.__name__.strip("_") for figure in FIGURES}


@pytest.mark.parametrize("seed", range(6))
def test_a_highlighter_is_as_wide_as_was_drawn_and_bright(seed: int, flat_page: Page) -> None:
    blank = flat_page.with_image(np.full_like(flat_page.image, 255))
    rng = Noting(np.random.default_rng(seed)).of("h")
    page = highlighter(blank, 1.0, rng)
    told = {key: np.array(values, float) for key, values in rng.noted().items()}
    changed = (page.image != 255).any(-1)
    # at most the area of its strokes, with their round ends
    most = (told["h.length_mm"] * told["h.width_mm"] + np.pi / 4 * told["h.width_mm"] ** 2).sum()
    assert 0 < changed.sum() / (150 / 25.4) ** 2 < 1.1 * most
    assert (page.image[changed] >= np.array(HIGHLIGHTERS).min(0) - 1).all()
