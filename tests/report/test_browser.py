"""A report opened as a reader would, in headless Chromium without network; skipped where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ink_net import ink_model

from ecgdig.commands import evaluate
from ecgdig.report.html import html_report

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the dev extra")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install it, or name it in CHROMIUM"),
]
SIZES = {"desk": {"width": 1400, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as play:
        launched = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A folder with the report of two pages, read by a stand-in network, and its summary."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "load", lambda name, runtime: ink_model())
        options = ["--limit", "2", "--dpi", "80", "--geometry", "true", "--layout", "all"]
        return folder, evaluate.main([*options, "--html", str(folder / "pages.html")])


def opened(browser: Any, file: Path, **how: Any) -> Any:
    """The file in a window of its own; it may ask for nothing else and must not complain."""
    wrong: list[str] = []
    page = browser.new_context(**how).new_page()
    page.on("console", lambda said: wrong.append(said.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith("data:") else wrong.append(asked.url))
    page.goto(file.as_uri())
    page.wait_for_load_state("load")
    page.evaluate("() => Promise.all([...document.images].map(image => image.decode()))")  # fails on a broken picture
    assert wrong == [file.as_uri()]
    return page


def tables(page: Any) -> dict[str, list[list[str]]]:
    """Caption -> the texts of each row of the table's body, as they are shown."""
    script = """() => Object.fromEntries([...document.querySelectorAll("table")].map(table => [
        table.caption.innerText, [...table.tBodies[0].rows].map(row => [...row.cells].map(cell => cell.innerText))]))"""
    found: dict[str, list[list[str]]] = page.evaluate(script)
    return found


@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_is_shown(browser: Any, reports: tuple[Path, dict[str, Any]], size: str, scheme: str) -> None:
    folder, summary = reports
    page = opened(browser, folder / "pages.html", viewport=SIZES[size], color_scheme=scheme, offline=True)
    shown = tables(page)
    assert all(rows and all(all(cell.strip() for cell in row) for row in rows) for rows in shown.values())
    assert [row[0] for row in shown["Every page"]] == [one["name"] for one in summary["pages"]]
    assert [row[4] for row in shown["Every page"]] == [f"{one['metrics']['snr_db']:.3f}" for one in summary["pages"]]
    assert {row[0] for row in shown["By lead, means over pages"]} == set(summary["per_lead"])
    sizes = page.evaluate("() => [...document.images].map(image => [image.naturalWidth, image.clientWidth])")
    assert len(sizes) == 4  # overlay and residual of each page
    assert all(natural > 100 and 100 < client <= SIZES[size]["width"] for natural, client in sizes)
    charts = page.evaluate("() => [...document.querySelectorAll('svg')].map(svg => svg.getBoundingClientRect().height)")
    assert len(charts) == 3
    assert min(charts) > 50
    across = page.evaluate("() => document.documentElement.scrollWidth")
    assert across <= SIZES[size]["width"]  # wide tables scroll by themselves
    text, back = page.evaluate(
        "() => { const s = getComputedStyle(document.body); return [s.color, s.backgroundColor] }"
    )
    assert (sum(_rgb(text)) > sum(_rgb(back))) == (scheme == "dark")


def test_a_comparison_with_names_that_need_escaping(
    browser: Any, summary: dict[str, Any], comparison: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "compare.html").write_text(html_report(summary, comparison=comparison), encoding="utf-8")
    shown = tables(opened(browser, tmp_path / "compare.html", offline=True))
    assert shown["B - A, page by page"][-1][0] == "p<6>"
    assert shown["Failures, 0 dB each"] == [["p<6>", "no grid <b>found</b>"]]


def test_a_broken_picture_is_seen(browser: Any, summary: dict[str, Any], tmp_path: Path) -> None:
    broken = html_report(summary, {0: {"overlay": "data:image/png;base64,AAAA"}})
    (tmp_path / "broken.html").write_text(broken, encoding="utf-8")
    with pytest.raises(sync_api.Error, match="decode"):
        opened(browser, tmp_path / "broken.html")


def _rgb(colour: str) -> list[int]:
    return [int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
