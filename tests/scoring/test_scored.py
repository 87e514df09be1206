from __future__ import annotations

import numpy as np
import pytest

from ecgdig.recording import Recording
from ecgdig.scoring.scored import printed_only, without_frozen_end
from ecgdig.units import LEADS


def ten_seconds() -> Recording:
    signal = np.random.default_rng(0).normal(0, 1, (12, 5000)).astype(np.float32)
    return Recording(LEADS, 500.0, signal)


def test_an_end_at_which_all_leads_stand_still_is_not_scored() -> None:
    whole = ten_seconds()
    assert without_frozen_end(whole) is whole
    frozen = ten_seconds()
    frozen.signal_mv[:, 4950:] = frozen.signal_mv[:, 4949:4950]
    cut = without_frozen_end(frozen)
    assert np.isnan(cut.signal_mv[:, 4950:]).all()
    np.testing.assert_array_equal(cut.signal_mv[:, :4950], frozen.signal_mv[:, :4950])
    one_moves = Recording(LEADS, 500.0, frozen.signal_mv.copy())
    one_moves.signal_mv[3, 4950:] = np.arange(50)
    assert without_frozen_end(one_moves) is one_moves
    short = Recording(LEADS, 500.0, whole.signal_mv.copy())
    short.signal_mv[:, 4990:] = short.signal_mv[:, 4989:4990]  # 20 ms
    assert without_frozen_end(short) is short


@pytest.mark.parametrize(
    ("layout", "lead", "first", "last"),
    [
        ("3x4", "aVR", 1250, 2500),
        ("3x4 + II", "II", 0, 5000),
        ("3x4 + V1, 25 mm/s", "V6", 3750, 5000),
        ("6x2", "V1", 2500, 5000),
    ],
)
def test_only_what_a_layout_prints_is_scored(layout: str, lead: str, first: int, last: int) -> None:
    known = np.isfinite(printed_only(ten_seconds(), layout).lead(lead))
    np.testing.assert_array_equal(np.flatnonzero(known), np.arange(first, last))


def test_a_truth_of_an_unknown_layout_stays() -> None:
    whole = ten_seconds()
    assert printed_only(whole, "seven by five") is whole
