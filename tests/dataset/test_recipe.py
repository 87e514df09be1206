from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecgdig.dataset.recipe import Look, Recipe, Sheet, draw_page, parameters, sheets_of
from ecgdig.degrade import PRESETS
from ecgdig.degrade.wishes import Wishes
from ecgdig.page.style import Chances
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
        ({"order": "cabrera"}, "order cabrera of leads needs a layout"),
        ({"order": "odd", "layout": "3x4"}, "'odd'; use usual, cabrera"),
        ({"sheets": "two"}, "'two'; use one, all"),
        ({"strengths": (("rain", 0.5),)}, "unknown degradation 'rain'"),
        ({"strengths": (("noise", 1.5),)}, "1.5 of noise"),
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


def test_looks_that_are_asked_for_are_on_every_page(recording: Recording) -> None:
    look = Look(("place=none", "header=false", "qr=true", "kind=none"), Chances(pulse=1.0))
    for index in range(4):
        style = draw_page(Recipe(5, "clean", dpi=40, look=look, usual_scale=True), recording, index)[0].style
        assert style.lettering.place == "none"
        assert style.furniture.qr
        assert not style.furniture.header
        assert style.furniture.pulse != "none"
        assert style.grid.kind == "none"
    with pytest.raises(ValueError, match="'wet' does not exist"):
        Look(("wet=1",))


def test_strengths_that_are_asked_for_replace_what_is_drawn(recording: Recording) -> None:
    plain = Recipe(5, "photo", dpi=40)
    asked = replace(plain, strengths=(("noise", 0.25), ("perspective", 0.0), ("fax", 0.5)))
    page, drawn = draw_page(asked, recording, 0)
    assert "perspective" in draw_page(plain, recording, 0)[1]["degrade"]
    assert "perspective" not in drawn["degrade"]
    assert (drawn["degrade"]["noise"], drawn["degrade"]["fax"]) == (0.25, 0.5)
    assert parameters(asked, page, drawn)["degrade.fax"] == "0.5"
    wished = replace(plain, strengths=(("handwriting", 0.5),), wishes=Wishes(notes=2, words=("x",)))
    assert len(draw_page(wished, recording, 0)[0].degradation_values["handwriting.pen"]) == 2


def test_leads_stand_as_they_are_named(recording: Recording) -> None:
    page = draw_page(Recipe(1, "clean", "3x4+1", 40, order="cabrera"), recording, 0)[0]
    assert [s.lead for s in page.layout.row(0)] == ["aVL", "II", "V1", "V4"]
    assert [s.lead for s in page.layout.row(2)][:2] == ["-aVR", "III"]
    page = draw_page(Recipe(1, "clean", "V1,V2/V3,V4+II/V1", 40), recording, 0)[0]
    assert [[s.lead for s in page.layout.row(r)] for r in range(4)] == [["V1", "V2"], ["V3", "V4"], ["II"], ["V1"]]


def test_a_long_record_goes_on_over_its_pages(recording: Recording) -> None:
    signal = np.tile(recording.signal_mv, (1, 3))[:, :-77]
    long = replace(recording, signal_mv=signal)
    recipe = Recipe(2, "print", "6x2+1", dpi=40, sheets="all")
    n = sheets_of(recipe, long, 4)
    pages = [draw_page(recipe, long, 10 + k, Sheet(4, k))[0] for k in range(n)]
    assert n >= 3
    assert all(page.style == pages[0].style for page in pages)
    assert len({page.layout.paper for page in pages}) == 1
    strip = [page.layout.row(6)[0] for page in pages]
    assert [s.start_s for s in strip] == pytest.approx(np.cumsum([0.0] + [s.duration_s for s in strip[:-1]]))
    assert strip[-1].start_s + strip[-1].duration_s == pytest.approx(long.duration_s)
    assert [parameters(recipe, page, {"dpi": 40.0, "margin_mm": 0.0, "degrade": {}})["sheet"] for page in pages] == [
        str(k) for k in range(n)
    ]
