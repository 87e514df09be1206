"""Scores on stdout for programs: a JSON object a validation."""

from __future__ import annotations

import json
import math

from lightning.pytorch import Callback, LightningModule, Trainer


class JsonLines(Callback):
    """Prints epoch, step and every score after each validation, as one line of JSON; what is not finite is null."""

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.sanity_checking or not trainer.is_global_zero:
            return
        scores = {name: float(value) for name, value in trainer.callback_metrics.items()}
        known = {name: round(value, 6) if math.isfinite(value) else None for name, value in sorted(scores.items())}
        print(json.dumps({"epoch": trainer.current_epoch, "step": trainer.global_step, **known}), flush=True)
