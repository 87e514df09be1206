from __future__ import annotations

import pytest

from ecgdig.report.table import Table, interval, number

TABLE = Table("Two <rows>", ("name", "mean"), (("a|b", "1.5"), ("longer name", "-12.25")))


def test_text_is_aligned() -> None:
    assert TABLE.text().split("\n") == [
        "Two <rows>",
        "name           mean",
        "a|b             1.5",
        "longer name  -12.25",
    ]


def test_markdown_escapes_bars() -> None:
    assert TABLE.markdown().split("\n")[2:] == [
        "| name | mean |",
        "| :-- | --: |",
        "| a\\|b | 1.5 |",
        "| longer name | -12.25 |",
    ]


def test_html_has_caption_and_headers() -> None:
    html = TABLE.html()
    assert "<caption>Two &lt;rows&gt;</caption>" in html
    assert '<th scope="col">mean</th>' in html
    assert '<th scope="row">longer name</th><td>-12.25</td>' in html


@pytest.mark.parametrize(("value", "text"), [(None, "-"), (1.23456, "1.235"), (-0.5, "-0.500"), (-1e-5, "0.000")])
def test_numbers(value: float | None, text: str) -> None:
    assert number(value) == text


def test_intervals() -> None:
    assert (interval(None), interval([1, 2.5], 1)) == ("-", "1.0 to 2.5")
