from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from ecgdig.report.html import html_report

Summary = dict[str, Any]
PICTURE = "data:image/png;base64,AAAA"
VOID = {"meta", "img", "br", "path", "use", "line", "rect"}


class Document(HTMLParser):
    """Tables as {caption: {row header: cells}}, the sources of pictures, and whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, dict[str, list[str]]] = {}
        self.references: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self._caption, self._row = "", list[str]()
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href", "data", "srcset")]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            assert dict(attrs)["alt"]
        self.text = ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag
        if tag == "caption":
            self._caption = self.text
            self.tables[self._caption] = {}
        elif tag in ("th", "td"):
            self._row.append(self.text)
        elif tag == "tr":
            self.tables[self._caption][self._row[0]] = self._row[1:]
            self._row = []


def test_one_file_without_references_whose_numbers_are_the_summarys(summary: Summary) -> None:
    text = html_report(summary, {0: {"overlay": PICTURE, "residual": PICTURE}, 4: {"residual": PICTURE}})
    page = Document(text)
    assert not re.search(r"https?://|@import|url\((?!#)|<script|<link", text)
    assert all(reference.startswith(("data:image/", "#")) for reference in page.references)
    assert page.tags.count("svg") == 4
    assert page.tags.count("img") == 3
    for rows in page.tables.values():
        assert len(rows) > 1
        assert all(cells and all(cells) for cells in rows.values())
    for name, cells in {**page.tables["Signal"], **page.tables["Beats and Einthoven's law"]}.items():
        if name == "metric":
            continue
        row, bounds = summary["metrics"][name], summary["intervals"][name]
        assert cells[0] == f"{row['mean']:z.3f}"
        assert cells[3] == f"{bounds[0]:z.3f} to {bounds[1]:z.3f}"
        best = summary["oracle"][name]["mean"]
        assert cells[4] == f"{best:z.3f}"
    leads = page.tables["By lead, means over pages"]
    for lead, row in summary["per_lead"].items():
        assert leads[lead][0] == f"{row['snr_db']:.3f}"
    every = page.tables["Every page"]
    for row in summary["pages"]:
        assert every[row["name"]][3] == f"{row['metrics']['snr_db']:.3f}"


def test_command_checkpoint_and_failures_are_there_and_escaped(summary: Summary) -> None:
    text = html_report(summary)
    page = Document(text)
    assert "--html &#x27;a&lt;b.html&#x27;" in text
    assert page.tables["What was scored"]["checkpoint SHA-256"] == [summary["checkpoint"]["sha256"]]
    assert page.tables["Failures, 0 dB each"]["p<6>"] == ["no grid <b>found</b>"]
    assert "<b>" not in text
    assert "not scored: stray" in text
    assert text.count("No picture was kept") == 5


def test_a_comparison_comes_first(summary: Summary, comparison: Summary) -> None:
    page = Document(html_report(summary, comparison=comparison))
    means = page.tables["B against A on 6 common pages"]
    assert means["snr_db"][2] == f"{comparison['metrics']['snr_db']['difference']:.3f}"
    assert means["snr_db"][4:] == ["5", "0", "1"]
    assert len(page.tables["B - A, page by page"]) == 7
    assert page.tags.count("svg") == 6


def test_a_summary_of_failures_alone_and_of_an_older_version(summary: Summary) -> None:
    old = {key: summary[key] for key in ("what", "metrics", "per_lead", "failures", "errors", "oracle", "pages")}
    pages = [{key: page[key] for key in ("name", "failed", "metrics", "per_lead")} for page in summary["pages"][-1:]]
    page = Document(html_report({**old, "pages": pages, "oracle": None}))
    assert page.tables["Every page"]["p<6>"][:4] == ["-", "-", "-", "0.000"]
    assert "img" not in page.tags
