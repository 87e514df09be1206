from __future__ import annotations

import numpy as np

from ecgdig.callbacks.boards import fit, tiled


def test_pictures_stand_in_rows_in_cells_of_the_largest() -> None:
    pictures = [np.full((h, w, 3), 10 * i, np.uint8) for i, (h, w) in enumerate([(4, 9), (5, 3), (2, 2)])]
    grid = tiled(pictures, columns=2, gap_px=1)
    assert grid.shape == (12, 20, 3)
    for picture, (y, x) in zip(pictures, [(0, 0), (0, 10), (6, 0)], strict=True):
        np.testing.assert_array_equal(grid[y : y + picture.shape[0], x : x + picture.shape[1]], picture)
    assert (grid[6:, 10:] == 255).all()


def test_large_pictures_are_reduced_and_small_ones_left() -> None:
    assert fit(np.zeros((300, 600, 3), np.uint8), 200).shape == (100, 200, 3)
    assert fit(np.zeros((30, 60, 3), np.uint8), 200).shape == (30, 60, 3)
