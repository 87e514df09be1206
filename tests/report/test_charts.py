from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest

from ecgdig.report.charts import difference_histogram, lead_boxes, sigma_calibration, snr_histogram
from ecgdig.units import LEADS

Summary = dict[str, Any]


def _charts(summary: Summary, comparison: Summary) -> list[str]:
    pages = summary["pages"]
    return [
        lead_boxes(pages),
        snr_histogram(pages),
        sigma_calibration(summary["calibration"]),
        difference_histogram(comparison),
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


@pytest.mark.parametrize("chart", [lead_boxes, snr_histogram])
def test_one_failed_page_is_drawn_too(chart: Callable[..., str], summary: Summary) -> None:
    page = {**summary["pages"][-1], "oracle_snr_db": None}
    assert chart([page]).startswith("<svg")
