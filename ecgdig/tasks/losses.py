"""What the trace network is trained for."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


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
    return (divergence * known).sum() / known.sum().clamp(min=1)


def wave_loss(logits: Tensor, target_px: Tensor, scale_px: float) -> Tensor:
    """Smooth L1 between the mean height of the distributions and the true one, in units of `scale_px`."""
    known = torch.isfinite(target_px)
    rows = torch.arange(logits.shape[1], device=logits.device, dtype=logits.dtype)
    mean = (torch.softmax(logits, 1) * rows.view(1, -1, 1)).sum(1)
    error = F.smooth_l1_loss(mean / scale_px, torch.nan_to_num(target_px) / scale_px, reduction="none")
    return (error * known).sum() / known.sum().clamp(min=1)


def present_loss(logits: Tensor, target_px: Tensor) -> Tensor:
    """Binary cross-entropy of presence, `(B, columns)`."""
    return F.binary_cross_entropy_with_logits(logits, torch.isfinite(target_px).to(logits.dtype))


def dice_loss(logits: Tensor, mask: Tensor) -> Tensor:
    """1 - soft Dice over the batch; `mask` in 0 to 1, same shape as `logits`."""
    p = torch.sigmoid(logits)
    return 1 - (2 * (p * mask).sum() + 1) / (p.sum() + mask.sum() + 1)
