from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgdig.degrade.handwriting import notes, read_words, sample_pen, signature, write
from ecgdig.degrade.wishes import Wishes
from ecgdig.fonts import HANDS
from ecgdig.page import Page


@pytest.mark.parametrize("hand", HANDS)
def test_each_hand_writes_from_where_it_is_asked_to_as_high_as_it_is_asked_to(hand: str, blank: Page) -> None:
    canvas = np.zeros(blank.shape, np.uint8)
    end = write(canvas, blank, "HEH", hand, 6.0, (110.0, 175.0), 0.0, np.random.default_rng(0))
    rows, columns = np.nonzero(canvas > 100)
    (left, top), (right, bottom) = blank.warp.to_mm([[columns.min(), rows.min()], [columns.max(), rows.max()]])
    assert left == pytest.approx(110, abs=3)
    assert bottom == pytest.approx(175, abs=3.5)
    assert 5 < bottom - top < 11
    assert end[0] > 110
    assert abs(end[0] - right) < 4
    again = np.zeros(blank.shape, np.uint8)
    write(again, blank, "HEH", hand, 6.0, (110.0, 175.0), 0.0, np.random.default_rng(1))
    assert (canvas != again).any()  # no two words alike


def test_a_line_may_run_upwards_and_off_the_page(blank: Page) -> None:
    canvas = np.zeros(blank.shape, np.uint8)
    end = write(canvas, blank, "sinus rhythm", "IndieFlower", 4.0, (130.0, 185.0), -90.0, np.random.default_rng(0))
    assert end[0] == pytest.approx(130, abs=1)
    assert end[1] < 165
    assert canvas[: canvas.shape[0] // 2].any()
    write(canvas, blank, "far away", "Kristi", 4.0, (900.0, -300.0), 30.0, np.random.default_rng(0))


def test_the_same_letter_never_looks_the_same(blank: Page) -> None:
    canvas = np.zeros(blank.shape, np.uint8)
    rng = np.random.default_rng(3)
    cells = []
    for k in range(3):
        canvas[:] = 0
        write(canvas, blank, "e", "Caveat", 8.0, (130.0, 175.0), 0.0, rng)
        cells.append(canvas.copy())
        assert canvas.any(), k
    assert (cells[0] != cells[1]).any()
    assert (cells[1] != cells[2]).any()


def test_ink_lets_the_paper_show_and_words_are_the_users(blank: Page) -> None:
    page = notes(blank, 1.0, np.random.default_rng(1), Wishes(("MMMM",)))
    assert page.image.min() > 20
    assert (page.image == 255).all(-1).mean() > 0.5
    other = notes(blank, 1.0, np.random.default_rng(1), Wishes((".",)))
    assert (other.image < 200).any(-1).sum() < (page.image < 200).any(-1).sum()
    assert (signature(blank, 1.0, np.random.default_rng(5)).image < 200).any()


def test_pens_are_as_often_what_they_should_be() -> None:
    rng = np.random.default_rng(0)
    pens = [sample_pen(rng) for _ in range(400)]
    assert 0.08 < np.mean([pen.grainy for pen in pens]) < 0.25
    assert np.mean([pen.rgb[2] > pen.rgb[0] + 60 for pen in pens]) > 0.25
    assert all(0.3 <= pen.width_mm <= 0.75 for pen in pens)


def test_words_come_from_a_file(tmp_path: Path) -> None:
    assert {"sinus rhythm", "LBBB"} < set(read_words())
    file = tmp_path / "words.txt"
    file.write_text(" Vorhofflimmern \n\nétude\n", encoding="utf-8")
    assert read_words(str(file)) == ("Vorhofflimmern", "étude")
    file2 = tmp_path / "none.txt"
    file2.write_text("\n")
    with pytest.raises(ValueError, match=r"none.txt holds no words; want one note a line"):
        read_words(str(file2))
