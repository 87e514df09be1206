"""Items a second."""

from __future__ import annotations

import time
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer


class Speed(Callback):
    """Logs `train/items_per_s`: strips (or pages) a second over all processes since training last began or went on.

    Validation does not count, nor does the first batch, which waits for the workers to start.
    """

    def __init__(self) -> None:
        self._since: float | None = None
        self._items = 0

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._since = None

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._since = None

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        now = time.perf_counter()
        if self._since is None:
            self._since, self._items = now, 0
            return
        self._items += len(batch["image"]) * trainer.world_size
        pl_module.log("train/items_per_s", self._items / max(now - self._since, 1e-9), rank_zero_only=True)
