"""How training writes its checkpoints: beside their place, then renamed."""

from __future__ import annotations

import os
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from ecgdig.io.atomic import whole_file


class WholeCheckpoints(TorchCheckpointIO):
    """Checkpoints that appear whole or not at all, whatever file system they are on.

    Lightning's own go to the folder for temporary files first. Where that is another file system, the move from there
    is a copy over the checkpoint that was there: a run killed in between has lost both. And a full /tmp ends the run.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any | None = None
    ) -> None:
        """Write a checkpoint to a path on this machine.

        Raises:
            TypeError: with `storage_options`, which belong to object stores.
        """
        if storage_options is not None:
            raise TypeError("checkpoints are written to a folder of this machine; leave out storage_options")
        with whole_file(path) as file:
            torch.save(checkpoint, file)
