from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from readings import reading, recording, results

from ecgdig.report.worst import Worst, jpeg_uri, pictures_of, residual_plot, worst_pages
from ecgdig.scoring.results import summary_of


def _opened(uri: str) -> Image.Image:
    head, data = uri.split(",")
    assert head in ("data:image/png;base64", "data:image/jpeg;base64")
    return Image.open(io.BytesIO(base64.b64decode(data)))


@pytest.mark.parametrize("seed", range(5))
def test_the_worst_of_all_are_among_the_worst_so_far(seed: int) -> None:
    pages = results()
    order = np.random.default_rng(seed).permutation(len(pages))
    worst = Worst(n=2)
    kept = {int(i) for i in order if worst.takes(pages[i].score)}
    expected = sorted(range(5), key=lambda i: pages[i].score.page["snr_db"])[:2]
    assert worst_pages(summary_of(pages)["pages"], 2) == expected
    assert set(expected) <= kept
    assert 5 not in kept  # a failure


def test_what_was_known_before_counts() -> None:
    pages = results()
    worst = Worst((page.score for page in pages[2:]), n=3)
    assert not worst.takes(pages[0].score)
    assert not Worst(n=0).takes(pages[0].score)


def test_pictures_are_small_and_whole() -> None:
    uri = pictures_of(recording(0), reading(recording(0), 0.05).resample(500))["residual"]
    assert _opened(uri).width == 990
    assert len(uri) < 200_000
    page = np.full((1600, 2200, 3), 200, np.uint8)
    assert _opened(jpeg_uri(page)).size == (1100, 800)
    assert _opened(jpeg_uri(page[:100, :80])).size == (80, 100)


def test_a_plot_shows_the_scored_leads_only() -> None:
    truth = recording(0)
    signal = truth.signal_mv.copy()
    signal[3:] = np.nan
    signal[2, :100] = np.nan
    figure = residual_plot(replace(truth, signal_mv=signal), reading(truth, 0.01).crop(0, 1))
    shown = [axes.get_ylabel() for axes in figure.axes if axes.get_visible()]
    assert shown == ["I", "II", "III"]
    assert figure.axes[2].get_xlim()[0] == pytest.approx(0.4)
