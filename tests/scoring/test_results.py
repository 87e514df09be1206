from __future__ import annotations

from dataclasses import replace

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
    for row in (*summary["per_lead"].values(), *summary["degradations"]["folds"].values()):
        if row["snr_db_interval"] is not None:
            assert row["snr_db_interval"][0] <= row["snr_db"] <= row["snr_db_interval"][1]
    assert summary["per_lead"]["V6"]["snr_db_interval"] is not None
    clean, scan = (summary["groups"]["preset"][name] for name in ("clean", "scan"))
    assert (clean["pages"], clean["failures"], scan["pages"], scan["failures"]) == (3, 0, 3, 1)
    snr = column(summary["pages"], "snr_db")
    assert clean["snr_db"] == pytest.approx(snr[::2].mean())
    assert list(summary["groups"]["dpi"]) == ["125 to 175", "175 to 250"]
    assert summary["errors"] == {summary["pages"][5]["name"]: "no grid <b>found</b>"}


def test_degradations_are_grouped_by_strength() -> None:
    summary = summary_of(results())
    snr = column(summary["pages"], "snr_db")
    (name, found), *others = summary["degradations"].items()
    assert (name, others) == ("folds", [])
    assert {key: row["pages"] for key, row in found.items()} == {
        "without": 3, "with": 3, "to 1/3": 1, "to 2/3": 1, "to 1": 1,
    }  # fmt: skip
    for key, pages in (("without", [0, 2, 4]), ("with", [1, 3, 5]), ("to 1/3", [1]), ("to 2/3", [3]), ("to 1", [5])):
        assert found[key]["snr_db"] == pytest.approx(snr[pages].mean()), key
    assert summary["pages"][3]["degradations"] == {"folds": 0.5}


def test_pages_of_which_nothing_is_known_have_no_part_in_degradations() -> None:
    known = results(2)
    unknown = [replace(one, index=one.index + 2, facts={}) for one in known]
    assert summary_of(unknown)["degradations"] == {}
    found = summary_of([*known, *unknown])["degradations"]["folds"]
    assert (found["with"]["pages"], found["without"]["pages"]) == (1, 1)
    assert found["to 1"] == {"pages": 0, "snr_db": None, "snr_db_interval": None}


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
