from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from ink_net import ink_model

from ecgdig.digitizer import Digitization, read_traces
from ecgdig.page import Layout, Page, Style, render
from ecgdig.recording import Recording
from ecgdig.web.view import picture, samples, view


@pytest.fixture(scope="module")
def page(smooth: Recording, bare: Style, sheet: Callable[[str], Layout]) -> Page:
    return render(smooth, sheet("3x4+1"), bare, 120, np.random.default_rng(0))


@pytest.fixture(scope="module")
def read(page: Page) -> Digitization:
    return read_traces(page.image, page.warp, page.layout, ink_model(), adjust=False)


def test_lines_lie_on_the_traces_and_bands_around_them(page: Page, read: Digitization) -> None:
    shown = view(read)
    assert [t["lead"] for t in shown["traces"]] == [s.lead for s in page.layout.segments]
    assert (shown["height"], shown["width"]) == page.shape
    assert not shown["traces"][0]["lines"][0][0][2]  # the first lead begins at 0 s
    for trace, drawn in zip(shown["traces"], page.traces, strict=True):
        line = np.concatenate([np.array(line) for line in trace["lines"]])
        mm = page.warp.to_mm(line[:, :2])
        off = (mm[:, 1] - drawn.y_at(mm[:, 0]))[1:-1]  # px are rounded: the ends may lie beyond the trace
        assert np.isfinite(off).all()
        assert np.median(np.abs(off)) < 0.1
        s = drawn.segment
        np.testing.assert_allclose(line[:, 2], s.time_of(mm[:, 0]), atol=0.003)
        for band in map(np.array, trace["bands"]):
            upper, lower = np.split(band, 2)
            assert (upper[:, 1] <= lower[::-1, 1]).all()  # up is less


def test_what_was_not_read_parts_a_line(read: Digitization) -> None:
    signal = read.recording.signal_mv.copy()
    row = read.recording.leads.index("II")
    signal[row, 2000:2100] = np.nan
    gap = view(replace(read, recording=replace(read.recording, signal_mv=signal)))
    strip, whole = (next(t for t in v["traces"] if t["lead"] == "II" and t["row"] == 3) for v in (gap, view(read)))
    assert len(strip["lines"]) == len(whole["lines"]) + 1 == len(strip["bands"])
    times = np.array([point[2] for line in strip["lines"] for point in line])
    assert not ((times >= 4.0) & (times < 4.2)).any()


def test_a_lead_printed_the_other_way_up_is_shown_as_it_is_printed(read: Digitization) -> None:
    turned = replace(
        read.layout, segments=tuple(replace(s, lead="-aVR") if s.lead == "aVR" else s for s in read.layout.segments)
    )
    row = read.recording.leads.index("aVR")
    signal = read.recording.signal_mv.copy()
    signal[row] *= -1
    there = next(t for t in view(read)["traces"] if t["lead"] == "aVR")
    other = replace(read, layout=turned, recording=replace(read.recording, signal_mv=signal))
    here = next(t for t in view(other)["traces"] if t["lead"] == "-aVR")
    assert here["lines"] == there["lines"]


def test_corners_and_points_are_where_the_warp_has_them(page: Page, read: Digitization) -> None:
    shown = view(read)
    for what in ("corners", "points"):
        at = shown[what]
        np.testing.assert_allclose(at["px"], page.warp.to_px(np.array(at["mm"])), atol=0.06)
    assert len(shown["corners"]["px"]) == 4
    assert len(shown["points"]["px"]) > 20


def test_samples_are_signal_then_sigma(read: Digitization) -> None:
    signal, sigma = np.frombuffer(samples(read), "<f4").reshape(2, len(read.recording.leads), -1)
    np.testing.assert_array_equal(signal, read.recording.signal_mv)
    np.testing.assert_array_equal(sigma, read.sigma_mv)


def test_a_picture_is_reduced_to_a_long_side_and_keeps_its_colours() -> None:
    image = np.full((300, 500, 3), (200, 40, 20), np.uint8)
    for long_side, shape in ((250, (150, 250, 3)), (5000, (300, 500, 3))):
        back = cv2.imdecode(np.frombuffer(picture(image, long_side), np.uint8), cv2.IMREAD_COLOR_RGB)
        assert back.shape == shape
        np.testing.assert_allclose(back[75, 100], (200, 40, 20), atol=4)
