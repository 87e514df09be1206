from __future__ import annotations

import numpy as np
import pytest

from ecgdig.inkfit.paper import ink_shares

PX = 8.0


def sheet(line: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Paper in uneven light with a grid and a stroke of ink; its picture, where ink is, and the mm of its pixels."""
    x_mm, y_mm = (np.arange(640) + 0.5) / PX, (np.arange(480) + 0.5) / PX
    light = np.linspace(0.7, 1.0, 640)[None, :, None]
    picture = np.full((480, 640, 3), (245.0, 240.0, 230.0))
    for axis, mm in ((1, x_mm), (0, y_mm)):
        on = np.abs((mm + 0.5) % 1 - 0.5) < 0.07
        picture[(slice(None), on) if axis else (on, slice(None))] = line
    ink = np.zeros((480, 640), bool)
    ink[232:236, 40:600] = True  # level, and across the lines
    ink[100:400, 300:304] = True
    picture[ink] = (30, 30, 40)
    return np.asarray(picture * light, np.uint8), ink, x_mm, y_mm


def around(ink: np.ndarray, px: int) -> np.ndarray:  # type: ignore[type-arg]
    import cv2

    return np.asarray(cv2.dilate(ink.astype(np.uint8), np.ones((2 * px + 1, 2 * px + 1), np.uint8)) > 0)


@pytest.mark.parametrize("line", [(240, 170, 170), (150, 60, 60), (120, 120, 120)])
def test_ink_is_one_and_paper_with_its_lines_is_nothing(line: tuple[int, int, int]) -> None:
    picture, ink, x_mm, y_mm = sheet(line)
    seen = ink_shares(picture, ~around(ink, 5), ink, x_mm, y_mm)
    assert seen is not None
    assert np.median(seen.share[ink]) == pytest.approx(1.0, abs=0.05)
    paper = ~around(ink, 3)
    assert np.abs(seen.share[paper]).mean() < 0.03
    assert np.quantile(np.abs(seen.share[paper]), 0.98) < 0.15


def test_lines_as_dark_as_ink_count_for_little() -> None:
    picture, ink, x_mm, y_mm = sheet((45, 45, 50))
    seen = ink_shares(picture, ~around(ink, 5), ink, x_mm, y_mm)
    assert seen is not None
    on_line = np.abs((x_mm + 0.5) % 1 - 0.5) < 0.07
    off_line = np.abs((x_mm + 0.5) % 1 - 0.5) > 0.3
    rows = np.abs((y_mm + 0.5) % 1 - 0.5) > 0.3
    assert np.median(seen.weight[np.ix_(rows, on_line)]) < 0.15
    assert np.median(seen.weight[np.ix_(rows, off_line)]) > 0.8


def test_nothing_is_said_of_a_picture_without_contrast() -> None:
    x_mm, y_mm = (np.arange(200) + 0.5) / PX, (np.arange(100) + 0.5) / PX
    blank = np.full((100, 200, 3), 230, np.uint8)
    core = np.zeros((100, 200), bool)
    core[50] = True
    assert ink_shares(blank, ~core, core, x_mm, y_mm) is None
    assert ink_shares(blank, ~core, np.zeros_like(core), x_mm, y_mm) is None
