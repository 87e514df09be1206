import numpy as np
import pytest
from drawn_grid import GREY, PINK, drawn

from ecgdig.locate.ink import INK_PX_PER_MM, follow, ink_map
from ecgdig.page.warp import Homography, Warp


@pytest.mark.parametrize("colours", [PINK, GREY])
def test_the_map_holds_the_trace_and_not_the_grid(colours):
    image, matrix = drawn(7.1, (120.0, 90.0), colours=colours, phase_mm=(0.0, 0.0))
    warp = Warp((Homography.of(np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))),))
    for top in (100, 300, 500):
        image[top : top + 3, 100:700] = 20  # traces 0.4 mm thick
    page = ink_map(image, warp)
    rows = [round(float(page.row(warp.to_mm(np.array([400.0, y]))[1]))) for y in (101.0, 301.0, 501.0)]
    x = np.arange(round(float(page.column(20.0))), round(float(page.column(90.0))))
    away = page.ink.copy()
    for y in rows:
        assert page.ink[y, x].mean() > 0.7
        near = page.ink[y - 4 : y + 5, x].sum(axis=1)
        assert np.average(np.arange(-4, 5), weights=near) == pytest.approx(0.0, abs=0.7)
        away[y - 4 : y + 5] = 0
    assert away.mean() < 0.01


def test_coordinates_of_the_map_are_mm():
    image, matrix = drawn(6.0, (60.0, 50.0))
    page = ink_map(image, Warp((Homography.of(np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))),)))
    assert page.column(page.x_mm(17)) == pytest.approx(17)
    assert page.y_mm(page.row(12.5)) == pytest.approx(12.5)
    assert page.x_mm(INK_PX_PER_MM) - page.x_mm(0) == pytest.approx(1.0)


def test_the_path_follows_ink_through_a_gap_and_up_a_flank():
    ink = np.zeros((60, 80), np.float32)
    ink[40, :30] = 1
    ink[20:41, 30] = 1
    ink[20, 31:] = 1
    ink[:, 50:53] = 0
    path = follow(ink, 30.0, 0.06, 0.001)
    assert (path[:30] == 40).all()
    assert (path[31:] == 20).all()
