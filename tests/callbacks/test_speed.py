from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ecgdig.callbacks import Speed


def test_strips_a_second_leave_out_the_first_batch_and_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    module: Any = SimpleNamespace(log=lambda name, value, **how: told.append(value))
    trainer: Any = SimpleNamespace(world_size=2)
    speed, batch = Speed(), {"image": range(16)}
    speed.on_train_epoch_start(trainer, module)
    for clock in (10.0, 12.0, 14.0, None, 100.0, 101.0):
        if clock is None:
            speed.on_validation_end(trainer, module)
            continue
        monkeypatch.setattr("time.perf_counter", lambda now=clock: now)
        speed.on_train_batch_end(trainer, module, None, batch, 0)
    assert told == [16.0, 16.0, 32.0]
