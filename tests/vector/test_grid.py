from __future__ import annotations

import numpy as np
import pytest

from ecgdig.vector.grid import POINTS_PER_MM, find_grid, is_straight
from ecgdig.vector.paths import Stroke

PALE, DARK, INK = (250, 200, 200), (220, 150, 150), (0, 0, 0)


def lines(step: float, unit: float, rgb: tuple[int, int, int], width: float = 0.3) -> list[Stroke]:
    """Upright and level lines every `step` mm over 100 x 60 mm, `unit` points a mm, each a stroke of its own."""
    upright = [np.array([(x, 0.0), (x, 60.0)]) for x in np.arange(0, 100.1, step)]
    level = [np.array([(0.0, y), (100.0, y)]) for y in np.arange(0, 60.1, step)]
    return [Stroke((7.0 + unit * line,), rgb, width) for line in [*upright, *level]]


def squares(step: float, unit: float) -> list[Stroke]:
    """The same as closed squares, all in one path."""
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)], float) * step
    cells = [corners + np.array([x, y]) for x in np.arange(0, 100, step) for y in np.arange(0, 60, step)]
    return [Stroke(tuple(7.0 + unit * cell for cell in cells), DARK, 0.3)]


def wave() -> Stroke:
    x = np.arange(0, 90, 0.05)
    return Stroke((np.stack([30 + x, 60 + 20 * np.sin(x)], 1),), INK, 0.5)


@pytest.mark.parametrize("unit", [1.3, POINTS_PER_MM, 5.5])  # the page half and twice as large as it should be
def test_lines_of_two_looks_are_1_and_5_mm(unit: float) -> None:
    grid = find_grid([*lines(1, unit, PALE), wave(), *lines(5, unit, DARK, 0.6)])
    assert grid is not None
    assert (grid.x.points_per_mm, grid.y.points_per_mm) == pytest.approx((unit, unit))
    large = grid.mm(np.array([[7.0, 7.0 + 5 * unit]])) / 5
    np.testing.assert_allclose(large, np.round(large), atol=1e-6)


@pytest.mark.parametrize(
    ("strokes", "unit"),
    [
        (lines(1, POINTS_PER_MM, PALE), POINTS_PER_MM),
        (lines(5, 2.0, DARK), 2.0),
        (squares(5, POINTS_PER_MM), POINTS_PER_MM),
        ([*lines(1, 1.6, PALE), *lines(1, 1.6, PALE)], 1.6),  # drawn twice
    ],
    ids=["1 mm", "5 mm", "squares", "twice"],
)
def test_squares_of_one_size(strokes: list[Stroke], unit: float) -> None:
    grid = find_grid([*strokes, wave()])
    assert grid is not None
    assert (grid.x.points_per_mm, grid.y.points_per_mm) == pytest.approx((unit, unit))


@pytest.mark.parametrize(
    "strokes",
    [
        [],
        [wave()],
        lines(5, 2.0, DARK)[:21],  # upright ones only
        lines(30, 2.0, DARK),  # a table
        [Stroke((np.array([(x**1.5, 0.0), (x**1.5, 300.0)]),), INK, 1) for x in range(30)],
    ],
    ids=["nothing", "a curve", "one way", "few", "not periodic"],
)
def test_what_is_no_grid(strokes: list[Stroke]) -> None:
    assert find_grid(strokes) is None


def test_is_straight() -> None:
    assert is_straight(np.array([(0, 0), (50, 0.01), (100, 0)]))
    assert not is_straight(wave().lines[0])
