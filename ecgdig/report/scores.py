"""The numbers of an evaluation as tables, and as text, Markdown and CSV made of them."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping
from typing import Any

from ecgdig.io.atomic import whole_file
from ecgdig.metrics import LEAD_METRICS, PAGE_METRICS
from ecgdig.report.table import Table, interval, number
from ecgdig.scoring.results import FACTS, GROUP_METRICS, THIRDS
from ecgdig.units import LEADS

Summary = Mapping[str, Any]
_SIGNAL = (
    "snr_db", "snr_page_db", "snr_kaggle_db", "snr_kaggle_linear_db", "snr_challenge_db", "pearson_r",
    "rmse_mv", "error_95_mv", "coverage", "interval_90_coverage",
)  # fmt: skip
_SNR_INTERVAL = "95 % interval of snr_db"
_CLINICAL = (
    "qrs_sensitivity", "qrs_precision", "rr_error_s", "heart_rate_error_bpm", "qrs_duration_error_s", "qt_error_s",
    "einthoven_residual_mv",
)  # fmt: skip


def tables_of(summary: Summary) -> list[Table]:
    """Metrics beside the oracle's, beats and Einthoven's law, then by lead, and what is known of the pages."""
    tables = [_metrics(summary, "Signal", _SIGNAL), _metrics(summary, "Beats and Einthoven's law", _CLINICAL)]
    leads = sorted(summary["per_lead"], key=lambda lead: LEADS.index(lead) if lead in LEADS else len(LEADS))
    rows = (
        (*_row(lead, row, LEAD_METRICS), interval(row.get("snr_db_interval")))
        for lead, row in ((lead, summary["per_lead"][lead]) for lead in leads)
    )
    tables.append(Table("By lead, means over pages", ("lead", *LEAD_METRICS, _SNR_INTERVAL), tuple(rows)))
    for fact, groups in summary.get("groups", {}).items():
        if groups:
            tables.append(_groups(fact, groups))
    if summary.get("degradations"):
        tables.append(_degradations(summary["degradations"]))
    return tables


def comparison_tables(comparison: Summary) -> list[Table]:
    """Means, their difference B - A with its interval, and wins of B; then the differences of every page."""
    header = ("metric", "A", "B", "B - A", "95 % interval", "B better", "B worse", "equal")
    rows = tuple(
        (name, *(number(row[key]) for key in ("a", "b", "difference")), interval(row["interval"]),
         *(str(row[key]) for key in ("wins", "losses", "ties")))
        for name, row in comparison["metrics"].items()
    )  # fmt: skip
    n = len(comparison["pages"])
    names = tuple(comparison["metrics"])
    pages = tuple(_row(page, values, names) for page, values in comparison["pages"].items())
    return [
        Table(f"B against A on {n} common pages", header, rows),
        Table("B - A, page by page", ("page", *names), pages),
    ]


def tables(summary: Summary) -> str:
    """The summary as text: what was scored, the tables, the headline, then the failures and what fitted nowhere."""
    lines = [f"{summary['what']}; {_by(summary)}{len(summary['pages'])} pages", ""]
    for table in tables_of(summary):
        lines += [table.text(), ""]
    lines += [headline(summary), f"failures: {len(summary['failures'])}"]
    lines += [f"  {name}: {reason}" for name, reason in failures(summary)]
    if summary.get("unscored"):
        lines.append(f"not scored: {len(summary['unscored'])}")
        lines += [f"  {name}: {reason}" for name, reason in summary["unscored"].items()]
    if summary.get("extra"):
        lines.append(f"predictions without a truth: {len(summary['extra'])} ({', '.join(summary['extra'])})")
    return "\n".join(lines)


def comparison_text(comparison: Summary) -> str:
    """A comparison as text."""
    parts = [table.text() for table in comparison_tables(comparison)]
    return "\n\n".join([*parts, *_only(comparison)])


def markdown(summary: Summary) -> str:
    """The summary as Markdown."""
    command, failed = summary.get("command"), failures(summary)
    parts = [f"## {summary['what']}", f"{_by(summary)}{len(summary['pages'])} pages. {headline(summary)}."]
    parts += [f"```\n{command}\n```"] if command else []
    parts += [table.markdown() for table in tables_of(summary)]
    if failed:
        parts.append(Table("Failures, 0 dB each", ("page", "reason"), tuple(failed)).markdown())
    if summary.get("unscored"):
        parts.append(unscored_table(summary).markdown())
    if summary.get("extra"):
        parts.append(f"Predictions without a truth: {', '.join(summary['extra'])}.")
    return "\n\n".join(parts) + "\n"


def comparison_markdown(comparison: Summary) -> str:
    """A comparison as Markdown."""
    return "\n\n".join([*(table.markdown() for table in comparison_tables(comparison)), *_only(comparison)]) + "\n"


def headline(summary: Summary) -> str:
    """One line: mean plain SNR with its spread and interval."""
    snr, bounds = summary["metrics"]["snr_db"], summary.get("intervals", {}).get("snr_db")
    known = f"; 95 % interval of the mean {interval(bounds, 2)} dB" if bounds else ""
    return f"SNR {snr['mean']:.2f} ± {snr['sd']:.2f} dB (mean ± sd of {len(summary['pages'])} pages{known})"


def failures(summary: Summary) -> list[tuple[str, str]]:
    """(page, reason) of every failure."""
    errors = summary.get("errors", {})
    return [(name, errors.get(name) or "nothing was read") for name in summary["failures"]]


def unscored_table(summary: Summary) -> Table:
    """The pages that take part in no number, each with the reason."""
    return Table("Not scored, in none of the numbers", ("page", "reason"), tuple(summary["unscored"].items()))


def write_csv(summary: Summary, path: str | os.PathLike[str]) -> None:
    """One row a page (`lead` empty) and one a page and lead: facts, then every metric; empty = not defined."""
    columns = ["page", "lead", *FACTS, "degradations", "failed", "error", "oracle_snr_db", *PAGE_METRICS]
    with whole_file(path) as file, file.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, columns, restval="", lineterminator="\n")
        writer.writeheader()
        for page in summary["pages"]:
            kept = {key: page.get(key) for key in (*FACTS, "error", "oracle_snr_db")}
            done = "; ".join(f"{name} {strength:g}" for name, strength in (page.get("degradations") or {}).items())
            about = {"page": page["name"], "failed": int(page["failed"]), "degradations": done, **kept}
            writer.writerow(about | page["metrics"])
            for lead, values in page["per_lead"].items():
                writer.writerow(about | {"lead": lead, "oracle_snr_db": ""} | values)


def write_comparison_csv(comparison: Summary, path: str | os.PathLike[str]) -> None:
    """One row a page: B - A of every metric; empty = not defined."""
    with whole_file(path) as file, file.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, ["page", *comparison["metrics"]], lineterminator="\n")
        writer.writeheader()
        writer.writerows({"page": page, **values} for page, values in comparison["pages"].items())


def _metrics(summary: Summary, title: str, names: tuple[str, ...]) -> Table:
    oracle, intervals = summary.get("oracle"), summary.get("intervals", {})
    rows = []
    for name in (name for name in names if name in summary["metrics"]):  # older results lack some
        row = summary["metrics"][name]
        values = (*(number(row[key]) for key in ("mean", "sd", "median")), interval(intervals.get(name)))
        rows.append((name, *values, number(oracle[name]["mean"] if oracle else None)))
    return Table(title, ("metric", "mean", "sd", "median", "95 % interval of the mean", "oracle"), tuple(rows))


def _groups(fact: str, groups: Mapping[str, Mapping[str, Any]]) -> Table:
    rows = tuple(
        (value, str(row["pages"]), str(row["failures"]), *(number(row[name]) for name in GROUP_METRICS),
         interval(row["snr_db_interval"]))
        for value, row in groups.items()
    )  # fmt: skip
    header = (fact, "pages", "failures", *GROUP_METRICS, _SNR_INTERVAL)
    return Table(f"By {fact}, means over pages", header, rows)


def _degradations(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Table:
    def cells(row: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
        for key in ("without", "with", *THIRDS):
            yield number(row[key]["snr_db"])
            yield interval(row[key].get("snr_db_interval"), 1)
            yield str(row[key]["pages"])

    header = ("degradation", *(part for key in ("without", "with", *THIRDS) for part in (key, "95 %", "pages")))
    rows = tuple((name, *cells(row)) for name, row in found.items())
    return Table("By degradation and its strength, 0 to 1: mean snr_db of pages", header, rows)


def _row(name: str, values: Mapping[str, float | None], metrics: tuple[str, ...]) -> tuple[str, ...]:
    return (name, *(number(values[metric]) for metric in metrics))


def _by(summary: Summary) -> str:
    checkpoint = summary.get("checkpoint")
    return f"checkpoint {checkpoint['name']}; " if checkpoint else ""


def _only(comparison: Summary) -> list[str]:
    return [f"only in {x.upper()}: {', '.join(names)}" for x in ("a", "b") if (names := comparison[f"only_{x}"])]
