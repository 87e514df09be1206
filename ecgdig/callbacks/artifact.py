"""The finished network as a W&B model artifact that `ecgdig.load` takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from ecgdig.callbacks.boards import runs_of
from ecgdig.hub import load, save
from ecgdig.io.wfdb import safe_name
from ecgdig.tasks import TraceTask


class ModelArtifact(Callback):
    """When training of a `TraceTask` ends, or is stopped, its best checkpoint becomes an artifact of type `model`.

    It holds model.safetensors and config.json, and has the aliases `best`, `latest` and `step-N`: then
    `ecgdig.load("entity/project/RUN:best")` reads with it.

    Args:
        folder: of the run, with best.ckpt.
        monitor: the score that chose it.
    """

    def __init__(self, folder: Path, monitor: str) -> None:
        self.folder, self.monitor = folder, monitor

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._log(trainer, pl_module)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        if isinstance(exception, KeyboardInterrupt):
            self._log(trainer, pl_module)

    def _log(self, trainer: Trainer, task: LightningModule) -> None:
        best = self.folder / "best.ckpt"
        if not isinstance(task, TraceTask) or not trainer.is_global_zero or not best.is_file():
            return
        for run in runs_of(trainer):
            import wandb

            model = load(best, runtime="torch")
            net: Any = model.net
            score = {self.monitor: _number(trainer.callback_metrics.get(self.monitor)), "step": trainer.global_step}
            shared = save(net, model.config["network"], model.spec, self.folder / "shared", {"run": run.name, **score})
            artifact = wandb.Artifact(safe_name(self.folder.name), type="model", metadata={**model.config, **score})
            artifact.add_dir(str(shared))
            run.log_artifact(artifact, aliases=["best", "latest", f"step-{trainer.global_step}"])


def _number(value: Any) -> float | None:
    return None if value is None else round(float(value), 4)
