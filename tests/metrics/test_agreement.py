from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr

from ecgdig.metrics import coverage, einthoven_residual_mv, error_95_mv, pearson_r, rmse_mv
from ecgdig.recording import Recording

NAN = float("nan")


def test_against_numpy_and_scipy_on_samples_that_both_have() -> None:
    rng = np.random.default_rng(0)
    r = rng.normal(size=(3, 200))
    e = r + rng.normal(0, 0.3, r.shape) + 0.1
    r[0, :20], e[1, 50:70] = NAN, NAN
    both = np.isfinite(r) & np.isfinite(e)
    assert pearson_r(r, e) == pytest.approx([pearsonr(a[k], b[k])[0] for a, b, k in zip(r, e, both, strict=True)])
    assert rmse_mv(r, e) == pytest.approx(np.sqrt(np.nanmean((r - e) ** 2, axis=1)))
    assert error_95_mv(r, e) == pytest.approx(np.nanquantile(np.abs(r - e), 0.95, axis=1))
    assert coverage(r, e) == pytest.approx([1.0, 0.9, 1.0])


@pytest.mark.parametrize(
    "reference, estimate, expected",
    [
        pytest.param([0.0, 1, 2], [NAN, NAN, NAN], (0.0, NAN, NAN, 0.0), id="nothing read"),
        pytest.param([0.0, 1, 2], [0.0], (0.0, 0.0, 0.0, 1 / 3), id="shorter estimate"),
        pytest.param([1.0, 1, 1], [0.0, 1, 2], (0.0, np.sqrt(2 / 3), 1.0, 1.0), id="flat reference"),
        pytest.param([0.0, 1, 2], [1.0, 1, 1], (0.0, np.sqrt(2 / 3), 1.0, 1.0), id="flat estimate"),
        pytest.param([0.0, 1, 2], [0.5, 1.5, 2.5], (1.0, 0.5, 0.5, 1.0), id="constant offset counts as an error"),
        pytest.param([NAN, NAN, NAN], [0.0, 1, 2], (NAN, NAN, NAN, NAN), id="not scored"),
    ],
)
def test_degenerate(reference: list[float], estimate: list[float], expected: tuple[float, ...]) -> None:
    values = [metric(reference, estimate) for metric in (pearson_r, rmse_mv, error_95_mv, coverage)]
    assert values == pytest.approx(expected, nan_ok=True)


def test_einthoven_residual_is_the_rms_of_the_broken_law() -> None:
    signal = np.random.default_rng(0).normal(size=(3, 100)).astype(np.float32)
    signal[1] = signal[0] + signal[2]
    assert einthoven_residual_mv(Recording(("I", "II", "III"), 500, signal)) == pytest.approx(0, abs=1e-6)
    signal[1] += 0.25
    signal[2, 50:] = NAN
    assert einthoven_residual_mv(Recording(("I", "II", "III"), 500, signal)) == pytest.approx(0.25, abs=1e-6)
    assert np.isnan(einthoven_residual_mv(Recording(("I", "II"), 500, signal[:2])))
