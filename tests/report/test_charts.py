from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest

from ecgdig.report.charts import (
    difference_histogram,
    lead_boxes,
    page_scatter,
    sigma_calibration,
    snr_histogram,
    strength_curves,
)
from ecgdig.scoring.results import THIRDS
from ecgdig.units import LEADS

Summary = dict[str, Any]


def _charts(summary: Summary, comparison: Summary) -> list[str]:
    pages = summary["pages"]
    return [
        lead_boxes(pages),
        snr_histogram(pages),
        sigma_calibration(summary["calibration"]),
        difference_histogram(comparison),
        page_scatter(comparison),
        strength_curves(pages, summary["degradations"]),
    ]


def test_charts_are_inline_and_named(summary: Summary, comparison: Summary) -> None:
    charts = _charts(summary, comparison)
    ids: list[str] = []
    for svg in charts:
        root = ET.fromstring(svg)  # well-formed
        assert root.tag == "svg"
        assert root.get("role") == "img"
        assert root.get("aria-label")
        assert "http" not in svg
        assert "currentColor" in svg
        ids += [element.get("id", "") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))


def test_the_same_numbers_give_the_same_bytes(summary: Summary, comparison: Summary) -> None:
    assert _charts(summary, comparison) == _charts(summary, comparison)


def test_every_lead_has_its_box(summary: Summary) -> None:
    svg = lead_boxes(summary["pages"])
    for lead in LEADS:
        assert f">{lead}</text>" in svg


def test_a_page_of_the_scatter_lies_where_its_scores_say() -> None:
    def at(pairs: dict[str, list[float | None]]) -> list[tuple[float, float]]:
        svg = page_scatter({"snr_db": pairs})
        return [
            (float(x), -float(y))
            for x, y in re.findall(r'<use href="#[^"]+" x="([\d.]+)" y="([\d.]+)" style="fill: #3b82c4', svg)
        ]

    (a, b, c) = at({"a": [0.0, 10.0], "b": [10.0, 10.0], "c": [10.0, 20.0], "not defined in A": [None, 3.0]})
    assert a[0] < b[0] == pytest.approx(c[0])
    assert c[1] > b[1] == pytest.approx(a[1])  # up is better


def test_the_degradations_of_most_pages_are_drawn(summary: Summary) -> None:
    (page, *_) = summary["pages"]
    names = [f"kind {i}" for i in range(14)]
    pages = [{**page, "degradations": dict.fromkeys(names[: i + 1], 0.5)} for i in range(14)]
    none = {"pages": 0, "snr_db": None}
    means = {
        name: {"without": none, "with": {"pages": 14 - i, "snr_db": 1.0}, **dict.fromkeys(THIRDS, none)}
        for i, name in enumerate(names)
    }
    svg = strength_curves(pages, means)
    assert [f">{name}</text>" in svg for name in names] == [True] * 12 + [False] * 2


@pytest.mark.parametrize("chart", [lead_boxes, snr_histogram])
def test_one_failed_page_is_drawn_too(chart: Callable[..., str], summary: Summary) -> None:
    page = {**summary["pages"][-1], "oracle_snr_db": None}
    assert chart([page]).startswith("<svg")
