"""Charts of an evaluation as inline SVG: they use the text colour of the page around them, light or dark."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from ecgdig.scoring.results import THIRDS, column
from ecgdig.units import LEADS

READ, BEST, GREY = "#3b82c4", "#d97706", "#888888"  # readable on white and on black
_INK = "#010203"  # replaced by the colour of the surrounding text
_SETTINGS: Any = {
    "svg.fonttype": "none",  # text stays text
    "text.parse_math": False,  # leads may have any names
    "font.family": "sans-serif",
    "font.size": 9,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK),
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_MOST_BINS = 40
_MOST_CURVES, _CURVES_A_ROW = 12, 4


def lead_boxes(pages: Sequence[Mapping[str, Any]]) -> str:
    """Plain SNR of each lead over the pages: median, quartiles, whiskers to 1.5 box lengths, outliers as dots."""
    values: dict[str, list[float]] = {}
    for page in pages:
        for lead, row in page["per_lead"].items():
            if row["snr_db"] is not None:
                values.setdefault(lead, []).append(row["snr_db"])
    leads = sorted(values, key=lambda lead: LEADS.index(lead) if lead in LEADS else len(LEADS))
    line, dot = {"color": READ}, {"marker": ".", "markersize": 3, "markeredgecolor": READ}
    with mpl.rc_context(_SETTINGS):
        figure, axes = _axes("lead", "snr_db (dB)")
        axes.boxplot(
            [values[lead] for lead in leads],
            boxprops=line,
            whiskerprops=line,
            capprops=line,
            medianprops={"color": BEST, "linewidth": 1.5},
            flierprops=dot,
        )
        axes.set_xticks(range(1, len(leads) + 1), leads)
        return _svg(figure, "Plain SNR by lead: a box plot over the pages")


def snr_histogram(pages: Sequence[Mapping[str, Any]]) -> str:
    """How many pages reached which plain SNR, beside the oracle's where it is known."""
    read = column(pages, "snr_db")
    best = np.array([page["oracle_snr_db"] for page in pages if page.get("oracle_snr_db") is not None], np.float64)
    every = np.concatenate([read[np.isfinite(read)], best])
    low, high = float(np.floor(every.min(initial=0))), float(np.ceil(every.max(initial=1)))
    bins = np.linspace(low, high, min(_MOST_BINS, max(2, int(high - low))) + 1)
    with mpl.rc_context(_SETTINGS):
        figure, axes = _axes("snr_db (dB)", "pages")
        axes.hist(read, bins, color=READ, label="read")
        if best.size:
            axes.hist(best, bins, histtype="step", color=BEST, linewidth=1.5, label="oracle")
            axes.legend(frameon=False)
        axes.yaxis.get_major_locator().set_params(integer=True)
        return _svg(figure, "Histogram of the plain SNR of the pages")


def sigma_calibration(calibration: Mapping[str, Any]) -> str:
    """The share of samples within k standard errors against what a normal distribution expects."""
    k = calibration["k"]
    with mpl.rc_context(_SETTINGS):
        figure, axes = _axes("k (standard errors)", "share of samples within k")
        axes.plot(k, calibration["expected"], color=GREY, linestyle="--", label="expected")
        axes.plot(k, calibration["share"], color=READ, marker=".", label="found")
        axes.set_ylim(0, 1.02)
        axes.legend(frameon=False, loc="lower right")
        return _svg(figure, "Calibration of the error bars: share of samples within k standard errors")


def difference_histogram(comparison: Mapping[str, Any]) -> str:
    """How many pages differ by how much in plain SNR, B - A."""
    differences = [row["snr_db"] for row in comparison["pages"].values() if row["snr_db"] is not None]
    with mpl.rc_context(_SETTINGS):
        figure, axes = _axes("B - A, snr_db (dB)", "pages")
        axes.hist(differences, min(_MOST_BINS, max(5, len(differences) // 3)), color=READ)
        axes.axvline(0, color=BEST, linewidth=1.5)
        axes.yaxis.get_major_locator().set_params(integer=True)
        return _svg(figure, "Histogram of the differences in plain SNR, page by page")


def page_scatter(comparison: Mapping[str, Any]) -> str:
    """Each page's plain SNR in B against that in A; above the line B is better."""
    values = np.array([pair for pair in comparison["snr_db"].values() if None not in pair], np.float64).reshape(-1, 2)
    with mpl.rc_context(_SETTINGS):
        figure, axes = _axes("A, snr_db (dB)", "B, snr_db (dB)")
        ends = [values.min(initial=0), values.max(initial=1)]
        axes.plot(ends, ends, color=GREY, linestyle="--")
        axes.plot(values[:, 0], values[:, 1], color=READ, marker=".", linestyle="none")
        return _svg(figure, "Plain SNR of each page in B against that in A")


def strength_curves(pages: Sequence[Mapping[str, Any]], degradations: Mapping[str, Any]) -> str:
    """Plain SNR of pages against the strength of each degradation, the means of thirds, and that of pages without it.

    The twelve that most pages have are drawn.
    """
    names = sorted(degradations, key=lambda name: -degradations[name]["with"]["pages"])[:_MOST_CURVES]
    rows = -(-len(names) // _CURVES_A_ROW)
    with mpl.rc_context({**_SETTINGS, "font.size": 7}):
        figure = Figure(figsize=(6.4, 1.5 * rows), layout="constrained")
        figure.patch.set_alpha(0)
        grid = figure.subplots(rows, _CURVES_A_ROW, sharex=True, sharey=True, squeeze=False)
        for axes in grid.ravel()[len(names) :]:
            axes.set_visible(False)
        for i, (axes, name) in enumerate(zip(grid.ravel(), names, strict=False)):
            _strength(axes, name, pages, degradations[name])
            axes.tick_params(labelbottom=i + _CURVES_A_ROW >= len(names))  # nothing is drawn below
        figure.supxlabel("strength")
        figure.supylabel("snr_db (dB)")
        return _svg(figure, "Plain SNR of pages by the strength of each degradation")


def _strength(axes: Any, name: str, pages: Sequence[Mapping[str, Any]], means: Mapping[str, Any]) -> None:
    there = [page for page in pages if name in (page.get("degradations") or {})]
    axes.patch.set_alpha(0)
    strength = [page["degradations"][name] for page in there]
    axes.plot(strength, column(there, "snr_db"), color=READ, marker=".", markersize=3, linestyle="none", alpha=0.6)
    thirds = [np.nan if means[third]["snr_db"] is None else means[third]["snr_db"] for third in THIRDS]
    axes.plot([1 / 6, 3 / 6, 5 / 6], thirds, color=BEST, marker="o", markersize=3)
    if means["without"]["snr_db"] is not None:
        axes.axhline(means["without"]["snr_db"], color=GREY, linestyle="--", linewidth=0.8)
    axes.set_xlim(0, 1)
    axes.set_title(name)


def _axes(x: str, y: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.set(xlabel=x, ylabel=y)
    axes.patch.set_alpha(0)
    axes.grid(axis="y", color=GREY, alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _svg(figure: Figure, title: str) -> str:
    """The figure as an `<svg>` element for HTML: named, without prolog, metadata, namespaces and unused ids."""
    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": title}):  # the same bytes each time, and other ids in each chart
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text).replace("xlink:href", "href")
    used = set(re.findall(r"#([A-Za-z_][\w.-]*)", text))
    text = re.sub(r' id="([^"]*)"', lambda match: match[0] if match[1] in used else "", text)
    text = re.sub(r"\n\s*\n+", "\n", text).replace(_INK, "currentColor")
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)
