"""`PageTask`: train the network that sees the geometry of a page at a glance."""

from __future__ import annotations

from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ecgdig.grid.overview import COARSEST, SCALES, STEPS_A_DOUBLING
from ecgdig.tasks.page_net import PageNet
from ecgdig.tasks.processes import mean_over_all
from ecgdig.tasks.schedule import cosine
from ecgdig.thumbnails import TRUTHS

Batch = dict[str, Tensor]
_WIDTH = 0.7  # of the target over the classes of scales, in classes
_SHAPE_UNIT = 0.05  # of stretch and skew
_SCALE_RIGHT, _LINES_RIGHT_DEG = 0.1, 3.0  # a page is seen right whose median is off by less
_SEEN_CELLS = 20  # of paper: thumbnails with fewer are not judged


class PageTask(L.LightningModule):
    """Where the paper lies, its scale, and the direction of its lines.

    Logs `val/found`, the share of pages whose scale is right to 10 % and whose lines to 3 degrees (medians over the
    paper), `val/scale_error` and `val/lines_error_deg` (medians over the cells), `val/paper` (intersection over
    union).

    Args:
        width: of the network; 1 is the small one.
        learning_rate: at its peak, for AdamW; it rises over 2 % of the steps and falls along a cosine.
        weight_decay: of AdamW.
    """

    def __init__(self, width: float = 1.0, learning_rate: float = 3e-3, weight_decay: float = 1e-3) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = PageNet(width)

    def forward(self, pages: Tensor, spectra: Tensor) -> dict[str, Tensor]:
        out: dict[str, Tensor] = self.net(pages, spectra)
        return out

    def _step(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
        """The loss, its terms and the answers of a batch of pages, several views each."""
        given = (batch[name].flatten(0, 1) for name in ("image", "spectra"))
        out = {name: value.float() for name, value in self(*given).items()}
        truth = dict(zip(TRUTHS, batch["truth"].flatten(0, 1).unbind(1), strict=True))
        seen, on = torch.isfinite(truth["paper"]), torch.isfinite(truth["angle"])
        known = {name: torch.nan_to_num(value) for name, value in truth.items()}

        entropy = F.binary_cross_entropy_with_logits
        at = ((known["scale"] - np.log2(COARSEST)) * STEPS_A_DOUBLING).clamp(0, SCALES - 1)
        steps = torch.arange(SCALES, device=at.device)[None, :, None, None]
        wanted = torch.softmax(-0.5 * ((steps - at[:, None]) / _WIDTH) ** 2, dim=1)
        shape = torch.stack([known["stretch"], known["skew"]], dim=1)
        angle = known["angle"]
        terms = {
            "paper": mean_over_all(entropy(out["paper"][:, 0], known["paper"], reduction="none"), seen),
            "scale": mean_over_all(-(wanted * torch.log_softmax(out["scale"], 1)).sum(1), on),
            "shape": mean_over_all(
                F.smooth_l1_loss(out["shape"] / _SHAPE_UNIT, shape / _SHAPE_UNIT, reduction="none").mean(1), on
            ),
            "lines": mean_over_all((out["lines"] - _vector(4 * angle)).square().sum(1), on),
        }
        return torch.stack(list(terms.values())).sum(), terms, out

    def training_step(self, batch: Batch, index: int) -> Tensor:
        loss, terms, _ = self._step(batch)
        self.log("train/loss", loss, prog_bar=True)
        self.log_dict({f"train/{name}": value.detach() for name, value in terms.items()})
        return loss

    def validation_step(self, batch: Batch, index: int) -> None:
        loss, terms, out = self._step(batch)
        scores = [s for s in map(_judged, *self._each(batch, out)) if s]
        n = len(batch["image"])
        self.log("val/loss", loss, batch_size=n, sync_dist=True)
        self.log_dict({f"val/loss_{name}": value for name, value in terms.items()}, batch_size=n, sync_dist=True)
        for name in scores[0] if scores else ():
            value = float(np.mean([s[name] for s in scores]))
            self.log(f"val/{name}", value, batch_size=len(scores), sync_dist=True)

    def _each(self, batch: Batch, out: dict[str, Tensor]) -> tuple[list[Tensor], list[dict[str, Tensor]]]:
        truth = batch["truth"].flatten(0, 1)
        return list(truth), [{name: value[i] for name, value in out.items()} for i in range(len(truth))]

    def configure_optimizers(self) -> Any:
        h = self.hparams
        optimizer = torch.optim.AdamW(self.parameters(), lr=h["learning_rate"], weight_decay=h["weight_decay"])
        return {"optimizer": optimizer, "lr_scheduler": cosine(optimizer, int(self.trainer.estimated_stepping_batches))}


def _vector(angle: Tensor) -> Tensor:
    """Cosine and sine of angles `(B, h, w)`: `(B, 2, h, w)`."""
    return torch.stack([torch.cos(angle), torch.sin(angle)], dim=1)


def _judged(truth: Tensor, out: dict[str, Tensor]) -> dict[str, float]:
    """The scores of one view; none where it shows too little paper."""
    known = dict(zip(TRUTHS, truth, strict=True))
    on = torch.isfinite(known["angle"])
    if on.sum() < _SEEN_CELLS:
        return {}
    seen = torch.isfinite(known["paper"])
    told, there = (out["paper"][0] > 0) & seen, known["paper"] > 0.5
    # log2 px/mm of the likeliest class
    scale = out["scale"].argmax(0) / STEPS_A_DOUBLING + float(np.log2(COARSEST))
    off = float((scale - known["scale"])[on].abs().median())
    angle = known["angle"][on]
    lines = torch.atan2(out["lines"][1], out["lines"][0])[on]
    turned = torch.rad2deg(torch.remainder(lines - 4 * angle + np.pi, 2 * np.pi) - np.pi).abs() / 4
    askew = float(turned.median())
    return {
        "found": float(off < np.log2(1 + _SCALE_RIGHT) and askew < _LINES_RIGHT_DEG),
        "scale_error": 2**off - 1,
        "lines_error_deg": askew,
        "paper": float((told & there).sum() / (told | there).sum()),
    }
