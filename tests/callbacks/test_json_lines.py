from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from ecgdig.callbacks import JsonLines


def trainer(**other: Any) -> Any:
    scores = {"val/snr_db": 3.25, "val/loss": float("nan")}
    usual = {"sanity_checking": False, "is_global_zero": True, "current_epoch": 2, "global_step": 40}
    return SimpleNamespace(callback_metrics=scores, **{**usual, **other})


def test_each_validation_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    module: Any = None
    for other in ({}, {"sanity_checking": True}, {"is_global_zero": False}):
        JsonLines().on_validation_end(trainer(**other), module)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {"epoch": 2, "step": 40, "val/loss": None, "val/snr_db": 3.25}
