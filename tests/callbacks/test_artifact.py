from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from small_net import HPARAMS, SPEC, small_net

from ecgdig.callbacks import ModelArtifact, artifact
from ecgdig.hub import TraceModel, load
from ecgdig.tasks import TraceTask


class Run:
    """A W&B run that keeps what it is given."""

    name = "mine"

    def __init__(self) -> None:
        self.given: list[tuple[Any, list[str]]] = []

    def log_artifact(self, what: Any, aliases: list[str]) -> None:
        self.given.append((what, aliases))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    run = Run()
    model = TraceModel(small_net(), SPEC, "best", "0" * 64, (1.0, 0.02), {"network": HPARAMS})
    monkeypatch.setattr(artifact, "runs_of", lambda trainer: [run])
    monkeypatch.setattr(artifact, "load", lambda path, runtime: model)
    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my run").mkdir()
    return tmp_path / "my run"


TASK: Any = TraceTask.__new__(TraceTask)  # only its type is looked at
TRAINER: Any = SimpleNamespace(is_global_zero=True, global_step=7, callback_metrics={"val/snr_db": torch.tensor(3.5)})


def test_the_best_checkpoint_becomes_an_artifact_that_loads(run: Run, folder: Path) -> None:
    (folder / "best.ckpt").write_bytes(b"x")
    ModelArtifact(folder, "val/snr_db").on_fit_end(TRAINER, TASK)
    ((made, aliases),) = run.given
    assert (made.name, made.type, aliases) == ("my_run", "model", ["best", "latest", "step-7"])
    assert made.metadata["val/snr_db"] == 3.5
    assert load(folder / "shared").config["about"] == {"run": "mine", "val/snr_db": 3.5, "step": 7}


def test_an_interrupt_keeps_it_and_an_error_does_not(run: Run, folder: Path) -> None:
    (folder / "best.ckpt").write_bytes(b"x")
    callback = ModelArtifact(folder, "val/snr_db")
    callback.on_exception(TRAINER, TASK, ValueError())
    assert run.given == []
    callback.on_exception(TRAINER, TASK, KeyboardInterrupt())
    assert len(run.given) == 1


@pytest.mark.parametrize("what", ["no checkpoint", "another task", "another process"])
def test_otherwise_there_is_none(run: Run, folder: Path, what: str) -> None:
    if what != "no checkpoint":
        (folder / "best.ckpt").write_bytes(b"x")
    trainer: Any = SimpleNamespace(**{**vars(TRAINER), "is_global_zero": what != "another process"})
    task: Any = object() if what == "another task" else TASK
    ModelArtifact(folder, "val/snr_db").on_fit_end(trainer, task)
    assert run.given == []
