from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import pytest

from ecgdig.io import write_wfdb
from ecgdig.page import Layout, Style, render
from ecgdig.recording import Recording
from ecgdig.scoring.cases import (
    CaseError,
    folder_cases,
    manifest_facts,
    rendered_cases,
    those_that_can_be_scored,
)
from ecgdig.scoring.scored import as_recorded
from ecgdig.sources import Simulator


def test_cases_are_a_function_of_seed_and_index() -> None:
    def images(seed: int) -> list[bytes]:
        return [case.image.tobytes() for case in rendered_cases(Simulator(2), "scan", ("3x4+1",), 100, seed)]

    assert images(1) == images(1)
    assert images(1) != images(2)


def test_records_without_the_leads_are_refused() -> None:
    full = Simulator(1)[0]

    class Three:
        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: int) -> Recording:
            return full.select(("I", "II", "V1"))

    with pytest.raises(ValueError, match="aVR"):
        next(rendered_cases(Three(), "clean", ("3x4",), 100, 0))


def _write(folder: Path, layout: str) -> None:
    recording = Simulator(1)[0]
    write_wfdb(recording, folder, "truth")
    cv2.imwrite(str(folder / "a.png"), np.full((200, 300, 3), 255, np.uint8))
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([["image", "truth", "layout"], ["a.png", "truth", layout]])


@pytest.mark.parametrize(("layout", "printed_of_v1"), [("3x4 + II, 25 mm/s", 0.25), ("", 1.0), ("unheard of", 1.0)])
def test_only_what_the_layout_prints_is_scored(tmp_path: Path, layout: str, printed_of_v1: float) -> None:
    _write(tmp_path, layout)
    (case,) = folder_cases(tmp_path)
    assert np.isfinite(case.truth.lead("V1")).mean() == pytest.approx(printed_of_v1)
    assert np.isfinite(case.truth.lead("II")).all()


def test_a_folder_without_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"index\.csv"):
        next(folder_cases(tmp_path))


@pytest.mark.parametrize(("frozen", "left_out"), [(0, 0), (20, 0), (60, 60)])
def test_a_frozen_end_is_not_scored(tmp_path: Path, recording: Recording, frozen: int, left_out: int) -> None:
    signal = recording.signal_mv.copy()
    signal[:, signal.shape[1] - frozen :] = signal[:, signal.shape[1] - frozen - 1][:, None]
    write_wfdb(replace(recording, signal_mv=signal), tmp_path, "truth")
    cv2.imwrite(str(tmp_path / "page.png"), np.full((200, 300, 3), 255, np.uint8))
    (tmp_path / "index.csv").write_text("image,truth\npage.png,truth\n")
    (case,) = folder_cases(tmp_path)
    assert np.isnan(case.truth.signal_mv).sum() == 12 * left_out


@pytest.mark.parametrize(("frozen", "left_out"), [(0, 0), (20, 0), (60, 59)])
def test_a_frozen_end_is_printed_but_not_scored(recording: Recording, frozen: int, left_out: int) -> None:
    signal = recording.signal_mv.copy()
    signal[:, signal.shape[1] - frozen :] = signal[:, signal.shape[1] - frozen - 1][:, None]

    class One:
        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: int) -> Recording:
            return replace(recording, signal_mv=signal)

    case = next(rendered_cases(One(), "clean", ("3x4",), 60, 0))
    assert case.page is not None
    printed = np.isfinite(case.page.recording().signal_mv)
    assert printed.sum() - np.isfinite(case.truth.signal_mv).sum() == 3 * left_out
    assert printed[:, -2].sum() == 3  # the three leads of the last column; no ink goes past the last sample


def test_the_truth_is_the_recording_not_the_straight_lines_of_a_coarse_drawing(
    recording: Recording, sheet: Callable[[str], Layout], bare: Style
) -> None:
    page = render(recording, sheet("3x4"), replace(bare, ink=replace(bare.ink, fs=100)), 60, np.random.default_rng(0))
    truth, ink = as_recorded(page), page.recording()
    known = np.isfinite(truth.signal_mv)
    assert known.sum() > 0.99 * np.isfinite(ink.signal_mv).sum()
    np.testing.assert_allclose(truth.signal_mv[known], recording.select(truth.leads).signal_mv[known], atol=1e-6)
    assert np.abs(truth.signal_mv - ink.signal_mv)[known].max() > 0.02


def test_cases_can_be_left_out(tmp_path: Path) -> None:
    source = Simulator(3, seed=3)
    whole = list(rendered_cases(source, "clean", ("3x4", "6x2"), 60, 1))
    some = list(rendered_cases(source, "clean", ("3x4", "6x2"), 60, 1, iter([1, 7])))
    assert [case.index for case in some] == [1]
    np.testing.assert_array_equal(some[0].image, whole[1].image)
    assert some[0].facts == {"preset": "clean", "layout": "6x2", "dpi": 60.0, "degradations": {}}
    _write(tmp_path, "3x4")
    assert list(folder_cases(tmp_path, [1])) == []
    assert next(folder_cases(tmp_path, [0])).facts == {"layout": "3x4"}


def test_pages_that_cannot_be_scored_are_passed_over() -> None:
    def make(indices: Iterator[int]) -> Iterator[int]:
        for i in indices:
            if i == 6:
                return
            if i in (0, 2, 3, 5):
                raise CaseError(f"p{i}", f"because of {i}")
            yield i

    unscored: dict[str, str] = {}
    assert list(those_that_can_be_scored(make, count(), unscored)) == [1, 4]
    assert unscored == {f"p{i}": f"because of {i}" for i in (0, 2, 3, 5)}


def test_a_damaged_picture_is_a_case_that_says_why(tmp_path: Path) -> None:
    _write(tmp_path, "3x4")
    (tmp_path / "a.png").write_text("no picture")
    (case,) = folder_cases(tmp_path)
    assert case.image.size == 0
    assert "a.png: not a picture" in case.error
    assert np.isfinite(case.truth.lead("I")).any()


def test_a_truth_without_anything_that_is_printed_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, "3x4")
    known = Simulator(1)[0]
    signal = known.signal_mv.copy()
    signal[[known.leads.index(lead) for lead in ("I", "II", "III")], :1250] = np.nan
    write_wfdb(replace(known, signal_mv=signal).select(("I", "II", "III")), tmp_path, "truth")
    with pytest.raises(CaseError, match="no known sample where a page of layout 3x4") as refused:
        next(folder_cases(tmp_path))
    assert refused.value.name == "a"


@pytest.mark.parametrize("row", ["a.png,", ",truth", "a.png"])
def test_a_row_of_the_index_that_names_too_little_is_refused(tmp_path: Path, row: str) -> None:
    (tmp_path / "index.csv").write_text(f"image,truth\nb.png,truth\n{row}\n")
    with pytest.raises(ValueError, match="row 2 names no image or no truth"):
        next(folder_cases(tmp_path))


def test_facts_come_from_the_manifest(tmp_path: Path) -> None:
    assert manifest_facts(tmp_path) == {}
    _write(tmp_path, "")
    columns = "index,image,preset,layout,dpi,degrade.folds,degrade.stain,degrade.folds.depth_mm"
    (tmp_path / "manifest.csv").write_text(f"{columns}\n0,a.png,scan,12x1,150.5,0.25,,3 4\n")
    facts = {"preset": "scan", "layout": "12x1", "dpi": 150.5, "degradations": {"folds": 0.25}}
    assert next(folder_cases(tmp_path)).facts == facts


def test_a_rendered_case_says_what_was_done_to_it() -> None:
    cases = list(rendered_cases(Simulator(3, seed=3), "photo", ("3x4",), 60, 1))
    for case in cases:
        assert case.page is not None
        assert case.facts["degradations"] == pytest.approx(case.page.degradations, abs=1e-4)
    assert any(case.facts["degradations"] for case in cases)
