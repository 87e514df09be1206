"""A report opened as a reader would, in headless Chromium without network; skipped where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ink_net import ink_model
from readings import reading

from ecgdig.commands import evaluate
from ecgdig.digitizer import Digitization
from ecgdig.metrics import score_recording
from ecgdig.report.html import html_report
from ecgdig.report.worst import Worst, pictures_of
from ecgdig.scoring.cases import LAYOUTS, rendered_cases
from ecgdig.scoring.results import PageResult, summary_of
from ecgdig.sources import Simulator

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the dev extra")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install it, or name it in CHROMIUM"),
]
PHOTOS = Path(__file__).parents[3] / "shared" / "photos"
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


@pytest.fixture(scope="module")
def two_hundred() -> tuple[dict[str, Any], dict[int, dict[str, str]]]:
    """Summary and pictures of 200 readings of generated pages: their truths with ever less noise, every 20th failed.

    What is made of them (scores, groups, intervals, which are the worst, overlays, charts) is as in an evaluation.
    """
    cases = list(rendered_cases(Simulator(10, seed=3), "clean", LAYOUTS, 50, 1))
    truths = [case.truth.crop(0, 1.5).resample(100) for case in cases]
    best = [score_recording(truth, reading(truth, 0.002)) for truth in truths]
    worst, results, pictures = Worst(), [], {}
    for i in range(200):
        case, truth = cases[i % 10], replace(truths[i % 10], name=f"page {i}")
        assert case.page is not None
        preset = ("clean", "print", "scan", "photo")[i % 4]
        done = {f"kind {k}": (i % 11) / 10 for k in range(5) if i % (k + 2) == 0}
        facts = {"preset": preset, "layout": case.facts["layout"], "dpi": 50.0 * (1 + i % 5), "degradations": done}
        read = reading(truth, float(np.nanstd(truth.signal_mv)) / (1 + 0.2 * i), i) if i % 20 < 19 else None
        score, error = score_recording(truth, read), "" if read else f"no grid <b>found</b> ({i})"
        results.append(PageResult(i, score, best[i % 10], error, facts))
        if read is not None and worst.takes(score):
            page, sampled = case.page, read.resample(500)
            drawn = Digitization(sampled, page.layout, page.warp, (), (), ("none", ""), page.image)
            pictures[i] = pictures_of(truth, read, drawn)
    about = {"what": "200 generated pages", "command": "python scripts/eval_snr.py", "extra": [], "checkpoint": None}
    return {**summary_of(results), **about, "unscored": {"p/200": "its truth is damaged"}}, pictures


def test_a_report_of_200_generated_pages(browser: Any, two_hundred: Any, tmp_path: Path) -> None:
    summary, pictures = two_hundred
    assert 10 <= len(pictures) < 20
    file = tmp_path / "many.html"
    file.write_text(html_report(summary, pictures), encoding="utf-8")
    assert file.stat().st_size < 10e6
    page = opened(browser, file, viewport=SIZES["desk"], offline=True)
    shown = tables(page)
    assert all(rows and all(all(cell.strip() for cell in row) for row in rows) for rows in shown.values())
    snr = [one["metrics"]["snr_db"] for one in summary["pages"]]
    assert [row[4] for row in shown["Every page"]] == [f"{value:.3f}" for value in snr]
    assert len({row[0] for row in shown["Every page"]}) == 200
    assert {row[0]: row[1:3] for row in shown["By preset, means over pages"]} == {
        "clean": ["50", "0"], "print": ["50", "0"], "scan": ["50", "0"], "photo": ["50", "10"],
    }  # fmt: skip
    assert [row[1] for row in shown["By dpi, means over pages"]] == ["40"] * 5
    assert {row[0] for row in shown["By layout, means over pages"]} == set(LAYOUTS)
    strengths = shown["By degradation and its strength, 0 to 1: mean snr_db of pages"]
    assert [row[6] for row in strengths] == ["100", "67", "50", "40", "34"]  # pages with it
    assert shown["Failures, 0 dB each"][-1][1] == "no grid <b>found</b> (199)"
    assert len(shown["Failures, 0 dB each"]) == 10
    assert shown["Not scored, in none of the numbers"] == [["p/200", "its truth is damaged"]]
    read = [(value, one["name"]) for value, one in zip(snr, summary["pages"], strict=True) if not one["failed"]]
    headings = page.evaluate("() => [...document.querySelectorAll('h3')].map(h => h.innerText)")
    assert headings == [f"{name}: {value:.2f} dB" for value, name in sorted(read)[:10]]
    sizes = page.evaluate("() => [...document.images].map(image => [image.naturalWidth, image.clientWidth])")
    assert len(sizes) == 20  # overlay and residual of the worst ten
    assert all(natural > 100 and 100 < client <= SIZES["desk"]["width"] for natural, client in sizes)
    charts = page.evaluate("() => [...document.querySelectorAll('svg')].map(svg => svg.getBoundingClientRect().height)")
    assert len(charts) == 4
    assert min(charts) > 50


@pytest.mark.shared
@pytest.mark.skipif(not PHOTOS.is_dir(), reason="needs the photos beside the repository")
def test_a_report_of_real_photos(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "photos.html"
    summary = evaluate.main(["--pages", str(PHOTOS), "--limit", "2", "--html", str(file), "--quiet"])  # 16 take minutes
    page = opened(browser, file, viewport=SIZES["desk"], offline=True)
    shown = tables(page)
    assert [row[4] for row in shown["Every page"]] == [f"{one['metrics']['snr_db']:.3f}" for one in summary["pages"]]
    assert len(page.evaluate("() => [...document.images].map(image => image.naturalWidth)")) == 4
    assert summary["failures"] == []
    assert summary["metrics"]["snr_kaggle_db"]["mean"] > 12


def _rgb(colour: str) -> list[int]:
    return [int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
