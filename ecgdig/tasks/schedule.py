"""How the learning rate of the small networks goes."""

from __future__ import annotations

import math
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def cosine(optimizer: Optimizer, steps: int) -> dict[str, Any]:
    """Rise over 2 % of the steps, then along a cosine down to 1 %; as Lightning wants it."""
    rise = max(1, round(0.02 * steps))

    def rate(step: int) -> float:
        return min(1.0, (step + 1) / rise) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(step / steps, 1))))

    return {"scheduler": LambdaLR(optimizer, rate), "interval": "step"}
