from __future__ import annotations

import numpy as np
import pytest
from ink_net import ink_model

from ecgdig.calibrate import fit_sigma_rule, spreads_and_errors
from ecgdig.evaluate import rendered_cases
from ecgdig.sources import Simulator


@pytest.mark.parametrize(("factor", "floor"), [(1.0, 0.02), (2.5, 0.1)])
def test_recovers_a_constructed_rule(factor: float, floor: float) -> None:
    rng = np.random.default_rng(0)
    spread = rng.uniform(0, 0.3, 40_000)
    error = rng.normal(0, np.hypot(factor * spread, floor))
    found = fit_sigma_rule(spread, error)
    inside = np.abs(error) <= 1.6449 * np.hypot(found[0] * spread, found[1])
    assert inside.mean() == pytest.approx(0.9, abs=0.01)
    assert found[0] == pytest.approx(factor, rel=0.2)


def test_too_little_to_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="100 or more"):
        fit_sigma_rule(np.ones(5), np.ones(5))


def test_errors_of_pages_read_with_their_true_geometry() -> None:
    cases = rendered_cases(Simulator(1, seed=3), "clean", ("3x4",), 150, 1)
    spread, error = spreads_and_errors(cases, ink_model())
    assert spread.shape == error.shape
    assert np.median(np.abs(error)) < 0.2
