"""What the trace network is trained for; in a DDP run over the batches of all processes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ecgdig.tasks.processes import mean_over_all, over_all


def height_loss(logits: Tensor, target_px: Tensor, sigma_px: float) -> Tensor:
    """Cross-entropy of the column distributions against a Gaussian of `sigma_px` around the true height.

    Args:
        logits: `(B, H, columns)`.
        target_px: `(B, columns)`; NaN = nothing printed, not counted.

    Returns:
        mean over the columns that count, less the entropy of the target: 0 for a perfect answer.
    """
    known = torch.isfinite(target_px)
    rows = torch.arange(logits.shape[1], device=logits.device, dtype=logits.dtype)
    centre = torch.nan_to_num(target_px).unsqueeze(1)  # (B, 1, columns)
    target = torch.softmax(-0.5 * ((rows.view(1, -1, 1) - centre) / sigma_px) ** 2, dim=1)
    divergence = F.kl_div(torch.log_softmax(logits, 1), target, reduction="none").sum(1)  # (B, columns)
    return mean_over_all(divergence, known)


def snr_loss(logits: Tensor, target_px: Tensor, floor_px: float) -> Tensor:
    """The noise-to-signal ratio of each strip in nepers of power, averaged over the batch: -SNR in dB is 4.34 times it.

    The height read is the mean of each column's distribution, as the decoder takes it. A strip with hardly any signal
    counts as if it had `floor_px` of it, and an error below a tenth of that is not made smaller.

    Args:
        logits: `(B, H, columns)`.
        target_px: `(B, columns)`; NaN = nothing printed, not counted.
    """
    known = torch.isfinite(target_px)
    n = known.sum(1).clamp(min=1)
    rows = torch.arange(logits.shape[1], device=logits.device, dtype=logits.dtype)
    mean = (torch.softmax(logits, 1) * rows.view(1, -1, 1)).sum(1)
    target = torch.nan_to_num(target_px)
    noise = ((mean - target).square() * known).sum(1) / n
    centre = (target * known).sum(1, keepdim=True) / n.unsqueeze(1)
    signal = ((target - centre).square() * known).sum(1) / n
    ratio = torch.log(noise + (0.1 * floor_px) ** 2) - torch.log(signal + floor_px**2)
    return mean_over_all(ratio, known.any(1))


def present_loss(logits: Tensor, target_px: Tensor) -> Tensor:
    """Binary cross-entropy of presence, `(B, columns)`."""
    entropy = F.binary_cross_entropy_with_logits(logits, torch.isfinite(target_px).to(logits.dtype), reduction="none")
    return mean_over_all(entropy, torch.ones_like(entropy))


def dice_loss(logits: Tensor, mask: Tensor) -> Tensor:
    """1 - soft Dice over the batch; `mask` in 0 to 1, same shape as `logits`."""
    p = torch.sigmoid(logits)
    both, seen, there = over_all(torch.stack([(p * mask).sum(), p.sum(), mask.sum()]))
    loss: Tensor = 1 - (2 * both + 1) / (seen + there + 1)
    return loss
