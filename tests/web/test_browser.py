"""The page driven as a person would, in headless Chromium; skipped where there is none."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from web_visitor import Running

from ecgdig.formats import read_recording
from ecgdig.io import read_wfdb
from ecgdig.metrics import snr_db
from ecgdig.page import Page

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the dev extra")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install it, or name it in CHROMIUM"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as play:
        launched = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


WATCH_PROVISIONAL = """() => {
    window.provisional = [];
    const marked = () => document.getElementById("map").classList.contains("provisional");
    new MutationObserver(() => { if (provisional.at(-1) !== marked()) provisional.push(marked()); })
        .observe(document.getElementById("map"), { attributeFilter: ["class"] });
}"""


class Visit:
    """A page of the browser that notes every error of its console and every request that leaves the server."""

    def __init__(self, browser: Any, port: int, **how: Any) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.wrong: list[str] = []
        self.page = browser.new_context(**how).new_page()
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", self._outside)
        self.page.goto(self.base)
        self.readings = 0

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(message.text)

    def _outside(self, request: Any) -> None:
        if not request.url.startswith((self.base, "blob:", "data:")):
            self.wrong.append(f"asked for {request.url}")

    def read_again(self) -> None:
        """Wait until the correction that was just made is shown."""
        self.readings += 1
        self.page.wait_for_selector(f'#map[data-readings="{self.readings}"]', timeout=30_000)

    def click(self, at_px: Any) -> None:
        """Click where a pixel of the picture is."""
        box = self.page.locator("#map img.leaflet-image-layer").bounding_box()
        scale = box["width"] / self.width
        self.page.mouse.click(box["x"] + (at_px[0] + 0.5) * scale, box["y"] + (at_px[1] + 0.5) * scale)

    def samples(self) -> Any:
        """What the API gives of the first page, in mV, `(leads, samples)`."""
        (first, *_) = self.page.request.get(f"{self.base}/api/pages").json()["pages"]
        view = self.page.request.get(f"{self.base}/api/pages/{first['id']}").json()
        data = self.page.request.get(f"{self.base}/api/pages/{first['id']}/samples").body()
        return np.frombuffer(data, "<f4").reshape(2, len(view["leads"]), -1)[0]

    @property
    def width(self) -> int:
        return int(self.page.evaluate("() => document.querySelector('#map img.leaflet-image-layer').naturalWidth"))


def test_upload_correct_and_take_home(browser: Any, server: Running, photo: Path, drawn: Page, tmp_path: Path) -> None:
    visit = Visit(browser, server.port, viewport={"width": 1500, "height": 1000}, color_scheme="light")
    page = visit.page
    page.set_input_files("#files", str(photo))
    page.wait_for_selector(".chart >> nth=11", timeout=60_000)
    assert [chart.get_attribute("data-lead") for chart in page.locator(".chart").all()][:3] == ["I", "II", "III"]
    assert page.locator("#pages button.open").inner_text() == photo.name  # shown as text, whatever it holds

    page.click("[data-tool=corners]")
    page.evaluate(WATCH_PROVISIONAL)
    box = page.locator(".handle").nth(2).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 6, y + 5, steps=4)
    page.mouse.up()
    visit.read_again()
    assert page.evaluate("() => provisional") == [True, False]  # shown at once, marked, then as read again
    page.click("#undo")
    visit.read_again()

    page.click("#names-box summary")
    page.select_option("#swap-a", label="I (row 1)")
    page.select_option("#swap-b", label="V1 (row 1)")
    page.click("#swap")
    visit.read_again()

    trace = next(t for t in drawn.traces if t.segment.lead == "V5")
    x_mm = np.linspace(trace.segment.x_mm + 6, trace.segment.x_mm + 26, 9)
    points = drawn.warp.to_px(np.stack([x_mm, trace.y_at(x_mm)], 1))
    page.click("[data-tool=blank]")
    visit.click(points[1])
    page.wait_for_timeout(400)
    visit.click(points[-2])
    visit.read_again()
    assert page.locator('.chart[data-lead="V5"] h3').inner_text() != "V5\ngood"
    page.click("[data-tool=draw]")
    page.select_option("#lead", label="V5 (row 2)")
    for point in points:
        visit.click(point)
        page.wait_for_timeout(320)  # two quick clicks would be a double click
    page.click("#apply")
    visit.read_again()
    assert page.locator("#edits").inner_text() == "3 corrections"

    page.check("#formats input[value=dicom]")
    with page.expect_download() as download:
        page.click("#save")
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as archive:
        archive.extractall(tmp_path)
    record, dicom = read_wfdb(next(tmp_path.glob("*.hea"))), read_recording(next(tmp_path.glob("*.dcm")))
    shown = visit.samples()
    np.testing.assert_allclose(record.signal_mv, shown, atol=0.003)
    np.testing.assert_allclose(dicom.select(record.leads).signal_mv, shown, atol=0.001)
    truth = drawn.recording()
    n = drawn.layout.segments[0].duration_s * 500
    snr = np.asarray(snr_db(truth.lead("I")[None, 10 : int(n) - 10], record.lead("V1")[None, 10 : int(n) - 10]))
    assert snr.item() > 8  # what is printed as I was named V1
    again = [round(500 * trace.segment.time_of(x)) for x in x_mm[[1, -2]]]
    part = slice(*again)  # blank in between, were it not drawn again
    assert np.asarray(snr_db(truth.lead("V5")[None, part], record.lead("V5")[None, part])).item() > 6
    assert visit.wrong == []


def test_on_a_phone_in_the_dark_everything_fits(browser: Any, server: Running) -> None:
    visit = Visit(browser, server.port, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True,
                  color_scheme="dark")  # fmt: skip
    page = visit.page
    assert page.get_attribute("#camera", "capture") == "environment"
    page.tap("#gallery button:first-child")
    page.wait_for_selector(".chart >> nth=11", timeout=60_000)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert page.locator("header").bounding_box()["height"] < 70  # in one line
    dark = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert dark == "rgb(22, 24, 28)"
    page.tap("#tab-draw")
    page.wait_for_selector("#wish-picture[src^=blob]", timeout=30_000)
    assert visit.wrong == []


def test_the_tools_answer_the_keyboard(browser: Any, server: Running) -> None:
    visit = Visit(browser, server.port, viewport={"width": 1300, "height": 900})
    page = visit.page
    page.focus("#gallery button:first-child")
    page.keyboard.press("Enter")
    page.wait_for_selector(".chart >> nth=11", timeout=60_000)
    page.focus("#map")
    page.keyboard.press("g")
    page.locator(".handle").nth(3).focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    visit.read_again()
    assert page.locator("#edits").inner_text() == "1 correction"
    page.focus("#map")
    page.keyboard.press("Control+z")
    visit.read_again()
    assert page.locator("#undo").is_disabled()
    assert visit.wrong == []


def test_a_refused_file_is_named_until_something_else_is_done(browser: Any, server: Running, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a picture")
    visit = Visit(browser, server.port)
    visit.page.set_input_files("#files", str(tmp_path / "notes.txt"))
    visit.page.wait_for_selector("#note:not([hidden])", timeout=30_000)
    visit.page.wait_for_timeout(1500)  # the list is asked for again meanwhile
    assert visit.page.locator("#note").inner_text().startswith("notes.txt: not a picture")


def test_a_page_opened_while_another_is_corrected_keeps_its_own_leads(browser: Any, server: Running) -> None:
    visit = Visit(browser, server.port, viewport={"width": 1300, "height": 900})
    page = visit.page
    page.wait_for_selector("#gallery button >> nth=1")
    for number in (0, 1):
        page.evaluate(f"() => document.querySelectorAll('#gallery button')[{number}].click()")
        page.wait_for_selector(f"#pages button.open:not([disabled]) >> nth={number}", timeout=60_000)
    page.wait_for_selector('#layout:has(option:checked[value="6x2"])', timeout=60_000)  # it opens when it is read
    page.click("#pages button.open >> nth=0")
    page.wait_for_selector('#layout:has(option:checked[value="3x4+1"])')
    page.wait_for_selector(".chart >> nth=11")
    page.click("[data-tool=corners]")
    box = page.locator(".handle").nth(2).bounding_box()
    page.mouse.move(box["x"] + 9, box["y"] + 9)
    page.mouse.down()
    page.mouse.move(box["x"] - 30, box["y"] - 30, steps=4)
    with page.expect_response(lambda answer: answer.url.endswith("/edits"), timeout=30_000):
        page.mouse.up()
        page.click("#pages button.open >> nth=1")
    page.wait_for_timeout(1000)
    assert page.locator("#layout").input_value() == "6x2"
    assert page.locator("#undo").is_disabled()  # the correction was the other page's
    page.click("#pages button.open >> nth=0")
    page.wait_for_selector("#edits:has-text('1 correction')")
    assert visit.wrong == []


def test_a_stretch_is_marked_by_the_keyboard_alone(browser: Any, server: Running) -> None:
    visit = Visit(browser, server.port, viewport={"width": 1300, "height": 900})
    page = visit.page
    page.focus("#gallery button:first-child")
    page.keyboard.press("Enter")
    page.wait_for_selector(".chart >> nth=11", timeout=60_000)
    page.focus("#map")
    page.keyboard.press("u")
    page.keyboard.press(" ")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(600)
    page.keyboard.press(" ")
    visit.read_again()
    assert page.locator("#edits").inner_text() == "1 correction"
    assert visit.wrong == []


def test_another_number_of_rows_says_what_was_dropped(browser: Any, server: Running) -> None:
    visit = Visit(browser, server.port, viewport={"width": 1300, "height": 900})
    page = visit.page
    page.click("#gallery button:first-child")
    page.wait_for_selector(".chart >> nth=11", timeout=60_000)
    page.click("#names-box summary")
    page.click("#swap")
    visit.read_again()
    page.select_option("#layout", "3x4")  # of a page with a rhythm strip
    page.wait_for_selector("#warnings:has-text('the swap of two leads: dropped'), #note:not([hidden])", timeout=60_000)
    said = page.locator("#warnings").inner_text() + page.locator("#note").inner_text()
    assert "the swap of two leads: dropped" in said or "rows" in said
    assert page.locator(".chart").count() == 12
