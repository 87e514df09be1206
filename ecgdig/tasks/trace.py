"""`TraceTask`: train a network to follow the row in the middle of a strip and to say where it runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor

from ecgdig.strip import StripSpec
from ecgdig.tasks.losses import dice_loss, height_loss, present_loss, snr_loss
from ecgdig.tasks.strip_scores import StripScores
from ecgdig.tasks.trace_net import TraceNet, TraceOutput
from ecgdig.vectorize import said_error, trace_path

Batch = dict[str, Tensor]


class TraceTask(L.LightningModule):
    """Column distributions, presence and ink mask of the row in the middle of a strip.

    Args:
        encoder, depth, decoder_channels, block, sub_columns, features, refine: see `TraceNet`.
        half_height_mm, px_per_mm_x, px_per_mm_y: the strips it is made for; the data module's must be the same.
        target_sigma_px: width of the Gaussian around the true height.
        snr_weight, present_weight, dice_weight: loss = height + weights · the others.
        learning_rate: at its peak, for AdamW.
        weight_decay: of AdamW.
        warmup, decay: shares of the steps in which the learning rate rises, and in which it falls along a cosine to a
            hundredth; in between it is constant, so that a run can go on for as long as there is time and a short one
            with `decay` 1 finishes it.
    """

    def __init__(
        self,
        encoder: str = "tu-resnet10t",
        depth: int = 4,
        decoder_channels: Sequence[int] = (128, 96, 64, 64),
        block: int = 4,
        sub_columns: int = 2,
        features: int = 6,
        refine: int = 16,
        half_height_mm: float = 38.4,
        px_per_mm_x: float = 8.0,
        px_per_mm_y: float = 5.0,
        target_sigma_px: float = 1.0,
        snr_weight: float = 0.2,
        present_weight: float = 1.0,
        dice_weight: float = 0.2,
        learning_rate: float = 2e-3,
        weight_decay: float = 1e-3,
        warmup: float = 0.02,
        decay: float = 0.4,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.configure_networks()
        self.scores = StripScores()

    def configure_networks(self) -> None:
        h = self.hparams
        self.net = TraceNet(
            h["encoder"],
            h["depth"],
            list(h["decoder_channels"]),
            h["block"],
            h["sub_columns"],
            h["features"],
            h["refine"],
        )

    @property
    def spec(self) -> StripSpec:
        h = self.hparams
        return StripSpec(h["half_height_mm"], h["px_per_mm_x"], h["px_per_mm_y"], h["sub_columns"])

    def on_fit_start(self) -> None:
        made = getattr(self.trainer, "datamodule", None)
        if made is not None and made.spec != self.spec:
            raise ValueError(f"the data has strips of {made.spec}, the model wants {self.spec}; make them the same")

    def forward(self, strips: Tensor) -> TraceOutput:
        out: TraceOutput = self.net(strips)
        return out

    def _losses(self, out: TraceOutput, batch: Batch) -> dict[str, Tensor]:
        # under a sticker the distribution may be wide, and must be: only what can be seen counts for the SNR
        seen = batch["height_px"].masked_fill(batch["hidden"], torch.nan)
        return {
            "height": height_loss(out.height, batch["height_px"], self.hparams["target_sigma_px"]),
            "snr": snr_loss(out.height, seen, self.hparams["target_sigma_px"]),
            "present": present_loss(out.present, batch["height_px"]),
            "dice": dice_loss(out.mask, batch["mask"].float().div(255)),
        }

    def _total(self, losses: dict[str, Tensor]) -> Tensor:
        h = self.hparams
        extra: Tensor = (
            h["snr_weight"] * losses["snr"]
            + h["present_weight"] * losses["present"]
            + h["dice_weight"] * losses["dice"]
        )
        return losses["height"] + extra

    def training_step(self, batch: Batch, index: int) -> Tensor:
        losses = self._losses(self(batch["image"]), batch)
        total = self._total(losses)
        self.log("train/loss", total, prog_bar=True)
        self.log_dict({f"train/{name}": value for name, value in losses.items()})
        return total

    def validation_step(self, batch: Batch, index: int) -> None:
        out = self(batch["image"])
        losses = self._losses(out, batch)
        n = len(batch["image"])
        self.log("val/loss", self._total(losses), batch_size=n, sync_dist=True)
        self.log("val/mask_dice", 1 - losses["dice"], batch_size=n, sync_dist=True)
        chance = torch.softmax(out.height, 1).float().cpu().numpy()
        present = torch.sigmoid(out.present).cpu().numpy()
        for i in range(n):
            path, spread, known = trace_path(chance[i], present[i])
            height = np.where(known, path, np.nan)
            gain, per_mm = float(batch["gain"][i]), float(self.hparams["px_per_mm_y"])
            per_mv = gain * per_mm
            sigma = said_error(spread.astype(np.float64) / per_mm) / gain
            truth = batch["height_px"][i].masked_fill(batch["hidden"][i], torch.nan).cpu().numpy()
            self.scores.update(-truth / per_mv, -height / per_mv, sigma, batch["lead"][i].cpu().numpy())

    def on_validation_epoch_end(self) -> None:
        values = self.scores.compute()
        self.log_dict({f"val/{name}": value for name, value in values.items()}, sync_dist=False)
        self.log("snr", values["snr_db"], prog_bar=True, logger=False)
        self.scores.reset()

    def configure_optimizers(self) -> Any:
        h = self.hparams
        optimizer = torch.optim.AdamW(self.parameters(), lr=h["learning_rate"], weight_decay=h["weight_decay"])
        total = int(self.trainer.estimated_stepping_batches)
        rise, fall = (max(1, round(float(h[share]) * total)) for share in ("warmup", "decay"))

        def rate(step: int) -> float:
            down = min(1.0, max(0.0, (step - (total - fall)) / fall))
            return min(1.0, (step + 1) / rise) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * down)))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
