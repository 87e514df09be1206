"""Where pictures and tables go: the Weights & Biases runs of a trainer, and files in the run's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import WandbLogger
from numpy.typing import NDArray

from ecgdig.io.atomic import whole_file

_JPEG_QUALITY = 85


def runs_of(trainer: Trainer) -> list[Any]:
    """The W&B runs, none with WANDB_MODE=disabled."""
    return [logger.experiment for logger in trainer.loggers if isinstance(logger, WandbLogger)]


def log(trainer: Trainer, values: dict[str, Any]) -> None:
    """Log tables and pictures beside the numbers of this step."""
    for run in runs_of(trainer):
        run.log({**values, "trainer/global_step": trainer.global_step})


def write_picture(file: Path, rgb: NDArray[np.uint8]) -> None:
    """Write uint8 RGB `(H, W, 3)` as JPEG, whole or not at all."""
    with whole_file(file) as temporary:
        cv2.imwrite(str(temporary), rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])


def fit(rgb: NDArray[np.uint8], longest_px: int) -> NDArray[np.uint8]:
    """Reduced until the longer side is at most `longest_px`."""
    shrink = longest_px / max(rgb.shape[:2])
    if shrink >= 1:
        return rgb
    return np.asarray(cv2.resize(rgb, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)


def tiled(pictures: list[NDArray[np.uint8]], columns: int, gap_px: int = 6) -> NDArray[np.uint8]:
    """Pictures side by side in rows, each in a cell of the largest one's size; uint8 RGB `(H, W, 3)`."""
    height, width = (max(p.shape[k] for p in pictures) + gap_px for k in (0, 1))
    rows = -(-len(pictures) // columns)
    canvas = np.full((rows * height, min(columns, len(pictures)) * width, 3), 255, np.uint8)
    for i, picture in enumerate(pictures):
        y, x = i // columns * height, i % columns * width
        canvas[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
    return canvas
