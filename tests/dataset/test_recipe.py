from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecgdig.dataset.recipe import Recipe, draw_page, parameters
from ecgdig.degrade import PRESETS
from ecgdig.recording import Recording


@pytest.mark.parametrize("preset", list(PRESETS))
def test_what_was_drawn_is_told(preset: str, recording: Recording) -> None:
    page, drawn = draw_page(Recipe(1, preset, dpi=60), recording, 3)
    assert drawn["degrade"] == page.degradations
    assert set(drawn["degrade"]) <= set(PRESETS[preset].steps)
    assert all(0 < strength <= 1 for strength in drawn["degrade"].values())
    low, high = PRESETS[preset].margin_mm
    assert low <= drawn["margin_mm"] <= high


def test_values_drawn_inside_degradations_are_columns(recording: Recording) -> None:
    recipe = Recipe(1, "photo", dpi=60)
    page, drawn = draw_page(recipe, recording, 5)
    row = parameters(recipe, page, drawn)
    assert "folds.angle_deg" in page.degradation_values
    for name, values in page.degradation_values.items():
        told = row[f"degrade.{name}"]
        if all(isinstance(value, float) for value in values):
            assert tuple(map(float, told.split())) == values
        else:
            assert told == " ".join(map(str, values))


def test_a_page_is_a_function_of_seed_and_index(recording: Recording) -> None:
    recipe = Recipe(3, "scan", dpi=60)
    page, drawn = draw_page(recipe, recording, 7)
    again, drawn_again = draw_page(recipe, recording, 7)
    np.testing.assert_array_equal(page.image, again.image)
    assert drawn == drawn_again
    for other in (draw_page(recipe, recording, 8), draw_page(replace(recipe, seed=4), recording, 7)):
        assert other[0].style != page.style


def test_layout_and_resolution_are_obeyed(recording: Recording) -> None:
    recipe = Recipe(0, "photo", layout="6x2", dpi=72, usual_scale=True)
    page, drawn = draw_page(recipe, recording, 0)
    assert page.layout.name == "6x2"
    assert drawn["dpi"] == 72
    middle = [[page.layout.paper.width_mm / 2, page.layout.paper.height_mm / 2]]
    assert float(page.warp.px_per_mm(middle)[0]) == pytest.approx(72 / 25.4, rel=0.3)  # perspective changes it locally
    row = parameters(recipe, page, drawn)
    assert row["speed_mm_per_s"] == "25"
    assert row["layout"] == "6x2"
    assert row["style.grid.kind"] == page.style.grid.kind
    assert {f"degrade.{name}" for name in PRESETS["photo"].steps} <= set(row)
    assert all(isinstance(value, str) for value in row.values())


@pytest.mark.parametrize(
    "values, named",
    [
        ({"preset": "wet"}, "wet"),
        ({"layout": "5x5"}, "5x5"),
        ({"dpi": 5.0}, "5 dpi"),
        ({"seed": -1}, "-1"),
    ],
)
def test_bad_recipes_name_the_value(values: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Recipe(**values)  # type: ignore[arg-type]


def test_bad_recordings_name_what_is_missing(recording: Recording) -> None:
    nothing = replace(recording, signal_mv=np.full_like(recording.signal_mv, np.nan))
    with pytest.raises(ValueError, match="only NaN"):
        draw_page(Recipe(dpi=60), nothing, 0)
    with pytest.raises(ValueError, match="also prints aVR, V1"):
        draw_page(Recipe(layout="3x4", dpi=60), recording.select(("I", "II")), 0)
