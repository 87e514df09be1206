from __future__ import annotations

import numpy as np
import pytest

from ecgdig.metrics.pairing import paired, per_lead


@pytest.mark.parametrize(
    ("estimate", "fitted"),
    [
        pytest.param([1.0, 2.0], [1.0, 2.0, np.nan], id="shorter: the end is missing"),
        pytest.param([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0], id="longer: cut"),
        pytest.param([1.0, np.inf, 3.0], [1.0, np.nan, 3.0], id="infinite: not known"),
    ],
)
def test_the_estimate_gets_the_length_of_the_reference(estimate: list[float], fitted: list[float]) -> None:
    np.testing.assert_array_equal(paired([5.0, 6.0, 7.0], estimate)[1], fitted)


def test_other_numbers_of_leads_are_refused() -> None:
    with pytest.raises(ValueError, match="same number of leads"):
        paired(np.zeros((2, 5)), np.zeros((3, 5)))


def test_an_unscored_lead_is_nan_and_the_others_are_measured() -> None:
    reference = np.array([[1.0, 2.0], [np.nan, np.nan]])
    values = per_lead(lambda r, e: float((r - e).sum()), reference, np.zeros((2, 2)))
    np.testing.assert_array_equal(values, [3.0, np.nan])
    assert per_lead(lambda r, e: float((r - e).sum()), reference[0], np.zeros(2)) == 3.0
