from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ecgdig.tasks.strip_scores import StripScores
from ecgdig.units import LEADS

T = np.arange(400) / 20
WAVE = np.sin(T)
ALL_II = np.full(400, LEADS.index("II"))
SURE = np.full(400, 0.01)  # mV


def scored(*strips: tuple[Any, ...]) -> dict[str, float]:
    metric = StripScores()
    for reference, estimate, sigma, lead in strips:
        metric.update(reference, estimate, sigma, lead)
    return {name: float(value) for name, value in metric.compute().items()}


def test_snr_of_known_errors() -> None:
    values = scored((WAVE, WAVE + 0.1 * np.cos(7 * T), SURE, ALL_II))
    r, e = WAVE - WAVE.mean(), 0.1 * (np.cos(7 * T) - np.cos(7 * T).mean())
    expected = 10 * np.log10((r**2).sum() / (e**2).sum())
    assert values["snr_db/II"] == values["snr_db"] == pytest.approx(expected, abs=1e-3)
    assert values["snr_db_median"] == pytest.approx(expected, abs=1e-3)
    assert values["coverage"] == 1
    assert set(values) == {"snr_db/II", "snr_db", "snr_db_median", "coverage", "failures", "interval_90_coverage"}


@pytest.mark.parametrize(
    "estimate, expected",
    [
        (WAVE + 5.0, 60.0),  # a constant offset does not count; capped in the median
        (np.zeros(400), 0.0),
        (np.full(400, np.nan), 0.0),  # missing reads as 0
        (2 * WAVE, 0.0),
    ],
    ids=["offset", "flat", "missing", "twice"],
)
def test_snr_of_degenerate_answers(estimate: np.ndarray, expected: float) -> None:
    values = scored((WAVE, estimate, SURE, ALL_II))
    assert values["snr_db_median"] == pytest.approx(expected, abs=0.01)
    assert np.isfinite(values["snr_db"])
    assert values["coverage"] == np.isfinite(estimate).mean()


def test_each_lead_has_its_own_and_unknown_columns_do_not_count() -> None:
    lead = np.repeat([LEADS.index("V1"), -1, LEADS.index("V6"), LEADS.index("I")], 100)
    reference = np.where(np.arange(400) < 300, WAVE, np.nan)
    estimate = WAVE * np.repeat([0.9, 7.0, 0.0, 3.0], 100)
    values = scored((reference, estimate, SURE, lead))
    assert values["snr_db/V1"] == pytest.approx(20.0, abs=0.01)
    assert values["snr_db/V6"] == pytest.approx(0.0, abs=0.01)
    assert "snr_db/I" not in values
    assert values["snr_db"] == pytest.approx(10.0, abs=0.01)


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_strips_add_up_and_nothing_at_all_is_finite() -> None:
    values = scored((WAVE, 0.9 * WAVE, SURE, ALL_II), (WAVE, 0.0 * WAVE, SURE, ALL_II))
    power = ((WAVE - WAVE.mean()) ** 2).sum()
    assert values["snr_db/II"] == pytest.approx(10 * np.log10(2 * power / (1.01 * power)), abs=1e-3)
    assert scored() == {"snr_db": 0, "snr_db_median": 0, "coverage": 0, "failures": 0}
    assert scored((np.ones(400), np.ones(400), SURE, ALL_II))["snr_db"] == 0  # a flat lead has no SNR


def test_the_share_of_columns_within_the_interval_of_their_sigma() -> None:
    error = np.random.default_rng(0).normal(size=400) * np.repeat([0.02, 0.05], 200)
    sigma = np.repeat([0.02, 0.05], 200)
    honest = scored((WAVE, WAVE + error, sigma, ALL_II))["interval_90_coverage"]
    assert honest == pytest.approx(0.9, abs=0.03)
    off = np.abs(error - np.median(error))
    assert honest == pytest.approx(np.mean(off <= 1.6449 * sigma), abs=1e-6)
    assert scored((WAVE, WAVE + error, 0.5 * sigma, ALL_II))["interval_90_coverage"] < 0.7
    assert scored((WAVE, WAVE + error + 3.0, sigma, ALL_II))["interval_90_coverage"] == honest  # an offset is none
    # of two strips each column counts once, and only where it was read
    half = np.where(np.arange(400) < 100, WAVE, np.nan)
    assert scored((WAVE, half, SURE, ALL_II), (WAVE, WAVE + error, sigma, ALL_II))["interval_90_coverage"] == (
        pytest.approx((100 + 400 * honest) / 500)
    )


@pytest.mark.parametrize(
    "reference, estimate, failures",
    [
        (WAVE, np.full(400, np.nan), 1),
        (WAVE, np.where(np.arange(400) == 7, WAVE, np.nan), 0),  # poor, but something
        (np.full(400, np.nan), WAVE, 0),  # nothing is printed
        (np.where(np.arange(400) < 200, WAVE, np.nan), np.where(np.arange(400) < 200, np.nan, WAVE), 1),
    ],
    ids=["nothing read", "a column read", "nothing printed", "read elsewhere"],
)
def test_a_strip_of_which_nothing_is_read_is_a_failure(
    reference: np.ndarray, estimate: np.ndarray, failures: int
) -> None:
    values = scored((reference, estimate, SURE, ALL_II), (WAVE, WAVE, SURE, ALL_II))
    assert values["failures"] == failures
    alone = scored((reference, estimate, SURE, ALL_II))
    assert ("interval_90_coverage" in alone) == bool(np.isfinite(reference + estimate).any())
