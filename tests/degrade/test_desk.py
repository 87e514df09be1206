from __future__ import annotations

import numpy as np
import pytest

from ecgdig.degrade import apply
from ecgdig.degrade.desk import sample_desk
from ecgdig.page import Page


def test_desks_are_drawn_from_the_generator_and_are_of_many_kinds() -> None:
    desks = [sample_desk(np.random.default_rng(seed)) for seed in range(80)]
    assert {desk.texture for desk in desks} == {"wood", "cloth", "cloud", None}
    assert any(desk.keys_mm for desk in desks)
    assert any(desk.plank_mm for desk in desks)
    assert any(desk.things for desk in desks)
    assert any(np.ptp(thing.outline_mm) > 1000 for desk in desks for thing in desk.things)  # the table ends
    assert desks[0] == sample_desk(np.random.default_rng(0))


@pytest.mark.parametrize("seed", range(12))
def test_a_desk_fills_the_picture_and_has_its_colour(seed: int) -> None:
    desk = sample_desk(np.random.default_rng(seed))
    picture = desk.picture((150, 200), 1.5)
    assert picture.shape == (150, 200, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 0
    if not desk.things and not desk.keys_mm:
        np.testing.assert_allclose(picture.mean((0, 1)), desk.rgb, atol=30)


def test_a_desk_has_the_same_size_in_mm_at_every_resolution() -> None:
    desk = sample_desk(np.random.default_rng(3))
    coarse, fine = desk.picture((60, 80), 1.0).astype(float), desk.picture((240, 320), 4.0).astype(float)
    averaged = fine.reshape(60, 4, 80, 4, 3).mean((1, 3))
    assert np.corrcoef(coarse.ravel(), averaged.ravel())[0, 1] > 0.5


def test_the_desk_lies_around_the_sheet_and_not_on_it(flat_page: Page) -> None:
    plain = apply(flat_page, {}, np.random.default_rng(1), margin_mm=12)
    laid = apply(flat_page, {}, np.random.default_rng(1), margin_mm=12, desk=True)
    edge = round(12 * 150 / 25.4)
    inside = slice(edge + 3, -edge - 3)
    np.testing.assert_array_equal(laid.image[inside, inside], plain.image[inside, inside])
    assert (laid.image[: edge - 2] != 255).any(-1).mean() > 0.95
