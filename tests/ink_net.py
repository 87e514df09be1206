"""A stand-in for the trained network: on a clean page the trace is the darkest thing in its column near the middle."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ecgdig.hub import TraceModel
from ecgdig.strip import StripSpec
from ecgdig.tasks.trace_net import TraceOutput


class InkNet(nn.Module):
    """Height by darkness, less with the distance from the middle row; present where there is ink near the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.sharpness = nn.Parameter(torch.tensor(0.12))

    def forward(self, strips: Tensor) -> TraceOutput:
        dark = 255 - strips.float().mean(1)  # (B, H, W)
        ink = self.sharpness * dark
        dark = dark.repeat_interleave(2, dim=2)
        rows = torch.arange(dark.shape[1]) - (dark.shape[1] - 1) / 2
        logits = self.sharpness * dark - 0.04 * rows.abs().view(1, -1, 1)
        near = dark[:, (rows.abs() < 60).nonzero().ravel()].amax(1)
        return TraceOutput(logits, (near - 120) * 0.2, ink)


def ink_model() -> TraceModel:
    return TraceModel(InkNet(), StripSpec(), "ink", "0" * 64, (1.0, 0.02))  # type: ignore[arg-type]
