from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ecgdig.page import sample_layout, sample_page, sample_style
from ecgdig.recording import Recording


def test_a_page_is_a_pure_function_of_its_generator(recording: Recording, global_state: Callable[[], object]) -> None:
    before = global_state()
    images = [sample_page(recording, np.random.default_rng([seed, 7]), dpi=50).image for seed in (1, 1, 2)]
    np.testing.assert_array_equal(images[0], images[1])
    assert images[0].shape != images[2].shape or (images[0] != images[2]).any()
    assert global_state() == before


def test_the_resolution_is_drawn_too(recording: Recording) -> None:
    page = sample_page(recording, np.random.default_rng(0))
    assert 110 / 25.4 <= float(page.warp.px_per_mm([[50.0, 50.0]])[0]) <= 330 / 25.4


def test_layouts_of_every_kind_come_up_and_lie_on_their_paper(recording: Recording) -> None:
    rng = np.random.default_rng(0)
    layouts = [sample_layout(recording, sample_style(rng), rng) for _ in range(400)]
    names = {layout.name for layout in layouts}
    assert names >= {"3x4+1", "3x4", "3x4+3", "3x4+2", "6x2", "6x2+1", "12x1", "4x3", "2x6", "6x1"}
    assert {s.speed_mm_per_s for layout in layouts for s in layout.segments} >= {12.5, 25.0, 50.0}
    assert {s.gain_mm_per_mv for layout in layouts for s in layout.segments} >= {5.0, 10.0, 20.0}
    assert any(s.lead == "-aVR" for layout in layouts for s in layout.segments)
    for layout in layouts:
        assert layout.duration_s <= recording.duration_s + 1e-9
        for s in layout.segments:
            assert 0 < s.x_mm < s.end_mm <= layout.paper.width_mm
            assert 0 < s.baseline_mm < layout.paper.height_mm


@pytest.mark.parametrize("duration_s", [2.0, 5.0, 30.0])
def test_short_and_long_recordings_find_a_layout(recording: Recording, duration_s: float) -> None:
    some = Recording(recording.leads, 500.0, np.zeros((12, int(500 * duration_s)), np.float32))
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert sample_layout(some, sample_style(rng), rng).segments
