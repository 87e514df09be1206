"""The result of a page, and the summary of many: what is printed, kept as JSON, drawn as a report and compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ecgdig.metrics import (
    PAGE_METRICS,
    SIGMA_STEPS,
    SNR_CAP_DB,
    RecordScore,
    bootstrap_interval,
    expected_shares,
    summarise,
)

FACTS = ("preset", "layout", "dpi")
THIRDS = ("to 1/3", "to 2/3", "to 1")  # of the strength of a degradation
GROUP_METRICS = ("snr_db", "snr_page_db", "snr_kaggle_db", "snr_challenge_db", "coverage")
_DPI_EDGES = (75, 125, 175, 250, 350)  # between the usual 100, 150, 200, 300


@dataclass(frozen=True)
class PageResult:
    """What came of one page, in numbers.

    Attributes:
        index: its place among the pages; results are summarised in this order.
        oracle: the score of a network without error, where the page is known.
        error: why nothing was read; empty if something was.
        facts: `FACTS` -> what is known of the page (text, or a number for dpi), None or absent where it is not;
            `degradations` -> {name: strength, 0 to 1} likewise.
    """

    index: int
    score: RecordScore
    oracle: RecordScore | None = None
    error: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def summary_of(results: Iterable[PageResult]) -> dict[str, Any]:
    """`metrics.summarise` and what goes beyond one mean.

    Returns:
        the summary with `oracle` (`{name: {mean, sd, median}}`, None without rendered pages), `errors` (page -> why it
        failed), `intervals` (metric -> [low, high], the 95 % bootstrap interval of the mean over pages, None where
        undefined), in each of `per_lead` also `snr_db_interval`, `groups` (fact -> value -> `pages`, `failures`, means
        of `GROUP_METRICS`, `snr_db_interval`), `degradations` (name -> `without`, `with` and each of `THIRDS`: `pages`,
        and of them `snr_db` and `snr_db_interval`, None where undefined), `calibration` (`k`, `expected`, `share`,
        `samples`; None without error bars), and in each of `pages` also its `FACTS`, `degradations`, `error` and the
        oracle's `oracle_snr_db`.

    Raises:
        ValueError: no results.
    """
    ordered = sorted(results, key=lambda result: result.index)
    summary = summarise([result.score for result in ordered])
    oracles = [result.oracle for result in ordered if result.oracle is not None]
    for page, result in zip(summary["pages"], ordered, strict=True):
        page |= {fact: result.facts.get(fact) for fact in (*FACTS, "degradations")}
        page["error"] = result.error
        page["oracle_snr_db"] = None if result.oracle is None else min(result.oracle.page["snr_db"], SNR_CAP_DB)
    summary["oracle"] = summarise(oracles)["metrics"] if oracles else None
    summary["errors"] = {result.score.name: result.error for result in ordered if result.error}
    summary["intervals"] = _intervals(summary["pages"])
    for lead, row in summary["per_lead"].items():
        row["snr_db_interval"] = _lead_interval(summary["pages"], lead)
    summary["groups"] = {fact: _groups(summary["pages"], fact) for fact in FACTS}
    summary["degradations"] = _degradations(summary["pages"])
    summary["calibration"] = _calibration([result.score.sigma_hits for result in ordered])
    return summary


def column(pages: Sequence[Mapping[str, Any]], metric: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """One metric of the pages of a summary, `(n_pages,)`; NaN where it is not defined."""
    values = (page["metrics"].get(metric) for page in pages)
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _intervals(pages: Sequence[Mapping[str, Any]]) -> dict[str, list[float] | None]:
    intervals = {name: _interval(column(pages, name)) for name in PAGE_METRICS}
    linear = _interval(10 ** (column(pages, "snr_kaggle_db") / 10))
    intervals["snr_kaggle_linear_db"] = None if linear is None else [10 * float(np.log10(v)) for v in linear]
    return intervals


def _interval(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[float] | None:
    low, high = bootstrap_interval(values)
    return None if np.isnan(low) else [low, high]


def _lead_interval(pages: Sequence[Mapping[str, Any]], lead: str) -> list[float] | None:
    values = (page["per_lead"].get(lead, {}).get("snr_db") for page in pages)
    return _interval(np.array([np.nan if value is None else value for value in values], np.float64))


def _groups(pages: Sequence[Mapping[str, Any]], fact: str) -> dict[str, dict[str, Any]]:
    """Value -> its pages; empty where nothing is known of any page."""
    members: dict[str, list[Mapping[str, Any]]] = {}
    for page in pages:
        if page[fact] is not None:
            members.setdefault(_dpi_range(page[fact]) if fact == "dpi" else str(page[fact]), []).append(page)
    order = sorted(members, key=lambda value: members[value][0]["dpi"]) if fact == "dpi" else sorted(members)
    return {value: _group(members[value]) for value in order}


def _dpi_range(dpi: float) -> str:
    i = int(np.searchsorted(_DPI_EDGES, dpi, side="right"))
    if i == 0:
        return f"below {_DPI_EDGES[0]}"
    return f"{_DPI_EDGES[i - 1]} to {_DPI_EDGES[i]}" if i < len(_DPI_EDGES) else f"{_DPI_EDGES[-1]} and more"


def _group(pages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    values = {name: column(pages, name) for name in GROUP_METRICS}
    return {
        "pages": len(pages),
        "failures": sum(page["failed"] for page in pages),
        **{name: float(v[np.isfinite(v)].mean()) if np.isfinite(v).any() else None for name, v in values.items()},
        "snr_db_interval": _interval(values["snr_db"]),
    }


def _degradations(pages: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Pages of which it is not known what was done to them are left out."""
    known = [page for page in pages if page["degradations"] is not None]
    snr = column(known, "snr_db")

    def mean(which: np.ndarray[Any, np.dtype[np.bool_]]) -> dict[str, Any]:
        here = snr[which]
        return {
            "pages": here.size,
            "snr_db": float(here.mean()) if here.size else None,
            "snr_db_interval": _interval(here),
        }

    found = {}
    for name in sorted({name for page in known for name in page["degradations"]}):
        strength = np.array([page["degradations"].get(name, np.nan) for page in known])
        third = np.searchsorted((1 / 3, 2 / 3), strength)  # NaN comes last
        there = np.isfinite(strength)
        groups = {label: mean(there & (third == i)) for i, label in enumerate(THIRDS)}
        found[name] = {"without": mean(~there), "with": mean(there), **groups}
    return found


def _calibration(hits: Sequence[Sequence[int]]) -> dict[str, Any] | None:
    counted = [page for page in hits if page and page[-1]]
    if not counted:
        return None
    *within, samples = np.sum(counted, axis=0)
    return {
        "k": list(SIGMA_STEPS),
        "expected": expected_shares().tolist(),
        "share": [float(n / samples) for n in within],
        "samples": int(samples),
    }
