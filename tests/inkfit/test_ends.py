from __future__ import annotations

import numpy as np

from ecgdig.inkfit.ends import astray, barred, on_edge
from ecgdig.page.layout import Segment

PX = 8.0
FIRST = Segment("I", 0, 0, 0.0, 2.5, 40.0, 20.0, 10.0, 25.0)


def two_leads() -> tuple[Segment, Segment]:
    first = Segment("I", 0, 0, 0.0, 2.5, 10.0, 20.0, 10.0, 25.0)
    return first, Segment("aVR", 0, 1, 2.5, 2.5, first.end_mm, 20.0, 10.0, 25.0)


def test_columns_behind_a_bar_at_the_seam_are_left_out() -> None:
    segments = two_leads()
    x_mm = np.arange(60.0, 90.0, 1 / 16)
    x, y = x_mm * PX - 0.5, np.full(x_mm.shape, 20.0 * PX)
    ink = np.zeros((320, 800), np.float32)
    assert not barred(segments, x_mm, x, y, ink, PX).any()
    seam = segments[1].x_mm
    at = slice(round((seam - 0.3) * PX), round((seam + 0.3) * PX))
    ink[140:180, at] = 1.0  # 5 mm
    out = barred(segments, x_mm, x, y, ink, PX)
    assert out[np.abs(x_mm - seam) < 0.2].all()
    assert not out[np.abs(x_mm - seam) > 0.5].any()
    # the same ink elsewhere, or a short stroke at the seam, is no bar
    assert not barred(segments, x_mm, x, y, np.roll(ink, 8, axis=1), PX).any()
    short = np.zeros_like(ink)
    short[150:165, at] = 1.0
    assert not barred(segments, x_mm, x, y, short, PX).any()


def test_the_edge_of_a_pulse_before_the_row_is_left_out() -> None:
    x = np.arange(38.0, 70.0, 1 / 16)
    level = np.where(x < 40.0, 10.0, 20.0)
    edge = np.where((x >= 40.0) & (x < 40.4), 10.0 + 25 * (x - 40.0), level)
    out = on_edge(FIRST, x, edge)
    assert out[(x >= 40.0) & (x < 40.3)].all()
    assert not out[x > 40.6].any()
    # a wave that begins at once leaves the level: it stays
    wave = np.where((x >= 40.1) & (x < 40.5), 20.0 + 25 * (x - 40.1), np.where((x >= 40.5) & (x < 41), 30.0, 20.0))
    assert not on_edge(FIRST, x, wave).any()
    # so does one that comes down from higher than a pulse
    tall = np.where((x >= 40.0) & (x < 40.4), 4.0 + 40 * (x - 40.0), np.where(x < 40, 4.0, 20.0))
    assert not on_edge(FIRST, x, tall).any()
    assert not on_edge(FIRST, x, np.full(x.shape, 20.0)).any()
    assert not on_edge(FIRST, x, np.full(x.shape, np.nan)).any()


def read_lead(y_mm: float = 20.0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Columns, heights, spreads and bareness of a lead that is read surely."""
    x = np.arange(38.0, 110.0, 1 / 16)
    y = np.where((x >= FIRST.x_mm) & (x < FIRST.end_mm), y_mm, np.nan)
    return x, y, np.full(x.shape, 0.2), np.zeros(x.shape, bool)


def test_a_path_that_comes_out_of_a_bar_on_a_letter_is_cut_up_to_its_jump() -> None:
    x, y, spread, bare = read_lead()
    assert not astray([FIRST], x, y, spread, bare).any()
    for letter in ((x >= 40.3) & (x < 40.6), (x >= FIRST.end_mm - 0.5) & (x < FIRST.end_mm - 0.2)):
        wrong = np.where(letter, 24.0, y)
        outside = np.isfinite(y) & ((x < 40.6) if x[letter][0] < 50 else (x >= FIRST.end_mm - 0.5))
        assert (astray([FIRST], x, wrong, spread, bare) == outside).all()
    # the same jump further in is not at an end, and the edge of a tall wave is no jump: its columns are not sharp
    assert not astray([FIRST], x, np.where((x >= 45.3) & (x < 45.6), 24.0, y), spread, bare).any()
    flank = (x >= 40.0) & (x < 40.4)
    wave = np.where(flank, 20.0 - 30 * (40.4 - x), y)
    assert not astray([FIRST], x, wave, np.where(flank, 1.2, spread), bare).any()
    # much is cut only where much is level behind it: between two strokes of a name there is little
    name = np.where((x >= 42.7) & (x < 43.0), 24.0, y)
    assert astray([FIRST], x, np.where(x < 41.9, 24.0, y), spread, bare)[x == 41.5].all()
    assert not astray([FIRST], x, np.where(x < 41.9, 24.0, name), spread, bare).any()
    # what follows a jump must be read surely
    assert not astray([FIRST], x, np.where(flank, 24.0, y), np.where(x < 42, 0.6, spread), bare).any()


def test_a_path_over_bare_paper_is_cut_to_where_the_trace_is_found() -> None:
    x, y, spread, bare = read_lead()
    lost = (x >= 40.0) & (x < 41.5)
    bare = (x >= 40.0) & (x < 42.2)  # said of many columns at a time: of some good ones too
    sliding = np.where(lost, 12.0 + 4 * (x - 40.0), y)
    unsure = np.where(lost, 2.5, spread)
    assert (astray([FIRST], x, sliding, unsure, bare) == lost).all()
    # bare to the end of what is looked at, or in the middle of a lead: nothing better is known
    assert not astray([FIRST], x, sliding, unsure, (x >= 40.0) & (x < 44)).any()
    assert not astray([FIRST], x, y, spread, (x >= 60.0) & (x < 62)).any()
    assert not astray([FIRST], x, np.full(x.shape, np.nan), spread, bare).any()
