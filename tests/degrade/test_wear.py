from __future__ import annotations

import numpy as np
import pytest

from ecgdig.degrade import wear
from ecgdig.degrade.noted import Noting
from ecgdig.page import Page


@pytest.mark.parametrize("name", ["bleed", "smear", "thermal_fading"])
def test_without_strength_the_ink_is_as_it_was(name: str, fine: Page) -> None:
    assert getattr(wear, name)(fine, 0.0, np.random.default_rng(0)) is fine


@pytest.mark.parametrize("seed", range(4))
def test_ink_bleeds_as_far_as_was_drawn(seed: int, fine: Page) -> None:
    rng = Noting(np.random.default_rng(seed)).of("b")
    page = wear.bleed(fine, 1.0, rng)
    assert (page.image <= fine.image).all()
    sigma_px = float(rng.noted()["b.sigma_mm"][0]) * 300 / 25.4
    y, x = np.nonzero((page.image != fine.image).any(-1))
    ink = np.argwhere(fine.image[..., 0] == 0)[:, ::-1]
    some = np.random.default_rng(0).choice(len(x), 60)
    away = [np.hypot(*(ink - [x[k], y[k]]).T).min() for k in some]
    assert max(away) <= 4 * sigma_px + 2
    grown = (page.image[..., 0] < 128).sum() / (fine.image[..., 0] < 128).sum()
    assert 1 < grown < 1 + 2.5 * sigma_px


def test_a_sleeve_wipes_only_what_is_wet_and_darkens(fine: Page, blank: Page) -> None:
    for seed in range(4):
        assert (wear.smear(blank, 1.0, np.random.default_rng(seed)).image == 255).all()
        page = wear.smear(fine, 1.0, np.random.default_rng(seed))
        assert (page.image <= fine.image).all()
        assert (page.image[fine.image.max(-1) == 0] == 0).all()


def test_faded_print_is_hidden_where_little_is_left(fine: Page) -> None:
    black = fine.with_image(np.zeros_like(fine.image))
    hidden = 0.0
    for seed in range(8):
        page = wear.thermal_fading(black, 1.0, np.random.default_rng(seed))
        left = 1 - page.image[::4, ::4, 0] / 255
        y, x = np.mgrid[0 : page.shape[0] : 4, 0 : page.shape[1] : 4]
        gone = page.hides(page.warp.to_mm(np.stack([x, y], -1).astype(float)))
        assert left.min() > 0.09
        assert gone[left < 0.22].all()
        assert not gone[left > 0.3].any()
        hidden += gone.mean()
    assert hidden > 0.1
