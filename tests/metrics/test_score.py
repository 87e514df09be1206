from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgdig.metrics import (
    LEAD_METRICS,
    PAGE_METRICS,
    score_recording,
    snr_challenge_db,
    snr_db,
    snr_kaggle_db,
    snr_page_db,
    summarise,
)
from ecgdig.recording import Recording

FS = 500.0
NAN = float("nan")


@pytest.fixture(scope="module")
def reference(ecg_mv: NDArray[np.float64]) -> Recording:
    """Three leads of 2 s; V1 holds nothing: not printed."""
    wave = ecg_mv[:1000].astype(np.float32)
    return Recording(("I", "II", "V1"), FS, np.stack([wave, 0.7 * wave**2, NAN * wave]), name="made-up")


def _noisy(reference: Recording, noise_mv: float = 0.02, **changes: object) -> Recording:
    noise = np.random.default_rng(0).normal(0, noise_mv, reference.signal_mv.shape).astype(np.float32)
    return Recording(reference.leads, reference.fs, reference.signal_mv + noise, **changes)  # type: ignore[arg-type]


def test_scores_are_those_of_the_metrics(reference: Recording) -> None:
    estimate = _noisy(reference, sigma_mv=np.full(reference.signal_mv.shape, 0.02))
    score = score_recording(reference, estimate)
    r, e = reference.signal_mv[:2], estimate.signal_mv[:2]
    assert list(score.leads) == ["I", "II"]
    assert set(score.page) == set(PAGE_METRICS)
    assert set(score.leads["I"]) == set(LEAD_METRICS)
    assert [score.leads[lead]["snr_db"] for lead in ("I", "II")] == pytest.approx(snr_db(r, e))
    assert score.page["snr_db"] == pytest.approx(np.mean(snr_db(r, e)))
    assert score.page["snr_challenge_db"] == pytest.approx(np.mean(snr_challenge_db(r, e, FS)))
    assert score.page["snr_kaggle_db"] == pytest.approx(snr_kaggle_db(r, e, FS))
    assert score.page["snr_page_db"] == pytest.approx(snr_page_db(r, e))
    assert score.page["rmse_mv"] == pytest.approx(0.02, rel=0.1)
    assert score.page["interval_90_coverage"] == pytest.approx(0.9, abs=0.03)
    assert (score.page["coverage"], score.failed) == (1.0, False)


def test_leads_are_matched_by_name_in_any_order_and_spelling(reference: Recording) -> None:
    estimate = Recording(("lead ii", "V6", "i"), FS, reference.signal_mv[[1, 0, 0]])
    assert score_recording(reference, estimate).page["snr_db"] == 60.0


def test_an_upside_down_avr_is_avr(ecg_mv: NDArray[np.float64]) -> None:
    wave = ecg_mv[None, :1000].astype(np.float32)
    assert score_recording(Recording(("aVR",), FS, wave), Recording(("-aVR",), FS, -wave)).page["snr_db"] == 60.0
    assert score_recording(Recording(("-aVR",), FS, wave), Recording(("AVR",), FS, -wave)).page["snr_db"] == 60.0


def test_another_rate_is_resampled(ecg_mv: NDArray[np.float64]) -> None:
    reference = Recording(("II",), FS, ecg_mv[None].astype(np.float32))
    assert score_recording(reference, reference.resample(250)).page["snr_db"] > 40


def test_missing_lead_counts_as_missing(reference: Recording) -> None:
    score = score_recording(reference, reference.select(("I",)))
    assert score.leads["II"]["snr_db"] == 0
    assert score.page["coverage"] == 0.5
    assert not score.failed


@pytest.mark.parametrize("unread", ["no estimate", "all NaN", "other leads"])
def test_failure_is_0_db_and_listed(reference: Recording, unread: str) -> None:
    estimate = {
        "no estimate": None,
        "all NaN": Recording(reference.leads, FS, NAN * reference.signal_mv),
        "other leads": Recording(("V5",), FS, reference.signal_mv[:1]),
    }[unread]
    score = score_recording(reference, estimate)
    assert score.failed
    assert [score.page[name] for name in PAGE_METRICS if name.startswith("snr_")] == [0.0] * 4
    assert summarise([score])["failures"] == ["made-up"]


def test_summary_of_a_perfect_a_noisy_and_a_failed_page(reference: Recording) -> None:
    scores = [score_recording(reference, e) for e in (reference, _noisy(reference), None)]
    summary = summarise(scores)
    noisy = scores[1].page["snr_kaggle_db"]
    statistics = summary["metrics"]["snr_kaggle_db"]
    assert statistics == pytest.approx(
        {"mean": (60 + noisy) / 3, "sd": np.std([60, noisy, 0]), "median": noisy}, abs=1e-9
    )
    linear = 10 * np.log10((1e6 + 10 ** (noisy / 10) + 1) / 3)
    assert summary["metrics"]["snr_kaggle_linear_db"]["mean"] == pytest.approx(linear)
    assert summary["per_lead"]["I"]["snr_db"] == pytest.approx((60 + scores[1].leads["I"]["snr_db"]) / 3)
    assert list(summary["per_lead"]) == ["I", "II"]
    assert summary["metrics"]["rmse_mv"]["mean"] == pytest.approx(scores[1].page["rmse_mv"] / 2)
    assert [page["failed"] for page in summary["pages"]] == [False, False, True]
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_nothing_to_score_is_an_error(reference: Recording) -> None:
    with pytest.raises(ValueError, match="no known sample"):
        score_recording(reference.select(("V1",)), reference)
    with pytest.raises(ValueError, match="no scores"):
        summarise([])


def test_importing_metrics_does_not_import_torch() -> None:
    code = "import sys, ecgdig.metrics; sys.exit('torch' in sys.modules or 'lightning' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
