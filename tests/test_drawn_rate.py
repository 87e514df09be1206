from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from ecgdig.drawn_rate import drawn_rate, fit_samples, through_samples
from ecgdig.page import Layout
from ecgdig.recording import Recording
from ecgdig.units import LEADS
from ecgdig.vectorize import RowReading

STEP_MM = 1 / 16


def readings(
    recording: Recording, layout: Layout, fs: float, shift_s: float = 0.0, noise_mm: float = 0.01
) -> list[RowReading]:
    """What is read of a page on which straight lines join samples at `fs`, the first one at `shift_s`."""
    drawn = recording.resample(fs)
    rng = np.random.default_rng(0)
    rows = []
    for r in range(layout.n_rows):
        segments = layout.row(r)
        x = np.arange(segments[0].x_mm - 1 + 0.01 * r, segments[-1].end_mm + 1, STEP_MM)
        y = np.full(x.shape, np.nan)
        for s in segments:
            inside = (x >= s.x_mm) & (x < s.end_mm)
            time = s.time_of(x[inside]) - shift_s
            y[inside] = s.y_of(np.interp(time, np.arange(drawn.n_samples) / fs, drawn.lead(s.lead)))
        y += rng.normal(0, noise_mm, x.shape)
        rows.append(RowReading(x, y, np.full(x.shape, 0.02), np.isfinite(y).astype(np.float32)))
    return rows


def lively() -> Recording:
    """10 s of waves of up to 30 Hz."""
    rng = np.random.default_rng(2)
    seconds = np.arange(5000) / 500
    waves = [
        sum(rng.normal(0, 0.1) * np.sin(2 * np.pi * (f * seconds + rng.random())) for f in rng.uniform(1, 30, 12))
        for _ in LEADS
    ]
    return Recording(LEADS, 500.0, np.array(waves, np.float32))


@pytest.mark.parametrize("shift_ms", [-3.9, 0.0, 1.5])
def test_the_rhythm_of_100_hz_is_found(recording: Recording, sheet: Callable[[str], Layout], shift_ms: float) -> None:
    layout = sheet("3x4+1")
    found = drawn_rate(readings(recording, layout, 100, shift_ms / 1000), layout)
    assert found is not None
    assert found.fs == 100
    assert found.shift_s == pytest.approx(shift_ms / 1000, abs=0.0004)
    assert found.support > 6


@pytest.mark.parametrize("fs", [90, 125, 200, 250, 500])
def test_other_rates_are_not_taken_for_it(recording: Recording, sheet: Callable[[str], Layout], fs: float) -> None:
    layout = sheet("3x4+1")
    assert drawn_rate(readings(recording, layout, fs), layout) is None


def test_straight_lines_must_fit_whatever_the_rhythm(
    sheet: Callable[[str], Layout], monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = sheet("3x4+1")
    smooth, coarse = (readings(lively(), layout, fs, noise_mm=0.005) for fs in (500, 100))
    monkeypatch.setattr("ecgdig.drawn_rate._LEAST_SUPPORT", 0.0)
    assert drawn_rate(coarse, layout) is not None
    assert drawn_rate(smooth, layout) is None
    monkeypatch.setattr("ecgdig.drawn_rate._MOST_MISFIT", 1e9)
    assert drawn_rate(smooth, layout) is not None  # so it was the fit that decided


def test_too_little_gives_no_answer(recording: Recording, sheet: Callable[[str], Layout]) -> None:
    layout = sheet("3x4+1")
    rows = readings(recording, layout, 100)
    blank = [replace(row, y_mm=np.where(row.x_mm < row.x_mm[0] + 8, row.y_mm, np.nan)) for row in rows]
    assert drawn_rate(blank, layout) is None


def test_a_smooth_curve_through_the_samples_is_nearer_to_the_heart(sheet: Callable[[str], Layout]) -> None:
    recording = lively()
    layout = sheet("12x1")
    rows = readings(recording, layout, 100, noise_mm=0.005)
    rate = drawn_rate(rows, layout)
    assert rate is not None
    smooth = through_samples(rows, layout, rate)

    def error(read: Sequence[RowReading]) -> float:
        total = 0.0
        for row, s in zip(read, layout.segments, strict=True):
            inside = (row.x_mm > s.x_mm + 1) & (row.x_mm < s.end_mm - 1)
            time = np.arange(recording.n_samples) / recording.fs
            truth = s.y_of(np.interp(s.time_of(row.x_mm[inside]), time, recording.lead(s.lead)))
            total += float(((row.y_mm[inside] - truth) ** 2).sum())
        return total

    assert error(smooth) < 0.3 * error(rows)


def test_samples_are_recovered_and_gaps_go_on_straight() -> None:
    rng = np.random.default_rng(1)
    samples = rng.normal(0, 1, 60)
    time = np.sort(rng.uniform(0.103, 0.103 + 0.58, 900))
    value = np.interp(time, 0.1 + np.arange(60) / 100, samples)
    found = fit_samples(time, value, np.ones(900), 0.1, 100)
    np.testing.assert_allclose(found[1:58], samples[1:58], atol=0.02)
    kept = (time < 0.3) | (time > 0.4)
    line = fit_samples(time[kept], 3 * time[kept], np.ones(kept.sum()), 0.1, 100)
    np.testing.assert_allclose(line, 3 * (0.1 + np.arange(line.size) / 100), atol=1e-6)


def test_columns_that_were_not_read_stay_unread(recording: Recording, sheet: Callable[[str], Layout]) -> None:
    layout = sheet("3x4+1")
    rows = readings(recording, layout, 100)
    rate = drawn_rate(rows, layout)
    assert rate is not None
    rows[0].y_mm[400:500] = np.nan
    smooth = through_samples(rows, layout, rate)
    np.testing.assert_array_equal(np.isnan(smooth[0].y_mm), np.isnan(rows[0].y_mm))
    outside = rows[1].x_mm < layout.row(1)[0].x_mm
    np.testing.assert_array_equal(smooth[1].y_mm[outside], rows[1].y_mm[outside])
