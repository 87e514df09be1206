"""Losses of one batch that is spread over the processes of a DDP run."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor


def over_all(sums: Tensor) -> Tensor:
    """Sums over the batch of this process -> sums over those of all processes; the same where there is one.

    A loss made of them has the value of the whole batch in every process. Its gradient is that of this process's part,
    times the number of processes: DDP takes the mean over them, which is then the gradient of the whole batch.

    Args:
        sums: of any shape, the same in every process.
    """
    n = dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1
    if n == 1:
        return sums
    whole = sums.detach().clone()
    dist.all_reduce(whole)
    return whole + n * (sums - sums.detach())


def mean_over_all(values: Tensor, counted: Tensor) -> Tensor:
    """Mean of `values` where `counted`, over the batches of all processes; 0 where nothing is.

    Args:
        values: of any shape, finite.
        counted: bool or weights, of the same shape.
    """
    total, n = over_all(torch.stack([(values * counted).sum(), counted.sum().to(values.dtype)]))
    mean: Tensor = total / n.clamp(min=1)
    return mean
