from __future__ import annotations

import numpy as np
import pytest
from readings import results

from ecgdig.metrics import SIGMA_STEPS
from ecgdig.scoring.results import column, summary_of


def test_the_order_of_arrival_does_not_count() -> None:
    pages = results()
    assert summary_of(pages[::-1]) == summary_of(pages)


def test_intervals_hold_the_mean_and_groups_their_pages() -> None:
    summary = summary_of(results())
    for name, bounds in summary["intervals"].items():
        mean = summary["metrics"][name]["mean"]
        assert bounds is None or bounds[0] <= mean <= bounds[1], name
    assert summary["intervals"]["snr_db"] is not None
    clean, scan = (summary["groups"]["preset"][name] for name in ("clean", "scan"))
    assert (clean["pages"], clean["failures"], scan["pages"], scan["failures"]) == (3, 0, 3, 1)
    snr = column(summary["pages"], "snr_db")
    assert clean["snr_db"] == pytest.approx(snr[::2].mean())
    assert list(summary["groups"]["dpi"]) == ["125 to 175", "175 to 250"]
    assert summary["errors"] == {summary["pages"][5]["name"]: "no grid <b>found</b>"}


def test_honest_error_bars_are_as_expected() -> None:
    calibration = summary_of(results())["calibration"]
    np.testing.assert_allclose(calibration["share"], calibration["expected"], atol=0.02)
    assert calibration["k"] == list(SIGMA_STEPS)
    assert calibration["samples"] == 5 * 12 * 500


@pytest.mark.parametrize(("dpi", "group"), [(60, "below 75"), (75, "75 to 125"), (600.0, "350 and more")])
def test_dpi_is_grouped(dpi: float, group: str) -> None:
    (page, *_) = results(2)
    changed = page.__class__(0, page.score, facts={"dpi": dpi})
    summary = summary_of([changed])
    assert list(summary["groups"]["dpi"]) == [group]
    assert summary["groups"]["preset"] == {}
    assert summary["oracle"] is None
    assert summary["intervals"]["snr_db"] is None  # one page


def test_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no scores"):
        summary_of([])
