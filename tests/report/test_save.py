from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from ecgdig.digitizer import Digitization
from ecgdig.io import read_csv, read_wfdb
from ecgdig.page import Page
from ecgdig.report import save as saving
from ecgdig.report.save import describe, mean_coverage, save

SIGMA_MV = 0.0125


@pytest.fixture
def read(flat_page: Page) -> Digitization:
    """What a perfect reading of a 3x4+1 page would be, but for V1, of which nothing, and II, of which 4 of 10 s are."""
    truth = flat_page.recording()
    signal = truth.signal_mv.copy()
    signal[truth.leads.index("V1")] = np.nan
    signal[truth.leads.index("II"), 2000:] = np.nan
    sigma = np.where(np.isfinite(signal), np.float32(SIGMA_MV), np.nan).astype(np.float32)
    return Digitization(
        replace(truth, signal_mv=signal, sigma_mv=sigma),
        flat_page.layout,
        flat_page.warp,
        (),
        ("V1 is not to be seen",),
        ("ink", "0" * 64),
        flat_page.image,
    )


def test_the_files_hold_the_reading_and_the_json_comes_last(read: Digitization, tmp_path: Path) -> None:
    files = save(read, tmp_path / "out" / "my page", ("csv", "wfdb", "csv"), {"source": "scan.png"})
    assert [file.name for file in files] == [
        "my_page.csv", "my_page.hea", "my_page.dat", "my_page_overlay.png", "my_page.json",
    ]  # fmt: skip
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == sorted(file.name for file in files)
    for again, to_mv in ((read_wfdb(files[1]), 1e-3), (read_csv(files[0]), 1e-4)):
        np.testing.assert_allclose(again.signal_mv, read.recording.signal_mv, atol=to_mv)  # and NaN where it is
    kept = json.loads(files[-1].read_text())
    assert kept["source"] == "scan.png"
    assert {**describe(read), "source": "scan.png"} == kept


def test_the_overlay_is_the_image_with_the_traces_drawn_over_it(read: Digitization, tmp_path: Path) -> None:
    files = save(read, tmp_path / "page", ("npz",))
    drawn = cv2.imread(str(files[-2]))[..., ::-1]
    np.testing.assert_array_equal(drawn, read.overlay())  # and not with red and blue exchanged
    assert drawn.shape == read.image.shape
    # aVF is read, V1 is not: colour along the one alone
    coloured = np.ptp(drawn.astype(int), axis=2) > 60
    for segment, most in ((_segment(read, "aVF"), 1.0), (_segment(read, "V1"), 0.05)):
        time = segment.start_s + np.linspace(0.2, segment.duration_s - 0.2, 300)
        truth = _segment_truth(read, segment.lead, time)
        x, y = np.rint(read.warp.to_px(np.stack([segment.x_of(time), segment.y_of(truth)], 1))).astype(int).T
        assert coloured[y, x].mean() == pytest.approx(most, abs=0.1 if most == 1.0 else 0.05)


def test_what_is_said_of_each_lead(read: Digitization) -> None:
    told = describe(read)
    assert (told["speed_mm_per_s"], told["gain_mm_per_mv"], told["layout"]) == (25, 10, "3x4+1")
    assert told["px_per_mm"] == pytest.approx(150 / 25.4, abs=1e-3)
    assert (told["fs"], told["units"], told["n_samples"]) == (500, "mV", 5000)
    assert (told["doubtful"], told["warnings"]) == (False, ["V1 is not to be seen"])
    assert told["checkpoint"] == {"name": "ink", "sha256": "0" * 64}
    leads = told["leads"]
    assert leads["aVF"] == {"quality": "good", "coverage": pytest.approx(1, abs=0.01), "sigma_mv": SIGMA_MV}
    assert leads["II"] == {"quality": "poor", "coverage": 0.4, "sigma_mv": SIGMA_MV}
    assert leads["V1"] == {"quality": "unreadable", "coverage": 0, "sigma_mv": None}
    assert told["sigma_mv"] == SIGMA_MV
    assert told["coverage"] == pytest.approx((10 + 0.4) / 12, abs=0.01)
    assert mean_coverage(read) == pytest.approx(told["coverage"], abs=1e-4)
    assert {(s["lead"], s["row"]) for s in told["segments"]} >= {("aVR", 0), ("II", 1), ("II", 3)}
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    doubted = describe(replace(read, doubts=("no heart beats so",)))
    assert doubted["doubtful"] is True


def test_a_lead_that_the_page_does_not_print_is_said_so(read: Digitization) -> None:
    segments = tuple(s for s in read.layout.segments if s.lead != "V6")
    told = describe(replace(read, layout=replace(read.layout, segments=segments)))
    assert told["leads"]["V6"]["quality"] == "not printed"
    assert told["leads"]["V5"]["quality"] == "good"


def test_no_json_of_an_earlier_run_vouches_for_a_set_that_was_not_finished(
    read: Digitization, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(read, tmp_path / "page", ("csv",))
    monkeypatch.setattr(saving.cv2, "imwrite", lambda *args: False)
    with pytest.raises(OSError, match="cannot write"):
        save(read, tmp_path / "page", ("csv",))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["page.csv", "page_overlay.png"]  # the old picture


def test_an_unknown_format_changes_nothing(read: Digitization, tmp_path: Path) -> None:
    save(read, tmp_path / "page", ("csv",))
    with pytest.raises(ValueError, match="unknown format xml"):
        save(read, tmp_path / "page", ("xml",))
    assert (tmp_path / "page.json").is_file()


def _segment(read: Digitization, lead: str):  # type: ignore[no-untyped-def]
    return next(s for s in read.layout.segments if s.lead == lead)


def _segment_truth(read: Digitization, lead: str, time: np.ndarray) -> np.ndarray:
    """Heights in mV at `time`; the zero line where nothing is known."""
    known = np.nan_to_num(read.recording.lead(lead))
    return np.interp(time * read.recording.fs, np.arange(known.size), known)
