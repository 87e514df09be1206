from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from ecgdig.metrics import LEAD_METRICS, PAGE_METRICS
from ecgdig.report.scores import (
    comparison_markdown,
    comparison_text,
    markdown,
    tables,
    write_comparison_csv,
    write_csv,
)
from ecgdig.report.table import interval

Summary = dict[str, Any]


def test_the_text_names_all_that_was_measured(summary: Summary) -> None:
    text = tables(summary)
    snr, bounds = summary["metrics"]["snr_db"], summary["intervals"]["snr_db"]
    assert f"SNR {snr['mean']:.2f} ± {snr['sd']:.2f} dB" in text
    assert f"{bounds[0]:.2f} to {bounds[1]:.2f} dB" in text
    assert f"{summary['oracle']['snr_db']['mean']:.3f}" in text
    assert "  p<6>: no grid <b>found</b>" in text
    assert "predictions without a truth: 1 (stray)" in text
    for name in (*PAGE_METRICS, "By lead", "By preset", "By layout", "By dpi", "aVR", "12x1", "By degradation"):
        assert name in text


def test_each_degradation_has_its_row(summary: Summary) -> None:
    (line,) = [line for line in tables(summary).splitlines() if line.startswith("folds ")]
    snr = [page["metrics"]["snr_db"] for page in summary["pages"]]
    means = [sum(snr[::2]) / 3, sum(snr[1::2]) / 3, snr[1], snr[3], snr[5]]
    found = summary["degradations"]["folds"]
    known = [interval(found[key]["snr_db_interval"], 1) for key in ("without", "with")]
    numbers = [
        part
        for mean, bounds, n in zip(means, [*known, "-", "-", "-"], "33111", strict=True)
        for part in (f"{mean:.3f}", *bounds.split(), n)
    ]
    assert line.split() == ["folds", *numbers]


def test_each_lead_has_its_interval(summary: Summary) -> None:
    text = tables(summary)
    table = text[text.index("By lead") : text.index("By preset")].splitlines()
    for lead, row in summary["per_lead"].items():
        (line,) = [line for line in table if line.startswith(f"{lead} ")]
        assert line.endswith(interval(row["snr_db_interval"]))


def test_markdown_holds_the_same(summary: Summary) -> None:
    text = markdown(summary)
    assert f"| snr_db | {summary['metrics']['snr_db']['mean']:.3f} |" in text
    assert "| p<6> | no grid <b>found</b> |" in text
    assert summary["command"] in text


def test_csv_has_a_row_for_each_page_and_lead(summary: Summary, tmp_path: Path) -> None:
    write_csv(summary, tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 * 13
    for page, row in zip(summary["pages"], rows[::13], strict=True):
        assert (row["page"], row["lead"], row["preset"]) == (page["name"], "", page["preset"])
        for name in PAGE_METRICS:
            value = page["metrics"][name]
            assert row[name] == "" if value is None else float(row[name]) == value
    assert [row["degradations"] for row in rows[::13]] == ["", "folds 0.2", "", "folds 0.5", "", "folds 0.9"]
    lead = rows[3]
    expected = summary["pages"][0]["per_lead"][lead["lead"]]
    assert [float(lead[name]) for name in LEAD_METRICS] == [expected[name] for name in LEAD_METRICS]
    assert (rows[-1]["failed"], rows[-1]["error"]) == ("1", "no grid <b>found</b>")


def test_a_comparison_as_text_markdown_and_csv(comparison: Summary, tmp_path: Path) -> None:
    snr = comparison["metrics"]["snr_db"]
    for text in (comparison_text(comparison), comparison_markdown(comparison)):
        assert f"{snr['difference']:.3f}" in text
        assert "B against A on 6 common pages" in text
        assert "p<6>" in text
    write_comparison_csv(comparison, tmp_path / "c.csv")
    with (tmp_path / "c.csv").open(newline="") as file:
        rows = {row["page"]: row for row in csv.DictReader(file)}
    assert len(rows) == 6
    assert float(rows["p<6>"]["snr_db"]) == 0
    assert rows["p<6>"]["rmse_mv"] == ""


def test_results_of_older_versions_are_shown(summary: Summary) -> None:
    older = {key: summary[key] for key in ("what", "metrics", "per_lead", "failures", "errors", "oracle", "pages")}
    assert tables(older).count("-") > 10
    assert "95 % interval of the mean" not in tables(older).splitlines()[-3]


@pytest.mark.parametrize("reason", ["", None])
def test_a_failure_without_a_reason(summary: Summary, reason: str | None) -> None:
    assert "p<6>: nothing was read" in tables({**summary, "errors": {"p<6>": reason}})
