"""An evaluation as one HTML file that needs nothing else: no scripts, no fonts, no pictures from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ecgdig import __version__
from ecgdig.report.charts import (
    difference_histogram,
    lead_boxes,
    page_scatter,
    sigma_calibration,
    snr_histogram,
    strength_curves,
)
from ecgdig.report.scores import comparison_tables, failures, headline, tables_of, unscored_table
from ecgdig.report.table import Table, number
from ecgdig.report.worst import worst_pages

Summary = Mapping[str, Any]
Pictures = Mapping[int, Mapping[str, str]]

CSS = """
:root { color-scheme: light dark; --text: #1a1a1a; --back: #ffffff; --line: #d0d0d0; --soft: #f4f4f4 }
@media (prefers-color-scheme: dark) { :root { --text: #e6e6e6; --back: #161616; --line: #444444; --soft: #222222 } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); margin: 0 auto;
  max-width: 75rem; padding: 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.2rem; margin-top: 2.5rem; border-bottom: 1px solid var(--line) }
.head { font-size: 1.15rem; font-weight: 600 }
.wide { overflow-x: auto; margin: 1rem 0 }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .875rem }
caption { text-align: left; font-weight: 600; padding: .25rem 0; white-space: nowrap }
th, td { padding: .2rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap }
th:first-child, td.text { text-align: left }
thead th { background: var(--soft) }
table.words th, table.words td { text-align: left }
table.words td { white-space: normal; overflow-wrap: anywhere }
@media (max-width: 40rem) { tbody th { white-space: normal; min-width: 6rem } }
svg { max-width: 44rem; width: 100%; height: auto; display: block }
img { max-width: 100%; height: auto; display: block; margin: .5rem 0 }
figure { margin: 1rem 0 } figcaption { font-size: .875rem }
pre { background: var(--soft); padding: .6rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere }
"""
_PAGE_COLUMNS = ("snr_db", "snr_page_db", "snr_kaggle_db", "snr_challenge_db", "coverage")


def html_report(summary: Summary, pictures: Pictures | None = None, comparison: Summary | None = None) -> str:
    """The whole document.

    Args:
        summary: what `eval_snr.py` reports, see `results.summary_of`; entries that older files lack are left out.
        pictures: place of a page in the summary -> `overlay` and `residual` as data URIs.
        comparison: with an earlier result, see `comparison.compare`; `summary` is then B.
    """
    title = f"ecgdig: {summary['what']}"
    parts = [_intro(summary)]
    if comparison is not None:
        parts.append(_comparison(comparison))
    parts += [_scores(summary), _charts(summary), _worst(summary, pictures or {}), _failures(summary), _pages(summary)]
    body = "\n".join(part for part in parts if part)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        f"</body>\n</html>\n"
    )


def _intro(summary: Summary) -> str:
    checkpoint, failed = summary.get("checkpoint"), len(summary["failures"])
    unscored = f", {len(summary['unscored'])} not scored" if summary.get("unscored") else ""
    counted = f"{failed} {'failure' if failed == 1 else 'failures'}{unscored}"
    lines = [
        f"<h1>{escape(summary['what'])}</h1>",
        f'<p class="head">{escape(headline(summary))}; {counted}.</p>',
    ]
    about = [("made with", f"ecgdig {summary.get('ecgdig', __version__)}")]
    if checkpoint:
        about += [("checkpoint", checkpoint["name"]), ("checkpoint SHA-256", checkpoint["sha256"])]
    lines.append(_words(Table("What was scored", ("item", "value"), tuple(about))))
    if summary.get("command"):
        lines.append(f"<p>The command:</p>\n<pre>{escape(summary['command'])}</pre>")
    return "\n".join(lines)


def _scores(summary: Summary) -> str:
    note = (
        "Every page counts once, failures with their 0 dB. Intervals: bootstrap over pages, 95 %. "
        "The oracle is a network without error on the same pages, limited by its time resolution alone"
    )
    known = "." if summary.get("oracle") else "; it is known of rendered pages only."
    return "\n".join(
        ["<h2>Scores</h2>", f"<p>{escape(note + known)}</p>", *(table.html() for table in tables_of(summary))]
    )


def _charts(summary: Summary) -> str:
    calibration = summary.get("calibration")
    parts = [
        "<h2>Spread</h2>",
        _figure(snr_histogram(summary["pages"]), "Plain SNR of the pages."),
        _figure(lead_boxes(summary["pages"]), "Plain SNR by lead; the line in a box is the median."),
    ]
    if summary.get("degradations"):
        curves = strength_curves(summary["pages"], summary["degradations"])
        caption = "Pages by the strength of each degradation; others were done to them too. Dashes: pages without it."
        parts += ["<h2>Degradations</h2>", _figure(curves, caption)]
    parts.append("<h2>Error bars</h2>")
    if calibration is None:
        return "\n".join([*parts, "<p>These readings have no error bars.</p>"])
    share, expected = calibration["share"], calibration["expected"]
    rows = tuple(
        (f"{k:g}", number(found), number(wanted))
        for k, found, wanted in zip(calibration["k"], share, expected, strict=True)
    )
    caption = f"Share of {calibration['samples']} samples within k standard errors; above the dashes is too cautious."
    table = Table("Samples within k standard errors", ("k", "found", "expected"), rows)
    return "\n".join([*parts, _figure(sigma_calibration(calibration), caption), table.html()])


def _worst(summary: Summary, pictures: Pictures) -> str:
    worst = worst_pages(summary["pages"])
    if not worst:
        return ""
    parts = ["<h2>Worst pages</h2>"]
    for place in worst:
        page, shown = summary["pages"][place], pictures.get(place, {})
        name = escape(page["name"])
        parts.append(f"<h3>{name}: {number(page['metrics']['snr_db'], 2)} dB</h3>")
        parts += [
            f'<figure><img src="{shown[kind]}" alt="{escape(text)} of {name}"><figcaption>{text}</figcaption></figure>'
            for kind, text in (("overlay", "Reading over the image"), ("residual", "Truth, reading and difference"))
            if kind in shown
        ]
        if not shown:
            parts.append("<p>No picture was kept of this page.</p>")
    return "\n".join(parts)


def _failures(summary: Summary) -> str:
    failed = tuple(failures(summary))
    parts = ["<h2>Failures</h2>"]
    parts.append(_words(Table("Failures, 0 dB each", ("page", "reason"), failed)) if failed else "<p>None.</p>")
    if summary.get("unscored"):
        parts.append(_words(unscored_table(summary)))
    if summary.get("extra"):
        parts.append(f"<p>Predictions without a truth, not scored: {escape(', '.join(summary['extra']))}.</p>")
    return "\n".join(parts)


def _pages(summary: Summary) -> str:
    rows = tuple(
        (page["name"], *(_fact(page.get(fact)) for fact in ("preset", "layout", "dpi")),
         *(number(page["metrics"][name]) for name in _PAGE_COLUMNS), number(page.get("oracle_snr_db")))
        for page in summary["pages"]
    )  # fmt: skip
    header = ("page", "preset", "layout", "dpi", *_PAGE_COLUMNS, "oracle snr_db")
    return "<h2>All pages</h2>\n" + Table("Every page", header, rows).html()


def _comparison(comparison: Summary) -> str:
    means, pages = comparison_tables(comparison)
    chart = _figure(difference_histogram(comparison), "Difference in plain SNR, B - A; the line is no difference.")
    scatter = _figure(page_scatter(comparison), "Each page in A and in B; above the line B is better.")
    names: Sequence[tuple[str, str]] = (("A", "only_a"), ("B", "only_b"))
    only = [f"<p>Only in {x}: {escape(', '.join(comparison[key]))}.</p>" for x, key in names if comparison[key]]
    files = (
        f"<p>A: {escape(comparison['a'])}<br>B: {escape(comparison['b'])}, which the rest of this page is about.</p>"
    )
    return "\n".join(["<h2>Comparison</h2>", files, means.html(), chart, scatter, *only, pages.html()])


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def _words(table: Table) -> str:
    return table.html().replace("<table>", '<table class="words">', 1)


def _fact(value: str | float | None) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
