from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from ecgdig.page import sample_style
from ecgdig.page.style import FONTS, HUES, Chances, GridKind, LabelPlace, PulsePlace, Separator, Style
from ecgdig.page.text import font_path


def many(n: int = 400) -> list[Style]:
    rng = np.random.default_rng(0)
    return [sample_style(rng) for _ in range(n)]


def test_every_kind_comes_up_and_no_other() -> None:
    styles = many()
    assert {s.grid.kind for s in styles} == set(get_args(GridKind))
    assert {s.furniture.pulse for s in styles} == set(get_args(PulsePlace))
    assert {s.furniture.separator for s in styles} == set(get_args(Separator))
    assert {s.lettering.place for s in styles} == set(get_args(LabelPlace))
    assert {s.lettering.font for s in styles} == set(FONTS)
    assert {s.ink.fs for s in styles} == {100.0, 200.0, 250.0, 500.0, 1000.0}


def test_the_trace_can_be_seen_on_the_paper() -> None:
    for s in many():
        colours = np.array([s.paper_rgb, s.ink.rgb, s.grid.minor_rgb, s.grid.major_rgb, s.lettering.rgb])
        assert ((colours >= 0) & (colours <= 255)).all()
        assert np.mean(s.paper_rgb) - np.mean(s.ink.rgb) > 80
        assert 0.13 <= s.ink.width_mm <= 0.85
        assert 0.75 <= s.ink.opacity <= 1
        assert 0 <= s.ink.fading <= 0.7
        assert s.grid.minor_mm <= s.grid.major_mm
        assert np.mean(s.grid.major_rgb) <= np.mean(s.grid.minor_rgb) + 1  # 5 mm lines are at least as dark


@pytest.mark.parametrize("chance", [0.0, 0.4, 1.0])
def test_pulses_come_as_often_as_asked(chance: float) -> None:
    rng = np.random.default_rng(0)
    n = sum(sample_style(rng, chances=Chances(pulse=chance)).furniture.pulse != "none" for _ in range(300))
    assert n / 300 == pytest.approx(chance, abs=0.08)


def test_the_same_generator_gives_the_same_style() -> None:
    assert sample_style(np.random.default_rng(3)) == sample_style(np.random.default_rng(3))
    assert sample_style(np.random.default_rng(3)) != sample_style(np.random.default_rng(4))


def test_every_font_is_there() -> None:
    assert [font for font in FONTS if not font_path(font).is_file()] == []


@pytest.mark.parametrize("hue", HUES)
def test_the_grid_has_the_colour_that_is_asked_for(hue: str) -> None:
    rng = np.random.default_rng(0)
    grids = [sample_style(rng, chances=Chances(hue=hue, grey=0.0)).grid for _ in range(60)]
    colours = np.array([grid.major_rgb for grid in grids], float)
    red, green, blue = colours.mean(0)
    if hue in {"red", "pink", "orange", "brown"}:
        assert red > green + 15
        assert red > blue + 15
    elif hue in {"green", "blue", "violet"}:
        assert {"green": green, "blue": blue, "violet": blue}[hue] > red + 3
    elif hue == "grey":
        assert np.ptp(colours, axis=1).max() < 26  # as the paper's
    else:
        assert len({int(np.argmax(c)) for c in colours}) == 3


def test_black_and_white_comes_as_often_as_asked() -> None:
    rng = np.random.default_rng(0)
    styles = [sample_style(rng, chances=Chances(grey=0.5)) for _ in range(200)]
    share = np.mean([len({*style.grid.minor_rgb}) == 1 and style.paper_rgb == (255, 255, 255) for style in styles])
    assert share == pytest.approx(0.5, abs=0.1)
    for bad in ({"grey": 1.5}, {"pulse": -0.1}, {"hue": "octarine"}):
        with pytest.raises(ValueError, match=r"1\.5|-0\.1|octarine"):
            Chances(**bad)  # type: ignore[arg-type]


def test_grids_and_headers_come_as_often_as_asked() -> None:
    rng = np.random.default_rng(0)
    styles = [sample_style(rng, chances=Chances(grid=0.3, header=0.4)) for _ in range(300)]
    assert np.mean([style.grid.kind != "none" for style in styles]) == pytest.approx(0.3, abs=0.08)
    assert np.mean([style.furniture.header for style in styles]) == pytest.approx(0.4, abs=0.08)
