from __future__ import annotations

import numpy as np
import pytest

from ecgdig.page import sample_layout, sample_style
from ecgdig.page.split import HELD_OUT, Split, allowed
from ecgdig.page.text import FONTS
from ecgdig.recording import Recording


def seen(recording: Recording, split: Split, n: int = 250) -> dict[str, set[str]]:
    rng = np.random.default_rng(0)
    kinds: dict[str, set[str]] = {"font": set(), "separator": set(), "header": set(), "layout": set()}
    for _ in range(n):
        style = sample_style(rng, split)
        kinds["font"] |= {style.lettering.font, style.lettering.numeral_font} - {""}
        kinds["separator"].add(style.furniture.separator)
        kinds["header"].add(style.furniture.arrangement)
        kinds["layout"].add(sample_layout(recording, style, rng, split=split).name)
    return kinds


def test_training_never_sees_what_is_held_out_and_validation_does(recording: Recording) -> None:
    train, val, both = (seen(recording, split) for split in ("train", "val", "all"))
    for kind in train:
        assert not train[kind] & HELD_OUT[kind], kind
        assert val[kind] & HELD_OUT[kind], kind
        assert both[kind] & HELD_OUT[kind], kind
        assert both[kind] - HELD_OUT[kind], kind
    assert val["separator"] <= HELD_OUT["separator"]
    assert val["layout"] <= HELD_OUT["layout"]


@pytest.mark.parametrize("split, names", [("train", {"red"}), ("val", {"brown"}), ("all", {"red", "brown"})])
def test_the_table_decides(split: Split, names: set[str]) -> None:
    assert set(allowed("hue", {"red": 1.0, "brown": 2.0}, split)) == names
    assert HELD_OUT["font"] <= set(FONTS)
