from __future__ import annotations

import numpy as np
import pytest

from ecgdig.page.style import FONTS
from ecgdig.page.text import stamp, word_ink, word_mask


@pytest.mark.parametrize("font", FONTS)
def test_capitals_are_as_high_as_asked(font: str) -> None:
    mask = word_mask("I", font, 40)
    assert mask.dtype == np.uint8
    assert mask.shape[0] == pytest.approx(40, abs=4)
    assert mask.max() == 255
    assert mask[0].any()
    assert mask[-1].any()


def test_words_of_nothing_or_of_strange_signs_have_a_mask() -> None:
    for text in ("", " ", "−aVR", "µ"):
        assert word_mask(text, "DejaVuSans", 10).size > 0


def test_a_stamp_is_cut_at_the_edge_and_the_darker_stays() -> None:
    mask = np.full((4, 6), 100, np.uint8)
    canvas = np.zeros((10, 10), np.uint8)
    canvas[0, 0] = 200
    stamp(canvas, mask, -2, -1)
    assert canvas[0, 0] == 200
    assert (canvas[:3, :4] >= 100).all()
    assert np.count_nonzero(canvas) == 12
    stamp(canvas, mask, 8, 8)
    assert np.count_nonzero(canvas) == 16
    for x, y in ((-6, 0), (10, 0), (0, -4), (0, 10), (1000, -1000)):
        stamp(canvas, mask, x, y)
    assert np.count_nonzero(canvas) == 16


@pytest.mark.parametrize("font", FONTS)
def test_words_stand_on_one_line(font: str) -> None:
    bottoms = {word: word_ink(word, font, 40)[1] + word_ink(word, font, 40)[0].shape[0] for word in ("ms", "Hz", "H")}
    assert max(bottoms.values()) - min(bottoms.values()) <= 4, bottoms
    assert word_ink("ms", font, 40)[1] > 4
