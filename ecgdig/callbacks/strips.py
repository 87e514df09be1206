"""What the network is shown, before it has seen any of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from lightning.pytorch import Callback, LightningModule, Trainer
from numpy.typing import NDArray

from ecgdig.callbacks.boards import log, runs_of, tiled, write_picture

_TRUTH_RGB = (0, 170, 60)


class FirstStrips(Callback):
    """At the start, a grid of the first training items: `train/strips`, and strips.jpg in the run's folder.

    Args:
        folder: of the run.
        n: how many.
    """

    def __init__(self, folder: Path, n: int = 24) -> None:
        self.folder, self.n = folder, n

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        made: Any = getattr(trainer, "datamodule", None)
        if made is None or not trainer.is_global_zero or self.n < 1:
            return
        data = made.train_dataset()
        picture = tiled([with_truth(data[i]) for i in range(min(self.n, len(data)))], columns=6)
        write_picture(self.folder / "strips.jpg", picture)
        if runs_of(trainer):
            import wandb

            log(trainer, {"train/strips": wandb.Image(picture, caption="the first training items, truth in green")})


def with_truth(item: dict[str, Any]) -> NDArray[np.uint8]:
    """The picture of an item, for strips with its true heights drawn in; uint8 RGB `(H, W, 3)`."""
    image = item["image"] if item["image"].ndim == 3 else item["image"][0]  # the first of several crops
    picture = np.ascontiguousarray(image[:3].transpose(1, 2, 0))  # a fourth colour is the network's own
    if "height_px" not in item:
        return picture
    y = item["height_px"]
    x = (np.arange(len(y)) + 0.5) * picture.shape[1] / len(y) - 0.5
    for run in np.split(np.arange(len(y)), np.flatnonzero(np.diff(np.isfinite(y).astype(int))) + 1):
        if np.isfinite(y[run[0]]):
            points = np.round(np.stack([x[run], y[run]], 1) * 16).astype(np.int32)  # 4 fractional bits
            cv2.polylines(picture, [points], False, _TRUTH_RGB, 1, cv2.LINE_AA, 4)
    return picture
