from __future__ import annotations

import numpy as np
import pytest
from ink_net import ink_model

from ecgdig.evaluate import evaluate, oracle
from ecgdig.metrics import snr_db
from ecgdig.scoring.cases import rendered_cases
from ecgdig.sources import Simulator


def test_the_oracle_is_limited_by_time_resolution_alone() -> None:
    case = next(rendered_cases(Simulator(1, seed=3), "clean", ("3x4+1",), 100, 2))
    assert case.page is not None
    assert case.page.style.ink.fs == 500  # lines between fewer samples limit it too
    best = oracle(case.page, ink_model())
    reached = np.asarray(snr_db(case.truth.signal_mv, best.signal_mv))
    assert reached.mean() > 30
    assert np.isfinite(reached).all()


def test_failures_count_as_zero_and_are_named() -> None:
    case = next(rendered_cases(Simulator(1), "clean", ("3x4",), 100, 0))
    blank = case.__class__("blank", np.full_like(case.image, 255), case.truth, None)
    summary = evaluate(iter([blank]), ink_model())
    assert summary["failures"] == ["blank"]
    assert summary["errors"]["blank"]
    assert summary["metrics"]["snr_kaggle_db"]["mean"] == 0
    assert summary["oracle"] is None


def test_what_nobody_foresaw_ends_one_page_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise IndexError("of a\nlibrary")

    monkeypatch.setattr("ecgdig.evaluate.digitize", broken)
    summary = evaluate(rendered_cases(Simulator(2), "clean", ("3x4",), 60, 0), ink_model())
    assert len(summary["failures"]) == 2
    for reason in summary["errors"].values():
        assert reason == "internal error (IndexError: of a library); please report it"


def test_true_geometry_scores_beside_the_oracle() -> None:
    cases = rendered_cases(Simulator(1, seed=3), "clean", ("3x4",), 150, 1)
    summary = evaluate(cases, ink_model(), true_geometry=True)
    assert summary["failures"] == []
    assert set(summary["metrics"]["snr_db"]) == {"mean", "sd", "median"}
    assert summary["oracle"]["snr_db"]["mean"] > summary["metrics"]["snr_db"]["mean"]
