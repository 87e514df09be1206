from __future__ import annotations

import numpy as np

from ecgdig.degrade.noted import Noting, note


def test_a_noting_generator_draws_what_its_own_would() -> None:
    plain, kept = np.random.default_rng(3), np.random.default_rng(3)
    noting = Noting(kept).of("fog")
    for draw in (
        lambda rng: rng.random(),
        lambda rng: rng.integers(0, 9, 5),
        lambda rng: rng.normal(size=3),
        lambda rng: rng.poisson(2.5),
        lambda rng: rng.choice(["a", "b"]),
        lambda rng: rng.standard_normal(3, np.float32),
    ):
        np.testing.assert_array_equal(draw(plain), draw(noting))
    assert plain.random() == kept.random()  # it has moved on as far as the plain one


def test_values_are_kept_by_degradation_and_in_order() -> None:
    noting = Noting(np.random.default_rng(0))
    note(noting.of("fog"), depth=np.float32(0.25), kind="sea")
    note(noting.of("rain"), depth=7)
    note(noting.of("fog"), depth=1 / 3)
    assert noting.noted() == {"fog.depth": (0.25, 0.333333), "fog.kind": ("sea",), "rain.depth": (7.0,)}


def test_other_generators_keep_nothing() -> None:
    rng = np.random.default_rng(0)
    note(rng, depth=1.0)
    assert rng.random() == np.random.default_rng(0).random()
