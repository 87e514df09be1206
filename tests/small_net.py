"""A small trace network with random weights, and what it is made for."""

from __future__ import annotations

import torch

from ecgdig.strip import StripSpec
from ecgdig.tasks.trace_net import TraceNet

HPARAMS = {
    "encoder": "tu-resnet10t",
    "depth": 2,
    "decoder_channels": [8, 8],
    "block": 4,
    "sub_columns": 2,
    "features": 2,
    "refine": 4,
}
SPEC = StripSpec(8.0, 4.0, 4.0, 2)


def small_net() -> TraceNet:
    torch.manual_seed(0)
    return TraceNet(**HPARAMS).eval()  # type: ignore[arg-type]
