"""`SheetTask`: train the network that says what stands where on an upright page."""

from __future__ import annotations

from typing import Any

import lightning as L
import torch
from torch import Tensor
from torch.nn import functional as F

from ecgdig.locate.sheet import DEEP_STRIDE, MAPS, STRIDE
from ecgdig.tasks.processes import mean_over_all, over_all
from ecgdig.tasks.schedule import cosine
from ecgdig.tasks.sheet_net import SheetNet

Batch = dict[str, Tensor]
# how much more the few cells count that show something
_WEIGHT = {"trace": 2.0, "pulse": 3.0, "name": 3.0, "row": 1.5, "seam": 5.0, "end": 5.0}
_RATIO = DEEP_STRIDE // STRIDE


class SheetTask(L.LightningModule):
    """Maps of traces, pulses, names, rows, seams and ends, and how a page is turned.

    Logs for each map the Dice coefficient, their mean `val/dice`, and `val/turned`, the share of crops whose quarter
    turns are told right.

    Args:
        dice_weight, turn_weight: loss = cross-entropy + weights · the others.
        learning_rate: at its peak, for AdamW; it rises over 2 % of the steps and falls along a cosine.
        weight_decay: of AdamW.
    """

    def __init__(
        self,
        dice_weight: float = 0.5,
        turn_weight: float = 0.2,
        learning_rate: float = 3e-3,
        weight_decay: float = 1e-3,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = SheetNet()

    def forward(self, pages: Tensor) -> tuple[Tensor, Tensor]:
        out: tuple[Tensor, Tensor] = self.net(pages)
        return out

    def _step(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss and the scores of a batch of pages, several crops each."""
        pages, truth, turns = (batch[name].flatten(0, 1) for name in ("image", "maps", "turns"))
        logits, turned = self(pages)
        logits, truth = logits.float(), truth.float()
        positive = torch.tensor([_WEIGHT[name] for name in MAPS], device=logits.device)
        each = F.binary_cross_entropy_with_logits(logits, truth, pos_weight=positive[:, None, None], reduction="none")
        entropy = mean_over_all(each, torch.ones_like(each))
        dice = _dice(torch.sigmoid(logits), truth)
        seen = F.max_pool2d(truth[:, MAPS.index("row") : MAPS.index("row") + 1], _RATIO)[:, 0] > 0
        wanted = turns[:, None, None].expand(seen.shape)
        turned = turned.float()
        wrong = mean_over_all(F.cross_entropy(turned, wanted, reduction="none"), seen)
        there = seen.any(dim=(1, 2))
        told = (torch.log_softmax(turned, 1) * seen[:, None]).sum(dim=(2, 3)).argmax(1)
        right = (told == turns)[there].float().mean() if there.any() else torch.tensor(1.0)
        loss = entropy + self.hparams["dice_weight"] * (1 - dice.mean()) + self.hparams["turn_weight"] * wrong
        scores = {f"dice/{name}": value for name, value in zip(MAPS, dice, strict=True)}
        return loss, {**scores, "dice": dice.mean(), "turned": right}

    def training_step(self, batch: Batch, index: int) -> Tensor:
        loss, scores = self._step(batch)
        self.log("train/loss", loss, prog_bar=True)
        self.log("train/dice", scores["dice"].detach(), prog_bar=True)
        return loss

    def validation_step(self, batch: Batch, index: int) -> None:
        loss, scores = self._step(batch)
        n = len(batch["image"])
        self.log("val/loss", loss, batch_size=n, sync_dist=True)
        self.log_dict({f"val/{name}": value for name, value in scores.items()}, batch_size=n, sync_dist=True)

    def configure_optimizers(self) -> Any:
        h = self.hparams
        optimizer = torch.optim.AdamW(self.parameters(), lr=h["learning_rate"], weight_decay=h["weight_decay"])
        return {"optimizer": optimizer, "lr_scheduler": cosine(optimizer, int(self.trainer.estimated_stepping_batches))}


def _dice(chance: Tensor, truth: Tensor) -> Tensor:
    """Dice coefficient of each map over the batch, `(maps,)`; 1 where there is nothing and nothing is seen."""
    dims = (0, 2, 3)
    both, either = over_all(torch.stack([(chance * truth).sum(dims), (chance + truth).sum(dims)]))
    dice: Tensor = (2 * both + 1) / (either + 1)
    return dice
